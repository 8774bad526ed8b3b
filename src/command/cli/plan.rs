//! The arguments of `kiln plan`, and what a run shares with it.

use clap::Args;

use super::{Json, Without};

/// Whatever is kept.
#[derive(Debug, Args, Clone, Copy)]
pub struct Anew {
    /// Load every source from its files, also unchanged ones
    #[arg(long = "full-refresh", alias = "anew")]
    pub anew: bool,
}

/// Arguments of `kiln plan`.
#[derive(Debug, Args)]
pub struct Plans {
    /// The database; or a build, to see the plan that it was made by
    pub database: String,
    /// Sources to do without.
    #[command(flatten)]
    pub without: Without,
    /// Whatever is kept.
    #[command(flatten)]
    pub anew: Anew,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}
