//! `kiln waive`: a person's word that one gate does not count, with its reason.

use super::{Context, Start};
use crate::catalog::registry::control::{existing, open};
use crate::catalog::registry::waiver::{self, NewWaiver};
use crate::catalog::registry::{Build, builds};
use crate::command::cli;
use crate::config::known_database;
use crate::config::strict::{Problems, suggest};
use crate::error::{Exit, Failure, failure};
use crate::postgres::Session;
use crate::report;
use crate::spec::source::Sources;

/// `kiln waive DATABASE GATE`.
///
/// # Errors
/// When there is no such source or build, or the server cannot be asked.
pub(super) async fn run(start: Start, args: &cli::Waive) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let context = Context::open(start, false).await?;
    let outcome = waive(&context, args).await;
    context.close_after(outcome).await
}

async fn waive(context: &Context, args: &cli::Waive) -> anyhow::Result<()> {
    let cli::Waive { database, gate, why, .. } = args;
    if let Some(source) = &args.source {
        known_source(context, database, source)?;
    }
    let new = NewWaiver {
        database,
        gate: *gate,
        source: args.source.as_deref(),
        build: args.build.as_deref(),
        until: args.until,
        why,
    };
    let control = match args.dry_run.dry_run {
        true => existing(context.server(&args.database)).await?,
        false => Some(open(context.server(&args.database)).await?),
    };
    if let Some(build) = &args.build {
        known_build(control.as_ref(), database, build).await?;
    }
    let id = match control.filter(|_| !args.dry_run.dry_run) {
        Some(control) => Some(waiver::grant(&control, &context.who, &new).await?),
        None => None,
    };
    report::waiver(&new, id, args.json.json, context.quiet);
    Ok(())
}

/// A waiver for a source that is not there would cover nothing, and nobody would know.
fn known_source(context: &Context, database: &str, source: &str) -> anyhow::Result<()> {
    // What is wrong with a spec is said by whoever loads by it.
    let stems = Sources::read(&context.config.root, database, &Problems::default())?.stems;
    if stems.iter().any(|stem| stem == source) {
        return Ok(());
    }
    let mean = suggest(source, stems.iter().map(String::as_str));
    Err(failure(Exit::Usage, format!("{database} has no source {source:?}{mean}")))
}

async fn known_build(control: Option<&Session>, database: &str, build: &str) -> anyhow::Result<()> {
    let all = match control {
        Some(control) => builds(control, database).await?,
        None => Vec::new(),
    };
    if all.iter().any(|known| known.own_name() == build) {
        return Ok(());
    }
    let mean = suggest(build, all.iter().map(Build::own_name));
    Err(Failure::new(Exit::Usage, format!("{database} has no build {build:?}{mean}"))
        .hint(format!("kiln status {database}"))
        .into())
}
