//! Headers and ends of files: what a header says differently is named as a difference, and a
//! file that ends oddly is refused.

use kiln::testing::dev::synth::{Release, Tamper};

use super::{Druginfo, Kept, line};

/// Replaces text in a line; it must occur.
fn swap_text(line: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(line.clone()).unwrap();
    assert!(text.contains(from), "{text:?} has no {from:?}");
    *line = text.replacen(from, to, 1).into_bytes();
}

#[test]
fn every_way_a_header_can_differ_is_named_and_the_other_sources_are_loaded() {
    let druginfo = Druginfo::new();
    let change = Tamper::default().lines(|at, line| {
        if at.line != 1 || at.part != 1 {
            return;
        }
        match at.source {
            "plan_information" => swap_text(line, "|PREMIUM|", "|PREMIUM_AMT|"),
            "geographic_locator" => swap_text(line, "STATENAME|COUNTY|", "COUNTY|STATENAME|"),
            "excluded_drugs_formulary" => swap_text(line, "|TIER|", "|RXCUI|"),
            "beneficiary_cost" => swap_text(line, "|COVERAGE_LEVEL", ""),
            "pricing" => line.extend_from_slice(b"|CURRENCY"),
            "pharmacy_networks" => swap_text(line, "IN_AREA_FLAG", "in_area_flag"),
            _ => {}
        }
    });
    let differs = "the header is not the declared one: ";
    let outcome = druginfo.refuses(
        change,
        11,
        Kept::Yes,
        &[
            &format!("{differs}renamed PREMIUM → PREMIUM_AMT"),
            &format!("{differs}reordered: COUNTY stands before STATENAME"),
            &format!("{differs}missing TIER; repeated RXCUI"),
            &format!("{differs}missing COVERAGE_LEVEL"),
            &format!("{differs}extra CURRENCY"),
            &format!("{differs}renamed IN_AREA_FLAG → in_area_flag"),
            "source pricing: druginfo/",
            "SPUF_2026_20260701.zip → pricing file PPUF_2026Q2.zip → pricing file PPUF_2026Q2.txt: ",
            "if CMS changed the layout, mend sources/druginfo/beneficiary_cost.toml",
            "land the mended file, then: kiln load druginfo beneficiary_cost --into druginfo_",
            " && kiln load druginfo pricing --into druginfo_",
            " && kiln resume druginfo_",
            " && kiln swap druginfo",
        ],
    );
    assert_eq!(outcome.stdout, "");
    let states = "select string_agg(source || ' ' || state, ',' order by source) from kiln.source";
    assert_eq!(
        druginfo.kept_value(states),
        "basic_drugs_formulary loaded,beneficiary_cost failed,excluded_drugs_formulary failed,\
         geographic_locator failed,indication_based_coverage loaded,\
         insulin_beneficiary_cost loaded,pharmacy_networks failed,plan_information failed,\
         pricing failed"
    );
    // Each source's own entry keeps its whole message, and its hint.
    let error = "select concat_ws('; ', entry ->> 'error', entry ->> 'hint')
                 from kiln.source where source = 'pricing'";
    let error = druginfo.kept_value(error);
    assert!(error.contains("extra CURRENCY; if CMS changed the layout, mend sources/"), "{error}");
}

#[test]
fn a_header_without_rows_is_refused_but_where_it_is_normal() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let cut = |source: &'static str| {
        let zip = std::fs::read(world.folder.path().join("SPUF_2026_20260701.zip")).unwrap();
        super::zips::map_texts(&zip, &|name, text| {
            let end = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            name.to_lowercase().starts_with(source).then(|| text[..end].to_vec())
        })
    };
    world.put("druginfo", "SPUF_2026_20260702.zip", &cut("pricing"));
    druginfo.refuses_landed(
        11,
        Kept::Yes,
        &[
            "pricing file PPUF_2026Q2.txt: holds a header and no rows",
            "if that is normal: header_only = \"allow\" in sources/druginfo/pricing.toml",
        ],
    );
    world.put("druginfo", "SPUF_2026_20260703.zip", &cut("indication"));
    world.night();
    let count = |table: &str| {
        world.postgres.value("druginfo", &format!("select count(*)::text from {table}"))
    };
    assert_eq!(count("indication_based_coverage"), "0");
    assert_ne!(count("pricing"), "0");
}

