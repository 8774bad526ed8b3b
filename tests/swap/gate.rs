//! The gate from end to end (P2, P17): what does not fit is refused with its code and its reason,
//! and not a name has changed.

use super::{names_and_live, ready_to_swap, session};
use crate::support::{Outcome, World, wait_until};

/// `kiln swap` is refused, and nothing has changed.
fn refused(world: &World, code: i32, says: &[&str]) -> Outcome {
    refused_with(world, &["swap", "druginfo"], code, says)
}

fn refused_with(world: &World, arguments: &[&str], code: i32, says: &[&str]) -> Outcome {
    let before = names_and_live(world);
    let outcome = world.kiln(arguments).exits(code);
    outcome.says(says);
    outcome.says(&["hint: "]);
    assert_eq!(names_and_live(world), before, "{outcome}");
    outcome
}

#[test]
fn every_contract_must_accept_the_version_and_there_must_be_one() {
    let world = ready_to_swap();
    world.accept("2..3");
    refused(&world, 13, &["schema version 1, app test accepts 2..3", "kiln contract set druginfo"]);
    world.accept("1..3");
    let other = ["contract", "set", "druginfo", "--app", "other", "--accepts", "2"];
    world.kiln(&other).succeeds();
    let outcome = refused(&world, 13, &["schema version 1, app other accepts 2..2"]);
    assert!(!outcome.stderr.contains("app test"), "only who refuses is named: {outcome}");
    refused_with(&world, &["swap", "druginfo", "--dry-run"], 13, &["app other accepts 2..2"]);
    world.postgres.execute("kiln", "delete from kiln.contract");
    refused(&world, 13, &["no app has said", "kiln contract set druginfo"]);
    world.accept("1");
    let before = world.live();
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_ne!(world.live(), before);
    // The way back passes the same gate.
    world.accept("2");
    refused_with(&world, &["rollback", "druginfo"], 13, &["schema version 1", "accepts 2..2"]);
}

#[test]
fn a_newer_schema_waits_for_its_app() {
    let mut world = World::ready();
    world.night();
    world.own_root();
    world.edit("sql/druginfo/schema.lock", "serves_from = 1", "serves_from = 2");
    world.edit("sql/druginfo/schema.lock", "version = 1", "version = 2");
    let before = world.live();
    world.kiln(&["run", "druginfo"]).exits(13).says(&[
        "druginfo is as it was",
        "schema version 2, app test accepts 1..1",
        "deploy a test that accepts 2",
        "kiln swap druginfo",
    ]);
    assert_eq!(world.live(), before);
    world.accept("1..2");
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_ne!(world.live(), before);
}

/// Changes the first table's file and locks the schema anew.
fn relock(world: &World, from: &str, to: &str) -> Outcome {
    world.edit("sql/druginfo/0001_geographic_locator.sql", from, to);
    world.kiln(&["schema", "lock", "druginfo"]).succeeds()
}

#[test]
fn an_addition_needs_no_word_of_an_app_and_what_readers_would_miss_does() {
    let mut world = World::ready();
    world.night();
    world.own_root();
    let comment = "comment on table geographic_locator is";
    let view = "create view county_name as select county from geographic_locator;\n\
        comment on view county_name is 'Counties.';\n\
        comment on column county_name.county is 'Its name.';\n";
    relock(&world, comment, &format!("{view}{comment}"));
    let before = world.live();
    world.night();
    assert_ne!(world.live(), before);
    let stamp = "select version || ' serves from ' || serves_from from kiln.stamp";
    assert_eq!(world.postgres.value("druginfo", stamp), "2 serves from 1");
    world.kiln(&["guard", "druginfo", "--accepts", "1"]).succeeds();
    world.kiln(&["guard", "druginfo", "--accepts", "2"]).succeeds();
    world.kiln(&["guard", "druginfo", "--accepts", "3"]).exits(13);
    // Who accepts what live serves is not told that it does not; who does not is.
    let set = |accepts: &str| {
        let words = ["contract", "set", "druginfo", "--app", "late", "--accepts", accepts];
        let said = world.kiln(&words).succeeds().stdout;
        world.kiln(&["contract", "remove", "druginfo", "--app", "late"]).succeeds();
        said
    };
    assert!(!set("1").contains("note:"), "live serves readers of 1");
    assert!(set("3").contains("is live with version 2: no build of that version"), "{}", set("3"));
    // An app that reads the view must not fall back to a build without it.
    world.accept("2");
    refused_with(&world, &["rollback", "druginfo"], 13, &["version 1, app test accepts 2..2"]);
    world.accept("1..2");

    relock(&world, view, "");
    let before = world.live();
    let outcome = world.kiln(&["run", "druginfo"]).exits(13);
    outcome.says(&["it has schema version 3, app test accepts 1..2", "--accepts 1..3"]);
    assert_eq!(world.live(), before);
    world.kiln(&["guard", "druginfo", "--accepts", "1"]).succeeds();
}

