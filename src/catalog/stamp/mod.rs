//! The stamp: what a sealed build says of itself; and whether it is still so.

pub(crate) mod contents;
pub(crate) mod rights;
pub(crate) mod rows;
mod touched;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use contents::{
    Contents, DigestReading, PackReading, SetsReading, Standing, TableContents,
};
pub use touched::Touched;
pub(crate) use touched::touched;

use super::ledger::{Ledger, SourceEntry, SourceState};
use super::manifest::Manifest;
use super::registry::Build;
use super::registry::build::BuildDatabase;
use crate::postgres::{Server, Session, db};

/// What the stamp says, as far as the gate needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The build's own name.
    pub build: String,
    /// The product database.
    pub database: String,
    /// The schema's version.
    pub version: u32,
    /// The oldest version whose readers it serves.
    pub serves_from: u32,
    /// The catalog's fingerprint.
    pub fingerprint: String,
    /// Rows by table.
    pub rows: Vec<(String, u64)>,
    /// What it holds; `None` where an older kiln sealed it.
    #[serde(default)]
    pub contents: Option<Contents>,
}

impl Stamp {
    /// The rows of one table; `None` where the stamp does not have it.
    pub fn rows_of(&self, table: &str) -> Option<u64> {
        self.rows.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows)
    }
}

/// Proof that this very run has committed the seal: its rows need not be counted again before the swap.
#[derive(Debug)]
pub(crate) struct Sealed(());

impl Sealed {
    /// For the seal alone, behind its commit.
    pub(crate) fn by_this_run() -> Sealed {
        Sealed(())
    }
}

/// A sealed build's own account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Its own name.
    pub build: String,
    /// What it was made from.
    pub manifest: Manifest,
    /// What became of that.
    pub ledger: Ledger,
    /// Sources of which another build speaks here, by their names: see `release::gates::measure`.
    pub former: BTreeMap<String, String>,
}

/// Rows of the tables that were loaded, as the ledger has them.
pub(crate) fn stamped_rows(ledger: &Ledger) -> Vec<(String, u64)> {
    let is_loaded = |entry: &&SourceEntry| entry.state == SourceState::Loaded;
    let loaded = || ledger.sources.iter().filter(is_loaded);
    let own = loaded().map(|entry| (entry.source.clone(), entry.stored.unwrap_or(entry.counted)));
    own.chain(loaded().flat_map(|entry| entry.dictionaries.clone())).collect()
}

/// Whether the stamp is that of this run: one that another wrote is none.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn is_of_run(session: &Session, run: &str) -> anyhow::Result<bool> {
    let sql = "select exists (select from kiln.stamp where run = $1)";
    let row = session.query_one(sql, &[&run]).await.map_err(db("look for the stamp"))?;
    Ok(row.get(0))
}

/// Reads a build's stamp; `None` when it is not sealed.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn read(session: &Session) -> anyhow::Result<Option<Stamp>> {
    if !is_there(session).await? {
        return Ok(None);
    }
    let row = session
        .query_opt(
            // Stamps of an older kiln have neither of the last two.
            "select build, database, version, fingerprint, ledger,
                    (to_jsonb(s) ->> 'serves_from')::integer, to_jsonb(s) -> 'contents'
             from kiln.stamp s",
            &[],
        )
        .await
        .map_err(db("read the stamp"))?;
    let Some(row) = row else { return Ok(None) };
    let version = row.get::<_, i32>(2);
    let ledger: Ledger = serde_json::from_value(row.get(4))?;
    let contents: Option<Value> = row.get(6);
    let contents: Option<Contents> =
        contents.filter(|json| !json.is_null()).map(serde_json::from_value).transpose()?;
    let rows = match &contents {
        Some(contents) => {
            contents.tables.iter().map(|table| (table.table.clone(), table.rows)).collect()
        }
        None => stamped_rows(&ledger),
    };
    Ok(Some(Stamp {
        build: row.get(0),
        database: row.get(1),
        version: version.cast_unsigned(),
        serves_from: row.get::<_, Option<i32>>(5).unwrap_or(version).cast_unsigned(),
        fingerprint: row.get(3),
        rows,
        contents,
    }))
}

async fn is_there(session: &Session) -> anyhow::Result<bool> {
    let sql = "select to_regclass('kiln.stamp') is not null";
    Ok(session.query_one(sql, &[]).await.map_err(db("look for the stamp"))?.get(0))
}

/// A sealed build's own account; `None` when it has none.
///
/// # Errors
/// When the server cannot be asked, or the account cannot be read.
pub(crate) async fn account_of(
    server: &Server,
    build: &Build,
    owner: &str,
) -> anyhow::Result<Option<Account>> {
    let session = BuildDatabase::new(server, &build.name, owner)?.session("account").await?;
    if read(&session).await?.is_none() {
        return Ok(None);
    }
    let row = session
        .query_one("select manifest, ledger from kiln.stamp", &[])
        .await
        .map_err(db("read the stamp"))?;
    Ok(Some(Account {
        build: build.own_name().to_owned(),
        manifest: serde_json::from_value(row.get(0))?,
        ledger: serde_json::from_value(row.get(1))?,
        former: BTreeMap::new(),
    }))
}

/// What an app may ask of the stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StampVersion {
    /// The build's own name.
    pub build: String,
    /// The schema's version.
    pub version: u32,
    /// The oldest version whose readers it serves.
    pub serves_from: u32,
    /// The data's period.
    pub period: String,
}

/// Reads the version from the stamp, with an app's rights; `None` when there is no stamp.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn version(session: &Session) -> anyhow::Result<Option<StampVersion>> {
    if !is_there(session).await? {
        return Ok(None);
    }
    let row = session
        .query_opt(
            "select build, version, period, (to_jsonb(s) ->> 'serves_from')::integer
             from kiln.stamp s",
            &[],
        )
        .await
        .map_err(db("read the stamp"))?;
    Ok(row.map(|row| StampVersion {
        build: row.get(0),
        version: row.get::<_, i32>(1).cast_unsigned(),
        period: row.get(2),
        // A stamp of before this was said serves its own readers.
        serves_from: row.get::<_, Option<i32>>(3).unwrap_or(row.get(1)).cast_unsigned(),
    }))
}
