//! The gates as a table of cases: what passes, what is refused, and what does not count.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::catalog::ledger::FileEntry;
use crate::catalog::ledger::Ledger;
use crate::catalog::manifest::Input;
use crate::catalog::manifest::Manifest;
use crate::config::strict::Problems;
use crate::fetch::store::Pin;

/// A source of one file, or of one an edition, whose rows and nulls of column `premium` are given.
struct Given<'a> {
    object: &'a str,
    rows: u64,
    nulls: Option<u64>,
}

fn given(object: &str, rows: u64, nulls: u64) -> Given<'_> {
    Given { object, rows, nulls: Some(nulls) }
}

fn spec(gates: &str) -> Source {
    let text = format!(
        "description = \"d\"\nobject = '^((?<edition>\\d{{4}}) )?plans( \\((?<posted>.*)\\))?(_(?<period>\\w+))?\\.csv$'\n\
         columns = [{{ from = \"PREMIUM\" }}]\n[format]\ndelimiter = \",\"\n{gates}"
    );
    let problems = Problems::default();
    let source = Source::parse(Path::new("sources/x/plans.toml"), &text, &problems);
    problems.into_result("mend").unwrap();
    source.unwrap()
}

fn file(given: &Given<'_>) -> FileEntry {
    FileEntry {
        object: format!("x/2026-07-02/{}", given.object),
        version: String::new(),
        member: String::new(),
        bytes: 0,
        sha256: String::new(),
        evidence: String::new(),
        lines: given.rows + 1,
        header: 1,
        loaded: given.rows,
        rejected: 0,
        filtered: 0,
        misfits: 0,
        copied: given.rows,
        digest: String::new(),
        nulls: given.nulls.map(|nulls| BTreeMap::from([("premium".to_owned(), nulls)])),
    }
}

fn account(build: &str, period: Option<&str>, files: &[Given<'_>]) -> Account {
    let pin = |given: &Given<'_>| Pin {
        bucket: "kiln".into(),
        key: format!("x/2026-07-02/{}", given.object),
        version_id: None,
        etag: String::new(),
        size: 1,
        modified: String::new(),
        sha256: None,
        sha256_by_store: false,
    };
    let input = Input {
        spec_sha256: String::new(),
        sql_sha256: String::new(),
        posted: None,
        objects: files.iter().map(pin).collect(),
    };
    let mut ledger = Ledger::open("r", "run", "x", build, 1);
    let mut entry = SourceEntry::empty("plans", SourceState::Loaded);
    entry.period = period.map(str::to_owned);
    entry.files = files.iter().map(file).collect();
    ledger.sources.push(entry);
    Account {
        build: build.to_owned(),
        manifest: Manifest {
            kiln: 1,
            database: "x".into(),
            schema_version: 1,
            created: String::new(),
            without: Vec::new(),
            sources: BTreeMap::from([("plans".to_owned(), input)]),
            tool: String::new(),
            row_format: crate::spec::row_format::ROW_FORMAT,
            withdrawn: Vec::new(),
            sql_sha256: String::new(),
            hash_key: None,
            subset: None,
        },
        ledger,
        former: BTreeMap::new(),
    }
}

/// The gates that refuse, as `gate` or `gate.column`.
fn refused(gates: &str, live: &Account, new: &Account) -> Vec<String> {
    let entries = judge(live, new, &[spec(gates)], &[]);
    let refused = entries.iter().filter(|entry| entry.is_refused());
    refused
        .map(|entry| match &entry.column {
            Some(column) => format!("{}.{column}", entry.gate),
            None => entry.gate.clone(),
        })
        .collect()
}

fn one(rows: u64, nulls: u64) -> Account {
    account("x_00001", None, &[given("plans.csv", rows, nulls)])
}

