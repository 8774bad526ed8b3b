//! The Plan Benefit Package: a zip of wide tables with tabs, some of which have no rows, and the
//! list of their columns. Column names repeat, as in CMS's own.

use std::io::{Result, Write};
use std::sync::Arc;

use super::offers::{Offer, Offers, organization};
use super::{DATABASE, pbp_values, text};
use crate::geography::{MA_REGIONS, PDP_REGIONS, STATES};
use crate::market::Area;
use crate::object::{Object, Text, Written};
use crate::table::{Style, Table};

/// Names, types and lengths of columns of the 2026 tables that are generated: a line a table, its
/// name and then `column:C5` or `column:N`, by tabs.
const COLUMNS: &str = include_str!("pbp_columns.txt");

/// An employer's plan is sold wherever its retired members live.
const EMPLOYER_COUNTIES: u64 = 1_400;

/// A table: its name, and its columns with their types.
struct Layout {
    table: &'static str,
    columns: Vec<(&'static str, &'static str)>,
}

fn layouts() -> Vec<Layout> {
    let layout = |line: &'static str| {
        let mut fields = line.split('\t');
        let table = fields.next().unwrap_or_default();
        Layout { table, columns: fields.filter_map(|field| field.split_once(':')).collect() }
    };
    COLUMNS.lines().map(layout).collect()
}

pub(super) fn objects(offers: &Arc<Offers>) -> Vec<Object> {
    let year = offers.year;
    let mut texts = vec![Text::beside(format!("Readme_PBP_Benefits_{year}.txt"), "Generated.\r\n")];
    for layout in layouts() {
        let (name, source) = match layout.table {
            "planArea" => ("PlanArea", "plan_area"),
            "planRegionArea" => ("PlanRegionArea", "plan_region_area"),
            table => (table, "pbp_section"),
        };
        let rows = rows(offers, layout.table);
        let about = layout.columns.len() as u64 * 2 + 30;
        let body = move |offers: &Offers, out: &mut dyn Write| write(offers, &layout, out);
        texts.push(text(offers, format!("{name}.txt"), source, rows, about, body));
    }
    let columns: u64 = layouts().iter().map(|layout| layout.columns.len() as u64).sum();
    let list = text(
        offers,
        format!("layouts_{year}_from_sas.csv"),
        "pbp_column",
        columns,
        40,
        |_, out| columns_list(out),
    );
    vec![
        Object::zip(DATABASE, format!("pbp-benefits-{year}.zip"), offers.release.posting(), texts),
        Object::bare(DATABASE, offers.release.posted, list),
    ]
}

fn columns_list(out: &mut dyn Write) -> Result<Written> {
    let header = ["sas_file", "pos", "column", "sas_type", "length"];
    let mut table = Table::new(out, Style::PLAIN, &header)?;
    for layout in layouts() {
        for (nth, (name, kind)) in layout.columns.iter().enumerate() {
            let long = if kind.starts_with('C') { "CHAR" } else { "NUM" };
            table.row(&[layout.table, &(nth + 1).to_string(), name, long, &kind[1..]])?;
        }
    }
    table.finish()
}

/// Whether an offer has a row in a table.
fn is_in(offers: &Offers, table: &str, offer: &Offer) -> bool {
    let plan = offers.plan(offer);
    let by_county = plan.contract.starts_with('H');
    let alone = plan.contract.starts_with('S');
    match table {
        "planArea" => by_county,
        "planRegionArea" => !by_county,
        "pbp_Section_A" | "pbp_mrx" => true,
        "pbp_mrx_tier" | "pbp_mrx_p" => offer.drugs && !offer.employer,
        "pbp_Section_C_POS" => plan.form == "HMO-POS",
        "pbp_Section_D_opt" => !alone && offers.stream(table, offer).percent(20),
        // Tables for experiments that hardly a plan takes part in.
        "pbp_mrx_vbid" | "pbp_mrx_tier_vbid" | "pbp_step7f" | "pbp_step18c" => false,
        _ => !alone,
    }
}

/// Rows that an offer has in a table.
fn rows_of(offers: &Offers, table: &str, offer: &Offer) -> u64 {
    if !is_in(offers, table, offer) {
        return 0;
    }
    match table {
        "planArea" => counties(offers, offer).len() as u64,
        "pbp_mrx_tier" => u64::from(offers.market.formulary(offers.plan(offer)).tiers),
        _ => 1,
    }
}

fn rows(offers: &Offers, table: &str) -> u64 {
    offers.all.iter().map(|offer| rows_of(offers, table, offer)).sum()
}

fn counties(offers: &Offers, offer: &Offer) -> Vec<usize> {
    if !offer.employer {
        return offers.counties(offers.plan(offer));
    }
    let all = offers.market.counties.len() as u64;
    let picks = EMPLOYER_COUNTIES.min(all);
    let mut stream = offers.stream("employer counties", offer);
    (0..picks).map(|k| stream.spread(k, picks, all) as usize).collect()
}

fn write(offers: &Offers, layout: &Layout, out: &mut dyn Write) -> Result<Written> {
    let header: Vec<&str> = layout.columns.iter().map(|(name, _)| *name).collect();
    let mut table = Table::new(out, Style::TABS, &header)?;
    for offer in offers.all.iter().filter(|offer| is_in(offers, layout.table, offer)) {
        let plan = offers.plan(offer);
        match layout.table {
            "planArea" => {
                let mut row = key(offers, offer, 1);
                for county in counties(offers, offer) {
                    let county = &offers.market.counties[county];
                    row.truncate(10);
                    let employers = if offer.employer { "1" } else { "0" };
                    let state = STATES[county.state].abbreviation;
                    let year = offers.year.to_string();
                    let rest = [&*county.code, "0", "", &year, employers, &county.name, state];
                    row.extend(rest.map(str::to_owned));
                    table.row(&row)?;
                }
            }
            "planRegionArea" => {
                let mut row = key(offers, offer, 1);
                let (kind, code, name) = match plan.area {
                    Area::PdpRegion(code) => ("PD", code, PDP_REGIONS[usize::from(code) - 1]),
                    Area::MaRegion(code) => ("MA", code, MA_REGIONS[usize::from(code) - 1]),
                    Area::Counties(_) => continue,
                };
                let (year, code) = (offers.year.to_string(), format!("{code:02}"));
                row.extend(["0", "", &year, "0", kind, &code, name].map(str::to_owned));
                table.row(&row)?;
            }
            _ => {
                for nth in 0..rows_of(offers, layout.table, offer) {
                    let mut row = key(offers, offer, 0);
                    for (name, kind) in &layout.columns[row.len()..] {
                        row.push(pbp_values::value(offers, offer, layout.table, name, kind, nth));
                    }
                    table.row(&row)?;
                }
            }
        }
    }
    table.finish()
}

/// What every table begins with; the area tables then say contract, plan and segment once more.
fn key(offers: &Offers, offer: &Offer, again: usize) -> Vec<String> {
    let plan = offers.plan(offer);
    let (contract, number, segment) = (&*plan.contract, &*offer.number, offer.segment.to_string());
    let bid = format!("{contract}_{number}_{segment}");
    let kind = offer.kind(plan).0;
    let organization = organization(contract).0;
    let first = [contract, number, &segment, "1", kind, organization, &bid];
    let twice = [contract, number, &segment];
    let mut row = first.map(str::to_owned).to_vec();
    match again {
        0 => row.push("3".to_owned()),
        _ => row.extend(twice.map(str::to_owned)),
    }
    row
}
