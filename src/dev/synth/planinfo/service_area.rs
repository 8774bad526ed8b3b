//! Counties in which a contract may sell plans of Medicare Advantage: what its plans' areas come
//! to, parts of counties marked, and a cost contract that has no county.

use std::collections::BTreeSet;
use std::io::{Result, Write};
use std::sync::Arc;

use super::offers::{Offers, organization};
use super::{DATABASE, text};
use crate::geography::STATES;
use crate::object::{Object, Text, Written};
use crate::random::Stream;
use crate::table::{Style, Table};

const HEADER: [&str; 11] = [
    "Contract ID",
    "Organization Name",
    "Organization Type",
    "Plan Type",
    "Partial",
    "EGHP",
    "SSA",
    "FIPS",
    "County",
    "State",
    "Notes",
];

pub(super) fn object(offers: &Arc<Offers>) -> Object {
    let dated = offers.release.day_of(&["service_area"]);
    let folder = format!("MA_Cnty_SA_{}", dated.strftime("%Y_%m"));
    let rows = areas(offers).map(|(_, counties)| counties.len() as u64).sum::<u64>() + 1;
    let data = text(offers, format!("{folder}/{folder}.csv"), "service_area", rows, 100, write);
    let readme = Text::beside(format!("{folder}/Read_Me_MA_Cnty_SA.txt"), "Generated.\r\n");
    let month = dated.strftime("%B-%Y").to_string().to_lowercase();
    let name = format!("ma-contract-service-area-state-county-{month}.zip");
    Object::zip(DATABASE, name, offers.release.posting(), vec![data, readme])
}

/// Each contract's first offer, and its counties.
fn areas(offers: &Offers) -> impl Iterator<Item = (usize, BTreeSet<usize>)> {
    let contracts = offers.contracts.iter();
    let sold =
        contracts.filter(|range| !offers.plan(&offers.all[range.start]).contract.starts_with('S'));
    sold.map(|range| {
        let all = offers.all[range.clone()].iter();
        (range.start, all.flat_map(|offer| offers.counties(offers.plan(offer))).collect())
    })
}

fn write(offers: &Offers, out: &mut dyn Write) -> Result<Written> {
    let mut table = Table::new(out, Style::QUOTED, &HEADER)?;
    let cost = "HCPP - 1833 Cost";
    let notes = "Service area is not defined for cost contracts.";
    table.row(&[
        "90099",
        "PORTERS UNION HEALTH FUND",
        cost,
        cost,
        "",
        "",
        "",
        "",
        "",
        "",
        notes,
    ])?;
    for (first, counties) in areas(offers) {
        let plan = offers.plan(&offers.all[first]);
        let mut stream = Stream::new(offers.seed, "service areas", first as u64);
        let kind = match plan.form {
            "PPO" => "Local PPO",
            "Regional PPO" => "Regional PPO",
            _ => "HMO/HMOPOS",
        };
        for county in counties {
            let county = &offers.market.counties[county];
            table.row(&[
                &*plan.contract,
                &plan.contract_name,
                organization(&plan.contract).1,
                kind,
                if stream.percent(3) { "*" } else { "" },
                "",
                &county.code,
                &county.fips,
                &county.name,
                STATES[county.state].abbreviation,
                "",
            ])?;
        }
    }
    table.finish()
}
