//! What lies on the server beside live and previous: what somebody else made stays and costs no night,
//! what kiln made goes, and what cannot go is named and waits. And what kiln knows of its builds
//! survives the loss of the database `kiln` and of the comments.

use std::time::{Duration, Instant};

use kiln::testing::catalog::registry::build_name;
use kiln::testing::dev::synth::{Release, Tamper};
use tokio_postgres::{Client, NoTls};

use crate::support::World;

/// A session of somebody's in a database, for as long as it is held.
fn session(world: &World, role: &str, database: &str) -> Client {
    let url = world.postgres.url_as(role, database);
    world.runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    })
}

/// The name that the next build takes.
fn next_name(world: &World) -> String {
    let last = world.postgres.value("kiln", "select last_value::text from kiln.build_number");
    build_name("druginfo", last.parse::<i64>().unwrap() + 1, false)
}

fn exists(world: &World, database: &str) -> bool {
    world.databases().iter().any(|name| name == database)
}

/// A night that fails and leaves its build for an engineer.
fn fail_a_night(world: &World) -> String {
    let change = Tamper::default().lines(|at, line| {
        if at.source == "plan_information" && at.line > 1 {
            line.extend_from_slice(b"|more");
        }
    });
    world.land_with(&Release::small(8), change);
    world.kiln(&["run", "druginfo"]).exits(11);
    let failed = world.states().into_iter().find(|state| state.ends_with(" failed")).unwrap();
    failed.split_once(' ').unwrap().0.to_owned()
}

#[test]
fn a_database_that_somebody_else_made_stays_and_costs_no_night() {
    let world = World::ready();
    world.night();
    for owner in ["loader", "kiln"] {
        let name = next_name(&world);
        world.postgres.execute("postgres", &format!("create database {name} owner {owner}"));
        world.postgres.execute(&name, "create table precious as select 42 as x");
        for _ in 0..2 {
            let before = world.live();
            world.night();
            assert_ne!(world.live(), before);
        }
        assert_eq!(world.postgres.value(&name, "select x::text from precious"), "42");
        let mine = format!("select count(*)::text from kiln.build where name = '{name}'");
        assert_eq!(world.postgres.value("kiln", &mine), "0");
    }
    assert_eq!(world.databases().len(), 4, "{:?}", world.states());
}

#[test]
fn a_name_that_is_taken_between_the_look_and_the_making_is_given_way_to() {
    let world = World::ready();
    world.night();
    for command in [["run", "druginfo"].as_slice(), &["load", "druginfo", "plan_information"]] {
        let (running, file) = world.paused(command, "named");
        let name = world.newest_build();
        world.postgres.execute("postgres", &format!("create database {name}"));
        std::fs::remove_file(file).unwrap();
        let outcome = running.wait();
        assert_eq!(outcome.code, 0, "{outcome}");
        assert!(exists(&world, &name), "{outcome}");
        world.night();
        assert!(exists(&world, &name), "a later night dropped it");
    }
    assert_eq!(world.databases().len(), 4, "{:?}", world.states());
}

#[test]
fn what_a_killed_run_was_about_to_make_is_told_from_what_others_make() {
    let world = World::ready();
    world.night();
    world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", "named=kill").exits(-9);
    let name = world.newest_build();
    world.postgres.execute("postgres", &format!("create database {name} owner loader"));
    world.night();
    world.night();
    assert!(exists(&world, &name), "a database that kiln only meant to make is not its own");
    // Killed behind CREATE DATABASE, before the comment: the object noted beforehand is there.
    world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", "created=kill").exits(-9);
    let name = world.newest_build();
    world.postgres.execute("postgres", &format!("comment on database {name} is null"));
    world.night();
    assert!(!exists(&world, &name), "{:?}", world.states());
}

#[test]
fn a_leftover_that_cannot_be_dropped_is_named_and_the_night_goes_on() {
    let world = World::ready();
    world.night();
    let failed = fail_a_night(&world);
    let dba = session(&world, "kiln", &failed);
    world.land(&Release::small(9));
    let before = world.live();
    let night = world.night();
    let named = format!("{failed} (failed) is not dropped and stays for the next clean-up");
    night.says(&[&named, "in it: backend ", "(role kiln, application "]);
    assert_ne!(world.live(), before);
    assert!(exists(&world, &failed));
    world.kiln(&["prune", "druginfo"]).exits(12).says(&[&named, "hint: end those sessions"]);
    drop(dba);
    world.night();
    assert_eq!(world.databases().len(), 2, "{:?}", world.states());
}

#[test]
fn somebody_in_the_build_that_became_previous_costs_no_night() {
    let world = World::ready();
    world.night();
    world.night();
    let name = |state: &str| {
        let states = world.states();
        let found = states.iter().find(|said| said.ends_with(state)).unwrap().clone();
        found.split_once(' ').unwrap().0.to_owned()
    };
    let previous = name(" previous");
    let dba = session(&world, "kiln", &previous);
    for _ in 0..2 {
        world.night().says(&[&format!("{previous} (")]);
    }
    drop(dba);
    world.night();
    assert_eq!(world.databases().len(), 2, "{:?}", world.states());
}

