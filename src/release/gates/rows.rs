//! The gate `rows`: a table that has far fewer or far more rows than live's, an edition at a time:
//! a year that lands beside those before it is no growth of theirs.

use serde_json::json;

use super::{Editions, entry};
use crate::catalog::ledger::{FileEntry, GateEntry, GateVerdict};
use crate::catalog::registry::waiver::Gate;
use crate::spec::source::Gates;

/// A smaller difference never matters: it may be all that a small table has.
pub(super) const ROWS_THAT_MATTER: u64 = 100;

pub(super) fn judge(
    source: &str,
    live: &Editions<'_>,
    new: &Editions<'_>,
    limits: &Gates,
) -> Vec<GateEntry> {
    let of = |editions: &Editions<'_>, edition| {
        editions.get(edition).map_or(0, |files: &Vec<&FileEntry>| rows(files))
    };
    let judged = live.keys().map(|edition| {
        let (was, is) = (of(live, edition), of(new, edition));
        let fewest = (was as f64 * limits.rows_ratio_min).ceil() as u64;
        let most = (was as f64 * limits.rows_ratio_max).floor() as u64;
        let fits = was.abs_diff(is) < ROWS_THAT_MATTER || (fewest..=most).contains(&is);
        let verdict = if fits { GateVerdict::Passed } else { GateVerdict::Refused };
        GateEntry {
            edition: edition.clone(),
            live: json!(was),
            value: json!(is),
            limit: json!([fewest, most]),
            ..entry(Gate::Rows, source, verdict)
        }
    });
    judged.collect()
}

pub(super) fn rows(files: &[&FileEntry]) -> u64 {
    files.iter().map(|file| file.loaded).sum()
}
