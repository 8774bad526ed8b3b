//! The subset's file: the same text every time, restored to the same digests by kiln and by psql,
//! and refused when one byte of it is not as it was.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{digests, subset, whole};
use crate::support::{World, wait_until};

fn written(world: &World, name: &str) -> (PathBuf, String) {
    let path = world.folder.path().join(name);
    let build = subset(world, &["--percent", "20", "--to", &path.to_string_lossy()]);
    (path, build)
}

fn text(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut text).unwrap();
    text
}

fn pack(path: &Path, text: &[u8]) {
    let file = std::fs::File::create(path).unwrap();
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap();
}

fn contents(world: &World, database: &str) -> String {
    world.postgres.contents(database).unwrap().1
}

#[test]
fn the_same_build_and_rule_give_the_same_bytes() {
    let world = whole();
    let (one, first) = written(&world, "one.sql.gz");
    let (other, second) = written(&world, "other.sql.gz");
    assert_ne!(first, second);
    assert!(std::fs::read(&one).unwrap() == std::fs::read(&other).unwrap());
    let left = std::fs::read_dir(world.folder.path()).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert!(!left.into_iter().any(|name| name.contains("partial")));
}

#[test]
fn a_file_is_restored_to_the_same_digests_and_is_live_at_once() {
    let world = whole();
    let (path, build) = written(&world, "part.sql.gz");
    let laptop = World::new();
    let file = path.to_string_lossy();
    let plan = laptop.kiln(&["restore", &file, "--dry-run"]).succeeds();
    assert!(plan.stdout.contains("druginfo would be restored: 20 % of druginfo_00001"), "{plan}");
    assert_eq!(laptop.databases(), Vec::<String>::new());
    let outcome = laptop.kiln(&["restore", &file]).succeeds();
    assert!(outcome.stdout.contains("psql \"$(kiln url druginfo)\""), "{outcome}");
    assert_eq!(contents(&laptop, "druginfo"), contents(&world, &build));
    assert_eq!(digests(&laptop, "druginfo"), digests(&world, &build));
    laptop.kiln(&["guard", "druginfo", "--accepts", "1"]).succeeds();
    laptop.kiln(&["url", "druginfo"]).succeeds();
    // A second one takes the first one's place, and nothing else is left.
    laptop.kiln(&["restore", &file, "--json"]).succeeds();
    assert_eq!(laptop.databases(), ["druginfo"]);
    assert_eq!(
        laptop.postgres.value("druginfo", "select build from kiln.stamp"),
        "druginfo_00002_subset"
    );
    // From the restored one no smaller one is made: what it is a share of is not there.
    laptop.kiln(&["subset", "druginfo", "--percent", "5"]).exits(10).says(&["is a subset itself"]);
    // Where the whole is live, it stays.
    let live = world.live();
    let outcome = world.kiln(&["restore", &file]).succeeds();
    assert!(outcome.stdout.contains("druginfo_00001 stays live"), "{outcome}");
    assert_eq!(world.live(), live);
}

#[test]
fn without_any_server_one_command_makes_a_working_database() {
    let world = whole();
    let (path, build) = written(&world, "part.sql.gz");
    let expected = digests(&world, &build);
    let home = tempfile::tempdir().unwrap();
    let alone = |arguments: &[&str]| {
        let mut kiln = crate::support::Kiln::new(arguments);
        kiln.env("KILN_HOME", &home.path().to_string_lossy()).current_dir(&world.root);
        kiln
    };
    alone(&["restore", &path.to_string_lossy()]).succeeds();
    let url = alone(&["url", "druginfo"]).succeeds().stdout;
    let sql = "select source || ' ' || rows || ' ' || digest from kiln.source order by 1";
    let asked = Command::new("psql").args([url.trim(), "-AtXc", sql]).output().unwrap();
    alone(&["down"]).succeeds();
    let said = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(said.lines().map(str::to_owned).collect::<Vec<_>>(), expected);
}

