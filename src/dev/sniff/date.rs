//! Dates as CMS and the FDA write them, read with the loader's own transform.

use std::borrow::Cow;

use crate::spec::source::Transform;

/// The forms, the first that fits all fields is taken. Day before month does not occur in US files.
pub(super) const FORMS: [&str; 7] =
    ["%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%d-%b-%Y", "%d%b%Y", "%m-%d-%Y", "%Y/%m/%d"];
/// The form that the loader reads without a transform.
pub(super) const ISO: usize = 0;

/// What the fields of a column can be read as.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dates {
    /// Bits of the forms that some field has.
    used: u8,
    /// Bits of the forms that some field has not.
    failed: u8,
    /// A field was of no form.
    none: bool,
    /// Timestamps at midnight.
    midnights: u64,
    /// Timestamps at other times: what a date would lose.
    pub times: u64,
}

/// How a column of dates is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DateReading {
    /// As it stands.
    Iso,
    /// The first ten characters.
    Prefix,
    /// By these forms, in turn.
    Forms(Vec<&'static str>),
}

impl Dates {
    /// Takes a field without blanks at its ends; true where it is a date.
    pub(super) fn note(&mut self, field: &[u8]) {
        if self.none {
            return;
        }
        if let Some(time) = timestamp(field) {
            match time.iter().all(|byte| !byte.is_ascii_digit() || *byte == b'0') {
                true => self.midnights += 1,
                false => self.times += 1,
            }
            return;
        }
        let mut found = 0;
        for (bit, form) in FORMS.iter().enumerate() {
            if self.midnights == 0 && is_of(field, form) {
                found |= 1 << bit;
            }
        }
        self.none = found == 0;
        self.used |= found;
        self.failed |= !found;
    }

    /// How the column is read, if all its fields are dates.
    pub(super) fn reading(&self) -> Option<DateReading> {
        if self.none || self.times > 0 {
            return None;
        }
        let of = |bits: u8| (0..FORMS.len()).filter(move |bit| bits & (1 << bit) != 0);
        match (self.midnights > 0, self.used) {
            (true, 0) => return Some(DateReading::Prefix),
            (true, _) | (false, 0) => return None,
            _ => {}
        }
        let all = self.used & !self.failed;
        if all & (1 << ISO) != 0 {
            return Some(DateReading::Iso);
        }
        match of(all).next() {
            Some(form) => Some(DateReading::Forms(vec![FORMS[form]])),
            None => Some(DateReading::Forms(of(self.used).map(|form| FORMS[form]).collect())),
        }
    }
}

/// What follows the day in `2020-01-24T00:00:00.000`, or with a space in its middle.
fn timestamp(field: &[u8]) -> Option<&[u8]> {
    let time = field.get(10..)?;
    let apart = matches!(time.first(), Some(b'T' | b' '));
    let clock = time.get(1..).unwrap_or_default();
    let is_time = clock.len() >= 5
        && clock.iter().all(|byte| byte.is_ascii_digit() || b":.Z".contains(byte))
        && clock.contains(&b':');
    (apart && is_time && is_of(&field[..10], FORMS[ISO])).then_some(time)
}

/// Whether the loader reads the field so, and into a year that a date of Medicare's can be in.
fn is_of(field: &[u8], form: &str) -> bool {
    let length = match form {
        "%m/%d/%Y" | "%m-%d-%Y" => 8..=10,
        "%Y%m%d" => 8..=8,
        "%d%b%Y" => 8..=9,
        "%d-%b-%Y" => 10..=11,
        _ => 10..=10,
    };
    if !length.contains(&field.len()) || !field[0].is_ascii_digit() {
        return false;
    }
    let Ok(date) = Transform::Date(vec![form.to_owned()]).apply(Cow::Borrowed(field)) else {
        return false;
    };
    let year: Option<u16> = std::str::from_utf8(&date[..4]).ok().and_then(|y| y.parse().ok());
    year.is_some_and(|year| (1850..=2199).contains(&year) || year == 9999)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(fields: &[&str]) -> Option<DateReading> {
        let mut dates = Dates::default();
        fields.iter().for_each(|field| dates.note(field.as_bytes()));
        dates.reading()
    }

    #[test]
    fn the_form_is_the_one_that_fits_every_field() {
        assert_eq!(reading(&["2020-01-24", "9999-12-31"]), Some(DateReading::Iso));
        assert_eq!(reading(&["02/01/1974"]), Some(DateReading::Forms(vec!["%m/%d/%Y"])));
        assert_eq!(reading(&["20180625", "19991231"]), Some(DateReading::Forms(vec!["%Y%m%d"])));
        let months = Some(DateReading::Forms(vec!["%d-%b-%Y"]));
        assert_eq!(reading(&["17-MAR-1981", "17-Mar-1981"]), months);
        assert_eq!(reading(&["20180625", "02143380"]), None);
        let both = Some(DateReading::Forms(vec!["%m/%d/%Y", "%Y%m%d"]));
        assert_eq!(reading(&["20180625", "12/31/2018"]), both);
    }

    #[test]
    fn a_timestamp_is_a_date_only_where_nothing_is_lost() {
        assert_eq!(reading(&["2020-01-24T00:00:00.000000"]), Some(DateReading::Prefix));
        assert_eq!(reading(&["2020-01-24 00:00:00", "2020-01-24 01:02:03"]), None);
    }
}
