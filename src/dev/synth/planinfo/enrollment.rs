//! Who is enrolled: by plan, and by plan and county (CPSC). Ten or fewer are an asterisk, and most
//! counties where somebody is enrolled have that few: people move and keep their plan.

use std::io::{Result, Write};
use std::sync::Arc;

use super::offers::{Offer, Offers, organization, parent};
use super::{DATABASE, text};
use crate::geography::STATES;
use crate::nights::{ENROLLMENT, Turn};
use crate::object::{Object, Text, Written};
use crate::random::Stream;
use crate::table::{Style, Table};

/// Of so many counties a plan has members in one, besides those it is sold in: of 2026's CPSC file
/// every plan has some 460 rows.
const SPREAD: u64 = 7;

pub(super) fn objects(offers: &Arc<Offers>) -> Vec<Object> {
    let release = &offers.release;
    let day_of_plans = release.day_of(&["enrollment_by_plan"]);
    let plans = offers.plans().count() as u64;
    let by_plan = text(
        offers,
        format!("Monthly_Report_By_Plan_{}.csv", day_of_plans.strftime("%Y_%m")),
        "enrollment_by_plan",
        // One organisation is paid by its costs and has no plan.
        plans + 1,
        300,
        enrollment_by_plan,
    );
    let dated = release.day_of(&["enrollment_cpsc", "cpsc_contract_info"]);
    let period = dated.strftime("%Y_%m").to_string();
    let folder = format!("CPSC_Enrollment_{period}");
    let rows = offers.plans().map(|offer| places(offers, offer).len() as u64).sum();
    let counts = text(
        offers,
        format!("{folder}/CPSC_Enrollment_Info_{period}.csv"),
        "enrollment_cpsc",
        rows,
        60,
        enrollment_cpsc,
    );
    let info = text(
        offers,
        format!("{folder}/CPSC_Contract_Info_{period}.csv"),
        "cpsc_contract_info",
        plans,
        250,
        contract_info,
    );
    let readme = Text::beside(format!("{folder}/Read_Me_CPSC_Enrollment.txt"), "Generated.\r\n");
    let month = dated.strftime("%B-%Y").to_string().to_lowercase();
    let name = format!("monthly-enrollment-cpsc-{month}.zip");
    vec![
        Object::bare(DATABASE, release.posted, by_plan),
        Object::zip(DATABASE, name, release.posting(), vec![counts, info, readme]),
    ]
}

/// Members of a plan, this night and the night before.
fn members(offers: &Offers, offer: &Offer, turn: Turn) -> (u64, u64) {
    let mut stream = offers.stream("members", offer);
    let draw = stream.next();
    // Few plans have most of the members.
    let digits = 1 + stream.below(5);
    let base = stream.below(10_u64.pow(digits as u32)) + 3;
    let now = base + ENROLLMENT.generation(draw, turn) * 11;
    (now, if ENROLLMENT.changes(draw, turn) { now - 11 } else { now })
}

fn counted(members: u64) -> String {
    if members <= 10 { "*".to_owned() } else { members.to_string() }
}

/// The day on which a contract began.
fn effective(offers: &Offers, offer: &Offer) -> String {
    let contract = offers.plan(offer).contract.as_str();
    let number = contract[1..].parse().unwrap_or(0);
    let mut stream = Stream::new(offers.seed, "contract effective", number);
    format!("01/01/{}", 1_998 + stream.below(28))
}

fn yes_no(truth: bool) -> &'static str {
    if truth { "Yes" } else { "No" }
}

/// The kind of plan as the enrolment files call it.
fn plan_type(offers: &Offers, offer: &Offer) -> &'static str {
    match offer.kind(offers.plan(offer)).1 {
        "HMO" | "HMOPOS" => "HMO/HMOPOS",
        other => other,
    }
}