#[test]
fn psql_alone_restores_it_too() {
    let world = whole();
    let (path, build) = written(&world, "part.sql.gz");
    let laptop = World::new();
    laptop.postgres.execute(
        "postgres",
        "create database druginfo owner loader template template0 encoding 'UTF8' locale 'C'",
    );
    let script = world.folder.path().join("part.sql");
    std::fs::write(&script, text(&path)).unwrap();
    let psql = Command::new("psql")
        .args([&laptop.postgres.url("druginfo"), "-qX", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(&script)
        .output()
        .unwrap();
    assert!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
    assert_eq!(contents(&laptop, "druginfo"), contents(&world, &build));
    assert_eq!(digests(&laptop, "druginfo"), digests(&world, &build));
    assert_eq!(laptop.postgres.value("druginfo", "select period from kiln.stamp"), "2026Q2");
    // kiln reads the same text uncompressed.
    World::new().kiln(&["restore", &script.to_string_lossy()]).succeeds();
}

#[test]
fn a_file_that_is_cut_damaged_or_changed_leaves_nothing() {
    let world = whole();
    let (path, _) = written(&world, "part.sql.gz");
    let laptop = World::new();
    let packed = std::fs::read(&path).unwrap();
    let plain = text(&path);
    let bad = world.folder.path().join("bad.sql.gz");
    let refused = |code: i32, said: &str| {
        let outcome = laptop.kiln(&["restore", &bad.to_string_lossy()]).exits(code);
        outcome.says(&[said]);
        assert_eq!(laptop.databases(), Vec::<String>::new(), "{outcome}");
    };
    std::fs::write(&bad, &packed[..packed.len() - 5]).unwrap();
    refused(11, "damaged or cut");
    std::fs::write(&bad, &packed[..packed.len() / 2]).unwrap();
    refused(11, "damaged or cut");
    let mut flipped = packed.clone();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    std::fs::write(&bad, &flipped).unwrap();
    refused(11, "damaged or cut");
    let end = plain.len() - b"-- kiln: end\ncommit;\nvacuum analyze;\n".len();
    pack(&bad, &plain[..end]);
    refused(11, "is cut: its end is missing");

    let replace = |from: &str, to: &str| {
        let text = String::from_utf8(plain.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        pack(&bad, text.replacen(from, to, 1).as_bytes());
    };
    // One digit of one row.
    let row = String::from_utf8(plain.clone()).unwrap();
    let rows = row.split("-- kiln: copy geographic_locator\n").nth(1).unwrap();
    let row = rows.lines().nth(1).unwrap().to_owned();
    replace(&format!("\n{row}\n"), &format!("\n{}\n", row.replacen('\t', "x\t", 1)));
    refused(14, "table geographic_locator: the file says");
    replace(&format!("\n{row}\n"), "\n");
    refused(11, "table geographic_locator: the header says");
    replace("-- kiln: copy plan_information", "-- kiln: copy plan_infarmation");
    refused(11, "out of its place");
    replace("\"kiln_file\":1", "\"kiln_file\":2");
    refused(11, "of a form that this kiln does not read");
    replace("create table pricing (", "create table pricing (more text,");
    refused(13, "the catalog is not the locked one");
    for name in ["kiln", "postgres", "template1", "druginfo_00007", "a-b", "druginfo_00007_subset"]
    {
        replace("\"database\":\"druginfo\"", &format!("\"database\":\"{name}\""));
        refused(11, &format!("{name:?} cannot name a database"));
    }
    replace("\"table\":\"geographic_locator\"", "\"table\":\"x\\\" from stdin; drop table y; --\"");
    refused(11, "is no name of kiln's");
    pack(&bad, b"select 1;\n");
    refused(11, "is no file of kiln's");
    std::fs::remove_file(&bad).unwrap();
    refused(10, "cannot read");
    wait_until("kiln's sessions are gone", || laptop.sessions().is_empty());
}

/// What a section does is asked of Postgres, so that no spelling hides it.
#[test]
fn a_file_whose_sql_writes_to_kilns_own_schema_is_refused_however_it_is_written() {
    let world = whole();
    let (path, _) = written(&world, "part.sql.gz");
    let laptop = World::new();
    let plain = String::from_utf8(text(&path)).unwrap();
    let bad = world.folder.path().join("bad.sql.gz");
    let restore = |sql: &str| {
        let before = "create table pricing (";
        pack(&bad, plain.replacen(before, &format!("{sql}\n{before}"), 1).as_bytes());
        laptop.kiln(&["restore", &bad.to_string_lossy(), "--json"]).run()
    };
    for sql in [
        "truncate kiln.source;",
        "INSERT INTO \"kiln\".stamp default values;",
        "do $$ begin execute 'delete from ki' || 'ln.source'; end $$;",
        "set local search_path = kiln; delete from manifest; set local search_path = public;",
        "grant delete on all tables in schema kiln to current_user; delete from kiln.manifest;",
        "create table kiln.more ();",
        "alter table kiln.source add column more text;",
        "drop schema kiln cascade;",
        "alter schema kiln rename to klin;",
        // What ends the transaction might have done anything before.
        "commit; begin;",
        // What is put off to the commit.
        "create table late (no int);
         create function late() returns trigger language plpgsql as $$ begin
             execute 'grant all on all tables in schema kiln to current_user';
             insert into kiln.manifest select * from kiln.manifest limit 0; return null; end $$;
         create constraint trigger late after insert on late deferrable initially deferred
             for each row execute function late();
         insert into late values (1);",
    ] {
        let outcome = restore(sql);
        assert_eq!(outcome.code, 11, "{sql}: {outcome}");
        outcome.says(&["writes to kiln's own schema"]);
        let place = &outcome.json()["error"]["position"];
        assert_eq!(place["file"], "sql/druginfo/0009_pricing.sql", "{outcome}");
        assert_eq!(laptop.databases(), Vec::<String>::new(), "{outcome}");
    }
    // What the file's own rows set off, when COPY sends them.
    let outcome = restore(
        "create function sent() returns trigger language plpgsql as $$ begin
             execute 'grant all on all tables in schema kiln to current_user';
             delete from kiln.manifest; return null; end $$;
         create trigger sent after insert on geographic_locator execute function sent();",
    );
    assert_eq!(outcome.code, 11, "{outcome}");
    outcome.says(&["its rows write to kiln's own schema"]);
    assert_eq!(laptop.databases(), Vec::<String>::new(), "{outcome}");
    // To read it is no harm.
    let outcome = restore("do $$ begin perform from kiln.source; end $$;");
    assert_eq!(outcome.code, 0, "{outcome}");
}
