//! The strictest type that every field of a column fits, and what the loader must do for it.

use super::column::Seen;
use super::date::DateReading;
use super::evidence::{Evidence, Number};
use super::name;

/// Fewer digits of one width are likelier a number.
const CODE_WIDTH_MIN: usize = 3;
/// Why digits stay text where no zero leads in this file; another one may have codes with zeros.
pub(super) const CODE_BY_NAME: &str = "digits only; by its name a code";
pub(super) const CODE_BY_WIDTH: &str = "digits of one width, so perhaps a code";

/// A table column's type, with what the spec must say for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// `text`; the reason where it might have been something stricter.
    Text(Option<&'static str>),
    /// `boolean` of Y and N.
    YesNo,
    /// `boolean` of 1 and 0.
    OneZero,
    /// A whole number.
    Whole(&'static str),
    /// `numeric(p,s)`.
    Decimal(usize, usize, Amount),
    /// `date`.
    Date(DateReading),
}

/// How a decimal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// As it is.
    Plain,
    /// With dollar signs, commas, parentheses.
    Money,
    /// With a percent sign.
    Percent,
}

impl Number {
    fn kind(self, amount: Amount, name: &str) -> ColumnKind {
        if amount == Amount::Plain && self.zero_led {
            return ColumnKind::Text(Some("zeros lead: a code"));
        }
        if amount == Amount::Plain && self.fraction == 0 {
            if name::is_code(name) {
                return ColumnKind::Text(Some(CODE_BY_NAME));
            }
            if self.is_of_one_width() {
                return ColumnKind::Text(Some(CODE_BY_WIDTH));
            }
            if let Some((least, most)) = self.range {
                return whole(least, most, name);
            }
        }
        // A digit before the point, even where all that was seen is below one.
        let precision = self.whole.max(1) + self.fraction;
        ColumnKind::Decimal(precision, self.fraction, amount)
    }
}

impl Number {
    /// Whether different contents have the same count of digits, as codes have, and are no years.
    fn is_of_one_width(self) -> bool {
        let Some((fewest, most)) = self.width else { return false };
        let years = self.range.is_some_and(|(least, most)| least >= 1900 && most <= 2100);
        let differ = self.range.is_none_or(|(least, most)| least != most);
        fewest == most && fewest >= CODE_WIDTH_MIN && differ && !years
    }
}

fn whole(least: i64, most: i64, name: &str) -> ColumnKind {
    let fits = |from: i64, to: i64| least >= from && most <= to;
    if fits(0, 1) && name::is_flag(name) {
        ColumnKind::OneZero
    } else if fits(i16::MIN.into(), i16::MAX.into()) {
        ColumnKind::Whole("smallint")
    } else if fits(i32::MIN.into(), i32::MAX.into()) {
        ColumnKind::Whole("integer")
    } else {
        ColumnKind::Whole("bigint")
    }
}

impl ColumnKind {
    /// The strictest that all fields fit, and whether words go to a column of their own.
    pub(super) fn of(seen: &Seen) -> (ColumnKind, bool) {
        let evidence = &seen.evidence;
        if seen.filled == 0 {
            return (ColumnKind::Text(None), false);
        }
        if evidence.yes_no {
            return (ColumnKind::YesNo, false);
        }
        if evidence.words == seen.filled {
            return (ColumnKind::Text(None), false);
        }
        let has_words = evidence.words > 0;
        if has_words && evidence.word_list.is_none() {
            return (ColumnKind::Text(None), false);
        }
        let kind = evidence.of_digits(&seen.name);
        match kind {
            ColumnKind::Text(reason) => (ColumnKind::Text(reason), false),
            kind => (kind, has_words),
        }
    }

    /// The type in SQL.
    pub(super) fn sql(&self) -> String {
        match self {
            ColumnKind::Text(_) => "text".to_owned(),
            ColumnKind::YesNo | ColumnKind::OneZero => "boolean".to_owned(),
            ColumnKind::Whole(name) => (*name).to_owned(),
            ColumnKind::Decimal(precision, scale, _) => format!("numeric({precision},{scale})"),
            ColumnKind::Date(_) => "date".to_owned(),
        }
    }

    /// The transforms in TOML that lead to it.
    pub(super) fn transforms(&self) -> Vec<String> {
        let word = |word: &str| vec![format!("\"{word}\"")];
        match self {
            ColumnKind::YesNo => word("yes_no"),
            ColumnKind::OneZero => word("one_zero"),
            ColumnKind::Decimal(_, _, Amount::Money) => word("money"),
            ColumnKind::Decimal(_, _, Amount::Percent) => word("percent"),
            ColumnKind::Date(DateReading::Prefix) => vec!["{ prefix = 10 }".to_owned()],
            ColumnKind::Date(DateReading::Forms(forms)) => {
                let quoted: Vec<String> = forms.iter().map(|form| format!("\"{form}\"")).collect();
                let argument = match quoted.as_slice() {
                    [one] => one.clone(),
                    many => format!("[{}]", many.join(", ")),
                };
                vec![format!("{{ date = {argument} }}")]
            }
            ColumnKind::Text(_)
            | ColumnKind::Whole(_)
            | ColumnKind::Decimal(..)
            | ColumnKind::Date(DateReading::Iso) => Vec::new(),
        }
    }
}

