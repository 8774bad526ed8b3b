//! Codes that a spreadsheet has had: a zero in front is gone, or the digits are a number. They are
//! rejected by their column's shape, or null and counted where the spec says so; CMS's own oddities
//! are known to the specs.

use std::path::Path;

use super::tiny::{CSV, Tiny};
use crate::support::{World, bug, project};

const NAME: &str = "item_20260701.csv";

fn shaped(column: &str, more: &str) -> String {
    let plain = format!("{{ from = \"{column}\" }}");
    assert!(CSV.contains(&plain));
    CSV.replace(&plain, &format!("{{ from = \"{column}\", {more} }}"))
}

#[test]
fn a_code_of_another_shape_is_rejected_with_its_place_and_never_stored() {
    let tiny = Tiny::new(&shaped("code", "shape = \"fips5\""));
    tiny.takes(NAME, b"code,name,amount,count\n01001,A,1.00,1\n");
    for code in ["1001", "3.5E+04", " 01001", "01001.0"] {
        let text = format!("code,name,amount,count\n01003,A,1.00,1\n{code},B,1.00,1\n");
        let said = "line 3, byte 38, column code: is not a FIPS county code of 5 digits";
        let outcome = tiny.refuses(NAME, text.as_bytes(), 11, &[said]);
        assert!(!outcome.stderr.contains(code), "{outcome}");
    }
    assert_eq!(tiny.value("select code from item"), "01001");
}

#[test]
fn a_misfit_that_the_spec_takes_for_null_is_null_and_counted() {
    let tiny =
        Tiny::new(&shaped("name", "transforms = [\"zip5\"], shape = \"zip5\", misfit = \"null\""));
    tiny.takes(
        NAME,
        b"code,name,amount,count\na,63105813,1.00,1\nb,631058132,,\nc,2134,,\nd,,,\ne,02134,,\n",
    );
    let names =
        "select string_agg(code || ' ' || coalesce(name, 'null'), ', ' order by code) from item";
    assert_eq!(tiny.value(names), "a null, b 63105, c null, d null, e 02134");
    let counts =
        "select concat_ws(' ', loaded, rejected, misfits) from kiln.file where source = 'item'";
    assert_eq!(tiny.value(counts), "5 0 2");
}

#[test]
fn money_whose_commas_are_not_before_three_digits_is_rejected() {
    let tiny = Tiny::new(&shaped("amount", "transforms = [\"money\"]"));
    tiny.takes(NAME, b"code,name,amount,count\na,A,\"$1,080.00\",1\n");
    assert_eq!(tiny.value("select amount::text from item"), "1080.00");
    let text = b"code,name,amount,count\na,A,\"20,80\",1\n";
    tiny.refuses(
        NAME,
        text,
        11,
        &["line 2, byte 28, column amount: expected an amount of dollars"],
    );
}

fn check(database: &str, source: &str, file: &Path, code: i32) -> crate::support::Outcome {
    let file = file.to_string_lossy();
    let mut world = World::new();
    world.root = project();
    world.kiln(&["source", "check", database, source, &file]).exits(code)
}

#[test]
fn county_codes_that_lost_their_zero_are_rejected() {
    let Some(zip) = bug("cpsc_fipslost/monthly-enrollment-cpsc-may-2026.zip") else { return };
    let outcome = check("planinfo", "enrollment_cpsc", &zip, 11);
    assert!(outcome.stdout.contains("is not an SSA county code of 5 digits"), "{outcome}");
}

#[test]
fn contracts_without_plans_load_and_no_row_loads_twice() {
    let Some(zip) = bug("cpsc_hcpp/monthly-enrollment-cpsc-may-2026.zip") else { return };
    let outcome = check("planinfo", "enrollment_cpsc", &zip, 0);
    assert!(outcome.stdout.contains("90091"), "{outcome}");
    let world = World::new();
    let header = "\"Contract Number\",\"Plan ID\",\"SSA State County Code\",\"FIPS State County Code\",\
                  \"State\",\"County\",\"Enrollment\"\n";
    let row = "\"90091\",\"\",\"05200\",\"06037\",\"CA\",\"Los Angeles\",\"12\"\n";
    let twice = format!("{header}{row}{row}");
    let zip = super::zips::zip(&[("CPSC_Enrollment_Info_2026_05.csv", twice.as_bytes())]);
    let path = world.folder.path().join("CPSC_Enrollment_2026_05.zip");
    std::fs::write(&path, zip).unwrap();
    let outcome = check("planinfo", "enrollment_cpsc", &path, 14);
    outcome.says(&["enrollment_cpsc_key"]);
}

#[test]
fn a_row_without_a_key_is_left_out_and_counted() {
    let Some(file) = bug("small/bene_tilde.csv") else { return };
    let outcome = check("beneinfo", "bene_enrollment", &file, 0);
    let counts = outcome.stdout.lines().find(|line| line.contains("bene_tilde.csv ")).unwrap();
    let numbers: Vec<&str> = counts.split_whitespace().collect();
    assert_eq!(
        &numbers[numbers.len() - 3..],
        ["0", "1", "0"],
        "rejected, filtered, misfits: {outcome}"
    );
}

#[test]
fn a_stray_quote_in_a_star_file_costs_two_rows_and_names_them() {
    let name = "two_stray_quotes/2022 Star Ratings Data Table - Summary Rating (Oct 06 2021).csv";
    let Some(file) = bug(name) else { return };
    let outcome = check("planinfo", "star_summary", &file, 11);
    for said in [
        "a quote opens in line 328 and is not closed there; the next quote is in line ",
        "2 of 850 rows",
    ] {
        assert!(outcome.stdout.contains(said), "{said}: {outcome}");
    }
}

#[test]
fn more_parts_than_the_spec_says_are_answered_with_parts() {
    let Some(zip) = bug("spuf_parts7/SPUF_2026_20260701.zip") else { return };
    let outcome = check("druginfo", "pharmacy_networks", &zip, 11);
    outcome.says(&["found 7", "`parts = 7` in sources/druginfo/pharmacy_networks.toml"]);
}
