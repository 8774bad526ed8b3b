//! Records and quoting: what must hold of them is in `src/fuzzed/records.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::fuzzed::records(data));
