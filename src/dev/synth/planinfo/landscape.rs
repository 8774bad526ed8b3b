//! The landscape file: what a plan costs and where it is sold, a row a plan and county, with a
//! byte order mark, every field in quotes, and money as a spreadsheet shows it.

use std::io::{Result, Write};

use super::offers::{Offer, Offers, organization, parent};
use super::pbp_values::supplemental_cents;
use super::{stars, text};
use crate::geography::{County, MA_REGIONS, PDP_REGIONS, STATES};
use crate::market::{Area, Plan};
use crate::object::{Object, Text, Written};
use crate::table::{Style, Table};
use std::sync::Arc;

const NOT_APPLICABLE: &str = "Not Applicable";

const HEADER: [&str; 52] = [
    "Contract Year",
    "Contract Category Type",
    "US Territory",
    "State Territory Abbreviation",
    "State Territory Name",
    "County Name",
    "Contract ID",
    "Plan ID",
    "Segment ID",
    "ContractPlanID",
    "ContractPlanSegmentID",
    "Sanctioned Plan",
    "Parent Organization Name",
    "Contract Name",
    "Organization Marketing Name",
    "Organization Type",
    "Plan Name",
    "Plan Type",
    "Special Needs Plan (SNP) Indicator",
    "SNP Type",
    "SNP Institutional Type",
    "SNP Institutional Category",
    "Dual Eligible SNP (D-SNP) Integration Status",
    "D-SNP Applicable Integrated Plan (AIP) Identifier",
    "Chronic or Disabling Condition SNP (C-SNP) Condition Type",
    "Medicare Zero-Dollar Cost Sharing D-SNP Plan",
    "Part D Coverage Indicator",
    "National PDP",
    "Drug Benefit Category",
    "Drug Benefit Type",
    "Voluntary De Minimis Program Participant",
    "Part D Basic Premium At or Below Regional Benchmark",
    "Low Income Subsidy (LIS) Auto Enrollment",
    "Offers Drug Tier with No Part D Deductible",
    "Annual Part D Deductible Amount",
    "Part D Basic Premium",
    "Part D Supplemental Premium",
    "Part D Total Premium",
    "Low Income Premium Subsidy (LIPS) Amount",
    "Part D LIPS (CMS Pays)",
    "Part D Low Income Beneficiary Premium Amount",
    "Part D Out-of-Pocket (OOP) Threshold",
    "Part C Premium",
    "Monthly Consolidated Premium (Part C + D)",
    "In-Network Maximum Out-of-Pocket (MOOP) Amount",
    "Part C Summary Star Rating",
    "Part D Summary Star Rating",
    "Overall Star Rating",
    "MA Region Code",
    "MA Region",
    "PDP Region Code",
    "PDP Region",
];

pub(super) fn object(database: &'static str, offers: &Arc<Offers>) -> Object {
    let rows = offers.all.iter().map(|offer| places(offers, offer).len() as u64).sum();
    let dated = offers.release.day_of(&["landscape"]);
    let (year, month) = (offers.year, dated.strftime("%Y%m").to_string());
    let name = format!("CY{year}_Landscape_{month}.csv");
    let readme = Text::beside(format!("CY{year}_Landscape_ReadMe.txt"), "Generated.\r\n");
    let data = text(offers, name, "landscape", rows, 900, write);
    let name = format!("cy{year}-landscape-{month}.zip");
    Object::zip(database, name, offers.release.posting(), vec![readme, data])
}

/// A county, or a state as a whole.
#[derive(Clone, Copy)]
enum Place<'a> {
    County(&'a County),
    State(usize),
}

/// Where an offer is listed: not at all when it is for employers; a drug plan by state.
fn places<'a>(offers: &'a Offers, offer: &Offer) -> Vec<Place<'a>> {
    let plan = offers.plan(offer);
    if offer.employer {
        return Vec::new();
    }
    let counties = offers.counties(plan);
    let county = |nth: &usize| &offers.market.counties[*nth];
    if let Area::PdpRegion(_) = plan.area {
        let mut states: Vec<usize> = counties.iter().map(|nth| county(nth).state).collect();
        states.dedup();
        return states.into_iter().map(Place::State).collect();
    }
    counties.iter().map(|nth| Place::County(county(nth))).collect()
}

fn write(offers: &Offers, out: &mut dyn Write) -> Result<Written> {
    out.write_all(b"\xef\xbb\xbf")?;
    let mut table = Table::new(out, Style::QUOTED, &HEADER)?;
    for offer in &offers.all {
        let places = places(offers, offer);
        if places.is_empty() {
            continue;
        }
        let mut row = fields(offers, offer);
        for place in places {
            let (state, county) = match place {
                Place::County(county) => (county.state, county.name.as_str()),
                Place::State(state) => (state, "All Counties"),
            };
            row[3] = STATES[state].abbreviation.to_owned();
            row[4] = STATES[state].name.to_owned();
            row[5] = county.to_owned();
            table.row(&row)?;
        }
    }
    table.finish()
}

