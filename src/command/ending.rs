//! How a run ends when it does not end well: which builds are kept, what the history says, and
//! what an engineer types to go on.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

use super::build_run::BuildRun;
use super::without;
use crate::catalog::ledger::{GateEntry, Ledger, SourceEntry, SourceState};
use crate::catalog::lock::RunLock;
use crate::catalog::registry::control::{self, Audit, RunEnd};
use crate::catalog::registry::found::note_sql;
use crate::catalog::registry::{BuildState, Tag};
use crate::catalog::stamp::Sealed;
use crate::error::{ErrorRecord, Exit, Failure, exit_of, message_of, stopped};
use crate::plan::manifest::rejected::{self, RejectedInput};
use crate::postgres::{db, is_state};
use crate::report;
use crate::spec::schema::Schema;
use crate::spec::source::Sources;

/// How long a stage may take to stop by itself.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// A build that is sealed, its run not yet ended.
pub(super) struct SealedBuild {
    pub lock: RunLock,
    pub sealed: Sealed,
    pub ledger: Ledger,
    pub tag: Tag,
    pub schema: Schema,
    pub sources: Sources,
}

impl BuildRun<'_> {
    /// Whether there is a source, or a reject, for an engineer to go on with.
    pub(super) async fn has_something(&self) -> bool {
        // The build itself is asked: a load that failed behind its rows has written no ledger.
        let sql = "select exists (select from kiln.reject)
                          or exists (select from kiln.source where state = 'loaded')";
        let Ok(session) = self.build.session("rejects").await else { return true };
        session.query_one(sql, &[]).await.map_or(true, |row| row.get(0))
    }

    /// What an engineer types to go on, that can succeed.
    fn go_on(&self, exit: Exit) -> String {
        let Tag { build, database, .. } = &self.tag;
        let failed = self.ledger.sources.iter().filter(|e| e.state == SourceState::Failed);
        let loads: String = failed
            .map(|entry| format!("kiln load {database} {} --into {build} && ", entry.source))
            .collect();
        // The same rows, SQL and lock would be refused once more.
        let is_final = matches!(exit, Exit::ChecksFailed | Exit::SchemaRefused) && loads.is_empty();
        match self.worth_keeping && !is_final {
            true => format!("{loads}kiln resume {build} && kiln swap {database}"),
            false => self.again(),
        }
    }

    /// The command that was typed, for after a person's word: a resume continues with what it has.
    pub(super) fn once_more(&self) -> String {
        match self.ledger.command.as_str() {
            command @ ("resume" | "finish") => format!("kiln {command} {}", self.tag.build),
            _ => self.again(),
        }
    }

    /// What does it all once more, as it was asked.
    fn again(&self) -> String {
        let command = match &self.asked {
            Some(asked) => return asked.clone(),
            None if self.ledger.command == "build" => "build",
            None => "run",
        };
        let config = &self.context.config;
        let without = without::arguments(config, &self.tag.database, &self.without);
        let full_refresh = if self.full_refresh { " --full-refresh" } else { "" };
        format!("kiln {command} {}{without}{full_refresh}", self.tag.database)
    }

    /// Adds how to go on to what the seal refuses.
    pub(super) fn not_sealed(&self, error: anyhow::Error) -> anyhow::Error {
        match error.downcast::<Failure>() {
            Ok(failure) if failure.exit == Exit::ChecksFailed => {
                let hint = format!(
                    "look into the kept build: psql \"$(kiln url {})\"; land the mended file, then: {}",
                    self.tag.build,
                    self.go_on(failure.exit)
                );
                failure.hint(hint).into()
            }
            Ok(failure) => failure.into(),
            Err(error) => error,
        }
    }

    /// Notes in the audit that there is a new sealed build.
    pub(super) async fn audit_seal(&self) -> anyhow::Result<()> {
        let audit = Audit {
            action: "seal",
            database: &self.tag.database,
            from: None,
            to: Some(&self.tag.build),
            why: &self.ledger.command,
            details: serde_json::json!({
                "version": self.tag.version, "fingerprint": self.tag.fingerprint,
                "rows": self.ledger.rows(), "without": self.tag.without,
            }),
        };
        control::write_audit(&self.lock, &self.context.who, &audit).await?;
        // The seal's own transaction was in the build, out of the note's reach.
        let note = note_sql(&self.tag);
        self.lock.batch_execute(&note).await.map_err(db("note the seal"))
    }

    /// Says what failed, sources with the same trouble together, and how to go on.
    pub(super) fn refuse_failed_sources(&self) -> anyhow::Result<()> {
        let failed: Vec<_> =
            self.ledger.sources.iter().filter(|e| e.state == SourceState::Failed).collect();
        let Some(first) = failed.first() else { return Ok(()) };
        let exit = first.exit_code.and_then(Exit::of_code).unwrap_or(Exit::InputRejected);
        let (said, own_hint) = trouble(&failed);
        let place = first.position.clone();
        if self.tag.state == BuildState::Scratch {
            let failure = Failure::new(exit, said).at(place);
            return Err(match own_hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
            .into());
        }
        let sqlstate = sqlstate(&failed);
        let go_on = self.go_on(exit);
        let mended = match exit {
            Exit::InputRejected => format!("land the mended file, then: {go_on}"),
            Exit::InputUnavailable => format!("once S3 has it again: {go_on}"),
            _ => format!("then: {go_on}"),
        };
        let hint = own_hint.map_or(mended.clone(), |own| format!("{own}; {mended}"));
        let mut failure = Failure::new(exit, said).hint(hint).at(place);
        failure.sqlstate = sqlstate;
        Err(failure.into())
    }

    /// Puts a failed build away: kept for an engineer where there is something to keep, dropped
    /// after a signal, on a full disk (a rollback frees nothing), or when nothing was loaded.
    /// A sealed build stays whatever came after.
    pub(super) async fn fail(&mut self, error: anyhow::Error) -> anyhow::Error {
        if self.lock.is_closed() {
            let server = self.context.server(self.lock.database());
            self.lock.renew(server).await;
        }
        let exit = exit_of(&error);
        let full = is_state(&error, &SqlState::DISK_FULL);
        let signal = exit == Exit::Terminated || self.context.stop.is_cancelled();
        // What workers have done is not lost because the last step was stopped: it may be started again.
        let waits = self.tag.until.is_some() && (signal || full) && !self.ledger.sealed;
        let keep = waits || self.ledger.sealed || (self.worth_keeping && !signal && !full);
        let database = self.tag.database.clone();
        if !keep {
            if let Err(error) = self.build.discard(&self.lock).await {
                let error = message_of(&error);
                tracing::warn!(build = self.tag.build, error, "not dropped; the next run will");
            }
        } else if !self.ledger.sealed && !waits {
            self.tag.state = BuildState::Failed;
            self.tag.without.clone_from(&self.without);
            if let Err(error) = self.build.retag(&self.lock, &self.tag).await {
                let error = message_of(&error);
                tracing::warn!(build = self.tag.build, error, "that it failed is not noted on it");
            }
        }
        let next = match (keep, self.ledger.sealed) {
            _ if waits => format!("kiln finish {} && kiln swap {database}", self.tag.build),
            (true, true) => format!("kiln swap {database}"),
            (true, false) => self.go_on(exit),
            (false, _) => self.again(),
        };
        let told = RecordedError::of(&error);
        self.ledger.warnings.extend(self.context.progress.clock.take_warnings());
        let end = RunEnd {
            build: Some(&self.tag.build),
            next: Some(&next),
            ledger: serde_json::to_value(&self.ledger).ok(),
            ..told.end()
        };
        note_end(&self.lock, &database, &end).await;
        error
    }
}

