//! A table that was made from the rows of named others, copied from a kept build that has the same
//! rows of them: nothing of it is reckoned again, and its count and digest are held against what was
//! sealed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::build::tasks;
use crate::catalog::ledger::{DerivedTable, MadeIn};
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{Exit, failure};
use crate::load::copy::between::{self, Stored, TableCopy};
use crate::load::encode::ColumnType;
use crate::load::meter::Meter;
use crate::plan::task::TaskKind;
use crate::postgres::{Ident, Session, db};
use crate::spec::schema::{Schema, SchemaFile, SectionKind, catalog};
use crate::spec::source::Source;

/// What kept builds made from named tables, and the names of their databases now, by their own names.
pub(crate) type MadeBy = BTreeMap<String, (String, Vec<DerivedTable>)>;

/// Where a table is already that is made from others, made from the same rows: all of them were copied from
/// one build.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn kept(
    session: &Session,
    sources: &[Source],
    file: &SchemaFile,
    made: &MadeBy,
) -> anyhow::Result<Option<MadeIn>> {
    let from: Vec<&String> =
        file.of_kind(&SectionKind::Derive).flat_map(|section| &section.from).collect();
    let owner = |table: &&String| {
        let mut owners = sources.iter();
        let owner = owners.find(|source| source.tables().any(|t| t.as_str() == *table))?;
        Some(owner.name.as_str())
    };
    let owners: Option<Vec<&str>> = from.iter().map(owner).collect();
    let Some(owners) = owners.filter(|owners| !owners.is_empty() && !made.is_empty()) else {
        return Ok(None);
    };
    let sql = "select distinct entry -> 'reused' ->> 'build' from kiln.source
               where source = any ($1)";
    let rows = session.query(sql, &[&owners]).await.map_err(db("read the sources"))?;
    let [row] = &rows[..] else { return Ok(None) };
    let Some(build) = row.get::<_, Option<String>>(0) else { return Ok(None) };
    let Some((database, made)) = made.get(&build) else { return Ok(None) };
    let made = made.iter().find(|made| made.table == file.table).cloned();
    Ok(made.map(|made| MadeIn { build, database: database.clone(), made }))
}

/// Copies a table, in a transaction that is left open.
///
/// # Errors
/// When a server reports an error, or the run is stopped; [`Exit::ChecksFailed`] where the kept build has other rows than it was sealed
/// with.
pub(super) async fn copy(
    build: &BuildDatabase,
    into: &Session,
    file: &SchemaFile,
    kept: &MadeIn,
    stop: &CancellationToken,
) -> anyhow::Result<Value> {
    let table = &file.table;
    let from = build.other(&kept.database)?.session(table).await?;
    from.batch_execute("begin transaction isolation level repeatable read, read only")
        .await
        .map_err(db("prepare to read"))?;
    into.batch_execute("begin").await.map_err(db("begin"))?;
    // What it is made from must not be locked one by one, as for making it.
    file.begin_early(into, stop).await?;
    make_empty(into, file, stop).await?;
    let sql = format!("copy \"{table}\" from stdin (format binary, freeze)");
    let (query, meter) = (all_of(table), Meter::default());
    let copy = TableCopy { from: &from, query: &query, into, sql: &sql, meter: &meter, stop };
    agree(&kept.made, copy.all().await?)?;
    let stored = between::read(into, &query, stop).await?;
    agree(&kept.made, stored)?;
    let DerivedTable { rows, digest, .. } = &kept.made;
    tracing::info!(table, rows, digest, from = kept.build, "copied");
    Ok(result(&stored))
}

/// What was sealed, and what is there.
fn agree(sealed: &DerivedTable, found: Stored) -> anyhow::Result<()> {
    let DerivedTable { table, rows, digest, .. } = sealed;
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
    let named = file.of_kind(&SectionKind::Derive).flat_map(|section| &section.from);
    let shadow = |name: &String| {
        format!("create temporary table \"{name}\" (like public.\"{name}\") on commit drop;")
    };
    let shadows: String = named.map(shadow).collect();
    session.batch_execute(&shadows).await.map_err(db("make empty tables"))?;
    file.apply(session, &SectionKind::Derive, stop).await?;
    // Of nothing a section may make a row, too.
    let empty = format!("truncate table public.\"{}\"", file.table);
    session.batch_execute(&empty).await.map_err(db("empty the table"))
}

/// What a table's rows amount to, in the transaction that made it: another section may change them later, and
/// would change what is copied once more. Nothing where they are not the same in every build.
///
/// # Errors
/// When Postgres reports an error.
pub(super) async fn rows(
    session: &Session,
    table: &str,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Value>> {
    if !is_portable(session, table).await? {
        return Ok(None);
    }
    Ok(Some(result(&between::read(session, &all_of(table), stop).await?)))
}

fn result(stored: &Stored) -> Value {
    json!({ "rows": stored.rows, "digest": stored.digest_hex() })
}

/// The account of the tables that were made from named others, for the builds that follow: of those that
/// can be copied, and are as they were when they were made. None where the build went on with other SQL than it was begun with, for which of
/// the two a table was made by is not known.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn account(
    build: &BuildDatabase,
    schema: &Schema,
    manifest: &Manifest,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<DerivedTable>> {
    let schema_sha256 = schema.digest();
    if manifest.sql_sha256 != schema_sha256 {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    let session = build.session("account").await?;
    let made = tasks::results(&session, TaskKind::Derive).await?;
    for table in schema.made_alone() {
        if !is_portable(&session, table).await? {
            continue;
        }
        let stored = between::read(&session, &all_of(table), stop).await?;
        let is_as_made = |(name, then): &(String, Value)| name == table && *then == result(&stored);
        if !made.iter().any(is_as_made) {
            continue;
        }
        let (table, schema_sha256) = (table.to_owned(), schema_sha256.clone());
        let digest = stored.digest_hex();
        all.push(DerivedTable { table, schema_sha256, rows: stored.rows, digest });
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