#[test]
fn a_contract_that_no_build_could_meet_is_refused_and_one_may_be_taken_back() {
    let world = World::ready();
    world.night();
    let said = || {
        let sql = "select coalesce(string_agg(concat_ws(' ', app, accepts_min, accepts_max, until),
                       ', ' order by app), '') from kiln.contract";
        world.postgres.value("kiln", sql)
    };
    let set = |rest: &[&str]| {
        let words = ["contract", "set", "druginfo", "--app"];
        world.kiln(&[&words[..], rest].concat())
    };
    for dry in [&["--dry-run"][..], &[]] {
        let refused = |rest: &[&str], says: &[&str]| {
            set(&[rest, dry].concat()).exits(2).says(says);
            assert_eq!(said(), "test 1 1");
        };
        refused(
            &["an app", "--accepts", "0"],
            &[
                "versions begin at 1",
                "hint: to ask an app no more: kiln contract remove druginfo --app 'an app'",
            ],
        );
        refused(&["test", "--accepts", "1", "--until", "2020-01-31"], &["is over already"]);
    }
    set(&["other", "--accepts", "2", "--until", "2999-12-31"]).succeeds();
    assert_eq!(said(), "other 2 2 2999-12-31, test 1 1");
    let listed = world.kiln(&["contract", "list"]).succeeds();
    assert!(listed.stdout.contains("2..2 until 2999-12-31"), "{listed}");
    world.kiln(&["run", "druginfo"]).exits(13).says(&["app other accepts 2..2"]);
    // One that has ended is not asked.
    world
        .postgres
        .execute("kiln", "update kiln.contract set until = current_date - 1 where app = 'other'");
    world.kiln(&["swap", "druginfo", "--dry-run"]).succeeds();
    world
        .postgres
        .execute("kiln", "update kiln.contract set until = current_date where app = 'other'");
    world.kiln(&["swap", "druginfo", "--dry-run"]).exits(13);

    let remove = |app: &str, more: &[&str]| {
        let words = ["contract", "remove", "druginfo", "--app", app, "--why", "shut down"];
        world.kiln(&[&words[..], more].concat())
    };
    remove("othre", &[]).exits(2).says(&["no app \"othre\"", "did you mean `other`?"]);
    remove("other", &["--dry-run"]).succeeds();
    assert_ne!(said(), "test 1 1");
    remove("other", &[]).succeeds();
    assert_eq!(said(), "test 1 1");
    let audit = "select concat_ws(' ', action, details->>'app', why) from kiln.audit order by id desc limit 1";
    assert_eq!(world.postgres.value("kiln", audit), "contract remove other shut down");
    world.kiln(&["swap", "druginfo"]).succeeds();
}

#[test]
fn a_build_that_was_changed_after_its_seal_is_refused() {
    let world = ready_to_swap();
    let build = world.newest_build();
    world.postgres.execute(&build, "create index sneaked_in on pricing (unit_cost)");
    refused(&world, 13, &["its catalog was changed after the seal"]);
    world.postgres.execute(&build, "drop index sneaked_in; alter table pricing add extra int");
    refused(&world, 13, &["its catalog was changed after the seal"]);
    world.postgres.execute(&build, "alter table pricing drop extra");
    world.postgres.execute(
        &build,
        "create table kept as select * from pricing limit 1;
         delete from pricing where ctid = (select min(ctid) from pricing);
         drop table kept",
    );
    refused_with_counts(&world, &build);
    world.postgres.execute(&build, "delete from kiln.stamp");
    refused(&world, 13, &["is not sealed"]);
}

fn refused_with_counts(world: &World, build: &str) {
    let before = names_and_live(world);
    let outcome = world.kiln(&["swap", "druginfo"]).exits(13);
    outcome.says(&[&format!("{build} is not promoted: it is not what was sealed")]);
    outcome.says(&["table pricing has", "its stamp says"]);
    assert_eq!(names_and_live(world), before);
}

