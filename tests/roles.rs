//! Who may do what: an app reads and nothing else, nobody writes to a sealed build, and no
//! name reaches SQL as anything but a name. The whole suite runs kiln as `loader`, which is
//! no superuser; this module says so once more.

mod names;

use crate::support::World;

/// What a reader must not be able to do in a live build, whatever it sets for its session.
const FORBIDDEN: [&str; 24] = [
    "insert into plan_information select * from plan_information",
    "update plan_information set premium = 0",
    "delete from plan_information",
    "truncate plan_information",
    "copy plan_information from stdin",
    "select * from plan_information for update",
    "begin; lock table plan_information in access exclusive mode",
    "create table mine (x int)",
    "create table kiln.mine (x int)",
    "create temp table mine (x int)",
    "create schema mine",
    "create index on plan_information (premium)",
    "alter table plan_information add column x int",
    "alter table plan_information owner to app",
    "drop table plan_information",
    "drop schema kiln cascade",
    "drop database druginfo",
    "alter database druginfo rename to mine",
    "alter database druginfo set default_transaction_read_only = off",
    "comment on database druginfo is 'mine'",
    "create function f() returns int language sql as 'select 1'",
    "grant select on kiln.reject to public",
    "update kiln.stamp set version = 2",
    "copy plan_information to program 'cat'",
];

// Known holes, which a non-superuser cannot close (reliability M17):
// - `select lo_create(0)`: PUBLIC may call it, and only a superuser can revoke that. What it
//   makes is no table, no query of an app's sees it, and it goes with the build.
// - the owner's own rights: who may drop a retired build may drop a live one. A sealed build
//   is read-only to the loader until it says otherwise, its rows are refused even then, and
//   what DDL changes the gate sees in the fingerprint.

const REFUSED: [&str; 2] = ["42501", "25006"];

#[test]
fn an_app_reads_and_can_do_nothing_else() {
    let world = World::ready();
    world.night();
    for sql in FORBIDDEN {
        let refused = world.postgres.refusal("app", "druginfo", sql);
        assert!(
            refused.as_deref().is_some_and(|code| REFUSED.contains(&code)),
            "{sql}: {refused:?}"
        );
    }
    for sql in [
        "select * from plan_information",
        "copy plan_information to stdout",
        "select * from kiln.stamp",
        "select * from kiln.source",
        "select * from kiln.file",
    ] {
        assert_eq!(world.postgres.refusal("app", "druginfo", sql), None, "{sql}");
    }
    for sql in
        ["select * from kiln.reject", "select * from kiln.manifest", "select * from kiln.task"]
    {
        assert_eq!(
            world.postgres.refusal("app", "druginfo", sql).as_deref(),
            Some("42501"),
            "{sql}"
        );
    }
    // kiln's own database is none of an app's business.
    for sql in ["select * from kiln.contract", "delete from kiln.audit", "create table x (a int)"] {
        assert_eq!(world.postgres.refusal("app", "kiln", sql).as_deref(), Some("42501"), "{sql}");
    }
}

#[test]
fn the_loader_itself_cannot_change_the_rows_of_a_sealed_build() {
    let world = World::ready();
    world.night();
    let before = world.live();
    // As it comes in: everything but reading is refused by the build itself.
    for sql in FORBIDDEN.iter().filter(|sql| !sql.contains("database druginfo")) {
        let refused = world.postgres.refusal_by_default("loader", "druginfo", sql);
        assert!(
            refused.as_deref().is_some_and(|code| REFUSED.contains(&code)),
            "{sql}: {refused:?}"
        );
    }
    // Even when it asks for a writable session, rows stay as they were sealed.
    for sql in &FORBIDDEN[..6] {
        for role in ["loader", "kiln_owner"] {
            let sql = format!("set role {role}; {sql}");
            let refused = world.postgres.refusal("loader", "druginfo", &sql);
            assert_eq!(refused.as_deref(), Some("42501"), "{sql}");
        }
    }
    assert_eq!(world.live(), before);
}

#[test]
fn what_was_changed_in_a_sealed_build_by_its_owner_is_not_promoted() {
    let world = World::ready();
    world.kiln(&["build", "druginfo"]).succeeds();
    let build = world.databases().pop().unwrap();
    let sql = "set role kiln_owner; alter table plan_information add column x int";
    assert_eq!(world.postgres.refusal("loader", &build, sql), None);
    world.kiln(&["swap", "druginfo"]).exits(13).says(&["its catalog was changed after the seal"]);
    assert_eq!(world.live(), None);
}

#[test]
fn nobody_but_the_app_role_may_connect_and_only_to_what_is_sealed() {
    let world = World::ready();
    world.postgres.execute("postgres", "create role stranger login");
    let refusal = |role: &str, database: &str| world.postgres.refusal(role, database, "select 1");
    // an unsealed build: paused while it is copied
    let (running, pause) = world.paused(&["run", "druginfo"], "copy");
    let build = world.databases().pop().unwrap();
    assert_eq!(refusal("app", &build).as_deref(), Some("42501"));
    assert_eq!(refusal("stranger", &build).as_deref(), Some("42501"));
    std::fs::remove_file(&pause).unwrap();
    let outcome = running.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_eq!(refusal("app", "druginfo"), None);
    assert_eq!(refusal("stranger", "druginfo").as_deref(), Some("42501"));
    // a failed build
    world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", "check=error").run();
    let failed = world.databases().pop().unwrap();
    assert_ne!(failed, "druginfo");
    assert_eq!(refusal("app", &failed).as_deref(), Some("42501"));
    assert_eq!(refusal("stranger", &failed).as_deref(), Some("42501"));
}

#[test]
fn an_app_can_guard_its_own_start_with_its_own_rights() {
    let world = World::ready();
    world.night();
    let own = world.postgres.url_as("app", "postgres");
    let guard = |range: &str| {
        let mut kiln = world.kiln(&["guard", "druginfo", "--accepts", range]);
        kiln.env("KILN_POSTGRES_URL", &own);
        kiln
    };
    guard("1").succeeds();
    guard("1..9").succeeds();
    guard("2").exits(13).says(&["druginfo has schema version 1", "this app accepts 2..2"]);
}

#[test]
fn kiln_is_no_superuser_and_owns_nothing_that_logs_in() {
    let world = World::ready();
    world.night();
    let value = |sql: &str| world.postgres.value("postgres", sql);
    assert_eq!(
        value(
            "select concat_ws('|', rolsuper, rolcreatedb, rolcreaterole, rolbypassrls) from pg_roles where rolname = 'loader'"
        ),
        "f|t|f|f"
    );
    assert_eq!(
        value(
            "select r.rolname || '|' || r.rolcanlogin from pg_database d join pg_roles r on r.oid = d.datdba where datname = 'druginfo'"
        ),
        "kiln_owner|false"
    );
}