#[test]
fn rows_may_fall_by_a_fifth_and_rise_by_a_quarter_and_a_hundred_never_matter() {
    for (was, is, said) in [
        (1000, 1000, ""),
        (1000, 800, ""),
        (1000, 799, "rows"),
        (1000, 1250, ""),
        (1000, 1251, "rows"),
        (26_881, 1, "rows"),
        (1000, 0, "rows"),
        (99, 0, ""),
        (100, 0, "rows"),
        (10, 109, ""),
        (10, 110, "rows"),
        (0, 99, ""),
    ] {
        assert_eq!(refused("", &one(was, 0), &one(is, 0)).join(" "), said, "{was} {is}");
    }
    let wide = "[gates]\nrows_ratio_min = 0.1\nrows_ratio_max = 3.0\n";
    for (is, said) in [(100, ""), (99, "rows"), (3000, ""), (3001, "rows")] {
        assert_eq!(refused(wide, &one(1000, 0), &one(is, 0)).join(" "), said, "{is}");
    }
}

#[test]
fn nulls_may_rise_by_ten_points_and_fall_as_they_like() {
    for (was, is, said) in [
        ((1000, 0), (1000, 100), ""),
        ((1000, 0), (1000, 101), "nulls.premium"),
        ((1000, 500), (1000, 600), ""),
        ((1000, 500), (1000, 601), "nulls.premium"),
        ((1000, 1000), (1000, 0), ""),
        ((1000, 20), (1100, 1100), "nulls.premium"),
        // Fewer than a hundred rows that are null and were not.
        ((120, 0), (120, 99), ""),
        ((120, 0), (120, 100), "nulls.premium"),
    ] {
        let (was, is) = (one(was.0, was.1), one(is.0, is.1));
        assert_eq!(refused("", &was, &is).join(" "), said, "{:?}", is.ledger.sources);
    }
    let wide = "[gates]\nnulls_rise_max = 0.9\n";
    assert_eq!(refused(wide, &one(1000, 0), &one(1000, 900)), [""; 0]);
    let collapsed = judge(&one(1000, 10), &one(10, 10), &[spec("")], &[]);
    let rows = collapsed.iter().find(|entry| entry.gate == "rows").unwrap();
    assert_eq!(
        (&rows.live, &rows.value, &rows.limit),
        (&json!(1000), &json!(10), &json!([800, 1250]))
    );
    assert_eq!(rows.text(), "gate rows: plans: 10 rows, live has 1,000 (limits: 800 to 1,250)");
}

#[test]
fn a_column_that_the_file_lacks_and_a_build_that_did_not_count_are_not_compared() {
    let mut lacks = one(1000, 0);
    lacks.ledger.sources[0].files[0].nulls = Some(BTreeMap::new());
    assert_eq!(refused("", &one(1000, 0), &lacks), [""; 0]);
    assert_eq!(refused("", &lacks, &one(1000, 1000)), [""; 0]);
    let mut older = one(1000, 0);
    older.ledger.sources[0].files[0].nulls = None;
    let entries = judge(&older, &one(10, 10), &[spec("")], &[]);
    let verdicts: Vec<(&str, GateVerdict)> =
        entries.iter().map(|entry| (entry.gate.as_str(), entry.verdict)).collect();
    assert_eq!(verdicts, [("rows", GateVerdict::Refused), ("nulls", GateVerdict::NotCompared)]);
    assert!(entries[1].text().contains("not compared: an older kiln"), "{}", entries[1].text());
}

#[test]
fn editions_are_compared_one_by_one_and_a_new_one_is_no_growth() {
    let two = |first, second| {
        let files = [given("2023 plans.csv", first, 0), given("2024 plans.csv", second, 0)];
        account("x_00002", None, &files)
    };
    let first = account("x_00001", None, &[given("2023 plans.csv", 800, 0)]);
    assert_eq!(refused("", &first, &two(800, 800)), [""; 0]);
    assert_eq!(refused("", &two(800, 800), &two(800, 500)), ["rows"]);
    assert_eq!(refused("", &two(800, 800), &first), ["rows"], "an edition is gone");
}

