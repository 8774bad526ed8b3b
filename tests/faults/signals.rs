//! Signals from outside (P6): SIGINT as SIGTERM, a second one ends at once, and nothing that kiln
//! waits for keeps it longer than ten seconds.

use std::time::Instant;

use kiln::testing::config::failpoint;
use nix::sys::signal::Signal;

use super::SIGNAL_BOUND;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Outcome, Running, World, wait_until};

/// Signals the run, waits for its end, and checks the promise.
fn ends_in_time(world: &World, running: Running, signal: Signal, code: i32) -> Outcome {
    let signalled = Instant::now();
    running.signal(signal);
    let outcome = running.wait();
    let took = signalled.elapsed();
    eprintln!("{signal}: ended after {:.1} s", took.as_secs_f64());
    assert_eq!(outcome.code, code, "{outcome}");
    assert!(took < SIGNAL_BOUND, "{took:?}: {outcome}");
    wait_until("kiln's sessions are gone", || world.sessions().is_empty());
    outcome
}

#[test]
fn sigint_ends_with_130_and_leaves_nothing() {
    let world = World::ready();
    world.night();
    let (live, databases) = (world.live(), world.databases());
    for point in [failpoint::LOCKED, failpoint::COPY, failpoint::FREEZE, failpoint::GATE] {
        let heard = || world.log().matches(r#""message":"stopping""#).count();
        let before = heard();
        let (running, file) = world.paused(&["run", "druginfo"], point);
        running.signal(Signal::SIGINT);
        wait_until("the signal is heard", || heard() > before);
        std::fs::remove_file(file).unwrap();
        let outcome = running.wait();
        assert_eq!(outcome.code, 130, "{point}: {outcome}");
        outcome.says(&["druginfo is as it was", "stopped by a signal"]);
        assert_eq!(world.live(), live, "{point}");
        let unsealed: Vec<_> = world
            .states()
            .into_iter()
            .filter(|said| !said.ends_with(" sealed"))
            .map(|said| said.split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(unsealed, databases, "{point}");
        wait_until("kiln's sessions are gone", || world.sessions().is_empty());
    }
    let history = "select exit_code::text from kiln.run order by started_at desc limit 1";
    assert_eq!(world.postgres.value("kiln", history), "130");
}

#[test]
fn a_second_signal_ends_at_once_and_the_next_night_clears_up() {
    let world = World::ready();
    world.night();
    let live = world.live();
    for point in [failpoint::COPY, failpoint::RENAMED] {
        // The pause file stays: by itself this run would stand here for ever.
        let (running, _file) = world.paused(&["run", "druginfo"], point);
        running.signal(Signal::SIGTERM);
        let second = Instant::now();
        running.signal(Signal::SIGINT);
        let outcome = running.wait();
        assert!([130, 143].contains(&outcome.code), "{outcome}");
        assert!(second.elapsed().as_secs() < 3, "{:?}: {outcome}", second.elapsed());
        assert_eq!(world.live(), live);
    }
    world.night();
    assert_ne!(world.live(), live);
    assert_eq!(world.databases().len(), 2, "{:?}", world.states());
}

#[test]
fn sigterm_during_a_stalled_read_ends_in_time() {
    let mut world = World::ready();
    world.night();
    let (live, databases) = (world.live(), world.databases());
    let upstream = world.s3_url.trim_start_matches("http://").to_owned();
    let proxy = Proxy::start(&world.runtime, &upstream);
    proxy.always(Fault::StallAfter(2000));
    world.s3_url = format!("http://{}", proxy.address);
    let running = world.kiln(&["run", "druginfo"]).start();
    wait_until("something is read", || {
        proxy.bytes.load(std::sync::atomic::Ordering::SeqCst) >= 2000
    });
    ends_in_time(&world, running, Signal::SIGTERM, 143);
    assert_eq!((world.live(), world.databases()), (live, databases));
}

#[test]
fn sigterm_while_an_index_waits_cancels_it_on_the_server() {
    let world = World::ready();
    world.night();
    let (live, databases) = (world.live(), world.databases());
    let (running, file) = world.paused(&["run", "druginfo"], failpoint::MANIFEST);
    let build = world.newest_build();
    // Reading is allowed, an index is not, and COPY is: share update exclusive.
    let url = world.postgres.url_as("loader", &build);
    let blocker = world.runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "begin; set local role kiln_owner;
                   lock table plan_information in share update exclusive mode";
        client.batch_execute(sql).await.unwrap();
        client
    });
    std::fs::remove_file(file).unwrap();
    wait_until("an index waits", || {
        let sql = "select pid::text from pg_stat_activity
                   where application_name like 'kiln %' and wait_event_type = 'Lock'";
        !world.postgres.rows("postgres", sql).is_empty()
    });
    ends_in_time(&world, running, Signal::SIGTERM, 143);
    drop(blocker);
    assert_eq!((world.live(), world.databases()), (live, databases));
}
