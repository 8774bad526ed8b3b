//! What a generated release promises: the same bytes from the same struct, keys that are unique
//! and agree between files, and CMS's own names, headers and null habits.

mod objects;

use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::layout::Source;
use super::*;

/// Texts by member name, with the path of zips that they lie in.
type Texts = BTreeMap<String, Vec<u8>>;

fn made(release: &Release) -> (Vec<u8>, Counts) {
    let mut zip = Cursor::new(Vec::new());
    let counts = release.write(&mut zip).unwrap();
    (zip.into_inner(), counts)
}

fn unpack(zip: &[u8], within: &str, texts: &mut Texts, zips: &mut Vec<String>) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    for nth in 0..archive.len() {
        let mut member = archive.by_index(nth).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        if name.ends_with(".zip") {
            zips.push(format!("{within}{name}"));
            unpack(&bytes, &format!("{within}{name}/"), texts, zips);
        } else {
            texts.insert(name, bytes);
        }
    }
}

fn texts(zip: &[u8]) -> Texts {
    let mut texts = Texts::new();
    unpack(zip, "", &mut texts, &mut Vec::new());
    texts
}

/// Header and rows of a source, parts put together.
fn table(texts: &Texts, source: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let source = Source::ALL.into_iter().find(|known| known.name() == source).unwrap();
    let mut header = Vec::new();
    let mut rows = Vec::new();
    let parts: Vec<Option<u32>> = match source {
        Source::PharmacyNetworks => (1..=6).map(Some).collect(),
        _ => vec![None],
    };
    for part in parts {
        let text = encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(&texts[&source.text_name("2026Q2", part)])
            .0
            .into_owned();
        let mut lines = text.strip_suffix("\r\n").unwrap().split("\r\n").map(|line| {
            // What cp1252 lacks would come out as `&#…;`.
            assert!(!line.contains(['\n', '\r', '"']) && !line.contains("&#"), "{line}");
            line.split('|').map(str::to_owned).collect::<Vec<_>>()
        });
        header = lines.next().unwrap();
        rows.extend(lines);
    }
    (header, rows)
}

/// The values of some columns, row by row.
fn columns(texts: &Texts, source: &str, names: &[&str]) -> Vec<Vec<String>> {
    let (header, rows) = table(texts, source);
    let places: Vec<usize> =
        names.iter().map(|name| header.iter().position(|column| column == name).unwrap()).collect();
    rows.iter().map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect()
}

const PLAN: [&str; 3] = ["CONTRACT_ID", "PLAN_ID", "SEGMENT_ID"];

#[test]
fn the_same_struct_gives_the_same_bytes_and_another_seed_does_not() {
    let sha = |seed| Sha256::digest(made(&Release::small(seed)).0);
    assert_eq!(sha(1), sha(1));
    assert_ne!(sha(1), sha(2));
}

#[test]
fn more_rows_in_one_file_change_no_other() {
    let few = texts(&made(&Release::small(1)).0);
    let more = Release { network_rows: 300, pricing_rows: 90, ..Release::small(1) };
    let changed: Vec<String> = texts(&made(&more).0)
        .into_iter()
        .filter(|(name, text)| few[name] != *text)
        .map(|(name, _)| name)
        .collect();
    let networks = |name: &&String| name.starts_with("pharmacy networks");
    assert_eq!(changed.iter().filter(networks).count(), 6);
    assert_eq!(
        changed.iter().find(|name| !networks(name)).unwrap(),
        "pricing file PPUF_2026Q2.txt"
    );
    assert_eq!(changed.len(), 7);
}

#[test]
fn every_row_is_counted_and_as_wide_as_its_header() {
    for vintage in [Vintage::Cms2026, Vintage::Cms2023] {
        for seed in 0..5 {
            let (zip, counts) = made(&Release { vintage, ..Release::small(seed) });
            let texts = texts(&zip);
            assert_eq!(counts.len(), 9);
            for source in Source::ALL {
                let (header, rows) = table(&texts, source.name());
                assert_eq!(header, source.header(vintage));
                assert_eq!(counts[source.name()], rows.len() as u64, "{source:?}");
                assert!(!rows.is_empty(), "{source:?} of seed {seed}");
                assert!(rows.iter().all(|row| row.len() == header.len()), "{source:?}");
            }
        }
    }
}

