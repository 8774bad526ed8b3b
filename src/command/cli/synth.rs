//! The arguments of `kiln demo` and `kiln synth`, with their help.

use clap::Args;

use super::{DryRun, Json};
use crate::dev::synth::{Only, Plan};

/// Arguments of `kiln demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// How much of CMS's whole release: above 0, at most 1 (362 million rows)
    #[arg(long, default_value_t = 0.001, value_name = "SHARE")]
    pub scale: f64,
    /// Another market of the same size
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// Arguments of `kiln synth`.
#[derive(Debug, Args)]
pub struct Synth {
    /// Databases [default: all that there is something for]
    pub databases: Vec<String>,
    /// How much of CMS's whole release: above 0, at most 1 (362 million rows)
    #[arg(long, default_value_t = 0.001, value_name = "X")]
    pub scale: f64,
    /// Another market of the same size
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// The release of this many nights later: a small, known share of rows differs each night
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub night: u32,
    /// One night more, in which only these sources change: names with commas between, or
    /// `nothing`. Once more for the night after that
    #[arg(long, value_name = "SOURCES", value_parser = Only::parse)]
    pub then: Vec<Only>,
    /// The quarter that the data speaks of
    #[arg(long, default_value = "2026Q2", value_name = "YYYYQn", value_parser = Plan::parse_quarter)]
    pub quarter: (i16, u8),
    /// A folder, or s3://bucket/prefix [default: where `kiln land` uploads to]
    #[arg(long, value_name = "FOLDER|URL")]
    pub to: Option<String>,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}
