//! Rows of a build's tables, counted side by side, a large table in ranges of pages; and how many of
//! them were written after the seal.
//!
//! A row keeps the number of the transaction that wrote it, also when it is frozen, so that its age
//! shows whether it was there at the seal. Numbers are reused after four thousand million
//! transactions; ages can be compared over half of that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::contents::Standing;
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{all_or_first_error, stopped};
use crate::postgres::{Ident, Session, db};

/// Pages of a table that one query counts: 256 MB.
const RANGE: u64 = 1 << 15;

/// Rows of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// How many.
    pub rows: u64,
    /// How many of them answer the question.
    pub matching: u64,
}

/// What is asked of every row beside that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// At the gate: whether one of these transactions wrote it.
    Younger(Younger),
    /// Nothing.
    Nothing,
}

/// Transactions that were not over at the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Younger {
    /// All from this one on.
    from: u32,
    /// And these, which were under way.
    under_way: Vec<u32>,
}

impl Younger {
    /// Those that a seal's snapshot did not see; `None` where there were so many transactions since that a number is
    /// ambiguous, or where the server counts from elsewhere.
    ///
    /// # Errors
    /// When Postgres reports an error, or the text is no snapshot.
    pub(crate) async fn than(session: &Session, snapshot: &str) -> anyhow::Result<Option<Younger>> {
        let sql = "select pg_snapshot_xmax($1::text::pg_snapshot)::text,
                          pg_snapshot_xmax(pg_current_snapshot())::text,
                          array(select x::text from pg_snapshot_xip($1::text::pg_snapshot) x)";
        let row = session.query_one(sql, &[&snapshot]).await.map_err(db("read the snapshot"))?;
        let number = |column| row.get::<_, String>(column).parse::<u64>().unwrap_or(0);
        let (sealed, now) = (number(0), number(1));
        let under_way: Vec<String> = row.get(2);
        let under_way = under_way.iter().filter_map(|text| text.parse::<u64>().ok());
        let is_told = now >= sealed && now - sealed < u64::from(u32::MAX / 2);
        let younger = Younger { from: short(sealed), under_way: under_way.map(short).collect() };
        Ok(is_told.then_some(younger))
    }

    fn condition(&self) -> String {
        // The statement's own transaction number is the same for both ages.
        let mut sql = format!("age(xmin) between 0 and age('{}'::xid)", self.from);
        if !self.under_way.is_empty() {
            let numbers: Vec<String> = self.under_way.iter().map(u32::to_string).collect();
            sql.push_str(&format!(" or xmin = any ('{{{}}}'::xid[])", numbers.join(",")));
        }
        sql
    }
}

/// The number as rows have it; the first three are no transactions'.
fn short(number: u64) -> u32 {
    ((number & u64::from(u32::MAX)) as u32).max(3)
}

impl Ask {
    fn sql(&self) -> String {
        match self {
            Ask::Younger(younger) => {
                format!("count(*) filter (where {})", younger.condition())
            }
            Ask::Nothing => "0::int8".to_owned(),
        }
    }
}

/// Counts the rows of these tables, on `connections` connections.
///
/// # Errors
/// When Postgres reports an error (the first one is returned), or the run is stopped.
pub(crate) async fn count(
    build: &BuildDatabase,
    tables: &[Standing],
    ask: &Ask,
    connections: usize,
    stop: &CancellationToken,
) -> anyhow::Result<BTreeMap<Ident, Counted>> {
    let queries: Vec<(&Ident, String)> = tables.iter().flat_map(|t| queries(t, ask)).collect();
    let (next, abort) = (AtomicUsize::new(0), stop.child_token());
    let lanes = (0..connections.min(queries.len())).map(|_| lane(build, &queries, &next, &abort));
    let mut all: BTreeMap<Ident, Counted> = BTreeMap::new();
    for (index, found) in all_or_first_error(join_all(lanes).await)?.into_iter().flatten() {
        let of_table = all.entry(queries[index].0.clone()).or_default();
        of_table.rows += found.rows;
        of_table.matching += found.matching;
    }
    Ok(all)
}

/// The queries that count a table, a range of its pages each.
fn queries<'a>(standing: &'a Standing, ask: &Ask) -> Vec<(&'a Ident, String)> {
    let Standing { table, pages, .. } = standing;
    let ranges = pages.div_ceil(RANGE).max(1);
    let query = |range: u64| {
        let mut sql = format!("select count(*), {} from public.{table}", ask.sql());
        if range > 0 {
            sql.push_str(&format!(" where ctid >= '({},0)'", range * RANGE));
        }
        if range + 1 < ranges {
            // The last one has whatever comes behind the others.
            let word = if range > 0 { "and" } else { "where" };
            sql.push_str(&format!(" {word} ctid < '({},0)'", (range + 1) * RANGE));
        }
        (table, sql)
    };
    (0..ranges).map(query).collect()
}

/// A session that takes the next query as long as there is one.
async fn lane(
    build: &BuildDatabase,
    queries: &[(&Ident, String)],
    next: &AtomicUsize,
    abort: &CancellationToken,
) -> anyhow::Result<Vec<(usize, Counted)>> {
    let work = async {
        let session = build.session("count").await?;
        let mut found = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((table, sql)) = queries.get(index) else { break };
            let row = tokio::select! {
                row = session.query_one(sql, &[]) => {
                    row.map_err(db(format!("count the rows of {}", table.as_str())))?
                }
                () = abort.cancelled() => {
                    session.canceller().cancel().await;
                    return Err(stopped());
                }
            };
            let number = |column| row.get::<_, i64>(column).unsigned_abs();
            found.push((index, Counted { rows: number(0), matching: number(1) }));
        }
        build.give_back(session);
        Ok(found)
    };
    let outcome = work.await;
    if outcome.is_err() {
        abort.cancel();
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(pages: u64) -> Standing {
        let table = Ident::parse("item").expect("a name");
        Standing { table, pages, can_lock: true }
    }

    #[test]
    fn the_ranges_of_a_table_leave_no_page_out() {
        let sql = |pages| {
            let standing = standing(pages);
            let all = queries(&standing, &Ask::Nothing);
            all.into_iter().map(|(_, sql)| sql).collect::<Vec<_>>()
        };
        let all = "select count(*), 0::int8 from public.\"item\"";
        assert_eq!(sql(0), [all]);
        assert_eq!(sql(RANGE), [all]);
        assert_eq!(
            sql(2 * RANGE + 1),
            [
                format!("{all} where ctid < '(32768,0)'"),
                format!("{all} where ctid >= '(32768,0)' and ctid < '(65536,0)'"),
                format!("{all} where ctid >= '(65536,0)'"),
            ]
        );
    }

    #[test]
    fn transactions_are_told_by_the_numbers_that_rows_have() {
        let younger = Younger { from: short((7 << 32) + 100), under_way: vec![short(98)] };
        assert_eq!(
            younger.condition(),
            "age(xmin) between 0 and age('100'::xid) or xmin = any ('{98}'::xid[])"
        );
        assert_eq!(short(1 << 32), 3, "the first numbers are no transactions'");
    }
}
