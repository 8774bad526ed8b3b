//! The arguments of each subcommand.

use clap::Args;

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
