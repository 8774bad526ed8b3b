//! What the sections of a schema do, as Postgres's catalog and its locks show it when they run on empty tables:
//! it stands in `schema.lock`, and is never read out of the text.

use std::collections::{BTreeMap, BTreeSet};

use super::{Schema, SchemaFile};
use crate::postgres::{Session, db};

/// What sections were seen to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// The tables of files of lower numbers that the `-- post-data` section of a table's file touches: it may need
    /// their keys.
    pub refers: BTreeMap<String, BTreeSet<String>>,
    /// Tables whose `-- derive from` section makes them and does nothing else: such a table can be copied from
    /// a kept build.
    pub alone: BTreeSet<String>,
}

impl Learned {
    /// Reads it out of a lock's lines: `plan_county: plan, state`, and names.
    pub fn of_lines(refers: &[String], alone: &[String]) -> Learned {
        let names = |names: &str| names.split(',').map(|name| name.trim().to_owned()).collect();
        let refers = refers.iter().filter_map(|line| line.split_once(':'));
        Learned {
            refers: refers.map(|(table, to)| (table.trim().to_owned(), names(to))).collect(),
            alone: alone.iter().cloned().collect(),
        }
    }

    /// Keeps of what sections refer to the tables of files before theirs: a key needs nothing that comes later.
    pub fn only_before(&mut self, schema: &Schema) {
        let number = |table: &String| schema.files.iter().position(|file| file.table == *table);
        for (table, to) in &mut self.refers {
            let own = number(table);
            to.retain(|other| number(other).is_some_and(|other| Some(other) < own));
        }
        self.refers.retain(|_, to| !to.is_empty());
    }

    pub(super) fn refers_lines(&self) -> Vec<String> {
        let line = |(table, to): (&String, &BTreeSet<String>)| {
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            format!("{table}: {}", to.join(", "))
        };
        self.refers.iter().map(line).collect()
    }

    pub(super) fn alone_lines(&self) -> Vec<String> {
        self.alone.iter().cloned().collect()
    }
}

/// Notes that a section is about to run in the open transaction, so that [`did`] can tell what is younger: no other
/// session may write meanwhile, which holds of a scratch database.
///
/// # Errors
/// The server's.
pub async fn begin(session: &Session) -> anyhow::Result<i64> {
    let sql = "select pg_current_xact_id()::text::int8";
    session.query_one(sql, &[]).await.map(|row| row.get(0)).map_err(db("begin to look"))
}

/// The tables that the open transaction has touched, beside the file's own.
///
/// # Errors
/// The server's.
pub async fn touched(session: &Session, file: &SchemaFile) -> anyhow::Result<BTreeSet<String>> {
    let locked = super::catalog::tables_locked(session).await?;
    Ok(locked.into_iter().filter(|table| *table != file.table).collect())
}

/// Whether all that the open transaction has done since [`begin`] is to make this table, with its keys, indexes
/// and comments, of values that COPY sends.
///
/// # Errors
/// The server's.
pub async fn is_alone(session: &Session, table: &str, since: i64) -> anyhow::Result<bool> {
    let row = session.query_one(include_str!("alone.sql"), &[&table, &since]).await;
    row.map(|row| row.get(0)).map_err(db("look at what a section has made"))
}
