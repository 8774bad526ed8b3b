//! What Postgres's catalog says of a database to people: tables and views with their columns,
//! keys and comments, and functions with their arguments.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::postgres::{Session, db};

/// Tables, views and functions of schema `public`, by name.
#[derive(Debug, Default)]
pub(crate) struct Described {
    /// Tables and views.
    pub relations: Vec<DescribedRelation>,
    /// Functions and procedures.
    pub functions: Vec<DescribedFunction>,
}

/// A table or a view, as the catalog has it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DescribedRelation {
    /// Its name.
    pub name: String,
    /// A view, plain or materialized; else a table.
    pub is_view: bool,
    /// Empty when there is none.
    pub comment: String,
    /// In the order of the table.
    pub columns: Vec<DescribedColumn>,
    /// The primary key first, then the unique ones, then by name.
    pub indexes: Vec<Index>,
    /// What it must find in other tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// Check and exclusion constraints, as SQL writes them.
    pub rules: Vec<String>,
    /// The tables and views that a view reads.
    pub reads: Vec<String>,
}

/// A column, as the catalog has it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DescribedColumn {
    /// Its name.
    pub name: String,
    /// Its type, as SQL writes it.
    pub type_name: String,
    /// Whether it may be null, as far as the catalog knows: always of a view.
    pub nullable: bool,
    /// Its default, as SQL writes it.
    pub fallback: Option<String>,
    /// Empty when there is none.
    pub comment: String,
}

/// An index.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Index {
    /// As SQL writes it.
    pub definition: String,
    /// The primary key.
    pub is_primary: bool,
    /// No two rows are equal in it.
    pub is_unique: bool,
    /// It holds some of the rows only.
    pub is_partial: bool,
    /// Its key columns; an expression is not among them.
    pub columns: Vec<String>,
}

impl Index {
    /// The definition from the method on, which is left out where it is the usual one:
    /// `(county_code) WHERE (county_code IS NOT NULL)`.
    pub(crate) fn tail(&self) -> &str {
        let tail = self.definition.split_once(" USING ").map_or("", |(_, tail)| tail);
        tail.strip_prefix("btree ").unwrap_or(tail)
    }
}

/// A foreign key.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table that they refer to.
    pub table: String,
    /// Its columns.
    pub referenced: Vec<String>,
}

/// A function, as the catalog has it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DescribedFunction {
    /// Its name.
    pub name: String,
    /// The arguments that tell it from others of its name.
    pub identity: String,
    /// What it returns, as SQL writes it; empty for a procedure.
    pub returns: String,
    /// Whether it returns rows, and not one row or value.
    pub returns_rows: bool,
    /// `immutable`, `stable` or `volatile`.
    pub volatility: String,
    /// Empty when there is none.
    pub comment: String,
    /// The language of its body.
    pub language: String,
    /// Its whole definition.
    pub text: String,
    /// In their order.
    pub arguments: Vec<Argument>,
}

/// An argument of a function, or a column of the table that it returns.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Argument {
    /// Empty when it has none.
    pub name: String,
    /// Its type.
    pub type_name: String,
    /// Its default, as SQL writes it.
    pub fallback: Option<String>,
    /// As in `pg_proc.proargmodes`: `i`, `o`, `b`, `v` or `t`.
    pub mode: String,
}

impl Argument {
    /// Whether it comes out of the function: a column of its rows.
    pub(crate) fn is_output(&self) -> bool {
        matches!(self.mode.as_str(), "o" | "t")
    }
}

/// A default as people write it, without the cast that the catalog adds: `'CA'`, `null`.
pub(crate) fn plain<'a>(fallback: &'a str, type_name: &str) -> &'a str {
    let cast = fallback.strip_suffix(type_name).and_then(|rest| rest.strip_suffix("::"));
    match cast {
        Some("NULL") => "null",
        Some(constant) if constant.starts_with('\'') => constant,
        _ => fallback,
    }
}

/// Reads the catalog.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn read(session: &Session) -> anyhow::Result<Described> {
    Ok(Described {
        relations: documents(session, include_str!("relations.sql")).await?,
        functions: documents(session, include_str!("functions.sql")).await?,
    })
}

async fn documents<T: DeserializeOwned>(session: &Session, sql: &str) -> anyhow::Result<Vec<T>> {
    let rows = session.query(sql, &[]).await.map_err(db("read the catalog"))?;
    rows.into_iter().map(|row| Ok(serde_json::from_value(row.get(0))?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_said_without_its_cast() {
        assert_eq!(plain("'CA'::text", "text"), "'CA'");
        assert_eq!(plain("NULL::numeric", "numeric"), "null");
        assert_eq!(plain("30", "integer"), "30");
        assert_eq!(plain("now()::text", "text"), "now()::text");
    }
}
