//! After the rows: a table's keys and indexes, and freeze and analyse, while others still load; then
//! those with foreign keys, and tables made from tables. Each file's step is noted in the build in its
//! own transaction, so that a build that goes on does not do it twice.

mod duplicates;
pub mod lines;
mod loaded;
mod made;

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::MadeIn;
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{Exit, Failure, all_or_first_error, exit_of, render};
use crate::postgres::{Session, db};
use crate::spec::schema::{Kind, Schema, SchemaFile, Section};
use crate::spec::source::Source;
use loaded::Written;
pub use made::account;

/// Builds what the `-- post-data` sections say, this many files at a time; those with foreign keys
/// last, in number order.
///
/// # Errors
/// The first that fails; the others are stopped.
pub async fn post_data(
    build: &BuildDatabase,
    schema: &Schema,
    sources: &[Source],
    connections: usize,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let abort = stop.child_token();
    let done = steps_done(build).await?;
    let (later, first): (Vec<&SchemaFile>, Vec<&SchemaFile>) = schema
        .files
        .iter()
        .filter(|file| file.of_kind(&Kind::PostData).next().is_some())
        .filter(|file| !done.contains(&step_name(file, &Kind::PostData)))
        .partition(|file| refers(file));
    side_by_side(first.into_iter(), connections, &abort, async |file: &SchemaFile| {
        keys(build, file, sources, &abort).await
    })
    .await?;
    for file in later {
        keys(build, file, sources, stop).await?;
    }
    Ok(())
}

/// The tables that [`finish_table`] is done with.
///
/// # Errors
/// When the server cannot be asked.
pub async fn finished(build: &BuildDatabase, schema: &Schema) -> anyhow::Result<BTreeSet<String>> {
    let done = steps_done(build).await?;
    let is_done = |file: &&SchemaFile| {
        let is_early = file.of_kind(&Kind::Derive).any(Section::is_early);
        let kind = if is_early { Kind::Derive } else { Kind::PostData };
        file.of_kind(&kind).next().is_none() || done.contains(&step_name(file, &kind))
    };
    let files = schema.files.iter().filter(is_done);
    Ok(files.map(|file| file.table.clone()).collect())
}

/// Whether a file's keys may need those of another table, which must then be there first.
fn refers(file: &SchemaFile) -> bool {
    let mut sections = file.of_kind(&Kind::PostData);
    sections.any(|section| section.sql.to_ascii_lowercase().contains("references"))
}

/// Finishes one table whose rows are in, while others still load: what its `-- post-data` section
/// says, then freeze and analyse. One with foreign keys waits for the others' keys. One that is made
/// from the rows of others is made, or brought over from `kept`, which made it from the same rows; what
/// changes while it is made could not be frozen yet.
///
/// # Errors
/// The server's; a key that its rows do not keep, with file and line.
pub async fn finish_table(
    build: &BuildDatabase,
    schema: &Schema,
    sources: &[Source],
    table: &str,
    kept: Option<MadeIn>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(file) = schema.files.iter().find(|file| file.table == table) else { return Ok(()) };
    if refers(file) {
        return Ok(());
    }
    if file.of_kind(&Kind::Derive).any(Section::is_early) {
        return make(build, file, kept, stop).await;
    }
    keys(build, file, sources, stop).await?;
    let session = build.session(&format!("freeze {table}")).await?;
    freeze_table(&session, table, stop).await?;
    build.give_back(session);
    Ok(())
}

/// Brings a table over that a kept build made from the same rows, or makes it.
async fn make(
    build: &BuildDatabase,
    file: &SchemaFile,
    kept: Option<MadeIn>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let brought = match &kept {
        None => return step_of(build, file, &Kind::Derive, stop).await,
        Some(kept) => made::bring(build, file, kept, stop).await,
    };
    match brought {
        Err(error)
            if matches!(exit_of(&error), Exit::ChecksFailed | Exit::Database | Exit::Usage) =>
        {
            let error = render(&error);
            tracing::warn!(table = file.table, error, "not brought over: it is made anew");
            step_of(build, file, &Kind::Derive, stop).await
        }
        outcome => outcome,
    }
}

/// Makes the tables of the `-- derive` sections, in their order.
///
/// # Errors
/// The first that fails.
pub async fn derive(
    build: &BuildDatabase,
    schema: &Schema,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    for file in schema.derived() {
        step_of(build, file, &Kind::Derive, stop).await?;
    }
    Ok(())
}

