//! `--json`: one document on standard output, and nothing else.

use kiln::testing::dev::synth::Release;
use serde_json::Value;

use crate::support::World;

fn document(world: &World, arguments: &[&str]) -> Value {
    let words: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let outcome = world.kiln(&words).succeeds();
    assert_eq!(outcome.stderr, "", "{outcome}");
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome}");
    outcome.json()
}

#[test]
fn every_command_that_scripts_read_prints_one_document() {
    let world = World::ready();
    let file = world.folder.path().join(Release::small(1).file_name());
    let file = file.to_string_lossy();
    let landed = document(&world, &["land", "druginfo", &file]);
    assert_eq!(landed[0]["readers"].as_array().unwrap().len(), 9);
    assert_eq!(landed[0]["sha256"].as_str().unwrap().len(), 64);
    document(&world, &["land", "druginfo", "--dry-run", &file]);

    let plan = document(&world, &["run", "druginfo", "--dry-run"]);
    assert_eq!(plan["manifest"]["sources"].as_object().unwrap().len(), 9);
    assert_eq!(document(&world, &["build", "druginfo", "--dry-run"])["dry_run"], true);
    let ledger = document(&world, &["run", "druginfo"]);
    assert_eq!(ledger["sealed"], true);
    assert_eq!(ledger["sources"].as_array().unwrap().len(), 9);
    let first = ledger["build"].as_str().unwrap().to_owned();
    assert_eq!(ledger["promoted"]["to"], first.as_str());

    let contracts = document(&world, &["contract", "list"]);
    assert_eq!(contracts[0]["app"], "test");
    let guard = document(&world, &["guard", "druginfo", "--accepts", "1"]);
    assert_eq!((&guard["fits"], &guard["build"]), (&true.into(), &first.as_str().into()));
    let refused = world.kiln(&["guard", "druginfo", "--accepts", "7", "--json"]).exits(13).json();
    assert_eq!(refused["fits"], false);
    let checked = document(&world, &["schema", "check"]);
    assert_eq!((&checked[0]["tables"], &checked[0]["version"]), (&9.into(), &1.into()));

    let trial = document(&world, &["load", "druginfo", "pricing"]);
    assert_eq!(trial["source"], "pricing");
    document(&world, &["load", "druginfo", "pricing", "--dry-run"]);
    let second = document(&world, &["build", "druginfo"])["build"].as_str().unwrap().to_owned();
    assert_eq!(document(&world, &["swap", "druginfo", "--dry-run"])["dry_run"], true);
    assert_eq!(document(&world, &["swap", "druginfo"])["promotion"]["to"], second.as_str());
    assert_eq!(
        document(&world, &["rollback", "druginfo", "--dry-run"])["promotion"]["to"],
        first.as_str()
    );
    assert_eq!(document(&world, &["rollback", "druginfo"])["promotion"]["to"], first.as_str());

    let mut broken = world.kiln(&["build", "druginfo"]);
    assert_ne!(broken.env("KILN_FAILPOINT", "post-data=error").run().code, 0);
    let status = document(&world, &["status"]);
    let next = status[0]["failed"]["next"].as_str().unwrap().to_owned();
    let failed = next.split(' ').nth(2).unwrap();
    let resume = document(&world, &["resume", failed, "--dry-run"]);
    assert_eq!(resume["stays"].as_array().unwrap().len(), 9);
    assert_eq!(resume["loads"].as_array().unwrap().len(), 0);
    document(&world, &["load", "druginfo", "pricing", "--into", failed]);
    assert_eq!(document(&world, &["resume", failed])["sealed"], true);
    assert_eq!(document(&world, &["hold", &first])["held"], true);
    assert_eq!(document(&world, &["unhold", &first])["before"]["why"], "by hand");
    assert!(document(&world, &["prune", "druginfo", "--dry-run"])["databases"].is_array());
    assert!(document(&world, &["prune"])["databases"].is_array());
    assert_eq!(document(&world, &["status"])[0]["failed"], Value::Null);
}

#[test]
fn psql_takes_the_url_that_kiln_prints() {
    let world = World::ready();
    world.kiln(&["url", "druginfo"]).exits(12).says(&["druginfo is not live", "kiln run druginfo"]);
    world.night();
    let outcome = world.kiln(&["url", "druginfo"]).succeeds();
    let asked = |url: &str, sql: &str| {
        let psql = std::process::Command::new("psql")
            .args(["-Atqc", sql, url.trim_end()])
            .env("PGUSER", "app")
            .output()
            .unwrap();
        String::from_utf8(psql.stdout).unwrap()
    };
    assert_eq!(asked(&outcome.stdout, "select current_database()"), "druginfo\n");
    // The app's role, not the builder's login: whoever was granted it logs in.
    outcome.says(&["kiln_app does not log in itself: PGUSER=NAME"]);
    assert!(!outcome.stdout.contains("loader"), "{outcome}");
    world.postgres.execute("postgres", "grant kiln_app to loader");
    let outcome = world.kiln(&["url", "druginfo"]).succeeds();
    let who = "select session_user || ' as ' || current_user";
    assert_eq!(asked(&outcome.stdout, who), "loader as kiln_app\n", "{outcome}");
    world.postgres.execute("postgres", "alter role kiln_app login");
    let outcome = world.kiln(&["url", "druginfo"]).succeeds();
    assert_eq!(asked(&outcome.stdout, who), "kiln_app as kiln_app\n", "{outcome}");

    // A build by its name: the live one, a kept one, one that failed; none that is not there.
    let live = world.postgres.value("druginfo", "select build from kiln.stamp");
    assert_eq!(world.kiln(&["url", &live]).succeeds().stdout, outcome.stdout);
    world.night();
    let kept = world.kiln(&["url", &live]).succeeds().stdout;
    assert_eq!(asked(&kept, "select build from kiln.stamp"), format!("{live}\n"));
    world.kiln(&["build", "druginfo"]).env("KILN_FAILPOINT", "check=error").exits(1);
    let failed = world.newest_build();
    let url = world.kiln(&["url", &failed]).succeeds().stdout;
    assert_eq!(asked(&url, "select count(*) > 0 from pricing"), "t\n", "{url}");
    world.kiln(&["url", "druginfo_99999"]).exits(12).says(&["has no build druginfo_99999"]);
}

#[test]
fn the_url_that_kiln_prints_has_no_password() {
    let world = World::ready();
    world.night();
    world.postgres.demand_password("loader");
    world.postgres.execute("postgres", "alter role loader password 's3cret'");
    let url = world.postgres.url("postgres").replace("user=loader", "user=loader&password=s3cret");
    let outcome = world.kiln(&["url", "druginfo"]).env("KILN_POSTGRES_URL", &url).succeeds();
    assert!(!outcome.stdout.contains("s3cret") && !outcome.stderr.contains("s3cret"), "{outcome}");
    let wrong = url.replace("s3cret", "other");
    // Not "nothing is live": the server was not asked that far.
    let outcome = world.kiln(&["url", "druginfo"]).env("KILN_POSTGRES_URL", &wrong).exits(12);
    outcome.says(&["28P01", "hint: check user and password"]);
    assert!(!outcome.stderr.contains("other"), "{outcome}");
}
