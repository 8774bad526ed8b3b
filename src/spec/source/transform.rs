//! The closed set of things that may be done to a field before it is read as its type.

use std::borrow::Cow;

/// One transform of a field's bytes (ASCII operations; they run before decoding).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transform {
    /// Spaces and tabs off both ends.
    Trim,
    /// ASCII letters to upper case.
    Upper,
    /// ASCII letters to lower case.
    Lower,
    /// The first bytes, up to a number (the date of a timestamp).
    Prefix(usize),
    /// `$1,234.00 ` to `1234.00`, `($20.80)` to `-20.80` (Landscape files).
    Money,
    /// `74%` to `0.74`.
    Percent,
    /// Hyphens out.
    StripHyphens,
    /// `Y`/`N` to true/false; anything else is refused.
    YesNo,
    /// `1`/`0` to true/false; anything else is refused.
    OneZero,
    /// 5-4, 5-3 and 4-4 NDC product codes, or package codes, to 11 digits (FDA: 5-4-2).
    Ndc11,
    /// Zeros in front, to this width (plans); what is blank stays so.
    ZeroPad(usize),
    /// A ZIP code of 5 or 9 digits to its first five.
    Zip5,
    /// A date in the first of these strptime formats that fits, to ISO.
    Date(Vec<String>),
}

impl Transform {
    /// Every word a spec may use.
    pub const WORDS: [&str; 14] = [
        "trim",
        "upper",
        "lower",
        "prefix",
        "money",
        "percent",
        "strip_hyphens",
        "yes_no",
        "one_zero",
        "ndc11",
        "zero_pad",
        "zip5",
        "date",
        "keyed_hash",
    ];

    /// Reads a spec's word, with its argument where it takes one.
    ///
    /// # Errors
    /// When it is not valid: what is wrong, without the position, which the spec's reader adds.
    pub fn parse(word: &str, argument: Option<&str>) -> Result<Transform, String> {
        let plain = match word {
            "trim" => Transform::Trim,
            "upper" => Transform::Upper,
            "lower" => Transform::Lower,
            "money" => Transform::Money,
            "percent" => Transform::Percent,
            "strip_hyphens" => Transform::StripHyphens,
            "yes_no" => Transform::YesNo,
            "one_zero" => Transform::OneZero,
            "ndc11" => Transform::Ndc11,
            "zip5" => Transform::Zip5,
            "zero_pad" | "prefix" => {
                let width = argument.and_then(|a| a.parse().ok()).filter(|w| (1..=64).contains(w));
                let sized = width.map(match word {
                    "prefix" => Transform::Prefix,
                    _ => Transform::ZeroPad,
                });
                return sized.ok_or_else(|| format!("{word} takes a width: {{ {word} = 5 }}"));
            }
            "date" => {
                return argument
                    .map(|formats| Transform::Date(formats.lines().map(str::to_owned).collect()))
                    .ok_or_else(|| "date takes a format: { date = \"%Y%m%d\" }".to_owned());
            }
            other => {
                let mean = crate::config::strict::suggest(other, Transform::WORDS);
                return Err(format!("unknown transform `{other}`{mean}"));
            }
        };
        match argument {
            None => Ok(plain),
            Some(_) => Err(format!("transform `{word}` takes no argument")),
        }
    }

    /// Applies it to a field; the reason where the field is not of its form.
    ///
    /// # Errors
    /// When the field cannot be transformed: a short reason without the field's content.
    pub fn apply<'a>(&self, field: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>, &'static str> {
        Ok(match self {
            Transform::Trim => match field {
                Cow::Borrowed(bytes) => Cow::Borrowed(trim(bytes)),
                Cow::Owned(bytes) => Cow::Owned(trim(&bytes).to_vec()),
            },
            Transform::Upper => Cow::Owned(field.to_ascii_uppercase()),
            Transform::Lower => Cow::Owned(field.to_ascii_lowercase()),
            Transform::Prefix(width) => match field {
                Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..bytes.len().min(*width)]),
                Cow::Owned(mut bytes) => {
                    bytes.truncate(*width);
                    Cow::Owned(bytes)
                }
            },
            Transform::StripHyphens => without(field, b'-'),
            Transform::Money => money(&field)?,
            Transform::Percent => percent(&field)?,
            Transform::YesNo => truth(&field, b"Y", b"N", "expected Y or N")?,
            Transform::OneZero => truth(&field, b"1", b"0", "expected 1 or 0")?,
            Transform::Ndc11 => Cow::Owned(ndc11(&field)?),
            Transform::ZeroPad(width) => zero_pad(field, *width),
            Transform::Zip5 => zip5(field)?,
            Transform::Date(formats) => date(&field, formats)?,
        })
    }
}

