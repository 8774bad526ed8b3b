//! Where a scratch database is made, for commands that need one.

use clap::Args;

/// A server for scratch databases.
#[derive(Debug, Args, Clone)]
pub struct Scratch {
    /// Make the scratch database on this server, and drop it at the end [default: on a Postgres server that
    /// is started for it]
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
}
