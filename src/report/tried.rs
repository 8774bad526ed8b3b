//! The outcome of `kiln source check`: counts, the first rows as they are loaded, every kind of
//! reject, and whether key and checks hold.

use indicatif::HumanCount;
use serde::Serialize;

use super::TextTable;
use crate::spec::schema::{SchemaFile, Section};

/// Characters a terminal's line has; wider rows are shown a column a line.
const WIDTH: usize = 110;
/// Characters of one value that are shown.
const VALUE_MAX: usize = 60;

/// A spec tried on a file.
#[derive(Debug, Serialize)]
pub(crate) struct TriedSpec {
    /// The database.
    pub database: String,
    /// The source.
    pub source: String,
    /// The file as it was given.
    pub file: String,
    /// Whether the night would read a file of this name.
    pub name_matches: bool,
    /// Whether it speaks of persons: then no value is shown.
    pub personal: bool,
    /// Rejects that the budget allows.
    pub allowed: u64,
    /// Fewest rows that are believable.
    pub rows_min: u64,
    /// Rows that were encoded, over all files.
    pub loaded: u64,
    /// Rows that were rejected, over all files.
    pub rejected: u64,
    /// Its files.
    pub files: Vec<TriedFile>,
    /// The table's columns and their types.
    pub columns: Vec<(String, String)>,
    /// The first rows, as Postgres says them.
    pub rows: Vec<Vec<Option<String>>>,
    /// Every kind of reject.
    pub rejects: Vec<RejectGroup>,
    /// Rows that went into the scratch database.
    pub tried_rows: u64,
    /// Whether these were all.
    pub all_tried: bool,
    /// Keys, checks, and tables made from the rows.
    pub checks: Vec<TriedCheck>,
    /// Sections that every release has, and this file has not.
    pub missing: Vec<String>,
    /// What could not be tried, and why.
    pub note: Option<String>,
}

/// One file's counts.
#[derive(Debug, Serialize)]
pub(crate) struct TriedFile {
    /// Its name, archives before it.
    pub file: String,
    /// Decompressed bytes.
    pub bytes: u64,
    /// Records in all.
    pub lines: u64,
    /// Header records.
    pub header: u64,
    /// Rows that were encoded.
    pub loaded: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Rows that a filter left out.
    pub filtered: u64,
    /// Fields that did not have their column's shape and are null, as the spec says.
    pub misfits: u64,
}

/// Rejects of one column for one reason.
#[derive(Debug, Serialize)]
pub(crate) struct RejectGroup {
    /// The column; `None` where the record as a whole is meant.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub places: Vec<RejectPosition>,
    /// The first one's record; none of a personal source.
    pub example: Option<String>,
}

/// Where a reject is.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct RejectPosition {
    /// Line in the file, from 1.
    pub line: u64,
    /// Byte in the file, from 0.
    pub byte: u64,
}

/// A key or a check that was tried.
#[derive(Debug, Serialize)]
pub(crate) struct TriedCheck {
    /// What must hold.
    pub title: String,
    /// What does not.
    pub failed: Option<String>,
    /// The .sql file that says so.
    pub file: String,
    /// The line in it.
    pub line: usize,
}

impl TriedCheck {
    /// What a file's section wants, and what does not hold.
    pub(crate) fn new(
        title: &str,
        file: &SchemaFile,
        section: &Section,
        failed: Option<String>,
    ) -> TriedCheck {
        let path = file.path.display().to_string();
        TriedCheck { title: title.to_owned(), failed, file: path, line: section.line }
    }
}

