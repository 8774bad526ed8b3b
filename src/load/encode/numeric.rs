//! Decimal text to Postgres's binary `numeric`: base-10000 digits, their weight, sign and
//! display scale (src/backend/utils/adt/numeric.c, numeric_recv). Exact: nothing is rounded.

/// Encodes a decimal number. The result is the canonical form, the one that Postgres itself
/// sends back, so that equal values have equal bytes.
///
/// # Errors
/// When it is not a decimal number, or has too many digits or decimals: the reason.
pub(super) fn encode(
    row: &mut Vec<u8>,
    field: &[u8],
    precision_scale: Option<(u16, u16)>,
) -> Result<(), &'static str> {
    let (negative, whole, fraction) = parts(field)?;
    let scale = match precision_scale {
        Some((precision, scale)) => {
            let excess = fraction.get(usize::from(scale)..).unwrap_or_default();
            if excess.iter().any(|digit| *digit != b'0') {
                return Err("has more decimals than its column");
            }
            let whole_max = usize::from(precision).saturating_sub(usize::from(scale));
            if whole.len() > whole_max {
                return Err("is too large for its column");
            }
            usize::from(scale)
        }
        None => fraction.len(),
    };
    let fraction = &fraction[..fraction.len().min(scale)];
    let (digits, weight) = base_10000(whole, fraction);
    let sign: u16 = if negative && !digits.is_empty() { 0x4000 } else { 0 };
    let length = 8 + 2 * digits.len();
    row.extend_from_slice(&(length as i32).to_be_bytes());
    row.extend_from_slice(&(digits.len() as i16).to_be_bytes());
    row.extend_from_slice(&weight.to_be_bytes());
    row.extend_from_slice(&sign.to_be_bytes());
    row.extend_from_slice(&(scale as i16).to_be_bytes());
    for digit in digits {
        row.extend_from_slice(&digit.to_be_bytes());
    }
    Ok(())
}

/// Sign, digits before the point without leading zeros, digits behind it.
fn parts(field: &[u8]) -> Result<(bool, &[u8], &[u8]), &'static str> {
    const WRONG: &str = "is not a decimal number";
    let (negative, number) = match field {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (whole, fraction) = match memchr::memchr(b'.', number) {
        Some(point) => (&number[..point], &number[point + 1..]),
        None => (number, &number[..0]),
    };
    let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    if !all_digits || (whole.is_empty() && fraction.is_empty()) {
        return Err(WRONG);
    }
    // Postgres holds far more; no CMS amount comes near this.
    if whole.len() > 1000 || fraction.len() > 1000 {
        return Err("has too many digits");
    }
    let leading = whole.iter().take_while(|digit| **digit == b'0').count();
    Ok((negative, &whole[leading..], fraction))
}

fn base_10000(whole: &[u8], fraction: &[u8]) -> (Vec<i16>, i16) {
    let mut digits: Vec<i16> = Vec::with_capacity(whole.len() / 4 + fraction.len() / 4 + 2);
    let head = whole.len() % 4;
    if head > 0 {
        digits.push(group(&whole[..head]));
    }
    digits.extend(whole[head..].chunks(4).map(group));
    let mut weight = digits.len() as i16 - 1;
    for chunk in fraction.chunks(4) {
        let padding = 10_i16.pow(4 - chunk.len() as u32);
        digits.push(group(chunk) * padding);
    }
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    digits.drain(..leading);
    weight -= leading as i16;
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        weight = 0;
    }
    (digits, weight)
}

fn group(digits: &[u8]) -> i16 {
    digits.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(
        field: &str,
        limits: Option<(u16, u16)>,
    ) -> Result<(Vec<i16>, i16, bool), &'static str> {
        let mut row = Vec::new();
        encode(&mut row, field.as_bytes(), limits)?;
        let word = |at: usize| i16::from_be_bytes([row[at], row[at + 1]]);
        let digits = (0..word(4) as usize).map(|n| word(12 + 2 * n)).collect();
        Ok((digits, word(6), word(8) != 0))
    }

    #[test]
    fn digits_and_weights_are_those_that_postgres_sends() {
        for (field, digits, weight, negative) in [
            ("0", vec![], 0, false),
            ("-0.00", vec![], 0, false),
            ("1", vec![1], 0, false),
            ("12345.678", vec![1, 2345, 6780], 1, false),
            ("-0.0001", vec![1], -1, true),
            ("0.00005", vec![5000], -2, false),
            ("10000", vec![1], 1, false),
            ("0615", vec![615], 0, false),
            (".5", vec![5000], -1, false),
        ] {
            assert_eq!(parts_of(field, None), Ok((digits, weight, negative)), "{field}");
        }
    }

    #[test]
    fn nothing_is_rounded_away() {
        assert_eq!(parts_of("1.20", Some((4, 1))), Ok((vec![1, 2000], 0, false)));
        assert_eq!(parts_of("1.25", Some((4, 1))), Err("has more decimals than its column"));
        assert_eq!(parts_of("1000", Some((4, 1))), Err("is too large for its column"));
        assert_eq!(parts_of("0000999", Some((4, 1))), Ok((vec![999], 0, false)));
        for wrong in ["", "-", ".", "1e5", "1,5", "NaN", "1 "] {
            assert_eq!(parts_of(wrong, None), Err("is not a decimal number"), "{wrong}");
        }
    }
}
