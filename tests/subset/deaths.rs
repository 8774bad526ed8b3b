//! Killed anywhere: the live build is untouched, nothing is left that the next run does not clear,
//! and no half file bears the name.

use std::path::Path;

use kiln::testing::config::failpoint;

use super::{subset, whole};
use crate::support::{World, wait_until};

/// The points that a subset meets, in their order.
const POINTS: [&str; 12] = [
    failpoint::LOCKED,
    failpoint::CREATED,
    failpoint::PRE_DATA,
    failpoint::MANIFEST,
    failpoint::COPY,
    failpoint::COPY_FINISH,
    failpoint::SOURCE,
    failpoint::POST_DATA,
    failpoint::FREEZE,
    failpoint::CHECK,
    failpoint::SEAL,
    failpoint::EXPORT,
];

fn die(world: &World, point: &str, action: &str, file: &Path) -> i32 {
    let words = ["subset", "druginfo", "--percent", "20", "--to", &file.to_string_lossy()];
    let mut kiln = world.kiln(&words);
    let outcome = kiln.env("KILN_FAILPOINT", &format!("{point}={action}")).run();
    assert_ne!(outcome.code, 0, "{point} was not met: {outcome}");
    outcome.code
}

fn unsealed(world: &World) -> Vec<String> {
    let states = world.states().into_iter();
    states.filter(|said| !said.ends_with(" live") && !said.ends_with(" sealed")).collect()
}

#[test]
fn stopped_or_failed_at_any_point_it_leaves_nothing() {
    let world = whole();
    let live = world.live();
    let file = world.folder.path().join("part.sql.gz");
    for point in POINTS {
        // An error at the seal is one of the server's: whether it was committed is asked then.
        let failed = if point == failpoint::SEAL { 12 } else { 1 };
        for (action, code) in [("error", failed), ("term", 143)] {
            assert_eq!(die(&world, point, action, &file), code, "{action} at {point}");
            assert_eq!(world.live(), live, "{action} at {point}");
            assert_eq!(unsealed(&world), Vec::<String>::new(), "{action} at {point}");
            assert!(!file.exists(), "{action} at {point}");
            wait_until("kiln's sessions are gone", || world.sessions().is_empty());
        }
    }
}

#[test]
fn killed_at_any_point_it_leaves_what_the_next_subset_clears() {
    let world = whole();
    let live = world.live();
    let file = world.folder.path().join("part.sql.gz");
    for point in POINTS {
        assert_eq!(die(&world, point, "kill", &file), -9, "{point}");
        wait_until("kiln's sessions are gone", || world.sessions().is_empty());
        assert_eq!(world.live(), live, "{point}");
        assert!(!file.exists(), "{point}");
        // Each run has cleared what the one before it left.
        let made = ![failpoint::LOCKED, failpoint::EXPORT].contains(&point);
        assert_eq!(unsealed(&world).len(), usize::from(made), "{point}: {:?}", world.states());
        let said = world.kiln(&["status"]).succeeds();
        assert!(!said.stdout.contains("kiln resume"), "a subset is not gone on with: {said}");
    }
    die(&world, failpoint::COPY, "kill", &file);
    wait_until("kiln's sessions are gone", || world.sessions().is_empty());
    let left = unsealed(&world).pop().unwrap().split(' ').next().unwrap().to_owned();
    world.kiln(&["resume", &left]).exits(2).says(&["a subset that was not finished"]);
    subset(&world, &["--percent", "20"]);
    assert_eq!(unsealed(&world), Vec::<String>::new());
    assert_eq!(world.live(), live);
}

#[test]
fn a_failed_night_that_waits_for_an_engineer_is_not_swept_away_by_a_subset() {
    let world = whole();
    assert_ne!(world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", "check=error").run().code, 0);
    let failed = world.databases().pop().unwrap();
    subset(&world, &["--percent", "20"]);
    assert!(world.databases().contains(&failed), "{:?}", world.states());
    world.kiln(&["resume", &failed]).succeeds();
}

#[test]
fn a_restore_that_dies_leaves_nothing_or_what_the_next_one_clears() {
    let world = whole();
    let file = world.folder.path().join("part.sql.gz");
    let file = file.to_string_lossy().into_owned();
    subset(&world, &["--percent", "20", "--to", &file]);
    let laptop = World::new();
    for point in ["created", "manifest", "copy", "source", "freeze", "check", "seal"] {
        for action in ["error", "term"] {
            let mut kiln = laptop.kiln(&["restore", &file]);
            let outcome = kiln.env("KILN_FAILPOINT", &format!("{point}={action}")).run();
            assert_ne!(outcome.code, 0, "{point} was not met: {outcome}");
            // What a signal at the seal finds committed stays sealed.
            let left = laptop.databases().len();
            let sealed = usize::from(point == "seal" && action == "term");
            assert_eq!(left, sealed, "{:?} {outcome}", laptop.states());
        }
        let mut kiln = laptop.kiln(&["restore", &file]);
        let outcome = kiln.env("KILN_FAILPOINT", &format!("{point}=kill")).run();
        assert_eq!(outcome.code, -9, "{outcome}");
        wait_until("kiln's sessions are gone", || laptop.sessions().is_empty());
        laptop.kiln(&["prune", "druginfo"]).succeeds();
        assert_eq!(unsealed(&laptop), Vec::<String>::new(), "{point}");
    }
    laptop.kiln(&["restore", &file]).succeeds();
    assert_eq!(laptop.databases(), ["druginfo"]);
}
