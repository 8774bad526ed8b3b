//! The seven files other than network and pricing, written through the csv crate as CMS writes
//! them: pipes, CRLF, no quotes, cp1252, one blank for what is not known. What members pay is in
//! `costs`, what differs from the formulary in `exceptions`.

use std::io::{Result, Write};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use encoding_rs::WINDOWS_1252;

use super::geography::{MA_REGIONS, PDP_REGIONS, STATES};
use super::layout::Source;
use super::market::{Area, Market};
use super::nights::FORMULARY;
use super::object::Written;
use super::random::Stream;
use super::{Release, Vintage};
use super::{costs, exceptions};

/// CMS's null.
pub(super) const BLANK: &str = " ";

type Table<'w> = Writer<&'w mut dyn Write>;

/// Writes header and rows of one file, and says how many rows there are.
pub(super) fn write(
    source: Source,
    release: &Release,
    market: &Market,
    out: &mut dyn Write,
) -> Result<Written> {
    let mut rows = Rows {
        table: WriterBuilder::new()
            .delimiter(b'|')
            .quote_style(QuoteStyle::Never)
            .terminator(Terminator::CRLF)
            .from_writer(out),
        written: Written::default(),
    };
    rows.table.write_record(source.header(release.vintage))?;
    match source {
        Source::PlanInformation => plan_information(release, market, &mut rows)?,
        Source::GeographicLocator => geographic_locator(market, &mut rows)?,
        Source::BasicDrugsFormulary => basic_drugs_formulary(release, market, &mut rows)?,
        Source::BeneficiaryCost => costs::beneficiary_cost(release, market, &mut rows)?,
        Source::InsulinBeneficiaryCost => {
            costs::insulin_beneficiary_cost(release, market, &mut rows)?;
        }
        Source::ExcludedDrugsFormulary => {
            exceptions::excluded_drugs_formulary(release, market, &mut rows)?;
        }
        Source::IndicationBasedCoverage => {
            exceptions::indication_based_coverage(release, market, &mut rows)?;
        }
        Source::PharmacyNetworks | Source::Pricing => {}
    }
    rows.table.flush()?;
    Ok(rows.written)
}

/// A file being written.
pub(super) struct Rows<'w> {
    table: Table<'w>,
    written: Written,
}

impl Rows<'_> {
    pub(super) fn push<T: AsRef<str>>(&mut self, fields: &[T]) -> Result<()> {
        self.table
            .write_record(fields.iter().map(|field| WINDOWS_1252.encode(field.as_ref()).0))?;
        self.written.rows += 1;
        Ok(())
    }
}

pub(super) fn yes_no(truth: bool) -> &'static str {
    if truth { "Y" } else { "N" }
}

fn plan_information(release: &Release, market: &Market, rows: &mut Rows<'_>) -> Result<()> {
    let mut stream = Stream::new(release.seed, "plan_information", 0);
    for plan in &market.plans {
        let suppressed = yes_no(stream.percent(3));
        let premium = format!("{}.{:02}", plan.premium_cents / 100, plan.premium_cents % 100);
        let deductible = plan.deductible.to_string();
        let snp = plan.snp.to_string();
        let mut push = |ma: &str, pdp: &str, state: &str, county: &str| {
            let mut row = vec![
                &*plan.contract,
                &plan.plan,
                &plan.segment,
                &plan.contract_name,
                &plan.name,
                &market.formulary(plan).id,
                &premium,
                &deductible,
            ];
            if release.vintage == Vintage::Cms2023 {
                // The initial coverage limit of 2023, the same for every plan.
                row.push("4660");
            }
            row.extend([ma, pdp, state, county, &snp, suppressed]);
            rows.push(&row)
        };
        match &plan.area {
            Area::Counties(counties) => {
                for county in &market.counties[counties.clone()] {
                    push(BLANK, BLANK, STATES[county.state].abbreviation, &county.code)?;
                }
            }
            Area::MaRegion(code) => push(&format!("{code:02}"), BLANK, BLANK, BLANK)?,
            Area::PdpRegion(code) => push(BLANK, &format!("{code:02}"), BLANK, BLANK)?,
        }
    }
    Ok(())
}

fn geographic_locator(market: &Market, rows: &mut Rows<'_>) -> Result<()> {
    for county in &market.counties {
        let state = &STATES[county.state];
        rows.push(&[
            &*county.code,
            state.name,
            &county.name,
            &format!("{:02}", state.ma_region),
            MA_REGIONS[usize::from(state.ma_region) - 1],
            &format!("{:02}", state.pdp_region),
            PDP_REGIONS[usize::from(state.pdp_region) - 1],
        ])?;
    }
    Ok(())
}

fn basic_drugs_formulary(release: &Release, market: &Market, rows: &mut Rows<'_>) -> Result<()> {
    let year = release.contract_year.to_string();
    let turn = release.nights.turn("basic_drugs_formulary");
    for (nth, formulary) in market.formularies.iter().enumerate() {
        let mut stream = Stream::new(release.seed, "basic_drugs_formulary", nth as u64);
        let version = formulary.version.to_string();
        for &drug in &formulary.drugs {
            let drug = &market.drugs[drug as usize];
            let moved = if stream.percent(10) { 1 } else { 0 };
            let tier = (drug.tier + moved).min(formulary.tiers).to_string();
            let (limit, amount, days) = exceptions::quantity_limit(&mut stream, 31);
            let draw = stream.next();
            let turned = !FORMULARY.generation(draw, turn).is_multiple_of(2);
            rows.written.changed += u64::from(FORMULARY.changes(draw, turn));
            let rxcui = drug.rxcui.to_string();
            let mut row = vec![
                &*formulary.id,
                &version,
                &year,
                &rxcui,
                &drug.ndc,
                &tier,
                yes_no(limit),
                amount,
                days,
                yes_no(stream.percent(26) != turned),
                yes_no(stream.percent(2)),
            ];
            if release.vintage == Vintage::Cms2026 {
                row.push(yes_no(drug.selected));
            }
            rows.push(&row)?;
        }
    }
    Ok(())
}
