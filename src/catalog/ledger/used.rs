//! What a night used, measured at the seal: the next night's forecast rests on it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::SourceEntry;
use crate::postgres::{Session, db};

/// What a build came to, in bytes and seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Bytes of text that were read.
    pub text: u64,
    /// Bytes of the database at its seal.
    pub database: u64,
    /// Bytes of temporary files that were written in it, one after another: their peak is at
    /// most that. A server tells no more (`pg_ls_tmpdir` is not for every role).
    pub temporary_written: u64,
    /// Bytes of WAL that the server wrote meanwhile, for whomever.
    pub wal_written: u64,
    /// Bytes of inner zips in the scratch folder.
    pub scratch: u64,
    /// Seconds from the first step to the last.
    pub seconds: f64,
    /// Bytes of each table and of its indexes.
    pub tables: BTreeMap<String, TableBytes>,
    /// Seconds that the index, derive and analyze tasks of each table took.
    #[serde(default)]
    pub keyed: BTreeMap<String, f64>,
    /// Bytes of each source's objects.
    pub objects: BTreeMap<String, u64>,
}

/// A table on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableBytes {
    /// Bytes of the table, with its TOAST table and its maps.
    pub table: u64,
    /// Bytes of all its indexes.
    pub index: u64,
    /// Bytes of the largest of them.
    pub index_max: u64,
}

impl TableBytes {
    /// Both together.
    #[must_use]
    pub fn and(self, other: TableBytes) -> TableBytes {
        TableBytes {
            table: self.table + other.table,
            index: self.index + other.index,
            index_max: self.index_max.max(other.index_max),
        }
    }

    /// Table and indexes.
    pub fn sum(self) -> u64 {
        self.table + self.index
    }
}

impl Used {
    /// The tables of a source: its own, and its dictionaries'.
    pub fn of_source(&self, entry: &SourceEntry) -> TableBytes {
        let names = std::iter::once(&entry.source).chain(entry.dictionaries.keys());
        let found = names.filter_map(|name| self.tables.get(name)).copied();
        found.fold(TableBytes::default(), TableBytes::and)
    }

    /// The tables that no source fills.
    pub fn derived(&self, sources: &[SourceEntry]) -> Vec<(&str, TableBytes)> {
        let filled: BTreeSet<&String> = sources
            .iter()
            .flat_map(|entry| std::iter::once(&entry.source).chain(entry.dictionaries.keys()))
            .collect();
        let others = self.tables.iter().filter(|(name, _)| !filled.contains(name));
        others.map(|(name, bytes)| (name.as_str(), *bytes)).collect()
    }
}

/// Where the server's WAL ends now, as a number of bytes; a role on RDS may ask it.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn wal_end(session: &Session) -> anyhow::Result<u64> {
    let row = session
        .query_one("select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint", &[])
        .await
        .map_err(db("ask where the WAL ends"))?;
    Ok(row.get::<_, i64>(0).cast_unsigned())
}

/// Measures the database that the session is in; what the server does not know is left at 0.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn measure(session: &Session, wal_before: u64) -> anyhow::Result<Used> {
    let row = session
        .query_one(
            "select pg_database_size(current_database()),
                    coalesce((select temp_bytes from pg_stat_database
                              where datname = current_database()), 0)",
            &[],
        )
        .await
        .map_err(db("measure the build"))?;
    let rows = session
        .query(
            "select c.relname::text, pg_table_size(c.oid), pg_indexes_size(c.oid),
                    coalesce((select max(pg_relation_size(i.indexrelid)) from pg_index i
                              where i.indrelid = c.oid), 0)
             from pg_class c
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'm')",
            &[],
        )
        .await
        .map_err(db("measure the tables"))?;
    let number = |row: &tokio_postgres::Row, at: usize| row.get::<_, i64>(at).cast_unsigned();
    let tables = rows.iter().map(|row| {
        let (table, index, index_max) = (number(row, 1), number(row, 2), number(row, 3));
        (row.get(0), TableBytes { table, index, index_max })
    });
    Ok(Used {
        database: number(&row, 0),
        temporary_written: number(&row, 1),
        wal_written: wal_end(session).await?.saturating_sub(wal_before),
        tables: tables.collect(),
        ..Used::default()
    })
}
