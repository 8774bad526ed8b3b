//! `kiln run`: the night. For each database: build, swap, prune. A database that fails keeps
//! its live build and does not keep the others from their night.

use anyhow::Context as _;

use tracing::Instrument as _;

use super::ending::SealedBuild;
use super::forecast::seconds_of;
use super::opening::{LockedRun, Opening};
use super::plan::{Wanted, plan};
use super::{Context, Start, prune, without};
use crate::catalog::registry::builds;
use crate::command::cli;
use crate::config::failpoint;
use crate::error::{Failure, exit_of, position_of, stopped};
use crate::release::swap::{NotKnown, SwapPart};
use crate::report;

/// `kiln run [DATABASE…]`.
///
/// # Errors
/// When the run of a database failed: the first such error, after all had their turn.
pub(super) async fn run(mut start: Start, args: &cli::Run) -> anyhow::Result<()> {
    if let Some(deadline) = &args.deadline {
        start.config.run_deadline = Some(deadline.clone());
    }
    let context = Context::open(start, true).await?;
    let outcome = nights(&context, args).await;
    context.close_after(outcome).await
}

pub(super) async fn nights(context: &Context, args: &cli::Run) -> anyhow::Result<()> {
    let databases = context.databases(&args.databases)?;
    let mut failed: Vec<anyhow::Error> = Vec::new();
    for (at, database) in databases.iter().enumerate() {
        if context.stop.is_cancelled() {
            failed.push(stopped());
            break;
        }
        let outcome = match args.dry_run.dry_run {
            true => dry(context, database, args).await,
            false => night(context, database, &databases[at + 1..], args).await,
        };
        if let Err(error) = outcome {
            failed.push(error);
        }
    }
    match failed.len() {
        0 | 1 => failed.pop().map_or(Ok(()), Err),
        _ => {
            let said: Vec<String> = failed.iter().map(report::error::text).collect();
            let first = position_of(&failed[0]);
            Err(Failure::new(exit_of(&failed[0]), said.join("\n")).at(first).into())
        }
    }
}

async fn dry(context: &Context, database: &str, args: &cli::Run) -> anyhow::Result<()> {
    let without = &without::sources(&context.config, database, &args.without)?;
    let wanted = Wanted { database, without, full_refresh: args.anew.anew, command: "run" };
    plan(context, &wanted, args.json.json).await
}

/// One database's night. An error says first what is true of the live database.
async fn night(
    context: &Context,
    database: &str,
    later: &[String],
    args: &cli::Run,
) -> anyhow::Result<()> {
    let unchanged = || format!("{database} is as it was");
    let later = match &context.deadline {
        Some(_) => seconds_of(context, later).await.with_context(unchanged)?,
        None => 0.0,
    };
    let _night = context.progress.night(database, context.deadline.clone(), later);
    let without = without::sources(&context.config, database, &args.without);
    let without = without.with_context(unchanged)?;
    let locked = LockedRun::lock(context, "run", database, &without).await;
    let mut locked = locked.with_context(unchanged)?;
    locked.plan(args.anew.anew).await.with_context(unchanged)?;
    if !args.anew.anew {
        locked = match locked.check_for_work().await.with_context(unchanged)? {
            Opening::Proceed(locked) => *locked,
            Opening::NothingToDo(ledger) => {
                return report::ledger(&ledger, args.json.json, context.summary);
            }
        };
    }
    let begun = locked.begin().await.with_context(unchanged)?;
    let mut sealed_build = begun.run().await.with_context(unchanged)?;
    let span = tracing::info_span!("build", build = sealed_build.tag.build);
    let outcome = match promote(context, &mut sealed_build).instrument(span.clone()).await {
        Ok(()) => clean_up(context, &mut sealed_build).instrument(span).await.with_context(|| {
            format!("{database} is now {}, with work left", sealed_build.tag.build)
        }),
        Err(error) if error.is::<NotKnown>() => Err(error),
        Err(error) => Err(error.context(unchanged())),
    };
    if sealed_build.lock.is_closed() {
        sealed_build.lock.renew(context.server(database)).await;
    }
    let clock = &context.progress.clock;
    sealed_build.ledger.night_took(clock.elapsed(), clock.take_warnings());
    report::ledger(&sealed_build.ledger, args.json.json, context.summary)?;
    sealed_build.end(outcome.err()).await
}

/// What follows the swap.
async fn clean_up(context: &Context, sealed_build: &mut SealedBuild) -> anyhow::Result<()> {
    failpoint::hit(failpoint::SWAPPED)?;
    let since = std::time::Instant::now();
    let _shown = context.progress.stage("dropping old builds");
    let cleared = prune::retention(context, &sealed_build.lock).await;
    sealed_build.ledger.stage("prune", since);
    sealed_build.ledger.warnings.extend(cleared?.left);
    Ok(())
}

/// Swaps the build that was just sealed.
async fn promote(context: &Context, sealed_build: &mut SealedBuild) -> anyhow::Result<()> {
    if context.stop.is_cancelled() {
        return Err(stopped());
    }
    let since = std::time::Instant::now();
    let _shown = context.progress.stage("swap");
    let database = sealed_build.tag.database.clone();
    let all = builds(&sealed_build.lock, &database).await?;
    let candidate =
        all.iter().find(|build| build.name == sealed_build.tag.build).ok_or_else(|| {
            anyhow::anyhow!("the build {} is not on the server any more", sealed_build.tag.build)
        })?;
    let mut part = SwapPart {
        database: &database,
        candidate,
        builds: &all,
        schema_lock: sealed_build.schema.lock.as_ref(),
        specs: &sealed_build.sources.all,
        named: false,
        sealed: Some(&sealed_build.sealed),
        judged: Vec::new(),
    };
    let again = format!("kiln swap {database}");
    let mut swap = context.swap(&mut sealed_build.lock, "swap", "the night's run", again);
    let promoted = swap.promote(std::slice::from_mut(&mut part)).await;
    sealed_build.ledger.gates = part.judged;
    for promotion in promoted? {
        sealed_build.ledger.warnings.extend(promotion.notes.iter().cloned());
        sealed_build.ledger.promoted = Some(promotion);
    }
    sealed_build.ledger.stage("swap", since);
    Ok(())
}
