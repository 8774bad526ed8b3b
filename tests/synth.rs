//! `kiln synth` by the real binary: the same bytes for the same seed whatever the sink, nights
//! that change what they say, counts as in CMS's catalog, and a night of kiln's own on them.

use std::collections::{BTreeMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Kiln, World, project};

/// `kiln synth druginfo …` into a folder: what it said, and the release's file.
fn synth(folder: &Path, arguments: &[&str]) -> (Value, PathBuf) {
    let to = folder.to_string_lossy();
    let all = [&["synth", "druginfo", "--json", "--to", &to], arguments].concat();
    let said = Kiln::new(&all)
        .env("KILN_HOME", &folder.join("home").to_string_lossy())
        .current_dir(project())
        .succeeds()
        .json();
    let release = said
        .as_array()
        .unwrap()
        .iter()
        .find(|object| object["name"].as_str().unwrap().starts_with("SPUF_"))
        .unwrap()
        .clone();
    let path = PathBuf::from(release["location"].as_str().unwrap());
    (release, path)
}

/// Lines of every text of a release, header and all, by the text's name.
fn texts(zip: &Path) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut outer = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let mut texts = BTreeMap::new();
    for nth in 0..outer.len() {
        let mut bytes = Vec::new();
        outer.by_index(nth).unwrap().read_to_end(&mut bytes).unwrap();
        let mut inner = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(inner.len(), 1);
        let mut member = inner.by_index(0).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut text = Vec::new();
        member.read_to_end(&mut text).unwrap();
        let text = text.strip_suffix(b"\r\n").unwrap();
        texts.insert(name, text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect());
    }
    texts
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_a_folder_and_in_a_bucket() {
    let world = World::new();
    let sha = |name: &str, seed: &str| {
        let folder = world.folder.path().join(name);
        let (said, path) = synth(&folder, &["--scale", "0.003", "--seed", seed]);
        let sum = said["sha256"].as_str().unwrap().to_owned();
        let file = std::fs::read(path).unwrap();
        assert_eq!(said["bytes"], file.len());
        assert_eq!(sum, kiln::testing::fetch::digest::hex(&sha2(&file)));
        sum
    };
    let first = sha("one", "7");
    assert_eq!(first, sha("two", "7"));
    assert_ne!(first, sha("three", "8"));
    let arguments = [
        "synth",
        "druginfo",
        "--json",
        "--scale",
        "0.003",
        "--seed",
        "7",
        "--to",
        "s3://kiln/deep",
    ];
    let said = world.kiln(&arguments).succeeds().json();
    assert_eq!(said[0]["sha256"], *first);
    let location = "s3://kiln/deep/druginfo/2026-07-01/SPUF_2026_20260701.zip";
    assert_eq!(said[0]["location"], location);
    let landed = world.folder.path().join("s3").join(&location[5..]);
    let landed = std::fs::read(landed).unwrap();
    assert!(landed.len() > 8 << 20, "more than one part is uploaded: {}", landed.len());
    assert_eq!(kiln::testing::fetch::digest::hex(&sha2(&landed)), first);
}

fn sha2(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).to_vec()
}