/// The field without spaces and tabs at its ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

fn without(field: Cow<'_, [u8]>, byte: u8) -> Cow<'_, [u8]> {
    if memchr::memchr(byte, &field).is_none() {
        return field;
    }
    Cow::Owned(field.iter().copied().filter(|b| *b != byte).collect())
}

fn truth(
    field: &[u8],
    yes: &[u8],
    no: &[u8],
    expected: &'static str,
) -> Result<Cow<'static, [u8]>, &'static str> {
    match field {
        field if field == yes => Ok(Cow::Borrowed(b"true")),
        field if field == no => Ok(Cow::Borrowed(b"false")),
        _ => Err(expected),
    }
}

fn money(field: &[u8]) -> Result<Cow<'static, [u8]>, &'static str> {
    let text = trim(field);
    let (negative, text) = match text {
        [b'(', inner @ .., b')'] => (true, inner),
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let text = text.strip_prefix(b"$").unwrap_or(text);
    if !is_amount(text) {
        return Err("expected an amount of dollars, commas before each three digits or nowhere");
    }
    let mut amount = Vec::with_capacity(text.len() + 1);
    if negative {
        amount.push(b'-');
    }
    amount.extend(text.iter().copied().filter(|byte| *byte != b','));
    Ok(Cow::Owned(amount))
}

/// Digits, with commas before each three of the whole ones or nowhere: `20,80` is 20.80 in Europe, and
/// would be 2080 here.
fn is_amount(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &text[..0]),
    };
    let mut groups = whole.split(|byte| *byte == b',');
    let first = groups.next().unwrap_or_default();
    let grouped = memchr::memchr(b',', whole).is_some();
    digits(first)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && (!grouped || (1..=3).contains(&first.len()))
        && groups.all(|group| group.len() == 3 && digits(group))
}

fn percent(field: &[u8]) -> Result<Cow<'static, [u8]>, &'static str> {
    let expected = "expected a percentage";
    let digits = trim(field).strip_suffix(b"%").ok_or(expected)?;
    let (whole, fraction) = match memchr::memchr(b'.', digits) {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &digits[..0]),
    };
    if whole.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return Err(expected);
    }
    let mut padded = vec![b'0'; 3_usize.saturating_sub(whole.len())];
    padded.extend_from_slice(whole);
    let point = padded.len() - 2;
    let mut share = padded[..point].to_vec();
    share.push(b'.');
    share.extend_from_slice(&padded[point..]);
    share.extend_from_slice(fraction);
    Ok(Cow::Owned(share))
}

fn zero_pad(field: Cow<'_, [u8]>, width: usize) -> Cow<'_, [u8]> {
    if field.len() >= width || field.is_empty() {
        return field;
    }
    let mut padded = vec![b'0'; width - field.len()];
    padded.extend_from_slice(&field);
    Cow::Owned(padded)
}

/// Of `631058132` and `63105-8132` the first five; `63105813` has lost a zero in front, and its first
/// five would be another place.
fn zip5(field: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, &'static str> {
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let is_whole = match field.len() {
        5 | 9 => digits(&field),
        10 => digits(&field[..5]) && field[5] == b'-' && digits(&field[6..]),
        _ => false,
    };
    match is_whole {
        true => Transform::Prefix(5).apply(field),
        false => Err("is not a ZIP code of 5 or 9 digits"),
    }
}

/// FDA writes labeler-product(-package) in 4-4-2, 5-3-2 or 5-4-1; CMS in 5-4-2 without hyphens.
/// A product code without its package gets the first nine digits only.
fn ndc11(field: &[u8]) -> Result<Vec<u8>, &'static str> {
    let expected = "expected an NDC of 5-4-2, 5-4-1, 5-3-2 or 4-4-2 digits";
    let parts: Vec<&[u8]> = field.split(|byte| *byte == b'-').collect();
    if !parts.iter().all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit)) {
        return Err(expected);
    }
    if let [digits] = parts[..] {
        return if digits.len() == 11 { Ok(digits.to_vec()) } else { Err(expected) };
    }
    let widths = [5, 4, 2];
    if !(2..=3).contains(&parts.len()) || parts.iter().zip(widths).any(|(p, w)| p.len() > w) {
        return Err(expected);
    }
    let mut code = Vec::with_capacity(11);
    for (part, width) in parts.iter().zip(widths) {
        code.extend(std::iter::repeat_n(b'0', width - part.len()));
        code.extend_from_slice(part);
    }
    Ok(code)
}

