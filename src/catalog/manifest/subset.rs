//! What a subset is a part of, as its manifest and its file say it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Percent;

/// What was asked for: a percentage, and conditions of a person's own by table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubsetRequest {
    /// How much of the sampled keys.
    pub percent: Percent,
    /// SQL conditions that narrow a table's own rule.
    pub conditions: BTreeMap<String, String>,
}

impl SubsetRequest {
    /// Whether every row is asked for. Rules are then not applied: 100 % is the whole build, rows
    /// that nothing refers to among them.
    pub fn is_everything(&self) -> bool {
        self.percent.is_all() && self.conditions.is_empty()
    }

    /// In words, for people: `5 % of druginfo_00007`, `5 % of druginfo_00007, by rule for pricing`.
    pub fn in_words(&self, build: &str) -> String {
        let tables: Vec<&str> = self.conditions.keys().map(String::as_str).collect();
        match tables.as_slice() {
            [] => format!("{} % of {build}", self.percent),
            tables => format!("{} % of {build}, by rule for {}", self.percent, tables.join(", ")),
        }
    }
}

/// What a subset was made from: in its manifest, and in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubsetOrigin {
    /// The whole build's own name.
    pub build: String,
    /// What was asked for.
    pub asked: SubsetRequest,
    /// sha256 of `subset.toml`, in hex; empty where there was none.
    pub rules_sha256: String,
}
