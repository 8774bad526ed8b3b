//! All plans that are offered: those of the Part D release, and those that are not in it because
//! they cover no drugs or are sold to employers alone.

use std::ops::Range;

use crate::Release;
use crate::geography::STATES;
use crate::market::{Area, Market, Plan};
use crate::random::Stream;

/// Of so many plans, [`EXTRA`] have a plan beside them that is not in the Part D release.
const OF: usize = 17;
const EXTRA: usize = 8;

/// The market and everything that is offered in it.
pub(super) struct Offers {
    pub(super) seed: u64,
    pub(super) year: i16,
    pub(super) release: Release,
    pub(super) market: Market,
    /// By contract, plan, segment.
    pub(super) all: Vec<Offer>,
    /// The first of each contract and what follows it.
    pub(super) contracts: Vec<Range<usize>>,
}

/// A plan as it is offered.
pub(super) struct Offer {
    /// The plan of the Part D release whose contract and area it shares: an index.
    pub(super) plan: usize,
    /// Three digits.
    pub(super) number: String,
    /// As PBP and Landscape write it: `0`, `1`.
    pub(super) segment: u8,
    pub(super) name: String,
    /// Whether it is in the Part D release.
    pub(super) in_part_d: bool,
    /// Whether it covers drugs.
    pub(super) drugs: bool,
    /// Sold to employers and unions alone.
    pub(super) employer: bool,
    /// Cents a month for Parts A and B.
    pub(super) part_c_cents: u64,
    /// Dollars a year; nothing for drug plans.
    pub(super) moop: u64,
}

impl Offers {
    pub(super) fn new(release: &Release) -> Offers {
        let market = Market::new(release);
        let mut all = Vec::with_capacity(market.plans.len() * 3 / 2);
        for (nth, plan) in market.plans.iter().enumerate() {
            let mut stream = Stream::new(release.seed, "offers", nth as u64);
            all.push(Offer::of_part_d(nth, plan, &mut stream));
            // Contracts of other kinds have nothing beside Part D here.
            if plan.contract.starts_with('H') && plan.is_first_segment() && nth % OF < EXTRA {
                all.push(Offer::beside(nth, plan, nth % 2 == 0, &mut stream));
            }
        }
        let key = |offer: &Offer| {
            (market.plans[offer.plan].contract.clone(), offer.number.clone(), offer.segment)
        };
        all.sort_by_cached_key(key);
        let mut contracts: Vec<Range<usize>> = Vec::new();
        for nth in 0..all.len() {
            let contract = |nth: usize| &market.plans[all[nth].plan].contract;
            match contracts.last_mut() {
                Some(range) if contract(range.start) == contract(nth) => range.end = nth + 1,
                _ => contracts.push(nth..nth + 1),
            }
        }
        Offers {
            seed: release.seed,
            year: release.contract_year as i16,
            release: release.clone(),
            market,
            all,
            contracts,
        }
    }

    /// What an offer shares with its plan of the Part D release.
    pub(super) fn plan(&self, offer: &Offer) -> &Plan {
        &self.market.plans[offer.plan]
    }

    /// Whether an offer is the first of its contract and plan: for files that know no segments.
    pub(super) fn is_first_segment(&self, nth: usize) -> bool {
        let offer = &self.all[nth];
        nth == 0 || {
            let before = &self.all[nth - 1];
            (&before.number, &self.plan(before).contract)
                != (&offer.number, &self.plan(offer).contract)
        }
    }

    /// Offers, first segments alone.
    pub(super) fn plans(&self) -> impl Iterator<Item = &Offer> {
        (0..self.all.len()).filter(|nth| self.is_first_segment(*nth)).map(|nth| &self.all[nth])
    }

    /// The counties that a plan is sold in, as indexes.
    pub(super) fn counties(&self, plan: &Plan) -> Vec<usize> {
        let in_state = |of: &dyn Fn(usize) -> bool| {
            let counties = self.market.counties.iter().enumerate();
            counties.filter(|(_, county)| of(county.state)).map(|(nth, _)| nth).collect()
        };
        match &plan.area {
            Area::Counties(range) => range.clone().collect(),
            Area::MaRegion(code) => in_state(&|state| STATES[state].ma_region == *code),
            Area::PdpRegion(code) => in_state(&|state| STATES[state].pdp_region == *code),
        }
    }

    /// A stream that is the offer's own.
    pub(super) fn stream(&self, label: &str, offer: &Offer) -> Stream {
        let number: u64 = offer.number.parse().unwrap_or(0);
        let nth = offer.plan as u64 * 10_000 + number * 10 + u64::from(offer.segment);
        Stream::new(self.seed, label, nth)
    }
}

impl Offer {
    fn of_part_d(nth: usize, plan: &Plan, stream: &mut Stream) -> Offer {
        let free = plan.premium_cents == 0 || stream.percent(50);
        let alone = plan.contract.starts_with('S');
        Offer {
            plan: nth,
            number: plan.plan.clone(),
            segment: plan.segment.parse().unwrap_or(0),
            name: plan.name.clone(),
            in_part_d: true,
            drugs: true,
            employer: false,
            part_c_cents: if free || alone { 0 } else { 100 * (1 + stream.below(120)) },
            moop: if alone { 0 } else { 3_400 + 50 * stream.below(117) },
        }
    }

    fn beside(nth: usize, plan: &Plan, employer: bool, stream: &mut Stream) -> Offer {
        let number: u32 = plan.plan.parse().unwrap_or(0);
        let kind = if plan.snp > 0 { "HMO" } else { plan.form };
        let (number, name) = match employer {
            true => (800 + number, format!("{} Group Retiree ({kind})", plan.carrier)),
            false => (200 + number, format!("{} Give Back ({kind})", plan.carrier)),
        };
        Offer {
            plan: nth,
            number: format!("{number:03}"),
            segment: 0,
            name,
            in_part_d: false,
            drugs: employer,
            employer,
            part_c_cents: 0,
            moop: 3_400 + 50 * stream.below(117),
        }
    }

    /// CMS's code of the plan type, and its words.
    pub(super) fn kind(&self, plan: &Plan) -> (&'static str, &'static str) {
        match plan.form {
            "PDP" => ("29", "Medicare Prescription Drug Plan"),
            "Regional PPO" => ("31", "Regional PPO"),
            "PPO" => ("04", "Local PPO"),
            "HMO-POS" => ("02", "HMOPOS"),
            _ => ("01", "HMO"),
        }
    }

    /// Whether it is for special needs; its neighbours without drugs are not.
    pub(super) fn is_dual(&self, plan: &Plan) -> bool {
        self.in_part_d && plan.snp > 0
    }
}

/// The code and the words of the organisation's kind.
pub(super) fn organization(contract: &str) -> (&'static str, &'static str) {
    match contract.as_bytes().first() {
        Some(b'S') => ("10", "PDP"),
        Some(b'R') => ("11", "Regional CCP"),
        _ => ("01", "Local CCP"),
    }
}

/// The company above a carrier: several contracts have the same.
pub(super) fn parent(carrier: &str) -> String {
    let words: Vec<&str> = carrier.split(' ').take(2).collect();
    format!("{} Holdings, Inc.", words.join(" "))
}
