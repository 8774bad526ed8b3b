//! What a check found.

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
    /// The keys of the first of them; none where they are of people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

impl CheckEntry {
    /// What keeps the build from being sealed, in words.
    pub(super) fn problem(&self) -> String {
        let CheckEntry { title, place, rows, keys } = self;
        let what = if *rows == 1 { "row" } else { "rows" };
        let mut said = format!("{place}: check \"{title}\" found {rows} {what}");
        keys.iter().for_each(|key| said.push_str(&format!("\n  {key}")));
        said
    }
}
