//! The run's own account: every source's objects, bytes, lines, rows, rejects, digests and
//! times. Success is computed from it, not from nobody having complained.

mod check;
mod contents;
mod forecast;
mod gate;
mod made;
mod stage;
pub(crate) mod used;

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorRecord, Exit, Position};
use crate::fetch::contents::Leaf;
pub(crate) use check::CheckEntry;
pub use contents::Reuse;
pub(crate) use contents::difference;
pub(crate) use forecast::Forecast;
pub(crate) use gate::{GateEntry, GateVerdict};
pub(crate) use made::{DerivedTable, MadeIn};
pub use stage::StageEntry;
pub(crate) use used::Used;

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The object's key.
    pub object: String,
    /// Its version id, or its entity tag where the bucket keeps no versions.
    pub version: String,
    /// The archives on the way and the member, joined by ` → `.
    pub member: String,
    /// Bytes of text.
    pub bytes: u64,
    /// Their sha256.
    pub sha256: String,
    /// What the proof of completeness rests on.
    pub evidence: String,
    /// Records, header included.
    pub lines: u64,
    /// Header records.
    pub header: u64,
    /// Rows sent.
    pub loaded: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Rows left out by a filter.
    pub filtered: u64,
    /// Fields that did not have their column's shape and are null, as the spec says.
    #[serde(default)]
    pub misfits: u64,
    /// Rows that COPY says it stored: a source's files go through one COPY, whose count must be the
    /// sum of theirs, or the source fails.
    pub copied: u64,
    /// Order-independent digest of the rows, in hex.
    pub digest: String,
    /// Rows by column of the table that are null there, columns left out that the file lacks;
    /// `None` in accounts of kilns that did not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<BTreeMap<String, u64>>,
}

/// Where a source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// Loaded and proved.
    Loaded,
    /// Not loaded; `error` says why.
    Failed,
    /// Left out by wish.
    Without,
}

/// What became of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// The source's name, which is the table's.
    pub source: String,
    /// Where it stands.
    pub state: SourceState,
    /// The data's period.
    pub period: Option<String>,
    /// The posting's day, yyyymmdd.
    pub posted: Option<String>,
    /// Its files.
    pub files: Vec<FileEntry>,
    /// The file's rows that its table was found to hold.
    pub counted: u64,
    /// Rows of its table, where each holds many of the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<u64>,
    /// Rows of its dictionaries' tables.
    #[serde(default)]
    pub dictionaries: BTreeMap<String, u64>,
    /// What the archives' directories say of the files, for the next night to hold against.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Leaf>,
    /// Which build its table was copied from; `None` when it was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<Reuse>,
    /// Rejects that its budget allows for this many rows.
    pub rejects_allowed: u64,
    /// Fewest rows that its budget demands.
    pub rows_min: u64,
    /// Order-independent digest of the table, in hex.
    pub digest: String,
    /// From the first byte to the proof.
    pub seconds: f64,
    /// Why it failed.
    pub error: Option<String>,
    /// The command that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The SQLSTATE, where it is the server that refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlstate: Option<String>,
    /// The exit code that the failure asks for.
    pub exit_code: Option<u8>,
    /// Where in its input the failure is.
    #[serde(default, skip_serializing_if = "Position::is_empty")]
    pub position: Position,
}

impl SourceEntry {
    /// An entry without files.
    pub fn empty(source: &str, state: SourceState) -> SourceEntry {
        SourceEntry {
            source: source.to_owned(),
            state,
            period: None,
            posted: None,
            files: Vec::new(),
            counted: 0,
            stored: None,
            dictionaries: BTreeMap::new(),
            contents: Vec::new(),
            reused: None,
            rejects_allowed: 0,
            rows_min: 0,
            digest: String::new(),
            seconds: 0.0,
            error: None,
            hint: None,
            sqlstate: None,
            exit_code: None,
            position: Position::default(),
        }
    }

    /// Notes that it failed, and how.
    pub fn fail(&mut self, error: ErrorRecord) {
        self.state = SourceState::Failed;
        self.error = Some(error.message);
        self.hint = error.hint;
        self.sqlstate = error.sqlstate;
        self.exit_code = Some(error.exit_code);
        self.position = error.position;
    }

    /// How it failed, where it did.
    pub fn failure(&self) -> Option<ErrorRecord> {
        let message = self.error.clone()?;
        let exit = self.exit_code.and_then(Exit::of_code).unwrap_or(Exit::InputRejected);
        Some(ErrorRecord {
            kind: exit.kind().to_owned(),
            exit_code: exit.code(),
            message,
            hint: self.hint.clone(),
            sqlstate: self.sqlstate.clone(),
            position: self.position.clone(),
        })
    }

    /// The sum of one count over the files.
    pub fn sum(&self, count: impl Fn(&FileEntry) -> u64) -> u64 {
        self.files.iter().map(count).sum()
    }

