//! Made-up nights, played second by second: what was foretold at each is held against what came.

use proptest::prelude::*;

use super::*;

fn work(stage: &str, seconds: f64, parts: &[(&str, f64)]) -> Work {
    let parts = parts.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
    Work { stage: stage.to_owned(), seconds, parts, ..Work::default() }
}

/// A night of these stages one after another, seen at a moment: the first has meters.
fn seen_at(works: &[Work], actual: &[f64], elapsed: f64) -> Seen {
    let mut seen = Seen { elapsed, ..Seen::default() };
    let mut began = 0.0;
    for (work, seconds) in works.iter().zip(actual) {
        if elapsed >= began + seconds {
            seen.over.insert(work.stage.clone());
        } else if elapsed >= began {
            seen.running.insert(work.stage.clone(), elapsed - began);
        }
        if work.stage == LOAD {
            let share = ((elapsed - began) / seconds).clamp(0.0, 1.0);
            let parts = work.parts.keys().map(|name| (name.clone(), share));
            seen.metered.insert(LOAD.to_owned());
            seen.parts.insert(LOAD.to_owned(), parts.collect());
        }
        began += seconds;
    }
    seen
}

#[test]
fn before_anything_is_seen_the_whole_expected_night_is_left() {
    let works = [work(LOAD, 60.0, &[("a", 3.0), ("b", 1.0)]), work("check", 30.0, &[])];
    assert_eq!(
        standing(&works, &Seen::default()),
        Standing { elapsed: 0.0, left: 90.0, speed: 1.0 }
    );
    let none = Standing { elapsed: 0.0, left: 0.0, speed: 1.0 };
    assert_eq!(standing(&[], &Seen::default()), none);
}

#[test]
fn parts_weigh_what_they_cost_and_not_one_each() {
    let works = [work(LOAD, 100.0, &[("network", 9.0), ("plans", 1.0)])];
    let mut seen = Seen { elapsed: 10.0, ..Seen::default() };
    seen.running.insert(LOAD.into(), 10.0);
    seen.metered.insert(LOAD.into());
    seen.parts.insert(LOAD.into(), BTreeMap::from([("plans".into(), 1.0), ("new".into(), 1.0)]));
    let left = standing(&works, &seen).left;
    assert!((left - 90.0).abs() < 1.0, "{left}");
}

#[test]
fn an_index_that_takes_half_the_night_does_not_hold_the_clock() {
    // One part, of which nothing is told until it is done.
    let works = [work(LOAD, 100.0, &[("a", 1.0)]), work(INDEX, 100.0, &[("a", 1.0)])];
    for elapsed in [110.0, 150.0, 190.0] {
        let left = standing(&works, &seen_at(&works, &[100.0, 100.0], elapsed)).left;
        assert!((left - (200.0 - elapsed)).abs() < 1.0, "at {elapsed}: {left}");
    }
}

#[test]
fn indexes_that_are_built_while_others_load_count_as_work_done() {
    let works = [
        work(LOAD, 100.0, &[("a", 1.0), ("b", 1.0)]),
        work(INDEX, 50.0, &[("a", 1.0), ("b", 1.0)]),
    ];
    let mut seen = Seen { elapsed: 75.0, ..Seen::default() };
    seen.running.insert(LOAD.into(), 75.0);
    seen.metered.insert(LOAD.into());
    seen.parts.insert(LOAD.into(), BTreeMap::from([("a".into(), 1.0)]));
    seen.parts.insert(INDEX.into(), BTreeMap::from([("a".into(), 1.0)]));
    let left = standing(&works, &seen).left;
    assert!((left - 75.0).abs() < 1.0, "{left}");
}

#[test]
fn slow_first_steps_do_not_make_a_slow_night() {
    let works = [work("pre-data", 0.2, &[]), work(LOAD, 100.0, &[("a", 1.0)])];
    let mut seen = Seen { elapsed: 14.0, before: 4.0, ..Seen::default() };
    seen.over.insert("pre-data".into());
    seen.running.insert(LOAD.into(), 10.0);
    seen.metered.insert(LOAD.into());
    seen.parts.insert(LOAD.into(), BTreeMap::from([("a".into(), 0.1)]));
    let left = standing(&works, &seen).left;
    assert!((left - 90.0).abs() < 1.0, "{left}");
}

