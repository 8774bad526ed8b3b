//! The arguments of `kiln begin`, `work`, `finish` and `abandon`: one build, many hosts.

use std::time::Duration;

use clap::Args;

use super::{Anew, DryRun, Json, Why, Without};
use crate::config::RunDeadline;

/// Arguments of `kiln begin`.
#[derive(Debug, Args)]
pub struct Begin {
    /// The database
    pub database: String,
    /// Sources to do without.
    #[command(flatten)]
    pub without: Without,
    /// Whatever is kept.
    #[command(flatten)]
    pub anew: Anew,
    /// How long the build is kept unsealed: until a time of day (06:00) or for a duration (4h). After
    /// that, the next run drops it [default: 24h]
    #[arg(long, value_name = "WHEN", value_parser = RunDeadline::parse_argument)]
    pub deadline: Option<RunDeadline>,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln work`.
#[derive(Debug, Args)]
pub struct Work {
    /// The build, as `kiln begin` printed it
    pub build: String,
    /// Do only this task, named as in `kiln plan BUILD`: rows:pricing
    #[arg(long, value_name = "NAME")]
    pub task: Option<String>,
    /// End after this duration (30m, 4h), with exit code 75 if tasks are left
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub time_limit: Option<Duration>,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln abandon`.
#[derive(Debug, Args)]
pub struct Abandon {
    /// The build
    pub build: String,
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

fn duration(text: &str) -> Result<Duration, String> {
    let long =
        text.parse::<jiff::SignedDuration>().ok().and_then(|long| Duration::try_from(long).ok());
    long.filter(|long| !long.is_zero()).ok_or_else(|| "must be a duration: 30m, 4h".to_owned())
}
