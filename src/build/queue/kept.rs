//! A source whose table is brought over from a build that is kept: read in binary out of the one
//! and written into the other, counted and digested on the way, as the loader does it. What does
//! not agree with the kept build's own account to the row is loaded from its files instead: a
//! table that somebody has touched is never sealed again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::jobs::{Done, Jobs};
use super::{Loading, Meters, Task, begin_source, open};
use crate::catalog::ledger::{Reuse, SourceEntry};
use crate::catalog::registry::build::BuildDatabase;
use crate::config::failpoint;
use crate::error::{Exit, exit_of, failure, message_of};
use crate::load::bind::{self, Binding};
use crate::load::copy::between::{self, Numbered, Stored, Way};
use crate::load::copy::settle::{count, write_entry};
use crate::load::copy::{frozen, truncate};
use crate::load::meter::Meter;
use crate::plan::reuse::Keep;
use crate::postgres::{Session, db, literal};
use crate::spec::source::Period;

/// A source that waits to be brought over.
pub(super) struct Waiting {
    task: Task,
    keep: Keep,
    meter: Arc<Meter>,
}

impl Waiting {
    /// Where it is.
    pub(super) fn keep(&self) -> &Keep {
        &self.keep
    }

    /// How many rows it is.
    pub(super) fn rows(&self) -> u64 {
        self.keep.entry.counted
    }
}

impl Loading<'_> {
    /// Puts the sources that are kept into the queue.
    pub(super) fn queue_kept(tasks: Vec<Task>, jobs: &mut Jobs, meters: &mut Meters) {
        for mut task in tasks {
            let Some(keep) = task.keep.take() else { continue };
            let meter = Arc::new(Meter::default());
            meter.rows_total.store(keep.entry.counted, Ordering::Relaxed);
            meters.push((task.binding.source.name.as_str().to_owned(), Arc::clone(&meter)));
            jobs.begin(&task.binding);
            jobs.keep(Waiting { task, keep, meter });
        }
    }

    /// Brings a kept source over, or opens it to be loaded.
    pub(super) async fn bring_or_load(
        &self,
        waiting: Waiting,
        abort: &CancellationToken,
    ) -> anyhow::Result<Done> {
        let name = waiting.task.binding.source.name.as_str().to_owned();
        let span = tracing::info_span!("reuse", source = name, from = waiting.keep.build);
        let clock = self.clock;
        clock.rows_began(&name, &waiting.meter);
        let brought = self.bring(&waiting, abort).instrument(span).await;
        let error = match brought {
            Ok(entry) => {
                clock.rows_over(&name);
                failpoint::hit(failpoint::SOURCE)?;
                return Ok(Done::Settled(Box::new(entry)));
            }
            Err(error) if !matches!(exit_of(&error), Exit::ChecksFailed | Exit::Database) => {
                return Err(error.context(format!("source {name}")));
            }
            Err(error) => error,
        };
        let Waiting { task, keep, meter } = waiting;
        let said = format!(
            "{name} is loaded from its files, for {} does not give it back: {}",
            keep.build,
            message_of(&error)
        );
        tracing::warn!(source = name, error = said, "not brought over");
        let (task, found) = self.find(task).await;
        clock.rows_gone(&name);
        for counter in [&meter.bytes, &meter.rows, &meter.rows_total] {
            counter.store(0, Ordering::Relaxed);
        }
        let session = self.build.session("open sources").await?;
        let opened = open(&session, task, found, &meter).await?;
        self.build.give_back(session);
        Ok(Done::NotBrought(opened, said))
    }

    /// One transaction: the dictionaries, the rows, the rejects and the entry, or nothing.
    async fn bring(
        &self,
        waiting: &Waiting,
        stop: &CancellationToken,
    ) -> anyhow::Result<SourceEntry> {
        let began = Instant::now();
        let Waiting { task, keep, meter } = waiting;
        let binding = &task.binding;
        let name = binding.source.name.as_str();
        let into = self.build.session(name).await?;
        let attempt = begin_source(&into, name).await?;
        let from = reader(&self.build.other(&keep.database)?, name).await?;
        same_columns(&from, &into, binding).await?;
        let over = Over { from: &from, into: &into, meter, stop };
        into.batch_execute("begin").await.map_err(db("begin"))?;
        let empty = truncate(&binding.source);
        into.batch_execute(&empty).await.map_err(db(format!("empty table {name}")))?;
        let rows = over.tables(binding, keep).await?;
        over.rejects(name, attempt, &keep.entry).await?;
        let (counted, stored) = count(&into, binding).await?;
        agree(name, &keep.entry, counted, rows)?;
        let mut entry = keep.entry.clone();
        entry.posted.clone_from(&task.input.posted);
        // An older kiln sealed it in the publisher's words.
        entry.period = entry.period.map(|text| Period::canonical(&text));
        entry.counted = counted;
        entry.stored = stored;
        entry.digest = rows.digest_hex();
        entry.seconds = began.elapsed().as_secs_f64();
        entry.reused = Some(Reuse { build: keep.build.clone(), evidence: keep.evidence.clone() });
        write_entry(&into, &entry, None).await?;
        into.batch_execute("commit").await.map_err(db("commit rows"))?;
        self.build.give_back(into);
        tracing::info!(rows = counted, digest = entry.digest, "brought over");
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
fn agree_on_sets(table: &str, keep: &Keep, found: u64) -> anyhow::Result<()> {
    let sealed = keep.entry.dictionaries.get(table).copied();
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
    async fn tables(&self, binding: &Binding, keep: &Keep) -> anyhow::Result<Stored> {
        let Over { from, into, meter, stop, .. } = *self;
        let mut sets = Vec::new();
        for dictionary in &binding.dictionaries {
            let (query, sql) = (dictionary.select_sql(), frozen(&dictionary.copy_sql()));
            let way = Way { from, query: &query, into, sql: &sql, meter: &Meter::default(), stop };
            let (stored, digests) = way.sets().await?;
            agree_on_sets(dictionary.table.as_str(), keep, stored.rows)?;
            sets.push(digests);
        }
        let (query, sql) = (binding.select_sql(), frozen(&binding.copy_sql()));
        Way { from, query: &query, into, sql: &sql, meter, stop }
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
