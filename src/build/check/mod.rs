//! The checks before the seal: the schema's own queries, which must return no row, and what a
//! sealed build must be whatever its schema: durable tables, valid indexes, a safe server.
//!
//! A check only reads. Each is one statement, by the extended protocol, which takes no second one,
//! in a read-only transaction that is never committed: nothing that a check says or calls can
//! change what was counted.

mod keys;

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use futures_util::{StreamExt as _, pin_mut};
use tokio_postgres::types::ToSql;
use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::CheckEntry;
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{all_or_first_error, stopped};
use crate::postgres::{Session, db};
use crate::spec::schema::{Kind, Schema, SchemaFile, Section};
use crate::spec::source::Source;

/// Rows are counted up to this; a check that finds more has failed all the same.
const ROWS_MAX: u64 = 1000;

/// Begins what a check runs in.
const BEGIN: &str = "begin read only";

/// Facts that hold for every build, each a query that must return no row.
const ALWAYS: [(&str, &str); 4] = [
    (
        "no table may vanish in a crash",
        "select oid::regclass from pg_class where relkind in ('r', 'p', 'i', 'm', 'S')
         and relpersistence <> 'p' and relnamespace = 'public'::regnamespace",
    ),
    (
        "every index is valid",
        "select indexrelid::regclass from pg_index where not (indisvalid and indisready)",
    ),
    ("every constraint is validated", "select conname from pg_constraint where not convalidated"),
    (
        "the server keeps what it has committed",
        "select name from pg_settings where name in ('fsync', 'full_page_writes')
         and setting <> 'on'",
    ),
];

/// One query that must return no row.
struct Check<'a> {
    title: &'a str,
    sql: &'a str,
    /// Where the schema has it; nowhere for one of [`ALWAYS`].
    section: Option<(&'a SchemaFile, &'a Section)>,
}

impl Check<'_> {
    fn explain(&self, refusal: Refusal) -> anyhow::Error {
        match (refusal, self.section) {
            (Refusal::Stopped, _) => stopped(),
            (Refusal::Server(error), Some((file, section))) => file.explain(section, error),
            (Refusal::Server(error), None) => db(format!("check \"{}\"", self.title))(error),
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

/// Runs every check, this many side by side, and notes how many rows each found and the keys of the
/// first, in the order of the files.
///
/// # Errors
/// When a query cannot be run, with file and line.
pub async fn run(
    build: &BuildDatabase,
    schema: &Schema,
    sources: &[Source],
    connections: usize,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<CheckEntry>> {
    let checks = all(schema);
    let (next, abort) = (AtomicUsize::new(0), stop.child_token());
    let lanes =
        (0..connections.min(checks.len())).map(|_| lane(build, &checks, sources, &next, &abort));
    let found = all_or_first_error(join_all(lanes).await)?;
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}

/// kiln's own, and then the schema's in the order of its files.
fn all(schema: &Schema) -> Vec<Check<'_>> {
    let always = ALWAYS.iter().map(|&(title, sql)| Check { title, sql, section: None });
    let sections = schema.files.iter().flat_map(|file| {
        let checks = file.sections.iter().filter(|section| section.kind == Kind::Check);
        checks.map(move |section| Check {
            title: &section.title,
            sql: &section.sql,
            section: Some((file, section)),
        })
    });
    always.chain(sections).collect()
}

/// A session that takes the next check as long as there is one.
async fn lane(
    build: &BuildDatabase,
    checks: &[Check<'_>],
    sources: &[Source],
    next: &AtomicUsize,
    abort: &CancellationToken,
) -> anyhow::Result<Vec<(usize, CheckEntry)>> {
    let work = async {
        let session = build.session("check").await?;
        let mut found = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(check) = checks.get(index) else { break };
            let rows = count(&session, check.sql, abort).await;
            let rows = rows.map_err(|refusal| check.explain(refusal))?;
            let keys = match rows {
                0 => Vec::new(),
                _ => keys::of(build, check.sql, sources).await,
            };
            found.push((index, check.found(rows, keys)));
        }
        build.give_back(session);
        Ok(found)
    };
    let outcome = work.await;
    if outcome.is_err() {
        abort.cancel();
    }
    outcome
}

enum Refusal {
    Server(tokio_postgres::Error),
    Stopped,
}

async fn count(session: &Session, sql: &str, stop: &CancellationToken) -> Result<u64, Refusal> {
    let work = async {
        session.batch_execute(BEGIN).await?;
        let rows = rows_of(session, sql).await?;
        session.batch_execute("rollback").await?;
        Ok(rows)
    };
    tokio::select! {
        counted = work => counted.map_err(Refusal::Server),
        () = stop.cancelled() => {
            session.canceller().cancel().await;
            Err(Refusal::Stopped)
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
pub enum Tried {
    /// So many rows.
    Rows(u64),
    /// Nothing: it is no query, but a command.
    NoQuery,
}

/// Runs a check as a build does, and holds it to be a query.
///
/// # Errors
/// What the server says of it.
pub async fn try_on(session: &Session, sql: &str) -> Result<Tried, tokio_postgres::Error> {
    session.batch_execute(BEGIN).await?;
    let work = async {
        let rows = rows_of(session, sql).await?;
        // What gives rows is a query; and the end of the counting may have broken the transaction.
        if rows > 0 {
            return Ok(Tried::Rows(rows));
        }
        // A cursor is one query's; what it takes is read by Postgres and not by a guess at the text.
        let is_query = session.execute(&format!("declare of_check cursor for {sql}"), &[]).await;
        Ok(if is_query.is_ok() { Tried::Rows(rows) } else { Tried::NoQuery })
    };
    let tried = work.await;
    session.batch_execute("rollback").await?;
    tried
}
