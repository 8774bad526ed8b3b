//! The checks before the seal: the schema's own queries, which must return no row, and what a
//! sealed build must be whatever its schema: durable tables, valid indexes, a safe server.

use futures_util::{StreamExt as _, pin_mut};
use tokio_postgres::SimpleQueryMessage;
use tokio_util::sync::CancellationToken;

use crate::ledger::CheckEntry;
use crate::pg::{Session, db, stopped};
use crate::schema::{Kind, Schema, SchemaFile, Section};

/// Rows are counted up to this; a check that finds more has failed all the same.
const ROWS_MAX: u64 = 1000;

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

/// Runs every check and notes how many rows each found.
///
/// # Errors
/// When a query cannot be run, with file and line.
pub async fn run(
    session: &Session,
    schema: &Schema,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<CheckEntry>> {
    let mut entries = Vec::new();
    for (title, sql) in ALWAYS {
        let rows = count(session, sql, stop).await.map_err(|error| match error {
            Refusal::Server(error) => db(format!("check \"{title}\""))(error),
            Refusal::Stopped => stopped(),
        })?;
        entries.push(CheckEntry { title: title.into(), place: "kiln".into(), rows });
    }
    for file in &schema.files {
        for section in file.sections.iter().filter(|section| section.kind == Kind::Check) {
            entries.push(check(session, file, section, stop).await?);
        }
    }
    Ok(entries)
}

async fn check(
    session: &Session,
    file: &SchemaFile,
    section: &Section,
    stop: &CancellationToken,
) -> anyhow::Result<CheckEntry> {
    let rows = count(session, &section.sql, stop).await.map_err(|error| match error {
        Refusal::Server(error) => file.explain(section, error),
        Refusal::Stopped => stopped(),
    })?;
    let place = format!("{}:{}", file.path.display(), section.line);
    Ok(CheckEntry { title: section.title.clone(), place, rows })
}

enum Refusal {
    Server(tokio_postgres::Error),
    Stopped,
}

async fn count(session: &Session, sql: &str, stop: &CancellationToken) -> Result<u64, Refusal> {
    let work = async {
        let answers = session.simple_query_raw(sql).await?;
        pin_mut!(answers);
        let mut rows = 0;
        while let Some(answer) = answers.next().await {
            rows += u64::from(matches!(answer?, SimpleQueryMessage::Row(_)));
            if rows == ROWS_MAX {
                session.canceller().cancel().await;
            }
            if rows >= ROWS_MAX {
                // The rest, or the cancellation's error, is of no more interest.
                while answers.next().await.is_some() {}
                return Ok(rows);
            }
        }
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
