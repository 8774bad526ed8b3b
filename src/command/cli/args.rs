//! The arguments of every command, with their help.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Anew, Range, Scratch};
use crate::catalog::manifest::Percent;
use crate::config::RunDeadline;

/// Output for a script.
#[derive(Debug, Args, Clone, Copy)]
pub struct Json {
    /// Print JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Look, do not touch.
#[derive(Debug, Args, Clone, Copy)]
pub struct DryRun {
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Why, for the audit.
#[derive(Debug, Args, Clone)]
pub struct Why {
    /// The reason, which is kept in the audit
    #[arg(long, value_name = "TEXT", default_value = "by hand", value_parser = super::release::reason)]
    pub why: String,
}

/// Sources to do without.
#[derive(Debug, Args, Clone)]
pub struct Without {
    /// Build without this source (may be repeated); `kiln status` and the stamp show it. DATABASE.SOURCE
    /// leaves it out of that database only. To leave a source out of every build, use kiln.toml
    #[arg(long, value_name = "SOURCE")]
    pub without: Vec<String>,
}

/// Arguments of `kiln land`.
#[derive(Debug, Args)]
pub struct Land {
    /// The database that the files are for
    pub database: String,
    /// Files or http(s) URLs; with --withdraw, names of landed files
    #[arg(required = true, value_name = "FILE|URL|NAME")]
    pub files: Vec<String>,
    /// Withdraw the landed files of these names: later plans ignore them, nothing is deleted
    #[arg(long, requires = "why")]
    pub withdraw: bool,
    /// The reason for the withdrawal, which is kept in the audit
    #[arg(long, value_name = "TEXT", requires = "withdraw", value_parser = super::release::reason)]
    pub why: Option<String>,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Databases [default: all]
    pub databases: Vec<String>,
    /// When the run should end: a time of day (06:00), or a duration from its start (4h). A run that will
    /// be late warns early and is not stopped [env: KILN_RUN_DEADLINE]
    #[arg(long, value_name = "TIME|DURATION", value_parser = RunDeadline::parse_argument)]
    pub deadline: Option<RunDeadline>,
    /// Sources to do without.
    #[command(flatten)]
    pub without: Without,
    /// Whatever is kept.
    #[command(flatten)]
    pub anew: Anew,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln build`.
#[derive(Debug, Args)]
pub struct Build {
    /// The database
    pub database: String,
    /// Sources to do without.
    #[command(flatten)]
    pub without: Without,
    /// Whatever is kept.
    #[command(flatten)]
    pub anew: Anew,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln load`.
#[derive(Debug, Args)]
pub struct Load {
    /// The database
    pub database: String,
    /// The source
    pub source: String,
    /// Replace the table of the source in this unsealed build
    #[arg(long, value_name = "BUILD")]
    pub into: Option<String>,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln resume` and `kiln finish`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The build
    pub build: String,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln swap`.
#[derive(Debug, Args)]
#[command(override_usage = "kiln swap [OPTIONS] <DATABASE> [BUILD] [DATABASE [BUILD]]...")]
pub struct Swap {
    /// The databases. A build may follow each: it is swapped in place of the newest. A subset goes live
    /// only if it is named
    #[arg(value_name = "DATABASE", required = true)]
    pub names: Vec<String>,
    /// For a subset: the host of the server, if that is not this machine
    #[arg(long, value_name = "HOST")]
    pub on: Option<String>,
    /// Why, for the audit.
    #[command(flatten)]
    pub why: Why,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The database
    pub database: String,
    /// Why, for the audit.
    #[command(flatten)]
    pub why: Why,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln subset`.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = true, args = ["percent", "rules"])]
pub struct Subset {
    /// The database
    pub database: String,
    /// Percentage of the keys that subset.toml samples, above 0, at most 100 [default: 100]
    #[arg(long, value_name = "P")]
    pub percent: Option<Percent>,
    /// Keep only rows of this table that meet an SQL condition (may be repeated)
    #[arg(long = "rule", value_name = "TABLE=CONDITION")]
    pub rules: Vec<String>,
    /// The sealed build that rows are taken from [default: the live one]
    #[arg(long, value_name = "BUILD")]
    pub from: Option<String>,
    /// Also write the subset to this file, for `kiln restore` or psql
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// A file that `kiln subset --to` wrote
    pub file: PathBuf,
    /// The host of the server, if that is not this machine
    #[arg(long, value_name = "HOST")]
    pub on: Option<String>,
    /// Do not make the restored build live
    #[arg(long)]
    pub no_swap: bool,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Databases [default: all]
    pub databases: Vec<String>,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln url`.
#[derive(Debug, Args)]
pub struct Url {
    /// The database for its live build, or a build
    #[arg(value_name = "DATABASE|BUILD")]
    pub database: String,
}

/// Arguments of `kiln guard`.
#[derive(Debug, Args)]
pub struct Guard {
    /// The database
    pub database: String,
    /// Schema versions: from MIN to MAX, both included, or one number
    #[arg(long, value_name = "MIN..MAX", value_parser = Range::parse)]
    pub accepts: Range,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// `kiln schema …`
#[derive(Debug, Subcommand)]
pub enum Schema {
    /// Create every schema in an empty scratch database and compare it with its schema.lock
    #[command(after_help = "\
Needs no S3. Without --server it starts a Postgres server for itself, and removes it at the end.

Examples:
  kiln schema check
  kiln schema check druginfo
  kiln schema check --server postgresql://kiln@db.internal:5432/postgres")]
    Check(SchemaCheck),
    /// Write the version and fingerprint of a schema into schema.lock
    #[command(after_help = "\
If the catalog (tables, columns, types, keys, indexes, functions) differs from the locked one, the schema \
gets the next version. A changed comment or a moved line needs none.

Examples:
  kiln schema lock druginfo
  kiln schema lock --dry-run")]
    Lock(SchemaLock),
}

/// Arguments of `kiln schema check`.
#[derive(Debug, Args)]
pub struct SchemaCheck {
    /// Databases [default: all]
    pub databases: Vec<String>,
    /// Where scratch databases are made.
    #[command(flatten)]
    pub scratch: Scratch,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln schema lock`.
#[derive(Debug, Args)]
pub struct SchemaLock {
    /// Databases [default: all]
    pub databases: Vec<String>,
    /// Where scratch databases are made.
    #[command(flatten)]
    pub scratch: Scratch,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
}

/// Arguments of `kiln prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// Databases [default: all]
    pub databases: Vec<String>,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln docs`.
#[derive(Debug, Args)]
pub struct Docs {
    /// Databases [default: all]
    pub databases: Vec<String>,
    /// Compare DICTIONARY.md with what it should be, and write nothing
    #[arg(long)]
    pub check: bool,
    /// Folder for the pages [default: KILN_HOME/docs]
    #[arg(long, value_name = "FOLDER", conflicts_with = "check")]
    pub out: Option<std::path::PathBuf>,
    /// The build that the pages describe: its name, `live`, or `none`
    #[arg(long, value_name = "BUILD", default_value = "live", conflicts_with = "check")]
    pub build: String,
    /// Where scratch databases are made.
    #[command(flatten)]
    pub scratch: Scratch,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}
