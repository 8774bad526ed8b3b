//! Replays the fuzz targets' corpus: small inputs of each kind, and every one that was ever found to be
//! wrong. Nobody needs cargo-fuzz for it; fuzz/README.md says how more are looked for.

use crate::support::project;

/// Runs what the target of this name runs on every file of its corpus.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = project().join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let data = std::fs::read(&file).unwrap();
        let held = std::panic::catch_unwind(|| run(&data));
        assert!(held.is_ok(), "{} does not hold", file.display());
    }
}

#[test]
fn records() {
    replay("records", kiln::testing::dev::fuzzed::records);
}

#[test]
fn encodings() {
    replay("encodings", kiln::testing::dev::fuzzed::encodings);
}

#[test]
fn zips() {
    replay("zips", kiln::testing::dev::fuzzed::zips);
}

#[test]
fn specs() {
    replay("specs", kiln::testing::dev::fuzzed::specs);
}

#[test]
fn sections() {
    replay("sections", kiln::testing::dev::fuzzed::sections);
}

#[test]
fn subsets() {
    replay("subsets", kiln::testing::dev::fuzzed::subsets);
}

#[test]
fn listings() {
    replay("listings", kiln::testing::dev::fuzzed::listings);
}