fn date(field: &[u8], formats: &[String]) -> Result<Cow<'static, [u8]>, &'static str> {
    let expected = "not a date in the declared format";
    let text = std::str::from_utf8(field).map_err(|_| expected)?;
    let read = |format: &String| jiff::civil::Date::strptime(format, text).ok();
    let date = formats.iter().find_map(read).ok_or(expected)?;
    // Postgres knows none either.
    if date.year() < 1 {
        return Err("not a date: there is no year 0");
    }
    Ok(Cow::Owned(date.to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(transform: &Transform, field: &str) -> Result<String, &'static str> {
        let bytes = transform.apply(Cow::Borrowed(field.as_bytes()))?.into_owned();
        Ok(String::from_utf8(bytes).expect("ASCII"))
    }

    #[test]
    fn money_as_the_landscape_files_write_it() {
        for (said, meant) in
            [("$1,234.00 ", "1234.00"), ("($20.80)", "-20.80"), ("0", "0"), ("-3.5", "-3.5")]
        {
            assert_eq!(done(&Transform::Money, said).as_deref(), Ok(meant));
        }
        assert_eq!(done(&Transform::Money, "1,234,567.8").as_deref(), Ok("1234567.8"));
        for said in [
            "Not Applicable",
            "20,80",
            "1,2345",
            "1234,567",
            ",123",
            "1,,000",
            "1.5,000",
            "1.2.3",
            "$",
            ".",
            "",
        ] {
            assert!(done(&Transform::Money, said).is_err(), "{said}");
        }
    }

    #[test]
    fn zip_codes_are_cut_to_five_digits_where_they_are_whole() {
        for (said, meant) in [("63105", "63105"), ("631058132", "63105"), ("02134-1234", "02134")] {
            assert_eq!(done(&Transform::Zip5, said).as_deref(), Ok(meant));
        }
        for said in ["2134", "63105813", "V6B 1A1", "63105-", "631O58132", ""] {
            assert!(done(&Transform::Zip5, said).is_err(), "{said}");
        }
        assert_eq!(done(&Transform::ZeroPad(3), "").as_deref(), Ok(""));
        assert_eq!(done(&Transform::ZeroPad(3), "7").as_deref(), Ok("007"));
    }

    #[test]
    fn percentages_keep_every_digit() {
        for (said, meant) in [("74%", "0.74"), ("5%", "0.05"), ("100%", "1.00"), ("7.5%", "0.075")]
        {
            assert_eq!(done(&Transform::Percent, said).as_deref(), Ok(meant));
        }
        assert!(done(&Transform::Percent, "74").is_err());
    }

    #[test]
    fn ndc_codes_become_eleven_digits() {
        for (said, meant) in [
            ("0002-1433-80", "00002143380"),
            ("50242-040-62", "50242004062"),
            ("12345-6789-1", "12345678901"),
            ("0002-1433", "000021433"),
            ("00002143380", "00002143380"),
        ] {
            assert_eq!(done(&Transform::Ndc11, said).as_deref(), Ok(meant));
        }
        assert!(done(&Transform::Ndc11, "123456-1-1").is_err());
    }

    #[test]
    fn dates_in_the_declared_format() {
        let format = Transform::Date(vec!["%Y%m%d".into(), "%d-%b-%Y".into()]);
        assert_eq!(done(&format, "17-Mar-1981").as_deref(), Ok("1981-03-17"));
        assert_eq!(done(&format, "17-MAR-1981").as_deref(), Ok("1981-03-17"));
        assert_eq!(done(&format, "19810317").as_deref(), Ok("1981-03-17"));
        assert!(done(&format, "1981-03-17").is_err());
        assert!(done(&format, "00000101").is_err(), "no year 0");
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_nearest() {
        assert_eq!(
            Transform::parse("yesno", None),
            Err("unknown transform `yesno`; did you mean `yes_no`?".to_owned())
        );
        assert!(Transform::parse("trim", Some("3")).is_err());
        assert_eq!(Transform::parse("zero_pad", Some("5")), Ok(Transform::ZeroPad(5)));
    }
}
