//! A source's rows out of a kept build: read in binary out of the one and written into the other, counted and
//! digested on the way, as the loader does it. What does not agree with the kept build's own account to the
//! row is loaded from its files instead: a table that somebody has touched is never sealed again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::rows::{RowsInput, begin_source};
use super::workplace::Workplace;
use crate::catalog::ledger::{Reuse, SourceEntry};
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{Exit, failure};
use crate::load::bind::{self, Binding};
use crate::load::copy::between::{self, Numbered, Stored, TableCopy};
use crate::load::copy::settle::{count, write_entry};
use crate::load::copy::{frozen, truncate};
use crate::load::meter::Meter;
use crate::plan::reuse::ReusableTable;
use crate::postgres::{Session, db, literal};
use crate::spec::source::Period;
use tokio_util::sync::CancellationToken;

impl Workplace<'_> {
    /// Copies a source's dictionaries, rows and rejects, and writes its entry, in a transaction that is left
    /// open.
    ///
    /// # Errors
    /// [`Exit::ChecksFailed`] where the kept build has other rows than it was sealed with; the servers'.
    pub(super) async fn copy(
        &self,
        into: &Session,
        rows: &RowsInput,
        reusable: &ReusableTable,
        meter: &Arc<Meter>,
        stop: &CancellationToken,
    ) -> anyhow::Result<SourceEntry> {
        let began = Instant::now();
        meter.rows_total.store(reusable.entry.counted, Ordering::Relaxed);
        let binding = &rows.binding;
        let name = binding.source.name.as_str();
        let attempt = begin_source(into, name).await?;
        let from = reader(&self.build.other(&reusable.database)?, name).await?;
        same_columns(&from, into, binding).await?;
        let over = Over { from: &from, into, meter, stop };
        into.batch_execute("begin").await.map_err(db("begin"))?;
        let empty = truncate(&binding.source);
        into.batch_execute(&empty).await.map_err(db(format!("empty table {name}")))?;
        let copied = over.tables(binding, reusable).await?;
        over.rejects(name, attempt, &reusable.entry).await?;
        let (counted, stored) = count(into, binding).await?;
        agree(name, &reusable.entry, counted, copied)?;
        let mut entry = reusable.entry.clone();
        entry.posted.clone_from(&rows.input.posted);
        // An older kiln sealed it in the publisher's words.
        entry.period = entry.period.map(|text| Period::canonical(&text));
        entry.counted = counted;
        entry.stored = stored;
        entry.digest = copied.digest_hex();
        entry.seconds = began.elapsed().as_secs_f64();
        entry.reused =
            Some(Reuse { build: reusable.build.clone(), evidence: reusable.evidence.clone() });
        write_entry(into, &entry, None).await?;
        tracing::info!(rows = counted, digest = entry.digest, "copied");
        Ok(entry)
    }
}

/// A session that only reads, sees one state of the build, and reads each table from its
/// beginning: rows then keep their order, which keys and ranges are built from.
async fn reader(kept: &BuildDatabase, name: &str) -> anyhow::Result<Session> {
    let session = kept.session(name).await?;
    session
        .batch_execute(
            "set synchronize_seqscans = off;
             begin transaction isolation level repeatable read, read only",
        )
        .await
        .map_err(db("prepare to read"))?;
    Ok(session)
}

/// Both builds must have the same columns: binary is read as the type that it was written as.
async fn same_columns(from: &Session, into: &Session, binding: &Binding) -> anyhow::Result<()> {
    let columns = async |session: &Session| {
        let tables = bind::tables(session, &binding.source).await?;
        let lines = tables.into_iter().flat_map(|(table, columns)| {
            columns.into_iter().map(move |c| format!("{table}.{} {}", c.name, c.type_name))
        });
        anyhow::Ok(lines.collect::<Vec<_>>())
    };
    if columns(from).await? == columns(into).await? {
        return Ok(());
    }
    Err(failure(Exit::ChecksFailed, "its tables have other columns"))
}

/// What was sealed, and what is there.
fn agree(name: &str, sealed: &SourceEntry, counted: u64, found: Stored) -> anyhow::Result<()> {
    let digest = found.digest_hex();
    if (sealed.counted, sealed.counted, &sealed.digest) == (counted, found.rows, &digest) {
        return Ok(());
    }
    let message = format!(
        "{name} was sealed with {} rows and digest {}, it has {} with digest {digest}",
        sealed.counted, sealed.digest, found.rows
    );
    Err(failure(Exit::ChecksFailed, message))
}

/// A dictionary's rows must be as many as were sealed; what they say is in the digest of the rows
/// that have their numbers.
fn agree_on_sets(table: &str, reusable: &ReusableTable, found: u64) -> anyhow::Result<()> {
    let sealed = reusable.entry.dictionaries.get(table).copied();
    if sealed == Some(found) {
        return Ok(());
    }
    let sealed = sealed.map_or("no".to_owned(), |rows| rows.to_string());
    let message = format!("{table} was sealed with {sealed} rows, it has {found}");
    Err(failure(Exit::ChecksFailed, message))
}

/// From one build to the other.
struct Over<'a> {
    from: &'a Session,
    into: &'a Session,
    meter: &'a Arc<Meter>,
    stop: &'a CancellationToken,
}

impl Over<'_> {
    /// The dictionaries, and then the rows that have numbers of them.
    async fn tables(&self, binding: &Binding, reusable: &ReusableTable) -> anyhow::Result<Stored> {
        let Over { from, into, meter, stop, .. } = *self;
        let mut sets = Vec::new();
        for dictionary in &binding.dictionaries {
            let (query, sql) = (dictionary.select_sql(), frozen(&dictionary.copy_sql()));
            let copy =
                TableCopy { from, query: &query, into, sql: &sql, meter: &Meter::default(), stop };
            let (stored, digests) = copy.sets().await?;
            agree_on_sets(dictionary.table.as_str(), reusable, stored.rows)?;
            sets.push(digests);
        }
        let (query, sql) = (binding.select_sql(), frozen(&binding.copy_sql()));
        TableCopy { from, query: &query, into, sql: &sql, meter, stop }
            .rows(Numbered::of(binding, sets))
            .await
    }

    /// The rows that were refused, so that the new build tells of them as well.
    async fn rejects(&self, name: &str, attempt: i64, sealed: &SourceEntry) -> anyhow::Result<()> {
        let rejected = sealed.sum(|file| file.rejected);
        if rejected == 0 {
            return Ok(());
        }
        let Over { from, into, stop, .. } = *self;
        let query = format!(
            "select source, {attempt}::int8, object, member, line, byte, column_name, reason, bytes
             from kiln.reject where source = {}",
            literal(name)
        );
        let place = "kiln.reject (source, attempt, object, member, line, byte, column_name, \
                     reason, bytes)";
        let stored = between::rows(from, &query, into, place, &Meter::default(), stop).await?;
        if stored.rows == rejected {
            return Ok(());
        }
        let message = format!("{rejected} rows of {name} were refused, {} are kept", stored.rows);
        Err(failure(Exit::ChecksFailed, message))
    }
}
