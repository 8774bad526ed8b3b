//! What a store's listing says: keys, names and times: what must hold of them is in `src/dev/fuzzed/listings.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::testing::dev::fuzzed::listings(data));