#[test]
fn counts_are_those_of_the_catalog_times_the_scale() {
    let whole: [(&str, f64); 8] = [
        ("pharmacy_networks", 307_272_341.0),
        ("pricing", 53_762_064.0),
        ("basic_drugs_formulary", 1_124_586.0),
        ("plan_information", 112_294.0),
        ("beneficiary_cost", 172_642.0),
        ("insulin_beneficiary_cost", 43_057.0),
        ("excluded_drugs_formulary", 13_717.0),
        ("indication_based_coverage", 397.0),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (said, path) = synth(folder.path(), &["--scale", "0.004"]);
    let texts = texts(&path);
    let mut found: BTreeMap<&str, f64> = BTreeMap::new();
    for member in said["members"].as_array().unwrap() {
        let lines = texts[member["name"].as_str().unwrap()].len() as f64 - 1.0;
        assert_eq!(member["rows"].as_f64().unwrap(), lines);
        *found.entry(member["source"].as_str().unwrap()).or_default() += lines;
    }
    for (source, rows) in whole {
        let wanted = (rows * 0.004).round();
        assert!((found[source] - wanted).abs() <= wanted * 0.02, "{source}: {}", found[source]);
    }
    assert_eq!(found["geographic_locator"], 3_279.0);
    // A dry run says the same and writes nothing.
    let (planned, nothing) = synth(&folder.path().join("dry"), &["--scale", "0.004", "--dry-run"]);
    for pair in planned["planned"].as_array().unwrap() {
        assert_eq!(pair[1].as_f64().unwrap(), found[pair[0].as_str().unwrap()], "{pair}");
    }
    assert!(!nothing.exists());
}

#[test]
fn a_night_changes_the_rows_that_it_says_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let night = |night: &str| synth(folder.path(), &["--scale", "0.001", "--night", night]);
    let (_, second) = night("2");
    let (said, third) = night("3");
    assert_eq!(third.file_name().unwrap(), "SPUF_2026_20260704.zip");
    let (second, third) = (texts(&second), texts(&third));
    for member in said["members"].as_array().unwrap() {
        let name = member["name"].as_str().unwrap();
        let (before, after) = (&second[name], &third[name]);
        assert_eq!(before.len(), after.len(), "{name}");
        let differing = before.iter().zip(after).filter(|(before, after)| before != after);
        let changed = member["changed"].as_u64().unwrap();
        assert_eq!(differing.count() as u64, changed, "{name}");
        let rows = member["rows"].as_f64().unwrap();
        let share = match member["source"].as_str().unwrap() {
            "pricing" => 0.01,
            "pharmacy_networks" | "basic_drugs_formulary" => 0.001,
            _ => 0.0,
        };
        let wanted = rows * share;
        assert!((changed as f64 - wanted).abs() <= 3.0 + wanted / 2.0, "{name}: {changed}");
        let distinct: HashSet<&Vec<u8>> = after.iter().collect();
        assert_eq!(distinct.len(), after.len(), "{name}");
    }
}

#[test]
fn wrong_numbers_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let kiln = |arguments: &[&str]| {
        let mut kiln = Kiln::new(arguments);
        kiln.env("KILN_HOME", &home.path().to_string_lossy()).current_dir(project());
        kiln
    };
    kiln(&["synth", "--scale", "0"]).exits(2).says(&["scale must be above 0"]);
    kiln(&["synth", "--scale", "1.5"]).exits(2).says(&["at most 1"]);
    kiln(&["synth", "--night", "4000"]).exits(2).says(&["night must be at most 3650"]);
    kiln(&["synth", "--quarter", "2026-2"]).exits(2).says(&["is no quarter such as 2026Q2"]);
    kiln(&["synth", "druginfo", "--then", "pricin"])
        .exits(2)
        .says(&["--then pricin: no source of that name changes", "did you mean `pricing`?"]);
    kiln(&["synth", "druginfo", "--then", "bene_enrollment"]).exits(2).says(&["some of: basic_"]);
    kiln(&["synth", "--then", "pricing,"]).exits(2).says(&["or nothing"]);
    kiln(&["synth", "medicaid"]).exits(2).says(&["nothing to generate for medicaid"]);
    kiln(&["synth", "--to", "s3://"]).exits(2).says(&["is no bucket"]);
}

#[test]
fn a_night_of_kiln_runs_on_what_synth_has_landed() {
    let world = World::new();
    // A configured bucket is where CMS's files land: it must be meant.
    world.kiln(&["synth", "druginfo"]).exits(2).says(&["s3://kiln/ is where CMS's files land"]);
    world.kiln(&["synth", "druginfo", "--scale", "0.0005", "--to", "s3://kiln"]).succeeds();
    world.accept("1..999");
    world.night();
    let rows = world.postgres.value("druginfo", "select count(*)::text from plan_pharmacy");
    assert_eq!(rows, "153636");
    // The next night's release is newer, so it is the one that is read.
    let next = ["synth", "druginfo", "--scale", "0.0005", "--night", "1", "--to", "s3://kiln"];
    world.kiln(&next).succeeds();
    world.night();
    let object =
        world.postgres.value("druginfo", "select object from kiln.file where source = 'pricing'");
    assert!(object.ends_with("SPUF_2026_20260702.zip"), "{object}");
}
