//! A source from its first file to its verdict: what is known of it while it loads, and the
//! entry that is written when its last file is in: proved loaded, or failed with its reason.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::part::Tally;
use super::queue::Task;
use super::{Part, dictionary};
use crate::bind::Binding;
use crate::error::{Exit, exit_of, render};
use crate::fetch::archive::Found;
use crate::fetch::member::Member;
use crate::ledger::{FileEntry, Leaf, SourceEntry, SourceState};
use crate::manifest::Input;
use crate::pg::{Session, db};
use crate::progress::Meter;
use crate::validate::dictionary::Shared;

/// A source under way.
pub(super) struct Open {
    pub(super) binding: Arc<Binding>,
    pub(super) input: Input,
    pub(super) period: Option<String>,
    pub(super) contents: Vec<Leaf>,
    pub(super) tally: Arc<Tally>,
    pub(super) dictionaries: Arc<[Shared]>,
    pub(super) attempt: i64,
    /// When its first file was begun; until then it waits for a connection.
    pub(super) began: Option<Instant>,
    pub(super) waiting: usize,
    pub(super) files: Vec<FileEntry>,
    pub(super) failed: Option<anyhow::Error>,
}

impl Open {
    pub(super) fn new(task: Task, attempt: i64) -> Open {
        Open {
            period: None,
            contents: Vec::new(),
            tally: Arc::default(),
            dictionaries: task.binding.dictionaries.iter().map(|_| Shared::default()).collect(),
            attempt,
            began: None,
            waiting: 0,
            files: Vec::new(),
            failed: None,
            binding: task.binding,
            input: task.input,
        }
    }

    /// Notes what is known of the files before they are read.
    pub(super) fn note(&mut self, found: &Found) {
        self.period = found.period().map(str::to_owned);
        self.contents.clone_from(&found.contents);
    }

    pub(super) fn part(&self, member: Member, meter: &Arc<Meter>) -> Part {
        Part {
            binding: Arc::clone(&self.binding),
            member,
            tally: Arc::clone(&self.tally),
            dictionaries: Arc::clone(&self.dictionaries),
            meter: Arc::clone(meter),
            attempt: self.attempt,
        }
    }
}

/// Proves a source that is loaded, or says why it is not, and writes the entry to the build.
pub(super) async fn settle(
    session: &Session,
    name: &str,
    open: Open,
) -> anyhow::Result<SourceEntry> {
    let counted: i64 = session
        .query_one(&format!("select count(*) from \"{name}\""), &[])
        .await
        .map_err(db("count rows"))?
        .get(0);
    session.batch_execute("begin").await.map_err(db("begin"))?;
    let dictionaries = match open.failed {
        None => dictionary::write(session, &open).await?,
        Some(_) => BTreeMap::new(),
    };
    let mut entry = entry(name, open, counted.unsigned_abs());
    entry.dictionaries = dictionaries;
    write_entry(session, &entry, None).await?;
    session.batch_execute("commit").await.map_err(db("commit the source"))?;
    Ok(entry)
}

/// Makes the entry: proved loaded, or failed with its reason.
pub(super) fn entry(name: &str, open: Open, counted: u64) -> SourceEntry {
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
    let failed = match failed {
        Some(error) => Some((exit_of(&error), render(&error.context(format!("source {name}"))))),
        None => {
            let problems = entry.problems();
            (!problems.is_empty()).then(|| (Exit::InputRejected, problems.join("; ")))
        }
    };
    if let Some((exit, error)) = failed {
        tracing::error!(source = name, error, "source failed");
        entry.state = SourceState::Failed;
        entry.error = Some(error);
        entry.exit_code = Some(exit.code());
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
/// The server's.
pub async fn write_entry(
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
/// The server's.
pub async fn note_without(session: &Session, name: &str) -> anyhow::Result<SourceEntry> {
    let entry = SourceEntry::empty(name, SourceState::Without);
    write_entry(session, &entry, None).await?;
    Ok(entry)
}