#[test]
fn a_file_of_no_bytes_has_not_even_a_header() {
    let druginfo = Druginfo::new();
    let path = druginfo.world.folder.path().join("SPUF_2026_20260701.zip");
    let zip = super::zips::map_texts(&std::fs::read(path).unwrap(), &|name, _| {
        name.starts_with("pricing").then(Vec::new)
    });
    druginfo.world.put("druginfo", "SPUF_2026_20260702.zip", &zip);
    druginfo.refuses_landed(
        11,
        Kept::Yes,
        &["source pricing: ", "pricing file PPUF_2026Q2.txt: has 0 of 1 header rows"],
    );
}

#[test]
fn a_header_of_four_million_columns_is_refused_at_once() {
    let tiny = super::tiny::Tiny::new(super::tiny::CSV);
    let wide = [b"code,name,amount,count", ",".repeat(4 << 20).as_bytes(), b"\n"].concat();
    tiny.world.put("tiny", "item_20260701.csv", &wide);
    let before = super::Before::of(&tiny.world, "tiny");
    let said = "the header has more than 4096 columns";
    let soon = |(outcome, peak): (crate::support::Outcome, u64)| {
        assert_eq!(outcome.code, 11, "{outcome}");
        outcome.says(&[said, "\nhint: "]);
        assert!(outcome.took.as_secs() < 30 && peak < 512 << 20, "{} MiB {outcome}", peak >> 20);
    };
    soon(tiny.world.kiln(&["run", "tiny"]).start().wait_and_weigh());
    before.unchanged(&tiny.world, Kept::Yes);
    let file = tiny.world.folder.path().join("item_20260701.csv").to_string_lossy().into_owned();
    for arguments in [
        &["source", "check", "tiny", "item", &file][..],
        &["source", "new", "tiny", &file, "--name", "wide", "--dry-run"],
    ] {
        soon(tiny.world.kiln(arguments).start().wait_and_weigh());
    }
}

#[test]
fn a_last_row_without_a_line_end_is_taken_for_a_cut_file() {
    let druginfo = Druginfo::new();
    let path = druginfo.world.folder.path().join("SPUF_2026_20260701.zip");
    let zip = super::zips::map_texts(&std::fs::read(path).unwrap(), &|name, text| {
        name.starts_with("pricing").then(|| text.strip_suffix(b"\r\n").unwrap().to_vec())
    });
    druginfo.world.put("druginfo", "SPUF_2026_20260702.zip", &zip);
    let rows = Release::small(1).pricing_rows;
    druginfo.refuses_landed(
        11,
        Kept::Yes,
        &[
            &format!("the last row (line {}) has no line end: is it cut?", rows + 1),
            "if that is normal: final_newline = \"optional\" in sources/druginfo/pricing.toml",
        ],
    );
    assert_eq!(druginfo.kept_value("select count(*)::text from pricing"), "0");
}

#[test]
fn too_few_rows_are_refused_by_the_budget() {
    let mut world = crate::support::World::new();
    world.own_root();
    let rows = Release::small(1).pricing_rows;
    world.edit("sources/druginfo/pricing.toml", "rows_min     = 1", "rows_min     = 60");
    let druginfo = Druginfo::in_world(world);
    assert_eq!(rows, 60);
    druginfo.world.land(&Release { pricing_rows: 59, ..Release::small(2) });
    druginfo.refuses_landed(
        11,
        Kept::Yes,
        &["pricing: 59 rows, expected at least 60", "kiln load druginfo pricing --into druginfo_"],
    );
}

#[test]
fn a_refusal_names_line_byte_and_column() {
    let druginfo = Druginfo::new();
    let change = line("pricing", 3, |line| super::set_field(line, 4, b"thirty"));
    druginfo.refuses(
        change,
        11,
        Kept::Yes,
        &[
            "source pricing: 1 row rejected, the budget is 0: druginfo/",
            "pricing file PPUF_2026Q2.txt line 3, byte ",
            ", column DAYS_SUPPLY: is not a whole number",
            "`select * from kiln.reject` in the kept build shows them all",
        ],
    );
    assert_eq!(druginfo.kept_value("select count(*)::text from kiln.reject"), "1");
}
