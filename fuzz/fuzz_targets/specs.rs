//! Specs, and what else people write in TOML: what must hold of them is in `src/dev/fuzzed/specs.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::testing::dev::fuzzed::specs(data));
