//! P35: what was rolled away from does not come back but by a person's word or a newer posting, and
//! the build that a rollback made live is never lost.

use super::{live_name, night, post, tiny};
use crate::support::{Outcome, World};

/// Two nights, and back to the first: what CMS posted on the second day is bad.
fn rolled_back() -> World {
    let world = tiny();
    night(&world, 1, "good");
    night(&world, 2, "bad");
    world.kiln(&["rollback", "tiny", "--why", "prices look wrong"]).succeeds();
    assert_eq!(live_name(&world), "good");
    world
}

/// What must not change when something is refused.
fn everything(world: &World) -> (Vec<String>, String, String) {
    let databases = "select concat_ws(' ', oid, datname, shobj_description(oid, 'pg_database'))
                     from pg_database where datname like 'tiny%' order by 1";
    let number = "select last_value::text from kiln.build_number";
    let promoted =
        "select coalesce(string_agg(p::text, ' ' order by build), '') from kiln.promoted p";
    (
        world.postgres.rows("postgres", databases),
        world.postgres.value("kiln", number),
        world.postgres.value("kiln", promoted),
    )
}

#[track_caller]
fn refused(world: &World, arguments: &[&str], says: &[&str]) -> Outcome {
    let before = everything(world);
    let outcome = world.kiln(arguments).exits(13);
    outcome.says(says);
    assert_eq!(everything(world), before, "{outcome}");
    outcome
}

fn states(world: &World) -> Vec<String> {
    let sql = "select (tag ->> 'build') || ' ' || (tag ->> 'state')
                      || case when tag ? 'rejected' then ' rejected' else '' end
               from (select shobj_description(oid, 'pg_database')::jsonb as tag
                     from pg_database where datname like 'tiny%') t order by 1";
    world.postgres.rows("postgres", sql)
}

#[test]
fn the_build_that_a_rollback_made_live_is_what_the_next_rollback_goes_back_to() {
    let world = rolled_back();
    assert_eq!(states(&world), ["tiny_00001 live", "tiny_00002 retired rejected"]);
    night(&world, 3, "new");
    assert_eq!(states(&world), ["tiny_00001 previous", "tiny_00003 live"]);
    let said = world.kiln(&["rollback", "tiny", "--why", "no better"]).succeeds().stdout;
    assert!(said.contains("tiny_00003 is rejected"), "{said}");
    assert_eq!(live_name(&world), "good");
    // Neither prune nor a night that is refused takes the only good build, or the way forward.
    world.kiln(&["prune", "tiny"]).succeeds();
    refused(&world, &["run", "tiny"], &["which only tiny_00003 read"]);
    assert_eq!(states(&world), ["tiny_00001 live", "tiny_00003 retired rejected"]);
    world.kiln(&["rollback", "tiny"]).exits(15).says(&["no previous build to go back to"]);
    assert_eq!(live_name(&world), "good");
}

#[test]
fn a_rejected_build_that_no_longer_says_what_it_read_ends_the_night() {
    let world = rolled_back();
    world.postgres.execute("kiln", "delete from kiln.promoted");
    world.postgres.execute(
        "tiny_00002",
        "set default_transaction_read_only = off; drop table kiln.stamp cascade",
    );
    let says = [
        "tiny_00002 was rolled away from, and what it was made from is not known: it has no stamp",
        "drop database tiny_00002",
    ];
    world.kiln(&["run", "tiny"]).exits(13).says(&says);
    assert_eq!(live_name(&world), "good");
}

#[test]
fn two_rollbacks_go_back_two_nights_where_so_many_stay() {
    let mut world = tiny();
    world.environment.push(("KILN_KEEP_PREVIOUS".into(), "2".into()));
    for (day, name) in [(1, "one"), (2, "two"), (3, "three")] {
        night(&world, day, name);
    }
    world.kiln(&["rollback", "tiny", "--dry-run"]).succeeds();
    world.kiln(&["rollback", "tiny"]).succeeds();
    assert_eq!(live_name(&world), "two");
    let once = ["tiny_00001 previous", "tiny_00002 live", "tiny_00003 retired rejected"];
    assert_eq!(states(&world), once);
    world.kiln(&["rollback", "tiny"]).succeeds();
    assert_eq!(live_name(&world), "one");
    world.kiln(&["rollback", "tiny"]).exits(15).says(&["no previous build"]);
    night(&world, 4, "four");
    // Of the former ones the good one stays, then the one that was rolled away from last.
    let after = ["tiny_00001 previous", "tiny_00002 retired rejected", "tiny_00004 live"];
    assert_eq!(states(&world), after);
}

