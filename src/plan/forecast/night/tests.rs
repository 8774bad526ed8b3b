//! Made-up nights, played second by second: what was foretold at each is held against what came.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::plan::forecast::schedule::{After, Doing, Rows};

/// A load on one connection: sources and the seconds of their rows, and of their keys.
fn load(sources: &[(&str, f64, f64)]) -> Work {
    let rows = |seconds| Rows { seconds, is_brought: false };
    let after = |name: &str, seconds| After { seconds, from: vec![name.to_owned()] };
    let name = |name: &str| name.to_owned();
    let jobs = Jobs {
        connections: 1,
        rows: sources.iter().map(|(n, seconds, _)| (name(n), rows(*seconds))).collect(),
        after: sources.iter().map(|(n, _, seconds)| (name(n), after(n, *seconds))).collect(),
    };
    Work { stage: LOAD.to_owned(), seconds: jobs.seconds(), jobs }
}

fn stage(stage: &str, seconds: f64) -> Work {
    Work { stage: stage.to_owned(), seconds, ..Work::default() }
}

/// A night of these stages one after another, each taking so many times as long as expected, seen at
/// a moment; the load's rows come first, then its keys.
fn seen_at(works: &[Work], factor: f64, elapsed: f64) -> Seen {
    let mut seen = Seen { elapsed, ..Seen::default() };
    let mut began = 0.0;
    for work in works {
        let ends = began + work.seconds * factor;
        if elapsed >= ends {
            seen.over.insert(work.stage.clone(), ends - began);
        } else if elapsed >= began {
            seen.running.insert(work.stage.clone(), elapsed - began);
        }
        let mut job_began = began;
        let mut doing = |seconds: f64| {
            let (from, took) = (job_began, seconds * factor);
            job_began += took;
            let so_far = (elapsed - from).min(took);
            let share = if took > 0.0 { so_far / took } else { 1.0 };
            (elapsed > from).then_some(Doing { seconds: so_far, share, is_over: so_far >= took })
        };
        for (name, rows) in &work.jobs.rows {
            seen.jobs.rows.extend(doing(rows.seconds).map(|doing| (name.clone(), doing)));
        }
        for (name, after) in &work.jobs.after {
            seen.jobs.after.extend(doing(after.seconds).map(|doing| (name.clone(), doing)));
        }
        began = ends;
    }
    seen
}

/// By measured ratios alone.
fn guessed(works: &[Work]) -> Foretold {
    Foretold { works: works.to_vec(), is_known: false }
}

#[test]
fn before_anything_is_seen_the_whole_expected_night_is_left() {
    let works = [load(&[("a", 50.0, 5.0), ("b", 4.0, 1.0)]), stage("check", 30.0)];
    assert_eq!(standing(&guessed(&works), &Seen::default()), Standing { elapsed: 0.0, left: 90.0 });
    assert_eq!(standing(&guessed(&[]), &Seen::default()), Standing { elapsed: 0.0, left: 0.0 });
}

#[test]
fn jobs_weigh_what_they_cost_and_not_one_each() {
    let works = [load(&[("network", 90.0, 0.0), ("plans", 10.0, 0.0)])];
    let mut seen = Seen { elapsed: 10.0, ..Seen::default() };
    seen.running.insert(LOAD.into(), 10.0);
    let over = Doing { seconds: 10.0, share: 1.0, is_over: true };
    seen.jobs.rows = BTreeMap::from([("plans".into(), over), ("new".into(), over)]);
    let left = standing(&guessed(&works), &seen).left;
    assert!((left - 90.0).abs() < 1.0, "{left}");
}

#[test]
fn an_index_that_takes_half_the_night_does_not_hold_the_clock() {
    // One job, of which nothing is told until it is done.
    let works = [load(&[("a", 100.0, 100.0)])];
    for elapsed in [110.0, 150.0, 190.0] {
        let left = standing(&guessed(&works), &seen_at(&works, 1.0, elapsed)).left;
        assert!((left - (200.0 - elapsed)).abs() < 1.0, "at {elapsed}: {left}");
    }
}

#[test]
fn indexes_that_are_built_while_others_load_count_as_work_done() {
    let works = [load(&[("a", 50.0, 25.0), ("b", 50.0, 25.0)])];
    let mut seen = Seen { elapsed: 75.0, ..Seen::default() };
    seen.running.insert(LOAD.into(), 75.0);
    let over =
        |seconds| BTreeMap::from([("a".into(), Doing { seconds, share: 1.0, is_over: true })]);
    (seen.jobs.rows, seen.jobs.after) = (over(50.0), over(25.0));
    let left = standing(&guessed(&works), &seen).left;
    assert!((left - 75.0).abs() < 1.0, "{left}");
}

