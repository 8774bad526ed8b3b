//! The pharmacy network: which pharmacies a plan has, and on what terms. The largest file by far,
//! so rows are copied together from prepared pieces: the plan's key, the pharmacy's number and
//! ZIP code, and one of some thousand sets of terms, of which a plan uses a few, as in CMS's file.

use std::io::Write;

use anyhow::Result;

use super::layout::{Source, dollars};
use super::market::{Area, Market};
use super::random::{Stream, share_out};
use super::{Release, Vintage};

/// Bytes gathered before they are written.
pub(super) const BLOCK: usize = 64 * 1024;
/// Distinct sets of terms in a release.
const TERMS: u64 = 3_000;
/// Sets of terms that one plan uses.
const TERMS_OF_PLAN: usize = 8;
/// `10` + ten digits, a pipe, a ZIP code and a pipe.
const PHARMACY: usize = 19;

/// Writes the network row by row, across its parts.
pub(super) struct Network<'a> {
    release: &'a Release,
    market: &'a Market,
    pharmacies: Vec<[u8; PHARMACY]>,
    terms: Vec<Vec<u8>>,
    rows_of_plan: Vec<u64>,
    /// The plan and its row that come next.
    plan: usize,
    row: u64,
    now: Current,
}

/// What is prepared for the plan whose rows are being written.
struct Current {
    key: Vec<u8>,
    terms: [usize; TERMS_OF_PLAN],
    stream: Stream,
}

impl<'a> Network<'a> {
    pub(super) fn new(release: &'a Release, market: &'a Market) -> Self {
        let pharmacies = u64::from(release.pharmacies);
        // Plans of a whole region list more pharmacies than plans of some counties.
        let caps: Vec<(u64, u64)> = market
            .plans
            .iter()
            .map(|plan| if let Area::Counties(_) = plan.area { 2 } else { 5 })
            .map(|weight| (weight, pharmacies))
            .collect();
        let mut network = Network {
            release,
            market,
            pharmacies: all_pharmacies(release),
            terms: all_terms(release),
            rows_of_plan: share_out(release.network_rows, &caps),
            plan: 0,
            row: 0,
            now: Current {
                key: Vec::new(),
                terms: [0; TERMS_OF_PLAN],
                stream: Stream::new(release.seed, "pharmacy_networks", 0),
            },
        };
        network.prepare();
        network
    }

    /// Writes a header and the next `rows` rows.
    pub(super) fn write(&mut self, out: &mut dyn Write, mut rows: u64) -> Result<()> {
        let mut block = Vec::with_capacity(BLOCK + 512);
        block.extend_from_slice(&Source::PharmacyNetworks.header_line(self.release.vintage));
        while rows > 0 {
            let of_plan = self.rows_of_plan[self.plan];
            if self.row == of_plan {
                self.plan += 1;
                self.row = 0;
                self.prepare();
                continue;
            }
            let until = of_plan.min(self.row + rows);
            rows -= until - self.row;
            for row in self.row..until {
                self.push_row(&mut block, row, of_plan);
                if block.len() >= BLOCK {
                    out.write_all(&block)?;
                    block.clear();
                }
            }
            self.row = until;
        }
        out.write_all(&block)?;
        Ok(())
    }

    #[inline]
    fn push_row(&mut self, block: &mut Vec<u8>, row: u64, of_plan: u64) {
        let now = &mut self.now;
        let nth = now.stream.spread(row, of_plan, self.pharmacies.len() as u64);
        // The lesser of two draws: a plan's first terms are its usual ones.
        let draw = now.stream.next();
        let usual = (draw & 7).min((draw >> 8) & 7) as usize;
        block.extend_from_slice(&now.key);
        block.extend_from_slice(&self.pharmacies[nth as usize]);
        block.extend_from_slice(&self.terms[now.terms[usual]]);
    }

    fn prepare(&mut self) {
        let Some(plan) = self.market.plans.get(self.plan) else { return };
        let mut stream = Stream::new(self.release.seed, "pharmacy_networks", self.plan as u64);
        self.now.key = plan.key();
        self.now.terms = std::array::from_fn(|_| stream.below(TERMS) as usize);
        self.now.stream = stream;
    }
}

/// Numbers ascend; about every ninth ZIP code begins with a zero.
fn all_pharmacies(release: &Release) -> Vec<[u8; PHARMACY]> {
    let count = u64::from(release.pharmacies);
    let mut stream = Stream::new(release.seed, "pharmacies", 0);
    (0..count)
        .map(|nth| {
            let npi = npi(100_000_000 + stream.spread(nth, count, 100_000_000));
            let zip = if nth % 9 == 0 { 1_001 } else { 10_001 } + stream.below(8_900);
            let zip = if nth % 9 == 0 { zip } else { zip + 8_900 * stream.below(10) };
            let text = format!("10{npi:010}|{zip:05}|");
            std::array::from_fn(|byte| text.as_bytes()[byte])
        })
        .collect()
}

/// Appends the check digit to nine digits: Luhn over them with `80840` before, for which 24 stands
/// (the NPI standard, 45 CFR 162.406).
fn npi(nine: u64) -> u64 {
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

/// Everything after the ZIP code, with the line's end.
fn all_terms(release: &Release) -> Vec<Vec<u8>> {
    let mut stream = Stream::new(release.seed, "terms", 0);
    (0..TERMS)
        .map(|_| {
            let mail = stream.percent(6);
            let retail = !mail || stream.percent(70);
            let yes = |truth| if truth { "Y" } else { "N" };
            let preferred = retail && stream.percent(35);
            let mut fields = vec![
                yes(preferred).to_owned(),
                yes(mail && stream.percent(50)).to_owned(),
                yes(retail).to_owned(),
                yes(mail).to_owned(),
                u8::from(stream.percent(88)).to_string(),
                if stream.percent(70) { "0".to_owned() } else { dollars(stream.below(1_000)) },
            ];
            for _brand_then_generic in 0..2 {
                let days_30 = 5 * stream.below(40);
                fields.push(dollars(days_30));
                fields.push(dollars(days_30 * stream.below(2)));
                fields.push(dollars(days_30 * stream.below(2)));
            }
            if release.vintage == Vintage::Cms2026 {
                // A plan that pays no such fee has SAS's missing number.
                let days_30 = stream.percent(30).then(|| 10 * stream.below(60));
                for times in [1, 2, 3] {
                    fields.push(days_30.map_or(".".to_owned(), |cents| dollars(cents * times)));
                }
            }
            let mut line = fields.join("|").into_bytes();
            line.extend_from_slice(b"\r\n");
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standards_example() {
        assert_eq!(npi(123_456_789), 1_234_567_893);
    }
}