impl SealedBuild {
    /// Notes the run's end; the lock is let go of.
    pub(super) async fn end(self, error: Option<anyhow::Error>) -> anyhow::Result<()> {
        let told = error.as_ref().map(RecordedError::of);
        let Tag { build, database, subset, .. } = &self.tag;
        let next = match (self.ledger.promoted.is_some(), subset) {
            (true, _) => format!("kiln prune {database}"),
            (false, None) => GateEntry::way_on(database, &self.ledger.gates)
                .unwrap_or_else(|| format!("kiln swap {database}")),
            (false, Some(_)) => format!("kiln swap {database} {build}"),
        };
        let end = RunEnd {
            build: Some(&self.tag.build),
            // What the gate refuses says itself what helps.
            next: error
                .as_ref()
                .filter(|error| exit_of(error) != Exit::SchemaRefused)
                .map(|_| next.as_str()),
            ledger: Some(serde_json::to_value(&self.ledger)?),
            ..told.as_ref().map(RecordedError::end).unwrap_or_default()
        };
        let noted = control::end_run(&self.lock, self.lock.who(), &self.tag.database, &end).await;
        match (error, noted) {
            // What failed first says more than that it could not be noted.
            (Some(error), noted) => {
                if let Err(lost) = noted {
                    not_noted(&self.tag.database, end.exit_code, &lost);
                }
                Err(error)
            }
            (None, noted) => noted,
        }
    }
}

