//! What a gate on data said of one number of a new build, beside that of the build that was live.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use indicatif::HumanCount;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A gate's verdict on one number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateEntry {
    /// `rows`, `nulls` or `older`.
    pub gate: String,
    /// The source, which is the table.
    pub source: String,
    /// The column, where one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The edition, where the source has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// What is live: rows; the share of a column's rows that are null; a period or posting.
    pub live: Value,
    /// The new build's.
    pub value: Value,
    /// The fewest and the most rows, the largest share, the oldest period or posting.
    pub limit: Value,
    /// What follows.
    pub verdict: GateVerdict,
    /// Whose number `live` is, where the live build has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// Who waived it and why, or why it was not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What follows for the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateVerdict {
    /// Nothing.
    Passed,
    /// It is not promoted.
    Refused,
    /// It would not be, and a person said that this does not count.
    Waived,
    /// Nothing: live's number is not known.
    NotCompared,
}

impl GateEntry {
    /// Whether it keeps the build from going live.
    pub fn is_refused(&self) -> bool {
        self.verdict == GateVerdict::Refused
    }

    /// Whether a person should be told.
    pub fn is_notable(&self) -> bool {
        self.verdict != GateVerdict::Passed
    }

    /// What a person types to let a sealed build go live that gates have refused; `None` where none has.
    pub fn way_on(database: &str, entries: &[GateEntry]) -> Option<String> {
        let waivers = GateEntry::waivers_for(database, entries)?;
        Some(format!("{waivers} && kiln swap {database}"))
    }

    /// The commands that waive what was refused: one a gate, for its source where it is one.
    pub fn waivers_for(database: &str, entries: &[GateEntry]) -> Option<String> {
        let mut by_gate: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.is_refused()) {
            let sources = by_gate.entry(&entry.gate).or_default();
            if !sources.contains(&entry.source.as_str()) {
                sources.push(&entry.source);
            }
        }
        let command = |(gate, sources): (&str, Vec<&str>)| match sources.as_slice() {
            [one] => format!("kiln waive {database} {gate} --source {one} --why 'WHY'"),
            _ => format!("kiln waive {database} {gate} --why 'WHY'"),
        };
        let commands: Vec<String> = by_gate.into_iter().map(command).collect();
        (!commands.is_empty()).then(|| commands.join(" && "))
    }

    /// The verdict in words.
    pub fn text(&self) -> String {
        let mut said = format!("gate {}: {}", self.gate, self.source);
        if let Some(column) = &self.column {
            let _ = write!(said, ".{column}");
        }
        if let Some(edition) = &self.edition {
            let _ = write!(said, " (edition {edition})");
        }
        said.push_str(": ");
        if self.verdict == GateVerdict::NotCompared {
            said.push_str("not compared");
        } else {
            said.push_str(&self.numbers());
        }
        match (self.verdict, &self.why) {
            (GateVerdict::Waived, Some(why)) => said + "; waived by " + why,
            (_, Some(why)) => said + ": " + why,
            (_, None) => said,
        }
    }

    fn numbers(&self) -> String {
        let Self { live, value, limit, former, .. } = self;
        let who = former.as_deref().unwrap_or("live");
        let count = |value: &Value| HumanCount(value.as_u64().unwrap_or(0)).to_string();
        let percent = |value: &Value| format!("{:.1} %", value.as_f64().unwrap_or(0.0) * 100.0);
        let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        match self.gate.as_str() {
            "rows" => format!(
                "{} {}, {who} has {} (limits: {} to {})",
                count(value),
                if value.as_u64() == Some(1) { "row" } else { "rows" },
                count(live),
                count(&limit[0]),
                count(&limit[1])
            ),
            "nulls" => format!(
                "{} of its rows are null, {who} has {} (limit: {})",
                percent(value),
                percent(live),
                percent(limit)
            ),
            _ => format!("{} goes back, {who} has {}", word(value), word(live)),
        }
    }
}
