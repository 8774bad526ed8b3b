//! A rollback holds also where a good build once read the same, where databases and comments are lost, and
//! where a person goes back by a build's name.

use super::{live_name, night, post, tiny};
use crate::support::World;

fn rejected(world: &World) -> Vec<String> {
    let sql = "select build from kiln.promoted where rejected is not null order by build";
    world.postgres.rows("kiln", sql)
}

#[test]
fn a_newer_rejection_counts_more_than_an_older_night_of_the_same_object() {
    let world = tiny();
    post(&world, 1, "same");
    // The name tells no day: nothing but the word of who rolled back keeps it away.
    let land = |code: &str| {
        let file = world.folder.path().join("other.csv");
        std::fs::write(&file, format!("code\n{code}\n")).unwrap();
        world.kiln(&["land", "tiny", &file.to_string_lossy()]).succeeds();
    };
    for code in ["old", "new", "old"] {
        land(code);
        world.kiln(&["run", "tiny"]).succeeds();
    }
    world.kiln(&["rollback", "tiny", "--why", "old codes by mistake"]).succeeds();
    let refused = world.kiln(&["run", "tiny"]).exits(13);
    refused.says(&["/other.csv, which tiny_00003 read last; that was rolled away from"]);
    land("newer");
    world.kiln(&["run", "tiny"]).succeeds();
    // And from here on the object that was good once is, in the place of what is live, still bad.
    land("old");
    world.kiln(&["run", "tiny"]).exits(13).says(&["tiny_00003 read last"]);
}

#[test]
fn back_by_name_to_a_build_that_was_rejected_and_waived_rolls_away_from_the_live_one() {
    let mut world = tiny();
    world.environment.push(("KILN_KEEP_PREVIOUS".into(), "5".into()));
    night(&world, 1, "one");
    night(&world, 2, "two");
    world.kiln(&["rollback", "tiny", "--why", "two is bad"]).succeeds();
    night(&world, 3, "three");
    world
        .kiln(&["waive", "tiny", "rejected", "--build", "tiny_00002", "--why", "two was right"])
        .succeeds();
    world.kiln(&["swap", "tiny", "tiny_00002", "--why", "three is wrong"]).succeeds();
    assert_eq!(live_name(&world), "two");
    assert_eq!(rejected(&world), ["tiny_00003"]);
    world.kiln(&["run", "tiny"]).exits(13).says(&["only tiny_00003 read"]);
}

#[test]
fn a_rejection_outlives_the_database_kiln_and_then_its_build() {
    let world = tiny();
    night(&world, 1, "good");
    night(&world, 2, "bad");
    world.kiln(&["rollback", "tiny", "--why", "prices look wrong"]).succeeds();
    world.postgres.execute("postgres", "drop database kiln");
    world.kiln(&["contract", "set", "tiny", "--app", "test", "--accepts", "1"]).succeeds();
    night(&world, 3, "newer");
    assert_eq!(rejected(&world), ["tiny_00002"]);
    let gone = "select count(*)::text from pg_database where datname = 'tiny_00002'";
    assert_eq!(world.postgres.value("postgres", gone), "0");
    let newer = ["land", "tiny", "--withdraw", "item_20260703.csv", "--why", "a test"];
    world.kiln(&newer).succeeds();
    world.kiln(&["run", "tiny"]).exits(13).says(&["tiny_00002", "was rolled away from"]);
    assert_eq!(live_name(&world), "newer");
}

#[test]
fn a_comment_of_somebody_elses_does_not_lose_a_rejection_with_the_database_kiln() {
    let world = tiny();
    night(&world, 1, "good");
    night(&world, 2, "bad");
    world.kiln(&["rollback", "tiny", "--why", "prices look wrong"]).succeeds();
    world.postgres.execute("postgres", "comment on database tiny_00002 is 'my note'");
    world.kiln(&["run", "tiny"]).exits(13);
    world.postgres.execute("postgres", "drop database kiln");
    world.kiln(&["contract", "set", "tiny", "--app", "test", "--accepts", "1"]).succeeds();
    world.kiln(&["run", "tiny"]).exits(13).says(&["was rolled away from"]);
    assert_eq!(live_name(&world), "good");
}

#[test]
fn status_keeps_what_the_night_failed_of_and_proposes_nothing_that_can_only_fail() {
    let world = tiny();
    night(&world, 1, "good");
    world.kiln(&["rollback", "tiny"]).exits(15).says(&["no previous build to go back to"]);
    let status = world.kiln(&["status", "tiny"]).succeeds().stdout;
    assert!(status.contains("no previous build"), "{status}");
    assert!(!status.contains("go on with"), "{status}");
    world.put("tiny", "item_20260702.csv", b"code,name\na\n");
    world.kiln(&["run", "tiny"]).exits(11);
    world.kiln(&["swap", "tiny"]).exits(15);
    let status = world.kiln(&["status", "tiny"]).succeeds().stdout;
    let next = "go on with: kiln load tiny item --into tiny_00002 && kiln resume tiny_00002";
    assert!(status.contains("last failure: `kiln run`"), "{status}");
    assert!(status.contains(next), "{status}");
    let again = world.kiln(&["load", "tiny", "item", "--into", "tiny_00002"]).exits(11);
    again.says(&["line 2"]);
    let status = world.kiln(&["status", "tiny"]).succeeds().stdout;
    assert!(status.contains(next), "a second try loses nothing of the way: {status}");
}
