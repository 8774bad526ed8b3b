//! The invented market that all files of a release speak of: plans, formularies and drugs, held
//! in memory so that keys agree between files. Grows with plans and drugs, never with rows.

use std::ops::Range;

use super::drugs::{Drug, drugs};
use super::geography::{County, STATES, counties};
use super::random::{Stream, share_out};
use super::{Release, Vintage};

/// Plans, formularies and what they are made of.
pub(super) struct Market {
    pub(super) counties: Vec<County>,
    /// By contract, plan, segment: the order of CMS's files.
    pub(super) plans: Vec<Plan>,
    pub(super) formularies: Vec<Formulary>,
    /// By ascending NDC.
    pub(super) drugs: Vec<Drug>,
}

/// One contract, plan and segment.
pub(super) struct Plan {
    /// `H1671`.
    pub(super) contract: String,
    /// `001`.
    pub(super) plan: String,
    /// `000`.
    pub(super) segment: String,
    pub(super) contract_name: String,
    pub(super) name: String,
    /// Index into [`Market::formularies`].
    pub(super) formulary: usize,
    pub(super) premium_cents: u64,
    /// In dollars.
    pub(super) deductible: u64,
    pub(super) area: Area,
    /// CMS's special needs plan code; 2 is dual eligible.
    pub(super) snp: u8,
    /// Whether some pharmacies are preferred.
    pub(super) preferred: bool,
    /// Whether there is mail order.
    pub(super) mail: bool,
    /// Whether its pharmacies are those of its state, and not a national chain's network.
    pub(super) local: bool,
    /// Where the carrier is at home: an index into [`STATES`].
    pub(super) state: usize,
    /// The name that it sells under.
    pub(super) carrier: String,
    /// What kind of plan it is, as plan names end: `HMO D-SNP`.
    pub(super) form: &'static str,
}

impl Plan {
    /// How a row of this plan begins: `H1671|001|000|`.
    pub(super) fn key(&self) -> Vec<u8> {
        format!("{}|{}|{}|", self.contract, self.plan, self.segment).into_bytes()
    }

    /// Files keyed by contract and plan alone mention a plan at its first segment.
    pub(super) fn is_first_segment(&self) -> bool {
        matches!(self.segment.as_str(), "000" | "001")
    }
}

/// Where a plan is sold, which decides the columns of plan information that are blank.
#[derive(Clone)]
pub(super) enum Area {
    /// H contracts: a row for each of these counties.
    Counties(Range<usize>),
    /// R contracts: one row with this MA region.
    MaRegion(u8),
    /// S contracts: one row with this PDP region.
    PdpRegion(u8),
}

/// A list of covered drugs.
pub(super) struct Formulary {
    /// Eight digits.
    pub(super) id: String,
    pub(super) version: u64,
    /// Indexes into [`Market::drugs`], ascending.
    pub(super) drugs: Vec<u32>,
    /// Five, or six where the last is for select care drugs.
    pub(super) tiers: u8,
}

impl Market {
    pub(super) fn new(release: &Release) -> Self {
        let (counties, states) = counties(release.counties);
        let drugs = drugs(release);
        let plans = plans(release, &counties, &states);
        let mut market = Market { counties, plans, formularies: Vec::new(), drugs };
        market.formularies = formularies(release, market.drugs.len() as u64, true);
        // Uneven formularies may leave too few keys for the prices that are asked for.
        if market.price_keys() < release.pricing_rows {
            market.formularies = formularies(release, market.drugs.len() as u64, false);
        }
        market
    }

    /// The formulary of a plan.
    pub(super) fn formulary(&self, plan: &Plan) -> &Formulary {
        &self.formularies[plan.formulary]
    }

    /// Plan, drug and days' supply: as many prices as there can be.
    fn price_keys(&self) -> u64 {
        self.plans.iter().map(|plan| self.formulary(plan).drugs.len() as u64 * 3).sum()
    }
}

