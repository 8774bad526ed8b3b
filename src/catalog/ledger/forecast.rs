//! What a night was expected to need.

use serde::{Deserialize, Serialize};

/// What a night is expected to need, in bytes and seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The builds whose ledgers it rests on, newest first; none: measured ratios alone.
    pub from: Vec<String>,
    /// Bytes of text that will be read.
    pub text: u64,
    /// Whether the archives' directories said how much text that is; else it is inferred from
    /// the objects' sizes.
    pub text_is_known: bool,
    /// Bytes of the sealed database.
    pub database: u64,
    /// Bytes that index builds side by side keep in temporary files, at most at once.
    pub temporary_peak: u64,
    /// Bytes of WAL that the night writes.
    pub wal_written: u64,
    /// Bytes of it that lie in `pg_wal` at once.
    pub wal_peak: u64,
    /// Bytes of inner zips in the scratch folder.
    pub scratch: u64,
    /// Seconds from the first step to the swap.
    pub seconds: f64,
}
