//! The command line: names, arguments and help. What a command does is in `command/`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::VARIABLES;
use crate::error::Exit;

/// Bakes immutable Postgres databases from the files that CMS publishes.
#[derive(Debug, Parser)]
#[command(name = "kiln", version, about, max_term_width = 100, after_help = after_help())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// The folder with kiln.toml, sql/ and sources/ [default: the nearest above this one]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// No progress and no summary; errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

fn after_help() -> String {
    let mut text = String::from("Exit codes:\n     0  all that was asked is done and proved\n");
    for (exit, meaning) in Exit::ALL {
        text.push_str(&format!("{:6}  {meaning}\n", exit.code()));
    }
    text.push_str("\nEnvironment (over kiln.toml):\n");
    for (name, meaning) in VARIABLES {
        text.push_str(&format!("  {name:20} {meaning}\n"));
    }
    text.push_str(
        "  AWS_*                credentials, region and endpoint, as the AWS SDK reads them\n",
    );
    text.push_str("\nExamples:\n  # see it work, from nothing\n  kiln demo\n\n");
    text.push_str("  # the night, for all databases\n  kiln run\n\n");
    text.push_str("  # what is live, and what failed last\n  kiln status");
    text
}

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
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Why, for the audit.
#[derive(Debug, Args, Clone)]
pub struct Why {
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", default_value = "by hand")]
    pub why: String,
}

/// Sources to do without.
#[derive(Debug, Args, Clone)]
pub struct Without {
    /// Leave this source out; the build says so in manifest, stamp and status (may be repeated)
    #[arg(long, value_name = "SOURCE")]
    pub without: Vec<String>,
}

/// The subcommands, in the order of a newcomer's first day.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it work: private servers, generated CMS files, build, swap
    #[command(after_help = "\
Starts the private Postgres and S3 endpoint in KILN_HOME and leaves them up, lands a generated \
Part D release over HTTP, and runs the night on it.

Examples:
  kiln demo
  # a larger pharmacy network
  kiln demo --network-rows 3000000
  # afterwards
  psql \"$(kiln url druginfo)\"
  kiln down")]
    Demo(Demo),
    /// Start the private Postgres and S3 endpoint and leave them up
    #[command(after_help = "Examples:\n  kiln up\n  psql \"$(kiln url druginfo)\"\n  kiln down")]
    Up(Json),
    /// Stop the private Postgres and S3 endpoint
    #[command(after_help = "Examples:\n  kiln down")]
    Down(Json),
    /// Upload files, verified, under today's folder
    #[command(after_help = "\
A file must match a source's object pattern, and a zip must be whole. It goes to \
PREFIX/DATABASE/YYYY-MM-DD/NAME.

Examples:
  kiln land druginfo SPUF_2026_20260701.zip
  kiln land druginfo https://data.cms.gov/…/SPUF_2026_20260701.zip
  kiln land druginfo --dry-run *.zip")]
    Land(Land),
    /// The night: build, swap and prune; what cron calls
    #[command(after_help = "\
A bad night leaves the live database as it was. Databases are those of sql/.

Examples:
  kiln run
  kiln run druginfo --without pricing
  kiln run --dry-run")]
    Run(Run),
    /// Build, and stop at sealed
    #[command(after_help = "\
Examples:
  kiln build druginfo
  kiln build druginfo --without pharmacy_networks --without pricing")]
    Build(Build),
    /// Load one source by hand
    #[command(after_help = "\
With --into it replaces that source's table in an unsealed build, in one transaction, from what \
has landed last. Without it, it is a trial into a scratch build that reports counts and is \
dropped.

Examples:
  kiln load druginfo pricing
  kiln load druginfo pricing --into druginfo_00007")]
    Load(Load),
    /// Go on with a failed build; finished sources are not loaded again
    #[command(after_help = "Examples:\n  kiln resume druginfo_00007")]
    Resume(Resume),
    /// Make a sealed build the live one, through the gate
    #[command(after_help = "\
Without BUILD it takes the newest sealed build that is newer than the live one.

Examples:
  kiln swap druginfo
  kiln swap druginfo druginfo_00007 --why \"night of the 3rd, by hand\"
  kiln swap druginfo --dry-run")]
    Swap(Swap),
    /// Make the previous build live again, through the same gate
    #[command(after_help = "Examples:\n  kiln rollback druginfo --why \"prices look wrong\"")]
    Rollback(Rollback),
    /// What is live since when, what failed last, and how to go on
    #[command(after_help = "Examples:\n  kiln status\n  kiln status druginfo --json")]
    Status(Status),
    /// Print the URL of the live database
    #[command(after_help = "Examples:\n  psql \"$(kiln url druginfo)\"")]
    Url(Url),
    /// What apps accept
    #[command(subcommand)]
    Contract(Contract),
    /// For an app's start: exit 0 only if the live build fits
    #[command(after_help = "\
Needs no more than the app's own rights. Exit 13 when the version does not fit or nothing is live.