    /// What does not agree, in words; empty when the source is proved loaded.
    pub fn problems(&self) -> Vec<String> {
        let mut said = Vec::new();
        let name = &self.source;
        match self.state {
            SourceState::Without => return said,
            SourceState::Failed => {
                said.push(self.error.clone().unwrap_or_else(|| format!("{name} failed")));
                return said;
            }
            SourceState::Loaded => {}
        }
        for file in &self.files {
            let FileEntry { lines, header, loaded, rejected, filtered, copied, member, .. } = file;
            if *lines != header + loaded + rejected + filtered {
                said.push(format!(
                    "{name}: {member}: {lines} lines are not {header} header + {loaded} loaded + \
                     {rejected} rejected + {filtered} filtered"
                ));
            }
            if loaded != copied {
                said.push(format!("{name}: {member}: sent {loaded} rows, COPY stored {copied}"));
            }
        }
        let loaded = self.sum(|file| file.loaded);
        if loaded != self.counted {
            said.push(format!("{name}: sent {loaded} rows, the table has {}", self.counted));
        }
        let rejected = self.sum(|file| file.rejected);
        if rejected > self.rejects_allowed {
            let allowed = self.rejects_allowed;
            said.push(format!("{name}: {rejected} rows rejected, the budget is {allowed}"));
        }
        if loaded < self.rows_min {
            said.push(format!("{name}: {loaded} rows, expected at least {}", self.rows_min));
        }
        if self.files.is_empty() {
            said.push(format!("{name}: no file was read"));
        }
        said
    }
}

/// The account of one run of one database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The run's id.
    pub run: String,
    /// The command, `run` or `build` or `resume`.
    pub command: String,
    /// The product database.
    pub database: String,
    /// The build.
    pub build: String,
    /// The schema's version.
    pub version: u32,
    /// When it began.
    pub started: String,
    /// What was chosen for this server and why, a line each.
    #[serde(default)]
    pub settings: Vec<String>,
    /// How long each stage took, in order.
    pub stages: Vec<StageEntry>,
    /// The sources, by name.
    pub sources: Vec<SourceEntry>,
    /// Sources that the manifest has, or is without: all of them must be in `sources`.
    pub expected: Vec<String>,
    /// Tables that were made from the rows of named others.
    #[serde(default)]
    pub made: Vec<DerivedTable>,
    /// The checks.
    pub checks: Vec<CheckEntry>,
    /// What the night was expected to need.
    #[serde(default)]
    pub forecast: Option<Forecast>,
    /// What it used.
    #[serde(default)]
    pub used: Option<Used>,
    /// What the gates on data said of it, beside what was live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateEntry>,
    /// What a person may want to look at.
    pub warnings: Vec<String>,
    /// Whether the seal was committed.
    pub sealed: bool,
    /// The build that was live before, and whether this one is now.
    pub promoted: Option<Promotion>,
    /// Why there was nothing to do; `build` is then the one that is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing_to_do: Option<String>,
}

/// A swap that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    /// What was live before.
    pub from: Option<String>,
    /// What is live now.
    pub to: String,
    /// From the first lock to COMMIT: the longest that a new connection waited.
    pub milliseconds: u64,
    /// Reader sessions that were ended.
    pub sessions_ended: u64,
    /// The build that was rolled away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
    /// What the gate could not hold the build against.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Ledger {
    /// An account that has just been opened.
    pub fn open(run: &str, command: &str, database: &str, build: &str, version: u32) -> Ledger {
        Ledger {
            run: run.to_owned(),
            command: command.to_owned(),
            database: database.to_owned(),
            build: build.to_owned(),
            version,
            started: crate::catalog::registry::now(),
            settings: Vec::new(),
            stages: Vec::new(),
            sources: Vec::new(),
            expected: Vec::new(),
            made: Vec::new(),
            checks: Vec::new(),
            forecast: None,
            used: None,
            gates: Vec::new(),
            warnings: Vec::new(),
            sealed: false,
            promoted: None,
            nothing_to_do: None,
        }
    }

    /// Notes a stage that began at `since` and ends now.
    pub fn stage(&mut self, name: &str, since: Instant) {
        let seconds = since.elapsed().as_secs_f64();
        tracing::info!(stage = name, seconds, "stage done");
        self.stages.push(StageEntry { stage: name.to_owned(), seconds });
    }

    /// Notes how long the night took, and what was warned of on the way.
    pub fn night_took(&mut self, seconds: f64, warnings: Vec<String>) {
        if let Some(used) = &mut self.used {
            used.seconds = seconds;
        }
        self.warnings.extend(warnings);
    }

    /// What keeps the build from being sealed; empty when every source and every check agrees.
    pub fn problems(&self) -> Vec<String> {
        let mut said: Vec<String> = self.sources.iter().flat_map(SourceEntry::problems).collect();
        for name in &self.expected {
            if !self.sources.iter().any(|entry| entry.source == *name) {
                said.push(format!("{name}: in the manifest, and not in the ledger"));
            }
        }
        for check in self.checks.iter().filter(|check| check.rows > 0) {
            said.push(check.problem());
        }
        said
    }

    /// The periods of the sources, sorted, joined.
    pub fn period(&self) -> String {
        let mut periods: Vec<&str> =
            self.sources.iter().filter_map(|entry| entry.period.as_deref()).collect();
        periods.sort_unstable();
        periods.dedup();
        periods.join(", ")
    }

    /// Sources left out by wish.
    pub fn without(&self) -> Vec<String> {
        self.sources
            .iter()
            .filter(|entry| entry.state == SourceState::Without)
            .map(|entry| entry.source.clone())
            .collect()
    }

    /// Rows loaded in all.
    pub fn rows(&self) -> u64 {
        self.sources.iter().map(|entry| entry.counted).sum()
    }
}

#[cfg(test)]
mod tests;
