//! Digests of tables, read from what is stored as their [`DigestReading`] says: at the seal those that the
//! loader did not take, of tables made from tables; and all of them again by `kiln verify`. Cutting and
//! hashing rows is what takes the time: connections read ranges of pages side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::stamp::DigestReading;
use crate::catalog::stamp::contents::named;
use crate::error::{Exit, all_or_first_error, exit_of, message_of};
use crate::load::copy::between::{self, Numbered, SetDigests, Stored};
use crate::load::meter::Meter;
use crate::postgres::{Ident, Session, db};

/// Pages of a table that one query reads: 64 MB, so that connections end at about the same time.
const RANGE: u64 = 1 << 13;

/// What a table holds, as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TableDigest {
    /// Its rows.
    pub stored: Stored,
    /// Why it could not be read to its end: a row has a number that its dictionary lacks.
    pub broken: Option<String>,
}

/// A table to be read, and what shows how far it is.
pub(crate) struct DigestRequest {
    /// How.
    pub reading: DigestReading,
    /// Bytes and rows so far.
    pub meter: Arc<Meter>,
}

impl From<DigestReading> for DigestRequest {
    fn from(reading: DigestReading) -> DigestRequest {
        DigestRequest { reading, meter: Arc::default() }
    }
}

/// How a table is read of which nothing is known but its columns; rows and digest are not read yet.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn plain(session: &Session, table: &Ident) -> anyhow::Result<DigestReading> {
    let sql = "select attname::text from pg_attribute
               where attrelid = format('public.%I', $1::text)::regclass
                   and attnum > 0 and not attisdropped
               order by attnum";
    let rows = session.query(sql, &[&table.as_str()]).await.map_err(db("read the columns"))?;
    Ok(DigestReading {
        table: table.as_str().to_owned(),
        source: None,
        columns: rows.iter().map(|row| row.get(0)).collect(),
        sets: Vec::new(),
        pack: None,
        rows: 0,
        digest: String::new(),
    })
}

/// One query of a table's rows.
struct DigestQuery {
    /// The table's place among those asked for.
    place: usize,
    query: String,
    numbered: Numbered,
    meter: Arc<Meter>,
}

/// Reads all these tables, on `connections` connections; returns what each holds, in their order.
///
/// # Errors
/// When Postgres reports an error (the first one is returned), or the run is stopped.
pub(crate) async fn read(
    build: &BuildDatabase,
    asked: &[DigestRequest],
    connections: usize,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<TableDigest>> {
    let session = build.session("digests").await?;
    let mut parts = Vec::new();
    for (place, asked) in asked.iter().enumerate() {
        parts.extend(parts_of(&session, place, asked, stop).await?);
    }
    build.give_back(session);
    let (parts, next, abort) = (Arc::new(parts), Arc::new(AtomicUsize::new(0)), stop.child_token());
    let mut lanes = JoinSet::new();
    for _ in 0..connections.min(parts.len()) {
        let (parts, next) = (Arc::clone(&parts), Arc::clone(&next));
        lanes.spawn(lane(build.clone(), parts, next, abort.clone()));
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = lanes.join_next().await {
        let outcome = outcome.map_err(|panic| anyhow::anyhow!("read a table: {panic}"));
        outcomes.push(outcome.and_then(|found| found));
    }
    let mut all = vec![TableDigest::default(); asked.len()];
    for (place, found) in all_or_first_error(outcomes)?.into_iter().flatten() {
        let of_table = &mut all[place];
        of_table.stored = of_table.stored.and(found.stored);
        of_table.broken = of_table.broken.take().or(found.broken);
    }
    Ok(all)
}

/// The queries of a table, a range of its pages each, with its dictionaries in memory.
async fn parts_of(
    session: &Session,
    place: usize,
    asked: &DigestRequest,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<DigestQuery>> {
    let DigestRequest { reading, meter } = asked;
    let mut sets: Vec<SetDigests> = Vec::new();
    for dictionary in &reading.sets {
        let query = select(session, &dictionary.table, &dictionary.columns).await?;
        sets.push(between::set_digests(session, &query, stop).await?);
    }
    let numbered = Numbered::packed(sets, reading.pack.map(|pack| [pack.by, pack.at, pack.of]))?;
    let query = select(session, &reading.table, &reading.columns).await?;
    let ranges = pages(session, &reading.table).await?.div_ceil(RANGE).max(1);
    let part = |range: u64| {
        let mut query = query.clone();
        if range > 0 {
            query.push_str(&format!(" where ctid >= '({},0)'", range * RANGE));
        }
        if range + 1 < ranges {
            // The last one has whatever comes behind the others.
            let word = if range > 0 { "and" } else { "where" };
            query.push_str(&format!(" {word} ctid < '({},0)'", (range + 1) * RANGE));
        }
        DigestQuery { place, query, numbered: numbered.clone(), meter: Arc::clone(meter) }
    };
    Ok((0..ranges).map(part).collect())
}

/// Pages of a table; none of one whose rows are its partitions'.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn pages(session: &Session, table: &str) -> anyhow::Result<u64> {
    let sql = "select coalesce(pg_relation_size(c.oid) / current_setting('block_size')::int8, 0)
               from pg_class c where c.relnamespace = 'public'::regnamespace and c.relname = $1
                   and c.relkind <> 'p'";
    let row = session.query_opt(sql, &[&table]).await.map_err(db("look at the table"))?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}

/// The query of these columns; one whose type has no binary form is read as text.
async fn select(session: &Session, table: &str, columns: &[String]) -> anyhow::Result<String> {
    let table = named(table)?;
    let sql = "select a.attname::text from pg_attribute a join pg_type t on t.oid = a.atttypid
               where a.attrelid = to_regclass(format('public.%I', $1::text)) and t.typsend = 0
                   and a.attnum > 0 and not a.attisdropped";
    let rows = session.query(sql, &[&table.as_str()]).await.map_err(db("read the columns"))?;
    let texts: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut words = Vec::new();
    for column in columns {
        let cast = if texts.contains(column) { "::text" } else { "" };
        // A column's name may be any that Postgres takes: it is quoted by its rule.
        words.push(format!("\"{}\"{cast}", column.replace('"', "\"\"")));
    }
    Ok(format!("select {} from public.{table}", words.join(", ")))
}

/// A session that takes the next part as long as there is one.
async fn lane(
    build: BuildDatabase,
    parts: Arc<Vec<DigestQuery>>,
    next: Arc<AtomicUsize>,
    abort: CancellationToken,
) -> anyhow::Result<Vec<(usize, TableDigest)>> {
    let work = async {
        let mut session = build.session("digests").await?;
        let mut all = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(DigestQuery { place, query, numbered, meter }) = parts.get(index) else {
                break;
            };
            let read = between::read_by_sets(&session, query, numbered.clone(), meter, &abort);
            let found = match read.await {
                Ok(stored) => TableDigest { stored, broken: None },
                Err(error) if exit_of(&error) == Exit::ChecksFailed => {
                    // What the server still sends of it is not read.
                    session = build.session("digests").await?;
                    TableDigest { stored: Stored::default(), broken: Some(message_of(&error)) }
                }
                Err(error) => return Err(error),
            };
            all.push((*place, found));
        }
        build.give_back(session);
        Ok(all)
    };
    let outcome = work.await;
    if outcome.is_err() {
        abort.cancel();
    }
    outcome
}
