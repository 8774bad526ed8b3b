//! Sections of SQL, and the catalog's lines: what must hold of them is in `src/dev/fuzzed/sections.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kiln::testing::dev::fuzzed::sections(data));
