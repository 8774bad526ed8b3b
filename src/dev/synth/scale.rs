//! What a whole release comes to at a scale: the rows of CMS's 2026Q2 release times the scale,
//! with plans and formularies as large as CMS's and fewer of them, so that a tenth has the shape
//! of the whole. The country does not shrink: all counties are in every release.

use jiff::civil::{Date, date};

use super::layout::Source;
use super::object::Object;
use super::{Depth, Inner, Nights, Release, Vintage, beneinfo, geo, ndc, nppes, planinfo};
use crate::error::Error;

/// The databases that there is something for.
pub const DATABASES: [&str; 3] = ["druginfo", "planinfo", "beneinfo"];

/// Rows of the smaller files of a Part D release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// One a plan and county; a stand-alone drug plan has one a plan.
    pub plan_information: u64,
    /// All formularies together.
    pub basic_drugs_formulary: u64,
    /// One a plan, level, tier and days' supply.
    pub beneficiary_cost: u64,
    /// One a plan, tier and days' supply.
    pub insulin_beneficiary_cost: u64,
    /// One a plan and drug.
    pub excluded_drugs_formulary: u64,
    /// One a plan, drug and disease.
    pub indication_based_coverage: u64,
}

/// CMS's own counts for 2026Q2, from its catalog of the release (SPUF_2026_20260701.zip); plans and
/// pharmacies are about what those rows come to.
mod whole {
    pub(super) const PLAN_INFORMATION: f64 = 112_294.0;
    pub(super) const BASIC_DRUGS_FORMULARY: f64 = 1_124_586.0;
    pub(super) const BENEFICIARY_COST: f64 = 172_642.0;
    pub(super) const INSULIN_BENEFICIARY_COST: f64 = 43_057.0;
    pub(super) const EXCLUDED_DRUGS_FORMULARY: f64 = 13_717.0;
    pub(super) const INDICATION_BASED_COVERAGE: f64 = 397.0;
    pub(super) const PHARMACY_NETWORKS: f64 = 307_272_341.0;
    pub(super) const PRICING: f64 = 53_762_064.0;
    pub(super) const COUNTIES: u32 = 3_279;
    pub(super) const FORMULARIES: u32 = 328;
    pub(super) const PLANS: u32 = 5_500;
    pub(super) const PHARMACIES: u64 = 70_000;
}

/// Fewer plans than these have too few keys for the prices that go with them.
const PLANS_MIN: u32 = 20;

/// What to write: how much, of which market, of which night.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// 1 is CMS's whole release, 362 million rows.
    pub scale: f64,
    /// Two seeds give two markets.
    pub seed: u64,
    /// The nights after the first release; each changes a small share of rows.
    pub nights: Nights,
    /// The year of the quarter that the data speaks of.
    pub year: i16,
    /// The quarter, 1 to 4.
    pub quarter: u8,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { scale: 0.001, seed: 1, nights: Nights::default(), year: 2026, quarter: 2 }
    }
}

