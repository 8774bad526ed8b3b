//! What a person says about builds and gates: waivers, and (P35) that a rollback holds.

mod again;
mod rollback;
mod waivers;

use crate::support::World;

const ITEM_SQL: &str = "-- pre-data
create table item (code text not null, name text);
comment on table item is 'Things under test. [test]';
comment on column item.code is 'Its key. [test]';
comment on column item.name is 'Its name. [test]';
-- post-data
alter table item add primary key (code);
";

const OTHER_SQL: &str = "-- pre-data
create table other (code text not null);
comment on table other is 'What never changes. [test]';
comment on column other.code is 'Its key. [test]';
-- post-data
create index other_code on other (code);
";

const ITEM: &str = "description = \"Things under test.\"
object = '^item_(?<posted>\\d{8})\\.csv$'
columns = [{ from = \"code\" }, { from = \"name\" }]

[format]
delimiter = \",\"
";

const OTHER: &str = "description = \"What never changes.\"
object = '^other\\.csv$'
columns = [{ from = \"code\" }]

[format]
delimiter = \",\"
";

/// A database of two small tables; nights load what has changed, as they do every day.
fn tiny() -> World {
    let mut world = World::new();
    world.root = world.folder.path().join("root");
    for (file, text) in [
        ("sql/tiny/0001_item.sql", ITEM_SQL),
        ("sql/tiny/0002_other.sql", OTHER_SQL),
        ("sources/tiny/item.toml", ITEM),
        ("sources/tiny/other.toml", OTHER),
    ] {
        let path = world.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    world.kiln(&["schema", "lock", "tiny"]).succeeds();
    world.kiln(&["contract", "set", "tiny", "--app", "test", "--accepts", "1"]).succeeds();
    world.put("tiny", "other.csv", b"code\nx\n");
    world.anew = false;
    world
}

/// CMS posts `item` of this day of July, with this name in it.
fn post(world: &World, day: u32, name: &str) {
    let file = format!("item_202607{day:02}.csv");
    world.put("tiny", &file, format!("code,name\na,{name}\n").as_bytes());
}

/// The same, and a night that goes well.
fn night(world: &World, day: u32, name: &str) {
    post(world, day, name);
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(live_name(world), name);
}

/// What readers see.
fn live_name(world: &World) -> String {
    world.postgres.value("tiny", "select name from item")
}
