//! The night from landing to rollback: what is loaded, what is live, what is said.

use kiln::testing::dev::synth::{Depth, Inner, Release, Vintage};
use serde_json::Value;

use crate::support::{World, cms};

#[test]
fn cms_own_release_is_loaded_to_the_row() {
    let Some(sample) = cms("partd/SPUF_2026_20260701.sample.zip") else { return };
    let world = World::new();
    world.kiln(&["land", "druginfo", &sample.to_string_lossy()]).succeeds();
    world.accept("1..1");
    let left_out = ["--without", "pharmacy_networks", "--without", "pricing"];
    world.kiln(&[&["run", "druginfo"], left_out.as_slice()].concat()).succeeds();
    for (table, rows) in [
        ("plan_information", 34),
        ("basic_drugs_formulary", 12_869),
        ("beneficiary_cost", 666),
        ("geographic_locator", 492),
        ("insulin_beneficiary_cost", 284),
        ("indication_based_coverage", 112),
        ("excluded_drugs_formulary", 3),
        ("pharmacy_networks", 0),
        ("pricing", 0),
    ] {
        let count = format!("select count(*)::text from {table}");
        assert_eq!(world.postgres.value("druginfo", &count), rows.to_string(), "{table}");
    }
    let value = |sql: &str| world.postgres.value("druginfo", sql);
    assert_eq!(value("select count(*)::text from kiln.reject"), "0");
    assert_eq!(value("select period from kiln.stamp"), "2026Q2");
    assert_eq!(value("select without::text from kiln.stamp"), "{pharmacy_networks,pricing}");
    assert_eq!(
        value("select formulary_id from plan_information where contract_id = 'H1671'"),
        "00026354"
    );
    world.kiln(&["guard", "druginfo", "--accepts", "1"]).succeeds();
    world.kiln(&["guard", "druginfo", "--accepts", "2..3"]).exits(13).says(&[
        "druginfo has schema version 1",
        "accepts 2..3",
        "hint: ",
    ]);
    let status = world.kiln(&["status", "--json"]).succeeds().json();
    assert_eq!(status[0]["live"]["tag"]["without"][1], "pricing");
}

#[test]
fn a_night_is_repeatable_whatever_the_packaging_and_the_connections() {
    let world = World::ready();
    let mut digests = Vec::new();
    for (inner, depth, zip64, connections) in [
        (Inner::Deflated, Depth::Two, false, "1"),
        (Inner::Stored, Depth::Two, true, "8"),
        (Inner::Deflated, Depth::Three, false, "3"),
    ] {
        let release = Release { inner, depth, zip64, ..Release::small(7) };
        world.land(&release);
        world.kiln(&["run", "druginfo"]).env("KILN_CONNECTIONS", connections).succeeds();
        let sql = "select string_agg(source || digest, ',' order by source) from kiln.source";
        digests.push(world.postgres.value("druginfo", sql));
    }
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
    assert_eq!(world.databases().len(), 2, "live and previous: {:?}", world.databases());
}

