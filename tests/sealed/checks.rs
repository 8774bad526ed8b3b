//! A check only reads, and what was loaded stays as it was loaded.

use super::{ITEM_SQL, TALLY_SQL, refused_night, states, tiny, unlocked};

fn with_check(sql: &str) -> String {
    format!("{ITEM_SQL}\n-- check: nothing is dear\n{sql}\n")
}

#[test]
fn a_check_that_writes_is_refused_by_schema_check_and_by_the_night() {
    let line = ITEM_SQL.lines().count() + 3;
    for (sql, why) in [
        ("with gone as (delete from item returning 1) select 1 where false;", "writes"),
        ("truncate item;", "writes"),
        ("select 1 where false; truncate item;", "is more than one statement"),
    ] {
        let world = unlocked(&with_check(sql), TALLY_SQL);
        let said = format!("check \"nothing is dear\" {why}");
        let checked = world.kiln(&["schema", "check", "tiny"]).exits(2);
        checked.says(&["sql/tiny/0001_item.sql:", &said]);
        world.edit("sql/tiny/0001_item.sql", sql, "select 1 where false;");
        world.kiln(&["schema", "lock", "tiny"]).succeeds();
        world.edit("sql/tiny/0001_item.sql", "select 1 where false;", sql);
        let outcome = refused_night(&world, 2, &["sql/tiny/0001_item.sql:", &said]);
        let at = format!("0001_item.sql:{line}: ");
        assert!(outcome.stderr.contains(&at), "{outcome}");
        let build = "select name from kiln.build order by name desc limit 1";
        let kept = world.postgres.value("kiln", build);
        assert_eq!(world.postgres.value(&kept, "select count(*)::text from item"), "4");
    }
}

#[test]
fn a_check_is_a_query() {
    let world = unlocked(&with_check("set work_mem = '1MB';"), TALLY_SQL);
    world
        .kiln(&["schema", "check", "tiny"])
        .exits(2)
        .says(&["sql/tiny/0001_item.sql:", "check \"nothing is dear\" is no query"]);
    // Comments and the last semicolon are no second statement.
    let sql = "-- why\nselect code /* key */ from item\nwhere false; -- nothing\n-- more";
    let world = tiny(&with_check(sql), TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
}

#[test]
fn a_section_that_changes_loaded_rows_is_refused_with_its_place() {
    let key = "alter table item add primary key (code);\n";
    let post_data = |sql: &str| ITEM_SQL.replace(key, &format!("{key}{sql}\n"));
    for (item, tally, says) in [
        (
            post_data("delete from item where code < 'k3';"),
            TALLY_SQL.to_owned(),
            ["sql/tiny/0001_item.sql:12: `-- post-data` changes table item", "2 deleted"],
        ),
        (
            post_data("update item set name = 'CHANGED';"),
            TALLY_SQL.to_owned(),
            ["sql/tiny/0001_item.sql:12: `-- post-data` changes table item", "4 updated"],
        ),
        (
            ITEM_SQL.to_owned(),
            format!("{TALLY_SQL}delete from item where code < 'k2';\n"),
            ["sql/tiny/0002_tally.sql:1: `-- derive` changes table item", "1 deleted"],
        ),
        (
            ITEM_SQL.to_owned(),
            format!("{TALLY_SQL}insert into item values ('k9', null, '{{}}');\n"),
            ["sql/tiny/0002_tally.sql:1: `-- derive` changes table item", "1 inserted"],
        ),
        // No row is counted that TRUNCATE takes; the seal counts what is there.
        (
            ITEM_SQL.to_owned(),
            format!("{TALLY_SQL}truncate item;\n"),
            ["not sealed: table item has 0 rows", "4 were loaded"],
        ),
    ] {
        refused_night(&tiny(&item, &tally), 14, &says);
    }
}

#[test]
fn the_stamp_says_what_is_there_of_every_table() {
    let world = tiny(ITEM_SQL, &format!("{TALLY_SQL}insert into tally values (7, 'more');\n"));
    world.kiln(&["run", "tiny"]).succeeds();
    let sql = "select t ->> 'table' || ' ' || (t ->> 'rows') || ' ' || length(t -> 'reading' ->> 'digest')
               from kiln.stamp, jsonb_array_elements(contents -> 'tables') t order by 1";
    assert_eq!(world.postgres.rows("tiny", sql), ["item 4 32", "tally 2 32"]);
    // The loader's digest, of what it sent, is the one that is stored: jsonb too.
    let sql = "select (t -> 'reading' ->> 'digest' = s.digest)::text
               from kiln.stamp, kiln.source s, jsonb_array_elements(contents -> 'tables') t
               where t ->> 'table' = s.source";
    assert_eq!(world.postgres.rows("tiny", sql), ["true"]);
}

/// A spec whose records are lines: what stands in which of them is then known.
const LINES: &str = "description = \"Things under test.\"
object = '^item_(?<posted>\\d{8})\\.csv$'
columns = [{ from = \"code\" }, { from = \"name\" }]

[others]
to = \"fields\"

[budget]
rejects = 2

[format]
delimiter = \",\"
quoting   = \"none\"
encoding  = \"utf-8\"
";

/// The third and the sixth line are refused: no code.
const WITH_REJECTS: &[u8] =
    b"code,name,a\nk1,one,\n,none,\nk2,two,\nk3,dear,\n,none,\nk4,dear,\nk5,five,\n";

#[test]
fn a_failed_check_shows_the_keys_of_its_rows_and_their_lines() {
    let item = with_check("select name, code from item where name = 'dear' order by code;");
    let world = tiny(&item, TALLY_SQL);
    std::fs::write(world.root.join("sources/tiny/item.toml"), LINES).unwrap();
    world.put("tiny", "item_20260702.csv", WITH_REJECTS);
    refused_night(
        &world,
        14,
        &[
            "check \"nothing is dear\" found 2 rows",
            "\n  (code)=(k3) in line 5",
            "\n  (code)=(k4) in line 7",
        ],
    );
    // More than five are counted, and a column that is of no key is shown where there is none of one.
    let item = ITEM_SQL.to_owned()
        + "\n-- check: few\nselect n as many from generate_series(1, 9) n, item where code = 'k1';\n";
    let world = tiny(&item, TALLY_SQL);
    let outcome = refused_night(&world, 14, &["found 9 rows", "\n  (many)=(1)", "\n  (many)=(5)"]);
    assert!(!outcome.stderr.contains("(many)=(6)"), "{outcome}");
}

#[test]
fn a_duplicate_key_names_both_lines() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    std::fs::write(world.root.join("sources/tiny/item.toml"), LINES).unwrap();
    let twice = [WITH_REJECTS, b"k2,again,\nk4,again,\nk4,again,\n"].concat();
    world.put("tiny", "item_20260702.csv", &twice);
    refused_night(
        &world,
        14,
        &[
            "sql/tiny/0001_item.sql:13: the data breaks item_pkey of table item (SQLSTATE 23505)",
            "key (code)=(k2) is in lines 4 and 9",
            "key (code)=(k4) is in lines 7, 10 and 1 more",
            "the build is kept for a look",
        ],
    );
    assert_eq!(states(&world), ["tiny_00001 failed"], "kept, as the message says");
}