/// `$1,234.00 ` with its blank, `($20.80)` below zero.
fn money(cents: i64) -> String {
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let whole = match whole {
        0..1_000 => whole.to_string(),
        _ => format!("{},{:03}", whole / 1_000, whole % 1_000),
    };
    if cents < 0 { format!("(${whole}.{rest:02})") } else { format!("${whole}.{rest:02} ") }
}

fn yes_no(truth: bool) -> &'static str {
    if truth { "Yes" } else { "No" }
}

/// A row but for its place, which stands in fields 3 to 5.
fn fields(offers: &Offers, offer: &Offer) -> Vec<String> {
    let plan = offers.plan(offer);
    let contract = plan.contract.as_str();
    let alone = contract.starts_with('S');
    let dual = offer.is_dual(plan);
    let id = format!("{contract}_{}", offer.number);
    let category = if alone {
        "PDP"
    } else if offer.drugs {
        "MA-PD"
    } else {
        "MA-Only"
    };
    let or_none = |is: bool, words: &'static str| if is { words } else { NOT_APPLICABLE };
    let kind = match (alone, plan.form) {
        (true, _) => "PDP",
        (_, "PPO") => "PPO",
        (_, "HMO D-SNP") if dual => "HMO D-SNP",
        (_, "HMO D-SNP") => "HMO",
        (_, form) => form,
    };
    let mut row: Vec<String> = [
        &*offers.year.to_string(),
        category,
        "No",
        "",
        "",
        "",
        contract,
        &offer.number,
        &offer.segment.to_string(),
        &id,
        &format!("{id}_{}", offer.segment),
        "No",
        &parent(&plan.carrier),
        &plan.contract_name,
        &plan.carrier,
        organization(contract).1,
        &offer.name,
        kind,
        yes_no(dual),
        or_none(dual, "Dual-Eligible"),
        NOT_APPLICABLE,
        NOT_APPLICABLE,
        or_none(dual, "Coordination Only"),
        or_none(dual, "No"),
        NOT_APPLICABLE,
        or_none(dual, "Yes"),
        yes_no(offer.drugs),
        or_none(alone, "No"),
    ]
    .map(str::to_owned)
    .to_vec();
    row.extend(premiums(offers, offer, plan));
    row.extend(stars::printed(offers, contract));
    row.extend(region(plan));
    row
}

/// From `Drug Benefit Category` to the limit on what a member pays.
fn premiums(offers: &Offers, offer: &Offer, plan: &Plan) -> Vec<String> {
    let alone = plan.contract.starts_with('S');
    let total = plan.premium_cents as i64;
    // A benefit that is enhanced costs more; a rebate may bring the basic premium below zero.
    let supplemental = supplemental_cents(offers, offer) as i64;
    let basic = total - supplemental;
    let subsidy = basic.clamp(0, 3_844);
    let enhanced = supplemental > 0;
    let category = if enhanced { "Enhanced" } else { "Basic" };
    let benefit = if enhanced { "Enhanced Alternative" } else { "Actuarially Equivalent Standard" };
    let none = || NOT_APPLICABLE.to_owned();
    let mut row = match offer.drugs {
        true => vec![
            category.to_owned(),
            benefit.to_owned(),
            if alone { "No".to_owned() } else { none() },
            if alone { yes_no(basic <= 3_844).to_owned() } else { none() },
            if alone { yes_no(basic <= 3_844).to_owned() } else { none() },
            yes_no(plan.deductible > 0).to_owned(),
            money(plan.deductible as i64 * 100),
            money(basic),
            money(supplemental),
            money(total),
            money(3_844),
            money(subsidy),
            money(basic.max(0) - subsidy),
            money(210_000),
        ],
        false => vec![none(); 14],
    };
    let part_c = offer.part_c_cents as i64;
    row.push(if alone { none() } else { money(part_c) });
    row.push(if alone || !offer.drugs { none() } else { money(part_c + total) });
    row.push(if alone { none() } else { money(offer.moop as i64 * 100) });
    row
}

/// MA region and drug plan region, each with its name, where the plan is sold by them.
fn region(plan: &Plan) -> Vec<String> {
    let mut row = vec![NOT_APPLICABLE.to_owned(); 4];
    let (at, code, name) = match plan.area {
        Area::Counties(_) => return row,
        Area::MaRegion(code) => (0, code, MA_REGIONS[usize::from(code) - 1]),
        Area::PdpRegion(code) => (2, code, PDP_REGIONS[usize::from(code) - 1]),
    };
    row[at] = format!("{code:02}");
    row[at + 1] = name.to_owned();
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_a_spreadsheet_shows_it() {
        let written = [0, 5, 123_400, -2_080, 99_999].map(money);
        assert_eq!(written, ["$0.00 ", "$0.05 ", "$1,234.00 ", "($20.80)", "$999.99 "]);
    }
}
