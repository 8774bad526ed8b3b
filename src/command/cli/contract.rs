//! The arguments of `kiln contract`.

use clap::{Args, Subcommand};

use super::line::one_line;
use super::{DryRun, Json, Range, Why};

/// `kiln contract …`
#[derive(Debug, Subcommand)]
pub enum Contract {
    /// Say which schema versions an app accepts
    #[command(after_help = "\
A build fits where the app accepts one of the versions that it serves: additions to a schema need no \
new word of the app (`serves_from` in schema.lock).

Examples:
  # exactly version 1, and whatever only adds to it
  kiln contract set druginfo --app plan-finder --accepts 1
  # while the app learns version 2
  kiln contract set druginfo --app plan-finder --accepts 1..2
  # a trial that is over at the end of the year, whoever remembers it
  kiln contract set druginfo --app trial --accepts 1 --until 2026-12-31")]
    Set(ContractSet),
    /// Take an app's word back: the gate asks it no more
    #[command(after_help = "\
Examples:
  kiln contract remove druginfo --app plan-finder --why \"shut down\"")]
    Remove(ContractRemove),
    /// List what apps accept
    #[command(after_help = "Examples:\n  kiln contract list --json")]
    List(Json),
}

/// Arguments of `kiln contract set`.
#[derive(Debug, Args)]
pub struct ContractSet {
    /// The database
    pub database: String,
    /// The app's name
    #[arg(long, value_parser = one_line)]
    pub app: String,
    /// Versions, MIN..MAX with both ends, or one number
    #[arg(long, value_name = "MIN..MAX", value_parser = Range::parse)]
    pub accepts: Range,
    /// The last day on which it counts [default: until it is removed]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub until: Option<jiff::civil::Date>,
    /// Why, for the audit.
    #[command(flatten)]
    pub why: Why,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
}

/// Arguments of `kiln contract remove`.
#[derive(Debug, Args)]
pub struct ContractRemove {
    /// The database
    pub database: String,
    /// The app's name
    #[arg(long)]
    pub app: String,
    /// Why, for the audit.
    #[command(flatten)]
    pub why: Why,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
}
