//! Unchanged work is not done again: what is copied from a kept build is the same to the row
//! as what a load would give, what changed is loaded, and where nothing changed nothing is done.

mod made;
mod nights;
mod proof;
mod tiny;
mod words;

use std::collections::BTreeMap;

use kiln::testing::dev::synth::{Inner, Release, Tamper};
use serde_json::Value;

use crate::support::{Outcome, World, wait_until};

/// A world as it is every day: a first night has been.
fn lived(mut world: World) -> World {
    world.land(&Release::small(1));
    world.accept("1");
    world.anew = false;
    world.night();
    world
}

/// The same with a root of its own.
fn lived_in_own_root() -> World {
    let mut world = World::new();
    world.own_root();
    lived(world)
}

/// A release of which one member has one other row.
fn with_another_price(release: &Release, world: &World) {
    let change = Tamper::default().lines(|at, line| {
        if at.source == "pricing" && at.line == 2 {
            let last = line.iter().rposition(|byte| *byte == b'|').unwrap();
            line.truncate(last + 1);
            line.extend_from_slice(b"123.25");
        }
    });
    world.land_with(release, change);
}

/// Which build each source was copied from, `None` where it was loaded, of the newest build.
fn reused(world: &World, build: &str) -> BTreeMap<String, Option<String>> {
    let sql = "select source || '=' || coalesce(entry #>> '{reused,build}', '') from kiln.source";
    let lines = world.postgres.rows(build, sql);
    let pair = |line: &String| {
        let (source, from) = line.split_once('=').unwrap();
        (source.to_owned(), Some(from.to_owned()).filter(|from| !from.is_empty()))
    };
    lines.iter().map(pair).collect()
}

/// The sources that were loaded.
fn loaded(world: &World, build: &str) -> Vec<String> {
    reused(world, build).into_iter().filter(|(_, from)| from.is_none()).map(|(s, _)| s).collect()
}

/// The digests of all sources.
fn digests(world: &World, build: &str) -> Vec<String> {
    let sql = "select source || ' ' || rows || ' ' || digest from kiln.source order by 1";
    world.postgres.rows(build, sql)
}

fn plan(world: &World) -> Value {
    world.kiln(&["plan", "druginfo", "--json"]).succeeds().json()
}

