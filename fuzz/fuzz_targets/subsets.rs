//! Subset files: what must hold of them is in `src/dev/fuzzed/subsets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::testing::dev::fuzzed::subsets(data));