#[test]
fn vintages_differ_where_cms_changed_its_columns() {
    let of = |vintage| Source::ALL.map(|source| source.header(vintage).len());
    assert_eq!(of(Vintage::Cms2026), [12, 24, 10, 7, 4, 13, 20, 14, 6]);
    assert_eq!(of(Vintage::Cms2023), [11, 25, 10, 7, 4, 13, 17, 15, 6]);
    assert_eq!(Source::PlanInformation.header(Vintage::Cms2023)[7..9], ["DEDUCTIBLE", "ICL"]);
}

#[test]
fn keys_are_unique() {
    let plan_and = |more: &[&'static str]| [&PLAN, more].concat();
    let keys = [
        ("plan_information", plan_and(&["COUNTY_CODE"])),
        ("geographic_locator", vec!["COUNTY_CODE"]),
        ("basic_drugs_formulary", vec!["FORMULARY_ID", "NDC"]),
        ("beneficiary_cost", plan_and(&["COVERAGE_LEVEL", "TIER", "DAYS_SUPPLY"])),
        ("insulin_beneficiary_cost", plan_and(&["TIER", "DAYS_SUPPLY"])),
        ("excluded_drugs_formulary", vec!["CONTRACT_ID", "PLAN_ID", "RXCUI"]),
        ("indication_based_coverage", vec!["CONTRACT_ID", "PLAN_ID", "RXCUI", "DISEASE"]),
        ("pharmacy_networks", plan_and(&["PHARMACY_NUMBER"])),
        ("pricing", plan_and(&["NDC", "DAYS_SUPPLY"])),
    ];
    let all_keys_used =
        Release { network_rows: 12 * 40, pricing_rows: 12 * 36, ..Release::small(3) };
    for release in [Release::small(1), all_keys_used, Release { plans: 90, ..Release::small(2) }] {
        let texts = texts(&made(&release).0);
        for (source, key) in &keys {
            let rows = columns(&texts, source, key);
            let distinct: HashSet<_> = rows.iter().collect();
            assert_eq!(distinct.len(), rows.len(), "{source}");
        }
    }
}

#[test]
fn keys_agree_between_files() {
    let texts = texts(&made(&Release { plans: 40, ..Release::small(4) }).0);
    let set = |source, names: &[&str]| -> HashSet<Vec<String>> {
        columns(&texts, source, names).into_iter().collect()
    };
    let plans = set("plan_information", &PLAN);
    assert_eq!(plans.len(), 40);
    for source in ["beneficiary_cost", "insulin_beneficiary_cost", "pharmacy_networks", "pricing"] {
        assert!(set(source, &PLAN).is_subset(&plans), "{source}");
    }
    for source in ["excluded_drugs_formulary", "indication_based_coverage"] {
        assert!(
            set(source, &PLAN[..2]).is_subset(&set("plan_information", &PLAN[..2])),
            "{source}"
        );
    }
    let covered = set("basic_drugs_formulary", &["FORMULARY_ID", "NDC"]);
    let formulary_of: BTreeMap<Vec<String>, String> =
        columns(&texts, "plan_information", &[&PLAN[..], &["FORMULARY_ID"]].concat())
            .into_iter()
            .map(|mut row| row.pop().map(|id| (row, id)).unwrap())
            .collect();
    for mut price in columns(&texts, "pricing", &[&PLAN[..], &["NDC"]].concat()) {
        let ndc = price.pop().unwrap();
        assert!(covered.contains(&vec![formulary_of[&price].clone(), ndc]));
    }
    let tiers = set("beneficiary_cost", &[&PLAN[..], &["TIER"]].concat());
    for (plan, formulary) in &formulary_of {
        for row in columns(&texts, "basic_drugs_formulary", &["FORMULARY_ID", "TIER_LEVEL_VALUE"]) {
            let tier = [plan.clone(), vec![row[1].clone()]].concat();
            assert!(row[0] != *formulary || tiers.contains(&tier), "{tier:?}");
        }
    }
}

#[test]
fn the_kind_of_contract_decides_what_is_blank() {
    let texts = texts(&made(&Release { plans: 60, ..Release::small(5) }).0);
    let counties: HashSet<_> =
        columns(&texts, "geographic_locator", &["COUNTY_CODE"]).into_iter().flatten().collect();
    let names = ["CONTRACT_ID", "MA_REGION_CODE", "PDP_REGION_CODE", "STATE", "COUNTY_CODE"];
    let mut kinds = HashSet::new();
    for row in columns(&texts, "plan_information", &names) {
        let known = row.iter().map(|field| field != " ").collect::<Vec<_>>();
        kinds.insert(row[0][..1].to_owned());
        match &row[0][..1] {
            "H" => {
                assert_eq!(known, [true, false, false, true, true]);
                assert!(counties.contains(&row[4]), "{row:?}");
            }
            "R" => assert_eq!(known, [true, true, false, false, false]),
            _ => assert_eq!(known, [true, false, true, false, false]),
        }
    }
    assert_eq!(kinds.len(), 3);
}

#[test]
fn pharmacy_numbers_are_npis_with_a_check_digit() {
    // Some of the states that so many counties lie in have ZIP codes with a zero in front.
    let texts = texts(&made(&Release { counties: 400, ..Release::small(6) }).0);
    let rows = columns(&texts, "pharmacy_networks", &["PHARMACY_NUMBER", "PHARMACY_ZIPCODE"]);
    for row in &rows {
        let npi = row[0].strip_prefix("10").unwrap();
        assert_eq!((npi.len(), row[1].len()), (10, 5));
        let digits = format!("80840{npi}");
        let sum: u32 = digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(place, digit)| (place, u32::from(digit - b'0')))
            .map(|(place, digit)| if place % 2 == 1 { digit / 5 + digit * 2 % 10 } else { digit })
            .sum();
        assert_eq!(sum % 10, 0, "{npi}");
    }
    assert!(rows.iter().any(|row| row[1].starts_with('0')));
}

