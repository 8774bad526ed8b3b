//! The gate `nulls`: a column that has far more nulls than live's, as a share of its rows. A column
//! that the file lacks (`optional`) has none: monthly releases lack what quarterly ones have.

use std::collections::BTreeSet;

use serde_json::json;

use super::rows::ROWS_THAT_MATTER;
use super::{Editions, entry};
use crate::catalog::ledger::{FileEntry, GateEntry, GateVerdict};
use crate::catalog::registry::waiver::Gate;
use crate::spec::source::Gates;

pub(super) fn judge(
    source: &str,
    live: &Editions<'_>,
    new: &Editions<'_>,
    limits: &Gates,
) -> Vec<GateEntry> {
    let mut entries = Vec::new();
    for (edition, was) in live {
        let Some(is) = new.get(edition) else { continue };
        if was.iter().chain(is).any(|file| file.nulls.is_none()) {
            let why = "an older kiln loaded the rows of one of the two, and did not count nulls";
            entries.push(GateEntry {
                edition: edition.clone(),
                why: Some(why.to_owned()),
                ..entry(Gate::Nulls, source, GateVerdict::NotCompared)
            });
            continue;
        }
        let columns: BTreeSet<&String> = is
            .iter()
            .filter_map(|f| f.nulls.as_ref())
            .flatten()
            .map(|(column, _)| column)
            .collect();
        let judged = columns.into_iter().filter_map(|column| {
            let (was, is) = (share(was, column)?, share(is, column)?);
            Some(GateEntry {
                edition: edition.clone(),
                ..of_column(source, column, was, is, limits)
            })
        });
        let mut judged: Vec<GateEntry> = judged.collect();
        // Of hundreds of columns one that fits says as much as all.
        if judged.iter().any(GateEntry::is_refused) {
            judged.retain(GateEntry::is_refused);
        } else {
            let rise = |entry: &GateEntry| {
                entry.value.as_f64().unwrap_or(0.0) - entry.live.as_f64().unwrap_or(0.0)
            };
            judged.sort_by(|a, b| rise(b).total_cmp(&rise(a)));
            judged.truncate(1);
        }
        entries.extend(judged);
    }
    entries
}

/// Nulls among a number of rows.
#[derive(Clone, Copy)]
struct NullShare {
    nulls: u64,
    rows: u64,
}

impl NullShare {
    fn ratio(self) -> f64 {
        self.nulls as f64 / self.rows as f64
    }
}

/// A column's nulls over the files that have it; `None` where none does, or none has rows.
fn share(files: &[&FileEntry], column: &str) -> Option<NullShare> {
    let mut share = NullShare { nulls: 0, rows: 0 };
    for file in files {
        if let Some(nulls) = file.nulls.as_ref().and_then(|nulls| nulls.get(column)) {
            share.nulls += nulls;
            share.rows += file.loaded;
        }
    }
    (share.rows > 0).then_some(share)
}

fn of_column(
    source: &str,
    column: &str,
    was: NullShare,
    is: NullShare,
    limits: &Gates,
) -> GateEntry {
    let rise = is.ratio() - was.ratio();
    let matters = rise * is.rows as f64 >= ROWS_THAT_MATTER as f64;
    let refused = matters && rise > limits.nulls_rise_max;
    GateEntry {
        column: Some(column.to_owned()),
        live: json!(rounded(was.ratio())),
        value: json!(rounded(is.ratio())),
        limit: json!(rounded((was.ratio() + limits.nulls_rise_max).min(1.0))),
        ..entry(
            Gate::Nulls,
            source,
            if refused { GateVerdict::Refused } else { GateVerdict::Passed },
        )
    }
}

fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}