/// An error as the history has it.
pub(super) struct RecordedError {
    text: String,
    record: ErrorRecord,
}

impl RecordedError {
    /// Of an error that ends a run.
    pub(super) fn of(error: &anyhow::Error) -> RecordedError {
        RecordedError { text: report::error::text(error), record: report::error::record(error) }
    }

    /// The end of a run that it makes, but for build, ledger and what is next.
    pub(super) fn end(&self) -> RunEnd<'_> {
        RunEnd {
            exit_code: i32::from(self.record.exit_code),
            error: Some(&self.text),
            failure: Some(report::error::json(&self.record)),
            ..RunEnd::default()
        }
    }
}

/// What the server answered to the failed sources; a full disk before all else.
fn sqlstate(failed: &[&SourceEntry]) -> Option<String> {
    let answered = failed.iter().filter_map(|entry| entry.sqlstate.as_ref());
    answered.max_by_key(|state| *state == SqlState::DISK_FULL.code()).cloned()
}

/// What failed sources say: a line for each trouble, and the hint of the first.
fn trouble(failed: &[&SourceEntry]) -> (String, Option<String>) {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    let mut own_hint = None;
    for entry in failed {
        let error = entry.error.as_deref().unwrap_or("failed");
        let own = format!("source {}: ", entry.source);
        let said = error.strip_prefix(own.as_str()).unwrap_or(error);
        match told.iter_mut().find(|(known, _)| known == said) {
            Some((_, names)) => names.push(&entry.source),
            None => told.push((said.to_owned(), vec![&entry.source])),
        }
        own_hint = own_hint.or_else(|| entry.hint.clone());
    }
    let line = |(said, names): &(String, Vec<&str>)| match names.as_slice() {
        [one] => format!("source {one}: {said}"),
        all => format!("sources {}: {said}", all.join(", ")),
    };
    (told.iter().map(line).collect::<Vec<_>>().join("\n"), own_hint)
}

/// Runs the work; after a stop signal it has three seconds to stop by itself, which it uses to
/// cancel statements. A stage that waits for something else is then left where it is: what it
/// holds open on the server is dropped with the build.
pub(super) async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        outcome = work => outcome,
        () = async { stop.cancelled().await; tokio::time::sleep(STOP_PATIENCE).await } => {
            Err(stopped())
        }
    }
}

/// Ends a run that failed before there was a build, with the command that continues it.
pub(super) async fn end_early(
    lock: &RunLock,
    error: anyhow::Error,
    next: Option<&str>,
) -> anyhow::Error {
    end_early_of(lock, lock.database(), error, next).await
}

/// The same of one of the databases that a lock holds.
pub(super) async fn end_early_of(
    lock: &RunLock,
    database: &str,
    error: anyhow::Error,
    next: Option<&str>,
) -> anyhow::Error {
    let told = RecordedError::of(&error);
    let waive = format!("{} && kiln run {database}", rejected::hint(database));
    let next = if error.is::<RejectedInput>() { Some(waive.as_str()) } else { next };
    let end = RunEnd { next, ..told.end() };
    note_end(lock, database, &end).await;
    error
}

/// Notes how a run failed. That this could not be noted is no reason to say less of why it failed.
async fn note_end(lock: &RunLock, database: &str, end: &RunEnd<'_>) {
    if let Err(error) = control::end_run(lock, lock.who(), database, end).await {
        not_noted(database, end.exit_code, &error);
    }
}

/// The history will say that this run was killed: the log and standard error say how it ended.
fn not_noted(database: &str, exit_code: i32, error: &anyhow::Error) {
    let error = message_of(error);
    tracing::error!(database, exit_code, error, "how the run ended is not in the history");
    let said = error.lines().next().unwrap_or_default();
    eprintln!(
        "kiln: how the run of {database} ended (exit code {exit_code}) is not in the history: {said}"
    );
}