impl Evidence {
    /// What the fields with a digit are.
    fn of_digits(&self, name: &str) -> ColumnKind {
        if let Some(reading) = self.dates.reading() {
            return ColumnKind::Date(reading);
        }
        if let Some(number) = self.plain {
            return number.kind(Amount::Plain, name);
        }
        if let Some(number) = self.percent {
            return number.kind(Amount::Percent, name);
        }
        match self.money {
            Some(number) if self.marked > 0 => number.kind(Amount::Money, name),
            _ if self.dates.times > 0 => {
                ColumnKind::Text(Some("a time of day, which no date holds"))
            }
            _ => ColumnKind::Text(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::SampledFile;
    use super::super::shape::FileShape;
    use super::*;

    fn kind(name: &str, fields: &[&str]) -> (String, Vec<String>, bool) {
        let shape = FileShape::plain(b'|', &[name]);
        let mut file = SampledFile::new(&shape);
        let text = fields.join("\n");
        let format = super::super::format(b'|', crate::spec::source::Quoting::None);
        let mut records = crate::load::decode::Records::new(text.as_bytes(), &format);
        while let Some(record) = records.next_record().unwrap() {
            file.note(&record);
        }
        let (_, columns) = file.finish(true);
        let (kind, words) = ColumnKind::of(&columns[0]);
        (kind.sql(), kind.transforms(), words)
    }

    #[track_caller]
    fn is(name: &str, fields: &[&str], sql: &str, transforms: &[&str], words: bool) {
        let expected =
            (sql.to_owned(), transforms.iter().map(|t| (*t).to_owned()).collect(), words);
        assert_eq!(kind(name, fields), expected, "{fields:?}");
    }

    #[test]
    fn codes_stay_text_and_numbers_become_the_narrowest_type() {
        is("NDC", &["00002143380", "50242004062"], "text", &[], false);
        is("county", &["05120", "36103"], "text", &[], false);
        is("plan", &["-05", "-12"], "text", &[], false);
        is("RXCUI", &["1234567"], "text", &[], false);
        is("tier", &["1", "6", " "], "smallint", &[], false);
        is("rows", &["1", "70000"], "integer", &[], false);
        is("ext", &["1", "104"], "text", &[], false);
        is("area", &["104", "205"], "text", &[], false);
        is("area", &["104", "104"], "smallint", &[], false);
        is("area", &["104", "-205"], "smallint", &[], false);
        is("year", &["2025", "2026"], "smallint", &[], false);
        is("n", &["1", "011", "13.0"], "text", &[], false);
        is("sk", &["-535974684924"], "bigint", &[], false);
        is("huge", &["99999999999999999999", "7"], "numeric(20,0)", &[], false);
        is("premium", &["0.00", "123.4", "-5"], "numeric(5,2)", &[], false);
        is("unit_cost", &[".12345"], "numeric(6,5)", &[], false);
        is("version", &["1.2.3"], "text", &[], false);
    }

    #[test]
    fn flags_money_shares_and_dates_get_their_transforms() {
        is("PRIOR_AUTH_YN", &["Y", "N", " "], "boolean", &["\"yes_no\""], false);
        is("TIER", &["Y", "N", "U"], "text", &[], false);
        is("IN_AREA_FLAG", &["1", "0"], "boolean", &["\"one_zero\""], false);
        is("count", &["1", "0"], "smallint", &[], false);
        is("fee", &["$1,234.00", "($20.80)", "0"], "numeric(6,2)", &["\"money\""], false);
        is("share", &["74%", "100%"], "numeric(3,2)", &["\"percent\""], false);
        is("day", &["20180625", ""], "date", &["{ date = \"%Y%m%d\" }"], false);
        is("stamp", &["2020-01-24T00:00:00.000"], "date", &["{ prefix = 10 }"], false);
    }

    #[test]
    fn words_among_numbers_get_a_column_and_codes_do_not() {
        is("stars", &["4.5", "Not Applicable", "5"], "numeric(2,1)", &[], true);
        is("enrolment", &["*", "1200"], "smallint", &[], true);
        is("share", &["74%", "Not Available"], "numeric(3,2)", &["\"percent\""], true);
        is("switch", &["Y", "1", "0"], "text", &[], false);
        is("mixed", &["74%", "4.5"], "text", &[], false);
    }
}
