//! Records and quoting: what must hold of them is in `src/dev/fuzzed/records.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::testing::dev::fuzzed::records(data));
