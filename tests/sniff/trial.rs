//! `kiln source check`: rows as they would be loaded, every kind of reject, the header's
//! difference, and a key that does not hold.

use kiln::testing::dev::synth::{Release, Tamper};

use super::Drafts;
use crate::support::{World, project};

const TEXT: &str = "id|day|amount|flag\n1|20260701|$1.50|Y\n2|20260702|2|N\n3|20260703|3|Y\n";

/// A draft of `days`, whose file is then another.
fn drafted() -> (Drafts, String) {
    let drafts = Drafts::new();
    let file = drafts.file("days.txt", TEXT);
    drafts.draft(&["made", &file]);
    (drafts, file)
}

#[test]
fn the_first_rows_are_shown_as_they_are_loaded() {
    let (drafts, file) = drafted();
    let outcome = drafts.check(&["made", "days", &file, "--rows", "2"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    for line in [
        "  id  day         amount        flag",
        "  text  date        numeric(3,2)  boolean",
        "  1     2026-07-01  1.50          true",
        "  2     2026-07-02  2.00          false",
        "0 of 3 rows rejected, the budget is 0",
        "  holds: keys and indexes",
    ] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = outcome.stdout.lines().any(|shown| squeezed(shown) == squeezed(line));
        assert!(found, "{line:?} is not in\n{outcome}");
    }
    assert!(!outcome.stdout.contains("2026-07-03"), "{outcome}");
}

#[test]
fn every_kind_of_reject_has_its_count_places_and_an_example() {
    let (drafts, file) = drafted();
    let mut text = TEXT.to_owned();
    for row in 10..40 {
        text.push_str(&format!("{row}|2026-07-01|1|Y\n"));
    }
    text.push_str("50|20260701|1|maybe\n51|20260701\n52|20260701|lots|Y\n53||1|Y\n");
    std::fs::write(&file, text).unwrap();
    let outcome = drafts.check(&["made", "days", &file]);
    assert_eq!(outcome.code, 11, "{outcome}");
    outcome.says(&["34 rows rejected, the budget is 0", "mend sources/made/days.toml"]);
    for expected in [
        "column day: not a date in the declared format (30 times)",
        "at line 5, byte 71; line 6, byte 89; line 7, byte 107",
        "10|2026-07-01|1|Y",
        "column flag: expected Y or N (1 times)",
        "row: short row: expected 4 fields, found 2 (1 times)",
        "column amount: expected an amount of dollars, commas before each three digits or nowhere (1 times)",
        "column day: is null, and its column may not be (1 times)",
    ] {
        assert!(outcome.stdout.contains(expected), "{expected:?} is not in\n{outcome}");
    }
    // A budget that allows for them.
    let spec =
        drafts.text("sources/made/days.toml").replace("reject_ratio = 0.0", "reject_ratio = 0.99");
    std::fs::write(drafts.path("sources/made/days.toml"), spec).unwrap();
    let json = drafts.check(&["made", "days", &file, "--json"]);
    assert_eq!(json.code, 0, "{json}");
    let tried = json.json();
    assert_eq!((&tried["loaded"], &tried["rejected"]), (&3.into(), &34.into()));
    assert_eq!(tried["rejects"].as_array().unwrap().len(), 5);
}

#[test]
fn a_header_that_differs_is_shown_with_its_difference() {
    let (drafts, file) = drafted();
    std::fs::write(&file, TEXT.replace("amount|flag", "flag|amounts|more")).unwrap();
    let outcome = drafts.check(&["made", "days", &file]);
    assert_eq!(outcome.code, 11, "{outcome}");
    outcome.says(&["the header is not the declared one", "renamed amount → amounts", "extra more"]);
}

#[test]
fn a_key_that_the_rows_break_and_a_check_that_fails_exit_14() {
    let (drafts, file) = drafted();
    std::fs::write(&file, format!("{TEXT}1|20260709|1|N\n")).unwrap();
    let outcome = drafts.check(&["made", "days", &file]);
    assert_eq!(outcome.code, 14, "{outcome}");
    outcome.says(&["could not create unique index", "the rule stands in sql/made/0001_days.sql"]);
    std::fs::write(&file, TEXT).unwrap();
    let sql = drafts.text("sql/made/0001_days.sql");
    let checks = "-- check: no amount is 3\nselect id from days where amount = 3;\n\
                  -- check: needs a neighbour\nselect 1 from elsewhere;\n";
    std::fs::write(drafts.path("sql/made/0001_days.sql"), format!("{sql}\n{checks}")).unwrap();
    let outcome = drafts.check(&["made", "days", &file]);
    assert_eq!(outcome.code, 14, "{outcome}");
    outcome.says(&["no amount is 3: 1 rows do not hold"]);
}

#[test]
fn a_spec_that_does_not_fit_its_table_and_one_that_is_not_there_exit_2() {
    let (drafts, file) = drafted();
    let outcome = drafts.check(&["made", "day", &file]);
    assert_eq!(outcome.code, 2, "{outcome}");
    outcome.says(&["did you mean `days`?", "kiln source new made"]);
    let spec = drafts
        .text("sources/made/days.toml")
        .replace("from = \"flag\"", "from = \"flag\", to = \"flg\"");
    std::fs::write(drafts.path("sources/made/days.toml"), spec).unwrap();
    let outcome = drafts.check(&["made", "days", &file]);
    assert_eq!(outcome.code, 2, "{outcome}");
    outcome.says(&["has no column \"flg\"; did you mean `flag`?"]);
}

#[test]
fn a_file_that_no_night_would_read_is_tried_and_noted() {
    let (drafts, _) = drafted();
    let other = drafts.file("other.txt", TEXT);
    let outcome = drafts.check(&["made", "days", &other]);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("no night would read the file"), "{outcome}");
}

#[test]
fn sets_that_recur_are_shown_in_place_of_their_number() {
    let world = World::new();
    let release = Release::small(1);
    let file = world.folder.path().join(release.file_name());
    let out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    release.write_with(out, Tamper::default()).unwrap();
    let file = file.to_string_lossy().into_owned();
    let mut kiln =
        world.kiln(&["source", "check", "druginfo", "pharmacy_networks", &file, "--json"]);
    // Its dictionaries are tables of the project's own druginfo.
    let tried = kiln.current_dir(project()).succeeds().json();
    let name = |column: &serde_json::Value| column[0].as_str().unwrap().to_owned();
    let columns: Vec<String> = tried["columns"].as_array().unwrap().iter().map(name).collect();
    for expected in ["contract_id", "pharmacy_number", "pharmacy_retail", "in_area_flag"] {
        assert!(columns.iter().any(|column| column == expected), "{expected}: {columns:?}");
    }
    assert!(!columns.iter().any(|column| column.ends_with("_key")), "{columns:?}");
    let first = tried["rows"][0].as_array().unwrap();
    let at = columns.iter().position(|column| column == "contract_id").unwrap();
    assert!(first[at].as_str().is_some_and(|contract| contract.len() == 5), "{first:?}");
    assert_eq!(tried["rejected"], 0);
}
