//! `kiln status`: what is live since when, its version, period and age, what stands beside it,
//! what failed last, and the command that goes on from there.

use super::{Context, Start};
use crate::cli;
use crate::history::{DatabaseStatus, of_database};
use crate::registry::control::{known_databases, open};
use crate::report;

/// `kiln status [DATABASE…]`.
///
/// # Errors
/// When the server cannot be asked.
pub async fn run(start: Start, args: &cli::Status) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = gather(&context, args).await;
    let said = context.close_after(outcome).await?;
    report::status(&said, args.json.json)
}

async fn gather(context: &Context, args: &cli::Status) -> anyhow::Result<Vec<DatabaseStatus>> {
    let control = open(&context.server).await?;
    let mut said = Vec::new();
    let databases = match args.databases.as_slice() {
        // An app's host has no folders that would say which there are.
        [] if !context.config.has_project => known_databases(&control).await?,
        named => context.databases(named)?,
    };
    for database in databases {
        said.push(of_database(&control, &database).await?);
    }
    Ok(said)
}
