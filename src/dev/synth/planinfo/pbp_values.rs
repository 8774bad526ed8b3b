//! What stands in the benefit tables. Names, premiums, deductibles and limits are the offer's;
//! of everything else the column's name says what it may be: a yes or no as 1 or 2, dollars with
//! two decimals, a percentage; most fields are empty, as in CMS's tables.

use super::offers::{Offer, Offers};
use crate::random::Stream;

/// How a service is paid for by a member.
#[derive(PartialEq)]
enum Sharing {
    Copay,
    Coinsurance,
    Nothing,
}

/// The value of a column in the `nth` row of an offer in a table.
pub(super) fn value(
    offers: &Offers,
    offer: &Offer,
    table: &str,
    column: &str,
    kind: &str,
    nth: u64,
) -> String {
    let known = match table {
        "pbp_Section_A" => section_a(offers, offer, column),
        "pbp_Section_D" => section_d(offers, offer, column),
        "pbp_Section_D_opt" => option(column),
        "pbp_mrx" => drugs(offers, offer, column),
        "pbp_mrx_tier" => tier(column, nth),
        _ if column.starts_with("pbp_b") => service(offers, offer, column, kind),
        _ => None,
    };
    known.unwrap_or_default()
}

fn yes_no(truth: bool) -> &'static str {
    if truth { "1" } else { "2" }
}

