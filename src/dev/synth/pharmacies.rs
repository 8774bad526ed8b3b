//! The pharmacies of the country: numbers that are NPIs, and ZIP codes of their counties, so that
//! networks, NPPES and geography agree. By ascending number, as CMS's network file has them.

use super::Release;
use super::geography::County;
use super::random::Stream;

/// `10` + ten digits, a pipe, a ZIP code and a pipe.
const PHARMACY: usize = 19;

/// A pharmacy.
pub(super) struct Pharmacy {
    /// `101234567893|01001|`: its number and ZIP code as the network file has them.
    pub(super) text: [u8; PHARMACY],
    /// Index into the states.
    pub(super) state: u8,
    /// Index into the counties.
    pub(super) county: u16,
}

impl Pharmacy {
    /// The ten digits of the NPI.
    pub(super) fn npi(&self) -> &str {
        std::str::from_utf8(&self.text[2..12]).unwrap_or_default()
    }

    /// The five digits of the ZIP code.
    pub(super) fn zip(&self) -> &str {
        std::str::from_utf8(&self.text[13..18]).unwrap_or_default()
    }
}

/// All pharmacies; every county that has any has about as many as the next.
pub(super) fn pharmacies(release: &Release, counties: &[County]) -> Vec<Pharmacy> {
    let count = u64::from(release.pharmacies);
    let mut stream = Stream::new(release.seed, "pharmacies", 0);
    (0..count)
        .map(|nth| {
            let npi = npi(100_000_000 + stream.spread(nth, count, 100_000_000));
            let at = stream.below(counties.len() as u64) as usize;
            let county = &counties[at];
            let zip = county.zip(stream.below(u64::from(county.zip_count())) as u32);
            let text = format!("10{npi:010}|{zip}|");
            Pharmacy {
                text: std::array::from_fn(|byte| text.as_bytes()[byte]),
                state: county.state as u8,
                county: at as u16,
            }
        })
        .collect()
}

/// Appends the check digit to nine digits: Luhn over them with `80840` before, for which 24 stands
/// (the NPI standard, 45 CFR 162.406).
pub(super) fn npi(nine: u64) -> u64 {
    let mut sum = 24;
    let mut rest = nine;
    for place in 0..9 {
        let digit = rest % 10;
        rest /= 10;
        sum += match place % 2 {
            0 if digit >= 5 => digit * 2 - 9,
            0 => digit * 2,
            _ => digit,
        };
    }
    nine * 10 + (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standards_example() {
        assert_eq!(npi(123_456_789), 1_234_567_893);
    }
}