Examples:
  kiln guard druginfo --accepts 1..3 && exec ./app")]
    Guard(Guard),
    /// Prove that the numbered .sql files load, or lock their version
    #[command(subcommand)]
    Schema(Schema),
    /// Drop what retention allows, and what a crash left behind
    #[command(after_help = "Examples:\n  kiln prune --dry-run\n  kiln prune druginfo")]
    Prune(Prune),
    /// The S3 endpoint of `kiln up`
    #[command(hide = true)]
    ServeS3 {
        /// KILN_HOME
        #[arg(long)]
        home: PathBuf,
    },
}

/// Arguments of `kiln demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Rows of the generated pharmacy network
    #[arg(long, default_value_t = 300_000, value_name = "ROWS")]
    pub network_rows: u64,
    /// Another market of the same size
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// Arguments of `kiln land`.
#[derive(Debug, Args)]
pub struct Land {
    /// The database that the files are for
    pub database: String,
    /// Files, or http(s) URLs
    #[arg(required = true, value_name = "FILE|URL")]
    pub files: Vec<String>,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Databases [default: all]
    pub databases: Vec<String>,
    #[command(flatten)]
    pub without: Without,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln build`.
#[derive(Debug, Args)]
pub struct Build {
    /// The database
    pub database: String,
    #[command(flatten)]
    pub without: Without,
    #[command(flatten)]
    pub dry_run: DryRun,
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
    /// Replace the table in this unsealed build
    #[arg(long, value_name = "BUILD")]
    pub into: Option<String>,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The failed build
    pub build: String,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln swap`.
#[derive(Debug, Args)]
pub struct Swap {
    /// The database
    pub database: String,
    /// The build
    pub build: Option<String>,
    #[command(flatten)]
    pub why: Why,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The database
    pub database: String,
    #[command(flatten)]
    pub why: Why,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Databases [default: all]
    pub databases: Vec<String>,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln url`.
#[derive(Debug, Args)]
pub struct Url {
    /// The database
    pub database: String,
}

/// `kiln contract …`
#[derive(Debug, Subcommand)]
pub enum Contract {
    /// Say which schema versions an app accepts
    #[command(after_help = "\
Examples:
  # exactly version 1
  kiln contract set druginfo --app plan-finder --accepts 1
  # while the app learns version 2
  kiln contract set druginfo --app plan-finder --accepts 1..2")]
    Set(ContractSet),
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
    #[arg(long)]
    pub app: String,
    /// Versions, MIN..MAX with both ends, or one number
    #[arg(long, value_name = "MIN..MAX", value_parser = Range::parse)]
    pub accepts: Range,
    #[command(flatten)]
    pub why: Why,
    #[command(flatten)]
    pub dry_run: DryRun,
}

/// Arguments of `kiln guard`.
#[derive(Debug, Args)]
pub struct Guard {
    /// The database
    pub database: String,
    /// Versions, MIN..MAX with both ends, or one number
    #[arg(long, value_name = "MIN..MAX", value_parser = Range::parse)]
    pub accepts: Range,
    #[command(flatten)]
    pub json: Json,
}

/// `kiln schema …`
#[derive(Debug, Subcommand)]
pub enum Schema {
    /// Build every schema from zero on a throw-away cluster and hold it against its lock
    #[command(after_help = "\
Needs no S3 and no configured Postgres.

Examples:
  kiln schema check
  kiln schema check druginfo")]
    Check(SchemaCheck),
    /// Write version and fingerprint into schema.lock; a changed catalog gets the next version
    #[command(after_help = "Examples:\n  kiln schema lock druginfo\n  kiln schema lock --dry-run")]
    Lock(SchemaLock),
}

/// Arguments of `kiln schema check`.
#[derive(Debug, Args)]
pub struct SchemaCheck {
    /// Databases [default: all]
    pub databases: Vec<String>,
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln schema lock`.
#[derive(Debug, Args)]
pub struct SchemaLock {
    /// Databases [default: all]
    pub databases: Vec<String>,
    #[command(flatten)]
    pub dry_run: DryRun,
}

/// Arguments of `kiln prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// Databases [default: all]
    pub databases: Vec<String>,
    #[command(flatten)]
    pub dry_run: DryRun,
    #[command(flatten)]
    pub json: Json,
}

/// Schema versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Lowest.
    pub min: u32,
    /// Highest.
    pub max: u32,
}

impl Range {
    fn parse(text: &str) -> Result<Range, String> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let number = |part: &str| part.trim_start_matches('=').parse::<u32>().ok();
        match (number(min), number(max)) {
            (Some(min), Some(max)) if min <= max && max <= i32::MAX.cast_unsigned() => {
                Ok(Range { min, max })
            }
            _ => Err("expected a version like 3, or a range like 1..3".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ranges_have_both_ends() {
        assert_eq!(Range::parse("3"), Ok(Range { min: 3, max: 3 }));
        assert_eq!(Range::parse("1..3"), Ok(Range { min: 1, max: 3 }));
        for wrong in ["", "3..1", "a..b", "-1", "1.."] {
            assert!(Range::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_command_has_examples() {
        fn visit(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
                let path = format!("{path} {}", sub.get_name());
                let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    sub.has_subcommands() || help.contains("Examples:"),
                    "{path} has no examples"
                );
                visit(sub, &path);
            }
        }
        visit(&Cli::command(), "kiln");
    }
}