/// Formularies; where the rows of all of them are given, some are half as long again as others.
fn formularies(release: &Release, drugs: u64, uneven: bool) -> Vec<Formulary> {
    let count = u64::from(release.formularies);
    let mut stream = Stream::new(release.seed, "formularies", 0);
    let mut weight = || if uneven { 850 + stream.below(300) } else { 1 };
    let sizes = match &release.rows {
        Some(rows) => {
            let weights: Vec<(u64, u64)> = (0..count).map(|_| (weight(), drugs)).collect();
            share_out(rows.basic_drugs_formulary, &weights)
        }
        None => vec![u64::from(release.drugs_per_formulary); count as usize],
    };
    let mut stream = Stream::new(release.seed, "formulary ids", 0);
    (0..count)
        .zip(sizes)
        .map(|(nth, picks)| {
            let mut chosen = Stream::new(release.seed, "formulary", nth);
            Formulary {
                id: format!("{:08}", 26_000 + stream.spread(nth, count, count * 3)),
                version: 8 + stream.below(12),
                drugs: (0..picks).map(|k| chosen.spread(k, picks, drugs) as u32).collect(),
                // Three of five have six tiers; where there are few formularies, the first does.
                tiers: 5 + u8::from(stream.percent(60) || (release.rows.is_some() && nth == 0)),
            }
        })
        .collect()
}

/// Plans of H, R and S contracts, about as many of each as CMS has.
fn plans(release: &Release, counties: &[County], states: &[Range<usize>]) -> Vec<Plan> {
    let count = u64::from(release.plans);
    let stand_alone = if count < 3 { 0 } else { (count * 7 / 100).max(1) };
    let regional = if count < 3 { 0 } else { (count / 100).max(1) };
    let mut plans = Vec::with_capacity(count as usize);
    let mut formulary = 0;
    for (kind, of_kind) in
        [('H', count - stand_alone - regional), ('R', regional), ('S', stand_alone)]
    {
        let mut stream = Stream::new(release.seed, "contracts", u64::from(u32::from(kind)));
        let mut sizes = Vec::new();
        let mut left = of_kind;
        while left > 0 {
            let size = (1 + stream.below(8)).min(left);
            sizes.push(size);
            left -= size;
        }
        let contracts = sizes.len() as u64;
        for (nth, size) in sizes.into_iter().enumerate() {
            let number = 1_000 + stream.spread(nth as u64, contracts, 9_000);
            // More carriers where there are more counties.
            let state = counties[stream.below(counties.len() as u64) as usize].state;
            let home = states.iter().find(|range| counties[range.start].state == state);
            let contract = Contract {
                kind,
                id: format!("{kind}{number}"),
                carrier: format!("{} {}", stream.pick(&CARRIERS), stream.pick(&KINDS)),
                formulary,
                state,
                home: home.cloned().unwrap_or(0..1),
            };
            formulary = (formulary + 1) % release.formularies as usize;
            contract.add_plans(release, counties, size, &mut stream, &mut plans);
        }
    }
    if let Some(rows) = &release.rows {
        sell_widely(release, rows.plan_information, states, counties, &mut plans);
    }
    plans
}

/// Gives H plans so many counties that plan information has this many rows: a few plans are sold
/// in most of their state, most in some counties, as in CMS's file.
fn sell_widely(
    release: &Release,
    rows: u64,
    states: &[Range<usize>],
    counties: &[County],
    plans: &mut [Plan],
) {
    let mut stream = Stream::new(release.seed, "service areas", 0);
    let others = plans.len() as u64;
    let home = |plan: &Plan| {
        let home = states.iter().find(|range| counties[range.start].state == plan.state);
        home.cloned().unwrap_or(0..1)
    };
    let by_county = |plan: &&mut Plan| matches!(plan.area, Area::Counties(_));
    let weights: Vec<(u64, u64)> = plans
        .iter_mut()
        .filter(by_county)
        .map(|plan| {
            let breadth = 1 + stream.below(30);
            (breadth * breadth, home(plan).len() as u64 - 1)
        })
        .collect();
    let more = share_out(rows.saturating_sub(others), &weights);
    for (plan, more) in plans.iter_mut().filter(by_county).zip(more) {
        let home = home(plan);
        let count = more as usize + 1;
        let start = home.start + stream.below((home.len() - count + 1) as u64) as usize;
        plan.area = Area::Counties(start..start + count);
    }
}