#[test]
fn a_night_of_what_only_a_rejected_build_has_read_is_refused_before_anything_is_loaded() {
    let world = rolled_back();
    let says = [
        "tiny is as it was",
        "source item reads s3://kiln/tiny/2026-07-02/item_20260702.csv",
        "which only tiny_00002 read; that was rolled away from (prices look wrong; ",
        "hint: land what is newer; or, if it was right after all: kiln waive tiny rejected --why",
    ];
    let outcome = refused(&world, &["run", "tiny"], &says);
    assert!(!outcome.stderr.contains("other"), "good builds read that too: {outcome}");
    refused(&world, &["run", "tiny", "--full-refresh"], &says);
    refused(&world, &["build", "tiny"], &says[1..]);
    refused(&world, &["run", "tiny", "--dry-run"], &says[1..]);
    let plan = refused(&world, &["plan", "tiny"], &says[1..]);
    assert!(plan.stdout.contains("item  loaded from"), "{plan}");
    assert!(plan.stdout.contains("rejected: tiny_00002 (prices look wrong; "), "{plan}");
    let plan = refused(&world, &["plan", "tiny", "--json"], &[]).json();
    assert!(plan["refused"].as_str().unwrap().contains("which only tiny_00002 read"), "{plan}");

    let status = world.kiln(&["status", "tiny"]).succeeds().stdout;
    assert!(status.contains("rejected (prices look wrong; "), "{status}");
    let next = "go on with: kiln waive tiny rejected --why \"REASON\" && kiln run tiny";
    assert!(status.contains(next), "{status}");
    // Without the source there is nothing that was rolled away from, and the record may be lost.
    world.kiln(&["run", "tiny", "--dry-run", "--without", "item"]).succeeds();
    world.postgres.execute("kiln", "delete from kiln.promoted");
    world.kiln(&["run", "tiny"]).exits(13).says(&says);
    let again = "select build || ' ' || (rejected is not null) from kiln.promoted order by build";
    assert_eq!(world.postgres.rows("kiln", again), ["tiny_00001 false", "tiny_00002 true"]);

    // Something newer lands: no word is needed.
    night(&world, 3, "mended");
    assert_eq!(states(&world), ["tiny_00001 previous", "tiny_00003 live"]);
}

#[test]
fn what_was_rejected_stays_so_when_its_build_is_gone_and_under_another_name() {
    let world = rolled_back();
    night(&world, 3, "new");
    assert!(!states(&world).join(" ").contains("tiny_00002"), "{:?}", states(&world));
    let key = "tiny/2026-07-02/item_20260703.csv";
    let gone = world.s3().delete_object().bucket("kiln").key(key).send();
    world.runtime.block_on(gone).unwrap();
    refused(&world, &["run", "tiny"], &["item_20260702.csv", "which only tiny_00002 read"]);
    // The same bytes, landed once more, are nothing newer.
    let file = world.folder.path().join("item_20260702.csv");
    let copy = world.folder.path().join("item_20260704.csv");
    world.kiln(&["land", "tiny", &file.to_string_lossy()]).succeeds();
    world.kiln(&["waive", "tiny", "rejected", "--why", "a look"]).succeeds();
    // Older than what is live it is as well, which is another gate.
    world.kiln(&["waive", "tiny", "older", "--source", "item", "--why", "a look"]).succeeds();
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(live_name(&world), "bad");
    world.kiln(&["rollback", "tiny"]).succeeds();
    std::fs::copy(&file, &copy).unwrap();
    world.kiln(&["land", "tiny", &copy.to_string_lossy()]).succeeds();
    refused(&world, &["run", "tiny"], &["item_20260704.csv", "read; that was rolled away from"]);
    assert_eq!(live_name(&world), "new");
}

