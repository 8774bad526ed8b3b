//! Rows out of the live build into the subset, table by table.

use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::super::build_run::BuildRun;
use super::ready::{PreparedSubset, reader};
use crate::catalog::ledger::{FileEntry, SourceEntry, SourceState};
use crate::catalog::registry::build::BuildDatabase;
use crate::config::failpoint;
use crate::error::{Exit, all_or_first_error, failure};
use crate::export::file::{PackedTable, SourceFacts};
use crate::export::subset::KeptTable;
use crate::load::bind::Binding;
use crate::load::copy::between::{self, Numbered, Stored};
use crate::load::copy::{note_without, write_entry};
use crate::load::meter::Meter;
use crate::postgres::db;

/// A table that was copied, and what it holds.
pub(super) struct Copied {
    /// Its name.
    pub table: String,
    /// Its rows as they are stored.
    pub stored: Stored,
    seconds: f64,
}

/// Copies all tables side by side, the largest first; the ledger gets an entry a source.
///
/// # Errors
/// When one fails; the others are then stopped.
pub(super) async fn copy(
    build_run: &mut BuildRun<'_>,
    ready: &PreparedSubset,
) -> anyhow::Result<Vec<Copied>> {
    let context = build_run.context;
    build_run.ledger.expected = ready.manifest.sources.keys().cloned().collect();
    build_run.ledger.expected.extend(ready.manifest.without.iter().cloned());
    let session = build_run.build.session("without").await?;
    for name in &ready.manifest.without {
        build_run.ledger.sources.push(note_without(&session, name).await?);
    }
    drop(session);
    let rows_in_all = |table: &KeptTable| ready.stamp.rows_of(&table.name).unwrap_or(0);
    let mut tables: Vec<&KeptTable> = ready.chosen.tables.iter().collect();
    tables.sort_by_key(|table| std::cmp::Reverse(rows_in_all(table)));
    let meters: Vec<(String, Arc<Meter>)> =
        tables.iter().map(|table| (table.name.clone(), Arc::default())).collect();
    let watch = context.progress.watch("subset", meters.clone());
    let abort = context.stop.child_token();
    let build = &build_run.build;
    let outcomes: Vec<anyhow::Result<Copied>> = stream::iter(tables.iter().zip(&meters))
        .map(async |(table, (_, meter))| {
            let span = tracing::info_span!("subset", table = table.name);
            let copied = copy_one(build, ready, table, meter, &abort).instrument(span).await;
            if copied.is_err() {
                abort.cancel();
            }
            copied
        })
        .buffer_unordered(context.config.connections)
        .collect()
        .await;
    drop(watch);
    let all = all_or_first_error(outcomes)?;
    settle(build_run, ready, &all).await?;
    Ok(all)
}

/// One table: copied, and read back; both must agree.
async fn copy_one(
    build: &BuildDatabase,
    ready: &PreparedSubset,
    table: &KeptTable,
    meter: &Meter,
    stop: &CancellationToken,
) -> anyhow::Result<Copied> {
    let since = Instant::now();
    let name = &table.name;
    let (from, into) = (reader(&ready.source).await?, build.session(name).await?);
    into.batch_execute("begin").await.map_err(db("begin"))?;
    let place = format!("\"{name}\" ({})", table.column_list());
    let sent = between::rows(&from, &table.query(), &into, &place, meter, stop)
        .await
        .map_err(|error| error.context(format!("table {name}")))?;
    into.batch_execute("commit").await.map_err(db("commit rows"))?;
    let stored = between::read(&into, &table.all(), stop).await?;
    agree(name, "sent", sent, stored)?;
    Ok(Copied { table: name.clone(), stored, seconds: since.elapsed().as_secs_f64() })
}

/// What was to be stored, and what is.
pub(crate) fn agree(
    table: &str,
    said: &str,
    expected: Stored,
    found: Stored,
) -> anyhow::Result<()> {
    if (expected.rows, expected.digest) == (found.rows, found.digest) {
        return Ok(());
    }
    let message = format!(
        "table {table}: {said} {} rows with digest {}, it holds {} with digest {}",
        expected.rows,
        expected.digest_hex(),
        found.rows,
        found.digest_hex()
    );
    Err(failure(Exit::ChecksFailed, message))
}

/// Notes the sources, each with the digest that the loader would have given the same rows.
async fn settle(
    build_run: &mut BuildRun<'_>,
    ready: &PreparedSubset,
    all: &[Copied],
) -> anyhow::Result<()> {
    let session = build_run.build.session("settle").await?;
    for binding in &ready.bindings {
        let name = binding.source.name.as_str();
        let Some(copied) = all.iter().find(|copied| copied.table == name) else { continue };
        if ready.manifest.without.iter().any(|without| without == name) {
            continue;
        }
        let rows_of = |table: &str| all.iter().find(|copied| copied.table == table);
        let dictionaries = binding.dictionaries.iter().map(|dictionary| {
            let table = dictionary.table.as_str();
            (table.to_owned(), rows_of(table).map_or(0, |copied| copied.stored.rows))
        });
        let (period, posted) = ready.time_of(name);
        let read = source_digest(&session, binding, copied, &build_run.context.stop).await?;
        let facts = SourceFacts {
            period,
            posted,
            packed: binding
                .source
                .pack
                .as_ref()
                .map(|pack| PackedTable { array: pack.to.as_str().to_owned(), rows: read.rows }),
            digest: read.digest_hex(),
            dictionaries: dictionaries.collect(),
        };
        let mut entry = entry(name, &ready.stamp.build, copied.stored, facts);
        entry.seconds = copied.seconds;
        write_entry(&session, &entry, None).await?;
        failpoint::hit(failpoint::SOURCE)?;
        tracing::info!(source = name, rows = entry.counted, digest = entry.digest, "copied");
        build_run.ledger.sources.push(entry);
    }
    build_run.ledger.sources.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(())
}

/// The digest of what a source's rows say.
async fn source_digest(
    session: &crate::postgres::Session,
    binding: &Binding,
    copied: &Copied,
    stop: &CancellationToken,
) -> anyhow::Result<Stored> {
    if binding.dictionaries.is_empty() {
        return Ok(copied.stored);
    }
    let mut sets = Vec::new();
    for dictionary in &binding.dictionaries {
        let query = dictionary.select_sql();
        sets.push(between::set_digests(session, &query, stop).await?);
    }
    let numbered = Numbered::of(binding, sets);
    between::read_by_sets(session, &binding.select_sql(), numbered, &Meter::default(), stop).await
}

/// The account of a source whose rows came out of another build, or out of its file.
pub(crate) fn entry(table: &str, origin: &str, stored: Stored, facts: SourceFacts) -> SourceEntry {
    let mut entry = SourceEntry::empty(table, SourceState::Loaded);
    entry.period = facts.period;
    entry.posted = facts.posted;
    let rows = facts.packed.as_ref().map_or(stored.rows, |packed| packed.rows);
    entry.counted = rows;
    entry.stored = facts.packed.map(|_| stored.rows);
    entry.dictionaries = facts.dictionaries;
    entry.digest.clone_from(&facts.digest);
    entry.files.push(FileEntry {
        object: origin.to_owned(),
        version: stored.digest_hex(),
        member: table.to_owned(),
        bytes: stored.bytes,
        sha256: String::new(),
        evidence: "read back from the table, row by row".to_owned(),
        lines: rows,
        header: 0,
        loaded: rows,
        rejected: 0,
        filtered: 0,
        misfits: 0,
        copied: rows,
        digest: facts.digest,
        nulls: None,
    });
    entry
}
