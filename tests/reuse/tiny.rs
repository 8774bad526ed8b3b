//! What a small database of its own shows best: a table with jsonb, a file that is no archive, and
//! a key that hashes people.

use super::loaded;
use crate::support::{World, project};

const SQL: &str = "-- pre-data
create table item (code text not null, fields jsonb not null);
comment on table item is 'Things under test. [test]';
comment on column item.code is 'Its key. [test]';
comment on column item.fields is 'All else. [test]';
-- post-data
alter table item add primary key (code);
";

const OTHER_SQL: &str = "-- pre-data
create table other (code text not null, day text not null);
comment on table other is 'What is plain. [test]';
comment on column other.code is 'Its key. [test]';
comment on column other.day is 'When it was posted. [test]';
-- post-data
create index other_code on other (code);
";

const SPEC: &str = "description = \"Things under test.\"
object = '^item\\.csv$'
columns = [{ from = \"code\" }]

[others]
to = \"fields\"

[format]
delimiter = \",\"
";

const OTHER: &str = "description = \"What is plain.\"
object = '^other_(?<posted>\\d{8})\\.csv$'
columns = [{ from = \"code\" }, { of = \"posted\", to = \"day\" }]

[format]
delimiter = \",\"
";

fn tiny() -> World {
    let mut world = World::new();
    world.root = world.folder.path().join("root");
    for (file, text) in [
        ("sql/tiny/0001_item.sql", SQL),
        ("sql/tiny/0002_other.sql", OTHER_SQL),
        ("sources/tiny/item.toml", SPEC),
        ("sources/tiny/other.toml", OTHER),
    ] {
        let path = world.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    world.kiln(&["schema", "lock", "tiny"]).succeeds();
    world.kiln(&["contract", "set", "tiny", "--app", "test", "--accepts", "1"]).succeeds();
    world.put("tiny", "item.csv", b"code,b,a\nx,1,2\n");
    world.put("tiny", "other_20260101.csv", b"code\nc\n");
    world.anew = false;
    world.kiln(&["run", "tiny"]).succeeds();
    world
}

#[test]
fn a_table_with_jsonb_is_brought_over_like_any_other() {
    let world = tiny();
    let said = world.kiln(&["run", "tiny", "--json"]).succeeds().json();
    assert!(said["nothing_to_do"].is_string(), "unchanged is unchanged: {said}");
    world.put("tiny", "other_20260102.csv", b"code\nd\n");
    let plan = world.kiln(&["plan", "tiny"]).succeeds().stdout;
    assert!(!plan.contains("item  loaded from"), "{plan}");
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(loaded(&world, "tiny"), ["other"]);
    assert_eq!(world.postgres.value("tiny", "select fields ->> 'a' from item"), "2");
}

#[test]
fn a_name_that_rows_are_made_of_must_be_the_same() {
    let world = tiny();
    // The same bytes, posted on another day, which a column says.
    world.put("tiny", "other_20260102.csv", b"code\nc\n");
    world.kiln(&["run", "tiny"]).succeeds();
    assert!(loaded(&world, "tiny").contains(&"other".to_owned()));
    assert_eq!(world.postgres.value("tiny", "select day from other"), "20260102");
}

#[test]
fn a_plain_file_that_was_replaced_is_loaded() {
    let world = tiny();
    world.put("tiny", "other_20260101.csv", b"code\nd\n");
    world.edit("sources/tiny/item.toml", "description", "# changed\ndescription");
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(loaded(&world, "tiny"), ["item", "other"]);
    assert_eq!(world.postgres.value("tiny", "select code from other"), "d");
}

#[test]
fn another_key_makes_other_hashes() {
    let mut world = World::new();
    world.root = project();
    let key = world.folder.path().join("hash.key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    world.environment.push(("KILN_HASH_KEY_FILE".into(), key.to_string_lossy().into_owned()));
    world.kiln(&["contract", "set", "beneinfo", "--app", "test", "--accepts", "1"]).succeeds();
    world.kiln(&["synth", "beneinfo", "--scale", "0.0001", "--to", "s3://kiln"]).succeeds();
    world.anew = false;
    world.kiln(&["run", "beneinfo"]).succeeds();
    let people = "select string_agg(bene_sk_hash::text, ',' order by 1) from bene_lis";
    let column = "select column_name::text from information_schema.columns
                  where table_name = 'bene_lis' and data_type = 'uuid' limit 1";
    let people = people.replace("bene_sk_hash", &world.postgres.value("beneinfo", column));
    let before = world.postgres.value("beneinfo", &people);
    let said = world.kiln(&["run", "beneinfo", "--json"]).succeeds().json();
    assert!(said["nothing_to_do"].is_string(), "{said}");
    std::fs::write(&key, "another key, which nobody has seen before").unwrap();
    let plan = world.kiln(&["plan", "beneinfo"]).succeeds().stdout;
    assert!(plan.contains("the key that hashes identifiers changed"), "{plan}");
    assert!(!plan.contains("another key, which"), "{plan}");
    world.kiln(&["run", "beneinfo"]).succeeds();
    assert_ne!(world.postgres.value("beneinfo", &people), before);
    assert!(loaded(&world, "beneinfo").contains(&"bene_lis".to_owned()));
}
