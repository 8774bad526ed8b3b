//! What follows rows: a table's keys and indexes, tables that are derived from tables, and freeze and
//! analyze. What is made stands in a transaction that is left open: it is committed with its task.

mod duplicates;
pub(crate) mod lines;
mod loaded;
mod made;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::MadeIn;
use crate::catalog::registry::build::{BuildDatabase, ident};
use crate::error::{Exit, Failure, exit_of, message_of};
use crate::postgres::{Session, db};
use crate::spec::schema::{SchemaFile, SectionKind};
use crate::spec::source::Source;
use loaded::RowChanges;
pub(crate) use made::{MadeBy, account, kept};

/// A file's keys and indexes; where its rows do not keep them, the first of those rows by name.
///
/// # Errors
/// When Postgres reports an error, or the rows break a key: with file and line.
pub(crate) async fn keys(
    build: &BuildDatabase,
    session: &Session,
    file: &SchemaFile,
    sources: &[Source],
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    match apply(session, file, &SectionKind::PostData, stop).await {
        Ok(()) => Ok(()),
        Err(error) => Err(duplicates::named(build, file, sources, error).await),
    }
}

/// Makes a table from others; or copies it from a kept build that made it from the same rows. Gives what its
/// rows amount to, where a later build may copy it.
///
/// # Errors
/// When Postgres reports an error, or the section reads or changes what it may not.
pub(crate) async fn derive(
    build: &BuildDatabase,
    session: &Session,
    file: &SchemaFile,
    kept: Option<&MadeIn>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Value>> {
    if let Some(kept) = kept {
        match made::copy(build, session, file, kept, stop).await {
            Ok(made) => return Ok(Some(made)),
            Err(error)
                if matches!(exit_of(&error), Exit::ChecksFailed | Exit::Database | Exit::Usage) =>
            {
                let error = message_of(&error);
                tracing::warn!(table = file.table, error, "not copied: it is made anew");
                session.batch_execute("rollback").await.map_err(db("forget the table"))?;
            }
            Err(error) => return Err(error),
        }
    }
    apply(session, file, &SectionKind::Derive, stop).await?;
    match file.is_alone {
        true => made::rows(session, &file.table, stop).await,
        false => Ok(None),
    }
}

/// Freezes and analyzes a table: nothing is left for autovacuum, and the planner knows the data from the first
/// query on.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn analyze(
    session: &Session,
    table: &str,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let table = ident(table)?;
    // Rows came frozen and none is dead: workers for the indexes would only be begun and ended.
    let sql = format!("vacuum (freeze, analyze, parallel 0) {table}");
    session.run(&sql, format!("freeze {}", table.as_str()), stop).await.map(drop)
}

/// Runs a file's sections of one kind in a transaction that is left open.
async fn apply(
    session: &Session,
    file: &SchemaFile,
    kind: &SectionKind,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    session.batch_execute("begin").await.map_err(db("begin"))?;
    let early = match kind {
        SectionKind::Derive => file.begin_early(session, stop).await?,
        _ => None,
    };
    let written = RowChanges::read(session).await?;
    file.apply(session, kind, stop).await?;
    written.refuse_more(session, file, kind).await?;
    if let Some(early) = early
        && let Some((line, message)) = early.reads_unnamed(session).await?
    {
        let message = format!("{}:{line}: {message}", file.path.display());
        return Err(Failure::new(Exit::Usage, message).hint("kiln schema check").into());
    }
    Ok(())
}
