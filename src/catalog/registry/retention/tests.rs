//! The table of cases: what was live in which order, what was rolled away from, what is on hold, and
//! which builds then go.

use super::*;
use crate::catalog::registry::{Tag, Word, build_name, database_of};

/// A build by its number and a line of words: its state, and `subset`, `rejected`, `held`,
/// `invalid`, `untagged`, or `turn=N`.
fn build(number: i64, words: &str) -> Build {
    let words: Vec<&str> = words.split(' ').collect();
    let has = |word: &str| words.contains(&word);
    let own = build_name("druginfo", number, has("subset"));
    let states = [
        BuildState::Building,
        BuildState::Failed,
        BuildState::Sealed,
        BuildState::Live,
        BuildState::Previous,
        BuildState::Retired,
        BuildState::Scratch,
    ];
    let state = states.into_iter().find(|state| has(state.word()));
    let word = || Word { login: "a".into(), host: "b".into(), at: "now".into(), why: "c".into() };
    let tag = state.filter(|_| !has("untagged")).map(|state| {
        let mut tag = Tag::new("druginfo", &own, "r", 1, state);
        tag.rejected = has("rejected").then(word);
        tag.held = has("held").then(word);
        tag.turn = words.iter().find_map(|word| word.strip_prefix("turn=")?.parse().ok());
        tag
    });
    let name = if has("live") { "druginfo".to_owned() } else { own };
    let oid = u32::try_from(number).expect("small");
    Build { name, oid, tag, invalid: has("invalid"), bytes: None }
}

fn all(of: &[(i64, &str)]) -> Vec<Build> {
    of.iter().map(|(number, words)| build(*number, words)).collect()
}

/// The numbers of those that go.
fn gone(of: &[(i64, &str)], keep: usize) -> Vec<u64> {
    droppable(&all(of), "druginfo", keep).iter().map(|build| build.number()).collect()
}

#[test]
fn after_a_swap_live_and_previous_stay_and_the_rest_goes() {
    let builds = [
        (1, "retired turn=1"),
        (2, "previous turn=2"),
        (3, "live turn=3"),
        (4, "failed"),
        (5, "untagged"),
        (6, "building"),
        (7, "scratch"),
    ];
    assert_eq!(gone(&builds, 1), [1, 4, 5, 6, 7]);
    assert_eq!(gone(&builds, 2), [4, 5, 6, 7]);
    // The beginning of a night clears leftovers away, and nothing that was live.
    assert_eq!(gone(&builds, usize::MAX), [4, 5, 6, 7]);
    let mut builds = builds;
    builds[1].1 = "previous turn=2 invalid";
    assert_eq!(gone(&builds, 1), [2, 4, 5, 6, 7]);
}

#[test]
fn after_a_rollback_what_it_made_live_stays_and_what_was_rolled_away_from_goes_first() {
    // Rolled back from 2 to 1: nothing has to go, and forward again stays possible.
    assert_eq!(gone(&[(1, "live turn=3"), (2, "retired rejected turn=2")], 1), [0; 0]);
    // Then a night: 1 is what was live before it, whatever the numbers say.
    let night = [(1, "previous turn=3"), (2, "retired rejected turn=2"), (3, "live turn=4")];
    assert_eq!(gone(&night, 1), [2]);
    assert_eq!(gone(&night, 2), [0; 0]);
    // And another.
    let second = [
        (1, "retired turn=3"),
        (2, "retired rejected turn=2"),
        (3, "previous turn=4"),
        (4, "live turn=5"),
    ];
    assert_eq!(gone(&second, 1), [1, 2]);
    assert_eq!(gone(&second, 2), [2]);
    // As an earlier kiln left it, which counted no turns.
    let earlier = [(1, "previous"), (2, "retired"), (3, "live turn=1")];
    assert_eq!(gone(&earlier, 1), [2]);
}

#[test]
fn after_two_rollbacks_retired_ones_go_before_the_previous_one_and_rejected_ones_before_them() {
    let twice = [
        (1, "retired turn=1"),
        (2, "previous turn=2"),
        (3, "live turn=7"),
        (4, "retired rejected turn=6"),
        (5, "retired rejected turn=5"),
    ];
    assert_eq!(gone(&twice, 4), [0; 0]);
    assert_eq!(gone(&twice, 3), [5]);
    assert_eq!(gone(&twice, 2), [4, 5]);
    assert_eq!(gone(&twice, 1), [1, 4, 5]);
    // The order is that of going live: 1 was gone back to after 2 had been live.
    let back = [(1, "retired turn=4"), (2, "retired turn=3"), (3, "live turn=5")];
    assert_eq!(gone(&back, 1), [2]);
}

#[test]
fn a_sealed_candidate_stays_until_a_newer_one_is_live() {
    let builds = [(1, "sealed"), (2, "live"), (3, "sealed"), (4, "sealed")];
    assert_eq!(gone(&builds, 1), [1, 3]);
    assert_eq!(gone(&[(1, "live"), (2, "sealed invalid"), (3, "failed")], 1), [2, 3]);
    // It takes no former build's place, nor one of them its.
    let rolled = [(1, "live turn=3"), (2, "retired rejected turn=2"), (3, "sealed")];
    assert_eq!(gone(&rolled, 1), [0; 0]);
}

#[test]
fn of_subsets_the_newest_stays_and_takes_no_other_builds_place() {
    let builds = [
        (1, "previous"),
        (2, "previous subset"),
        (3, "sealed subset"),
        (4, "live"),
        (5, "sealed"),
        (6, "sealed subset"),
        (7, "building subset"),
    ];
    assert_eq!(gone(&builds, 1), [2, 3, 7]);
    let laptop = [(1, "sealed subset"), (2, "previous subset"), (3, "live subset")];
    assert_eq!(gone(&laptop, 1), [1, 2]);
    assert_eq!(database_of("druginfo_00006_subset"), Some("druginfo"));
    // What was live before a subset is what rollback goes back to.
    assert_eq!(gone(&[(1, "previous turn=1"), (2, "live subset turn=2")], 1), [0; 0]);
}

#[test]
fn what_is_on_hold_stays_whatever_it_is_and_takes_no_place() {
    let builds = [
        (1, "retired held turn=1"),
        (2, "retired turn=2"),
        (3, "previous turn=3"),
        (4, "live held turn=5"),
        (5, "retired rejected held turn=4"),
        (6, "failed held"),
        (7, "sealed held subset"),
        (8, "failed"),
        (9, "sealed subset"),
    ];
    assert_eq!(gone(&builds, 1), [2, 8]);
    assert_eq!(gone(&builds, 2), [8]);
    let builds = all(&builds);
    let fates = fates(&builds, "druginfo", 1);
    let said: Vec<&str> = fates.iter().map(|fate| fate.why.as_str()).collect();
    assert_eq!(said[0], "on hold (c; a on b, now)");
    assert_eq!(said[1..4], ["it is retired", "kept for rollback", "live"]);
    // Only DROP clears what a crash left unusable.
    assert_eq!(gone(&[(1, "retired held invalid"), (2, "live")], 1), [1]);
}

#[test]
fn rollback_goes_back_in_the_order_of_going_live_and_to_no_rejected_build_first() {
    let builds = all(&[
        (1, "retired turn=6"),
        (2, "previous turn=3"),
        (3, "retired rejected turn=7"),
        (4, "previous subset turn=8"),
        (5, "live turn=9"),
        (6, "sealed"),
        (7, "retired turn=5"),
    ]);
    let order: Vec<u64> = former(&builds, "druginfo").iter().map(|build| build.number()).collect();
    assert_eq!(order, [2, 1, 7, 3]);
}
