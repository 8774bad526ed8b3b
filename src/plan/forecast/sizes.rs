//! The sizes of a night: pure, of the wants, the past and the server's settings.

use std::collections::BTreeMap;

use super::server::SpaceSettings;
use super::{Past, SourceSize, StorageKind, ratio, scaled};
use crate::catalog::ledger::Forecast;
use crate::catalog::ledger::used::TableBytes;
use crate::postgres::settings::INDEX_MEMORY;

/// The sizes of a build, with this many index builds side by side; its seconds are another question's.
pub(crate) fn sizes(
    source_sizes: &[SourceSize],
    past: &Past,
    server: &SpaceSettings,
    side_by_side: usize,
) -> Forecast {
    let texts = texts(source_sizes, past);
    let mut from: Vec<String> = Vec::new();
    let mut tables: Vec<TableBytes> = Vec::new();
    for (size, text) in source_sizes.iter().zip(&texts) {
        tables.push(match past.source(&size.source) {
            Some(then) if then.text() > 0 => {
                if !from.iter().any(|name| name == then.build) {
                    from.push(then.build.to_owned());
                }
                grown(then.stored(), *text, then.text())
            }
            _ => by_ratio(size.kind, *text),
        });
    }
    let text: u64 = texts.iter().sum();
    let loaded: u64 = tables.iter().map(|bytes| bytes.sum()).sum();
    let mut catalog = ratio::CATALOG;
    match past.newest() {
        Some((ledger, used)) => {
            let stored: u64 = used.tables.values().map(|bytes| bytes.sum()).sum();
            catalog = used.database.saturating_sub(stored);
            let derived = used.derived(&ledger.sources).into_iter();
            tables.extend(derived.map(|(_, bytes)| grown(bytes, text, used.text)));
        }
        None => {
            let table = (loaded as f64 * ratio::DERIVED) as u64;
            tables.push(TableBytes { table, index: 0, index_max: 0 });
        }
    }
    let database = catalog + tables.iter().map(|bytes| bytes.sum()).sum::<u64>();
    let wal_written = wal(&tables, past, server, text);
    Forecast {
        from,
        text,
        text_is_known: source_sizes.iter().all(|size| size.text.is_some()),
        database,
        temporary_peak: temporary(&tables, past, side_by_side, text),
        wal_written,
        wal_peak: match server.wal_is_kept {
            true => wal_written,
            false => wal_written.min(server.max_wal_size),
        },
        scratch: scratch(source_sizes, past),
        seconds: 0.0,
    }
}

/// Bytes of text of every want: as the directories say, as the last night's objects inflated, or
/// by [`ratio::INFLATED`]. Of a release that several sources share, those in dictionary form have
/// it all: a table gets dictionaries where it is the bulk, and is packed where it is most of that.
pub(crate) fn texts(source_sizes: &[SourceSize], past: &Past) -> Vec<u64> {
    let shares_of = |key: &str| {
        let of_it = |size: &&SourceSize| size.objects.iter().any(|(known, _)| known == key);
        let readers: Vec<&SourceSize> = source_sizes.iter().filter(of_it).collect();
        let bulk: f64 = readers.iter().map(|size| size.kind.bulk()).sum();
        (bulk, readers.len())
    };
    let guess = |size: &SourceSize| {
        let shares = size.objects.iter().map(|(key, bytes)| {
            let share = match shares_of(key) {
                (0.0, readers) => 1.0 / readers.max(1) as f64,
                (bulk, _) => size.kind.bulk() / bulk,
            };
            let inflated = if size.zipped { ratio::INFLATED } else { 1.0 };
            *bytes as f64 * inflated * share
        });
        shares.sum::<f64>() as u64
    };
    let text = |size: &SourceSize| match (size.text, past.source(&size.source)) {
        (Some(text), _) => text,
        (None, Some(then)) if then.objects() > 0 => {
            scaled(then.text(), size.object_bytes(), then.objects())
        }
        _ => guess(size),
    };
    source_sizes.iter().map(text).collect()
}

fn grown(bytes: TableBytes, now: u64, then: u64) -> TableBytes {
    TableBytes {
        table: scaled(bytes.table, now, then),
        index: scaled(bytes.index, now, then),
        index_max: scaled(bytes.index_max, now, then),
    }
}

fn by_ratio(kind: StorageKind, text: u64) -> TableBytes {
    let (table, index) = kind.ratios();
    let index = ((text as f64 * index) as u64).max(ratio::INDEX_MIN);
    let table = ((text as f64 * table) as u64).max(ratio::TABLE_MIN);
    TableBytes { table, index, index_max: index }
}

/// What the largest sorts side by side spill at once: the indexes of one table are built one
/// after another. What the last night wrote in all is more than its peak, and what of that no
/// index explains was spilled by a derived table's query.
fn temporary(tables: &[TableBytes], past: &Past, side_by_side: usize, text: u64) -> u64 {
    let spill = |bytes: &TableBytes| {
        let memory = bytes.index_max as f64 * ratio::SORT_MEMORY;
        match memory > INDEX_MEMORY as f64 {
            true => (bytes.index_max as f64 * ratio::SORT_SPILL) as u64,
            false => 0,
        }
    };
    let mut spills: Vec<u64> = tables.iter().map(spill).collect();
    spills.sort_unstable_by_key(|bytes| std::cmp::Reverse(*bytes));
    let peak: u64 = spills.iter().take(side_by_side).sum();
    let Some((_, used)) = past.newest() else { return peak };
    let written = scaled(used.temporary_written, text, used.text);
    let bounded = if written > 0 { peak.min(written) } else { peak };
    bounded.max(written.saturating_sub(spills.iter().sum()))
}

fn wal(tables: &[TableBytes], past: &Past, server: &SpaceSettings, text: u64) -> u64 {
    if let Some((_, used)) = past.newest() {
        return scaled(used.wal_written, text, used.text);
    }
    let rows: u64 = tables.iter().map(|bytes| bytes.table).sum();
    let index: u64 = tables.iter().map(|bytes| bytes.index).sum();
    let (of_rows, of_index) = match (server.wal_is_minimal, server.wal_is_compressed) {
        (true, _) => (ratio::WAL_TABLE_MINIMAL, 0.0),
        (false, true) => (1.0, ratio::WAL_INDEX_COMPRESSED),
        (false, false) => (1.0, 1.0),
    };
    (rows as f64 * of_rows + index as f64 * of_index) as u64
}

/// Inner zips that are compressed once more: at most the objects that may hold them.
fn scratch(source_sizes: &[SourceSize], past: &Past) -> u64 {
    let mut objects: BTreeMap<&str, u64> = BTreeMap::new();
    for size in source_sizes.iter().filter(|size| size.nested) {
        objects.extend(size.objects.iter().map(|(key, bytes)| (key.as_str(), *bytes)));
    }
    let now: u64 = objects.values().sum();
    match past.newest_whole() {
        Some((_, used)) => {
            let nested = source_sizes.iter().filter(|size| size.nested);
            let (then, since) = nested
                .filter_map(|size| Some((used.objects.get(&size.source)?, size.object_bytes())))
                .fold((0, 0), |sum, (then, now)| (sum.0 + then, sum.1 + now));
            if then > 0 { scaled(used.scratch, since, then) } else { now }
        }
        None => now,
    }
}