/// Freezes and analyses every table, this many at a time, the largest first: nothing is left for
/// autovacuum, and the planner knows the data from the first query on.
///
/// # Errors
/// The first that fails.
pub async fn freeze(
    build: &BuildDatabase,
    connections: usize,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let session = build.session("freeze").await?;
    let tables = unfrozen(&session).await?;
    build.give_back(session);
    let abort = stop.child_token();
    side_by_side(tables.iter(), connections, &abort, async |table: &String| {
        let session = build.session(&format!("freeze {table}")).await?;
        freeze_table(&session, table, &abort).await?;
        build.give_back(session);
        Ok(())
    })
    .await
}

/// The tables that are not frozen yet, the largest first.
async fn unfrozen(session: &Session) -> anyhow::Result<Vec<String>> {
    let sql = "select relname::text from pg_class
               where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                   and 'Freeze ' || relname not in (select step from kiln.step)
               order by pg_table_size(oid) desc, relname";
    let rows = session.query(sql, &[]).await.map_err(db("look for tables to freeze"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Freezes and analyses a table, unless that was done behind its keys.
async fn freeze_table(
    session: &Session,
    table: &str,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let name = format!("Freeze {table}");
    if is_done(session, &name).await? {
        return Ok(());
    }
    // Rows came frozen and none is dead: workers for the indexes would only be begun and ended.
    let sql = format!("vacuum (freeze, analyze, parallel 0) \"{table}\"");
    session.run(&sql, format!("freeze {table}"), stop).await?;
    note_done(session, &name).await
}

async fn side_by_side<'a, T: 'a>(
    items: impl Iterator<Item = &'a T>,
    connections: usize,
    abort: &CancellationToken,
    work: impl AsyncFn(&'a T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let outcomes: Vec<anyhow::Result<()>> = stream::iter(items)
        .map(async |item| {
            if abort.is_cancelled() {
                return Ok(());
            }
            let outcome = work(item).await;
            if outcome.is_err() {
                abort.cancel();
            }
            outcome
        })
        .buffer_unordered(connections)
        .collect()
        .await;
    all_or_first_error(outcomes).map(drop)
}

/// A file's keys and indexes; where its rows do not keep them, the first of those rows by name.
async fn keys(
    build: &BuildDatabase,
    file: &SchemaFile,
    sources: &[Source],
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    match step_of(build, file, &Kind::PostData, stop).await {
        Ok(()) => Ok(()),
        Err(error) => Err(duplicates::named(build, file, sources, error).await),
    }
}

/// A file's step in a session that is named for it.
async fn step_of(
    build: &BuildDatabase,
    file: &SchemaFile,
    kind: &Kind,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let session = build.session(&format!("{} {}", kind.word(), file.table)).await?;
    step(&session, file, kind, stop).await?;
    build.give_back(session);
    Ok(())
}

async fn step(
    session: &Session,
    file: &SchemaFile,
    kind: &Kind,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let name = step_name(file, kind);
    if is_done(session, &name).await? {
        return Ok(());
    }
    session.batch_execute("begin").await.map_err(db("begin"))?;
    let early = match kind {
        Kind::Derive => file.begin_early(session, stop).await?,
        _ => None,
    };
    let written = Written::read(session).await?;
    file.apply(session, kind, stop).await?;
    written.refuse_more(session, file, kind).await?;
    if let Some(early) = early
        && let Some((line, message)) = early.reads_unnamed(session).await?
    {
        let message = format!("{}:{line}: {message}", file.path.display());
        return Err(Failure::new(Exit::Usage, message).hint("kiln schema check").into());
    }
    if *kind == Kind::Derive && file.is_made_alone() {
        made::note_rows(session, &file.table, stop).await?;
    }
    note_done(session, &name).await?;
    session.batch_execute("commit").await.map_err(db(format!("commit {name}")))
}

/// Notes that a table has its keys and indexes already.
///
/// # Errors
/// The server's.
pub async fn note_post_data(session: &Session, table: &str) -> anyhow::Result<()> {
    note_done(session, &format!("{:?} {table}", Kind::PostData)).await
}

fn step_name(file: &SchemaFile, kind: &Kind) -> String {
    format!("{kind:?} {}", file.table)
}

/// All steps that are done.
async fn steps_done(build: &BuildDatabase) -> anyhow::Result<BTreeSet<String>> {
    let session = build.session("post-data").await?;
    let rows = session.query("select step from kiln.step", &[]).await;
    let rows = rows.map_err(db("read the steps"))?;
    build.give_back(session);
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn is_done(session: &Session, step: &str) -> anyhow::Result<bool> {
    let done = session.query_opt("select from kiln.step where step = $1", &[&step]).await;
    Ok(done.map_err(db("read the steps"))?.is_some())
}

async fn note_done(session: &Session, step: &str) -> anyhow::Result<()> {
    let noted = session.execute("insert into kiln.step (step) values ($1)", &[&step]).await;
    noted.map(|_| ()).map_err(db("note the step"))
}