#[test]
fn slow_first_steps_do_not_make_a_slow_night() {
    let works = [stage("pre-data", 0.2), load(&[("a", 100.0, 0.0)])];
    let mut seen = Seen { elapsed: 14.0, ..Seen::default() };
    seen.over.insert("pre-data".into(), 4.0);
    seen.running.insert(LOAD.into(), 10.0);
    let doing = Doing { seconds: 10.0, share: 0.1, is_over: false };
    seen.jobs.rows.insert("a".into(), doing);
    let left = standing(&guessed(&works), &seen).left;
    assert!((left - 90.0).abs() < 6.0, "{left}");
}

#[test]
fn a_stage_that_took_twice_as_long_says_how_fast_the_machine_is() {
    let works = [stage("derive", 50.0), stage("check", 50.0), stage("seal", 1.0)];
    let mut seen = Seen { elapsed: 100.0, ..Seen::default() };
    seen.over.insert("derive".into(), 100.0);
    let left = standing(&guessed(&works), &seen).left;
    // No amount of data makes the seal longer.
    assert!((left - 101.0).abs() < 3.0, "{left}");
    seen.running.insert("check".into(), 60.0);
    assert!((expected_of(&guessed(&works), &seen, "check").unwrap() - 100.0).abs() < 3.0);
}

#[test]
fn what_a_former_night_says_is_believed_longer_than_a_ratio() {
    let works = [load(&[("a", 100.0, 100.0)])];
    let left = |is_known, moment: f64| {
        let foretold = Foretold { works: works.to_vec(), is_known };
        standing(&foretold, &seen_at(&works, 2.0, 400.0 * moment)).left
    };
    // It goes half as fast as it was expected to: 400 seconds in all.
    let off = |is_known, moment| (left(is_known, moment) - 400.0 * (1.0 - moment)).abs();
    assert!(off(false, 0.25) < 20.0, "{}", off(false, 0.25));
    assert!((30.0..80.0).contains(&off(true, 0.25)), "{}", off(true, 0.25));
    assert!((30.0..60.0).contains(&off(true, 0.5)), "{}", off(true, 0.5));
    assert!(off(true, 0.9) < 35.0, "{}", off(true, 0.9));
}

#[test]
fn a_deadline_is_said_once_and_again_when_it_is_missed_by_twice_as_much() {
    let at = |elapsed, left| Standing { elapsed, left };
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

// One draw in a thousand or so is off by more, where the rows that tell the speed take a second of a
// night of minutes: the seed is fixed, so that a change of the code decides and not the draw.
proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(14), ..ProptestConfig::default() })]

    /// A machine that is slower or faster tonight, by whatever factor: after the first tenth the
    /// time left is right within a fifth of itself, or within two hundredths of the night.
    #[test]
    fn the_time_left_is_right_within_a_fifth_after_the_first_tenth(
        rows in prop::collection::vec(1.0..1000.0_f64, 3),
        keys in prop::collection::vec(0.0..300.0_f64, 3),
        others in prop::collection::vec(1.0..300.0_f64, 2),
        factor in 0.3..4.0_f64,
        moment in 0.1..0.99_f64,
    ) {
        let names = ["a", "b", "c"].into_iter();
        let sources: Vec<_> = names.zip(rows).zip(keys).map(|((n, r), k)| (n, r, k)).collect();
        let works = [load(&sources), stage("derive", others[0]), stage("check", others[1])];
        let whole = factor * works.iter().map(|work| work.seconds).sum::<f64>();
        let elapsed = whole * moment;
        // The rows are what the speed is told by.
        prop_assume!(elapsed > factor * 0.05 * works[0].seconds);
        let left = standing(&guessed(&works), &seen_at(&works, factor, elapsed)).left;
        let truth = whole - elapsed;
        let allowed = (0.2 * truth).max(0.02 * whole);
        prop_assert!((left - truth).abs() <= allowed, "{left} for {truth} of {whole}");
    }

    /// Whatever is seen, the time left is a number, and not below nothing.
    #[test]
    fn the_time_left_is_always_a_number(
        seconds in prop::collection::vec(0.0..1e6_f64, 0..5),
        elapsed in 0.0..1e7_f64,
        share in -1.0..2.0_f64,
        is_over: bool,
    ) {
        let stages = ["pre-data", LOAD, INDEX, "derive", "seal"];
        let work = |(name, seconds): (&&str, &f64)| match *name {
            LOAD => load(&[("a", *seconds, *seconds), ("b", 0.0, 0.0)]),
            name => stage(name, *seconds),
        };
        let works: Vec<Work> = stages.iter().zip(&seconds).map(work).collect();
        let mut seen = Seen { elapsed, ..Seen::default() };
        seen.running.insert("derive".into(), elapsed);
        let doing = Doing { seconds: elapsed, share, is_over };
        seen.jobs.rows = BTreeMap::from([("a".into(), doing), ("b".into(), doing)]);
        seen.jobs.after = BTreeMap::from([("a".into(), doing)]);
        let left = standing(&guessed(&works), &seen).left;
        prop_assert!(left.is_finite() && left >= 0.0, "{left}");
        for stage in stages {
            let own = expected_of(&guessed(&works), &seen, stage);
            prop_assert!(own.is_none_or(|own| own.is_finite() && own >= 0.0), "{own:?}");
        }
    }
}
