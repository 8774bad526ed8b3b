//! Generates Part D releases in CMS's own shape, for the demo, for tests and for benchmarks: the
//! project carries no CMS data, so what it shows and measures is made here.
//!
//! A release is a function of its struct alone: the same fields give the same bytes, and every
//! file draws from its own random stream, so that more network rows change the network only.
//! Nothing is held in memory that grows with `network_rows` or `pricing_rows`.
//!
//! [`Release`] is one Part D release, for tests of any shape; [`objects`] are all files of a
//! database at a scale, written as streams: what `kiln synth` writes.
//!
//! All names and numbers are invented. A generated NPI has a valid check digit and may therefore
//! be somebody's: read nothing into it.

#![warn(unreachable_pub)]
// a folder's own file is mod.rs
#![warn(clippy::self_named_module_files)]

mod archive;
mod beneinfo;
mod costs;
mod drugs;
mod error;
mod exceptions;
mod geo;
mod geography;
mod layout;
mod market;
mod names;
mod ndc;
mod network;
mod nights;
mod nppes;
mod object;
mod pharmacies;
mod planinfo;
mod pricing;
mod progress;
mod random;
mod scale;
mod table;
mod tables;
mod tamper;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Seek, Write};

use jiff::civil::Date;

use archive::{Archive, Part};
pub use error::Error;
use layout::Source;
use market::Market;
use network::Network;
pub use nights::{CHANGING, Nights, Only};
pub use object::{Member, Object};
use object::{Posting, Written};
pub use progress::Progress;
pub use scale::{DATABASES, Plan, Rows, objects};
pub use tamper::{At, Tamper};

/// Data rows (headers not counted) for each source, by the source's name: `plan_information`,
/// `geographic_locator`, `basic_drugs_formulary`, `beneficiary_cost`,
/// `insulin_beneficiary_cost`, `excluded_drugs_formulary`, `indication_based_coverage`,
/// `pharmacy_networks` (all parts together), `pricing`.
pub type Counts = BTreeMap<&'static str, u64>;

/// Whose column lists the files follow: CMS changed four of them between these years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vintage {
    /// The layouts of contract year 2026.
    Cms2026,
    /// The layouts of contract year 2023: plan information has `ICL`, beneficiary cost ends in
    /// `GAP_COV_TIER`, the formulary has no `SELECTED_DRUG_YN`, the network ends after the
    /// generic fees.
    Cms2023,
}

/// How inner zips lie in the zip around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    /// Deflated once more, as CMS does.
    Deflated,
    /// As they are, so that a reader may seek in them through the outer zip.
    Stored,
}

/// How many zips lie around a part of the pharmacy network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Zip in zip, as CMS does.
    Two,
    /// The parts' zips lie in one more zip, `pharmacy networks file  PPUF_….zip`.
    Three,
}

/// What to generate. Start from [`Release::small`], [`Release::demo`] or [`Release::full`] and
/// change fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Two seeds give two different markets of the same sizes.
    pub seed: u64,
    /// `CONTRACT_YEAR` in the formulary and the year in the file name.
    pub contract_year: u16,
    /// The quarter the data speaks of, as member names carry it: `2026Q2`.
    pub period: String,
    /// The day in the file name. Members of zips have the day of the first night as their time, so
    /// that a zip whose texts are those of the night before has its bytes.
    pub posted: Date,
    /// Distinct (contract, plan, segment); plan information has more rows, one a county.
    pub plans: u32,
    /// Rows of the geographic locator.
    pub counties: u32,
    /// Distinct FORMULARY_IDs.
    pub formularies: u32,
    /// Rows of the formulary for each FORMULARY_ID.
    pub drugs_per_formulary: u32,
    /// Distinct PHARMACY_NUMBERs to choose from; a plan lists each at most once.
    pub pharmacies: u32,
    /// Rows of the pharmacy network, all parts together; at most `plans * pharmacies`.
    pub network_rows: u64,
    /// Members that the pharmacy network is split into; CMS has 6.
    pub network_parts: u32,
    /// Rows of the pricing file; at most `plans * drugs_per_formulary * 3`.
    pub pricing_rows: u64,
    /// The column lists.
    pub vintage: Vintage,
    /// Compression of inner zips.
    pub inner: Inner,
    /// Nesting of the pharmacy network.
    pub depth: Depth,
    /// Writes ZIP64 records for every member, whatever its size. Members that may pass 4 GiB have
    /// them in any case.
    pub zip64: bool,
    /// Rows of the smaller files; without, as many as plans, counties and formularies have.
    pub rows: Option<Rows>,
    /// The nights after the first release; each changes a small, known share of rows.
    pub nights: Nights,
}

impl Release {
    /// Sized so that generating, landing and loading it takes seconds.
    pub fn demo(seed: u64) -> Self {
        Release {
            seed,
            contract_year: 2026,
            period: "2026Q2".to_owned(),
            posted: jiff::civil::date(2026, 7, 1),
            plans: 60,
            counties: 400,
            formularies: 8,
            drugs_per_formulary: 1_500,
            pharmacies: 12_000,
            network_rows: 300_000,
            network_parts: 6,
            pricing_rows: 60_000,
            vintage: Vintage::Cms2026,
            inner: Inner::Deflated,
            depth: Depth::Two,
            zip64: false,
            rows: None,
            nights: Nights::default(),
        }
    }

    /// About a thousand rows in all, and every source has some: made in milliseconds, for tests.
    pub fn small(seed: u64) -> Self {
        Release {
            plans: 12,
            counties: 12,
            formularies: 3,
            drugs_per_formulary: 12,
            pharmacies: 40,
            network_rows: 150,
            pricing_rows: 60,
            ..Release::demo(seed)
        }
    }

