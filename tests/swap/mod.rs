//! The swap: one moment, one gate, one run at a time (P4, P7, P17–P21).

mod blocked;
mod crashes;
mod gate;
mod lost_answer;
mod readers;
mod together;
mod two_runs;

use kiln::testing::dev::synth::Release;
use tokio_postgres::{Client, NoTls};

use crate::support::World;

/// A world with a live build and a newer sealed one, of another release.
fn ready_to_swap() -> World {
    let world = World::ready();
    world.night();
    world.land(&Release::small(2));
    world.kiln(&["build", "druginfo"]).succeeds();
    world
}

/// What must not change when a swap is refused: what is live, and every name and state.
fn names_and_live(world: &World) -> (Option<(u32, String)>, Vec<String>) {
    (world.live(), world.states())
}

/// A session of a test's own that stays.
fn session(world: &World, role: &str, database: &str) -> Client {
    let url = world.postgres.url_as(role, database);
    world.runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    })
}

/// Ends the session that holds a run's lock, as a superuser may.
fn end_lock_session(world: &World) {
    let sql = "select pg_terminate_backend(pid)::text from pg_stat_activity
               where application_name like 'kiln % lock druginfo'";
    assert_eq!(world.postgres.rows("postgres", sql), ["true"]);
    crate::support::wait_until("the lock's session is gone", || {
        let sql = "select pid::text from pg_stat_activity
                   where application_name like 'kiln % lock druginfo'";
        world.postgres.rows("postgres", sql).is_empty()
    });
}