fn enrollment_by_plan(offers: &Offers, out: &mut dyn Write) -> Result<Written> {
    let header = [
        "Contract Number",
        "Plan ID",
        "Organization Type",
        "Plan Type",
        "Offers Part D",
        "Organization Name",
        "Organization Marketing Name",
        "Plan Name",
        "Parent Organization",
        "Contract Effective Date",
        "Enrollment",
    ];
    let turn = offers.release.nights.turn("enrollment_by_plan");
    let mut table = Table::new(out, Style::QUOTED.lf().cp1252(), &header)?;
    let cost = "HCPP - 1833 Cost";
    let (fund, parent_fund) = ("PORTERS UNION HEALTH FUND", "Porters Union Funds");
    table.row(&[
        "90099",
        "",
        cost,
        cost,
        "No",
        fund,
        fund,
        "",
        parent_fund,
        "02/01/1974",
        "3892",
    ])?;
    for offer in offers.plans() {
        let plan = offers.plan(offer);
        let (members, before) = members(offers, offer, turn);
        table.changed(counted(members) != counted(before));
        table.row(&[
            &*plan.contract,
            &offer.number,
            organization(&plan.contract).1,
            plan_type(offers, offer),
            yes_no(offer.drugs),
            &plan.contract_name,
            &plan.carrier,
            &offer.name,
            &parent(&plan.carrier),
            &effective(offers, offer),
            &counted(members),
        ])?;
    }
    table.finish()
}

fn contract_info(offers: &Offers, out: &mut dyn Write) -> Result<Written> {
    let header = [
        "Contract ID",
        "Plan ID",
        "Organization Type",
        "Plan Type",
        "Offers Part D",
        "SNP Plan",
        "EGHP",
        "Organization Name",
        "Organization Marketing Name",
        "Plan Name",
        "Parent Organization",
        "Contract Effective Date",
    ];
    let mut table = Table::new(out, Style::QUOTED.cp1252(), &header)?;
    for offer in offers.plans() {
        let plan = offers.plan(offer);
        table.row(&[
            &*plan.contract,
            &offer.number,
            organization(&plan.contract).1,
            plan_type(offers, offer),
            yes_no(offer.drugs),
            yes_no(offer.is_dual(plan)),
            yes_no(offer.employer),
            &plan.contract_name,
            &plan.carrier,
            &offer.name,
            &parent(&plan.carrier),
            &effective(offers, offer),
        ])?;
    }
    table.finish()
}

/// Counties where a plan has members, with whether it is sold there.
fn places(offers: &Offers, offer: &Offer) -> Vec<(usize, bool)> {
    let own = offers.counties(offers.plan(offer));
    let counties = offers.market.counties.len() as u64;
    let picks = counties / SPREAD;
    let mut stream = offers.stream("members elsewhere", offer);
    let mut places: Vec<(usize, bool)> = own.into_iter().map(|county| (county, true)).collect();
    let elsewhere = (0..picks).map(|k| (stream.spread(k, picks, counties) as usize, false));
    places.extend(elsewhere);
    // True sorts last: what is sold in a county wins over members from elsewhere.
    places.sort_unstable_by_key(|(county, sold)| (*county, !sold));
    places.dedup_by_key(|(county, _)| *county);
    places
}

fn enrollment_cpsc(offers: &Offers, out: &mut dyn Write) -> Result<Written> {
    let header = [
        "Contract Number",
        "Plan ID",
        "SSA State County Code",
        "FIPS State County Code",
        "State",
        "County",
        "Enrollment",
    ];
    let turn = offers.release.nights.turn("enrollment_cpsc");
    let mut table = Table::new(out, Style::QUOTED.cp1252(), &header)?;
    for offer in offers.plans() {
        let plan = offers.plan(offer);
        let (members, before) = members(offers, offer, turn);
        let places = places(offers, offer);
        let own = places.iter().filter(|(_, sold)| *sold).count() as u64;
        for (county, sold) in places {
            let county = &offers.market.counties[county];
            let of_county = |all: u64| counted(if sold { all / own.max(1) } else { 0 });
            let cell = of_county(members);
            table.changed(cell != of_county(before));
            let state = STATES[county.state].abbreviation;
            let row = [
                &*plan.contract,
                &offer.number,
                &county.code,
                &county.fips,
                state,
                &county.name,
                &cell,
            ];
            table.row(&row)?;
        }
    }
    table.finish()
}
