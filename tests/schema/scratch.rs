//! `--server`: scratch databases on somebody's server, and nothing of them left there.

use std::time::{Duration, Instant};

use kiln::testing::dev::synth::Release;
use nix::sys::signal::Signal;

use crate::support::{Kiln, World};

/// A world of one's own; the machine has no Postgres that could be started in the server's stead.
fn world() -> World {
    let mut world = World::new();
    world.own_root();
    world
}

fn kiln(world: &World, arguments: &[&str]) -> Kiln {
    let mut kiln = world.kiln(arguments);
    kiln.without_env("KILN_POSTGRES_URL").env("KILN_PG_BIN", "/nowhere");
    kiln
}

fn databases(world: &World) -> Vec<String> {
    world.postgres.rows("postgres", "select datname::text from pg_database order by 1")
}

#[test]
fn scratch_databases_are_made_on_the_named_server_and_dropped() {
    let world = world();
    let (before, url) = (databases(&world), world.postgres.url("postgres"));
    let release = Release::small(1);
    let file = world.folder.path().join(release.file_name());
    release.write(std::fs::File::create(&file).unwrap()).unwrap();
    let (file, out) = (file.to_string_lossy(), world.folder.path().join("pages"));
    let out = out.to_string_lossy();
    for command in [
        &["schema", "check", "druginfo"][..],
        &["docs", "druginfo", "--build", "none", "--out", &out],
        &["source", "check", "druginfo", "pricing", &file],
    ] {
        let named = [command, &["--server", &url]].concat();
        kiln(&world, &named).succeeds();
        assert_eq!(databases(&world), before, "{named:?}");
        kiln(&world, command).exits(12).says(&["no initdb and postgres in /nowhere"]);
    }
    // What sections read is learned by event triggers.
    let lock = ["schema", "lock", "druginfo", "--dry-run", "--server"];
    let outcome = kiln(&world, &[&lock[..], &[&url]].concat()).exits(2);
    outcome.says(&["only a superuser may create", "hint: kiln schema lock without --server"]);
    let superuser = world.postgres.url_as("kiln", "postgres");
    kiln(&world, &[&lock[..], &[&superuser]].concat()).succeeds();
    assert_eq!(databases(&world), before);
    // Nor after an error.
    world.edit(
        "sql/druginfo/0001_geographic_locator.sql",
        "county_code     text",
        "county_code  txt",
    );
    let outcome = kiln(&world, &["schema", "check", "--server", &url]).exits(2);
    outcome.says(&["type \"txt\" does not exist"]);
    assert_eq!(databases(&world), before);
}

#[test]
fn a_signal_leaves_no_scratch_database() {
    let world = world();
    let (before, url) = (databases(&world), world.postgres.url("postgres"));
    world.edit(
        "sql/druginfo/0001_geographic_locator.sql",
        "-- pre-data\n",
        "-- pre-data\nselect pg_sleep(600);\n",
    );
    let running = kiln(&world, &["schema", "check", "--server", &url]).start();
    let sleeps = "select count(*)::text from pg_stat_activity
                  where datname like 'kiln_scratch_%' and wait_event = 'PgSleep'";
    let began = Instant::now();
    while world.postgres.value("postgres", sleeps) != "1" {
        assert!(began.elapsed() < Duration::from_secs(60), "no section has begun");
        std::thread::sleep(Duration::from_millis(20));
    }
    running.signal(Signal::SIGTERM);
    let outcome = running.wait();
    assert_eq!(outcome.code, 143, "{outcome}");
    assert_eq!(databases(&world), before);
}

#[test]
fn what_is_no_url_is_not_repeated() {
    let world = world();
    let outcome = kiln(&world, &["schema", "check", "--server", "no:s3cret@url"]).exits(2);
    outcome.says(&["--server is not a Postgres URL", "hint: --server postgresql://"]);
    assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("s3cret"), "{outcome}");
}