#[test]
fn forward_again_to_a_rejected_build_takes_a_waiver_which_is_used_up() {
    let world = rolled_back();
    let hint = "kiln waive tiny rejected --why";
    refused(&world, &["swap", "tiny"], &["but tiny_00002, which was rolled away from", hint]);
    refused(&world, &["swap", "tiny", "tiny_00002"], &["it was rolled away from", hint]);
    refused(&world, &["swap", "tiny", "tiny_00002", "--dry-run"], &[hint]);
    world.kiln(&["waive", "tiny", "rejected", "--source", "other", "--why", "no"]).succeeds();
    refused(&world, &["swap", "tiny", "tiny_00002"], &[hint]);
    world.kiln(&["waive", "tiny", "rejected", "--why", "CMS confirmed it"]).succeeds();
    let plan = world.kiln(&["plan", "tiny"]).succeeds().stdout;
    assert!(plan.contains("waived: gate rejected for the next promotion (CMS conf"), "{plan}");
    world.kiln(&["swap", "tiny"]).succeeds();
    assert_eq!(live_name(&world), "bad");
    assert_eq!(states(&world), ["tiny_00001 previous", "tiny_00002 live"]);
    // It is no rejected build any more: a night finds nothing to do.
    let idle = world.kiln(&["run", "tiny", "--json"]).succeeds().json();
    assert!(idle["nothing_to_do"].is_string(), "{idle}");
    // Rolled away from once more, the old word does not count, whatever it said.
    world.kiln(&["waive", "tiny", "rejected", "--until", "2999-01-01", "--why", "x"]).succeeds();
    world.kiln(&["rollback", "tiny"]).succeeds();
    refused(&world, &["swap", "tiny"], &[hint]);
    refused(&world, &["run", "tiny"], &[hint]);
    let audit = "select action || ' ' || to_build || ' ' || coalesce(details ->> 'rejected', '')
                 from kiln.audit where action in ('swap', 'rollback') order by id offset 2";
    let expected =
        ["rollback tiny_00001 tiny_00002", "swap tiny_00002 ", "rollback tiny_00001 tiny_00002"];
    assert_eq!(world.postgres.rows("kiln", audit), expected);
}

#[test]
fn a_waived_night_brings_the_inputs_back_and_the_next_one_needs_no_word() {
    let world = rolled_back();
    world.kiln(&["waive", "tiny", "rejected", "--source", "item", "--why", "right"]).succeeds();
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(live_name(&world), "bad");
    assert_eq!(states(&world), ["tiny_00001 previous", "tiny_00003 live"]);
    world.kiln(&["run", "tiny", "--full-refresh"]).succeeds();
    assert_eq!(live_name(&world), "bad");
}

#[test]
fn builds_begun_or_sealed_before_a_rollback_do_not_bring_its_inputs_back_either() {
    let world = tiny();
    night(&world, 1, "good");
    night(&world, 2, "bad");
    world.kiln(&["build", "tiny"]).succeeds();
    world.kiln(&["rollback", "tiny"]).succeeds();
    // A sealed one is asked by the gate: what it has read went live and was rolled away from.
    let says = ["tiny_00003 is not promoted", "which only tiny_00002 read", "kiln swap tiny"];
    refused(&world, &["swap", "tiny"], &says);
    refused(&world, &["swap", "tiny", "tiny_00003"], &says);

    let world = tiny();
    night(&world, 1, "good");
    night(&world, 2, "bad");
    let mut broken = world.kiln(&["build", "tiny"]);
    assert_ne!(broken.env("KILN_FAILPOINT", "check=error").run().code, 0);
    world.kiln(&["rollback", "tiny"]).succeeds();
    refused(&world, &["resume", "tiny_00003"], &["which only tiny_00002 read"]);
    refused(&world, &["resume", "tiny_00003", "--dry-run"], &["which only tiny_00002 read"]);
    let waive = ["waive", "tiny", "rejected", "--build", "tiny_00002", "--why", "right"];
    world.kiln(&waive).succeeds();
    world.kiln(&["resume", "tiny_00003"]).succeeds();
    world.kiln(&["swap", "tiny"]).succeeds();
    assert_eq!(live_name(&world), "bad");
}

