//! Subset files: what must hold of them is in `src/fuzzed/subsets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::fuzzed::subsets(data));