/// What the plan says of each source: `load`, `reuse` or `skip`.
fn planned(plan: &Value) -> BTreeMap<String, String> {
    let sources = plan["sources"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    sources.iter().map(|line| (text(&line["source"]), text(&line["action"]))).collect()
}

/// What the plan says of each source must be what the newest build came of.
#[track_caller]
fn came_true(world: &World, plan: &Value, build: &str) {
    let came: BTreeMap<String, String> = reused(world, build)
        .into_iter()
        .map(|(source, from)| (source, if from.is_some() { "reuse" } else { "load" }.to_owned()))
        .collect();
    assert_eq!(planned(plan), came, "{plan}");
}

/// A build of the same inputs from the files, whatever is kept, has the same digests and rows.
#[track_caller]
fn equals_a_full_build(world: &World) {
    world.kiln(&["build", "druginfo", "--full-refresh"]).succeeds();
    let full = world.newest_build();
    assert_eq!(loaded(world, &full).len(), 9);
    assert_eq!(digests(world, "druginfo"), digests(world, &full));
    let contents = |database: &str| world.postgres.contents(database).unwrap().1;
    assert_eq!(contents("druginfo"), contents(&full));
}

#[test]
fn where_nothing_changed_nothing_is_done_and_said_so() {
    let world = lived(World::new());
    let (live, databases) = (world.live(), world.databases());
    let number = "select last_value::text || ' ' || (select count(*) from kiln.build) from kiln.build_number";
    let numbers = world.postgres.value("kiln", number);
    let said = "druginfo_00001 is live and has all that has landed (9 sources, period 2026Q2, ";

    let plan = plan(&world);
    assert_eq!((&plan["nothing_to_do"], &plan["live"]), (&true.into(), &"druginfo_00001".into()));
    assert!(planned(&plan).values().all(|action| action == "skip"), "{plan}");
    let text = world.kiln(&["plan", "druginfo"]).succeeds().stdout;
    assert!(text.starts_with(&format!("druginfo: nothing to do: {said}")), "{text}");
    assert!(
        text.contains("  pricing  stays as it is in druginfo_00001: the same object\n"),
        "{text}"
    );

    let outcome = world.kiln(&["run", "druginfo", "--json"]).succeeds();
    let ledger = outcome.json();
    assert!(ledger["nothing_to_do"].as_str().unwrap().starts_with(said), "{ledger}");
    assert_eq!(
        (&ledger["build"], &ledger["sources"]),
        (&"druginfo_00001".into(), &Value::Array(vec![]))
    );
    // A night without a terminal says nothing when it goes well.
    let outcome = world.night();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    assert_eq!((world.live(), world.databases()), (live, databases));
    assert_eq!(world.postgres.value("kiln", number), numbers);
    let status = world.kiln(&["status", "--json"]).succeeds().json();
    assert_eq!(status[0]["last"]["command"], "run");
    assert!(status[0]["last"]["nothing_to_do"].as_str().unwrap().starts_with(said), "{status}");
    let status = world.kiln(&["status"]).succeeds().stdout;
    assert!(status.contains("had nothing to do: druginfo_00001 is live"), "{status}");
    wait_until("kiln's sessions are gone", || world.sessions().is_empty());
}

#[test]
fn where_nothing_changed_the_gate_still_asks_what_apps_accept() {
    let world = lived(World::new());
    let before = (world.live(), world.databases());
    world.accept("2");
    let outcome = world.kiln(&["run", "druginfo"]).exits(13);
    outcome.says(&["druginfo is as it was", "version 1, app test accepts 2..2", "hint: deploy"]);
    assert_eq!((world.live(), world.databases()), before);
    let status = world.kiln(&["status", "--json"]).succeeds().json();
    assert_eq!(status[0]["failed"]["exit_code"], 13);
    world.accept("1..2");
    world.night();
    assert_eq!((world.live(), world.databases()), before);
}

#[test]
fn what_is_asked_for_is_done_although_nothing_changed() {
    let world = lived(World::new());
    // A build is made, of tables that are copied.
    let plan = world.kiln(&["build", "druginfo", "--dry-run", "--json"]).succeeds().json();
    assert_eq!(plan["nothing_to_do"], false);
    world.kiln(&["build", "druginfo"]).succeeds();
    let build = world.newest_build();
    came_true(&world, &plan, &build);
    assert_eq!(loaded(&world, &build), Vec::<String>::new());
    assert_eq!(digests(&world, &build), digests(&world, "druginfo"));
    // And one from the files.
    world.kiln(&["run", "druginfo", "--full-refresh"]).succeeds();
    assert_eq!(loaded(&world, "druginfo").len(), 9);
    // Other sources are another database.
    let night: Vec<&str> = vec!["run", "druginfo", "--without", "pricing"];
    world.kiln(&night).succeeds();
    assert_eq!(
        world.postgres.value("druginfo", "select without::text from kiln.stamp"),
        "{pricing}"
    );
    let again = world.kiln(&[night.as_slice(), &["--json"]].concat()).succeeds().json();
    assert!(again["nothing_to_do"].as_str().unwrap().contains("8 sources"), "{again}");
    // What the live build is without is still in the one before it.
    world.night();
    assert_eq!(loaded(&world, "druginfo"), Vec::<String>::new());
    assert_ne!(
        reused(&world, "druginfo")["pricing"],
        reused(&world, "druginfo")["plan_information"]
    );
}

#[test]
fn of_a_reposted_release_only_the_member_that_changed_is_loaded() {
    for inner in [Inner::Deflated, Inner::Stored] {
        let world = World::new();
        let release = Release { inner, ..Release::small(1) };
        let world = {
            let mut world = world;
            world.land(&release);
            world.accept("1");
            world.anew = false;
            world.night();
            world
        };
        with_another_price(&release, &world);
        let plan = plan(&world);
        let why = |source: &str| {
            let lines = plan["sources"].as_array().unwrap();
            let line = lines.iter().find(|line| line["source"] == source).unwrap();
            line["why"].as_str().unwrap().to_owned()
        };
        assert!(why("pricing").starts_with("pricing file"), "{plan}");
        assert!(why("pricing").contains(" changed: "), "{plan}");
        assert_eq!(
            why("plan_information"),
            "another object; its file has the same name, size and checksum"
        );
        assert!(why("pharmacy_networks").contains("its 6 files have the same"), "{plan}");
        world.night();
        came_true(&world, &plan, "druginfo");
        assert_eq!(loaded(&world, "druginfo"), ["pricing"], "{inner:?}");
        let price = "select count(*)::text from pricing where unit_cost = 123.25";
        assert_eq!(world.postgres.value("druginfo", price), "1");
        equals_a_full_build(&world);
        // The night after is held against the object of this one.
        let idle = world.kiln(&["run", "druginfo", "--json"]).succeeds().json();
        assert!(idle["nothing_to_do"].is_string(), "{idle}");
    }
}

#[test]
fn a_release_that_is_landed_once_more_is_nothing_new() {
    let world = lived(World::new());
    let path = world.folder.path().join(Release::small(1).file_name());
    // Under another day's folder: another object.
    world.put_file("druginfo", &path);
    let said = world.kiln(&["run", "druginfo", "--json"]).succeeds().json();
    assert!(said["nothing_to_do"].is_string(), "{said}");
}

#[test]
fn a_member_of_another_period_is_refused_though_the_others_are_not_read() {
    let world = lived(World::new());
    let rename = Tamper::default().members(|name| {
        Some(match name.contains("pricing") {
            true => name.replace("2026Q2", "2026Q3"),
            false => name.to_owned(),
        })
    });
    world.land_with(&Release::small(1), rename);
    let before = world.live();
    world.kiln(&["run", "druginfo"]).exits(11).says(&["source pricing", "mixes the periods"]);
    assert_eq!(world.live(), before);
}

#[test]
fn whatever_tells_how_a_table_is_made_must_be_the_same() {
    let world = lived_in_own_root();
    let mut live = "druginfo_00001".to_owned();
    for (file, from, to, why) in [
        (
            "sources/druginfo/pricing.toml",
            "description",
            "# a comment\ndescription",
            "its spec changed",
        ),
        (
            "sql/druginfo/0009_pricing.sql",
            "-- pre-data",
            "-- a comment\n-- pre-data",
            "its table's SQL changed",
        ),
    ] {
        world.edit(file, from, to);
        let plan = plan(&world);
        assert_eq!(plan["why"], format!("pricing: {why}"), "{plan}");
        world.night();
        came_true(&world, &plan, "druginfo");
        assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
        assert_eq!(reused(&world, "druginfo")["plan_information"].as_ref(), Some(&live));
        live = world.newest_build();
    }
    equals_a_full_build(&world);
}

#[test]
fn a_resumed_build_is_no_proof_of_what_has_changed_meanwhile() {
    let world = lived_in_own_root();
    with_another_price(&Release::small(1), &world);
    let mut night = world.kiln(&["run", "druginfo"]);
    assert_ne!(night.env("KILN_FAILPOINT", "post-data=error").run().code, 0);
    let failed = world.newest_build();
    world.edit("sql/druginfo/0009_pricing.sql", "-- pre-data", "-- later\n-- pre-data");
    world.kiln(&["resume", &failed]).succeeds();
    world.kiln(&["swap", "druginfo"]).succeeds();
    // What was loaded before the change is known to be of the old SQL, and stays so.
    world.edit("sql/druginfo/0009_pricing.sql", "-- later\n", "");
    let plan = plan(&world);
    assert_eq!(plan["nothing_to_do"], false);
    assert_eq!(plan["why"], "the database's SQL changed");
    world.night();
    assert_eq!(loaded(&world, "druginfo"), Vec::<String>::new());
}

#[track_caller]
fn said_in_warnings(outcome: &Outcome, words: &str) {
    let ledger = outcome.json();
    let warnings = ledger["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|line| line.as_str().unwrap().contains(words)), "{warnings:?}");
}
