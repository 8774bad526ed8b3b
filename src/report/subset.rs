//! `kiln subset` and `kiln restore` for people and for scripts.

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use serde_json::json;

use crate::catalog::ledger::Ledger;
use crate::error::shell;
use crate::export::file::SubsetFile;

/// What a subset keeps of one table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SubsetTable {
    /// Its name.
    pub table: String,
    /// The rule in words.
    pub rule: String,
    /// Rows that are kept.
    pub rows: u64,
    /// Rows of the whole build; `None` where its stamp does not say.
    pub of: Option<u64>,
}

fn print_tables(tables: &[SubsetTable]) {
    let width = tables.iter().map(|table| table.table.len()).max().unwrap_or(0);
    say!("  {:width$}  {:>13}  {:>13}  rule", "table", "rows", "of");
    for SubsetTable { table, rule, rows, of } in tables {
        let of = of.map_or("?".to_owned(), |of| HumanCount(of).to_string());
        say!("  {table:width$}  {:>13}  {of:>13}  {rule}", HumanCount(*rows).to_string());
    }
}

/// What `kiln subset --dry-run` says.
pub(crate) fn subset_plan(database: &str, words: &str, tables: &[SubsetTable], as_json: bool) {
    if as_json {
        let said = json!({
            "dry_run": true, "database": database, "subset": words, "tables": tables,
        });
        say!("{said}");
        return;
    }
    say!("{database}: {words} would be\n");
    print_tables(tables);
}

/// The outcome of `kiln subset`.
pub(crate) fn subset(
    ledger: &Ledger,
    words: &str,
    tables: &[SubsetTable],
    file: Option<&SubsetFile>,
    as_json: bool,
    quiet: bool,
) {
    if as_json {
        let said = json!({
            "build": ledger.build, "subset": words, "tables": tables, "file": file,
            "ledger": ledger,
        });
        say!("{said}");
        return;
    }
    if quiet {
        return;
    }
    say!("{}: {words}\n", ledger.build);
    print_tables(tables);
    say!();
    for warning in &ledger.warnings {
        say!("  note: {warning}");
    }
    say!("  sealed; {} is as it was", ledger.database);
    if let Some(SubsetFile { path, bytes, sha256 }) = file {
        let (shown, word) = (path.display(), shell::path(path));
        say!("  written to {shown} ({}; sha256 of its SQL {sha256})", HumanBytes(*bytes));
        say!("  on a laptop: kiln restore {word}");
    }
}

/// The outcome of `kiln restore`.
pub(crate) fn restored(
    ledger: &Ledger,
    words: &str,
    stays: Option<&str>,
    as_json: bool,
    quiet: bool,
) {
    if as_json {
        let said = json!({
            "build": ledger.build, "subset": words, "live": ledger.promoted.is_some(),
            "stays_live": stays, "ledger": ledger,
        });
        say!("{said}");
        return;
    }
    if quiet {
        return;
    }
    let (build, database) = (&ledger.build, &ledger.database);
    let (rows, tables) = (HumanCount(ledger.rows()), ledger.sources.len());
    say!("{build}: {words}; {rows} rows in {tables} tables, each digest as in the file");
    match (&ledger.promoted, stays) {
        (Some(_), _) => say!("  live; try: psql \"$(kiln url {database})\""),
        (None, Some(live)) => {
            say!(
                "  sealed; {live} stays live. If the subset is to be: kiln swap {database} {build}"
            );
        }
        (None, None) => say!("  sealed; next: kiln swap {database} {build}"),
    }
}

/// What `kiln restore --dry-run` says.
pub(crate) fn restore_plan(database: &str, words: &str, tables: &[SubsetTable], as_json: bool) {
    if as_json {
        let said = json!({
            "dry_run": true, "database": database, "subset": words, "tables": tables,
        });
        say!("{said}");
        return;
    }
    say!("{database} would be restored: {words}\n");
    print_tables(tables);
}
