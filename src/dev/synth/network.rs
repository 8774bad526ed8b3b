//! The pharmacy network: which pharmacies a plan has, and on what terms. The largest file by far,
//! so rows are copied together from prepared pieces: the plan's key, the pharmacy's number and
//! ZIP code, and one of some thousand sets of terms, of which a plan uses a few, as in CMS's file.
//! Most plans have a national network, so most of a local plan's pharmacies are out of its area;
//! some have their state's alone.

use std::collections::HashSet;
use std::io::{Result, Write};

use super::geography::STATES;
use super::layout::{Source, dollars};
use super::market::{Area, Market, Plan};
use super::nights::{NETWORK, Turn};
use super::object::Written;
use super::pharmacies::Pharmacy;
use super::random::{Stream, share_out};
use super::{Release, Vintage};

/// Bytes gathered before they are written.
pub(super) const BLOCK: usize = 64 * 1024;
/// Distinct sets of terms in a release, the area flag apart.
const TERMS: u64 = 3_000;
/// Sets of terms that one plan uses.
const TERMS_OF_PLAN: usize = 8;
/// Where `IN_AREA_FLAG` stands in the terms: after four flags and their pipes.
const AREA_FLAG: usize = 8;

/// Writes the network row by row, across its parts.
pub(super) struct Network<'a> {
    release: &'a Release,
    market: &'a Market,
    pharmacies: &'a [Pharmacy],
    turn: Turn,
    /// Indexes of the pharmacies of each of [`STATES`].
    of_state: Vec<Vec<u32>>,
    terms: Vec<Terms>,
    rows_of_plan: Vec<u64>,
    /// The plan and its row that come next.
    plan: usize,
    row: u64,
    now: Current,
}

/// Everything after the ZIP code, with the line's end.
struct Terms {
    line: Vec<u8>,
    preferred: bool,
    mail: bool,
}

/// What is prepared for the plan whose rows are being written.
struct Current {
    key: Vec<u8>,
    terms: [usize; TERMS_OF_PLAN],
    /// `1` or `0` for each of [`STATES`].
    in_area: [u8; STATES.len()],
    /// The state whose pharmacies these are; none for a national network.
    state: Option<usize>,
    stream: Stream,
}

impl<'a> Network<'a> {
    pub(super) fn new(
        release: &'a Release,
        market: &'a Market,
        pharmacies: &'a [Pharmacy],
    ) -> Self {
        let mut of_state = vec![Vec::new(); STATES.len()];
        for (nth, pharmacy) in pharmacies.iter().enumerate() {
            of_state[usize::from(pharmacy.state)].push(nth as u32);
        }
        let all = pharmacies.len() as u64;
        let mut network = Network {
            release,
            market,
            pharmacies,
            turn: release.nights.turn("pharmacy_networks"),
            rows_of_plan: sizes(release, market, &of_state, all),
            of_state,
            terms: all_terms(release),
            plan: 0,
            row: 0,
            now: Current {
                key: Vec::new(),
                terms: [0; TERMS_OF_PLAN],
                in_area: [b'0'; STATES.len()],
                state: None,
                stream: Stream::new(release.seed, "pharmacy_networks", 0),
            },
        };
        network.prepare();
        network
    }

    /// Rows of all parts.
    pub(super) fn rows(&self) -> u64 {
        self.rows_of_plan.iter().sum()
    }

    /// Writes a header and the next `rows` rows.
    pub(super) fn write(&mut self, out: &mut dyn Write, rows: u64) -> Result<Written> {
        let mut block = Vec::with_capacity(BLOCK + 512);
        block.extend_from_slice(&Source::PharmacyNetworks.header_line(self.release.vintage));
        let mut left = rows;
        let mut changed = 0;
        while left > 0 {
            let of_plan = self.rows_of_plan[self.plan];
            if self.row == of_plan {
                self.plan += 1;
                self.row = 0;
                self.prepare();
                continue;
            }
            let until = of_plan.min(self.row + left);
            left -= until - self.row;
            for row in self.row..until {
                changed += u64::from(self.push_row(&mut block, row, of_plan));
                if block.len() >= BLOCK {
                    out.write_all(&block)?;
                    block.clear();
                }
            }
            self.row = until;
        }
        out.write_all(&block)?;
        Ok(Written { rows, changed })
    }

