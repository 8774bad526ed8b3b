//! Encodings: what must hold of them is in `src/fuzzed/encodings.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::fuzzed::encodings(data));