fn dollars(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn section_a(offers: &Offers, offer: &Offer, column: &str) -> Option<String> {
    let plan = offers.plan(offer);
    let dual = offer.is_dual(plan);
    let text = match column {
        "pbp_a_ben_cov" | "pbp_a_network_flag" => "1",
        "pbp_a_plan_type" => offer.kind(plan).0,
        "pbp_a_org_name" => &plan.contract_name,
        "pbp_a_org_marketing_name" => &plan.carrier,
        "pbp_a_org_website" => "https://www.example.org/",
        "pbp_a_plan_name" => &offer.name,
        "pbp_a_plan_geog_name" => crate::geography::STATES[plan.state].name,
        "pbp_a_contract_partd_flag" => yes_no(offer.drugs),
        "pbp_a_eghp_yn" => yes_no(offer.employer),
        "pbp_a_special_need_flag" => yes_no(dual),
        "pbp_a_special_need_plan_type" if dual => "3",
        "pbp_a_dsnp_zerodollar" if dual => "1",
        "pbp_a_curmbr_phone" | "pbp_a_prombr_phone" => "(800)555-0100",
        name if name.ends_with("_yn") => "2",
        _ => return None,
    };
    Some(text.to_owned())
}

fn section_d(offers: &Offers, offer: &Offer, column: &str) -> Option<String> {
    let plan = offers.plan(offer);
    // Local plans without drugs give part of the Part B premium back.
    let back = !offer.drugs;
    Some(match column {
        "pbp_d_mplusc_premium" => dollars(offer.part_c_cents),
        "pbp_d_mco_pay_reduct_yn" => yes_no(back).to_owned(),
        "pbp_d_mco_pay_reduct_amt" if back => "50.00".to_owned(),
        "pbp_d_inn_deduct_yn" => "2".to_owned(),
        "pbp_d_out_pocket_amt" => dollars(offer.moop * 100),
        "pbp_d_comb_max_enr_amt" if plan.form.ends_with("PPO") => dollars(offer.moop * 150),
        name if name.ends_with("_yn") && !name.contains("deduct") => "2".to_owned(),
        _ => return None,
    })
}

fn option(column: &str) -> Option<String> {
    let text = match column {
        "pbp_d_opt_identifier" => "001",
        "pbp_d_opt_name" | "pbp_d_opt_description" => "Dental – Plus",
        "pbp_d_amt_opt_premium" => "24.50",
        "pbp_d_opt_maxplan_ben_cov_yn" => "1",
        "pbp_d_opt_maxplan_ben_cov_amt" => "1500.00",
        "pbp_d_opt_maxplan_per" => "3",
        "pbp_d_opt_other_benefits" => "16b1;16b2;16c1;16c2;",
        name if name.ends_with("_yn") => "2",
        _ => return None,
    };
    Some(text.to_owned())
}

fn drugs(offers: &Offers, offer: &Offer, column: &str) -> Option<String> {
    if column == "mrx_drug_ben_yn" {
        return Some(yes_no(offer.drugs).to_owned());
    }
    // Employers' plans file no more than that they cover drugs.
    if !offer.drugs || offer.employer {
        return None;
    }
    let plan = offers.plan(offer);
    // The standard deductible of 2026 is 615 dollars (CMS, Part D redesign program instructions).
    let charge = match plan.deductible {
        0 => "3",
        615 => "1",
        _ => "2",
    };
    Some(match column {
        "mrx_benefit_type" => if is_enhanced(offers, offer) { "4" } else { "2" }.to_owned(),
        "mrx_formulary_tiers_num" => offers.market.formulary(plan).tiers.to_string(),
        "mrx_alt_ded_charge" => charge.to_owned(),
        "mrx_alt_ded_amount" if charge != "3" => dollars(plan.deductible * 100),
        name if name.ends_with("_yn") => "2".to_owned(),
        _ => return None,
    })
}

/// Cents of the premium that pay for an enhanced drug benefit; nothing where it is not.
pub(super) fn supplemental_cents(offers: &Offers, offer: &Offer) -> u64 {
    let mut stream = offers.stream("drug benefit", offer);
    if stream.percent(60) { 1 + stream.below(3_000) } else { 0 }
}

fn is_enhanced(offers: &Offers, offer: &Offer) -> bool {
    supplemental_cents(offers, offer) > 0
}

fn tier(column: &str, nth: u64) -> Option<String> {
    const LABELS: [&str; 6] = [
        "Preferred Generic",
        "Generic",
        "Preferred Brand",
        "Non-Preferred Drug",
        "Specialty Tier",
        "Select Care Drugs",
    ];
    match column {
        "mrx_tier_id" => Some((nth + 1).to_string()),
        "mrx_tier_label_list" => LABELS.get(nth as usize).map(|label| (*label).to_owned()),
        "mrx_tier_drug_type" => Some("1".to_owned()),
        _ => None,
    }
}

/// A service's cost sharing: the part of the name up to its second underscore is the service.
fn service(offers: &Offers, offer: &Offer, column: &str, kind: &str) -> Option<String> {
    let end = column.match_indices('_').nth(1).map_or(column.len(), |(at, _)| at);
    let of_service = column[..end].bytes().fold(0, |sum, byte| sum * 131 + u64::from(byte));
    let own = offer.plan as u64 * 8 + u64::from(offer.employer) * 4 + u64::from(offer.segment);
    let mut stream = Stream::new(offers.seed ^ of_service, "benefits", own);
    let sharing = match stream.below(100) {
        0..60 => Sharing::Copay,
        60..85 => Sharing::Coinsurance,
        _ => Sharing::Nothing,
    };
    let (copay, coinsurance) = (500 * stream.below(12), 5 * (1 + stream.below(10)));
    // Of tiers and intervals only the first are used, of extra services none.
    let unused = ["_t2", "_t3", "int2", "int3", "_other", "_lrd", "nmcs", "_vbid"];
    if unused.iter().any(|word| column.contains(word)) {
        return None;
    }
    let (copays, coinsurances) = (column.contains("copay"), column.contains("coins"));
    let number = kind.starts_with('N');
    match column {
        name if name.ends_with("_yn") && copays => {
            Some(yes_no(sharing == Sharing::Copay).to_owned())
        }
        name if name.ends_with("_yn") && coinsurances => {
            Some(yes_no(sharing == Sharing::Coinsurance).to_owned())
        }
        name if name.ends_with("_auth_yn") => Some(yes_no(stream.percent(50)).to_owned()),
        name if name.ends_with("_yn") => Some("2".to_owned()),
        name if number && copays && name.contains("amt") && sharing == Sharing::Copay => {
            Some(dollars(copay))
        }
        name if number
            && coinsurances
            && name.contains("pct")
            && sharing == Sharing::Coinsurance =>
        {
            Some(coinsurance.to_string())
        }
        _ => None,
    }
}
