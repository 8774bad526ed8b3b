//! The arguments of `kiln source`, with their help.

use clap::{Args, Subcommand};

use super::{DryRun, Json, Scratch};

/// `kiln source …`
#[derive(Debug, Subcommand)]
pub enum Source {
    /// Draft the spec and the table of a new source from a file
    #[command(after_help = "\
Reads the whole file, in bounded memory, and writes sources/DATABASE/TABLE.toml and \
sql/DATABASE/NNNN_TABLE.sql. It finds out the delimiter, quoting, encoding, header and nulls, the \
strictest type of each column that all rows fit, and keys. The comments in the drafts say what was found \
in the file; what a column means has to be added by hand. FILE is a path, an s3:// URL, or the name of an \
object that has landed.

Examples:
  kiln source new planinfo pbp-benefits-2026.zip --member pbp_b20.txt
  kiln source new planinfo Monthly_Report_By_Plan_2026_05.csv --name enrollment_by_plan
  kiln source new planinfo ssa_fips_state_county2017.csv --dry-run")]
    New(SourceNew),
    /// Try the spec of a source on a file: show its first rows and every kind of reject
    #[command(after_help = "\
Loads the whole file as `kiln run` would, into a scratch database, and tries the key and the checks of \
the table. The exit code is 11 if the header differs or if more rows are rejected than the budget allows, \
and 14 if the rows break the key or a check. FILE is a path, an s3:// URL, or the name of an object that \
has landed.

Examples:
  kiln source check planinfo pbp_b20 pbp-benefits-2026.zip
  kiln source check planinfo pbp_b20 pbp-benefits-2026.zip --rows 3 --json
  kiln source check planinfo pbp_b20 pbp-benefits-2026.zip --server postgresql://kiln@db.internal:5432/postgres")]
    Check(SourceCheck),
}

/// Arguments of `kiln source new`.
#[derive(Debug, Args)]
pub struct SourceNew {
    /// The database; with a new name, a new database is drafted
    pub database: String,
    /// The file
    pub file: String,
    /// The member of the zip: its name, or a regular expression that matches no other member
    #[arg(long, value_name = "NAME|REGEX")]
    pub member: Option<String>,
    /// Name of the source and its table [default: that of the file, without days and years]
    #[arg(long, value_name = "TABLE")]
    pub name: Option<String>,
    /// The file has personal data: hash identifiers, drop names and days, keep no values
    #[arg(long)]
    pub personal: bool,
    /// Overwrite the two files of a source that exists
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
    /// Number of rows to show
    #[arg(long, default_value_t = 10, value_name = "ROWS")]
    pub rows: u32,
    /// Where scratch databases are made.
    #[command(flatten)]
    pub scratch: Scratch,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}