#[test]
fn values_have_cms_habits() {
    let texts = texts(&made(&Release::small(7)).0);
    let plans = &texts["plan information  PPUF_2026Q2.txt"];
    assert!(plans.windows(4).any(|bytes| bytes == b"M\xe1s "), "cp1252 accent");
    assert!(plans.windows(9).any(|bytes| bytes == b"Members\x92 "), "cp1252 smart quote");
    for (name, text) in &texts {
        assert!(name.starts_with("plan information") || text.is_ascii(), "{name}");
    }
    let has = |source, column, value: &str| {
        columns(&texts, source, &[column]).iter().any(|row| row[0] == value)
    };
    assert!(has("insulin_beneficiary_cost", "TIER", "."));
    assert!(has("insulin_beneficiary_cost", "copay_amt_pref_insln", " "));
    assert!(has("pharmacy_networks", "SELECTED_DISPENSING_FEE_30", "."));
    assert!(has("basic_drugs_formulary", "QUANTITY_LIMIT_AMOUNT", " "));
    for (column, values) in [
        ("COST_TYPE_PREF", &["0", "1", "2"][..]),
        ("DAYS_SUPPLY", &["1", "2", "4"]),
        ("COVERAGE_LEVEL", &["0", "1", "3"]),
    ] {
        assert!(values.iter().all(|value| has("beneficiary_cost", column, value)), "{column}");
    }
}

#[test]
fn files_are_ordered_by_plan() {
    let texts = texts(&made(&Release { plans: 50, ..Release::small(8) }).0);
    for source in ["plan_information", "beneficiary_cost", "pharmacy_networks", "pricing"] {
        let plans = columns(&texts, source, &PLAN);
        assert!(plans.is_sorted(), "{source}");
    }
}

#[test]
fn members_have_cms_own_names_at_both_depths() {
    let release = Release { period: "2026Q2".to_owned(), ..Release::small(1) };
    assert_eq!(release.file_name(), "SPUF_2026_20260701.zip");
    let (mut flat, mut flat_zips) = (Texts::new(), Vec::new());
    unpack(&made(&release).0, "", &mut flat, &mut flat_zips);
    assert_eq!(flat_zips.len(), 14);
    for zip in [
        "basic drugs formulary file  PPUF_2026Q2.zip",
        "geographic locator file  PPUF_2026Q2.zip",
        "indication based coverage formulary file  PPUF_2026Q2.zip",
        "pharmacy networks file  PPUF_2026Q2 part 6.zip",
        "pricing file PPUF_2026Q2.zip",
    ] {
        assert!(flat_zips.iter().any(|found| found == zip), "{zip}");
    }
    for text in [
        "geographic locator file PPUF_2026Q2.txt",
        "Indication Based Coverage Formulary File  PPUF_2026Q2.txt",
        "pharmacy networks file  PPUF_2026Q2 part 1.txt",
        "pricing file PPUF_2026Q2.txt",
    ] {
        assert!(flat.contains_key(text), "{text}");
    }
    let (mut deep, mut deep_zips) = (Texts::new(), Vec::new());
    let three = Release { depth: Depth::Three, ..release };
    unpack(&made(&three).0, "", &mut deep, &mut deep_zips);
    assert!(flat == deep, "the texts do not depend on how deep they lie");
    let bundle = "pharmacy networks file  PPUF_2026Q2.zip";
    let within = deep_zips.iter().filter(|zip| zip.starts_with(&format!("{bundle}/")));
    assert_eq!((within.count(), deep_zips.len()), (6, 15));
}