/// Prints it.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn tried(tried: &TriedSpec, as_json: bool, quiet: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(tried)?);
        return Ok(());
    }
    if quiet {
        return Ok(());
    }
    say!("{} of {} on {}", tried.source, tried.database, tried.file);
    let columns = ["file", "lines", "header", "loaded", "rejected", "filtered", "misfits"];
    let mut table = TextTable::new(&columns);
    for file in &tried.files {
        let counts =
            [file.lines, file.header, file.loaded, file.rejected, file.filtered, file.misfits];
        let counts = counts.iter().map(|count| HumanCount(*count).to_string());
        table.row(std::iter::once(file.file.clone()).chain(counts).collect());
    }
    table.print();
    if !tried.name_matches {
        say!("  note: `object` does not match this name: no night would read the file");
    }
    rows(tried);
    rejects(tried);
    for check in &tried.checks {
        match &check.failed {
            None => say!("  holds: {}", check.title),
            Some(failed) => {
                say!("  BROKEN: {}:{}: {}: {failed}", check.file, check.line, check.title);
            }
        }
    }
    if let Some(note) = &tried.note {
        say!("  note: {note}");
    }
    if !tried.all_tried {
        let count = HumanCount(tried.tried_rows);
        say!("  key and checks were not tried: only the first {count} rows went to Postgres");
    }
    Ok(())
}

fn rows(tried: &TriedSpec) {
    if tried.personal {
        let kinds: Vec<String> =
            tried.columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        say!("\npersonal: no value is shown; columns: {}", kinds.join(", "));
        return;
    }
    if tried.rows.is_empty() {
        return;
    }
    say!("\nfirst rows as they are loaded:");
    let width = |column: usize| {
        let (name, kind) = &tried.columns[column];
        let cells = tried.rows.iter().map(|row| cell(row[column].as_deref()).chars().count());
        cells.chain([name.len(), kind.len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..tried.columns.len()).map(width).collect();
    match widths.iter().sum::<usize>() + 2 * widths.len() <= WIDTH {
        true => aligned(tried, &widths),
        false => vertical(tried),
    }
}

fn aligned(tried: &TriedSpec, widths: &[usize]) {
    let line = |cells: Vec<String>| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("  {cell:width$}"));
        say!("{}", cells.collect::<String>().trim_end());
    };
    line(tried.columns.iter().map(|(name, _)| name.clone()).collect());
    line(tried.columns.iter().map(|(_, kind)| kind.clone()).collect());
    for row in &tried.rows {
        line(row.iter().map(|value| cell(value.as_deref())).collect());
    }
}

fn vertical(tried: &TriedSpec) {
    let names = tried.columns.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let kinds = tried.columns.iter().map(|(_, kind)| kind.len()).max().unwrap_or(0);
    for (number, row) in tried.rows.iter().enumerate() {
        say!("  — row {}", number + 1);
        let filled = tried.columns.iter().zip(row).filter(|(_, value)| value.is_some());
        for ((name, kind), value) in filled {
            say!("  {name:names$}  {kind:kinds$}  {}", cell(value.as_deref()));
        }
        let nulls = row.iter().filter(|value| value.is_none()).count();
        if nulls > 0 {
            say!("  {nulls} of {} columns are null", row.len());
        }
    }
}

/// A value in one line; null is distinguished from the empty text.
fn cell(value: Option<&str>) -> String {
    let Some(value) = value else { return "null".to_owned() };
    let escaped: String = value
        .chars()
        .flat_map(|c| match c.is_control() {
            true => c.escape_debug().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect();
    match escaped.char_indices().nth(VALUE_MAX) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None if escaped.is_empty() => "''".to_owned(),
        None => escaped,
    }
}

fn rejects(tried: &TriedSpec) {
    say!(
        "\n{} of {} rows rejected, the budget is {}",
        HumanCount(tried.rejected),
        HumanCount(tried.rejected + tried.loaded),
        HumanCount(tried.allowed)
    );
    for kind in &tried.rejects {
        let column = kind.column.as_ref().map_or("row".to_owned(), |name| format!("column {name}"));
        say!("  {column}: {} ({} times)", kind.reason, HumanCount(kind.count));
        let places: Vec<String> =
            kind.places.iter().map(|at| format!("line {}, byte {}", at.line, at.byte)).collect();
        say!("    at {}", places.join("; "));
        if let Some(example) = &kind.example {
            say!("    {example}");
        }
    }
}
