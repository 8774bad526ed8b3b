//! What is sealed is what is there: a check cannot write, sections cannot change what was loaded, and a
//! build that somebody touched after its seal is named and refused, by `kiln verify` to the last value.

mod checks;
mod touched;
mod verify;

use crate::support::{Outcome, World};

const ITEM_SQL: &str = "-- pre-data
create table item (
    code   text not null,
    name   text,
    fields jsonb not null
);
comment on table item is 'Things under test. [test]';
comment on column item.code is 'Its key. [test]';
comment on column item.name is 'Its name. [test]';
comment on column item.fields is 'All else. [test]';

-- post-data
alter table item add primary key (code);
";

const TALLY_SQL: &str = "-- derive
create table tally as select count(*)::integer as items, max(name) as last_name from item;
alter table tally add primary key (items);
comment on table tally is 'How many there are. [test]';
comment on column tally.items is 'Of them. [test]';
comment on column tally.last_name is 'By the alphabet. [test]';
";

const ITEM: &str = "description = \"Things under test.\"
object = '^item_(?<posted>\\d{8})\\.csv$'
columns = [{ from = \"code\" }, { from = \"name\" }]

[others]
to = \"fields\"

[format]
delimiter = \",\"
quoting   = \"double\"
encoding  = \"utf-8\"
";

/// Names that jsonb has in another order than the file, and texts that it must escape.
const ROWS: &[u8] = b"code,name,long name,b,a\n\
    k1,one,\"x, \"\"y\"\"\",2,\\\n\
    k2,two,\xc3\xa9\x01,,4\n\
    k3,three,,,\n\
    k4,four,1,\"\",5\n";

/// A world with that database: nothing of it is live yet.
fn unlocked(item_sql: &str, tally_sql: &str) -> World {
    let mut world = World::new();
    world.root = world.folder.path().join("root");
    for (file, text) in [
        ("sql/tiny/0001_item.sql", item_sql),
        ("sql/tiny/0002_tally.sql", tally_sql),
        ("sources/tiny/item.toml", ITEM),
    ] {
        let path = world.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    world.kiln(&["contract", "set", "tiny", "--app", "test", "--accepts", "1"]).succeeds();
    world.put("tiny", "item_20260701.csv", ROWS);
    world
}

/// The same, its schema locked.
fn tiny(item_sql: &str, tally_sql: &str) -> World {
    let world = unlocked(item_sql, tally_sql);
    world.kiln(&["schema", "lock", "tiny"]).succeeds();
    world
}

/// The night is refused, and nothing is live.
fn refused_night(world: &World, code: i32, says: &[&str]) -> Outcome {
    let outcome = world.kiln(&["run", "tiny"]).exits(code);
    outcome.says(says);
    assert_eq!(world.postgres.contents("tiny"), None, "{outcome}");
    outcome
}

/// The builds and what they are.
fn states(world: &World) -> Vec<String> {
    world.postgres.rows(
        "postgres",
        "select datname || ' ' || (shobj_description(oid, 'pg_database')::json ->> 'state')
         from pg_database where datname like 'tiny%' order by 1",
    )
}
