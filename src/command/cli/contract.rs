//! The arguments of `kiln contract`.

use clap::{Args, Subcommand};

use super::line::one_line;
use super::{DryRun, Json, Range, Why};

/// `kiln contract …`
#[derive(Debug, Subcommand)]
pub enum Contract {
    /// Record which schema versions an app accepts
    #[command(after_help = "\
A build serves the schema versions from `serves_from` (in schema.lock) to its own. It fits if the app \
accepts one of these. A version that only adds to the schema keeps `serves_from`, so the contract need \
not change.

Examples:
  # version 1, and later versions that only add to it
  kiln contract set druginfo --app plan-finder --accepts 1
  # an app that can use both versions
  kiln contract set druginfo --app plan-finder --accepts 1..2
  # a contract that ends by itself at the end of the year
  kiln contract set druginfo --app trial --accepts 1 --until 2026-12-31")]
    Set(ContractSet),
    /// Remove an app's contract: the gate no longer asks for it
    #[command(after_help = "\
Examples:
  kiln contract remove druginfo --app plan-finder --why \"shut down\"")]
    Remove(ContractRemove),
    /// List the contracts
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
    /// Schema versions: from MIN to MAX, both included, or one number
    #[arg(long, value_name = "MIN..MAX", value_parser = Range::parse)]
    pub accepts: Range,
    /// The last day on which the contract holds (UTC) [default: it holds until it is removed]
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
