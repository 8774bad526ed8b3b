//! What kiln prints on standard output, as text or JSON, and the JSON log
//! ([`log_to_file`]). A night without a terminal prints nothing when it goes well.

#[macro_use]
pub(crate) mod say;
pub(crate) mod progress;

mod contract;
mod drafted;
pub(crate) mod error;
mod forecast;
mod locked;
mod log;
#[cfg(feature = "dev")]
mod made;
mod pruned;
mod status;
mod tried;
mod subset;
mod swapped;
mod waiver;
mod verified;
mod workers;

use std::fmt::Write as _;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

pub(crate) use contract::{contract_removed, contract_set, contracts};
pub(crate) use drafted::{Drafted, drafted};
pub(crate) use forecast::forecast;
pub(crate) use locked::{Locked, locked};
pub(crate) use log::log_to_file;
#[cfg(feature = "dev")]
pub(crate) use made::{GeneratedObject, demo, made};
pub(crate) use pruned::{Pruned, held, pruned};
pub(crate) use status::{BuildWork, StatusReport, status};
pub(crate) use subset::{SubsetTable, restore_plan, restored, subset, subset_plan};
use swapped::promoted;
pub(crate) use swapped::{are_live_already, promotions};
pub(crate) use tried::{
    RejectGroup as RejectKind, RejectPosition, TriedCheck, TriedFile, TriedSpec, tried,
};
pub(crate) use verified::verified;
pub(crate) use waiver::{waived, waiver};
pub(crate) use workers::{BegunBuild, Worked, abandoned, begun, tasks, worked};

use crate::catalog::ledger::{GateEntry, Ledger, SourceEntry, SourceState, StageEntry};
use crate::spec::schema::Checked;

/// A table with its first column to the left and the others to the right.
struct TextTable {
    rows: Vec<Vec<String>>,
}

impl TextTable {
    fn new(header: &[&str]) -> TextTable {
        TextTable { rows: vec![header.iter().map(|name| (*name).to_owned()).collect()] }
    }

    fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                let _ = match column {
                    0 => write!(line, "  {cell:width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            say!("{}", line.trim_end());
        }
    }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.2} s")
}

/// A build's account: its sources, its stages, what it came to.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn ledger(ledger: &Ledger, as_json: bool, as_text: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(ledger)?);
        return Ok(());
    }
    match &ledger.nothing_to_do {
        Some(said) if as_text => {
            say!("nothing to do: {said}");
            ledger.warnings.iter().for_each(|warning| say!("  note: {warning}"));
        }
        None if as_text => print_ledger(ledger),
        _ => {}
    }
    Ok(())
}

fn print_ledger(ledger: &Ledger) {
    let period = ledger.period();
    say!("\n{} · schema version {} · period {period}\n", ledger.build, ledger.version);
    let mut table = TextTable::new(&["table", "rows", "rejected", "text", "time"]);
    for entry in &ledger.sources {
        let rows = match entry.state {
            SourceState::Loaded => HumanCount(entry.counted).to_string(),
            SourceState::Failed => "failed".to_owned(),
            SourceState::Without => "left out".to_owned(),
        };
        table.row(vec![
            entry.source.clone(),
            rows,
            HumanCount(entry.sum(|file| file.rejected)).to_string(),
            HumanBytes(entry.sum(|file| file.bytes)).to_string(),
            match &entry.reused {
                Some(from) => format!("{}, from {}", seconds(entry.seconds), from.build),
                None => seconds(entry.seconds),
            },
        ]);
    }
    table.print();
    say!();
    let mut table = TextTable::new(&["stage", "time"]);
    for StageEntry { stage, seconds: time } in &ledger.stages {
        table.row(vec![stage.clone(), seconds(*time)]);
    }
    table.print();
    if let (Some(forecast), Some(used)) = (&ledger.forecast, &ledger.used) {
        say!();
        forecast::beside(forecast, used);
    }
    let passed = ledger.checks.iter().filter(|check| check.rows == 0).count();
    say!("\n  {passed} of {} checks passed", ledger.checks.len());
    for warning in &ledger.warnings {
        say!("  note: {warning}");
    }
    notable(&ledger.gates);
    match &ledger.promoted {
        Some(promotion) => say!("  {}", promoted(&ledger.database, promotion)),
        None if ledger.sealed => say!("  sealed; next: kiln swap {}", ledger.database),
        None => {}
    }
}

