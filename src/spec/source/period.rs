//! A time as file names tell it: `2026Q2`, `20260531`, `2026_05`, `10012025`, `Jul 2 2024`,
//! `may-2026`. A closed set of forms, of which no text has two readings, so that a spec names the
//! group and not its form.

use std::cmp::Reverse;
use std::fmt;

use jiff::civil::{Date, date};

/// A day, month, quarter or year, by its first and its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    first: Date,
    last: Date,
    unit: Unit,
    /// Which edition of the same time, where the name counts them: `202506.1`.
    revision: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Month,
    Quarter,
    Year,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl Period {
    /// Reads a text; `None` for one of no known form. The forms stand in sources/README.md.
    pub(crate) fn parse(text: &str) -> Option<Period> {
        let lower = text.to_ascii_lowercase();
        let words = words(&lower);
        match words.as_slice() {
            [digits] if digits.len() == 8 => {
                // No month is 19 or 20: only one of the two is a date.
                let (year, rest) = digits.split_at(4);
                let (month, day) = digits.split_at(2);
                day_of(year, &rest[..2], &rest[2..]).or_else(|| day_of(&day[2..], month, &day[..2]))
            }
            [digits] if digits.len() == 6 => month_of(&digits[..4], &digits[4..], 0),
            [digits, revision] if digits.len() == 6 => {
                month_of(&digits[..4], &digits[4..], revision.parse().ok()?)
            }
            [year] => {
                let year = year_of(year)?;
                Some(Period::new(date(year, 1, 1), date(year, 12, 31), Unit::Year))
            }
            [year, "q" | "quarter", quarter] => {
                let quarter: i8 = quarter.parse().ok().filter(|n| (1..=4).contains(n))?;
                let first = date(year_of(year)?, quarter * 3 - 2, 1);
                let last = date(first.year(), quarter * 3, 1).last_of_month();
                Some(Period::new(first, last, Unit::Quarter))
            }
            [year, month, "rev", revision] => month_of(year, month, revision.parse().ok()?),
            [month, year] if named(month).is_some() => month_of(year, month, 0),
            [year, month] if year.len() == 4 => month_of(year, month, 0),
            [month, day, year] if named(month).is_some() => day_of(year, month, day),
            [year, month, day] if year.len() == 4 => day_of(year, month, day),
            _ => None,
        }
    }

    fn new(first: Date, last: Date, unit: Unit) -> Period {
        Period { first, last, unit, revision: 0 }
    }

    /// The text in kiln's own form, one for each unit; a text that is no time stays as it is.
    pub(crate) fn canonical(text: &str) -> String {
        Period::parse(text).map_or_else(|| text.to_owned(), |period| period.to_string())
    }

    /// Whether it is certain that this time is before the other: of the same unit the earlier
    /// one; of two units one that ends before the other begins.
    pub(crate) fn is_before(&self, other: &Period) -> bool {
        if self.unit == other.unit {
            return (self.first, self.revision) < (other.first, other.revision);
        }
        self.last < other.first
    }

    /// What tells the newer of two landed objects: the later beginning, then the narrower one.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        (self.first, Reverse(self.last), self.revision)
    }

    /// The year that it begins in.
    pub(crate) fn year(&self) -> i16 {
        self.first.year()
    }

    /// The digits that manifests have of a posting: `20260701`; `202605` of a month.
    pub(crate) fn digits(&self) -> String {
        let (year, month, day) = (self.first.year(), self.first.month(), self.first.day());
        match self.unit {
            Unit::Day => format!("{year:04}{month:02}{day:02}"),
            Unit::Month if self.revision > 0 => format!("{year:04}{month:02}.{}", self.revision),
            Unit::Month => format!("{year:04}{month:02}"),
            Unit::Quarter | Unit::Year => self.to_string(),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.first.year(), self.first.month(), self.first.day());
        match self.unit {
            Unit::Day => write!(f, "{year:04}-{month:02}-{day:02}"),
            Unit::Month if self.revision > 0 => {
                write!(f, "{year:04}-{month:02} rev {}", self.revision)
            }
            Unit::Month => write!(f, "{year:04}-{month:02}"),
            Unit::Quarter => write!(f, "{year:04}Q{}", (month + 2) / 3),
            Unit::Year => write!(f, "{year:04}"),
        }
    }
}

