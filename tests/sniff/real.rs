//! CMS's own files: every one of them, and every table of the PBP benefits, is drafted, checked and
//! loaded without a reject and without a row lost. Skipped, and said so, where they are not.

use std::path::Path;

use super::{Drafts, counts};
use crate::support::{bug, cms};

/// Members of a zip that hold delimited text.
fn members(zip: &Path) -> Vec<String> {
    let archive = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let is_text = |name: &String| {
        let lower = name.to_lowercase();
        !lower.starts_with("readme") && !lower.ends_with(".xlsx")
    };
    archive.file_names().map(|name| name.unwrap().into_owned()).filter(is_text).collect()
}

/// Records of a text by the simplest of counts: line ends, and a last line without one.
fn lines(text: &[u8]) -> u64 {
    let ends = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    ends + u64::from(text.last().is_some_and(|last| *last != b'\n'))
}

fn member_lines(zip: &Path, member: &str) -> u64 {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let mut text = Vec::new();
    std::io::copy(&mut archive.by_name(member).unwrap(), &mut text).unwrap();
    lines(&text)
}

#[test]
fn every_pbp_table_loads_by_its_draft() {
    let Some(zip) = cms("pbp/pbp-benefits-2026.zip") else { return };
    let file = zip.to_string_lossy().into_owned();
    let drafts = Drafts::new();
    let mut drafted = Vec::new();
    for member in members(&zip) {
        let said = drafts.draft(&["pbp", &file, "--member", &member]);
        let rows = member_lines(&zip, &member) - 1;
        assert_eq!(said["rows"], rows, "{member}");
        drafted.push((said["source"].as_str().unwrap().to_owned(), rows));
    }
    assert_eq!(drafted.len(), 56, "{drafted:?}");
    let ledger = drafts.build("pbp", &[file]);
    for (source, rows) in drafted {
        assert_eq!(counts(&ledger, &source), (rows, 0), "{source}");
    }
}

#[test]
fn every_zip_of_cms_loads_by_its_drafts() {
    for (zip, tables) in [("ndc/unfinished.zip", 4), ("partd/SPUF_2026_20260701.sample.zip", 7)] {
        let Some(path) = cms(zip) else { return };
        let file = path.to_string_lossy().into_owned();
        let drafts = Drafts::new();
        let mut drafted = Vec::new();
        for (number, member) in members(&path).into_iter().enumerate() {
            // A Part D member is a zip of its own, and holds one file.
            let is_zip = member.ends_with(".zip");
            let name = format!("table_{number}");
            let chosen = if is_zip { format!("^{member} → ") } else { member };
            let said = drafts.draft(&["made", &file, "--member", &chosen, "--name", &name]);
            drafted.push((name, said["rows"].as_u64().unwrap()));
        }
        assert_eq!(drafted.len(), tables, "{drafted:?}");
        let ledger = drafts.build("made", &[file]);
        for (source, rows) in drafted {
            assert_eq!(counts(&ledger, &source), (rows, 0), "{zip} {source}");
        }
    }
}