    /// The size of CMS's 2026Q2 release, some 25 GB of text: for benchmarks.
    pub fn full(seed: u64) -> Self {
        Plan { scale: 1.0, seed, ..Plan::default() }.release()
    }

    /// The name that CMS would post it under: `SPUF_2026_20260701.zip`.
    pub fn file_name(&self) -> String {
        // The year of posting: SPUF_2026_20260107 has the last quarter of contract year 2025.
        format!("SPUF_{}_{}.zip", self.posted.year(), self.posted.strftime("%Y%m%d"))
    }

    /// The day of a night.
    fn day(&self, night: u32) -> Date {
        let later = self.nights.count().saturating_sub(night);
        self.posted.saturating_sub(jiff::Span::new().days(i64::from(later)))
    }

    /// The day on which one of these sources was last posted with something new in it.
    fn day_of(&self, sources: &[&str]) -> Date {
        self.day(self.nights.last(sources))
    }

    fn posting(&self) -> Posting {
        Posting { day: self.posted, stamp: self.day(0) }
    }

    /// Writes the release's zip and says how many rows each source has.
    ///
    /// # Errors
    /// [`Error::Sizes`] that do not fit together, or a write that fails.
    pub fn write(&self, out: impl Write + Seek) -> Result<Counts, Error> {
        self.write_with(out, Tamper::default())
    }

    /// As [`Release::write`], but `tamper` sees every line and every member name first and may
    /// break them: for tests of what kiln refuses. The counts are those before tampering.
    ///
    /// # Errors
    /// As [`Release::write`].
    pub fn write_with(&self, out: impl Write + Seek, tamper: Tamper<'_>) -> Result<Counts, Error> {
        self.check_sizes()?;
        let mut archive = Archive::new(out, self, tamper, &())?;
        let mut counts: Counts = Source::ALL.iter().map(|source| (source.name(), 0)).collect();
        for member in self.write_members(&mut archive, &Source::ALL)? {
            if let Some(count) = member.source.and_then(|source| counts.get_mut(source)) {
                *count += member.rows;
            }
        }
        archive.finish()?;
        Ok(counts)
    }

    /// Writes the release's zip, or of its files only those named by `only`, as one stream: zip64
    /// throughout, sizes in data descriptors.
    fn stream(
        &self,
        out: &mut dyn Write,
        only: &[Source],
        told: &dyn Progress,
    ) -> Result<Vec<Member>, Error> {
        self.check_sizes()?;
        let mut archive = Archive::streamed(out, self, told)?;
        let members = self.write_members(&mut archive, only)?;
        archive.finish()?;
        Ok(members)
    }

    fn write_members<W: Write + Seek>(
        &self,
        archive: &mut Archive<'_, W>,
        only: &[Source],
    ) -> io::Result<Vec<Member>> {
        let market = Market::new(self);
        let mut members = Vec::new();
        for &source in only {
            if source == Source::PharmacyNetworks {
                self.write_network(archive, &market, &mut members)?;
                continue;
            }
            let formulary = u64::from(self.formularies) * u64::from(self.drugs_per_formulary);
            let part = Part { source, part: 1, rows: self.pricing_rows.max(formulary) };
            let name = source.zip_name(&self.period, None);
            members.extend(archive.member(&name, part, |out| match source {
                Source::Pricing => pricing::write(self, &market, out),
                _ => tables::write(source, self, &market, out),
            })?);
        }
        Ok(members)
    }

    fn write_network<W: Write + Seek>(
        &self,
        archive: &mut Archive<'_, W>,
        market: &Market,
        members: &mut Vec<Member>,
    ) -> io::Result<()> {
        let source = Source::PharmacyNetworks;
        let pharmacies = pharmacies::pharmacies(self, &market.counties);
        let mut network = Network::new(self, market, &pharmacies);
        let three = self.depth == Depth::Three;
        let mut bundle = three.then(|| archive.bundle()).transpose()?;
        for part in 1..=self.network_parts {
            let (rows, parts) = (network.rows(), u64::from(self.network_parts));
            let rows = rows / parts + u64::from(u64::from(part) <= rows % parts);
            let name = source.zip_name(&self.period, Some(part));
            let part = Part { source, part, rows };
            let body = |out: &mut dyn Write| -> io::Result<Written> { network.write(out, rows) };
            match &mut bundle {
                None => members.extend(archive.member(&name, part, body)?),
                Some(bundle) => {
                    let (zip, member) = archive.text(part, body)?;
                    archive.add_to(bundle, &name, zip)?;
                    members.extend(member);
                }
            }
        }
        if let Some(bundle) = bundle {
            archive.add(&source.zip_name(&self.period, None), archive::rewound(bundle)?)?;
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), Error> {
        let ranges = [
            ("plans", self.plans, 9_000),
            ("counties", self.counties, 4_000),
            ("formularies", self.formularies, 70_000),
            ("drugs_per_formulary", self.drugs_per_formulary, 1_000_000),
            ("pharmacies", self.pharmacies, 10_000_000),
            ("network_parts", self.network_parts, 99),
        ];
        for (field, found, most) in ranges {
            if !(1..=most).contains(&found) {
                let message = format!("{field} must be 1 to {most}, not {found}");
                return Err(Error::Sizes(message));
            }
        }
        let plans = u64::from(self.plans);
        let pairs = [
            ("network_rows", self.network_rows, plans * u64::from(self.pharmacies)),
            ("pricing_rows", self.pricing_rows, plans * u64::from(self.drugs_per_formulary) * 3),
        ];
        for (field, found, most) in pairs {
            if found > most {
                let message = format!("{field} is {found}, but these sizes have {most} keys");
                return Err(Error::Sizes(message));
            }
        }
        Ok(())
    }
}
