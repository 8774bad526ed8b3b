//! What the fields of a column can be read as.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::date::Dates;
use crate::load::encode::{self, ColumnType};
use crate::spec::source::Transform;

/// Different words among numbers that are still words and not a text column.
const WORDS_MAX: usize = 16;

/// What all fields of a column can be read as; each is struck out by the first that cannot.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// Fields without any digit: words, where the others are numbers.
    pub words: u64,
    /// The different words; `None` when there are too many, or one is too short to be a word.
    pub word_list: Option<BTreeMap<String, u64>>,
    pub(super) yes_no: bool,
    /// What the fields with a digit are.
    pub(super) plain: Option<Number>,
    pub(super) money: Option<Number>,
    pub(super) percent: Option<Number>,
    pub(super) dates: Dates,
    /// Fields with dollar signs, commas or parentheses.
    pub(super) marked: u64,
}

/// What a column of numbers needs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Number {
    /// Digits before the point, leading zeros left out.
    pub whole: usize,
    /// Digits behind it.
    pub fraction: usize,
    /// A zero leads another digit: a code, unless it is an amount.
    pub zero_led: bool,
    /// Fewest and most characters, while all are digits.
    pub(super) width: Option<(usize, usize)>,
    /// The least and the greatest, while they are whole and fit 64 bits.
    pub range: Option<(i64, i64)>,
    pub(super) seen: bool,
    pub(super) beyond: bool,
}

impl Default for Evidence {
    fn default() -> Evidence {
        Evidence {
            words: 0,
            word_list: Some(BTreeMap::new()),
            yes_no: true,
            plain: Some(Number::default()),
            money: Some(Number::default()),
            percent: Some(Number::default()),
            dates: Dates::default(),
            marked: 0,
        }
    }
}

impl Evidence {
    /// Takes a field without blanks at its ends, as bytes and as text.
    pub(crate) fn note(&mut self, field: &[u8], text: &str) {
        self.yes_no &= matches!(field, b"Y" | b"N");
        if !field.iter().any(u8::is_ascii_digit) {
            self.words += 1;
            self.note_word(text);
            return;
        }
        self.marked += u64::from(field.iter().any(|byte| b"$,()".contains(byte)));
        let read = |number: &mut Option<Number>, transform: Option<&Transform>| {
            let Some(known) = number.as_mut() else { return };
            let value = match transform {
                None => Ok(Cow::Borrowed(field)),
                Some(transform) => transform.apply(Cow::Borrowed(field)),
            };
            if !value.is_ok_and(|value| known.note(&value)) {
                *number = None;
            }
        };
        read(&mut self.plain, None);
        read(&mut self.money, Some(&Transform::Money));
        read(&mut self.percent, Some(&Transform::Percent));
        self.dates.note(field);
    }

    fn note_word(&mut self, text: &str) {
        let Some(words) = &mut self.word_list else { return };
        if let Some(count) = words.get_mut(text) {
            *count += 1;
            return;
        }
        // A letter or two among numbers is a code of its own, not a word in a number's place.
        let is_word = text == "*" || text.chars().count() >= 3;
        match is_word && words.len() < WORDS_MAX && text.len() <= 100 {
            true => drop(words.insert(text.to_owned(), 1)),
            false => self.word_list = None,
        }
    }

    /// Least and greatest of a column of whole numbers.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        self.plain.and_then(|number| number.range)
    }
}

impl Number {
    /// Takes a field; false where it is no decimal number.
    fn note(&mut self, field: &[u8]) -> bool {
        let mut encoded = Vec::new();
        let any = ColumnType::Numeric { precision_scale: None };
        if encode::value(&mut encoded, field, any).is_err() {
            return false;
        }
        let digits = field.strip_prefix(b"-").unwrap_or(field);
        let (whole, fraction) = match memchr::memchr(b'.', digits) {
            Some(point) => (&digits[..point], &digits[point + 1..]),
            None => (digits, &digits[..0]),
        };
        let width = field.len();
        self.width = match self.width {
            _ if !field.iter().all(u8::is_ascii_digit) => None,
            None if !self.seen => Some((width, width)),
            known => known.map(|(fewest, most)| (fewest.min(width), most.max(width))),
        };
        let leading = whole.iter().take_while(|digit| **digit == b'0').count();
        self.zero_led |= leading > 0 && whole.len() > 1;
        self.whole = self.whole.max(whole.len() - leading);
        self.fraction = self.fraction.max(fraction.len());
        let value: Option<i64> = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
        self.beyond |= value.is_none();
        self.range = match (value, self.range) {
            _ if self.beyond => None,
            (Some(value), None) if !self.seen => Some((value, value)),
            (Some(value), Some((least, most))) => Some((least.min(value), most.max(value))),
            _ => None,
        };
        self.seen = true;
        true
    }
}
