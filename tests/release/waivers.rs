//! `kiln waive`: who, what, why and for how long; it is used up by what it was for, and nothing else.

use super::{night, post, tiny};
use crate::support::World;

fn standing(world: &World) -> Vec<String> {
    let said = world.kiln(&["status", "tiny", "--json"]).succeeds().json();
    let waivers = said[0]["waivers"].as_array().unwrap().clone();
    waivers.iter().map(|waiver| waiver["gate"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_waiver_is_for_the_next_promotion_unless_it_is_for_a_build_or_until_a_day() {
    let world = tiny();
    night(&world, 1, "first");
    post(&world, 2, "second");
    world.kiln(&["build", "tiny"]).succeeds();
    world.kiln(&["waive", "tiny", "rows", "--why", "once"]).succeeds();
    let build = ["waive", "tiny", "nulls", "--build", "tiny_00002", "--why", "this one"];
    world.kiln(&build).succeeds();
    let until = ["waive", "tiny", "older", "--until", "2999-12-31", "--why", "a while"];
    let said = world.kiln(&until).succeeds().stdout;
    assert_eq!(said, "tiny: is waived: gate older until 2999-12-31\n");
    // A night that comes to nothing uses nothing up.
    let mut killed = world.kiln(&["run", "tiny"]);
    assert_ne!(killed.env("KILN_FAILPOINT", "renamed=error").run().code, 0);
    assert_eq!(standing(&world), ["rows", "nulls", "older"]);

    let plan = world.kiln(&["plan", "tiny"]).succeeds().stdout;
    let status = world.kiln(&["status", "tiny"]).succeeds().stdout;
    for said in [plan, status] {
        assert!(said.contains("waived: gate rows for the next promotion (once; "), "{said}");
        assert!(said.contains("waived: gate nulls for build tiny_00002 (this one; "), "{said}");
    }
    let plan = world.kiln(&["plan", "tiny", "--json"]).succeeds().json();
    assert_eq!(plan["waivers"][0]["why"], "once");

    world.kiln(&["swap", "tiny", "tiny_00003"]).succeeds();
    assert_eq!(standing(&world), ["nulls", "older"]);
    world.kiln(&["swap", "tiny", "tiny_00002"]).succeeds();
    assert_eq!(standing(&world), ["older"]);
    world.postgres.execute(
        "kiln",
        "update kiln.waiver set until = current_date - 1
                                     where until is not null",
    );
    assert_eq!(standing(&world), [""; 0], "it ends by itself");

    let audit = "select action || ' ' || why || ' ' || (details ->> 'gate') from kiln.audit
                 where action = 'waive' order by id";
    let expected = ["waive once rows", "waive this one nulls", "waive a while older"];
    assert_eq!(world.postgres.rows("kiln", audit), expected);
    let held = "select details -> 'waivers' -> 0 ->> 'why' from kiln.audit
                where action = 'swap' and to_build = 'tiny_00003'";
    assert_eq!(world.postgres.value("kiln", held), "once", "the swap says what stood");
}

#[test]
fn a_waiver_that_would_cover_nothing_is_refused_and_nothing_is_written() {
    let world = tiny();
    let count = "select count(*)::text from kiln.waiver";
    for (arguments, said) in [
        (&["row", "--why", "x"][..], "rejected, rows, nulls, older, sections"),
        (&["rows"], "--why"),
        (&["rows", "--why", " "], "say why"),
        (&["rows", "--why", "two\nlines"], "one line"),
        (&["rows", "--why", "x", "--source", "itm"], "did you mean `item`"),
        (&["rows", "--why", "x", "--build", "tiny_00009"], "no build \"tiny_00009\""),
        (&["rows", "--why", "x", "--until", "2020-01-01"], "that day is over"),
        (&["rows", "--why", "x", "--until", "2999-01-01", "--build", "b"], "cannot be used with"),
    ] {
        let words: Vec<&str> = ["waive", "tiny"].iter().chain(arguments).copied().collect();
        world.kiln(&words).exits(2).says(&[said]);
    }
    let dry = ["waive", "tiny", "rows", "--why", "x", "--source", "item", "--dry-run"];
    let said = world.kiln(&dry).succeeds().stdout;
    assert_eq!(said, "tiny: would be waived: gate rows of source item for the next promotion\n");
    assert_eq!(world.postgres.value("kiln", count), "0");
    let json = ["waive", "tiny", "rows", "--why", "x", "--json"];
    assert_eq!(world.kiln(&json).succeeds().json()["waiver"]["gate"], "rows");
}
