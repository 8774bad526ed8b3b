//! The seven files other than network and pricing, written through the csv crate as CMS writes
//! them: pipes, CRLF, no quotes, cp1252, one blank for what is not known.

use std::io::Write;

use anyhow::Result;
use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use encoding_rs::WINDOWS_1252;

use super::geography::{MA_REGIONS, PDP_REGIONS, STATES};
use super::layout::{Source, dollars};
use super::market::{Area, Market, Plan};
use super::random::Stream;
use super::{Release, Vintage};

/// CMS's null.
const BLANK: &str = " ";

type Table<'w> = Writer<&'w mut dyn Write>;

/// Writes header and rows of one file, and says how many rows there are.
pub(super) fn write(
    source: Source,
    release: &Release,
    market: &Market,
    out: &mut dyn Write,
) -> Result<u64> {
    let mut rows = Rows {
        table: WriterBuilder::new()
            .delimiter(b'|')
            .quote_style(QuoteStyle::Never)
            .terminator(Terminator::CRLF)
            .from_writer(out),
        count: 0,
    };
    rows.table.write_record(source.header(release.vintage))?;
    match source {
        Source::PlanInformation => plan_information(release, market, &mut rows)?,
        Source::GeographicLocator => geographic_locator(market, &mut rows)?,
        Source::BasicDrugsFormulary => basic_drugs_formulary(release, market, &mut rows)?,
        Source::BeneficiaryCost => beneficiary_cost(release, market, &mut rows)?,
        Source::InsulinBeneficiaryCost => insulin_beneficiary_cost(release, market, &mut rows)?,
        Source::ExcludedDrugsFormulary => excluded_drugs_formulary(release, market, &mut rows)?,
        Source::IndicationBasedCoverage => indication_based_coverage(release, market, &mut rows)?,
        Source::PharmacyNetworks | Source::Pricing => {}
    }
    rows.table.flush()?;
    Ok(rows.count)
}

struct Rows<'w> {
    table: Table<'w>,
    count: u64,
}

impl Rows<'_> {
    fn push<T: AsRef<str>>(&mut self, fields: &[T]) -> Result<()> {
        self.table
            .write_record(fields.iter().map(|field| WINDOWS_1252.encode(field.as_ref()).0))?;
        self.count += 1;
        Ok(())
    }
}