/// A file's name without what differs from year to year: files of one family have the same.
fn family(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let name = name.split('(').next().unwrap().to_owned();
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[test]
fn every_text_of_cms_loads_by_its_draft() {
    let mut paths = Vec::new();
    for folder in ["stars", "geo", "bene", "enrollment", "pbp"] {
        let Some(folder) = cms(folder) else { return };
        paths.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "csv" || e == "txt"));
    paths.sort();
    assert_eq!(paths.len(), 20, "{paths:?}");
    // The patterns of one year's file rightly take the next year's: each goes to a database of its
    // own.
    let databases = ["first", "second", "third", "fourth", "fifth"];
    let mut drafted: Vec<Vec<(String, String, u64)>> = vec![Vec::new(); databases.len()];
    let drafts = Drafts::new();
    for (number, path) in paths.iter().enumerate() {
        let same = paths[..number].iter().filter(|before| family(before) == family(path)).count();
        let (file, name) = (path.to_string_lossy().into_owned(), format!("table_{number}"));
        let said = drafts.draft(&[databases[same], &file, "--name", &name]);
        let rows = said["rows"].as_u64().unwrap();
        let before: u64 = match said["spec"].as_str().unwrap() {
            spec if spec.contains("header_rows   = 1") => 1,
            _ if file.contains("2023 Star Ratings Data Table - Measure Data") => 4,
            _ => 2,
        };
        assert_eq!(rows, lines(&std::fs::read(path).unwrap()) - before, "{file}");
        drafted[same].push((file, name, rows));
    }
    for (database, drafted) in databases.iter().zip(drafted) {
        let files: Vec<String> = drafted.iter().map(|(file, ..)| file.clone()).collect();
        let ledger = drafts.build(database, &files);
        for (file, source, rows) in drafted {
            assert_eq!(counts(&ledger, &source), (rows, 0), "{file}");
        }
    }
}

#[test]
fn files_that_others_stumbled_over_load_by_their_drafts_or_are_refused_with_the_reason() {
    let drafts = Drafts::new();
    let mut expected = Vec::new();
    for (name, rows, rejected, spec) in [
        ("fda_products/Products_20190702.txt", None, 0, "trailing      = \"ignore\""),
        ("small/trailing_comma_rows.csv", None, 0, "trailing      = \"ignore\""),
        ("small/two_stray_quotes_small.csv", Some(60), 0, "quoting       = \"none\""),
        ("small/three.csv", Some(2), 0, "{ from = \"c0\" }"),
        ("small/phones_20260101.csv", None, 0, "ext"),
    ] {
        let Some(path) = bug(name) else { return };
        let stem = path.file_stem().unwrap().to_string_lossy().to_lowercase();
        let file = path.to_string_lossy().into_owned();
        let said = drafts.draft(&["made", &file, "--name", &stem]);
        let drafted = said["spec"].as_str().unwrap();
        assert!(drafted.contains(spec), "{name}: {spec:?} is not in\n{drafted}");
        if stem.starts_with("phones") {
            let table = said["table"].as_str().unwrap();
            assert!(table.contains("ext text not null"), "{table}");
            let doubts = said["doubts"].to_string();
            assert!(doubts.contains("which this one cannot prove: ext"), "{doubts}");
        }
        let lines = lines(&std::fs::read(&path).unwrap()) - 1;
        assert_eq!(lines, rows.unwrap_or(lines), "{name}");
        expected.push((stem, lines, rejected, file));
    }
    // The next one, with zeros in front and signs: its own draft takes all of it.
    let Some(next) = bug("small/phones_20260201.csv") else { return };
    let next = next.to_string_lossy().into_owned();
    let said = drafts.draft(&["later", &next, "--name", "phones"]);
    assert!(said["table"].as_str().unwrap().contains("n   text not null"), "{}", said["table"]);
    let ledger = drafts.build("later", &[next]);
    assert_eq!(counts(&ledger, "phones"), (said["rows"].as_u64().unwrap(), 0));
    let files: Vec<String> = expected.iter().map(|(.., file)| file.clone()).collect();
    let ledger = drafts.build("made", &files);
    for (source, rows, rejected, _) in expected {
        assert_eq!(counts(&ledger, &source), (rows, rejected), "{source}");
    }
    for (name, said) in [
        ("small/cr_only.csv", "its lines end in lone carriage returns (0d)"),
        ("small/utf16le.csv", "is UTF-16 (it begins with the bytes ff fe 63 00)"),
    ] {
        let Some(path) = bug(name) else { return };
        let file = path.to_string_lossy().into_owned();
        let words = ["source", "new", "made", file.as_str(), "--name", "odd"];
        drafts.world.kiln(&words).exits(11).says(&[said, "hint: "]);
        assert!(!drafts.path("sources/made/odd.toml").exists());
    }
}
