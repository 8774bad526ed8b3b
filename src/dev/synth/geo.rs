//! The two geography files: SSA county codes with their FIPS codes, and the counties of a ZIP code,
//! which are often more than one.

use std::io::{Result, Write};

use super::Release;
use super::geography::{STATES, counties};
use super::object::{Object, Text, Written};
use super::table::{Style, Table};

/// Counties to a metropolitan area, about.
const AREA: usize = 5;

/// Both files.
pub(super) fn objects(database: &'static str, release: &Release) -> Vec<Object> {
    let posted = release.posted;
    let count = release.counties;
    let zips = || {
        let (counties, _) = counties(count);
        counties.iter().enumerate().map(|(nth, county)| zips_of(nth, county.zip_count())).sum()
    };
    // One county more than there are: the one with two SSA codes.
    let crosswalk = text("ssa_fips_state_county2017.csv", "ssa_fips_county", u64::from(count) + 1);
    let zips = text("zip_fips_county_code_and_state.csv", "zip_county", zips());
    vec![
        Object::bare(database, posted, crosswalk(Box::new(move |out| ssa_fips(count, out)))),
        Object::bare(database, posted, zips(Box::new(move |out| zip_county(count, out)))),
    ]
}

type Body = Box<dyn FnOnce(&mut dyn Write) -> Result<Written> + Send>;

fn text(name: &'static str, source: &'static str, rows: u64) -> impl FnOnce(Body) -> Text {
    move |body| Text {
        name: name.to_owned(),
        source: Some(source),
        rows,
        bytes_about: rows * 40,
        body,
    }
}

fn ssa_fips(count: u32, out: &mut dyn Write) -> Result<Written> {
    let (counties, states) = counties(count);
    let header =
        ["county", "state", "ssacounty", "fipscounty", "cbsa", "cbsaname", "ssastate", "fipsstate"];
    let mut text = quoted(&header.map(str::to_owned));
    for (nth, county) in counties.iter().enumerate() {
        let state = &STATES[county.state];
        // Two of three counties belong to an area, called after its first county.
        let first = &counties[nth / AREA * AREA];
        let mut row = [
            county.name.to_uppercase(),
            state.abbreviation.to_owned(),
            county.code.clone(),
            county.fips.clone(),
            String::new(),
            String::new(),
            format!("{:02}", state.ssa),
            format!("{:02}", state.fips),
        ];
        if nth % 3 > 0 && first.state == county.state {
            row[4] = (10_000 + nth / AREA * 20).to_string();
            row[5] = format!("{}, {}", first.name, state.abbreviation);
        }
        text.push_str(&quoted(&row));
        // As Los Angeles has, the last county of one state has a second SSA code.
        if states.get(states.len() / 10).is_some_and(|range| range.end == nth + 1) {
            row[2] = format!("{:02}999", state.ssa);
            text.push_str(&quoted(&row));
        }
    }
    out.write_all(text.as_bytes())?;
    Ok(Written { rows: u64::from(count) + 1, changed: 0 })
}

/// A line as this file has them: what is there in quotes, what is not without.
fn quoted(fields: &[String; 8]) -> String {
    let quote = |field: &String| match field.as_str() {
        "" => String::new(),
        text => format!("\"{text}\""),
    };
    format!("{}\r\n", fields.each_ref().map(quote).join(","))
}

/// Rows that a county's ZIP codes have: every fifth code reaches into the next county.
fn zips_of(nth: usize, zips: u32) -> u64 {
    u64::from(zips) + if nth == 0 { 0 } else { u64::from(zips.div_ceil(5)) }
}

fn zip_county(count: u32, out: &mut dyn Write) -> Result<Written> {
    let (counties, _) = counties(count);
    let mut table = Table::new(out, Style::PLAIN.crlf(), &["zip", "fips", "county", "state"])?;
    for (nth, county) in counties.iter().enumerate() {
        for zip in 0..county.zip_count() {
            let other = (nth > 0 && zip % 5 == 0).then(|| &counties[nth - 1]);
            for county_of in [Some(county), other].into_iter().flatten() {
                let state = STATES[county_of.state].abbreviation;
                table.row(&[&*county.zip(zip), &county_of.fips, &county_of.name, state])?;
            }
        }
    }
    table.finish()
}