#[test]
fn a_new_plan_year_is_expected_where_the_spec_says_so_and_no_collapse_is() {
    let of = |period, rows| account("x_00001", Some(period), &[given("plans.csv", rows, 0)]);
    let expect = "[gates]\nexpect = \"new-year\"\n";
    let (before, after) = (of("2026Q3", 1000), of("2027Q1", 600));
    assert_eq!(refused("", &before, &after), ["rows"]);
    assert_eq!(refused(expect, &before, &after), [""; 0]);
    assert_eq!(refused(expect, &before, &of("2026Q4", 600)), ["rows"], "the same year");
    assert_eq!(refused(expect, &before, &of("2027Q1", 10)), ["rows"]);
}

#[test]
fn what_goes_back_is_older_by_name_by_period_and_by_edition() {
    let named = |object| account("x_00001", None, &[given(object, 10, 0)]);
    for (was, is, said) in [
        ("plans (Jul 2 2024).csv", "plans (Oct 13 2023).csv", "older"),
        ("plans (Oct 13 2023).csv", "plans (Jul 2 2024).csv", ""),
        ("plans_May_2026.csv", "plans_April_2026.csv", "older"),
        ("plans_2026_05.csv", "plans_2026_05.csv", ""),
        ("plans_2026_05.csv", "plans.csv", ""),
        ("2023 plans (Oct 4 2022).csv", "2024 plans (Jul 2 2021).csv", ""),
    ] {
        assert_eq!(refused("", &named(was), &named(is)).join(" "), said, "{was} {is}");
    }
    let of = |period| account("x_00001", Some(period), &[given("plans.csv", 10, 0)]);
    // An older kiln sealed periods in the publisher's words.
    for (was, is, said) in [
        ("2026Q2", "2026Q1", "older"),
        ("2026Q1", "2026Q2", ""),
        ("20260531", "2026-04-30", "older"),
        ("2026Q2", "2026-07-31", ""),
        ("2026Q2", "sample", ""),
    ] {
        assert_eq!(refused("", &of(was), &of(is)).join(" "), said, "{was} {is}");
    }
    let entries = judge(&of("2026Q2"), &of("2026Q1"), &[spec("")], &[]);
    let older = entries.iter().find(|entry| entry.gate == "older").unwrap();
    assert_eq!(older.text(), "gate older: plans: 2026Q1 goes back, live has 2026Q2");
}

#[test]
fn a_waiver_for_gate_and_source_turns_a_refusal_and_says_whose_word_it_was() {
    let waiver = |gate, source: Option<&str>| Waiver {
        id: 1,
        database: "x".into(),
        gate,
        source: source.map(str::to_owned),
        build: None,
        until: None,
        why: "half a file, on purpose".into(),
        login: "ada".into(),
        host: "h".into(),
        at: String::new(),
    };
    let (live, new) = (one(1000, 0), one(300, 300));
    let refused = |waivers: &[Waiver]| {
        let entries = judge(&live, &new, &[spec("")], waivers);
        let said = permit("x", "x_00002 is not promoted", &entries, "kiln swap x");
        (entries, said.err().map(|error| crate::report::error::text(&error)).unwrap_or_default())
    };
    let (_, said) = refused(&[]);
    for expected in [
        "x_00002 is not promoted:\n  gate rows: plans: 300 rows",
        "gate nulls: plans.premium: 100.0 % of its rows are null, live has 0.0 % (limit: 10.0 %)",
        "kiln waive x nulls --source plans --why 'WHY' && kiln waive x rows --source plans --why 'WHY'",
        "&& kiln swap x",
    ] {
        assert!(said.contains(expected), "{expected}\n-- not in --\n{said}");
    }
    let (_, said) = refused(&[waiver(Gate::Rows, Some("other")), waiver(Gate::Nulls, None)]);
    assert!(said.contains("gate rows") && !said.contains("gate nulls"), "{said}");
    let (entries, said) = refused(&[waiver(Gate::Rows, Some("plans")), waiver(Gate::Nulls, None)]);
    assert_eq!(said, "");
    assert!(entries[0].text().ends_with("; waived by ada on h: half a file, on purpose"));
}
