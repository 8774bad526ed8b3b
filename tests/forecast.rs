//! What a night will need is said before its rows, held against what is free, and beside it at
//! the end what it used. Sizes are compared and times never: how long something takes is the
//! machine's affair, and [`replay`] holds the forecast of time against recorded nights.

mod replay;

use kiln::testing::dev::synth::Release;
use serde_json::Value;

use crate::bad_input::{Before, Kept};
use crate::support::{World, wait_until};

/// The ledger of a night that must go well.
fn night(world: &World, environment: &[(&str, &str)]) -> Value {
    let mut kiln = world.kiln(&["run", "druginfo", "--json"]);
    for (name, value) in environment {
        kiln.env(name, value);
    }
    kiln.succeeds().json()
}

/// A release with a network of so many plans, each with most of the pharmacies.
fn release(seed: u64, plans: u32) -> Release {
    let network_rows = u64::from(plans) * 2_500;
    Release { pharmacies: 3_000, plans, network_rows, ..Release::small(seed) }
}

fn bytes(ledger: &Value, what: &str, which: &str) -> f64 {
    ledger[what][which].as_f64().unwrap_or_else(|| panic!("no {what}.{which} in {ledger}"))
}

fn warnings(ledger: &Value) -> Vec<String> {
    let all = ledger["warnings"].as_array().unwrap().iter();
    all.map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

/// The ledger that the history has of the newest run.
fn newest_ledger(world: &World) -> Value {
    let sql = "select ledger::text from kiln.run order by started_at desc limit 1";
    serde_json::from_str(&world.postgres.value("kiln", sql)).unwrap()
}

#[test]
fn without_room_nothing_is_loaded_and_nothing_is_left() {
    let world = World::ready();
    let setting = ("KILN_DISK_FREE", "1 MiB");
    // The first night: the directories say how much text there is.
    let before = Before::of(&world, "druginfo");
    let mut first = world.kiln(&["run", "druginfo"]);
    first.env(setting.0, setting.1).exits(12).says(&[
        "kiln: druginfo is as it was: no row was sent: no room: the forecast is ",
        " for druginfo (database ",
        ", and 1.00 MiB is free (by disk_free)",
        "\nhint: free space: `kiln prune druginfo` drops builds",
        "KILN_DISK_FREE",
    ]);
    before.unchanged(&world, Kept::No);
    let ledger = newest_ledger(&world);
    assert_eq!(ledger["sources"], serde_json::json!([]));
    assert_eq!(ledger["forecast"]["text_is_known"], true);
    assert_eq!(ledger["forecast"]["from"], serde_json::json!([]));
    // The second: the first says what it came to, and nothing of the archives is read.
    night(&world, &[]);
    let before = Before::of(&world, "druginfo");
    world.kiln(&["run", "druginfo"]).env(setting.0, setting.1).exits(12).says(&["no row was sent"]);
    before.unchanged(&world, Kept::No);
    let ledger = newest_ledger(&world);
    assert_eq!(ledger["forecast"]["text_is_known"], false);
    assert_eq!(ledger["forecast"]["from"], serde_json::json!(["druginfo_00002"]));
    // A trial is dropped, and is no night.
    world.kiln(&["load", "druginfo", "pricing"]).env(setting.0, setting.1).succeeds();
}

#[test]
fn a_failed_build_that_there_is_no_room_to_go_on_with_stays() {
    let world = World::ready();
    let mut broken = world.kiln(&["run", "druginfo"]);
    assert_ne!(broken.env("KILN_FAILPOINT", "post-data=error").run().code, 0);
    let build = world.newest_build();
    let before = Before::of(&world, "druginfo");
    world
        .kiln(&["resume", &build])
        .env("KILN_DISK_FREE", "1 KiB")
        .exits(12)
        .says(&["no row was sent: no room"]);
    before.unchanged(&world, Kept::No);
    assert!(world.states().contains(&format!("{build} failed")), "{:?}", world.states());
    world.kiln(&["resume", &build]).succeeds();
}

#[test]
fn the_disk_that_the_server_writes_to_is_looked_at_where_it_can_be_seen() {
    let world = World::ready();
    // The role's tablespace: its place is known to every role, the data directory's is not.
    let Some(_disk) = world.postgres.small_disk(10) else { return };
    world.land(&release(2, 800));
    let before = Before::of(&world, "druginfo");
    world.kiln(&["run", "druginfo"]).exits(12).says(&["no row was sent: no room", " is free (/"]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn where_nobody_tells_what_is_free_the_log_says_so_and_the_night_goes_on() {
    let world = World::ready();
    night(&world, &[]);
    assert!(world.log().contains("nobody tells what the server's disk has free"));
}

#[test]
fn little_room_is_warned_of() {
    let world = World::ready();
    night(&world, &[]);
    // What a refusal says is needed, to two digits behind the point.
    let refused = world.kiln(&["run", "druginfo"]).env("KILN_DISK_FREE", "1 MiB").exits(12);
    let said = refused.stderr.split("the forecast is ").nth(1).unwrap();
    let needed: f64 = said.split(" MiB").next().unwrap().parse().unwrap();
    let free = |share: f64| format!("{}", (needed * share * 1_048_576.0) as u64);
    let near = warnings(&night(&world, &[("KILN_DISK_FREE", &free(1.05))]));
    let little = |all: &[String]| all.iter().filter(|said| said.starts_with("little room")).count();
    assert_eq!(little(&near), 1, "{near:?}");
    let enough = warnings(&night(&world, &[("KILN_DISK_FREE", &free(1.2))]));
    assert_eq!(little(&enough), 0, "{enough:?}");
}

/// The second night has three times the first one's network. Its forecast is the first's tables,
/// each grown as its text. Dictionaries and derived tables grow less, so that it is on the safe side:
/// found 1.15, where a night like the one before is foretold to the page.
#[test]
fn the_second_night_comes_to_what_the_first_one_foretells() {
    let world = World::new();
    world.accept("1");
    world.land(&release(1, 100));
    let first = night(&world, &[]);
    world.land(&release(2, 300));
    world.waive_data("druginfo", "three times the network");
    let second = night(&world, &[]);
    assert_eq!(second["forecast"]["from"], serde_json::json!([first["build"]]));
    let of =
        |which: &str, used: &str| bytes(&second, "forecast", which) / bytes(&second, "used", used);
    let database = of("database", "database");
    assert!((0.95..1.25).contains(&database), "database: {database}");
    assert_eq!(bytes(&second, "forecast", "text"), bytes(&second, "used", "text"));
    // At wal_level=minimal a table above wal_skip_threshold writes none: a small night's share of
    // WAL is a large one's upper bound.
    let wal = of("wal_written", "wal_written");
    assert!(wal > 0.5, "WAL: {wal}");
    // The zips' own overhead does not grow.
    let scratch = of("scratch", "scratch");
    assert!((0.8..1.25).contains(&scratch), "inner zips: {scratch}");
    let network = |ledger: &Value| bytes(&ledger["used"]["tables"], "pharmacy_networks", "table");
    assert!(network(&second) > 2.5 * network(&first), "the second night was to be larger");
}

#[test]
fn without_a_night_before_measured_ratios_say_it_within_a_half() {
    let world = World::new();
    world.accept("1");
    world.land(&release(1, 300));
    let ledger = night(&world, &[]);
    assert_eq!(ledger["forecast"]["from"], serde_json::json!([]));
    let ratio = bytes(&ledger, "forecast", "database") / bytes(&ledger, "used", "database");
    assert!((0.67..1.5).contains(&ratio), "{ratio}");
}

#[test]
fn a_dry_run_shows_the_forecast() {
    let world = World::ready();
    let dry = world.kiln(&["run", "druginfo", "--dry-run"]).succeeds();
    assert!(dry.stdout.contains("forecast: "), "{dry}");
    assert!(dry.stdout.contains("by measured ratios: there was no night before"), "{dry}");
    night(&world, &[]);
    let dry = world.kiln(&["run", "druginfo", "--dry-run"]).succeeds();
    assert!(dry.stdout.contains("by what druginfo_00001 came to"), "{dry}");
    let dry = world.kiln(&["run", "druginfo", "--dry-run", "--json"]).succeeds().json();
    assert!(dry["forecast"]["database"].as_u64().unwrap() > 8 << 20, "{dry}");
}

#[test]
fn a_run_that_will_be_late_says_so_early_and_goes_on() {
    let world = World::ready();
    night(&world, &[]);
    let arguments = ["run", "druginfo", "--deadline", "1s"];
    let (running, file) = world.paused(&arguments, "check");
    let late = "the run will miss its deadline (1s) by ";
    wait_until("the run says that it will be late", || world.log().contains(late));
    std::fs::remove_file(file).unwrap();
    let outcome = running.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
    outcome.says(&["warning: druginfo: ", late]);
    let said = warnings(&newest_ledger(&world));
    assert!(said.iter().any(|warning| warning.contains(late)), "{said:?}");
    // Nothing is said where there is time, nor to somebody who asked for quiet.
    let calm = world.kiln(&["run", "druginfo", "--deadline", "23h"]).succeeds();
    assert_eq!(calm.stderr, "", "{calm}");
}

#[test]
fn a_setting_that_is_neither_size_nor_time_is_named() {
    let world = World::new();
    world
        .kiln(&["status"])
        .env("KILN_DISK_FREE", "2 GB")
        .env("KILN_RUN_DEADLINE", "tonight")
        .exits(2)
        .says(&[
            "2 problems",
            "KILN_DISK_FREE must be like \"200 GiB\", found \"2 GB\"",
            "KILN_RUN_DEADLINE must be a time of day (06:00) or a duration (4h, 90m, 2h 30m)",
        ]);
    let argument = world.kiln(&["run", "--deadline", "soon"]).exits(2);
    argument.says(&["must be a time of day (06:00) or a duration"]);
}
