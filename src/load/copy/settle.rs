//! A source from its first file to its verdict, in one transaction: its tables are emptied, filled
//! and counted, and its entry is written.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::part::Tally;
use super::rejects::RejectWriter;
use super::{FileToLoad, dictionary, send, truncate};
use crate::catalog::ledger::{FileEntry, SourceEntry, SourceState};
use crate::catalog::manifest::Input;
use crate::error::{ErrorRecord, Exit, Failure, exit_of};
use crate::fetch::archive::FoundMembers;
use crate::fetch::contents::Leaf;
use crate::fetch::member::Member;
use crate::load::bind::Binding;
use crate::load::members;
use crate::load::meter::Meter;
use crate::load::validate::dictionary::Shared;
use crate::postgres::{Session, db};

/// A source under way.
pub(crate) struct Open {
    pub(crate) binding: Arc<Binding>,
    pub(crate) input: Input,
    pub(crate) period: Option<String>,
    pub(crate) contents: Vec<Leaf>,
    pub(crate) parts: Vec<FileToLoad>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) dictionaries: Arc<[Shared]>,
    /// How far it is.
    pub(crate) meter: Arc<Meter>,
    /// When its first file was begun; until then it waits for a connection.
    pub(crate) began: Option<Instant>,
    pub(crate) files: Vec<FileEntry>,
    pub(crate) failed: Option<anyhow::Error>,
}

impl Open {
    /// A source whose files are known, or that failed before they were.
    pub(crate) fn new(
        binding: Arc<Binding>,
        input: Input,
        attempt: i64,
        found: anyhow::Result<FoundMembers>,
        meter: &Arc<Meter>,
    ) -> Open {
        let dictionaries: Arc<[Shared]> =
            binding.dictionaries.iter().map(|_| Shared::default()).collect();
        let mut open = Open {
            period: None,
            contents: Vec::new(),
            parts: Vec::new(),
            tally: Arc::default(),
            dictionaries,
            meter: Arc::clone(meter),
            began: None,
            files: Vec::new(),
            failed: None,
            binding,
            input,
        };
        match found {
            Err(error) => open.failed = Some(error),
            Ok(found) => {
                open.period = members::period(&found);
                open.contents = found.contents;
                let first = found.members.first().cloned();
                let of_all = first.map(|member| open.part(member, attempt));
                let part = |member| of_all.clone().map(|of_all| FileToLoad { member, ..of_all });
                open.parts = found.members.into_iter().filter_map(part).collect();
            }
        }
        meter.total.store(open.size(), Ordering::Relaxed);
        open
    }

    fn part(&self, member: Member, attempt: i64) -> FileToLoad {
        FileToLoad {
            binding: Arc::clone(&self.binding),
            member,
            tally: Arc::clone(&self.tally),
            dictionaries: Arc::clone(&self.dictionaries),
            siblings: Arc::default(),
            meter: Arc::clone(&self.meter),
            attempt,
        }
    }

    /// Its files' bytes of text.
    pub(crate) fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.member.size()).sum()
    }

    /// Empties its tables and loads its files, in the caller's transaction.
    pub(crate) async fn load(
        &mut self,
        session: &Session,
        cores: &Arc<Semaphore>,
        rejects: &mut RejectWriter,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        self.began.get_or_insert_with(Instant::now);
        let name = self.binding.source.name.as_str();
        session
            .batch_execute(&truncate(&self.binding.source))
            .await
            .map_err(db(format!("empty table {name}")))?;
        let sent = send(session, &self.parts, cores, rejects, stop).await;
        if sent.is_err() {
            // What was refused is worth keeping even where the source was not taken.
            let _ = rejects.flush().await;
        }
        self.files = sent?;
        Ok(())
    }

    /// Counts what the tables hold and fills the dictionaries' tables; then the verdict.
    pub(crate) async fn prove(self, session: &Session) -> anyhow::Result<SourceEntry> {
        let name = self.binding.source.name.as_str().to_owned();
        let (counted, table_rows) = count(session, &self.binding).await?;
        let dictionaries = dictionary::write(session, &self.binding, &self.dictionaries).await?;
        let mut entry = entry(&name, self, counted);
        entry.stored = table_rows;
        entry.dictionaries = dictionaries;
        Ok(entry)
    }
}

/// Counts how many of the file's rows a table holds, and how many rows it has itself, where that is
/// another number.
pub(crate) async fn count(
    session: &Session,
    binding: &Binding,
) -> anyhow::Result<(u64, Option<u64>)> {
    let counts = session.query_one(&binding.count_sql(), &[]).await.map_err(db("count rows"))?;
    let [source_rows, table_rows] =
        [0, 1].map(|column| counts.get::<_, i64>(column).unsigned_abs());
    Ok((source_rows, binding.source.pack.as_ref().map(|_| table_rows)))
}

