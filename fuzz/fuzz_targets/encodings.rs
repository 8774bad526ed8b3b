//! Encodings: what must hold of them is in `src/dev/fuzzed/encodings.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::testing::dev::fuzzed::encodings(data));