#[test]
fn a_deadline_is_said_once_and_again_when_it_is_missed_by_twice_as_much() {
    let at = |elapsed, left| Standing { elapsed, left, speed: 1.0 };
    let mut dog = Watchdog::default();
    // Too early to tell.
    assert_eq!(dog.look(at(9.0, 191.0), 0.0, 100.0), None);
    assert_eq!(dog.look(at(20.0, 80.0), 0.0, 100.0), None);
    assert_eq!(dog.look(at(20.0, 90.0), 0.0, 100.0), Some(10.0));
    assert_eq!(dog.look(at(30.0, 85.0), 0.0, 100.0), None);
    assert_eq!(dog.look(at(30.0, 90.0), 0.0, 100.0), Some(20.0));
    assert_eq!(dog.look(at(40.0, 90.0), 0.0, 100.0), None);
    // Other databases come after this one.
    assert_eq!(Watchdog::default().look(at(20.0, 40.0), 50.0, 100.0), Some(10.0));
    // A night that has no time left says it too.
    assert_eq!(Watchdog::default().look(at(50.0, 1.0), 0.0, -5.0), Some(56.0));
}

proptest! {
    /// A machine that is slower or faster tonight, by whatever factor: after the first tenth the
    /// time left is right within a fifth of itself, or within two hundredths of the night.
    #[test]
    fn the_time_left_is_right_within_a_fifth_after_the_first_tenth(
        seconds in prop::collection::vec(1.0..1000.0_f64, 4),
        weights in prop::collection::vec(0.1..100.0_f64, 3),
        factor in 0.3..4.0_f64,
        moment in 0.1..0.99_f64,
    ) {
        let names = ["a", "b", "c"];
        let parts: Vec<(&str, f64)> = names.into_iter().zip(weights).collect();
        // The load is what the speed is told by; a night of which it is a hundredth tells none.
        let load = seconds[0] + seconds[1..].iter().sum::<f64>() / 4.0;
        let works = [
            work(LOAD, load, &parts),
            work(INDEX, seconds[1], &parts),
            work("derive", seconds[2], &[]),
            work("check", seconds[3], &[]),
        ];
        let actual: Vec<f64> = works.iter().map(|work| work.seconds * factor).collect();
        let whole: f64 = actual.iter().sum();
        let elapsed = whole * moment;
        let left = standing(&works, &seen_at(&works, &actual, elapsed)).left;
        let truth = whole - elapsed;
        let allowed = (0.2 * truth).max(0.02 * whole);
        prop_assert!((left - truth).abs() <= allowed, "{left} for {truth} of {whole}");
    }

    /// Whatever is seen, the time left is a number, and not below nothing.
    #[test]
    fn the_time_left_is_always_a_number(
        seconds in prop::collection::vec(0.0..1e6_f64, 0..5),
        elapsed in 0.0..1e7_f64,
        before in 0.0..1e7_f64,
        share in -1.0..2.0_f64,
    ) {
        let stages = ["pre-data", LOAD, INDEX, "derive", "seal"];
        let works: Vec<Work> = stages
            .iter()
            .zip(&seconds)
            .map(|(stage, seconds)| work(stage, *seconds, &[("a", *seconds)]))
            .collect();
        let mut seen = Seen { elapsed, before, ..Seen::default() };
        seen.running.insert("derive".into(), elapsed);
        seen.parts.insert(LOAD.into(), BTreeMap::from([("a".into(), share)]));
        let left = standing(&works, &seen).left;
        prop_assert!(left.is_finite() && left >= 0.0, "{left}");
        for stage in stages {
            let own = expected_of(&works, &seen, stage);
            prop_assert!(own.is_none_or(|own| own.is_finite() && own >= 0.0), "{own:?}");
        }
    }
}