#[test]
fn inner_zips_are_stored_or_deflated_and_zip64_on_demand() {
    let usual = Release::small(1);
    for (inner, zip64) in [(Inner::Stored, false), (Inner::Deflated, true), (Inner::Stored, true)] {
        let (zip, _) = made(&Release { inner, zip64, ..usual.clone() });
        assert!(texts(&zip) == texts(&made(&usual).0));
        let mut archive = ZipArchive::new(Cursor::new(&zip)).unwrap();
        let member = archive.by_index(0).unwrap();
        let stored = member.compression() == zip::CompressionMethod::Stored;
        assert_eq!(stored, inner == Inner::Stored);
        let stamp = member.last_modified().unwrap();
        assert_eq!((stamp.year(), stamp.month(), stamp.day()), (2026, 7, 1));
        // In a local header both sizes of a ZIP64 member read 0xffffffff.
        assert_eq!(zip[18..26] == [0xff; 8], zip64);
    }
}

#[test]
fn a_test_can_break_one_line_and_rename_or_drop_members() {
    let tamper = Tamper::default()
        .lines(|at, line| match at {
            At { source: "pharmacy_networks", part: 2, line: 3 } => line.push(0),
            At { source: "pricing", line: 1, .. } => *line = b"OTHER".to_vec(),
            _ => {}
        })
        .members(|name| match name {
            "beneficiary cost file  PPUF_2026Q2.zip" => None,
            "plan information  PPUF_2026Q2.txt" => Some("../plan.txt".to_owned()),
            name => Some(name.to_owned()),
        });
    let mut zip = Cursor::new(Vec::new());
    Release::small(1).write_with(&mut zip, tamper).unwrap();
    let (broken, whole) = (texts(zip.get_ref()), texts(&made(&Release::small(1)).0));
    let line = |texts: &Texts, name: &str, nth: usize| {
        texts[name].split(|byte| *byte == b'\n').nth(nth).unwrap().to_vec()
    };
    let part = "pharmacy networks file  PPUF_2026Q2 part 2.txt";
    assert!(line(&broken, part, 2).ends_with(b"\0\r"));
    assert_eq!(line(&broken, part, 1), line(&whole, part, 1));
    assert_eq!(line(&broken, "pricing file PPUF_2026Q2.txt", 0), b"OTHER\r");
    assert!(!broken.contains_key("beneficiary cost file  PPUF_2026Q2.txt"));
    assert!(broken.contains_key("../plan.txt"));
    assert_eq!(broken.len(), whole.len() - 1);
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    for release in [
        Release { network_rows: 481, ..Release::small(1) },
        Release { pricing_rows: 433, ..Release::small(1) },
        Release { plans: 0, ..Release::small(1) },
        Release { counties: 20_000, ..Release::small(1) },
    ] {
        let error = release.write(Cursor::new(Vec::new())).unwrap_err();
        assert!(matches!(error, Error::Sizes(_)), "{error}");
    }
}

#[test]
fn the_smallest_release_is_possible() {
    let one = Release {
        plans: 1,
        counties: 1,
        formularies: 1,
        drugs_per_formulary: 1,
        pharmacies: 1,
        network_rows: 1,
        pricing_rows: 0,
        ..Release::small(1)
    };
    assert_eq!(made(&one).1["pharmacy_networks"], 1);
}

#[test]
fn names_and_headers_are_those_of_the_real_release() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let files = std::env::var_os("KILN_CMS_FILES")
        .map_or_else(|| project.join("../shared/cms"), PathBuf::from);
    let sample = files.join("partd/SPUF_2026_20260701.sample.zip");
    let Ok(bytes) = std::fs::read(&sample) else {
        eprintln!("skipped: no real release at ../shared/cms (or KILN_CMS_FILES)");
        return;
    };
    let (mut real, mut real_zips) = (Texts::new(), Vec::new());
    unpack(&bytes, "", &mut real, &mut real_zips);
    let (mut own, mut own_zips) = (Texts::new(), Vec::new());
    unpack(&made(&Release::small(1)).0, "", &mut own, &mut own_zips);
    assert_eq!(real.len(), 7);
    for zip in &real_zips {
        assert!(own_zips.contains(zip), "{zip}");
    }
    let header = |text: &[u8]| text.split(|byte| *byte == b'\n').next().unwrap().to_vec();
    for (name, text) in &real {
        assert_eq!(header(text), header(&own[name]), "{name}");
    }
}
