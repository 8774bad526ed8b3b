//! Files that are refused, one a way of refusing, each with the canary where it hurts.

use super::CANARY;
use super::files::{Row, enrolment, rif};

/// A file that is refused, how the night ends, and what is said of it.
pub struct Broken {
    /// What is wrong.
    pub what: &'static str,
    /// The source that reads it.
    pub source: &'static str,
    /// The object.
    pub object: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Exit code of the night.
    pub code: i32,
    /// On standard error.
    pub said: &'static str,
}

const ENROLMENT: (&str, &str) = ("bene_enrollment", "SYNTHETIC_BENE_MAPD_ENRLMT.csv");
const RIF: (&str, &str) = ("beneficiary", "beneficiary_2024.csv");

fn case(
    what: &'static str,
    (source, object): (&'static str, &'static str),
    bytes: Vec<u8>,
    code: i32,
    said: &'static str,
) -> Broken {
    Broken { what, source, object, bytes, code, said }
}

/// Rows that are wrong between rows that are right.
fn some(rows: &[Row]) -> Vec<u8> {
    enrolment(&[&[Row::good(1)], rows, &[Row::good(2)]].concat())
}

/// More than this many bytes.
fn long(bytes: usize) -> String {
    CANARY.repeat(bytes / CANARY.len() + 1)
}

/// All of them.
pub fn broken() -> Vec<Broken> {
    let mut all = rows();
    all.extend(headers());
    all.extend(ends());
    all
}

fn rows() -> Vec<Broken> {
    let width = [Row::cut(3), Row::good(4).longer(), Row::with(5, 3, "")];
    let kind = [Row::with(3, 8, CANARY), Row::with(4, 2, CANARY), Row::with(5, 3, CANARY)];
    let undecodable = Row::with(3, 4, &format!("{CANARY}\u{e9}"));
    let bytes = [undecodable, Row::with(4, 4, "Q\0Z"), Row::with(5, 0, "  ")];
    let twice = [Row::good(1), Row::good(1)];
    vec![
        case("rows of another width", ENROLMENT, some(&width), 11, "short row: expected 14"),
        case("fields of another type", ENROLMENT, some(&kind), 11, "not a date in the declared"),
        case("bytes that are no text", ENROLMENT, some(&bytes), 11, "byte that is not ASCII"),
        case("no number", RIF, rif(&[Row::with(1, 21, CANARY)]), 11, "not a whole number"),
        case("twice", ENROLMENT, enrolment(&twice), 14, "bene_enrollment_key"),
        case("twice, pipe", RIF, rif(&twice), 14, "beneficiary_pkey"),
    ]
}

fn headers() -> Vec<Broken> {
    let headless = |file: Vec<u8>| {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap();
        file[end + 1..].to_vec()
    };
    let renamed = |file: Vec<u8>, from: &str| {
        let text = String::from_utf8(file).unwrap();
        text.replacen(from, &format!("{from}_{CANARY}"), 1).into_bytes()
    };
    let two = [Row::good(1), Row::good(2)];
    let said = "the header is not the declared one";
    vec![
        case("no header", ENROLMENT, headless(enrolment(&two)), 11, said),
        case("no header, pipe", RIF, headless(rif(&two)), 11, said),
        case("strange header", ENROLMENT, renamed(enrolment(&two), "BENE_SK"), 11, said),
        case("strange header, pipe", RIF, renamed(rif(&two), "MBI_NUM"), 11, said),
    ]
}

fn ends() -> Vec<Broken> {
    let mut cut = enrolment(&[Row::good(1)]);
    cut.pop();
    let field = some(&[Row::with(3, 7, &long(2 << 20))]);
    let row = rif(&[Row::with(1, 15, &long(9 << 20))]);
    let quote = some(&[Row::with(3, 0, &format!("\"{CANARY}"))]);
    vec![
        case("cut off", ENROLMENT, cut, 11, "is it cut?"),
        case("field without end", ENROLMENT, field, 11, "longer than"),
        case("row without end", RIF, row, 11, "longer than"),
        case("open quote", ENROLMENT, quote, 11, "quote"),
    ]
}
