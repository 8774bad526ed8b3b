use proptest::prelude::*;

use super::*;

fn work(stage: &str, seconds: f64, parts: &[(&str, f64)]) -> Work {
    let parts = parts.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
    Work { stage: stage.to_owned(), seconds, parts }
}

#[test]
fn nothing_seen_is_the_expected_night() {
    let works = [work(LOAD, 60.0, &[("a", 3.0), ("b", 1.0)]), work("check", 30.0, &[])];
    let standing = standing(&works, &Seen::default());
    assert_eq!((standing.elapsed, standing.left), (0.0, 90.0));
}
