//! The arguments of `kiln demo` and `kiln synth`, with their help.

use clap::Args;

use super::{DryRun, Json};
use crate::dev::synth::{Only, Plan};

/// Arguments of `kiln demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Share of CMS's whole release: above 0, at most 1 (362 million rows)
    #[arg(long, default_value_t = 0.001, value_name = "SHARE")]
    pub scale: f64,
    /// Seed of the random numbers: another seed gives other plans and drugs of the same number
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// Arguments of `kiln synth`.
#[derive(Debug, Args)]
pub struct Synth {
    /// Databases [default: all for which files can be generated]
    pub databases: Vec<String>,
    /// Share of CMS's whole release: above 0, at most 1 (362 million rows)
    #[arg(long, default_value_t = 0.001, value_name = "X")]
    pub scale: f64,
    /// Seed of the random numbers: another seed gives other plans and drugs of the same number
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Generate the release of N nights later; from night to night a known share of rows changes
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub night: u32,
    /// Add a night in which only these sources change: names separated by commas, or `nothing`. May be
    /// repeated, for the nights after that
    #[arg(long, value_name = "SOURCES", value_parser = Only::parse)]
    pub then: Vec<Only>,
    /// The quarter of the data
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