struct Contract {
    kind: char,
    id: String,
    carrier: String,
    formulary: usize,
    state: usize,
    home: Range<usize>,
}

impl Contract {
    /// Adds `size` plans in order of their ids; some H plans come in two segments.
    fn add_plans(
        &self,
        release: &Release,
        counties: &[County],
        size: u64,
        stream: &mut Stream,
        plans: &mut Vec<Plan>,
    ) {
        let mut left = size;
        let mut number = 0;
        while left > 0 {
            number += 1 + stream.below(3);
            if self.kind == 'H' && left >= 2 && stream.percent(15) {
                let first = self.plan(release, (number, "001"), counties, stream, plans.len());
                let second = self.plan(release, (number, "002"), counties, stream, plans.len());
                plans.extend([first, second]);
                left -= 2;
            } else {
                plans.push(self.plan(release, (number, "000"), counties, stream, plans.len()));
                left -= 1;
            }
        }
    }

    fn plan(
        &self,
        release: &Release,
        (number, segment): (u64, &str),
        counties: &[County],
        stream: &mut Stream,
        nth: usize,
    ) -> Plan {
        let dual = self.kind == 'H' && stream.percent(15);
        let free = dual || (self.kind == 'H' && stream.percent(60));
        let most = if release.vintage == Vintage::Cms2026 { 615 } else { 505 };
        let form = match self.kind {
            'S' => "PDP",
            'R' => "Regional PPO",
            _ if dual => "HMO D-SNP",
            _ => ["HMO", "HMO-POS", "PPO"][stream.below(3) as usize],
        };
        Plan {
            contract: self.id.clone(),
            plan: format!("{number:03}"),
            segment: segment.to_owned(),
            contract_name: format!("{}, INC.", self.carrier.to_uppercase()),
            name: format!("{} {} ({form})", self.carrier, BENEFITS[nth % BENEFITS.len()]),
            formulary: self.formulary,
            premium_cents: if free { 0 } else { 10 * stream.below(1_500) },
            deductible: *stream.pick(&[0, 0, 100, 250, most, most]),
            area: self.area(counties, stream),
            snp: if dual { 2 } else { 0 },
            preferred: stream.percent(60),
            mail: stream.percent(85),
            local: self.kind == 'H' && release.rows.is_some() && nth % 7 == 3,
            state: self.state,
            carrier: self.carrier.clone(),
            form,
        }
    }

    fn area(&self, counties: &[County], stream: &mut Stream) -> Area {
        match self.kind {
            // A drug plan contract has plans in many regions.
            'S' => {
                let county = stream.below(counties.len() as u64) as usize;
                Area::PdpRegion(STATES[counties[county].state].pdp_region)
            }
            'R' => Area::MaRegion(STATES[self.state].ma_region),
            _ => {
                let size = self.home.len() as u64;
                let count = 1 + stream.below(size.min(40));
                let start = self.home.start + stream.below(size - count + 1) as usize;
                Area::Counties(start..start + count as usize)
            }
        }
    }
}

const CARRIERS: [&str; 20] = [
    "Harbor Light",
    "Blue Prairie",
    "Summit Valley",
    "Silver Birch",
    "Cedar Gate",
    "Lakeshore",
    "Three Rivers",
    "Granite Peak",
    "Golden Plains",
    "Copper Canyon",
    "Riverbend",
    "Evergreen",
    "Tidewater",
    "Bright Meadow",
    "Stonebridge",
    "Northern Pine",
    "Desert Willow",
    "Magnolia",
    "Cascade Ridge",
    "Clear Spring",
];

const KINDS: [&str; 5] =
    ["Health Plan", "Care Alliance", "Health Partners", "Senior Care", "Mutual Health"];

/// Some need cp1252: accents, smart quotes, a dash.
const BENEFITS: [&str; 12] = [
    "Advantage Optimal",
    "Salud y Más",
    "Members’ Choice",
    "Essential",
    "“Gold” Value",
    "Complete Care",
    "Opción Básica",
    "Basic – Rx Saver",
    "Señorial Plus",
    "Standard",
    "Enhanced & More",
    "Classic Select",
];
