//! Zips and their directories: what must hold of them is in `src/dev/fuzzed/zips.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::testing::dev::fuzzed::zips(data));