#[test]
fn a_build_without_a_seal_is_never_promoted_even_by_name_or_with_a_forged_tag() {
    let world = World::ready();
    world.night();
    for point in ["created=kill", "copy=kill", "check=error", "seal=kill"] {
        let failed = world.kiln(&["build", "druginfo"]).env("KILN_FAILPOINT", point).run();
        assert_ne!(failed.code, 0, "{failed}");
        let build = world.newest_build();
        refused_with(&world, &["swap", "druginfo", &build], 13, &[&build, "not sealed"]);
        let forge = format!(
            "do $$ declare tag jsonb := shobj_description(
                 (select oid from pg_database where datname = '{build}'), 'pg_database')::jsonb;
             begin
                 execute format('comment on database {build} is %L',
                                jsonb_set(tag, '{{state}}', '\"sealed\"'));
             end $$"
        );
        world.postgres.execute("postgres", &forge);
        refused_with(&world, &["swap", "druginfo", &build], 13, &[&build, "not sealed"]);
    }
    refused_with(&world, &["swap", "druginfo", "druginfo_99999"], 15, &["has no build"]);
    world.night();
    assert_eq!(world.databases().len(), 2, "{:?}", world.states());
}

#[test]
fn a_database_of_somebody_elses_with_the_live_name_stays_where_it_is() {
    let world = World::ready();
    world.postgres.execute("postgres", "create database druginfo");
    let oid = "select oid::text from pg_database where datname = 'druginfo'";
    let theirs = world.postgres.value("postgres", oid);
    let says = ["there is a database druginfo that kiln did not make", "rename it away"];
    world.kiln(&["run", "druginfo"]).exits(15).says(&says);
    refused(&world, 15, &says);
    assert_eq!(world.postgres.value("postgres", oid), theirs);
    world.postgres.execute("postgres", "alter database druginfo rename to theirs");
    world.kiln(&["swap", "druginfo"]).succeeds();
    world.kiln(&["guard", "druginfo", "--accepts", "1"]).succeeds();
}

#[test]
fn a_contract_set_while_the_gate_is_passed_waits_for_the_swap() {
    let world = ready_to_swap();
    let before = world.live();
    let (swap, file) = world.paused(&["swap", "druginfo"], "gate");
    let accepts = ["contract", "set", "druginfo", "--app", "test", "--accepts", "2"];
    let contract = world.kiln(&accepts).start();
    wait_until("the contract waits for the swap", || {
        let sql = "select pid::text from pg_stat_activity where wait_event_type = 'Lock'
                   and application_name like 'kiln %'";
        !world.postgres.rows("postgres", sql).is_empty()
    });
    // Whoever only asks is not kept.
    world.kiln(&["guard", "druginfo", "--accepts", "1"]).succeeds();
    world.kiln(&["status", "druginfo", "--json"]).succeeds();
    std::fs::remove_file(file).unwrap();
    let outcome = swap.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_eq!(contract.wait().code, 0);
    assert_ne!(world.live(), before);
    let order = "select string_agg(action, ', ' order by id) from
                 (select * from kiln.audit order by id desc limit 2) a";
    assert_eq!(world.postgres.value("kiln", order), "swap, contract set");
    let held = "select details->'contracts'->0->>'accepts_max' from kiln.audit
                where action = 'swap' order by id desc limit 1";
    assert_eq!(world.postgres.value("kiln", held), "1", "the gate's word is in the audit");
}

#[test]
fn a_contract_being_set_when_the_swap_begins_is_waited_for_and_heard() {
    let world = ready_to_swap();
    let before = names_and_live(&world);
    let setting = session(&world, "loader", "kiln");
    let narrow = "begin; update kiln.contract set accepts_min = 2, accepts_max = 2";
    world.runtime.block_on(setting.batch_execute(narrow)).unwrap();
    let swap = world.kiln(&["swap", "druginfo"]).start();
    wait_until("the swap waits for the contract", || {
        let sql = "select pid::text from pg_stat_activity where wait_event_type = 'Lock'
                   and application_name like 'kiln % lock druginfo'";
        !world.postgres.rows("postgres", sql).is_empty()
    });
    world.runtime.block_on(setting.batch_execute("commit")).unwrap();
    let outcome = swap.wait();
    assert_eq!(outcome.code, 13, "{outcome}");
    outcome.says(&["schema version 1, app test accepts 2..2"]);
    assert_eq!(names_and_live(&world), before);
}
