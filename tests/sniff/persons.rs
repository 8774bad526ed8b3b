//! Persons: what identifies one is hashed, what is known of one is dropped, and no value reaches
//! a draft, a trial, an error or a log.

use super::{Drafts, counts};

const CANARIES: [&str; 4] = ["1S00EU8FA10", "Canaria", "17-MAR-1981", "CANARYTOWN"];

fn text(rows: usize) -> String {
    let mut text = String::from("BENE_MBI_ID|BENE_SRNM_NAME|BENE_BIRTH_DT|PLACE|STATE_CODE\n");
    for row in 0..rows {
        let [mbi, name, born, place] = CANARIES;
        text.push_str(&format!("{mbi}{row}|{name}|{born}|{place}|0{}\n", row % 5 + 1));
    }
    text
}

#[test]
fn persons_are_hashed_and_dropped_and_no_value_is_said() {
    let drafts = Drafts::new();
    let file = drafts.file("persons_2026.txt", text(80));
    let new = drafts.world.kiln(&["source", "new", "people", &file]).succeeds();
    assert!(new.stdout.contains("it speaks of persons"), "{new}");
    let spec = drafts.text("sources/people/persons.toml");
    let table = drafts.text("sql/people/0001_persons.sql");
    for expected in [
        "personal = true",
        "{ from = \"BENE_MBI_ID\", transforms = [\"keyed_hash\"] }",
        "{ from = \"BENE_SRNM_NAME\", drop = true }",
        "{ from = \"BENE_BIRTH_DT\", drop = true }",
    ] {
        assert!(spec.contains(expected), "{expected} is not in\n{spec}");
    }
    assert!(table.contains("bene_mbi_id uuid not null"), "{table}");
    let good = drafts.check(&["people", "persons", &file]);
    assert_eq!(good.code, 0, "{good}");
    assert!(good.stdout.contains("personal: no value is shown"), "{good}");
    let ledger = drafts.build("people", std::slice::from_ref(&file));
    assert_eq!(counts(&ledger, "persons"), (80, 0));
    // A broken file, whose rejects and broken key hold persons.
    let broken =
        format!("{}{}|x\n{}", text(80), CANARIES.join("|"), text(1).lines().nth(1).unwrap());
    std::fs::write(&file, broken + "\n").unwrap();
    let bad = drafts.check(&["people", "persons", &file]);
    assert_eq!(bad.code, 14, "{bad}");
    std::fs::write(&file, text(3) + "1S00EU8FA10|short\n").unwrap();
    let short = drafts.check(&["people", "persons", &file, "--json"]);
    assert_eq!(short.code, 11, "{short}");
    let log = drafts.world.log();
    for canary in CANARIES {
        for said in [&spec, &table, &log] {
            assert!(!said.contains(canary), "{canary} in {said}");
        }
        for outcome in [&new, &good, &bad, &short] {
            assert!(!outcome.to_string().contains(canary), "{canary} in {outcome}");
        }
    }
}

#[test]
fn a_file_whose_headings_say_nothing_of_persons_can_be_said_to_speak_of_them() {
    let drafts = Drafts::new();
    let mut text = String::from("who|kind\n");
    (0..100).for_each(|row| text.push_str(&format!("canary{row}|secret{}\n", row % 3)));
    let file = drafts.file("list.txt", text);
    let said = drafts.draft(&["people", &file, "--personal"]).to_string();
    assert!(said.contains("personal = true"), "{said}");
    assert!(!said.contains("secret0") && !said.contains("canary1"), "{said}");
}
