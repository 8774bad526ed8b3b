//! Tables that were made from the rows of named others: what a later build copies where it has the
//! same rows.

use serde::{Deserialize, Serialize};

/// A table that was made from others, as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DerivedTable {
    /// Its name.
    pub table: String,
    /// sha256 over all schema files: what it was made by, and what it was made from.
    pub schema_sha256: String,
    /// Its rows.
    pub rows: u64,
    /// Order-independent digest of its rows, in hex.
    pub digest: String,
}

/// Where one is that may be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeIn {
    /// The kept build's own name.
    pub build: String,
    /// The name of its database now.
    pub database: String,
    /// What was sealed.
    pub made: DerivedTable,
}
