//! Workers that are killed, stopped or cut off: nothing is lost, nothing is done twice.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::{begin, digests, tasks};
use crate::support::World;

#[test]
fn the_task_of_a_killed_worker_is_taken_by_another_at_once() {
    let world = World::ready();
    world.night();
    let whole = digests(&world, "druginfo");
    for point in ["copy", "copy-finish", "source"] {
        let build = begin(&world);
        let (worker, _file) = world.paused(&["work", &build], point);
        worker.signal(Signal::SIGKILL);
        worker.wait();
        let since = Instant::now();
        world.kiln(&["work", &build]).succeeds();
        assert!(since.elapsed() < Duration::from_secs(15), "{point}: {:?}", since.elapsed());
        world.kiln(&["finish", &build]).succeeds();
        world.kiln(&["swap", "druginfo"]).succeeds();
        assert_eq!(digests(&world, "druginfo"), whole, "{point}");
    }
}

#[test]
fn a_worker_that_is_asked_to_end_gives_its_task_back_and_drops_nothing() {
    let world = World::ready();
    let build = begin(&world);
    let (worker, file) = world.paused(&["work", &build], "copy");
    worker.signal(Signal::SIGTERM);
    std::fs::remove_file(file).unwrap();
    assert_eq!(worker.wait().code, 143);
    assert_eq!(tasks(&world, &build, "running"), [] as [&str; 0]);
    assert!(world.states().contains(&format!("{build} building")), "{:?}", world.states());
    world.kiln(&["work", &build]).succeeds();
    world.kiln(&["finish", &build]).succeeds();
}

#[test]
fn a_crash_of_postgres_in_the_middle_costs_what_was_not_committed() {
    let mut world = World::ready();
    let build = begin(&world);
    world.kiln(&["work", &build, "--task", "rows:pricing"]).succeeds();
    let (worker, file) = world.paused(&["work", &build], "copy");
    world.postgres.crash();
    std::fs::remove_file(file).unwrap();
    assert_eq!(worker.wait().code, 12);
    world.postgres.restart();
    assert!(tasks(&world, &build, "done").contains(&"rows:pricing".to_owned()));
    // A task that failed because the server was away is done again without a person.
    world.kiln(&["work", &build]).succeeds();
    world.kiln(&["finish", &build]).succeeds();
    world.kiln(&["swap", "druginfo"]).succeeds();
    world.kiln(&["verify", "druginfo"]).succeeds();
}