/// What gates say of something, and the commands that help.
pub(crate) fn gates(database: &str, of: &str, gates: &[GateEntry], then: &str) {
    if gates.iter().any(GateEntry::is_notable) {
        say!("  {of}:");
        notable(gates);
    }
    if let Some(waivers) = GateEntry::waivers_for(database, gates) {
        say!("  if that is meant: {waivers} && {then}");
    }
}

/// Gates that are reported.
fn notable(gates: &[GateEntry]) {
    for entry in gates.iter().filter(|entry| entry.is_notable()) {
        say!("  {}", entry.text());
    }
}

/// The outcome of `kiln load`.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn source(
    entry: &SourceEntry,
    into: Option<&str>,
    as_json: bool,
    quiet: bool,
) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(entry)?);
        return Ok(());
    }
    if quiet {
        return Ok(());
    }
    let place = into.map_or("a scratch build, dropped".to_owned(), str::to_owned);
    say!("{} into {place}: {} rows", entry.source, HumanCount(entry.counted));
    let columns = ["file", "lines", "header", "loaded", "rejected", "filtered", "misfits"];
    let mut table = TextTable::new(&columns);
    for file in &entry.files {
        let name = if file.member.is_empty() { &file.object } else { &file.member };
        table.row(vec![
            name.clone(),
            HumanCount(file.lines).to_string(),
            file.header.to_string(),
            HumanCount(file.loaded).to_string(),
            HumanCount(file.rejected).to_string(),
            HumanCount(file.filtered).to_string(),
            HumanCount(file.misfits).to_string(),
        ]);
    }
    table.print();
    if let Some(build) = into {
        say!("next: kiln resume {build}");
    }
    Ok(())
}

/// A file that landed.
#[derive(Debug, Serialize)]
pub(crate) struct Landed {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub location: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its sha256, in hex.
    pub sha256: String,
    /// The sources that would read it.
    pub readers: Vec<String>,
    /// The bytes of what had landed there before, which it replaces.
    pub replaces: Option<u64>,
}

/// A file that was withdrawn.
#[derive(Debug, Serialize)]
pub(crate) struct Withdrawn {
    /// Where it is, and stays.
    pub location: String,
    /// What says so beside it.
    pub marker: String,
    /// The sources that would have read it.
    pub readers: Vec<String>,
    /// The live build, where it was made of it.
    pub live_build: Option<String>,
    /// Builds that are made of it and not live yet, with their states: they may still go live.
    pub waiting: Vec<String>,
    /// Sources for which the gate `older` is waived, for the next promotion.
    pub older_waived: Vec<String>,
}

/// The outcome of `kiln land --withdraw`.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn withdrawn(
    database: &str,
    all: &[Withdrawn],
    dry_run: bool,
    as_json: bool,
) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    for file in all {
        let verb = if dry_run { "would be" } else { "is" };
        say!("{} {verb} withdrawn", file.location);
        if let Some(live) = &file.live_build {
            let sources = file.older_waived.join(", ");
            say!("  {live} is live and was made of it: kiln run {database}, or kiln rollback");
            say!("  gate older {verb} waived for the next promotion: {sources}");
        }
        for build in &file.waiting {
            say!("  {build} is made of it too, and a swap or resume may still bring it live");
        }
    }
    Ok(())
}

/// The outcome of `kiln land`.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn landed(all: &[Landed], dry_run: bool, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    for file in all {
        let verb = if dry_run { "would land at" } else { "landed at" };
        let size = HumanBytes(file.size);
        say!("{} {verb} {} ({size}, sha256 {})", file.name, file.location, file.sha256);
        say!("  read by: {}", file.readers.join(", "));
        if let Some(bytes) = file.replaces {
            let verb = if dry_run { "would replace" } else { "replaces" };
            say!("  it {verb} what had landed there before ({})", HumanBytes(bytes));
        }
    }
    Ok(())
}

/// The outcome of `kiln schema check`.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn schemas(all: &[Checked], as_json: bool, quiet: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    for checked in all.iter().filter(|_| !quiet) {
        say!(
            "{}: version {}, {} tables, {} sources, fingerprint {}",
            checked.database,
            checked.version.unwrap_or(0),
            checked.tables,
            checked.sources,
            &checked.fingerprint[..12]
        );
    }
    Ok(())
}
