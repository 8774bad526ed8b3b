//! A percentage that is exact: a decimal with at most six decimals, compared as an integer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Millionths of a percent in a hundred percent.
const ALL: u64 = 100_000_000;

/// More than 0, at most 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent {
    millionths: u64,
}

impl Percent {
    /// Every row.
    pub const HUNDRED: Percent = Percent { millionths: ALL };

    /// Every other key, more or less.
    pub const HALF: Percent = Percent { millionths: ALL / 2 };

    /// Whether it is all of them.
    pub fn is_all(self) -> bool {
        self.millionths == ALL
    }

    /// The condition that a row with this key is kept: its SHA-256, read as a number, lies in the
    /// lowest part. `None` where every row is.
    pub fn condition(self, key: &[String]) -> Option<String> {
        if self.is_all() {
            return None;
        }
        // 2^64 is all; below 100 % it fits.
        let below = (u128::from(self.millionths) << 64) / u128::from(ALL);
        let key = key.join(", ");
        Some(format!(
            "sha256(convert_to(concat_ws('|', {key}), 'UTF8')) < decode('{below:016x}', 'hex')"
        ))
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Percent, String> {
        let wrong = || {
            format!("expected more than 0 and at most 100, with at most 6 decimals, found {text:?}")
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() > 3 || fraction.len() > 6 {
            return Err(wrong());
        }
        let number = |part: &str| part.parse::<u64>().map_err(|_| wrong());
        let millionths = number(whole)? * 1_000_000 + number(&format!("{fraction:0<6}"))?;
        match millionths {
            1..=ALL => Ok(Percent { millionths }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Percent {
    type Error = String;

    fn try_from(text: String) -> Result<Percent, String> {
        text.parse()
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> String {
        percent.to_string()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.millionths / 1_000_000, self.millionths % 1_000_000);
        match fraction {
            0 => write!(f, "{whole}"),
            _ => {
                let decimals = format!("{fraction:06}");
                write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_read_exactly_and_written_as_short_as_it_can_be() {
        for (text, said) in
            [("5", "5"), ("0.5", "0.5"), ("100", "100"), ("100.0", "100"), ("0.000001", "0.000001")]
        {
            assert_eq!(text.parse::<Percent>().expect(text).to_string(), said);
        }
        for text in ["0", "0.0", "-1", "101", "100.000001", "5%", "", "1e1", "0.0000001", ".5"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_bound_is_the_share_of_all_hashes_and_a_hundred_is_no_bound() {
        let key = ["a".to_owned(), "b".to_owned()];
        let half = "50".parse::<Percent>().expect("a percentage").condition(&key);
        let half = half.expect("a condition");
        assert!(half.contains("concat_ws('|', a, b)"), "{half}");
        assert!(half.contains("decode('8000000000000000', 'hex')"), "{half}");
        assert_eq!(Percent::HUNDRED.condition(&key), None);
    }
}
