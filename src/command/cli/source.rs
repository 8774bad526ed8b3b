//! The arguments of `kiln source`, with their help.

use clap::{Args, Subcommand};

use super::{DryRun, Json, Scratch};

/// `kiln source …`
#[derive(Debug, Subcommand)]
pub enum Source {
    /// Look at a real file and write a first spec and table for it
    #[command(after_help = "\
Reads the whole file, in bounded memory, and writes sources/DATABASE/TABLE.toml and \
sql/DATABASE/NNNN_TABLE.sql: delimiter, quoting, encoding, header, nulls, the strictest type that \
all rows fit, keys. Comments tell what was seen; what it means a person adds. FILE is a path, an \
s3:// URL, or the name of an object that has landed.

Examples:
  kiln source new planinfo pbp-benefits-2026.zip --member pbp_b20.txt
  kiln source new planinfo Monthly_Report_By_Plan_2026_05.csv --name enrollment_by_plan
  kiln source new planinfo ssa_fips_state_county2017.csv --dry-run")]
    New(SourceNew),
    /// Try a source's spec on a file: the first rows as they would be loaded, and every reject kind
    #[command(after_help = "\
Reads the whole file as the night would, into a scratch database, and tries the table's key and \
checks on it. Exit 11 when the header differs or more rows are rejected than the budget allows, 14 \
when the rows break the key or a check. FILE is a path, an s3:// URL, or the name of an object \
that has landed.

Examples:
  kiln source check planinfo pbp_b20 pbp-benefits-2026.zip
  kiln source check planinfo pbp_b20 pbp-benefits-2026.zip --rows 3 --json
  kiln source check planinfo pbp_b20 pbp-benefits-2026.zip --server postgresql://kiln@db.internal:5432/postgres")]
    Check(SourceCheck),
}

/// Arguments of `kiln source new`.
#[derive(Debug, Args)]
pub struct SourceNew {
    /// The database; a new name makes a new one
    pub database: String,
    /// The file
    pub file: String,
    /// Which member of a zip: its name, or a regular expression that matches it alone
    #[arg(long, value_name = "NAME|REGEX")]
    pub member: Option<String>,
    /// The source's and table's name [default: the file's, without days and years]
    #[arg(long, value_name = "TABLE")]
    pub name: Option<String>,
    /// It speaks of persons: hash identifiers, drop names and days, keep no values
    #[arg(long)]
    pub personal: bool,
    /// Write over the two files of a source that is there
    #[arg(long)]
    pub force: bool,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln source check`.
#[derive(Debug, Args)]
pub struct SourceCheck {
    /// The database
    pub database: String,
    /// The source
    pub source: String,
    /// The file
    pub file: String,
    /// Rows that are shown
    #[arg(long, default_value_t = 10, value_name = "ROWS")]
    pub rows: u32,
    /// Where scratch databases are made.
    #[command(flatten)]
    pub scratch: Scratch,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}
