//! The gate `older`: a period or a posting that goes back. It is known of objects' names as soon as
//! the manifest is fixed, of periods as soon as archives' directories are read: in either case before
//! a row is loaded. The swap asks once more, of what is live then.

use serde_json::json;

use super::{Account, entry, permit, say_whose, waive};
use crate::catalog::ledger::{GateEntry, GateVerdict};
use crate::catalog::manifest::{Input, Manifest};
use crate::catalog::registry::waiver::{Gate, Waiver};
use crate::spec::source::{Named, Period, Source};

/// What is live, for a night that has not loaded anything yet.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// The live build's account.
    pub account: Account,
    /// The waivers that stand.
    pub waivers: Vec<Waiver>,
    /// The new build's own name.
    pub build: String,
    /// What makes it all once more: `kiln run druginfo`.
    pub again: String,
}

pub(super) fn judge(live: &Account, new: &Account, specs: &[Source]) -> Vec<GateEntry> {
    let mut entries = by_names(&live.manifest, &new.manifest, specs);
    for source in specs {
        let name = source.name.as_str();
        let (Some(was), Some(is)) = (live.source(name), new.source(name)) else { continue };
        entries.extend(by_period(name, was.period.as_deref(), is.period.as_deref()));
    }
    entries
}

/// Refuses inputs whose objects' names go back, before anything is loaded.
///
/// # Errors
/// [`Exit::ChecksFailed`](crate::error::Exit::ChecksFailed).
pub(crate) fn hold_names(live: &Live, new: &Manifest, specs: &[Source]) -> anyhow::Result<()> {
    refuse(live, by_names(&live.account.manifest, new, specs))
}

/// The same of what the members of each source tell, before their rows are loaded.
///
/// # Errors
/// [`Exit::ChecksFailed`](crate::error::Exit::ChecksFailed).
pub(crate) fn hold_periods(
    live: &Live,
    periods: &[(String, Option<String>)],
) -> anyhow::Result<()> {
    let of_source = |(source, period): &(String, Option<String>)| {
        let was = live.account.source(source).and_then(|entry| entry.period.as_deref());
        by_period(source, was, period.as_deref())
    };
    refuse(live, periods.iter().filter_map(of_source).collect())
}

fn refuse(live: &Live, mut entries: Vec<GateEntry>) -> anyhow::Result<()> {
    say_whose(&mut entries, &live.account);
    waive(&mut entries, &live.waivers, Some(&live.build));
    for entry in entries.iter().filter(|entry| entry.is_notable()) {
        tracing::warn!(gate = entry.gate, source = entry.source, "{}", entry.text());
    }
    let database = &live.account.manifest.database;
    let what = format!("what has landed is older than what is live ({})", live.account.build);
    permit(database, &what, &entries, &live.again)
}

/// What the objects' names tell, an edition at a time.
pub(crate) fn by_names(live: &Manifest, new: &Manifest, specs: &[Source]) -> Vec<GateEntry> {
    let mut entries = Vec::new();
    for source in specs {
        let name = source.name.as_str();
        let (Some(was), Some(is)) = (live.sources.get(name), new.sources.get(name)) else {
            continue;
        };
        let named = |input: &Input| -> Vec<Named> {
            input.objects.iter().filter_map(|pin| Named::of(source, &pin.key)).collect()
        };
        let before = named(was);
        for is in named(is) {
            let Some(was) = before.iter().find(|was| was.edition == is.edition) else { continue };
            let back = |(was, is): (Option<Period>, Option<Period>)| {
                was.zip(is).filter(|(was, is)| is.is_before(was))
            };
            let times = [(was.posted, is.posted), (was.period, is.period)];
            if let Some((was, now)) = times.into_iter().find_map(back) {
                entries.push(GateEntry { edition: is.edition, ..older(name, &was, &now) });
            }
        }
    }
    entries
}

fn by_period(source: &str, was: Option<&str>, is: Option<&str>) -> Option<GateEntry> {
    let (was, is) = (Period::parse(was?)?, Period::parse(is?)?);
    is.is_before(&was).then(|| older(source, &was, &is))
}

fn older(source: &str, was: &Period, is: &Period) -> GateEntry {
    let (was, is) = (was.to_string(), is.to_string());
    GateEntry {
        live: json!(was),
        value: json!(is),
        limit: json!(was),
        ..entry(Gate::Older, source, GateVerdict::Refused)
    }
}
