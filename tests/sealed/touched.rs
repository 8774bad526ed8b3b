//! Touched after its seal: named and refused, forwards and backwards, and nothing has changed.

use super::{ITEM_SQL, ROWS, TALLY_SQL, states, tiny};
use crate::support::World;

/// What somebody does to a build of this name, how it is undone, and what is said.
const RIGHTS: [(&str, &str, &str); 10] = [
    (
        "update kiln.source set rows = rows + 5 where source = 'item'",
        "update kiln.source set rows = rows - 5 where source = 'item'",
        "kiln.source says otherwise than its stamp of item",
    ),
    (
        "alter table item enable row level security",
        "alter table item disable row level security",
        "+ row security public.item",
    ),
    (
        "create policy few on item using (code < 'k2')",
        "drop policy few on item",
        "+ policy public.item few for *",
    ),
    (
        "create rule hide as on update to item do instead nothing",
        "drop rule hide on item",
        "+ rule CREATE RULE hide",
    ),
    (
        "revoke select on item from kiln_app",
        "grant select on item to kiln_app",
        "- relation public.item owner kiln_owner rights kiln_app=r/kiln_owner",
    ),
    (
        "grant insert on tally to kiln_app",
        "revoke insert on tally from kiln_app",
        "+ relation public.tally owner kiln_owner rights kiln_app=ar/kiln_owner",
    ),
    (
        "alter table item owner to loader",
        "alter table item owner to kiln_owner",
        "+ relation public.item owner loader",
    ),
    (
        "alter database {build} set search_path = pg_catalog",
        "alter database {build} reset search_path",
        "+ setting of the database: search_path=pg_catalog",
    ),
    (
        "alter role kiln_app in database {build} set work_mem = '1MB'",
        "alter role kiln_app in database {build} reset work_mem",
        "+ setting of kiln_app: work_mem=1MB",
    ),
    (
        "alter database {build} reset default_transaction_read_only",
        "alter database {build} set default_transaction_read_only = on",
        "- setting of the database: default_transaction_read_only=on",
    ),
];

/// What somebody does to rows, and what is said; there is no way back.
const ROWS_TOUCHED: [(&str, &str); 4] = [
    ("delete from tally", "table tally has 0 rows, its stamp says 1"),
    (
        "update item set name = 'x' where code = 'k1'",
        "table item: 1 row of it was written after its seal",
    ),
    (
        "delete from item where code in ('k2', 'k3');
         insert into item values ('k8', 'y', '{}'), ('k9', 'y', '{}')",
        "table item: 3 rows of it were written after its seal",
    ),
    ("delete from item where code = 'k4'", "table item has 3 rows, its stamp says 4"),
];

/// Touches a build in each of these ways: this command refuses it, and nothing has changed.
fn each_is_refused(world: &World, build: &str, command: &str) {
    let before = (world.postgres.contents("tiny"), states(world));
    let refused = |says: &str| {
        for arguments in [&[command, "tiny"][..], &[command, "tiny", "--dry-run"]] {
            let outcome = world.kiln(arguments).exits(13);
            outcome.says(&[&format!("{build} is not promoted: it is not what was sealed"), says]);
            outcome.says(&[&format!("hint: `kiln verify {build}`")]);
        }
        assert_eq!((world.postgres.contents("tiny"), states(world)), before, "{says}");
    };
    let execute = |sql: &str| world.postgres.execute(build, &sql.replace("{build}", build));
    for (touch, undo, says) in RIGHTS {
        execute(touch);
        refused(says);
        execute(undo);
    }
    // All of it was undone, and what is there was sealed.
    world.kiln(&[command, "tiny", "--dry-run"]).succeeds();
    for (touch, says) in ROWS_TOUCHED {
        execute(touch);
        refused(says);
    }
}

#[test]
fn a_build_that_was_touched_is_never_swapped_in() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
    world.put("tiny", "item_20260702.csv", ROWS);
    world.kiln(&["build", "tiny"]).succeeds();
    each_is_refused(&world, "tiny_00002", "swap");
}

#[test]
fn a_build_that_was_touched_is_never_rolled_back_to() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
    world.put("tiny", "item_20260702.csv", ROWS);
    world.kiln(&["run", "tiny"]).succeeds();
    each_is_refused(&world, "tiny_00001", "rollback");
}

#[test]
fn other_transactions_and_readers_do_not_touch_a_build() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
    world.put("tiny", "item_20260702.csv", ROWS);
    world.kiln(&["build", "tiny"]).succeeds();
    world.postgres.execute(
        "postgres",
        "do $$ begin for i in 1..300 loop perform pg_current_xact_id(); commit; end loop; end $$",
    );
    world.postgres.execute("tiny_00002", "vacuum (freeze, analyze) item");
    world.postgres.execute("tiny_00002", "analyze tally");
    world.kiln(&["swap", "tiny"]).succeeds();
    world.kiln(&["rollback", "tiny"]).succeeds();
}

#[test]
fn a_build_of_an_older_kiln_is_judged_by_what_its_stamp_holds_and_that_is_said() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
    for file in ["item_20260702.csv", "item_20260703.csv"] {
        world.put("tiny", file, ROWS);
        world.kiln(&["build", "tiny"]).succeeds();
        let build = world.newest_build();
        world.postgres.execute(&build, "alter table kiln.stamp drop column contents");
        if file.contains("0702") {
            let outcome = world.kiln(&["swap", "tiny"]).succeeds();
            assert!(outcome.stdout.contains("note: an older kiln sealed it"), "{outcome}");
        }
    }
    let build = world.newest_build();
    world.postgres.execute(&build, "delete from item where code = 'k1'");
    let said = "table item has 3 rows, its stamp says 4";
    world.kiln(&["swap", "tiny", &build]).exits(13).says(&[said]);
}

#[test]
fn a_name_out_of_a_stamp_is_a_name_or_nothing() {
    let world = tiny(ITEM_SQL, TALLY_SQL);
    world.kiln(&["run", "tiny"]).succeeds();
    world.put("tiny", "item_20260702.csv", ROWS);
    world.kiln(&["build", "tiny"]).succeeds();
    let build = world.newest_build();
    let before = (world.postgres.contents("tiny"), states(&world));
    let evil = r#"item\" where false; drop table tally; --"#;
    // As kiln of now has it, and as an older one.
    for sql in [
        format!(
            "update kiln.stamp set contents = jsonb_set(contents, '{{tables,0,table}}', '\"{evil}\"')"
        ),
        format!(
            "update kiln.stamp set contents = null, ledger = jsonb_set(ledger, '{{sources,0,source}}', '\"{evil}\"')"
        ),
    ] {
        world.postgres.execute(&build, &sql);
        world.kiln(&["swap", "tiny"]).exits(13);
        world.kiln(&["verify", &build]).exits(13);
        let there = "select count(*)::text from pg_class where relname in ('item', 'tally')";
        assert_eq!(world.postgres.value(&build, there), "2");
    }
    assert_eq!((world.postgres.contents("tiny"), states(&world)), before);
}
