//! The gates on data: whether a new build's rows may take the place of those that are live. A pure
//! decision over the two builds' accounts; it is asked of new builds, by the swap, and not of a way
//! back.
//!
//! [`rows`] and [`nulls`] look for a release that collapsed, [`older`] for one that goes back in time.
//! The numbers are the ledger's own, counted while rows were loaded.

mod measure;
mod nulls;
mod older;
mod rows;

use std::collections::BTreeMap;

use crate::catalog::ledger::{FileEntry, GateEntry, GateVerdict, SourceEntry, SourceState};
use crate::catalog::registry::waiver::{Gate, Waiver, covers};
use crate::catalog::stamp::Account;
use crate::error::{Exit, Failure};
use crate::spec::source::{Named, Period, Source};
pub(crate) use measure::measure;
pub(crate) use older::{Live, by_names, hold_names, hold_periods};

impl Account {
    fn source(&self, name: &str) -> Option<&SourceEntry> {
        let found = self.ledger.sources.iter().find(|entry| entry.source == name);
        found.filter(|entry| entry.state == SourceState::Loaded)
    }
}

/// Decides, number by number. Sources that only one of the builds has loaded are not compared:
/// who leaves one out has said so.
pub(crate) fn judge(
    live: &Account,
    new: &Account,
    specs: &[Source],
    waivers: &[Waiver],
) -> Vec<GateEntry> {
    let mut entries = Vec::new();
    for source in specs {
        let name = source.name.as_str();
        let (Some(was), Some(is)) = (live.source(name), new.source(name)) else { continue };
        let limits = source.gates.between(year_of(was), year_of(is));
        let (was, is) = (by_edition(source, was), by_edition(source, is));
        entries.extend(rows::judge(name, &was, &is, &limits));
        entries.extend(nulls::judge(name, &was, &is, &limits));
    }
    entries.extend(older::judge(live, new, specs));
    say_whose(&mut entries, live);
    waive(&mut entries, waivers, Some(&new.build));
    entries
}

/// A source's files, by the editions that their objects' names tell.
type Editions<'a> = BTreeMap<Option<String>, Vec<&'a FileEntry>>;

fn by_edition<'a>(source: &Source, entry: &'a SourceEntry) -> Editions<'a> {
    let mut editions = Editions::new();
    for file in &entry.files {
        let edition = Named::of(source, &file.object).and_then(|named| named.edition);
        editions.entry(edition).or_default().push(file);
    }
    editions
}

/// The year that a source's rows speak of, or were posted in.
fn year_of(entry: &SourceEntry) -> Option<i16> {
    let text = entry.period.as_deref().or(entry.posted.as_deref());
    text.and_then(Period::parse).map(|period| period.year())
}

/// Notes whose numbers a new build was held against where they are not the live one's.
fn say_whose(entries: &mut [GateEntry], live: &Account) {
    for entry in entries {
        entry.former = live.former.get(&entry.source).cloned();
    }
}

fn entry(gate: Gate, source: &str, verdict: GateVerdict) -> GateEntry {
    GateEntry {
        gate: gate.word().to_owned(),
        source: source.to_owned(),
        column: None,
        edition: None,
        live: serde_json::Value::Null,
        value: serde_json::Value::Null,
        limit: serde_json::Value::Null,
        verdict,
        former: None,
        why: None,
    }
}

/// Notes which refusals a person has said do not count.
pub(crate) fn waive(entries: &mut [GateEntry], waivers: &[Waiver], build: Option<&str>) {
    for entry in entries.iter_mut().filter(|entry| entry.is_refused()) {
        let Ok(gate) = Gate::parse(&entry.gate) else { continue };
        if let Some(waiver) = covers(waivers, gate, Some(&entry.source), build) {
            entry.verdict = GateVerdict::Waived;
            entry.why = Some(format!("{} on {}: {}", waiver.login, waiver.host, waiver.why));
        }
    }
}

/// Ok where nothing was refused; else all that was, at once, and the commands that help.
///
/// # Errors
/// [`Exit::ChecksFailed`].
pub(crate) fn permit(
    database: &str,
    what: &str,
    entries: &[GateEntry],
    then: &str,
) -> anyhow::Result<()> {
    let refused = entries.iter().filter(|entry| entry.is_refused());
    let said: Vec<String> = refused.map(GateEntry::text).collect();
    let Some(waivers) = GateEntry::waivers_for(database, entries) else { return Ok(()) };
    let message = format!("{what}:\n  {}", said.join("\n  "));
    let hint = format!(
        "land a whole file of the right period, and run again; or if that is meant: {waivers} && {then}"
    );
    Err(Failure::new(Exit::ChecksFailed, message).hint(hint).into())
}

#[cfg(test)]
mod tests;
