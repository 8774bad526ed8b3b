//! Tables that are made from named tables: copied where those were, else made again. When it was
//! made stands in the table, so that the one is told from the other.

use super::loaded;
use crate::support::World;

const PART: &str = "-- pre-data
create table part (code text not null);
comment on table part is 'What is counted. [test]';
comment on column part.code is 'Its key. [test]';
-- post-data
alter table part add primary key (code);
";

const OTHER: &str = "-- pre-data
create table other (code text not null);
comment on table other is 'What changes. [test]';
comment on column other.code is 'Its key. [test]';
-- post-data
alter table other add primary key (code);
";

/// Of no parts it makes a row as well.
const TALLY: &str = "-- derive from part
create table tally as select count(*)::integer as parts, clock_timestamp()::text as made from part;
alter table tally add primary key (parts);
comment on table tally is 'How many there are. [test]';
comment on column tally.parts is 'Parts. [test]';
comment on column tally.made is 'When they were counted. [test]';
";

fn spec(name: &str) -> String {
    format!(
        "description = \"Things under test.\"
object = '^{name}_(?<posted>\\d{{8}})\\.csv$'
columns = [{{ from = \"code\" }}]

[format]
delimiter = \",\"
"
    )
}

/// A night has been; another file of `other` has landed.
fn second_night() -> World {
    second_night_with("")
}

/// The same, where the section that makes the table does this as well.
fn second_night_with(more: &str) -> World {
    let world = first_night_with(more);
    world.kiln(&["run", "made"]).succeeds();
    world.put("made", "other_20260102.csv", b"code\nd\n");
    world
}

/// Two files have landed, and nothing has been done.
fn first_night_with(more: &str) -> World {
    let mut world = World::new();
    world.root = world.folder.path().join("root");
    for (file, text) in [
        ("sql/made/0001_part.sql", PART),
        ("sql/made/0002_other.sql", OTHER),
        ("sql/made/0003_tally.sql", &format!("{TALLY}{more}")),
        ("sources/made/part.toml", &spec("part")),
        ("sources/made/other.toml", &spec("other")),
    ] {
        let path = world.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    world.kiln(&["schema", "lock", "made"]).succeeds();
    world.kiln(&["contract", "set", "made", "--app", "test", "--accepts", "1"]).succeeds();
    world.put("made", "part_20260101.csv", b"code\na\nb\n");
    world.put("made", "other_20260101.csv", b"code\nc\n");
    world.anew = false;
    world
}

/// How many parts were counted, and when.
fn tally(world: &World) -> (String, String) {
    let value =
        |column: &str| world.postgres.value("made", &format!("select {column}::text from tally"));
    (value("parts"), value("made"))
}

#[test]
fn what_was_made_of_the_same_rows_is_brought_over_with_its_key_and_comments() {
    let world = second_night();
    let before = tally(&world);
    world.kiln(&["run", "made"]).succeeds();
    assert_eq!(loaded(&world, "made"), ["other"]);
    assert_eq!(tally(&world), before);
    let said = "select obj_description('tally'::regclass) || (select indisprimary from pg_index
                where indrelid = 'tally'::regclass)";
    assert_eq!(world.postgres.value("made", said), "How many there are. [test]true");
    // And from that build to the next one.
    world.put("made", "other_20260103.csv", b"code\ne\n");
    world.kiln(&["run", "made"]).succeeds();
    assert_eq!(tally(&world), before);
    world.put("made", "part_20260102.csv", b"code\na\nb\nx\n");
    world.kiln(&["run", "made"]).succeeds();
    let (parts, made) = tally(&world);
    assert_eq!(parts, "3");
    assert_ne!(made, before.1);
}

#[test]
fn what_is_not_as_it_was_sealed_is_made_anew() {
    let world = second_night();
    let (parts, made) = tally(&world);
    let touch = "set default_transaction_read_only = off; update tally set parts = 99";
    world.postgres.execute("made", touch);
    world.kiln(&["run", "made"]).succeeds();
    assert!(world.log().contains("not copied: it is made anew"), "{}", world.log());
    let now = tally(&world);
    assert_eq!(now.0, parts);
    assert_ne!(now.1, made);
}

#[test]
fn what_other_sql_made_is_made_anew() {
    let world = second_night();
    let (parts, made) = tally(&world);
    world.edit(
        "sql/made/0003_tally.sql",
        "-- derive from part\n",
        "-- derive from part\n-- As ever.\n",
    );
    world.kiln(&["run", "made"]).succeeds();
    assert_eq!(loaded(&world, "made"), ["other"]);
    let now = tally(&world);
    assert_eq!(now.0, parts);
    assert_ne!(now.1, made);
}

#[test]
fn a_section_that_does_more_is_run_every_night() {
    let second = "create table second as select code from part;
alter table second add primary key (code);
comment on table second is 'Made beside it. [test]';
comment on column second.code is 'Its key. [test]';
";
    let view = "create view part_seen as select code from part;
comment on view part_seen is 'Made beside it. [test]';
comment on column part_seen.code is 'Its key. [test]';
";
    for more in [second, view] {
        let world = second_night_with(more);
        let before = tally(&world);
        world.kiln(&["run", "made"]).succeeds();
        assert_eq!(loaded(&world, "made"), ["other"]);
        assert_ne!(tally(&world).1, before.1);
        let beside = if more == second { "second" } else { "part_seen" };
        let count = format!("select count(*)::text from {beside}");
        assert_eq!(world.postgres.value("made", &count), "2");
    }
}

#[test]
fn numbers_of_a_build_s_own_catalog_are_made_anew() {
    let world = first_night_with(
        "alter table tally add column what regclass default 'part';
comment on column tally.what is 'What was counted. [test]';
",
    );
    world.kiln(&["run", "made"]).succeeds();
    world.put("made", "other_20260102.csv", b"code\nd\n");
    world.kiln(&["run", "made"]).succeeds();
    assert_eq!(world.postgres.value("made", "select what::text from tally"), "part");
}

/// A build that failed and was made whole again by other SQL: what its tables were made by is not known.
#[test]
fn a_build_that_went_on_with_other_sql_gives_no_table_back() {
    let world = first_night_with("");
    let check = "-- check: nothing is bad\nselect code from other where code = 'bad';\n";
    world.edit(
        "sql/made/0002_other.sql",
        "add primary key (code);\n",
        &format!("add primary key (code);\n{check}"),
    );
    world.kiln(&["schema", "lock", "made"]).succeeds();
    world.put("made", "other_20260102.csv", b"code\nbad\n");
    world.kiln(&["run", "made"]).exits(14);
    let build = world.newest_build();
    world.edit("sql/made/0003_tally.sql", "select count(*)", "select 10 * count(*)");
    world.put("made", "other_20260103.csv", b"code\nd\n");
    world.kiln(&["load", "made", "other", "--into", &build]).succeeds();
    world.kiln(&["resume", &build]).succeeds();
    world.kiln(&["swap", "made"]).succeeds();
    assert_eq!(tally(&world).0, "2");
    world.put("made", "other_20260104.csv", b"code\ne\n");
    world.kiln(&["run", "made"]).succeeds();
    assert_eq!(loaded(&world, "made"), ["other"]);
    assert_eq!(tally(&world).0, "20");
}

/// What a later section does to a table would be done to what it did the night before.
#[test]
fn a_table_that_another_section_changes_is_made_anew() {
    let world = first_night_with("");
    let later = "-- derive
insert into tally select ascii(code), code from other;
create table later as select count(*)::integer as n from tally;
alter table later add primary key (n);
comment on table later is 'Made of the tally. [test]';
comment on column later.n is 'Its rows. [test]';
";
    std::fs::write(world.root.join("sql/made/0004_later.sql"), later).unwrap();
    world.kiln(&["schema", "lock", "made"]).succeeds();
    world.kiln(&["contract", "set", "made", "--app", "test", "--accepts", "2"]).succeeds();
    world.kiln(&["run", "made"]).succeeds();
    for (day, code) in [("02", "d"), ("03", "e")] {
        world.put("made", &format!("other_202601{day}.csv"), format!("code\n{code}\n").as_bytes());
        world.kiln(&["run", "made"]).succeeds();
        assert_eq!(loaded(&world, "made"), ["other"]);
        let others = "select string_agg(made, ',') from tally where parts > 2";
        assert_eq!(world.postgres.value("made", others), code);
    }
}