    /// Adds a row, and says whether the night before it was another.
    #[inline]
    fn push_row(&mut self, block: &mut Vec<u8>, row: u64, of_plan: u64) -> bool {
        let now = &mut self.now;
        let draw = now.stream.next();
        let turns = NETWORK.generation(draw >> 16, self.turn);
        let moved = if (draw >> 48).is_multiple_of(4) { turns } else { 0 };
        let nth = match now.state {
            None => {
                now.stream.spread_turned(row, of_plan, self.pharmacies.len() as u64, moved) as usize
            }
            Some(state) => {
                let of_state = &self.of_state[state];
                let all = of_state.len() as u64;
                of_state[now.stream.spread_turned(row, of_plan, all, moved) as usize] as usize
            }
        };
        let pharmacy = &self.pharmacies[nth];
        // A plan has one set of terms for three pharmacies of four.
        let usual = if draw & 3 > 0 { 0 } else { (draw >> 2) % TERMS_OF_PLAN as u64 } + turns;
        block.extend_from_slice(&now.key);
        block.extend_from_slice(&pharmacy.text);
        let flag = block.len() + AREA_FLAG;
        block.extend_from_slice(&self.terms[now.terms[usual as usize % TERMS_OF_PLAN]].line);
        block[flag] = now.in_area[usize::from(pharmacy.state)];
        NETWORK.changes(draw >> 16, self.turn)
    }

    fn prepare(&mut self) {
        let Some(plan) = self.market.plans.get(self.plan) else { return };
        let mut stream = Stream::new(self.release.seed, "pharmacy_networks", self.plan as u64);
        // A plan without preferred pharmacies has no terms for them, nor one without mail order.
        let fits =
            |terms: &Terms| (plan.preferred || !terms.preferred) && (plan.mail || !terms.mail);
        let fitting: Vec<usize> =
            (0..self.terms.len()).filter(|nth| fits(&self.terms[*nth])).collect();
        let (picks, all) = (TERMS_OF_PLAN as u64, fitting.len() as u64);
        let start = stream.below(picks);
        // Distinct, so that other terms are always a change; turned, so that any may be usual.
        self.now.terms = std::array::from_fn(|nth| {
            fitting[stream.spread((nth as u64 + start) % picks, picks, all) as usize]
        });
        self.now.key = plan.key();
        self.now.in_area = std::array::from_fn(|state| flag(in_area(plan, state)));
        self.now.state = plan.local.then_some(plan.state);
        self.now.stream = stream;
    }
}

fn flag(truth: bool) -> u8 {
    if truth { b'1' } else { b'0' }
}

fn in_area(plan: &Plan, state: usize) -> bool {
    match &plan.area {
        Area::Counties(_) => plan.state == state,
        Area::MaRegion(region) => STATES[state].ma_region == *region,
        Area::PdpRegion(region) => STATES[state].pdp_region == *region,
    }
}

/// How many pharmacies each plan has: national networks nine tenths of all that there are, local
/// ones some hundred or thousand.
fn sizes(release: &Release, market: &Market, of_state: &[Vec<u32>], all: u64) -> Vec<u64> {
    let mut stream = Stream::new(release.seed, "network sizes", 0);
    let caps: Vec<(u64, u64)> = market
        .plans
        .iter()
        .map(|plan| match plan.local {
            true => (20 + stream.below(400), of_state[plan.state].len() as u64),
            false if matches!(plan.area, Area::Counties(_)) => (5_900 + stream.below(950), all),
            false => (6_000 + stream.below(900), all),
        })
        .collect();
    share_out(release.network_rows, &caps)
}

fn all_terms(release: &Release) -> Vec<Terms> {
    let mut stream = Stream::new(release.seed, "terms", 0);
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(TERMS as usize);
    while all.len() < TERMS as usize {
        let terms = one_set(release, &mut stream);
        if seen.insert(terms.line.clone()) {
            all.push(terms);
        }
    }
    all
}

fn one_set(release: &Release, stream: &mut Stream) -> Terms {
    let mail = stream.percent(6);
    let retail = !mail || stream.percent(70);
    let yes = |truth| if truth { "Y" } else { "N" };
    let preferred = retail && stream.percent(35);
    let preferred_mail = mail && preferred && stream.percent(50);
    let mut fields = vec![
        yes(preferred).to_owned(),
        yes(preferred_mail).to_owned(),
        yes(retail).to_owned(),
        yes(mail).to_owned(),
        // The area flag, which is the pharmacy's and set with it.
        "1".to_owned(),
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
    Terms { line, preferred, mail }
}
