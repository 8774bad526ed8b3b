//! Postgres crashes around the swap (P4, M2): the names and tags are all old or all new.

use std::time::{Duration, Instant};

use kiln::testing::dev::synth::Release;

use crate::support::World;

const CRASHES: u32 = 12;

/// Back from the second build, or forward to it again, which takes a person's word.
fn next(world: &World) -> &'static [&'static str] {
    if world.states()[1].starts_with("druginfo_00001 ") {
        return &["rollback", "druginfo"];
    }
    world.kiln(&["waive", "druginfo", "rejected", "--why", "a test"]).succeeds();
    &["swap", "druginfo"]
}

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
        let command = next(&world);
        // Half of them anywhere in the command, half of them as close to COMMIT as can be.
        let running = if crash % 2 == 0 {
            let took = world.kiln(&[command, &["--dry-run"]].concat()).succeeds().took;
            let running = world.kiln(command).start();
            some_moment(took.mul_f64(1.3));
            running
        } else {
            let (running, file) = world.paused(command, "renamed");
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
        let [live, other] = states.as_slice() else { panic!("{states:?}\n{outcome}") };
        assert_eq!(live, "druginfo live", "{outcome}");
        let known = ["druginfo_00001 previous", "druginfo_00002 retired"];
        assert!(known.contains(&other.as_str()), "{states:?}\n{outcome}");
        // Whether it was rolled away from is committed with the names, or not at all.
        let rejected =
            "select (count(*) filter (where rejected is not null))::text from kiln.promoted";
        let is_rejected = other.ends_with(" retired");
        assert_eq!(world.postgres.value("kiln", rejected) == "1", is_rejected, "{outcome}");
        // The tag's own name, the stamp's and the other database's name fit together.
        let tagged = "select shobj_description(oid, 'pg_database')::json->>'build'
                      from pg_database where datname = 'druginfo'";
        let stamped = world.postgres.value("druginfo", "select build from kiln.stamp");
        assert_eq!(world.postgres.value("postgres", tagged), stamped);
        assert!(!other.starts_with(&stamped), "{states:?}");
    }
    eprintln!("{CRASHES} crashes: {old} times all old, {new} times all new");
    let before = world.live();
    world.kiln(next(&world)).succeeds();
    assert_ne!(world.live(), before);
}
