//! `--dry-run`: databases, their comments, kiln's own tables, objects and files stay as they are.

use std::collections::BTreeMap;
use std::path::Path;

use kiln::testing::dev::synth::Release;

use crate::support::{Outcome, World};

/// All that a command could change.
#[derive(Debug, PartialEq)]
struct Everything {
    databases: Vec<String>,
    history: Vec<String>,
    files: BTreeMap<String, Vec<u8>>,
}

fn everything(world: &World) -> Everything {
    let databases = world.postgres.rows(
        "postgres",
        "select concat_ws(' ', oid, datname, shobj_description(oid, 'pg_database'))
         from pg_database order by 1",
    );
    let mut history = Vec::new();
    if databases.iter().any(|line| line.contains(" kiln")) {
        for table in ["build", "contract", "run", "audit", "waiver", "promoted"] {
            let sql = format!("select '{table} ' || t::text from kiln.{table} t order by 1");
            history.extend(world.postgres.rows("kiln", &sql));
        }
    }
    if !history.is_empty() {
        let number = "select 'build_number ' || last_value from kiln.build_number";
        history.extend(world.postgres.rows("kiln", number));
    }
    let mut files = BTreeMap::new();
    // Of the project what kiln reads: beside it stands what cargo made, gigabytes of it.
    let (s3, root) = (world.folder.path().join("s3"), &world.root);
    for folder in [s3, root.join("sql"), root.join("sources")] {
        read_all(&folder, &mut files);
    }
    Everything { databases, history, files }
}

fn read_all(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => read_all(&path, files),
            false => drop(files.insert(path.display().to_string(), std::fs::read(&path).unwrap())),
        }
    }
}

#[track_caller]
fn changes_nothing(world: &World, arguments: &[&str]) -> Outcome {
    let before = everything(world);
    let words: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
    let outcome = world.kiln(&words).run();
    let after = everything(world);
    assert_eq!(after.databases, before.databases, "{outcome}");
    assert_eq!(after.history, before.history, "{outcome}");
    assert!(after.files == before.files, "files changed: {outcome}");
    outcome
}

#[track_caller]
fn would(world: &World, arguments: &[&str], said: &str) {
    let outcome = changes_nothing(world, arguments);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains(said), "{said:?}: {outcome}");
}

#[test]
fn a_dry_run_of_whatever_changes_something_changes_nothing() {
    let mut world = World::ready();
    world.own_root();
    world.night();
    world.night();
    world.kiln(&["build", "druginfo"]).succeeds();
    let mut broken = world.kiln(&["build", "druginfo"]);
    assert_ne!(broken.env("KILN_FAILPOINT", "check=error").run().code, 0);
    let failed = world.databases().pop().unwrap();
    let file = world.folder.path().join(Release::small(1).file_name());
    let file = file.to_string_lossy();

    would(&world, &["land", "druginfo", &file], "would land at s3://kiln/druginfo/");
    would(&world, &["run"], "would be built from");
    would(&world, &["build", "druginfo", "--without", "pricing"], "pricing  left out");
    would(&world, &["load", "druginfo", "pricing"], "pricing  s3://kiln/druginfo/");
    would(&world, &["load", "druginfo", "pricing", "--into", &failed], "pricing");
    would(&world, &["resume", &failed], "would go on");
    would(&world, &["swap", "druginfo"], "would go from druginfo_00002 to druginfo_00003");
    would(&world, &["rollback", "druginfo"], "would go from druginfo_00002 to druginfo_00001");
    would(&world, &["prune"], "druginfo: would drop");
    let contract = ["contract", "set", "druginfo", "--app", "other", "--accepts", "2"];
    would(&world, &contract, "other would accept druginfo 2..2");
    would(&world, &["hold", "druginfo_00001"], "druginfo_00001 would be on hold");
    would(&world, &["waive", "druginfo", "rows", "--why", "x"], "would be waived: gate rows");
    world.edit(
        "sql/druginfo/0002_plan_information.sql",
        "premium            numeric(10,2)",
        "premium            numeric(12,2)",
    );
    would(&world, &["schema", "lock"], "would be locked as version 2");
}

#[test]
fn a_dry_run_that_went_well_does_not_hide_the_last_failure() {
    let world = World::ready();
    world.night();
    world.kiln(&["build", "druginfo"]).succeeds();
    assert_ne!(world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", "check=error").run().code, 0);
    let failed = || world.kiln(&["status", "--json"]).succeeds().json()[0]["failed"].clone();
    let before = failed();
    assert_eq!(before["command"], "run");
    changes_nothing(&world, &["swap", "druginfo"]);
    assert_eq!(failed(), before);
}

#[test]
fn on_an_empty_server_a_dry_run_makes_nothing_either() {
    let world = World::new();
    for arguments in [
        &["swap", "druginfo"][..],
        &["rollback", "druginfo"],
        &["prune"],
        &["run"],
        &["resume", "druginfo_00001"],
        &["contract", "set", "druginfo", "--app", "a", "--accepts", "1"],
        &["waive", "druginfo", "rows", "--why", "x"],
    ] {
        changes_nothing(&world, arguments);
    }
}
