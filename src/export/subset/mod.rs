//! What a subset keeps: a part of a build's rows, chosen by rules that are data
//! (`sql/<database>/subset.toml`), closed under the foreign keys, and the same on every machine.
//!
//! [`Rules`] reads the file; [`choose`] makes of rules, catalog and command line one query a
//! table. Nothing here is random: a key is kept when its SHA-256 lies below the percentage, so
//! that 5 % is a part of 10 %, and a plan that is kept in one database is kept in the others.
//! (Postgres's own hash functions are promised for no version but their own, and md5() is refused
//! by a server in FIPS mode.)

mod choice;
pub(super) mod rules;

pub(crate) use choice::{
    CatalogFacts, CatalogTable, Chosen, KeptTable, Reference, SetColumn, choose, conditions,
};
pub(crate) use rules::{RowChoice, Rules, SampleKey};

use crate::config::strict::Problems;
use crate::postgres::{Ident, Session, db};

/// The tables' columns and the foreign keys between them, as the build's catalog has them.
/// Columns that Postgres computes itself are not among them.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn facts(session: &Session, tables: &[String]) -> anyhow::Result<CatalogFacts> {
    let rows = session
        .query(
            "select c.relname::text, array_agg(a.attname::text order by a.attnum)
             from pg_class c
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
               and a.attgenerated = '' and c.relname::text = any($1)
             group by 1 order by 1",
            &[&tables],
        )
        .await
        .map_err(db("read the tables"))?;
    let found = rows.iter().map(|row| CatalogTable { name: row.get(0), columns: row.get(1) });
    let found = found.collect();
    let rows = session
        .query(
            "select child.relname::text, parent.relname::text,
                    array(select attname::text from unnest(k.conkey) with ordinality u (n, i)
                          join pg_attribute on attrelid = k.conrelid and attnum = n order by i),
                    array(select attname::text from unnest(k.confkey) with ordinality u (n, i)
                          join pg_attribute on attrelid = k.confrelid and attnum = n order by i)
             from pg_constraint k
             join pg_class child on child.oid = k.conrelid
             join pg_class parent on parent.oid = k.confrelid
             where k.contype = 'f' and k.conparentid = 0
               and child.relname::text = any($1) and parent.relname::text = any($1)
             order by 1, 2, k.conname",
            &[&tables],
        )
        .await
        .map_err(db("read the foreign keys"))?;
    let references = rows.iter().map(|row| Reference {
        table: row.get(0),
        to: row.get(1),
        columns: row.get(2),
        to_columns: row.get(3),
    });
    Ok(CatalogFacts { tables: found, references: references.collect(), sets: Vec::new() })
}

/// Has Postgres read every expression of the rules, which finds a misspelt column and a condition
/// that is no SQL; nothing is run. What is wrong goes to `problems`.
pub(crate) async fn probe(session: &Session, rules: &Rules, chosen: &Chosen, problems: &Problems) {
    for (table, sql) in &chosen.probes {
        if let Err(error) = session.prepare(sql).await {
            let line = rules.tables.get(table).map_or(0, |rule| rule.line);
            let said = error.as_db_error().map_or(error.to_string(), |e| e.message().to_owned());
            problems.add(&rules.path, line, format!("rule of {table}: {said}"));
        }
    }
}

/// A column or table as it stands in SQL.
fn quoted(name: &str) -> String {
    match Ident::parse(name) {
        Some(ident) => ident.to_string(),
        None => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}