impl Plan {
    /// Reads a quarter written as CMS does: `2026Q2`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse_quarter(text: &str) -> Result<(i16, u8), String> {
        let read = || {
            let (year, quarter) = text.split_once('Q')?;
            let (year, quarter) = (year.parse().ok()?, quarter.parse().ok()?);
            ((2007..=2100).contains(&year) && (1..=4).contains(&quarter)).then_some((year, quarter))
        };
        read().ok_or_else(|| format!("{text:?} is no quarter such as 2026Q2"))
    }

    /// Whether the numbers are in range.
    ///
    /// # Errors
    /// [`Error::Scale`] or [`Error::Night`].
    pub fn check(&self) -> Result<(), Error> {
        if !(self.scale > 0.0 && self.scale <= 1.0) {
            return Err(Error::Scale(self.scale));
        }
        match self.nights.count() {
            night @ 3_651.. => Err(Error::Night(night)),
            _ => Ok(()),
        }
    }

    /// The day of posting: the first of the next quarter, or in January the seventh, as CMS does;
    /// a day later each night, so that the newest wins.
    pub(super) fn posted(&self) -> Date {
        let first = match self.quarter {
            4 => date(self.year + 1, 1, 7),
            quarter => date(self.year, quarter as i8 * 3 + 1, 1),
        };
        first.saturating_add(jiff::Span::new().days(i64::from(self.nights.count())))
    }

    /// A whole count times the scale.
    pub(super) fn scaled(&self, whole: f64) -> u64 {
        (whole * self.scale).round() as u64
    }

    /// The Part D release of this plan.
    pub(super) fn release(&self) -> Release {
        let plans = (self.scaled(f64::from(whole::PLANS)) as u32).max(PLANS_MIN);
        // Rounded down: with more drugs in each there are keys enough for the prices.
        let formularies = (plans * whole::FORMULARIES / whole::PLANS).max(1);
        // What a plan has at least does not depend on how few prices there are.
        let least = f64::from(PLANS_MIN) / f64::from(whole::PLANS);
        let of_plans = |whole: f64| self.scaled(whole).max((whole * least).ceil() as u64);
        let rows = Rows {
            plan_information: of_plans(whole::PLAN_INFORMATION),
            basic_drugs_formulary: self.scaled(whole::BASIC_DRUGS_FORMULARY).max(60),
            beneficiary_cost: of_plans(whole::BENEFICIARY_COST),
            insulin_beneficiary_cost: of_plans(whole::INSULIN_BENEFICIARY_COST),
            excluded_drugs_formulary: of_plans(whole::EXCLUDED_DRUGS_FORMULARY),
            indication_based_coverage: of_plans(whole::INDICATION_BASED_COVERAGE),
        };
        let network_rows = self.scaled(whole::PHARMACY_NETWORKS);
        // As many as leave a national network nine tenths of them.
        let pharmacies = (network_rows / u64::from(plans) * 5 / 4).clamp(60, whole::PHARMACIES);
        Release {
            seed: self.seed,
            contract_year: self.year.unsigned_abs(),
            period: format!("{}Q{}", self.year, self.quarter),
            posted: self.posted(),
            plans,
            counties: whole::COUNTIES,
            formularies,
            drugs_per_formulary: (rows.basic_drugs_formulary / u64::from(formularies)) as u32,
            pharmacies: pharmacies as u32,
            network_rows,
            network_parts: 6,
            pricing_rows: self.scaled(whole::PRICING),
            vintage: Vintage::Cms2026,
            inner: Inner::Deflated,
            depth: Depth::Two,
            zip64: true,
            rows: Some(rows),
            nights: self.nights.clone(),
        }
    }
}

/// The objects that a database is built from, in the order in which they are written.
pub fn objects(database: &str, plan: &Plan) -> Vec<Object> {
    match database {
        "druginfo" => {
            let release = plan.release();
            let mut objects = vec![part_d("druginfo", plan, &Source::ALL)];
            objects.extend(ndc::objects(&release));
            objects.push(nppes::object(&release));
            objects.push(planinfo::landscape("druginfo", &release));
            objects.extend(geo::objects("druginfo", &release));
            objects
        }
        "planinfo" => {
            let release = plan.release();
            let only = &[Source::GeographicLocator, Source::PlanInformation];
            let mut objects = vec![part_d("planinfo", plan, only)];
            objects.extend(planinfo::objects(&release));
            objects.extend(geo::objects("planinfo", &release));
            objects
        }
        "beneinfo" => {
            let people = plan.scaled(beneinfo::PEOPLE).max(50);
            beneinfo::objects(&plan.release(), people)
        }
        _ => Vec::new(),
    }
}

/// The Part D release, or those files of it that a database reads.
fn part_d(database: &'static str, plan: &Plan, only: &'static [Source]) -> Object {
    let release = plan.release();
    let planned: Vec<(&'static str, u64)> =
        only.iter().map(|source| (source.name(), release.rows_of(*source))).collect();
    let about = only.iter().map(|source| release.rows_of(*source) * source.bytes_a_row()).sum();
    let (name, posted) = (release.file_name(), release.posted);
    Object::new(database, name, posted, planned, about, move |out, told| {
        release.stream(out, only, told)
    })
}

impl Release {
    /// Rows that a source will have, where the release gives them; else what is certain.
    fn rows_of(&self, source: Source) -> u64 {
        let Some(rows) = &self.rows else { return 0 };
        match source {
            Source::BasicDrugsFormulary => rows.basic_drugs_formulary,
            Source::BeneficiaryCost => rows.beneficiary_cost,
            Source::ExcludedDrugsFormulary => rows.excluded_drugs_formulary,
            Source::GeographicLocator => u64::from(self.counties),
            Source::IndicationBasedCoverage => rows.indication_based_coverage,
            Source::InsulinBeneficiaryCost => rows.insulin_beneficiary_cost,
            Source::PharmacyNetworks => self.network_rows,
            Source::PlanInformation => rows.plan_information.max(u64::from(self.plans)),
            Source::Pricing => self.pricing_rows,
        }
    }
}
