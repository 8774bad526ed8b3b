//! The checks before the seal: the schema's own queries, which must return no row, and what a
//! sealed build must be whatever its schema: durable tables, valid indexes, a safe server.
//!
//! A check only reads. Each is one statement, by the extended protocol, which takes no second one,
//! in a read-only transaction that is never committed: nothing that a check says or calls can
//! change what was counted.

mod keys;

use futures_util::{StreamExt as _, pin_mut};
use tokio_postgres::types::ToSql;
use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::CheckEntry;
use crate::catalog::registry::build::BuildDatabase;
use crate::error::stopped;
use crate::plan::tasks_of::check_subject;
use crate::postgres::{Session, db};
use crate::spec::schema::own_checks::OWN_CHECKS;
use crate::spec::schema::{Schema, SchemaFile, Section, SectionKind};
use crate::spec::source::Source;

/// Rows are counted up to this; a check that finds more has failed all the same.
const ROWS_MAX: u64 = 1000;

/// Begins what a check runs in.
const BEGIN: &str = "begin read only";

/// One query that must return no row.
pub(crate) struct Check<'a> {
    title: &'a str,
    sql: &'a str,
    /// Where the schema has it; nowhere for one of [`OWN_CHECKS`].
    section: Option<(&'a SchemaFile, &'a Section)>,
}

impl<'a> Check<'a> {
    /// The check that a task is called for.
    pub(crate) fn of(schema: &'a Schema, subject: &str) -> Option<Check<'a>> {
        let own = OWN_CHECKS.iter().find(|(title, _)| *title == subject);
        if let Some(&(title, sql)) = own {
            return Some(Check { title, sql, section: None });
        }
        let all = schema
            .files
            .iter()
            .flat_map(|file| file.of_kind(&SectionKind::Check).map(move |section| (file, section)));
        let mut all = all.filter(|(file, section)| check_subject(file, section) == subject);
        let (file, section) = all.next()?;
        Some(Check { title: &section.title, sql: &section.sql, section: Some((file, section)) })
    }
}

impl Check<'_> {
    fn explain(&self, refusal: CheckRefusal) -> anyhow::Error {
        match (refusal, self.section) {
            (CheckRefusal::Stopped, _) => stopped(),
            (CheckRefusal::Server(error), Some((file, section))) => file.explain(section, error),
            (CheckRefusal::Server(error), None) => db(format!("check \"{}\"", self.title))(error),
        }
    }

    fn found(&self, rows: u64, keys: Vec<String>) -> CheckEntry {
        let place = self.section.map_or_else(
            || "kiln".to_owned(),
            |(file, section)| format!("{}:{}", file.path.display(), section.line),
        );
        CheckEntry { title: self.title.to_owned(), place, rows, keys }
    }
}

/// Runs a check: how many rows it found, and the keys of the first.
///
/// # Errors
/// When the query cannot be run, with file and line.
pub(crate) async fn run(
    build: &BuildDatabase,
    session: &Session,
    check: &Check<'_>,
    sources: &[Source],
    stop: &CancellationToken,
) -> anyhow::Result<CheckEntry> {
    let rows = count(session, check.sql, stop).await.map_err(|refusal| check.explain(refusal))?;
    let keys = match rows {
        0 => Vec::new(),
        _ => keys::of(build, check.sql, sources).await,
    };
    Ok(check.found(rows, keys))
}

enum CheckRefusal {
    Server(tokio_postgres::Error),
    Stopped,
}

async fn count(
    session: &Session,
    sql: &str,
    stop: &CancellationToken,
) -> Result<u64, CheckRefusal> {
    let work = async {
        session.batch_execute(BEGIN).await?;
        let rows = rows_of(session, sql).await?;
        session.batch_execute("rollback").await?;
        Ok(rows)
    };
    tokio::select! {
        counted = work => counted.map_err(CheckRefusal::Server),
        () = stop.cancelled() => {
            session.canceller().cancel().await;
            Err(CheckRefusal::Stopped)
        }
    }
}

/// How many rows one statement gives, up to [`ROWS_MAX`], in the open transaction.
async fn rows_of(session: &Session, sql: &str) -> Result<u64, tokio_postgres::Error> {
    let no_values: [&(dyn ToSql + Sync); 0] = [];
    let answers = session.query_raw(sql, no_values).await?;
    pin_mut!(answers);
    let mut rows = 0;
    while let Some(answer) = answers.next().await {
        answer?;
        rows += 1;
        if rows == ROWS_MAX {
            session.canceller().cancel().await;
            // The rest, or the cancellation's error, is of no more interest.
            while answers.next().await.is_some() {}
            break;
        }
    }
    Ok(rows)
}

/// What a check says on the tables of a scratch database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CheckTrial {
    /// So many rows.
    Rows(u64),
    /// Nothing: it is no query, but a command.
    NoQuery,
}

/// Runs a check as a build does, and holds it to be a query.
///
/// # Errors
/// When Postgres reports an error outside of the check itself.
pub(crate) async fn try_on(
    session: &Session,
    sql: &str,
) -> Result<CheckTrial, tokio_postgres::Error> {
    session.batch_execute(BEGIN).await?;
    let work = async {
        let rows = rows_of(session, sql).await?;
        // What gives rows is a query; and the end of the counting may have broken the transaction.
        if rows > 0 {
            return Ok(CheckTrial::Rows(rows));
        }
        // A cursor is one query's; what it takes is read by Postgres and not by a guess at the text.
        let is_query = session.execute(&format!("declare of_check cursor for {sql}"), &[]).await;
        Ok(if is_query.is_ok() { CheckTrial::Rows(rows) } else { CheckTrial::NoQuery })
    };
    let tried = work.await;
    session.batch_execute("rollback").await?;
    tried
}
