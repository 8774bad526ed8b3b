//! `kiln verify` for people and for scripts.

use indicatif::HumanCount;
use serde::Serialize;

use super::{Table, seconds};

/// What a build is, held against what was sealed.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The product database.
    pub database: String,
    /// The build's own name.
    pub build: String,
    /// The tables that were read.
    pub tables: Vec<VerifiedTable>,
    /// How many tables the stamp says how to read.
    pub tables_in_all: usize,
    /// What of it is not what was sealed; empty where all is.
    pub differs: Vec<String>,
    /// What could not be held against the stamp.
    pub notes: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// A table that was read.
#[derive(Debug, Serialize)]
pub struct VerifiedTable {
    /// Its name.
    pub table: String,
    /// The source that filled it; `None` where it was made from tables.
    pub source: Option<String>,
    /// Its rows, those within rows counted one by one.
    pub rows: u64,
    /// Order-independent digest of them, in hex.
    pub digest: String,
    /// What it was sealed with.
    pub sealed: String,
    /// Whether both are the same.
    pub same: bool,
}

/// The outcome of `kiln verify`.
///
/// # Errors
/// Never, but for JSON that cannot be written.
pub fn verified(all: &[Verified], as_json: bool, quiet: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    for said in all.iter().filter(|_| !quiet) {
        let (read, of) = (said.tables.len(), said.tables_in_all);
        let verdict = if said.differs.is_empty() { "as sealed" } else { "NOT as sealed" };
        let took = seconds(said.seconds);
        say!("{} is {verdict}: {read} of {of} tables read, {took}", said.build);
        let mut table = Table::new(&["table", "rows", "digest", ""]);
        for read in &said.tables {
            let verdict = if read.same { "same" } else { "differs" };
            let rows = HumanCount(read.rows).to_string();
            table.row(vec![read.table.clone(), rows, read.digest.clone(), verdict.to_owned()]);
        }
        table.print();
        said.notes.iter().for_each(|note| say!("  note: {note}"));
    }
    Ok(())
}
