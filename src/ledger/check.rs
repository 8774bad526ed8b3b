//! What a check came to.

use serde::{Deserialize, Serialize};

/// A check's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckEntry {
    /// The check's sentence.
    pub title: String,
    /// File and line of the check.
    pub place: String,
    /// Rows that must not be there (counted up to a limit).
    pub rows: u64,
    /// The first of them, by their first columns; of personal data none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

impl CheckEntry {
    /// How many rows it found, and the first of them.
    pub(super) fn in_words(&self) -> String {
        let CheckEntry { rows, keys, .. } = self;
        if keys.is_empty() {
            return format!("{rows} rows");
        }
        let more = match rows.saturating_sub(keys.len() as u64) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        format!("{rows} rows: {}{more}", keys.join("; "))
    }
}