fn yes_no(truth: bool) -> &'static str {
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
    for (nth, formulary) in market.formularies.iter().enumerate() {
        let mut stream = Stream::new(release.seed, "basic_drugs_formulary", nth as u64);
        let version = formulary.version.to_string();
        for &drug in &formulary.drugs {
            let drug = &market.drugs[drug as usize];
            let moved = if stream.percent(10) { 1 } else { 0 };
            let tier = (drug.tier + moved).min(formulary.tiers).to_string();
            let (limit, amount, days) = quantity_limit(&mut stream, 31);
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
                yes_no(stream.percent(26)),
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

/// Whether a quantity is limited, to how much, in how many days.
fn quantity_limit(stream: &mut Stream, percent: u64) -> (bool, &'static str, &'static str) {
    const AMOUNTS: [&str; 12] =
        ["30", "30", "30", "60", "60", "120", "90", "180", "240", "1", "2.4", "0.5"];
    const DAYS: [&str; 8] = ["30", "30", "30", "30", "28", "28", "21", "365"];
    let (amount, days) = (*stream.pick(&AMOUNTS), *stream.pick(&DAYS));
    if stream.percent(percent) { (true, amount, days) } else { (false, BLANK, BLANK) }
}

/// A member's share at one kind of pharmacy.
#[derive(Clone, Copy)]
enum Share {
    NotOffered,
    Cents(u64),
    /// Hundredths of the price.
    Percent(u64),
}

impl Share {
    /// COST_TYPE and COST_AMT; the least and the most are always 0.
    fn fields(self) -> [String; 4] {
        let (kind, amount) = match self {
            Share::NotOffered => ("0", "0".to_owned()),
            Share::Cents(cents) => ("1", dollars(cents)),
            Share::Percent(percent) => ("2", dollars(percent)),
        };
        [kind.to_owned(), amount, "0".to_owned(), "0".to_owned()]
    }
}

/// What a plan asks for each tier.
struct Prices {
    copay_dollars: [u64; 4],
    coinsurance_percent: [u64; 2],
    mail: bool,
}

impl Prices {
    fn of(release: &Release, nth: usize) -> Self {
        let mut stream = Stream::new(release.seed, "beneficiary_cost", nth as u64);
        Prices {
            copay_dollars: [0, stream.below(6), 5 + stream.below(16), 35 + stream.below(13)],
            coinsurance_percent: [25 + stream.below(26), 25 + stream.below(9)],
            mail: stream.percent(85),
        }
    }

    /// The share in a tier for some months, at a preferred pharmacy or another.
    fn share(&self, tier: u8, months: u64, preferred: bool) -> Share {
        match tier {
            1..=3 => {
                let least = if preferred { 0 } else { 5 };
                Share::Cents((self.copay_dollars[usize::from(tier)] + least) * 100 * months)
            }
            4 => Share::Percent(self.coinsurance_percent[0] - if preferred { 3 } else { 0 }),
            5 => Share::Percent(self.coinsurance_percent[1]),
            _ => Share::Cents(0),
        }
    }
}

/// DAYS_SUPPLY codes in the files' order, with the months they stand for.
const DAYS_SUPPLY: [(&str, u64); 3] = [("1", 1), ("2", 3), ("4", 2)];

/// The specialty tier is dispensed by the month.
const SPECIALTY: u8 = 5;

fn beneficiary_cost(release: &Release, market: &Market, rows: &mut Rows<'_>) -> Result<()> {
    for (nth, plan) in market.plans.iter().enumerate() {
        let prices = Prices::of(release, nth);
        let tiers = market.formulary(plan).tiers;
        for level in ["0", "1", "3"] {
            for tier in 1..=tiers {
                // Only tiers that the deductible spares have a share before it.
                let spared = matches!(tier, 1 | 6);
                if level == "0" && (plan.deductible == 0 || !spared) {
                    continue;
                }
                for (days, months) in DAYS_SUPPLY {
                    if tier == SPECIALTY && level == "1" && days != "1" {
                        continue;
                    }
                    let shares = match level {
                        "3" => channels(plan, &prices, |_| Share::Cents(0)),
                        _ => channels(plan, &prices, |preferred| {
                            prices.share(tier, months, preferred)
                        }),
                    };
                    let mut row = [&*plan.contract, &plan.plan, &plan.segment, level]
                        .map(str::to_owned)
                        .to_vec();
                    row.extend([tier.to_string(), days.to_owned()]);
                    row.extend(shares.into_iter().flat_map(Share::fields));
                    row.push(yes_no(tier == SPECIALTY).to_owned());
                    row.push(yes_no(plan.deductible > 0 && !spared).to_owned());
                    if release.vintage == Vintage::Cms2023 {
                        row.push(if tier == 1 { "1" } else { BLANK }.to_owned());
                    }
                    rows.push(&row)?;
                }
            }
        }
    }
    Ok(())
}

/// The shares at preferred, other, preferred mail and other mail pharmacies, in this order.
fn channels(plan: &Plan, prices: &Prices, share: impl Fn(bool) -> Share) -> [Share; 4] {
    let offered = |is, preferred| if is { share(preferred) } else { Share::NotOffered };
    [
        offered(plan.preferred, true),
        share(false),
        offered(plan.preferred && prices.mail, true),
        offered(prices.mail, false),
    ]
}

fn insulin_beneficiary_cost(release: &Release, market: &Market, rows: &mut Rows<'_>) -> Result<()> {
    for (nth, plan) in market.plans.iter().enumerate() {
        let prices = Prices::of(release, nth);
        let tiers = market.formulary(plan).tiers;
        // Some plans have insulin in no tier: SAS's missing number.
        let tierless = (nth % 7 == 3).then_some(3);
        for (name, tier) in tierless
            .map(|like| (".".to_owned(), like))
            .into_iter()
            .chain((1..=tiers).map(|tier| (tier.to_string(), tier)))
        {
            for (days, months) in DAYS_SUPPLY {
                let shares = channels(plan, &prices, |preferred| {
                    // By law no more than 35 dollars a month.
                    match prices.share(tier, months, preferred) {
                        Share::Cents(cents) => Share::Cents(cents.min(3_500 * months)),
                        _ => Share::Cents(3_500 * months),
                    }
                });
                let copays = shares.map(|share| match share {
                    Share::Cents(cents) => format!("{}.{:02}", cents / 100, cents % 100),
                    _ => BLANK.to_owned(),
                });
                let coinsurances = shares.map(|share| match share {
                    Share::Cents(0) => "0.00",
                    Share::Cents(_) => "0.25",
                    _ => BLANK,
                });
                let mut row = [&*plan.contract, &plan.plan, &plan.segment, &name, days]
                    .map(str::to_owned)
                    .to_vec();
                row.extend(copays);
                row.extend(coinsurances.map(str::to_owned));
                rows.push(&row)?;
            }
        }
    }
    Ok(())
}

fn excluded_drugs_formulary(release: &Release, market: &Market, rows: &mut Rows<'_>) -> Result<()> {
    for (nth, plan) in market.plans.iter().enumerate() {
        if nth % 4 != 0 || !plan.is_first_segment() {
            continue;
        }
        let mut stream = Stream::new(release.seed, "excluded_drugs_formulary", nth as u64);
        let tier = (1 + stream.below(4)).to_string();
        let drugs = 2 + stream.below(9);
        for k in 0..drugs {
            let rxcui = (312_000 + stream.spread(k, drugs, 3_000)).to_string();
            let (limit, amount, days) = quantity_limit(&mut stream, 70);
            rows.push(&[
                &*plan.contract,
                &plan.plan,
                &rxcui,
                &tier,
                // The one flag of the release that is not Y or N.
                if limit { "1" } else { "0" },
                amount,
                days,
                yes_no(stream.percent(5)),
                "N",
                yes_no(stream.percent(40)),
            ])?;
        }
    }
    Ok(())
}

fn indication_based_coverage(
    release: &Release,
    market: &Market,
    rows: &mut Rows<'_>,
) -> Result<()> {
    const DISEASES: [&str; 8] = [
        "ARTHRITIS, PSORIATIC",
        "ARTHRITIS, RHEUMATOID",
        "COLITIS, ULCERATIVE",
        "CROHN DISEASE",
        "CRYOPYRIN-ASSOCIATED PERIODIC SYNDROMES",
        "PSORIASIS",
        "SPONDYLARTHRITIS",
        "SPONDYLITIS, ANKYLOSING",
    ];
    for (nth, plan) in market.plans.iter().enumerate() {
        if nth % 3 != 0 || !plan.is_first_segment() {
            continue;
        }
        let mut stream = Stream::new(release.seed, "indication_based_coverage", nth as u64);
        let covered = &market.formulary(plan).drugs;
        let drugs = 3.min(covered.len() as u64);
        for k in 0..drugs {
            let drug = covered[stream.spread(k, drugs, covered.len() as u64) as usize];
            let rxcui = market.drugs[drug as usize].rxcui.to_string();
            let diseases = 1 + stream.below(3);
            for disease in 0..diseases {
                let disease = stream.spread(disease, diseases, DISEASES.len() as u64) as usize;
                rows.push(&[&*plan.contract, &plan.plan, &rxcui, DISEASES[disease]])?;
            }
        }
    }
    Ok(())
}
