//! What a byte of text amounts to where no former build says it. Measured on generated releases
//! (`kiln synth --scale 0.002` of all databases and `--scale 0.02` of druginfo, 720 MB of text,
//! Postgres 15, sizes by `pg_table_size` and `pg_indexes_size`); in brackets what was found.

use serde::{Deserialize, Serialize};

use super::LoadMethod;

/// How much of a source's text a database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// Every column of the file has its column.
    Typed,
    /// Columns that recur are in dictionaries; a row is keys.
    Dictionary,
    /// In dictionaries, and a row is an array of keys.
    Packed,
    /// The spec takes some of the file's columns and drops the others.
    Part,
}

impl StorageKind {
    /// Bytes of table and of its indexes that a byte of text becomes.
    pub fn ratios(self) -> (f64, f64) {
        match self {
            // [1.2–2.2 and 0.1–1.6 for the tables above 300 KB; 1.5 and 0.9 for the bulk of them:
            // a row has 28 bytes of its own, and CMS's rows are short]
            StorageKind::Typed => (1.6, 0.9),
            // [pricing 1.19 and 0.55]
            StorageKind::Dictionary => (1.2, 0.56),
            // [pharmacy_networks with its dictionaries at 20 million rows 0.071 and 0.008]
            StorageKind::Packed => (0.075, 0.01),
            // [nppes_pharmacy 0.11 and 0.04, beneficiary 0.19 and 0.15]
            StorageKind::Part => (0.15, 0.1),
        }
    }

    /// The share of the bulk of a release's text. [networks 46.5 MB, pricing 4.1 MB of a generated one]
    pub fn bulk(self) -> f64 {
        match self {
            StorageKind::Typed | StorageKind::Part => 0.0,
            StorageKind::Dictionary => 1.0,
            StorageKind::Packed => 11.0,
        }
    }

    /// Seconds that loading a byte of text takes on one connection, to be corrected by the
    /// speed that is seen: only the proportions matter. [at scale 0.2 on two cores: networks 4.2 ns, pricing 13 ns,
    /// NPPES 7 ns, formulary 19 ns; of the whole release on two machines: networks 3.6–5.0, pricing 13–19]
    pub fn load_seconds(self) -> f64 {
        match self {
            StorageKind::Typed => 20e-9,
            StorageKind::Dictionary => 15.5e-9,
            StorageKind::Packed => 4.2e-9,
            StorageKind::Part => 7e-9,
        }
    }

    /// Seconds that its keys take for a second of loading its rows. [at scale 0.2: formulary 1.7, costs 1.9,
    /// pricing 0.52, networks 0.35 and 0.03 where they were copied, NPPES 0.4; of the whole release on two
    /// machines: pricing 0.45–0.51, networks 0.30–0.41]
    pub fn keys(self, method: LoadMethod) -> f64 {
        match (self, method) {
            (StorageKind::Typed, _) => 1.7,
            // What its rows hold was proved when they were loaded.
            (StorageKind::Packed, LoadMethod::Copy) => 0.03,
            (StorageKind::Packed, _) => 0.34,
            (StorageKind::Dictionary, _) => 0.5,
            (StorageKind::Part, _) => 0.4,
        }
    }
}

/// Pages that a table and an index take however few rows they have. [geographic tables of ten
/// rows: 48 KB with TOAST table and maps, 16 KB an index]
pub(crate) const TABLE_MIN: u64 = 48 << 10;
/// The same for a table's indexes.
pub(crate) const INDEX_MIN: u64 = 16 << 10;
/// The catalog of a build before its tables' rows. [8.0–9.1 MB]
pub(crate) const CATALOG: u64 = 9_000_000;
/// Derived tables, of what is loaded. [druginfo 0.04–0.14, beneinfo 0.7, planinfo 0.4]
pub(crate) const DERIVED: f64 = 0.15;
/// Text in a zipped object. [Part D's real quarterly release 10.4, generated ones 8]
pub(crate) const INFLATED: f64 = 10.0;

/// An index sorts in this many times its size, which has to fit within [`crate::postgres::settings::INDEX_MEMORY`]: a sort
/// keeps 24 bytes beside every entry. [the network's key, 20 bytes a row on disk, 42 in memory]
pub(crate) const SORT_MEMORY: f64 = 2.0;
/// Bytes that a sort spills for a byte of its index. [139 MB for 124 MB]
pub(crate) const SORT_SPILL: f64 = 1.15;

/// WAL for a byte of table at `wal_level=minimal`: a table above `wal_skip_threshold` that is filled
/// in the transaction that made it writes none. [13 MB for 196 MB]
pub(crate) const WAL_TABLE_MINIMAL: f64 = 0.07;
/// Index builds' WAL for a byte of index, where WAL is compressed: assumed, not measured. At
/// `wal_level=minimal` they write none, for the index is made in the transaction that fills it.
pub(crate) const WAL_INDEX_COMPRESSED: f64 = 0.5;

/// Seconds that a source's rows take at least, however few they are. [copied: 0.04–0.1]
pub(crate) const LEAST: f64 = 0.05;
/// Seconds that a table made from others takes, for a second of loading the rows that it is made from.
/// [pharmacy at scale 0.2: 6.7 s for 20.5 s]
pub(crate) const MADE: f64 = 0.33;
/// The same out of a kept build, for a second of making it. [pharmacy at scale 0.2: 0.31 s for 7.2 s]
pub(crate) const MADE_BROUGHT: f64 = 0.05;
/// Seconds of the stages after the load for a second of it, in the order of the pipeline. [at scale 0.2: 0.25,
/// 0.24 and 0.49 s for 24 s; of the whole release 1.06, 0.47 and 1.76 s for 137 s]
pub(crate) const STAGES: [(&str, f64); 3] =
    [("derive", 0.008), ("freeze", 0.003), ("check", 0.013)];
/// Seconds until a build has its empty tables.
const PRE_DATA: f64 = 0.22;
/// Seconds of the stages that no amount of data makes longer.
pub(crate) const FIXED: [(&str, f64); 5] =
    [("pre-data", PRE_DATA), ("manifest", 0.02), ("seal", 0.03), ("swap", 0.04), ("prune", 0.05)];

/// Seconds that a table's rows take, for a second of loading them from files. [networks at scale 0.2: 20 s,
/// 7.7 and 3.3–4.5 s; of the whole release 88–92, 46 and 19 s]
pub(crate) fn rows(method: LoadMethod) -> f64 {
    match method {
        LoadMethod::Load => 1.0,
        LoadMethod::Copy => 0.45,
    }
}
