//! What Postgres's catalog says of a database: the semantic fingerprint, a table's columns, and
//! what lacks a comment. kiln's own schema `kiln` inside a build is left out.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::fetch::digest::sha256;
use crate::postgres::{Ident, Session, db};

/// The catalog as sorted lines, and their sha256: equal when two databases mean the same,
/// whatever their comments, the order of their statements or their object ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// sha256 of the lines, in hex.
    pub digest: String,
    /// One line an object.
    pub lines: Vec<String>,
}

/// A table's column, as the loader needs to know it.
#[derive(Debug, Clone)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// The type's object id.
    pub type_oid: u32,
    /// The type as SQL writes it, for messages.
    pub type_name: String,
    /// The type's modifier: length, or precision and scale; -1 for none.
    pub type_modifier: i32,
    /// Whether null is refused.
    pub not_null: bool,
    /// Whether Postgres fills it when COPY leaves it out.
    pub has_default: bool,
}

/// Reads the fingerprint.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn fingerprint(session: &Session) -> anyhow::Result<Fingerprint> {
    let rows = session
        .query(include_str!("fingerprint.sql"), &[])
        .await
        .map_err(db("read the catalog"))?;
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let digest = sha256(lines.join("\n").as_bytes());
    Ok(Fingerprint { digest, lines })
}

/// Tables in schema `public` that the open transaction has read or written, by its locks: they are
/// held to its end.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn tables_locked(session: &Session) -> anyhow::Result<Vec<String>> {
    let sql = "select distinct c.relname::text collate \"C\" as name
               from pg_locks l join pg_class c on c.oid = l.relation
               where l.pid = pg_backend_pid() and l.locktype = 'relation'
                   and l.database = (select oid from pg_database where datname = current_database())
                   and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
               order by name";
    let rows = session.query(sql, &[]).await.map_err(db("read the locks"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The columns of a table in schema `public`, in their order; empty when there is no such table.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn columns(session: &Session, table: &Ident) -> anyhow::Result<Vec<TableColumn>> {
    let found = columns_where(session, "c.relname = $1", &[&table.as_str()]).await?;
    Ok(found.into_iter().map(|(_, column)| column).collect())
}

/// The columns of all tables in schema `public`, in their order: one question in place of one a
/// table.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn all_columns(
    session: &Session,
) -> anyhow::Result<BTreeMap<String, Vec<TableColumn>>> {
    let mut tables: BTreeMap<String, Vec<TableColumn>> = BTreeMap::new();
    for (table, column) in columns_where(session, "true", &[]).await? {
        tables.entry(table).or_default().push(column);
    }
    Ok(tables)
}

async fn columns_where(
    session: &Session,
    which: &str,
    values: &[&(dyn ToSql + Sync)],
) -> anyhow::Result<Vec<(String, TableColumn)>> {
    let sql = format!(
        "select c.relname::text, attname::text, atttypid, format_type(atttypid, atttypmod),
                atttypmod, attnotnull, atthasdef or attidentity <> '' or attgenerated <> ''
         from pg_attribute a
         join pg_class c on c.oid = a.attrelid
         where c.relnamespace = 'public'::regnamespace and {which}
           and c.relkind in ('r', 'p') and attnum > 0 and not attisdropped
         order by attrelid, attnum"
    );
    let rows = session.query(&sql, values).await.map_err(db("read the columns"))?;
    let column = |row: &Row| TableColumn {
        name: row.get(1),
        type_oid: row.get(2),
        type_name: row.get(3),
        type_modifier: row.get(4),
        not_null: row.get(5),
        has_default: row.get(6),
    };
    Ok(rows.iter().map(|row| (row.get(0), column(row))).collect())
}

/// The tables of schema `public`.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn tables(session: &Session) -> anyhow::Result<Vec<String>> {
    names(
        session,
        "select relname::text from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1",
    )
    .await
}

/// Tables, views, columns and functions of schema `public` that have no comment.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn uncommented(session: &Session) -> anyhow::Result<Vec<String>> {
    names(
        session,
        "select relname::text || coalesce('.' || attname::text, '')
         from pg_class c
         left join lateral (
             select attnum, attname from pg_attribute
             where attrelid = c.oid and attnum > 0 and not attisdropped
             union all select 0, null
         ) a on true
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
           and col_description(c.oid, attnum::int) is null
           and (attnum <> 0 or obj_description(c.oid, 'pg_class') is null)
         union all
         select 'function ' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
         from pg_proc p
         where pronamespace = 'public'::regnamespace and obj_description(p.oid, 'pg_proc') is null
           and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
         order by 1",
    )
    .await
}

async fn names(session: &Session, sql: &str) -> anyhow::Result<Vec<String>> {
    let rows = session.query(sql, &[]).await.map_err(db("read the catalog"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
