//! The pricing file: what a unit of a drug costs in a plan, for 30, 60 and 90 days. Lines are
//! put together by hand, as there are many.

use std::io::{Result, Write};

use super::Release;
use super::layout::Source;
use super::market::Market;
use super::network::BLOCK;
use super::nights::PRICES;
use super::object::Written;
use super::random::{Stream, share_out};

const DAYS: [&[u8]; 3] = [b"30", b"60", b"90"];

/// Writes header and rows, and says how many rows there are.
pub(super) fn write(release: &Release, market: &Market, out: &mut dyn Write) -> Result<Written> {
    let keys: Vec<u64> =
        market.plans.iter().map(|plan| market.formulary(plan).drugs.len() as u64 * 3).collect();
    let caps: Vec<(u64, u64)> = keys.iter().map(|&keys| (keys, keys)).collect();
    let mut stream = Stream::new(release.seed, "prices", 0);
    // In hundredths of a cent; from cents a unit to thousands of dollars.
    let prices: Vec<u64> = market
        .drugs
        .iter()
        .map(|_| (100 + stream.below(900)) * 10_u64.pow(stream.below(6) as u32))
        .collect();
    let mut block = Vec::with_capacity(BLOCK + 256);
    block.extend_from_slice(&Source::Pricing.header_line(release.vintage));
    let shares = share_out(release.pricing_rows, &caps);
    let turn = release.nights.turn("pricing");
    let mut written = Written { rows: release.pricing_rows, changed: 0 };
    for (nth, (plan, (rows, keys))) in
        market.plans.iter().zip(shares.into_iter().zip(keys)).enumerate()
    {
        let mut stream = Stream::new(release.seed, "pricing", nth as u64);
        let drugs = &market.formulary(plan).drugs;
        let key = plan.key();
        let (mut last, mut discount) = (usize::MAX, 0);
        for k in 0..rows {
            let pick = stream.spread(k, rows, keys) as usize;
            let drug = drugs[pick / 3] as usize;
            let draw = stream.next();
            // A unit mostly costs the same whatever the supply.
            if drug != last || draw.is_multiple_of(4) {
                (last, discount) = (drug, (draw >> 8) % 200);
            }
            let turns = PRICES.generation(draw >> 16, turn);
            let cost = prices[drug] * (900 + discount) / 1_000;
            let cost = cost + cost * (turns % 10) / 50;
            written.changed += u64::from(PRICES.changes(draw >> 16, turn));
            block.extend_from_slice(&key);
            block.extend_from_slice(market.drugs[drug].ndc.as_bytes());
            block.push(b'|');
            block.extend_from_slice(DAYS[pick % 3]);
            write!(block, "|{}.{:04}\r\n", cost / 10_000, cost % 10_000)?;
            if block.len() >= BLOCK {
                out.write_all(&block)?;
                block.clear();
            }
        }
    }
    out.write_all(&block)?;
    Ok(written)
}
