//! Postgres crashes around the swap (P4, M2): the names and tags are all old or all new.

use std::time::{Duration, Instant};

use kiln::synth::Release;

use crate::support::World;

const CRASHES: u32 = 12;

/// Waits a moment that nobody chose.
fn some_moment(most: Duration) -> Duration {
    use std::hash::{BuildHasher as _, Hasher as _};
    let chance = std::hash::RandomState::new().build_hasher().finish();
    let moment = most.mul_f64((chance % 10_000) as f64 / 10_000.0);
    let began = Instant::now();
    while began.elapsed() < moment {
        std::thread::sleep(Duration::from_micros(200));
    }
    moment
}

#[test]
fn twelve_crashes_at_random_moments_end_old_or_new_and_never_between() {
    let mut world = World::ready();
    world.night();
    world.land(&Release::small(2));
    world.night();
    let (mut old, mut new) = (0, 0);
    for crash in 0..CRASHES {
        let before = world.live().unwrap();
        // Half of them anywhere in the command, half of them as close to COMMIT as can be.
        let running = if crash % 2 == 0 {
            let took = world.kiln(&["rollback", "druginfo", "--dry-run"]).succeeds().took;
            let running = world.kiln(&["rollback", "druginfo"]).start();
            some_moment(took.mul_f64(1.3));
            running
        } else {
            let (running, file) = world.paused(&["rollback", "druginfo"], "renamed");
            std::fs::remove_file(file).unwrap();
            some_moment(Duration::from_millis(10));
            running
        };
        world.postgres.crash();
        world.postgres.restart();
        let outcome = running.wait();

        let after = world.live().unwrap();
        let swapped = after.0 != before.0;
        *(if swapped { &mut new } else { &mut old }) += 1;
        assert!(outcome.code != 0 || swapped, "it says done and is not: {outcome}");
        assert_eq!(swapped, after.1 != before.1, "the name and the content belong together");
        let states = world.states();
        let [live, previous] = states.as_slice() else { panic!("{states:?}\n{outcome}") };
        assert_eq!(live, "druginfo live", "{outcome}");
        assert!(previous.ends_with(" previous"), "{states:?}\n{outcome}");
        // The tag's own name, the stamp's and the other database's name fit together.
        let tagged = "select shobj_description(oid, 'pg_database')::json->>'build'
                      from pg_database where datname = 'druginfo'";
        let stamped = world.postgres.value("druginfo", "select build from kiln.stamp");
        assert_eq!(world.postgres.value("postgres", tagged), stamped);
        assert_ne!(previous, &format!("{stamped} previous"));
    }
    eprintln!("{CRASHES} crashes: {old} times all old, {new} times all new");
    let before = world.live();
    world.kiln(&["rollback", "druginfo"]).succeeds();
    assert_ne!(world.live(), before);
}