#[test]
fn few_sessions_do_all_the_work_and_checks_are_told_in_the_order_of_their_files() {
    let world = World::ready();
    world.land(&Release::small(1));
    let mut told = Vec::new();
    for connections in ["1", "8", "2"] {
        let mut build = world.kiln(&["build", "druginfo", "--json"]);
        let ledger = build.env("KILN_CONNECTIONS", connections).succeeds().json();
        let places: Vec<String> = (ledger["checks"].as_array().unwrap().iter())
            .map(|check| check["place"].as_str().unwrap().to_owned())
            .collect();
        assert!(places.iter().any(|place| place.contains("pricing.sql")), "{places:?}");
        told.push(places);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
    let sql = format!(
        "select sessions::text from pg_stat_database where datname = '{}'",
        world.newest_build()
    );
    // Nine sources, each with rows, keys and statistics.
    let sessions: u64 = world.postgres.value("postgres", &sql).parse().unwrap();
    assert!((1..=10).contains(&sessions), "{sessions} sessions");
}

#[test]
fn the_2023_vintage_loads_with_its_own_columns() {
    let world = World::ready();
    let release = Release { vintage: Vintage::Cms2023, ..Release::small(3) };
    world.land(&release);
    world.night();
    let value = |sql: &str| world.postgres.value("druginfo", sql);
    assert_ne!(value("select count(icl)::text from plan_information"), "0");
    assert_eq!(value("select count(selected_drug_yn)::text from basic_drugs_formulary"), "0");
}

#[test]
fn a_second_night_keeps_the_first_for_rollback() {
    let world = World::ready();
    world.night();
    let first = world.live();
    world.land(&Release::small(2));
    world.night();
    let second = world.live();
    assert_ne!(first, second);
    world.kiln(&["rollback", "druginfo", "--dry-run"]).succeeds();
    assert_eq!(world.live(), second);
    world.kiln(&["rollback", "druginfo", "--why", "a test"]).succeeds();
    assert_eq!(world.live(), first);
    // Forward again takes a person's word.
    world.kiln(&["rollback", "druginfo"]).exits(15).says(&["no previous build"]);
    world.kiln(&["swap", "druginfo"]).exits(13).says(&["rolled away from (a test; "]);
    assert_eq!(world.live(), first);
    world.kiln(&["waive", "druginfo", "rejected", "--why", "it was right"]).succeeds();
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_eq!(world.live(), second);
    let audit = "select action || ' ' || why from kiln.audit
                 where action in ('rollback', 'waive') order by id";
    assert_eq!(world.postgres.rows("kiln", audit), ["rollback a test", "waive it was right"]);
}

#[test]
fn without_a_contract_nothing_goes_live_and_the_build_waits() {
    let world = World::new();
    world.land(&Release::small(1));
    world.kiln(&["run", "druginfo"]).exits(13).says(&["no app has said", "kiln contract set"]);
    assert_eq!(world.live(), None);
    world.accept("2");
    world.kiln(&["swap", "druginfo"]).exits(13).says(&["schema version 1, app test accepts 2..2"]);
    world.accept("1..2");
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert!(world.live().is_some());
}

#[test]
fn a_night_without_a_terminal_says_nothing_when_it_goes_well() {
    let outcome = World::ready().night();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}

#[test]
fn a_build_says_by_which_plan_it_was_made() {
    let world = World::ready();
    world.night();
    let plan = world.kiln(&["plan", "druginfo_00001", "--json"]).succeeds().json();
    let manifest = "select document::text from kiln.manifest";
    let manifest: Value =
        serde_json::from_str(&world.postgres.value("druginfo", manifest)).unwrap();
    assert_eq!(plan["manifest"], manifest);
    assert_eq!(plan["build"], "druginfo_00001");
    assert_eq!(plan["sources"].as_array().unwrap().len(), 9);
    for line in plan["sources"].as_array().unwrap() {
        assert_eq!(line["action"], "load", "{line}");
        assert!(!line["why"].as_str().unwrap().is_empty(), "{line}");
    }
    let text = world.kiln(&["plan", "druginfo_00001"]).succeeds().stdout;
    assert!(text.starts_with("druginfo_00001 (schema version "), "{text}");
    assert!(text.contains("pricing  loaded from s3://kiln/druginfo/"), "{text}");
    world
        .kiln(&["plan", "druginfo_00002"])
        .exits(2)
        .says(&["druginfo_00002 is not on this server"]);
    // A build of an older kiln has none.
    world.postgres.execute(
        "druginfo",
        "set default_transaction_read_only = off; set transaction_read_only = off;
         drop table kiln.run_plan",
    );
    world.kiln(&["plan", "druginfo_00001"]).exits(2).says(&["druginfo_00001 has no plan"]);
}
