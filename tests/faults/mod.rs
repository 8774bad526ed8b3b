//! Killed anywhere (P1, P5, P6): every failpoint × every way to die. Live keeps its content and
//! its object id, or is exactly the new build from COMMIT on; the next plain night goes well and
//! leaves only live and previous.

mod signals;
mod table;

use std::time::Duration;

use kiln::testing::config::failpoint;
use kiln::testing::dev::synth::Release;

use crate::support::{Outcome, World, wait_until};
use table::Cell;

/// The promise for a signal: ten seconds from it to the end.
const SIGNAL_BOUND: Duration = Duration::from_secs(10);

/// A way to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The stage returns an error.
    Error,
    /// The stage panics.
    Panic,
    /// SIGTERM.
    Term,
    /// SIGKILL.
    Kill,
    /// Postgres crashes and comes back while kiln stands at the point.
    Crash,
}

impl How {
    /// In the order of the table's columns.
    pub const ALL: [How; 5] = [How::Error, How::Panic, How::Term, How::Kill, How::Crash];

    /// The column's name.
    pub fn name(self) -> &'static str {
        match self {
            How::Error => "error",
            How::Panic => "panic",
            How::Term => "SIGTERM",
            How::Kill => "SIGKILL",
            How::Crash => "Postgres crash",
        }
    }
}

#[test]
fn an_error_at_any_point_leaves_live_as_it_was() {
    every_point(How::Error);
}

#[test]
fn a_panic_at_any_point_leaves_live_as_it_was() {
    every_point(How::Panic);
}

#[test]
fn sigterm_at_any_point_leaves_live_as_it_was_and_nothing_behind() {
    every_point(How::Term);
}

#[test]
fn sigkill_at_any_point_leaves_live_as_it_was() {
    every_point(How::Kill);
}

#[test]
fn a_crash_of_postgres_at_any_point_leaves_live_as_it_was() {
    every_point(How::Crash);
}

/// From COMMIT on the new build is live.
fn is_swapped_at(point: &str) -> bool {
    [failpoint::SWAPPED, failpoint::PRUNE].contains(&point)
}

fn every_point(how: How) {
    let mut world = World::ready();
    // Live and previous, so that the night under attack has something to prune.
    world.night();
    world.night();
    let mut seed = 10;
    let mut cells = Vec::new();
    for point in failpoint::ALL {
        seed += 1;
        world.land(&Release::small(seed));
        cells.push((point, attack(&mut world, point, how)));
    }
    table::publish(how, &cells);
}

/// One cell of the matrix: a night that dies, and the night after it.
fn attack(world: &mut World, point: &str, how: How) -> Cell {
    let place = format!("{} at {point}", how.name());
    let (before, databases) = (world.live().unwrap(), world.databases());
    let outcome = die(world, point, how);
    proves_the_point_was_hit(&outcome, point, how);

    let after = world.live().unwrap();
    let swapped = after.0 != before.0;
    assert_eq!(swapped, is_swapped_at(point), "{place}: {:?}\n{outcome}", world.states());
    if swapped {
        assert_ne!(after.1, before.1, "{place}: live is not the new release\n{outcome}");
        assert!(!outcome.stderr.contains("as it was"), "{place}: untrue\n{outcome}");
    } else {
        assert_eq!(after, before, "{place}: live has changed\n{outcome}");
    }
    let states = world.states();
    if how == How::Term {
        leaves_nothing(world, &databases, swapped, &outcome);
    }
    let state = format!("{} live, {} left", if swapped { "new" } else { "old" }, left(&states));

    let next = world.night();
    let now = world.live().unwrap();
    assert_ne!(now.0, after.0, "{place}, then a night: {next}");
    if swapped {
        assert_eq!(now.1, after.1, "{place}: what was live had not the whole release");
    }
    let states = world.states();
    let is = |state: &str| states.iter().filter(|said| said.ends_with(state)).count();
    assert_eq!((states.len(), is(" live"), is(" previous")), (2, 1, 1), "{place}: {states:?}");
    Cell { code: outcome.code, took: outcome.took, state }
}

/// Databases beside live and previous.
fn left(states: &[String]) -> usize {
    states.iter().filter(|said| !said.ends_with(" live") && !said.ends_with(" previous")).count()
}

/// A night that dies at the point.
fn die(world: &mut World, point: &str, how: How) -> Outcome {
    let action = match how {
        How::Error => "error",
        How::Panic => "panic",
        How::Term => "term",
        How::Kill => "kill",
        How::Crash => {
            let (running, file) = world.paused(&["run", "druginfo"], point);
            world.postgres.crash();
            world.postgres.restart();
            std::fs::remove_file(file).unwrap();
            return running.wait();
        }
    };
    world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", &format!("{point}={action}")).run()
}

/// A failpoint that is never met would make its whole row true: the exit code tells.
fn proves_the_point_was_hit(outcome: &Outcome, point: &str, how: How) {
    match how {
        How::Error => {
            assert!(outcome.code > 0, "{outcome}");
            outcome.says(&[&format!("failpoint {point}")]);
        }
        How::Panic => {
            assert_eq!(outcome.code, 1, "{outcome}");
            outcome.says(&[&format!("failpoint {point}"), "kiln panicked; this is a bug"]);
        }
        How::Term => {
            assert_eq!(outcome.code, 143, "{point}: {outcome}");
            assert!(outcome.took < SIGNAL_BOUND + Duration::from_secs(5), "{point}: {outcome}");
        }
        How::Kill => assert_eq!(outcome.code, -9, "{point}: {outcome}"),
        How::Crash => assert_eq!(outcome.code, 12, "{point}: {outcome}"),
    }
}

/// After SIGTERM the server is as it was; only a build that is sealed may be new, and only what
/// the swap made superfluous may be left.
fn leaves_nothing(world: &World, before: &[String], swapped: bool, outcome: &Outcome) {
    let states = world.states();
    for said in &states {
        let (name, state) = said.split_once(' ').unwrap();
        let known = before.iter().any(|database| database == name);
        let allowed = known || state == "sealed" || (swapped && state == "previous");
        assert!(allowed, "{said} is left: {states:?}, before {before:?}\n{outcome}");
    }
    wait_until("kiln's sessions are gone", || world.sessions().is_empty());
}
