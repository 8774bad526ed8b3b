//! The plan crosswalk: what became of last year's plans. By contract and plan, in cp1252, without
//! quotes; new plans come from `NEW`, ended ones go to `TERMINATED`.

use std::io::{Result, Write};
use std::sync::Arc;

use super::offers::{Offer, Offers};
use super::{DATABASE, text};
use crate::object::{Object, Written};
use crate::table::{Style, Table};

const HEADER: [&str; 11] = [
    "PREVIOUS_CONTRACT_ID",
    "PREVIOUS_PLAN_ID",
    "PREVIOUS_PLAN_NAME",
    "PREVIOUS_SNP_TYPE",
    "PREVIOUS_SNP_INSTITUTIONAL",
    "CURRENT_CONTRACT_ID",
    "CURRENT_PLAN_ID",
    "CURRENT_PLAN_NAME",
    "CURRENT_SNP_TYPE",
    "CURRENT_SNP_INSTITUTIONAL",
    "STATUS",
];

/// One plan in so many was ended.
const ENDED: usize = 9;

pub(super) fn object(offers: &Arc<Offers>) -> Object {
    let year = offers.year;
    let plans = offers.plans().count();
    let rows = plans + plans.div_ceil(ENDED);
    let name = format!("PlanCrosswalk{year}_1001{}.txt", year - 1);
    let data = text(offers, name, "plan_crosswalk", rows as u64, 150, write);
    Object::zip(
        DATABASE,
        format!("plan-crosswalk-{year}.zip"),
        offers.release.posting(),
        vec![data],
    )
}

/// What became of a plan, as often as in 2026.
fn status(offers: &Offers, offer: &Offer) -> &'static str {
    match offers.stream("crosswalk", offer).below(100) {
        0..11 => "New Plan",
        11..13 => "Initial Contract",
        13..23 => "Consolidated Renewal Plan",
        23..32 => "Renewal Plan with SAR",
        32..39 => "Renewal Plan with SAE",
        _ => "Renewal Plan",
    }
}

fn write(offers: &Offers, out: &mut dyn Write) -> Result<Written> {
    let mut table = Table::new(out, Style::TABS, &HEADER)?;
    for (nth, offer) in offers.plans().enumerate() {
        let plan = offers.plan(offer);
        let contract = plan.contract.as_str();
        let snp = if offer.is_dual(plan) { "Dual-Eligible" } else { "" };
        let status = status(offers, offer);
        let new = status.starts_with("New") || status.starts_with("Initial");
        let old_number = match status.starts_with("Consolidated") {
            true => format!("{:03}", 500 + nth % 300),
            false => offer.number.clone(),
        };
        let before = match new {
            true => ["NEW", "NEW", "", "", ""],
            false => [contract, &old_number, &offer.name, snp, ""],
        };
        let now = [contract, &*offer.number, &offer.name, snp, "", status];
        table.row(&[&before[..], &now[..]].concat())?;
        if nth % ENDED == 0 {
            let name = format!("{} Farewell – {}", plan.carrier, nth);
            let number = format!("{:03}", 400 + nth / ENDED % 100);
            let ended = [contract, &number, &name, "", "", "TERMINATED", "TERMINATED", "", "", ""];
            table.row(&[&ended[..], &["Terminated/Non-renewed Contract"]].concat())?;
        }
    }
    table.finish()
}
