//! One run a database at a time (P21), and a holder that lost its lock cannot swap.

use std::time::Duration;

use kiln::testing::dev::synth::Release;
use nix::sys::signal::Signal;

use super::end_lock_session;
use crate::support::World;

/// One second is promised; the rest is for a machine that is busy with the other run.
const REFUSAL_BOUND: Duration = Duration::from_secs(4);

#[test]
fn of_two_runs_at_once_one_builds_and_the_other_says_who_holds_the_lock() {
    let world = World::ready();
    let host = nix::unistd::gethostname().unwrap().to_string_lossy().into_owned();
    for _ in 0..5 {
        let builds = "select count(*)::text from kiln.audit where action = 'swap'";
        let before: u32 = world.postgres.value("kiln", builds).parse().unwrap();
        let (one, two) = (world.kiln(&["run", "druginfo"]), world.kiln(&["run", "druginfo"]));
        let (one, two) = (one.start(), two.start());
        let pids = [one.child.id(), two.child.id()];
        let (one, two) = std::thread::scope(|scope| {
            let (one, two) = (scope.spawn(|| one.wait()), scope.spawn(|| two.wait()));
            (one.join().unwrap(), two.join().unwrap())
        });
        let (winner, loser) = if one.code == 0 { (pids[0], &two) } else { (pids[1], &one) };
        assert_eq!(one.code + two.code, 75, "one 0 and one 75:\n{one}\n{two}");
        let run = format!(
            "select run from kiln.run where pid = {winner} order by started_at desc limit 1"
        );
        loser.says(&[
            "druginfo is as it was: druginfo is locked by run",
            &world.postgres.value("kiln", &run),
            &format!("process {winner} of "),
            &format!(" on {host}, since "),
            "hint: wait for it",
        ]);
        eprintln!("refused after {:?}", loser.took);
        assert!(loser.took < REFUSAL_BOUND, "{loser}");
        let after: u32 = world.postgres.value("kiln", builds).parse().unwrap();
        assert_eq!(after, before + 1);
    }
    assert_eq!(world.databases().len(), 2, "{:?}", world.states());
}

#[test]
fn commands_that_meet_an_empty_server_at_once_make_the_database_kiln_together() {
    let world = World::new();
    let apps = ["a", "b", "c", "d", "e", "f"];
    let running = apps.map(|app| {
        let accepts = ["contract", "set", "druginfo", "--app", app, "--accepts", "1"];
        world.kiln(&accepts).start()
    });
    for one in running {
        let outcome = one.wait();
        assert_eq!(outcome.code, 0, "{outcome}");
    }
    let said = "select string_agg(app, '' order by app) from kiln.contract";
    assert_eq!(world.postgres.value("kiln", said), "abcdef");
}

#[test]
fn the_run_after_a_killed_holder_starts_at_once() {
    let world = World::ready();
    world.night();
    let before = world.live();
    let (holder, _file) = world.paused(&["run", "druginfo"], "copy");
    world.kiln(&["run", "druginfo"]).exits(75).says(&["locked by run"]);
    assert_eq!(world.live(), before);
    holder.signal(Signal::SIGKILL);
    assert_eq!(holder.wait().code, -9);
    world.night();
    assert_ne!(world.live(), before);
    assert_eq!(world.databases().len(), 2, "{:?}", world.states());
    let killed = "select count(*)::text from kiln.run where error = 'killed'";
    assert_eq!(world.postgres.value("kiln", killed), "1");
}

#[test]
fn a_stopped_holder_that_lost_its_lock_cannot_disturb_the_run_after_it() {
    let world = World::ready();
    world.night();
    for (point, seed) in [("copy", 2), ("sealed", 3), ("gate", 4)] {
        let (first, file) = world.paused(&["run", "druginfo"], point);
        first.signal(Signal::SIGSTOP);
        end_lock_session(&world);
        world.land(&Release::small(seed));
        world.night();
        let second = (world.live(), world.states());
        std::fs::remove_file(file).unwrap();
        first.signal(Signal::SIGCONT);
        let outcome = first.wait();
        assert!(outcome.code > 0, "{point}: {outcome}");
        assert_eq!((world.live(), world.states()), second, "{point}: {outcome}");
    }
}
