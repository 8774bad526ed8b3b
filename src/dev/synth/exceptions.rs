//! What differs from the formulary: drugs that Part D excludes and a plan covers all the same, and
//! drugs covered for some diseases alone.

use std::io::Result;

use super::Release;
use super::market::{Market, Plan};
use super::random::{Stream, choose_whole};
use super::tables::{BLANK, Rows, yes_no};

/// Whether a quantity is limited, to how much, in how many days.
pub(super) fn quantity_limit(
    stream: &mut Stream,
    percent: u64,
) -> (bool, &'static str, &'static str) {
    const AMOUNTS: [&str; 12] =
        ["30", "30", "30", "60", "60", "120", "90", "180", "240", "1", "2.4", "0.5"];
    const DAYS: [&str; 8] = ["30", "30", "30", "30", "28", "28", "21", "365"];
    let (amount, days) = (*stream.pick(&AMOUNTS), *stream.pick(&DAYS));
    if stream.percent(percent) { (true, amount, days) } else { (false, BLANK, BLANK) }
}

/// Writes what each plan has, or as many rows as are wanted, of some plans.
fn push_some(
    total: Option<u64>,
    market: &Market,
    of_plan: impl Fn(usize, &Plan) -> Vec<Vec<String>>,
    rows: &mut Rows<'_>,
) -> Result<()> {
    let all: Vec<u64> = market
        .plans
        .iter()
        .enumerate()
        .map(|(nth, plan)| of_plan(nth, plan).len() as u64)
        .collect();
    let counts = choose_whole(total.unwrap_or(u64::MAX), &all);
    for (nth, (plan, count)) in market.plans.iter().zip(counts).enumerate() {
        if count > 0 {
            for row in of_plan(nth, plan).iter().take(count as usize) {
                rows.push(row)?;
            }
        }
    }
    Ok(())
}

/// Writes the excluded drugs file.
pub(super) fn excluded_drugs_formulary(
    release: &Release,
    market: &Market,
    rows: &mut Rows<'_>,
) -> Result<()> {
    let total = release.rows.as_ref().map(|rows| rows.excluded_drugs_formulary);
    // Of a given number of rows some plans have none and others have many.
    let most = if total.is_some() { 70 } else { 9 };
    let of_plan = |nth: usize, plan: &Plan| {
        if !nth.is_multiple_of(4) || !plan.is_first_segment() {
            return Vec::new();
        }
        let mut stream = Stream::new(release.seed, "excluded_drugs_formulary", nth as u64);
        let tier = (1 + stream.below(4)).to_string();
        let drugs = 2 + stream.below(most);
        let row = |k| {
            let rxcui = (312_000 + stream.spread(k, drugs, 3_000)).to_string();
            let (limit, amount, days) = quantity_limit(&mut stream, 70);
            [
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
            ]
            .map(str::to_owned)
            .to_vec()
        };
        (0..drugs).map(row).collect()
    };
    push_some(total, market, of_plan, rows)
}

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

/// Writes the indication based coverage file.
pub(super) fn indication_based_coverage(
    release: &Release,
    market: &Market,
    rows: &mut Rows<'_>,
) -> Result<()> {
    let total = release.rows.as_ref().map(|rows| rows.indication_based_coverage);
    let of_plan = |nth: usize, plan: &Plan| {
        if !nth.is_multiple_of(3) || !plan.is_first_segment() {
            return Vec::new();
        }
        let mut stream = Stream::new(release.seed, "indication_based_coverage", nth as u64);
        let covered = &market.formulary(plan).drugs;
        let drugs = 3.min(covered.len() as u64);
        let mut rxcuis: Vec<u64> = (0..drugs)
            .map(|k| covered[stream.spread(k, drugs, covered.len() as u64) as usize])
            .map(|drug| market.drugs[drug as usize].rxcui)
            .collect();
        // Two packages of one product have one RXCUI.
        rxcuis.dedup();
        let mut found = Vec::new();
        for rxcui in rxcuis {
            let diseases = 1 + stream.below(3);
            for disease in 0..diseases {
                let disease = stream.spread(disease, diseases, DISEASES.len() as u64) as usize;
                let row = [&*plan.contract, &plan.plan, &rxcui.to_string(), DISEASES[disease]];
                found.push(row.map(str::to_owned).to_vec());
            }
        }
        found
    };
    push_some(total, market, of_plan, rows)
}
