//! What members pay: the beneficiary cost file and the one for insulin.

use std::io::Result;

use super::layout::dollars;
use super::market::{Market, Plan};
use super::random::{Stream, choose_whole, share_out};
use super::tables::{BLANK, Rows, yes_no};
use super::{Release, Vintage};

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
}

impl Prices {
    fn of(release: &Release, nth: usize) -> Self {
        let mut stream = Stream::new(release.seed, "beneficiary_cost", nth as u64);
        Prices {
            copay_dollars: [0, stream.below(6), 5 + stream.below(16), 35 + stream.below(13)],
            coinsurance_percent: [25 + stream.below(26), 25 + stream.below(9)],
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

/// Coverage level, tier, and index into [`DAYS_SUPPLY`].
type Line = (&'static str, u8, usize);

/// What a plan may say, in the file's order.
fn lines(plan: &Plan, tiers: u8) -> Vec<Line> {
    let mut lines = Vec::new();
    for level in ["0", "1", "3"] {
        for tier in 1..=tiers {
            // Only tiers that the deductible spares have a share before it.
            if level == "0" && (plan.deductible == 0 || !spared(tier)) {
                continue;
            }
            for days in 0..DAYS_SUPPLY.len() {
                if tier != SPECIALTY || level != "1" || days == 0 {
                    lines.push((level, tier, days));
                }
            }
        }
    }
    lines
}

/// Leaves `count` lines, and every tier one where that many are left: longer supplies go first.
fn thin(mut lines: Vec<Line>, count: u64) -> Vec<Line> {
    // Two months are offered least, one month always; least of all before the deductible.
    let mut first_to_go: Vec<(usize, Line)> = lines.iter().copied().enumerate().collect();
    first_to_go.sort_by_key(|(nth, (level, _, days))| {
        ([2, 1, 0][*days], *level != "0", *level != "3", std::cmp::Reverse(*nth))
    });
    let mut go: Vec<usize> = first_to_go
        .into_iter()
        .take(lines.len().saturating_sub(count as usize))
        .map(|(nth, _)| nth)
        .collect();
    go.sort_unstable();
    let mut nth = 0;
    lines.retain(|_| {
        nth += 1;
        go.binary_search(&(nth - 1)).is_err()
    });
    lines
}

fn spared(tier: u8) -> bool {
    matches!(tier, 1 | 6)
}

/// Writes the beneficiary cost file.
pub(super) fn beneficiary_cost(
    release: &Release,
    market: &Market,
    rows: &mut Rows<'_>,
) -> Result<()> {
    let all: Vec<Vec<Line>> =
        market.plans.iter().map(|plan| lines(plan, market.formulary(plan).tiers)).collect();
    let caps: Vec<(u64, u64)> =
        all.iter().map(|lines| (lines.len() as u64, lines.len() as u64)).collect();
    let total = release.rows.as_ref().map_or(u64::MAX, |rows| rows.beneficiary_cost);
    let counts = share_out(total, &caps);
    for (nth, ((plan, lines), count)) in market.plans.iter().zip(all).zip(counts).enumerate() {
        let prices = Prices::of(release, nth);
        for (level, tier, days) in thin(lines, count) {
            let (days, months) = DAYS_SUPPLY[days];
            let shares = match level {
                "3" => channels(plan, |_| Share::Cents(0)),
                _ => channels(plan, |preferred| prices.share(tier, months, preferred)),
            };
            let mut row =
                [&*plan.contract, &plan.plan, &plan.segment, level].map(str::to_owned).to_vec();
            row.extend([tier.to_string(), days.to_owned()]);
            row.extend(shares.into_iter().flat_map(Share::fields));
            row.push(yes_no(tier == SPECIALTY).to_owned());
            row.push(yes_no(plan.deductible > 0 && !spared(tier)).to_owned());
            if release.vintage == Vintage::Cms2023 {
                row.push(if tier == 1 { "1" } else { BLANK }.to_owned());
            }
            rows.push(&row)?;
        }
    }
    Ok(())
}

/// The shares at preferred, other, preferred mail and other mail pharmacies, in this order.
fn channels(plan: &Plan, share: impl Fn(bool) -> Share) -> [Share; 4] {
    let offered = |is, preferred| if is { share(preferred) } else { Share::NotOffered };
    [
        offered(plan.preferred, true),
        share(false),
        offered(plan.preferred && plan.mail, true),
        offered(plan.mail, false),
    ]
}

/// Writes the insulin file: a plan has all its tiers in it, or nothing.
pub(super) fn insulin_beneficiary_cost(
    release: &Release,
    market: &Market,
    rows: &mut Rows<'_>,
) -> Result<()> {
    // Some plans have insulin in no tier: SAS's missing number.
    let tierless = |nth: usize| nth % 7 == 3;
    let days = DAYS_SUPPLY.len() as u64;
    let all: Vec<u64> = market
        .plans
        .iter()
        .enumerate()
        .map(|(nth, plan)| {
            (u64::from(market.formulary(plan).tiers) + u64::from(tierless(nth))) * days
        })
        .collect();
    let total = release.rows.as_ref().map_or(u64::MAX, |rows| rows.insulin_beneficiary_cost);
    for (nth, (plan, count)) in market.plans.iter().zip(choose_whole(total, &all)).enumerate() {
        let prices = Prices::of(release, nth);
        let tiers = market.formulary(plan).tiers;
        let named = (1..=tiers).map(|tier| (tier.to_string(), tier));
        let tiers = tierless(nth).then(|| (".".to_owned(), 3)).into_iter().chain(named);
        let lines = tiers.flat_map(|(name, tier)| {
            DAYS_SUPPLY.map(|(days, months)| (name.clone(), tier, days, months))
        });
        for (name, tier, days, months) in lines.take(count as usize) {
            let shares = channels(plan, |preferred| {
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
    Ok(())
}
