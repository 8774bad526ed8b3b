//! Whether a sealed build is still what was sealed, at the gate's depth: seconds at any size. Rows
//! are counted and their age is asked, rights and settings are compared. What rows say is not read:
//! that is `kiln verify`.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::Stamp;
use super::contents::{Contents, named, standing};
use super::rights;
use super::rows::{self, Ask, Counted, Younger};
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{Exit, exit_of, message_of};
use crate::postgres::{Ident, Session, db};

/// Differences that are named one by one.
const NAMED: usize = 4;

/// What a sealed build differs by from what was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Why it is not what was sealed; empty where it is.
    pub reasons: Vec<String>,
    /// What could not be held against the stamp, for people.
    pub notes: Vec<String>,
}

/// Holds a build against its stamp. Of a build that this very run has sealed (`is_fresh`) rows are
/// not counted again.
///
/// # Errors
/// When the server cannot be asked; a stop.
pub(crate) async fn touched(
    build: &BuildDatabase,
    session: &Session,
    stamp: &Stamp,
    is_fresh: bool,
    connections: usize,
    stop: &CancellationToken,
) -> anyhow::Result<Touched> {
    let mut touched = Touched::default();
    let Some(contents) = &stamp.contents else {
        touched.notes.push(
            "an older kiln sealed it: its stamp has the rows of loaded tables, and neither rights and \
             settings, nor the rows of tables made from tables, nor which rows came later"
                .to_owned(),
        );
        if !is_fresh {
            touched.count_as_stamped(session, stamp).await?;
        }
        return Ok(touched);
    };
    if !contents.is_known() {
        let form = contents.kiln;
        touched.reasons.push(format!("a newer kiln sealed it, with a stamp of form {form}"));
        return Ok(touched);
    }
    let now = rights::read(session).await?;
    touched.reasons.extend(difference(&contents.rights, &now));
    touched.reasons.extend(source_differs(session).await?);
    if is_fresh {
        return Ok(touched);
    }
    let ask = match Younger::than(session, &contents.snapshot).await? {
        Some(younger) => Ask::Younger(younger),
        None => {
            touched.notes.push(format!(
                "too many transactions came after its seal to tell rows by their age; `kiln verify {}` \
                 reads them",
                stamp.build
            ));
            Ask::Nothing
        }
    };
    let found = match standing(session).await {
        Ok(tables) => rows::count(build, &tables, &ask, connections, stop).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => touched.reasons.extend(rows_differ(contents, &found)),
        Err(error) => touched.unless_refused(error)?,
    }
    Ok(touched)
}

/// Where `kiln.source`, which apps read, says something else of a source than the stamp.
async fn source_differs(session: &Session) -> anyhow::Result<Option<String>> {
    let sql = "select string_agg(s.source, ', ' order by s.source)
               from kiln.source s
               left join (select e ->> 'source', e ->> 'period', e ->> 'posted',
                                 (e ->> 'counted')::int8, e ->> 'digest'
                          from kiln.stamp, jsonb_array_elements(ledger -> 'sources') e)
                   l (source, period, posted, rows, digest) using (source)
               where (s.period, s.posted, s.rows, s.digest)
                   is distinct from (l.period, l.posted, l.rows, l.digest)";
    let row = session.query_one(sql, &[]).await.map_err(db("read kiln.source"))?;
    let sources: Option<String> = row.get(0);
    Ok(sources.map(|names| format!("kiln.source says otherwise than its stamp of {names}")))
}

impl Touched {
    /// Takes an error that what was done to the build explains: a table of another owner cannot be read, one
    /// of a strange name is none that was sealed.
    ///
    /// # Errors
    /// When the error is any other: it is returned.
    pub fn unless_refused(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        let is_explained = match exit_of(&error) {
            Exit::Usage => true,
            Exit::Database => !self.reasons.is_empty(),
            _ => false,
        };
        if !is_explained {
            return Err(error);
        }
        self.reasons.push(message_of(&error).lines().next().unwrap_or_default().to_owned());
        Ok(())
    }

    /// What a stamp without contents says of rows.
    async fn count_as_stamped(&mut self, session: &Session, stamp: &Stamp) -> anyhow::Result<()> {
        for (table, expected) in &stamp.rows {
            let sql = format!("select count(*) from public.{}", named(table)?);
            let found: i64 = session.query_one(&sql, &[]).await.map_err(db("count rows"))?.get(0);
            self.reasons.extend(row_count(table, *expected, found.unsigned_abs()));
        }
        Ok(())
    }
}

fn row_count(table: &str, sealed: u64, found: u64) -> Option<String> {
    (sealed != found).then(|| format!("table {table} has {found} rows, its stamp says {sealed}"))
}

/// What the tables' rows differ by from what was sealed.
fn rows_differ(contents: &Contents, found: &BTreeMap<Ident, Counted>) -> Vec<String> {
    let mut said = Vec::new();
    for sealed in &contents.tables {
        let table = &sealed.table;
        let counted = Ident::parse(table).and_then(|name| found.get(&name));
        let Some(Counted { rows, matching }) = counted else {
            said.push(format!("table {table} is gone"));
            continue;
        };
        said.extend(row_count(table, sealed.rows, *rows));
        if *matching > 0 && !sealed.is_old {
            let what = if *matching == 1 { "row of it was" } else { "rows of it were" };
            said.push(format!("table {table}: {matching} {what} written after its seal"));
        }
    }
    said
}

/// Lines that are gone, and lines that are new; the first of them by name.
fn difference(sealed: &[String], now: &[String]) -> Option<String> {
    let gone = sealed.iter().filter(|line| !now.contains(line)).map(|line| format!("- {line}"));
    let new = now.iter().filter(|line| !sealed.contains(line)).map(|line| format!("+ {line}"));
    let all: Vec<String> = gone.chain(new).collect();
    if all.is_empty() {
        return None;
    }
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    let named = all[..all.len().min(NAMED)].join("\n  ");
    Some(format!("its rights or settings were changed after the seal:\n  {named}{more}"))
}

#[cfg(test)]
mod tests {
    use super::super::contents::{FORM, TableContents};
    use super::*;

    #[test]
    fn what_is_gone_more_less_or_younger_is_named() {
        let table = |table: &str, is_old| TableContents {
            table: table.to_owned(),
            rows: 10,
            is_old,
            reading: None,
        };
        let names = ["same", "gone", "less", "younger", "old"];
        let contents = Contents {
            kiln: FORM,
            snapshot: String::new(),
            tables: names.iter().map(|name| table(name, *name == "old")).collect(),
            rights: Vec::new(),
        };
        let found = [("same", 10, 0), ("less", 9, 0), ("younger", 10, 2), ("old", 10, 2)];
        let found = found.iter().map(|(name, rows, matching)| {
            (Ident::parse(name).expect("a name"), Counted { rows: *rows, matching: *matching })
        });
        assert_eq!(
            rows_differ(&contents, &found.collect()),
            [
                "table gone is gone",
                "table less has 9 rows, its stamp says 10",
                "table younger: 2 rows of it were written after its seal",
            ]
        );
    }

    #[test]
    fn the_first_differences_are_named_and_the_others_counted() {
        let lines =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(difference(&lines(&["a", "b"]), &lines(&["a", "b"])), None);
        let said = difference(&lines(&["a", "b"]), &lines(&["a", "c", "d", "e", "f"]));
        let said = said.unwrap_or_default();
        assert!(said.ends_with("\n  - b\n  + c\n  + d\n  + e\n  and 1 more"), "{said}");
    }
}
