//! The object changes while it is read, and the resume meets the change.

use std::path::Path;

use kiln::testing::dev::synth::Inner;

use super::{Night, first, long};
use crate::support::http::Mishap;

/// Puts other bytes in a file's place, as an upload does: those who read the old one keep it.
fn put(file: &Path, bytes: &[u8]) {
    let beside = file.with_extension("new");
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(beside, file).unwrap();
}

#[test]
fn a_resume_that_meets_another_object_ends_the_night() {
    for inner in [Inner::Stored, Inner::Deflated] {
        let night = Night::new(inner);
        let file = night.world.landed_file();
        let original = std::fs::read(&file).unwrap();
        let mut same_size = original.clone();
        let middle = same_size.len() / 2;
        same_size[middle] ^= 1;
        let longer = [original.as_slice(), b"more"].concat();
        for (bytes, said) in [
            (Some(same_size), "is not the pinned one any more"),
            (Some(longer), "is not the pinned one any more"),
            (None, "there is no such object"),
        ] {
            let mut cut = first([Mishap::Cut(100_000)], long);
            let target = file.clone();
            let outcome = night.under(move |request| {
                let mishap = cut(request);
                if mishap != Mishap::Pass {
                    match &bytes {
                        Some(bytes) => put(&target, bytes),
                        None => std::fs::remove_file(&target).unwrap(),
                    }
                }
                mishap
            });
            assert_eq!(outcome.code, 10, "{inner:?} {outcome}");
            outcome.says(&[said, "hint: ", "once S3 has it again: kiln "]);
            put(&file, &original);
        }
        night.ends_well();
    }
}

#[test]
fn a_store_that_heeds_no_condition_is_caught_by_the_tag_of_its_answer() {
    let night = Night::new(Inner::Stored);
    let outcome = night.under(first([Mishap::Retag], long));
    assert_eq!(outcome.code, 10, "{outcome}");
    outcome.says(&["the object is not the pinned one any more: expected ", ", found \"another\""]);
    night.ends_well();
}
