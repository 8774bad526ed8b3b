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

#[test]
fn a_finish_that_is_stopped_keeps_what_workers_have_done() {
    let world = World::ready();
    let build = begin(&world);
    world.kiln(&["work", &build]).succeeds();
    let (finish, file) = world.paused(&["finish", &build], "check");
    finish.signal(Signal::SIGTERM);
    std::fs::remove_file(file).unwrap();
    assert_eq!(finish.wait().code, 143);
    assert!(world.states().contains(&format!("{build} building")), "{:?}", world.states());
    let done = tasks(&world, &build, "done");
    assert!(done.iter().any(|name| name == "rows:pricing"), "{done:?}");
    world.kiln(&["finish", &build]).succeeds();
    world.kiln(&["swap", "druginfo"]).succeeds();
}

#[test]
fn what_a_late_one_has_undone_is_not_sealed() {
    let world = World::ready();
    let build = begin(&world);
    let (finish, file) = world.paused(&["finish", &build], "check");
    let undo = "update kiln.task set state = 'failed' where name = 'analyze:pricing'";
    world.postgres.execute(&build, undo);
    std::fs::remove_file(file).unwrap();
    let finish = finish.wait();
    assert_eq!(finish.code, 75, "{finish}");
    finish.says(&["not sealed", "task analyze:pricing is not done", "kiln resume"]);
    world.kiln(&["swap", "druginfo", &build]).exits(13);
    world.kiln(&["finish", &build]).succeeds();
    world.kiln(&["swap", "druginfo"]).succeeds();
}

#[test]
fn a_begin_that_is_killed_leaves_a_leftover() {
    let world = World::ready();
    for point in ["created", "pre-data", "manifest"] {
        let mut killed = world.kiln(&["begin", "druginfo", "--full-refresh"]);
        assert_eq!(killed.env("KILN_FAILPOINT", &format!("{point}=kill")).run().code, -9);
        let build = world.newest_build();
        world.kiln(&["work", &build]).exits(2);
        let next = begin(&world);
        let left = format!("{build} building");
        assert!(!world.states().contains(&left), "{point}: {:?}", world.states());
        world.kiln(&["abandon", &next]).succeeds();
    }
}

#[test]
fn a_worker_whose_share_of_the_lock_is_ended_ends() {
    let world = World::ready();
    let build = begin(&world);
    world.postgres.with(&build, async |client| {
        client.batch_execute("begin; lock table pricing").await.unwrap();
        let worker = world.kiln(&["work", &build]).start();
        let share = "select pg_terminate_backend(pid) from pg_stat_activity
                     where application_name like 'kiln % work druginfo'";
        let began = Instant::now();
        while client.query(share, &[]).await.unwrap().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(30), "no worker took its share");
            // A transaction sees the sessions as they were when it first looked.
            client.batch_execute("select pg_stat_clear_snapshot()").await.unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(worker.wait().code, 12);
        client.batch_execute("rollback").await.unwrap();
    });
    world.kiln(&["work", &build]).succeeds();
    world.kiln(&["finish", &build]).succeeds();
}
