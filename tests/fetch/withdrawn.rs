//! `kiln land` twice under one name, and `--withdraw`: what had landed and should not have.

use crate::bad_input::tiny::{CSV, Tiny};
use crate::fetch::landing::keys;
use crate::support::Outcome;

const GOOD: &[u8] = b"code,name,amount,count\na,A,1.00,1\n";
const BAD: &[u8] = b"code,name,amount,count\nb,B,2.00,2\n";

fn land(tiny: &Tiny, name: &str, bytes: &[u8]) -> Outcome {
    let path = tiny.world.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    tiny.world.kiln(&["land", "tiny", &path.to_string_lossy()]).succeeds()
}

fn withdraw(tiny: &Tiny, name: &str, more: &[&str]) -> crate::support::Kiln {
    let arguments = ["land", "tiny", "--withdraw", name, "--why", "another year's prices"];
    tiny.world.kiln(&[&arguments[..], more].concat())
}

fn audit(tiny: &Tiny) -> Vec<String> {
    let sql = "select concat_ws(' ', action, from_build, why, details ->> 'older_waived')
               from kiln.audit where action in ('withdraw', 'waive') order by id";
    tiny.world.postgres.rows("kiln", sql)
}

#[test]
fn a_withdrawn_file_stays_and_no_later_plan_reads_it() {
    let mut tiny = Tiny::new(CSV);
    tiny.world.anew = false;
    land(&tiny, "item_20260701.csv", GOOD);
    tiny.world.kiln(&["run", "tiny"]).succeeds();
    land(&tiny, "item_20260702.csv", BAD);
    tiny.world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(tiny.value("select code from item"), "b");

    withdraw(&tiny, "item_20260709.csv", &[])
        .exits(2)
        .says(&["no file item_20260709.csv has landed"]);
    tiny.world.kiln(&["land", "tiny", "--withdraw", "item_20260702.csv"]).exits(2).says(&["--why"]);
    let before = keys(&tiny.world);
    let dry = withdraw(&tiny, "item_20260702.csv", &["--dry-run"]).succeeds();
    assert!(dry.stdout.contains("would be withdrawn"), "{dry}");
    assert_eq!((keys(&tiny.world), audit(&tiny)), (before.clone(), vec![]));

    let outcome = withdraw(&tiny, "item_20260702.csv", &["--json"]).succeeds();
    assert_eq!(outcome.json()[0]["live_build"], "tiny_00002", "{outcome}");
    assert_eq!(outcome.json()[0]["older_waived"], serde_json::json!(["item"]), "{outcome}");
    // Nothing is deleted: a marker stands beside it.
    let now = keys(&tiny.world);
    assert!(before.iter().all(|key| now.contains(key)), "{now:?}");
    let more: Vec<&String> = now.iter().filter(|key| !before.contains(key)).collect();
    assert!(matches!(more.as_slice(), [one] if one.contains("/item_20260702.csv.withdrawn-")));
    assert_eq!(
        audit(&tiny),
        [
            "withdraw tiny_00002 another year's prices [\"item\"]",
            "waive item_20260702.csv was withdrawn: another year's prices",
        ]
    );
    withdraw(&tiny, "item_20260702.csv", &[]).exits(2).says(&["is withdrawn already"]);

    let plan = tiny.world.kiln(&["plan", "tiny"]).succeeds();
    assert!(plan.stdout.contains("/item_20260702.csv  was withdrawn: not read"), "{plan}");
    tiny.world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(tiny.value("select code from item"), "a");

    // Landed again it is back; withdrawn where it is not live it waives nothing.
    let again = land(&tiny, "item_20260702.csv", BAD);
    assert!(again.stdout.contains("it replaces what had landed there before"), "{again}");
    let waived = audit(&tiny).len();
    withdraw(&tiny, "item_20260702.csv", &[]).succeeds();
    assert_eq!(audit(&tiny).len(), waived + 1);
    land(&tiny, "item_20260702.csv", BAD);
    tiny.world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(tiny.value("select code from item"), "b");
}

#[test]
fn builds_that_may_still_go_live_with_it_are_named() {
    let tiny = Tiny::new(CSV);
    land(&tiny, "item_20260701.csv", GOOD);
    tiny.world.kiln(&["run", "tiny"]).succeeds();
    land(&tiny, "item_20260702.csv", BAD);
    tiny.world.kiln(&["build", "tiny"]).succeeds();
    let outcome = withdraw(&tiny, "item_20260702.csv", &[]).succeeds();
    let said = "tiny_00002 (sealed) is made of it too";
    assert!(outcome.stdout.contains(said), "{outcome}");
    assert!(!outcome.stdout.contains("is live and was made of it"), "{outcome}");
}

#[test]
fn a_second_landing_under_the_same_key_says_that_it_replaces() {
    let tiny = Tiny::new(CSV);
    let first = land(&tiny, "item_20260701.csv", GOOD);
    assert!(!first.stdout.contains("replaces"), "{first}");
    let path = tiny.world.folder.path().join("item_20260701.csv").to_string_lossy().into_owned();
    std::fs::write(&path, [BAD, b"c,C,3.00,3\n"].concat()).unwrap();
    let dry = tiny.world.kiln(&["land", "tiny", &path, "--dry-run"]).succeeds();
    assert!(dry.stdout.contains("it would replace what had landed there before (34 B)"), "{dry}");
    let second = tiny.world.kiln(&["land", "tiny", &path, "--json"]).succeeds();
    assert_eq!(second.json()[0]["replaces"], GOOD.len(), "{second}");
}

#[test]
fn a_name_that_landed_twice_must_be_told_with_its_day() {
    let tiny = Tiny::new(CSV);
    // Under 2026-07-02, past `kiln land`; and under today's folder.
    tiny.world.put("tiny", "item_20260701.csv", GOOD);
    land(&tiny, "item_20260701.csv", BAD);
    let outcome = withdraw(&tiny, "item_20260701.csv", &[]).exits(2);
    outcome.says(&["item_20260701.csv has landed 2 times: ", "hint: say which: "]);
    withdraw(&tiny, "2026-07-02/item_20260701.csv", &[]).succeeds();
    withdraw(&tiny, "item_20260701.csv", &[]).succeeds();
    tiny.world.kiln(&["run", "tiny"]).exits(10).says(&["no object for item"]);
}