#[test]
fn the_database_kiln_that_is_lost_is_made_anew_from_comments() {
    let world = World::ready();
    for _ in 0..3 {
        world.night();
    }
    let (live, before) = (world.live(), world.states());
    world.postgres.execute("postgres", "drop database kiln with (force)");
    let numbers = || {
        let sql =
            "select substring(shobj_description(oid, 'pg_database')::json->>'build', '[0-9]+')
                   from pg_database where datname = 'druginfo'";
        world.postgres.value("postgres", sql).parse::<u32>().unwrap()
    };
    let number = numbers();
    // What apps accept is lost with it, and is theirs to say again; the night's work is not.
    world.kiln(&["run", "druginfo"]).exits(13).says(&["no app has said"]);
    assert_eq!(world.live(), live);
    world.accept("1");
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert!(numbers() > number, "{} after {number}", numbers());
    world.night();
    assert_eq!(world.databases().len(), 2, "{:?} after {before:?}", world.states());
    world.kiln(&["rollback", "druginfo", "--why", "a test"]).succeeds();
}

#[test]
fn a_comment_of_a_dbas_ends_no_night() {
    for lost in [false, true] {
        let world = World::ready();
        world.night();
        world.night();
        for database in world.databases() {
            let sql = format!("comment on database {database} is 'ask Bob before you touch this'");
            world.postgres.execute("postgres", &sql);
        }
        if lost {
            world.postgres.execute("postgres", "drop database kiln with (force)");
            world.accept("1");
        }
        let before = world.live();
        let status = world.kiln(&["status", "druginfo", "--json"]).succeeds();
        assert!(status.stdout.contains("\"live\""), "{status}");
        world.night();
        assert_ne!(world.live(), before, "lost: {lost}");
        assert_eq!(world.databases().len(), 2, "lost: {lost}: {:?}", world.states());
        world.night();
        assert_eq!(world.databases().len(), 2, "lost: {lost}: {:?}", world.states());
        assert!(world.states().iter().all(|said| !said.ends_with("without a tag")));
    }
}

#[test]
fn a_stamp_that_is_no_table_of_kilns_is_not_asked() {
    let world = World::ready();
    world.night();
    let name = build_name("druginfo", 900, false);
    world.postgres.execute("postgres", &format!("create database {name} owner loader"));
    world.postgres.execute(
        &name,
        "create schema kiln;
         create table asked (at timestamptz);
         create function ask() returns text language sql as
             $$ insert into asked values (now()); select 'druginfo_00900' $$;
         create view kiln.stamp as select ask() as build, 'druginfo' as database, 1 as version,
             '' as fingerprint, '' as period, array[]::text[] as without, '' as run,
             now() as sealed_at;
         grant all on all tables in schema public to public;
         grant usage on schema kiln to public; grant select on kiln.stamp to public",
    );
    world.night();
    assert!(exists(&world, &name));
    assert_eq!(world.postgres.value(&name, "select count(*)::text from asked"), "0");
}

#[test]
fn a_run_whose_end_cannot_be_noted_says_so() {
    let world = World::ready();
    world.night();
    world.postgres.execute(
        "kiln",
        "create function lose() returns trigger language plpgsql as
             $$ begin raise exception 'no room for history'; end $$;
         create trigger lose before update on kiln.run for each row
             when (new.exit_code is not null) execute function lose()",
    );
    let before = world.live();
    let mut kiln = world.kiln(&["run", "druginfo"]);
    let outcome = kiln.env("KILN_FAILPOINT", "manifest=error").exits(1);
    let said = "how the run of druginfo ended (exit code 1) is not in the history: ";
    outcome.says(&[said, "no room for history", "failpoint manifest"]);
    assert!(world.log().contains("how the run ended is not in the history"), "{}", world.log());
    assert_eq!(world.live(), before);
}

#[test]
fn a_lock_whose_holder_does_not_answer_is_waited_for() {
    let world = World::ready();
    world.night();
    let take = "select pg_advisory_lock(1802071150, hashtext('druginfo'))";
    let gone = session(&world, "loader", "kiln");
    world.runtime.block_on(gone.batch_execute(take)).unwrap();
    let began = Instant::now();
    let night = world.kiln(&["run", "druginfo"]).start();
    std::thread::sleep(Duration::from_secs(3));
    drop(gone);
    let outcome = night.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(began.elapsed() > Duration::from_secs(3));

    let silent = session(&world, "loader", "kiln");
    world.runtime.block_on(silent.batch_execute(take)).unwrap();
    let before = world.live();
    let outcome = world.kiln(&["run", "druginfo"]).exits(75);
    outcome.says(&["druginfo is locked by the session of backend ", "has not answered for 30 s"]);
    assert!(outcome.took > Duration::from_secs(29), "{outcome}");
    assert!(outcome.took < Duration::from_secs(40), "{outcome}");
    assert_eq!(world.live(), before);
}
