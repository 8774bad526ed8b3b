//! A session that kiln may not end (P19): past the deadline nothing has changed, the message
//! names who is in the way, and new readers are never held up for long. And an answer to COMMIT
//! that never comes (P7).

use std::time::{Duration, Instant};

use tokio_postgres::NoTls;

use super::{end_lock_session, names_and_live, ready_to_swap, session};
use crate::support::wait_until;

/// An attempt lasts 0.9 s; the rest is for a busy machine.
const STALL_BOUND: Duration = Duration::from_secs(3);

#[test]
fn a_superusers_session_in_live_is_named_and_nothing_changes() {
    let world = ready_to_swap();
    let parked = session(&world, "kiln", "druginfo");
    let pid: i32 = world.runtime.block_on(async {
        parked.batch_execute("set application_name = 'a parked dba'").await.unwrap();
        parked.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0)
    });
    let before = names_and_live(&world);
    let reader = session(&world, "app", "druginfo");
    let mut swap = world.kiln(&["swap", "druginfo"]).env("KILN_SWAP_DEADLINE", "2").start();

    // Newcomers, one after the other, for as long as the swap tries.
    let url = world.postgres.url_as("app", "druginfo");
    let (mut longest, mut newcomers) = (Duration::ZERO, 0);
    while swap.child.try_wait().unwrap().is_none() {
        let began = Instant::now();
        let answered = world.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            tokio::spawn(connection);
            client.query_one("select build from kiln.stamp", &[]).await
        });
        longest = longest.max(began.elapsed());
        newcomers += usize::from(answered.is_ok());
        std::thread::sleep(Duration::from_millis(5));
    }
    let outcome = swap.wait();
    eprintln!("{newcomers} newcomers during the attempts, longest wait {longest:?}");
    assert_eq!(outcome.code, 15, "{outcome}");
    outcome.says(&[
        "druginfo was not swapped within 2 s",
        &format!("backend {pid} (role kiln, application \"a parked dba\""),
        "no session was ended for it",
        &format!(
            "hint: as a superuser: select pg_terminate_backend({pid}); then: kiln swap druginfo"
        ),
    ]);
    assert!(!outcome.stderr.contains("pg_signal_backend"), "it would not help: {outcome}");
    world.runtime.block_on(reader.batch_execute("select 1")).unwrap();
    assert!(newcomers > 0, "no reader got through at all");
    assert!(longest < STALL_BOUND, "a newcomer waited {longest:?}");
    assert_eq!(names_and_live(&world), before);

    drop(parked);
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_ne!(world.live(), before.0);
}

#[test]
fn readers_that_kiln_may_end_do_not_keep_the_swap() {
    let world = ready_to_swap();
    let before = world.live();
    // A long SELECT and an open transaction, in the live and in the new one.
    let reader = session(&world, "app", "druginfo");
    let slow =
        world.runtime.spawn(async move { reader.batch_execute("select pg_sleep(600)").await });
    let idle = session(&world, "loader", &world.newest_build());
    world.runtime.block_on(idle.batch_execute("begin; select 1")).unwrap();
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_ne!(world.live(), before);
    let ended = world.runtime.block_on(slow).unwrap().unwrap_err();
    assert_eq!(ended.code().map(|code| code.code()), Some("57P01"), "{ended}");
}

#[test]
fn a_lock_session_ended_before_commit_fences_the_swap_off() {
    let world = ready_to_swap();
    let before = names_and_live(&world);
    for point in ["gate", "renamed"] {
        let (swap, file) = world.paused(&["swap", "druginfo"], point);
        end_lock_session(&world);
        std::fs::remove_file(file).unwrap();
        let outcome = swap.wait();
        assert_eq!(outcome.code, 12, "{point}: {outcome}");
        assert_eq!(names_and_live(&world), before, "{point}");
    }
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_ne!(world.live(), before.0);
}

#[test]
fn sigterm_before_commit_leaves_everything_as_it_was() {
    let world = ready_to_swap();
    let before = names_and_live(&world);
    for point in ["gate", "renamed"] {
        let action = format!("{point}=term");
        world.kiln(&["swap", "druginfo"]).env("KILN_FAILPOINT", &action).exits(143);
        assert_eq!(names_and_live(&world), before, "{point}");
        wait_until("kiln's sessions are gone", || world.sessions().is_empty());
    }
    world.kiln(&["swap", "druginfo"]).succeeds();
}