/// Loads a source and settles it, in the caller's transaction, which is left open. What its own input
/// makes fail stands in its entry: a source that could not be read leaves no row, one with too many rejects
/// leaves the others to be looked at.
///
/// # Errors
/// When something concerns all sources: the server is lost or full, or the run is stopped.
pub(crate) async fn load_and_settle(
    session: &Session,
    mut open: Open,
    cores: &Arc<Semaphore>,
    rejects: &mut RejectWriter,
    stop: &CancellationToken,
) -> anyhow::Result<SourceEntry> {
    let name = open.binding.source.name.as_str().to_owned();
    let loaded = open.load(session, cores, rejects, stop).await;
    let entry = match loaded {
        Ok(()) => open.prove(session).await?,
        Err(error) if concerns_all(&error) => {
            return Err(error.context(format!("source {name}")));
        }
        Err(error) => {
            session.batch_execute("rollback; begin").await.map_err(db("forget the rows"))?;
            open.failed = Some(error);
            entry(&name, open, 0)
        }
    };
    write_entry(session, &entry, None).await?;
    Ok(entry)
}

/// A server that is lost or full fails every other source as well; a signal stops all.
fn concerns_all(error: &anyhow::Error) -> bool {
    matches!(exit_of(error), Exit::Database | Exit::Terminated | Exit::Bug)
}

/// Writes the entry of a source that failed before it could be loaded.
pub(crate) async fn settle_failed(session: &Session, open: Open) -> anyhow::Result<SourceEntry> {
    let name = open.binding.source.name.as_str().to_owned();
    let entry = entry(&name, open, 0);
    write_entry(session, &entry, None).await?;
    Ok(entry)
}

/// Makes the entry: proved loaded, or failed with its reason.
fn entry(name: &str, open: Open, counted: u64) -> SourceEntry {
    let mut entry = SourceEntry::empty(name, SourceState::Loaded);
    entry.period = open.period;
    entry.contents = open.contents;
    entry.posted = open.input.posted;
    entry.files = open.files;
    entry.files.sort_by(|a, b| a.member.cmp(&b.member));
    entry.counted = counted;
    let source = &open.binding.source;
    let rows = entry.sum(|file| file.lines - file.header);
    entry.rejects_allowed = source.rejects_allowed(rows);
    entry.rows_min = source.budget.rows_min;
    entry.digest = digest(&entry.files);
    entry.seconds = open.began.map_or(0.0, |began| began.elapsed().as_secs_f64());
    let failed = open.failed.or_else(|| {
        let over = open.tally.count() > entry.rejects_allowed;
        over.then(|| open.tally.over_budget(entry.rejects_allowed, false))
    });
    let failed = failed.map(|error| error.context(format!("source {name}"))).or_else(|| {
        let problems = entry.problems();
        let failed = || Failure::new(Exit::InputRejected, problems.join("; ")).into();
        (!problems.is_empty()).then(failed)
    });
    if let Some(error) = failed {
        let record = ErrorRecord::of(&error);
        tracing::error!(source = name, error = record.message, hint = record.hint, "source failed");
        entry.fail(record);
    } else {
        tracing::info!(source = name, rows = counted, digest = entry.digest, "source loaded");
    }
    entry
}

fn digest(files: &[FileEntry]) -> String {
    let sum = files
        .iter()
        .filter_map(|file| u128::from_str_radix(&file.digest, 16).ok())
        .fold(0_u128, u128::wrapping_add);
    format!("{sum:032x}")
}

/// Writes a source's entry to the build; with a new attempt's number where it was replaced.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn write_entry(
    session: &Session,
    entry: &SourceEntry,
    attempt: Option<i64>,
) -> anyhow::Result<()> {
    let state = match entry.state {
        SourceState::Loaded => "loaded",
        SourceState::Failed => "failed",
        SourceState::Without => "without",
    };
    let json = serde_json::to_value(entry)?;
    let rejected = entry.sum(|file| file.rejected).cast_signed();
    session
        .execute(
            "insert into kiln.source as s (source, state, attempt, period, posted, rows, rejected,
                                           digest, entry, loaded_at)
             values ($1, $2, coalesce($3::int8, 1), $4, $5, $6, $7, $8, $9, clock_timestamp())
             on conflict (source) do update
             set state = excluded.state, attempt = coalesce($3::int8, s.attempt),
                 period = excluded.period, posted = excluded.posted, rows = excluded.rows,
                 rejected = excluded.rejected, digest = excluded.digest, entry = excluded.entry,
                 loaded_at = excluded.loaded_at",
            &[
                &entry.source,
                &state,
                &attempt,
                &entry.period,
                &entry.posted,
                &entry.counted.cast_signed(),
                &rejected,
                &entry.digest,
                &json,
            ],
        )
        .await
        .map_err(db("note the source"))?;
    Ok(())
}

/// Notes a source that the build does without.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn note_without(session: &Session, name: &str) -> anyhow::Result<SourceEntry> {
    let entry = SourceEntry::empty(name, SourceState::Without);
    write_entry(session, &entry, None).await?;
    Ok(entry)
}
