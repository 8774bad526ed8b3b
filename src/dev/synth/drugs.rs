//! The drugs that formularies choose from, numbered as the FDA numbers them: a labeler, its
//! products and their packages, in one of three forms of ten digits, which claims and CMS's
//! files write with eleven (a zero before the segment that is short).

use super::Release;
use super::random::Stream;

/// A package of a drug, as the formularies know it.
pub(super) struct Drug {
    /// Eleven digits.
    pub(super) ndc: String,
    /// One for all packages of a product.
    pub(super) rxcui: u64,
    /// The product's number, from 0: what it is called follows from it.
    pub(super) product: u32,
    /// Digits of labeler, product and package in the FDA's own writing.
    pub(super) form: [usize; 3],
    pub(super) tier: u8,
    /// Chosen for Medicare price negotiation.
    pub(super) selected: bool,
}

impl Drug {
    /// The FDA's writing of the product: `0002-1433`, `12345-678`.
    pub(super) fn product_code(&self) -> String {
        let [labeler, product, _] = self.form;
        format!("{}-{}", &self.ndc[5 - labeler..5], &self.ndc[9 - product..9])
    }

    /// The FDA's writing of the package: `0002-1433-80`.
    pub(super) fn package_code(&self) -> String {
        format!("{}-{}", self.product_code(), &self.ndc[11 - self.form[2]..])
    }
}

/// Packages of one labeler.
const OF_LABELER: u64 = 24;

/// Drugs by ascending NDC: a quarter more than one formulary has.
pub(super) fn drugs(release: &Release) -> Vec<Drug> {
    let count = u64::from(release.drugs_per_formulary) * 5 / 4 + 1;
    let labelers = count.div_ceil(OF_LABELER);
    let mut stream = Stream::new(release.seed, "drugs", 0);
    let mut drugs = Vec::with_capacity(count as usize);
    let mut product = 0;
    for nth in 0..labelers {
        let labeler = 2 + stream.spread(nth, labelers, 84_000);
        let form = match labeler % 3 {
            0 if labeler < 10_000 => [4, 4, 2],
            1 => [5, 3, 2],
            _ => [5, 4, 1],
        };
        let end = (nth + 1) * OF_LABELER;
        let mut number = 1 + stream.below(100);
        while (drugs.len() as u64) < end.min(count) {
            number += 1 + stream.below(30);
            let packages = (1 + stream.below(3)).min(end.min(count) - drugs.len() as u64);
            let tier = tier_of(stream.below(100));
            let selected = stream.percent(2);
            for package in 0..packages {
                let package = stream.spread(package, packages, 10_u64.pow(form[2] as u32));
                drugs.push(Drug {
                    ndc: format!("{labeler:05}{number:04}{package:02}"),
                    // A step coprime to the prime modulus visits every number once.
                    rxcui: 91_000 + u64::from(product) * 1_000_003 % 2_699_999,
                    product,
                    form,
                    tier,
                    selected,
                });
            }
            product += 1;
        }
    }
    drugs
}

/// Tiers as often as in the 2026Q2 sample.
fn tier_of(percentile: u64) -> u8 {
    match percentile {
        0..7 => 1,
        7..47 => 2,
        47..58 => 3,
        58..71 => 4,
        71..97 => 5,
        _ => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_have_ten_digits_and_stand_for_the_eleven() {
        let drugs = drugs(&Release::demo(1));
        assert!(drugs.windows(2).all(|pair| pair[0].ndc < pair[1].ndc));
        let mut forms = HashSet::new();
        for drug in &drugs {
            let segments: Vec<String> = drug.package_code().split('-').map(str::to_owned).collect();
            let widths: Vec<usize> = segments.iter().map(String::len).collect();
            assert_eq!((drug.ndc.len(), widths.iter().sum::<usize>()), (11, 10), "{}", drug.ndc);
            let [labeler, product, package] = &segments[..] else { panic!("{segments:?}") };
            assert_eq!(format!("{labeler:0>5}{product:0>4}{package:0>2}"), drug.ndc);
            forms.insert(widths);
        }
        assert_eq!(forms.len(), 3);
    }
}
