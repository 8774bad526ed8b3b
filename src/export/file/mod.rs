//! A build as a file, and back: one gzipped SQL script that `psql` runs as it is, and that
//! `kiln restore` reads back row by row, proved against the digests in its header.
//!
//! ```text
//! -- kiln: header {"kiln_file":1, …}       what it is: one line of JSON
//! begin; …                                 one transaction: a file that is cut leaves nothing
//! -- kiln: kiln                            kiln's own schema (kiln restore makes its own)
//! -- kiln: pre-data sql/druginfo/0001_…:2  the sections of the numbered files
//! -- kiln: copy pricing                    a table's rows, in an order that is theirs alone
//! -- kiln: post-data … / derive …          tables made from tables are made anew
//! -- kiln: stamp                           the stamp, for psql
//! -- kiln: end
//! commit;
//! ```
//!
//! The text is a function of the build and the rule: no time of day, no run, no order of arrival.
//! (The compressed bytes may differ between kinds of processors.)

mod names;
mod read;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::manifest::Manifest;
use crate::export::subset::KeptTable;
use crate::spec::schema::SchemaLock;

pub(crate) use names::refuse_names;
#[cfg(feature = "dev")]
pub(crate) use read::read_from;
pub(crate) use read::{FileEvent, header, read};
pub(crate) use write::{Script, SubsetFile};

/// What begins a line that kiln reads in a file of its own.
const MARK: &str = "-- kiln: ";
/// What ends a table's rows in SQL.
const END_OF_ROWS: &[u8] = b"\\.\n";

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileHeader {
    /// The form of the file; 1.
    pub kiln_file: u32,
    /// What wrote it.
    pub tool: String,
    /// The product database.
    pub database: String,
    /// What it is a part of, in words.
    pub subset: String,
    /// The schema's version.
    pub version: u32,
    /// The oldest version whose readers it serves; `None` in a file of before this was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves_from: Option<u32>,
    /// The catalog's fingerprint.
    pub fingerprint: String,
    /// The catalog's lines.
    pub catalog: Vec<String>,
    /// The manifest, with what the subset was made from.
    pub manifest: Manifest,
    /// The tables whose rows are in the file, in file order.
    pub tables: Vec<TableEntry>,
}

/// One table of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableEntry {
    /// Its name.
    pub table: String,
    /// Its columns, in the order of the rows' fields.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// Order-independent digest of the rows as they are stored, in hex.
    pub digest: String,
    /// For a source's own table, what a build notes of it; `None` for a dictionary's.
    pub source: Option<SourceFacts>,
}

impl TableEntry {
    /// The table with all its rows, as it is copied.
    pub(crate) fn kept(&self) -> KeptTable {
        KeptTable {
            name: self.table.clone(),
            columns: self.columns.clone(),
            is_sampled: false,
            words: String::new(),
            condition: None,
        }
    }

    /// The COPY that takes its rows as they stand in the file.
    pub(crate) fn copy_sql(&self) -> String {
        format!("copy \"{}\" ({}) from stdin", self.table, self.kept().column_list())
    }
}

/// What a table holds whose rows hold many of the file's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackedTable {
    /// The column with the arrays.
    pub array: String,
    /// How many it holds.
    pub rows: u64,
}

/// What a build notes of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceFacts {
    /// The data's period.
    pub period: Option<String>,
    /// The posting's day, yyyymmdd.
    pub posted: Option<String>,
    /// The file's rows, where a row of the table holds many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed: Option<PackedTable>,
    /// Order-independent digest of what the rows say, in hex; the loader's.
    pub digest: String,
    /// Rows of its dictionaries' tables.
    pub dictionaries: BTreeMap<String, u64>,
}

impl FileHeader {
    /// The lock that the schema in the file is held against.
    pub(crate) fn lock(&self) -> SchemaLock {
        SchemaLock {
            version: self.version,
            serves_from: self.serves_from.unwrap_or(self.version).min(self.version),
            fingerprint: self.fingerprint.clone(),
            catalog: self.catalog.clone(),
            learned: None,
        }
    }
}
