//! The closed set of shapes that a column's codes can be held against. A spreadsheet turns `01001`
//! into `1001` and `35000` into `3.5E+04` without a word; here such a code is no code.

use regex::bytes::Regex;

use crate::config::strict::suggest;

/// What a column's contents must look like.
#[derive(Debug, Clone)]
pub struct Shape {
    /// As the spec says it.
    word: String,
    /// Why a content is refused.
    reason: String,
    test: ShapeTest,
}

#[derive(Debug, Clone)]
enum ShapeTest {
    Digits(usize),
    Contract,
    Npi,
    Ccn,
    Hcpcs,
    Matches(Regex),
}

/// Most digits of a code.
const DIGITS_MAX: usize = 64;

impl Shape {
    /// The words that a spec may use; besides them a pattern, which begins with `^`.
    pub const WORDS: [&str; 9] =
        ["contract", "digits(n)", "fips5", "ssa5", "zip5", "ndc11", "npi", "ccn", "hcpcs"];

    /// Reads a spec's word or pattern.
    ///
    /// # Errors
    /// When it is not valid: what is wrong, without the position, which the spec's reader adds.
    pub fn parse(word: &str) -> Result<Shape, String> {
        let (test, says) = match word {
            "contract" => {
                (ShapeTest::Contract, "a contract (a letter or digit, and 4 digits)".to_owned())
            }
            "fips5" => (ShapeTest::Digits(5), "a FIPS county code of 5 digits".to_owned()),
            "ssa5" => (ShapeTest::Digits(5), "an SSA county code of 5 digits".to_owned()),
            "zip5" => (ShapeTest::Digits(5), "a ZIP code of 5 digits".to_owned()),
            "ndc11" => (ShapeTest::Digits(11), "an NDC of 11 digits".to_owned()),
            "npi" => {
                (ShapeTest::Npi, "an NPI (10 digits, the last of them its check digit)".to_owned())
            }
            "ccn" => {
                (ShapeTest::Ccn, "a CCN (6 digits, the third of them may be a letter)".to_owned())
            }
            "hcpcs" => {
                (ShapeTest::Hcpcs, "a HCPCS code (5 characters, 3 digits in the middle)".to_owned())
            }
            pattern if pattern.starts_with('^') => {
                let regex = Regex::new(pattern).map_err(|error| {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default().trim().to_owned();
                    format!("`shape` is not a regular expression: {reason}")
                })?;
                (ShapeTest::Matches(regex), format!("of the shape {pattern}"))
            }
            other => match digits(other) {
                Some(count) => (ShapeTest::Digits(count), format!("{count} digits")),
                None => return Err(unknown(other)),
            },
        };
        Ok(Shape { word: word.to_owned(), reason: format!("is not {says}"), test })
    }

    /// As the spec says it.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Why a content that does not fit is refused, without the content.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether a content is of this shape.
    pub fn fits(&self, content: &[u8]) -> bool {
        match &self.test {
            ShapeTest::Digits(count) => content.len() == *count && are_digits(content),
            ShapeTest::Contract => match content {
                [first, rest @ ..] => {
                    is_capital_or_digit(*first) && rest.len() == 4 && are_digits(rest)
                }
                [] => false,
            },
            ShapeTest::Npi => {
                matches!(content, [b'1' | b'2', ..]) && content.len() == 10 && is_luhn(content)
            }
            ShapeTest::Ccn => match content {
                [a, b, third, rest @ ..] => {
                    are_digits(&[*a, *b])
                        && is_capital_or_digit(*third)
                        && rest.len() == 3
                        && are_digits(rest)
                }
                _ => false,
            },
            ShapeTest::Hcpcs => match content {
                [first, middle @ .., last] => {
                    is_capital_or_digit(*first)
                        && middle.len() == 3
                        && are_digits(middle)
                        && is_capital_or_digit(*last)
                }
                _ => false,
            },
            ShapeTest::Matches(regex) => regex.is_match(content),
        }
    }
}

/// Specs are compared with what they were.
impl PartialEq for Shape {
    fn eq(&self, other: &Shape) -> bool {
        self.word == other.word
    }
}

impl Eq for Shape {}

/// The count of `digits(5)`.
fn digits(word: &str) -> Option<usize> {
    let count = word.strip_prefix("digits(")?.strip_suffix(')')?.parse().ok()?;
    (1..=DIGITS_MAX).contains(&count).then_some(count)
}

fn unknown(word: &str) -> String {
    let mean = suggest(word, Shape::WORDS);
    let words = Shape::WORDS.join(", ");
    format!("unknown shape `{word}`{mean}: one of {words}, or a pattern that begins with ^")
}

fn are_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

fn is_capital_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// Whether the last digit is the check digit of those before it and of `80840` before them all, for
/// which 24 stands (45 CFR 162.406: the Luhn formula of ISO 7812).
fn is_luhn(digits: &[u8]) -> bool {
    let mut sum = 24_u32;
    for (place, digit) in digits.iter().rev().enumerate() {
        if !digit.is_ascii_digit() {
            return false;
        }
        let digit = u32::from(digit - b'0');
        sum += match place % 2 {
            0 => digit,
            _ if digit > 4 => 2 * digit - 9,
            _ => 2 * digit,
        };
    }
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_a_spreadsheet_has_had_are_no_codes() {
        for (word, fits, misfits) in [
            ("fips5", &["01001", "72001"][..], &["1001", "3.5E+04", "01001.0", " 01001", ""][..]),
            ("ssa5", &["05200"], &["4210", "0520O"]),
            ("zip5", &["02134"], &["2134", "02134-1234", "V6B 1"]),
            ("ndc11", &["00002143380"], &["2143380", "0002-1433-80"]),
            ("contract", &["H0028", "S5743", "90091", "R0110"], &["H028", "h0028", "H00281", ""]),
            ("digits(3)", &["001", "999"], &["1", "0001", "-05"]),
            ("npi", &["1234567893"], &["1234567890", "0234567893", "123456789"]),
            ("ccn", &["015009", "05S123"], &["15009", "0S5123"]),
            ("hcpcs", &["99213", "A0021", "0001F"], &["9213", "AB021"]),
            ("^[12]$", &["1"], &["12", "3"]),
        ] {
            let shape = Shape::parse(word).unwrap();
            for text in fits {
                assert!(shape.fits(text.as_bytes()), "{word} and {text}");
            }
            for text in misfits {
                assert!(!shape.fits(text.as_bytes()), "{word} and {text}");
            }
        }
    }

    #[test]
    fn unknown_shapes_are_answered_with_the_nearest() {
        let said = Shape::parse("fips").unwrap_err();
        assert!(said.starts_with("unknown shape `fips`; did you mean `fips5`?"), "{said}");
        assert!(Shape::parse("digits(0)").is_err() && Shape::parse("digits(x)").is_err());
        let said = Shape::parse("^(").unwrap_err();
        assert!(said.starts_with("`shape` is not a regular expression: error: unclosed"), "{said}");
    }
}
