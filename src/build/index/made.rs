//! A table that was made from the rows of named others, brought over from a kept build that has the same
//! rows of them: nothing of it is reckoned again, and its count and digest are held against what was
//! sealed.

use tokio_util::sync::CancellationToken;

use super::{is_done, note_done, step_name};
use crate::catalog::ledger::{Made, MadeIn};
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{Exit, failure};
use crate::load::copy::between::{self, Stored, Way};
use crate::load::encode::ColumnType;
use crate::load::meter::Meter;
use crate::postgres::{Ident, Session, db};
use crate::spec::schema::{Kind, Schema, SchemaFile, catalog};

/// Brings a table over, in one transaction.
///
/// # Errors
/// The servers', a stop, or [`Exit::ChecksFailed`] where the kept build has other rows than it was sealed
/// with. Nothing is left of it then.
pub(super) async fn bring(
    build: &BuildDatabase,
    file: &SchemaFile,
    kept: &MadeIn,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let table = &file.table;
    let from = build.other(&kept.database)?.session(table).await?;
    from.batch_execute("begin transaction isolation level repeatable read, read only")
        .await
        .map_err(db("prepare to read"))?;
    let into = build.session(&format!("bring {table}")).await?;
    into.batch_execute("begin").await.map_err(db("begin"))?;
    // What it is made from must not be locked one by one, as for making it.
    file.begin_early(&into, stop).await?;
    make_empty(&into, file, stop).await?;
    let sql = format!("copy \"{table}\" from stdin (format binary, freeze)");
    let (query, meter) = (all_of(table), Meter::default());
    let way = Way { from: &from, query: &query, into: &into, sql: &sql, meter: &meter, stop };
    agree(&kept.made, way.all().await?)?;
    let stored = between::read(&into, &query, stop).await?;
    note_done(&into, &rows_step(table, &stored)).await?;
    agree(&kept.made, stored)?;
    let Made { rows, digest, .. } = &kept.made;
    note_done(&into, &step_name(file, &Kind::Derive)).await?;
    into.batch_execute("commit").await.map_err(db("commit rows"))?;
    build.give_back(into);
    tracing::info!(table, rows, digest, from = kept.build, "brought over");
    Ok(())
}

/// What was sealed, and what is there.
fn agree(sealed: &Made, found: Stored) -> anyhow::Result<()> {
    let Made { table, rows, digest, .. } = sealed;
    if (found.rows, &found.digest_hex()) == (*rows, digest) {
        return Ok(());
    }
    let message = format!(
        "{table} was sealed with {rows} rows and digest {digest}, it has {} with digest {}",
        found.rows,
        found.digest_hex()
    );
    Err(failure(Exit::ChecksFailed, message))
}

/// Makes the table with its keys and comments and without rows: its section runs on empty tables that
/// stand before those that it names.
async fn make_empty(
    session: &Session,
    file: &SchemaFile,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let named = file.of_kind(&Kind::Derive).flat_map(|section| &section.from);
    let shadow = |name: &String| {
        format!("create temporary table \"{name}\" (like public.\"{name}\") on commit drop;")
    };
    let shadows: String = named.map(shadow).collect();
    session.batch_execute(&shadows).await.map_err(db("make empty tables"))?;
    file.apply(session, &Kind::Derive, stop).await?;
    // Of nothing a section may make a row, too.
    let empty = format!("truncate table public.\"{}\"", file.table);
    session.batch_execute(&empty).await.map_err(db("empty the table"))
}

/// Notes, in the transaction that made a table or brought it over, what its rows came to: another section may
/// change them later, and would change what is brought over once more.
///
/// # Errors
/// The server's.
pub(super) async fn note_rows(
    session: &Session,
    table: &str,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if !is_portable(session, table).await? {
        return Ok(());
    }
    let stored = between::read(session, &all_of(table), stop).await?;
    note_done(session, &rows_step(table, &stored)).await
}

fn rows_step(table: &str, stored: &Stored) -> String {
    format!("Made {table}: {} rows, digest {}", stored.rows, stored.digest_hex())
}

/// The account of the tables that were made from named others, for the builds that follow: of those that
/// can be brought over, and are as they were when they were made. None where the build went on with other SQL than it was begun with, for which of
/// the two a table was made by is not known.
///
/// # Errors
/// The server's.
pub async fn account(
    build: &BuildDatabase,
    schema: &Schema,
    manifest: &Manifest,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Made>> {
    let schema_sha256 = schema.digest();
    if manifest.sql_sha256 != schema_sha256 {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    let session = build.session("account").await?;
    for table in schema.made_alone() {
        if !is_portable(&session, table).await? {
            continue;
        }
        let stored = between::read(&session, &all_of(table), stop).await?;
        if !is_done(&session, &rows_step(table, &stored)).await? {
            continue;
        }
        let (table, schema_sha256) = (table.to_owned(), schema_sha256.clone());
        let digest = stored.digest_hex();
        all.push(Made { table, schema_sha256, rows: stored.rows, digest });
    }
    build.give_back(session);
    Ok(all)
}

/// Whether rows are the same in every build: others than these types may hold numbers of its catalog.
async fn is_portable(session: &Session, table: &str) -> anyhow::Result<bool> {
    let Some(name) = Ident::parse(table) else { return Ok(false) };
    let columns = catalog::columns(session, &name).await?;
    let known = |oid, modifier| ColumnType::from_postgres(oid, modifier).is_some();
    Ok(columns
        .iter()
        .all(|column| known(column.type_oid, column.type_modifier) && !column.has_default))
}

fn all_of(table: &str) -> String {
    format!("select * from \"{table}\"")
}
