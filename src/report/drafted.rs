//! The outcome of `kiln source new`: what the file was seen to be, and what to type next.

use indicatif::HumanCount;
use serde::Serialize;

use crate::error::shell;

/// A draft.
#[derive(Debug, Serialize)]
pub(crate) struct Drafted {
    /// The file as it was given.
    pub file: String,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The spec, relative to the root.
    pub spec_file: String,
    /// The table, relative to the root.
    pub table_file: String,
    /// The spec's text.
    pub spec: String,
    /// The table's text.
    pub table: String,
    /// The database.
    pub database: String,
    /// The source.
    pub source: String,
    /// Object and members.
    pub place: String,
    /// Rows behind the header.
    pub rows: u64,
    /// Columns of the file.
    pub columns: usize,
    /// Columns of the table by type.
    pub kinds: String,
    /// How the text is cut.
    pub text: String,
    /// The primary key.
    pub key: Vec<String>,
    /// Other keys.
    pub other_keys: Vec<Vec<String>>,
    /// What a person should look at.
    pub doubts: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// Prints it.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn drafted(drafted: &Drafted, as_json: bool, quiet: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(drafted)?);
        return Ok(());
    }
    let Drafted { spec_file, table_file, database, source, file, .. } = drafted;
    if drafted.dry_run {
        say!("# would be written to {spec_file}\n{}", drafted.spec);
        say!("-- would be written to {table_file}\n{}", drafted.table);
        return Ok(());
    }
    if quiet {
        return Ok(());
    }
    say!("{} in {:.2} s", drafted.place, drafted.seconds);
    say!("  rows     {} of {} columns", HumanCount(drafted.rows), drafted.columns);
    say!("  text     {}", drafted.text);
    say!("  columns  {}", drafted.kinds);
    let key = if drafted.key.is_empty() { "none found".into() } else { drafted.key.join(", ") };
    say!("  key      {key}");
    for other in drafted.other_keys.iter().take(5) {
        say!("           or {}", other.join(", "));
    }
    for doubt in &drafted.doubts {
        say!("  look:    {doubt}");
    }
    say!("written:\n  {spec_file}\n  {table_file}");
    let file = shell::word(file);
    say!("next: say in both what the columns mean, then");
    say!("  kiln source check {database} {source} {file}");
    say!("  kiln schema lock {database} && kiln schema check {database}");
    say!("  kiln land {database} {file} && kiln load {database} {source}");
    Ok(())
}
