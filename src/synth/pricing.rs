//! The pricing file: what a unit of a drug costs in a plan, for 30, 60 and 90 days. Lines are
//! put together by hand, as there are many.

use std::io::Write;

use anyhow::Result;

use super::Release;
use super::layout::Source;
use super::market::Market;
use super::network::BLOCK;
use super::random::{Stream, share_out};

const DAYS: [&[u8]; 3] = [b"30", b"60", b"90"];

/// Writes header and rows, and says how many rows there are.
pub(super) fn write(release: &Release, market: &Market, out: &mut dyn Write) -> Result<u64> {
    let caps: Vec<(u64, u64)> = market
        .plans
        .iter()
        .map(|plan| (1, market.formulary(plan).drugs.len() as u64 * 3))
        .collect();
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
    for (nth, (plan, rows)) in market.plans.iter().zip(shares).enumerate() {
        let mut stream = Stream::new(release.seed, "pricing", nth as u64);
        let drugs = &market.formulary(plan).drugs;
        let key = plan.key();
        for k in 0..rows {
            let pick = stream.spread(k, rows, drugs.len() as u64 * 3) as usize;
            let drug = drugs[pick / 3] as usize;
            let cost = prices[drug] * (900 + stream.below(200)) / 1_000;
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
    Ok(release.pricing_rows)
}