/// Runs of letters and runs of digits.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for at in 0..=bytes.len() {
        let kind = |at: usize| bytes.get(at).map(|b| (b.is_ascii_digit(), b.is_ascii_alphabetic()));
        if at > start && kind(at) != kind(at - 1) || at == bytes.len() {
            let word = &text[start..at];
            if word.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
                words.push(word);
            }
            start = at;
        }
    }
    words
}

fn year_of(text: &str) -> Option<i16> {
    let year = text.parse().ok().filter(|_| text.len() == 4)?;
    (1900..=2199).contains(&year).then_some(year)
}

/// The month of a name, or of its first three letters or more.
fn named(text: &str) -> Option<i8> {
    let found = MONTHS.iter().position(|month| text.len() >= 3 && month.starts_with(text))?;
    i8::try_from(found + 1).ok()
}

fn month_number(text: &str) -> Option<i8> {
    let short = text.len() <= 2;
    named(text).or_else(|| text.parse().ok().filter(|n| short && (1..=12).contains(n)))
}

fn month_of(year: &str, month: &str, revision: u32) -> Option<Period> {
    let first = date(year_of(year)?, month_number(month)?, 1);
    Some(Period { revision, ..Period::new(first, first.last_of_month(), Unit::Month) })
}

fn day_of(year: &str, month: &str, day: &str) -> Option<Period> {
    let day = day.parse().ok().filter(|_| day.len() <= 2)?;
    let day = Date::new(year_of(year)?, month_number(month)?, day).ok()?;
    Some(Period::new(day, day, Unit::Day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_told_in_one_way() {
        for (text, canonical, digits) in [
            ("2026Q2", "2026Q2", "2026Q2"),
            ("2026-quarter-3", "2026Q3", "2026Q3"),
            ("20260531", "2026-05-31", "20260531"),
            ("10012025", "2025-10-01", "20251001"),
            ("202607", "2026-07", "202607"),
            ("2026_07", "2026-07", "202607"),
            ("202506.1", "2025-06 rev 1", "202506.1"),
            ("202506-1", "2025-06 rev 1", "202506.1"),
            ("may-2026", "2026-05", "202605"),
            ("March_2026", "2026-03", "202603"),
            ("Sept 2026", "2026-09", "202609"),
            ("Jul 2 2024", "2024-07-02", "20240702"),
            ("Oct 04 2022", "2022-10-04", "20221004"),
            ("October 13, 2023", "2023-10-13", "20231013"),
            ("2026", "2026", "2026"),
        ] {
            let period = Period::parse(text).unwrap_or_else(|| panic!("{text} is not read"));
            assert_eq!((period.to_string(), period.digits()), (canonical.into(), digits.into()));
            assert_eq!(Period::parse(canonical), Some(period), "{canonical}");
            assert_eq!(Period::parse(digits), Some(period), "{digits}");
        }
        for text in ["", "2026Q5", "20261301", "13012025", "sample", "Ju 2 2024", "99", "26-05"] {
            assert_eq!(Period::parse(text), None, "{text}");
            assert_eq!(Period::canonical(text), text);
        }
    }

    #[test]
    fn before_is_what_is_certain() {
        let is_before =
            |a: &str, b: &str| Period::parse(a).unwrap().is_before(&Period::parse(b).unwrap());
        for (older, newer) in [
            ("2026Q1", "2026Q2"),
            ("Oct 13 2023", "Jul 2 2024"),
            ("April_2026", "may-2026"),
            ("202506", "202506.1"),
            ("2025", "2026-quarter-1"),
            ("2026Q2", "20260731"),
            ("20260331", "2026Q2"),
        ] {
            assert!(is_before(older, newer), "{older} {newer}");
            assert!(!is_before(newer, older), "{newer} {older}");
        }
        for (one, other) in [("2026Q2", "20260630"), ("2026", "2026Q3"), ("2026Q2", "2026Q2")] {
            assert!(!is_before(one, other) && !is_before(other, one), "{one} {other}");
        }
        let order = |text: &str| Period::parse(text).unwrap().order();
        assert!(order("2026-quarter-1") > order("2026"));
    }
}
