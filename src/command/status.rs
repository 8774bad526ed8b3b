//! `kiln status`: what is live since when, its version, period and age, what stands beside it,
//! what failed last, and the command that goes on from there.

use super::{Context, Start, gates};
use crate::cli;
use crate::history::{DatabaseStatus, of_database};
use crate::registry::control::open;
use crate::report;
use crate::source::Sources;
use crate::strict::Problems;

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
    for database in context.databases(&args.databases)? {
        let mut status = of_database(&control, &database).await?;
        // An app host has no specs; what gates say is not looked for there.
        let specs = Sources::read(&context.config.root, &database, &Problems::default());
        let specs = specs.unwrap_or_default().all;
        status.gates = gates::of_waiting(context, &control, &database, &specs).await;
        said.push(status);
    }
    Ok(said)
}