#[test]
fn what_was_rolled_away_from_for_its_sql_is_not_made_again_by_the_same_sql() {
    let world = tiny();
    night(&world, 1, "good");
    let spec = "sources/tiny/item.toml";
    world.edit(spec, "description", "# another reading\ndescription");
    world.kiln(&["run", "tiny"]).succeeds();
    world.kiln(&["rollback", "tiny", "--why", "misread"]).succeeds();
    let says =
        ["it would be tiny_00002 again, by the same objects, specs and SQL; that was rolled"];
    refused(&world, &["run", "tiny"], &says);
    // The objects are good ones: other specs or SQL may read them.
    world.edit(spec, "another reading", "mended");
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(states(&world), ["tiny_00001 previous", "tiny_00003 live"]);
}

#[test]
fn back_to_an_older_build_by_its_name_rolls_away_from_the_live_one() {
    let world = tiny();
    night(&world, 1, "good");
    night(&world, 2, "bad");
    let dry = world.kiln(&["swap", "tiny", "tiny_00001", "--dry-run"]).succeeds().stdout;
    assert!(dry.contains("tiny_00002 would be rejected"), "{dry}");
    world.kiln(&["swap", "tiny", "tiny_00001", "--why", "by name"]).succeeds();
    assert_eq!(states(&world), ["tiny_00001 live", "tiny_00002 retired rejected"]);
    refused(&world, &["run", "tiny"], &["(by name; "]);
}

#[test]
fn a_build_on_hold_stays_and_prune_says_why() {
    let world = tiny();
    night(&world, 1, "one");
    world.kiln(&["hold", "tiny_00001", "--why", "old prices"]).succeeds();
    night(&world, 2, "two");
    night(&world, 3, "three");
    post(&world, 4, "four");
    let mut broken = world.kiln(&["build", "tiny"]);
    assert_ne!(broken.env("KILN_FAILPOINT", "check=error").run().code, 0);
    let dry = ["hold", "tiny_00004", "--dry-run"];
    assert_eq!(world.kiln(&dry).succeeds().stdout, "tiny_00004 would be on hold\n");
    world.kiln(&["hold", "tiny_00004", "--why", "a look at it"]).succeeds();
    night(&world, 5, "five");
    let held =
        ["tiny_00001 retired", "tiny_00003 previous", "tiny_00004 failed", "tiny_00005 live"];
    assert_eq!(states(&world), held);
    let said = world.kiln(&["prune", "tiny"]).succeeds().stdout;
    assert!(said.contains("tiny_00001 stays: on hold (old prices; "), "{said}");
    assert!(said.contains("tiny_00003 stays: kept for rollback"), "{said}");
    let json = world.kiln(&["prune", "tiny", "--dry-run", "--json"]).succeeds().json();
    assert_eq!(json["databases"][0]["stays"][0]["held"], true, "{json}");
    let plan = world.kiln(&["plan", "tiny"]).succeeds().stdout;
    assert!(plan.contains("on hold: tiny_00001 (old prices; "), "{plan}");
    let status = world.kiln(&["status", "tiny"]).succeeds().stdout;
    assert!(status.contains("on hold (a look at it; "), "{status}");

    world.kiln(&["hold", "tiny_00009"]).exits(2).says(&["no build tiny_00009", "kiln status tiny"]);
    world.kiln(&["hold", "tiny"]).exits(2).says(&["not a build's name"]);
    world.kiln(&["unhold", "tiny_00001"]).succeeds();
    let again = world.kiln(&["unhold", "tiny_00001"]).succeeds().stdout;
    assert_eq!(again, "tiny_00001 was not on hold\n");
    world.kiln(&["unhold", "tiny_00004"]).succeeds();
    world.kiln(&["prune", "tiny"]).succeeds();
    assert_eq!(states(&world), ["tiny_00003 previous", "tiny_00005 live"]);
    let audit = "select action || ' ' || to_build || ' ' || why from kiln.audit
                 where action like '%hold' order by id limit 3";
    let expected =
        ["hold tiny_00001 old prices", "hold tiny_00004 a look at it", "unhold tiny_00001 by hand"];
    assert_eq!(world.postgres.rows("kiln", audit), expected);
}
