//! `kiln verify`: every table is read, and what differs is named with its source.

use serde_json::Value;

use super::{ITEM_SQL, ROWS, TALLY_SQL, tiny};
use crate::support::{World, project};

fn verified(world: &World, arguments: &[&str], code: i32) -> Vec<Value> {
    let words: Vec<&str> = ["verify"].iter().chain(arguments).copied().chain(["--json"]).collect();
    let outcome = world.kiln(&words).exits(code);
    outcome.json().as_array().unwrap().clone()
}

/// The tables that were read, and whether they are the same.
fn tables(said: &Value) -> Vec<(String, bool)> {
    let all = said["tables"].as_array().unwrap();
    let of = |table: &Value| (table["table"].as_str().unwrap().to_owned(), table["same"] == true);
    all.iter().map(of).collect()
}

#[test]
fn what_differs_is_named_with_its_source_and_nothing_changes() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["verify"]).exits(13).says(&["nothing is live", "hint: "]);
    world.kiln(&["run", "tiny"]).succeeds();
    let before = world.postgres.contents("tiny");
    let said = world.kiln(&["verify"]).succeeds();
    assert!(said.stdout.contains("tiny_00001 is as sealed: 2 of 2 tables read"), "{said}");
    let said = verified(&world, &["tiny_00001"], 0);
    assert_eq!(tables(&said[0]), [("item".into(), true), ("tally".into(), true)]);
    assert_eq!(verified(&world, &["tiny"], 0)[0]["build"], "tiny_00001");
    world.kiln(&["verify", "tiny_00009"]).exits(13).says(&["there is no build tiny_00009"]);
    assert_eq!(world.postgres.contents("tiny"), before);

    // A row that is as old as the others, and says something else.
    world.postgres.execute("tiny", "update tally set last_name = 'nobody'");
    let outcome = world.kiln(&["verify"]).exits(13);
    outcome
        .says(&["tiny_00001 is not what was sealed", "table tally (made from tables) has 1 rows"]);
    assert!(!outcome.stderr.contains("table item"), "{outcome}");
    world.postgres.execute("tiny", "update item set fields = '{\"a\": \"4\"}' where code = 'k2'");
    let outcome = world.kiln(&["verify", "tiny"]).exits(13);
    outcome.says(&["table item (source item) has 4 rows", "table tally (made from tables)"]);
    assert_eq!(
        tables(&verified(&world, &[], 13)[0]),
        [("item".into(), false), ("tally".into(), false)]
    );
}

#[test]
fn a_share_a_night_reads_all_in_so_many_nights() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
    let said = verified(&world, &["--sample", "1/2"], 0);
    assert_eq!((tables(&said[0]).len(), &said[0]["tables_in_all"]), (1, &2.into()));
    for wrong in ["2/7", "1/0", "7", "1/1000"] {
        world.kiln(&["verify", "--sample", wrong]).exits(2).says(&["expected 1/N"]);
    }
}

#[test]
fn every_table_of_every_database_is_read_again_as_it_was_loaded() {
    let mut world = World::new();
    world.root = project();
    let key = world.folder.path().join("hash.key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    world.environment.push(("KILN_HASH_KEY_FILE".into(), key.to_string_lossy().into_owned()));
    for database in ["beneinfo", "druginfo", "planinfo"] {
        let lock = std::fs::read_to_string(project().join(format!("sql/{database}/schema.lock")));
        let lock = lock.unwrap();
        let version = lock.lines().find_map(|line| line.strip_prefix("version = ")).unwrap();
        let accepts = ["contract", "set", database, "--app", "test", "--accepts", version];
        world.kiln(&accepts).succeeds();
        world.kiln(&["synth", database, "--scale", "0.0002", "--to", "s3://kiln"]).succeeds();
        world.kiln(&["run", database]).succeeds();
    }
    let said = verified(&world, &[], 0);
    assert_eq!(said.len(), 3);
    for database in said {
        let read = tables(&database);
        assert!(read.iter().all(|(_, same)| *same), "{database}");
        assert_eq!(database["tables_in_all"], read.len());
    }
    // A part of it, and what comes out of its file, like any build.
    let file = world.folder.path().join("part.sql.gz").to_string_lossy().into_owned();
    world.kiln(&["subset", "druginfo", "--percent", "50", "--to", &file]).succeeds();
    let subset = world.newest_build();
    world.kiln(&["restore", &file, "--no-swap"]).succeeds();
    let restored = world.newest_build();
    assert!(subset.ends_with("_subset") && restored.ends_with("_subset") && subset != restored);
    for build in [subset, restored] {
        let said = verified(&world, &[&build], 0);
        assert!(tables(&said[0]).iter().all(|(_, same)| *same), "{said:?}");
        assert!(tables(&said[0]).len() > 9, "{said:?}");
    }
}

#[test]
fn what_is_brought_over_is_verified_too() {
    let mut world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
    world.anew = false;
    world.put("tiny", "item_20260702.csv", ROWS);
    world.kiln(&["build", "tiny"]).succeeds();
    let build = world.newest_build();
    assert_eq!(tables(&verified(&world, &[&build], 0)[0]).len(), 2);
}
