//! `kiln hold` and `kiln unhold`: a build that retention leaves alone, by a person's word.

use super::ending::end_early;
use super::{Context, Start};
use crate::catalog::registry::control::{RunEnd, end_run, existing};
use crate::catalog::registry::{Build, BuildState, Word, builds, database_of, hold};
use crate::command::cli;
use crate::config::known_database;
use crate::config::strict::suggest;
use crate::error::{Exit, Failure, failure};
use crate::postgres::Session;
use crate::report;

/// `kiln hold BUILD`, and `kiln unhold BUILD` where it `holds` not.
///
/// # Errors
/// When there is no such build, or a run holds the database's lock.
pub(super) async fn run(start: Start, args: &cli::Hold, holds: bool) -> anyhow::Result<()> {
    let database = database_of(&args.build).ok_or_else(|| {
        let message = format!("{:?} is not a build's name (druginfo_00007, say)", args.build);
        failure(Exit::Usage, message)
    })?;
    known_database(&start.config, database)?;
    let context = Context::open(start, false).await?;
    let outcome = locked(&context, args, database, holds).await;
    let (before, quiet) = (outcome, context.quiet);
    let before = context.close_after(before).await?;
    report::held(&args.build, holds, before.as_ref(), args.dry_run.dry_run, args.json.json, quiet);
    Ok(())
}

/// Gives the word that stood before.
async fn locked(
    context: &Context,
    args: &cli::Hold,
    database: &str,
    holds: bool,
) -> anyhow::Result<Option<Word>> {
    let (server, who) = (context.server(database), &context.who);
    // A name that is not there is no run that failed.
    let before = match existing(server).await? {
        Some(control) => find(&control, database, args).await?,
        None => return Err(unknown(args, database, "")),
    };
    if args.dry_run.dry_run {
        return Ok(before.held().cloned());
    }
    let action = if holds { "hold" } else { "unhold" };
    let lock = context.lock(action, database).await?;
    let noted = async {
        let build = find(&lock, database, args).await?;
        let why = &args.why.why;
        let word = holds.then(|| Word::of(who, why));
        if holds || build.held().is_some() {
            hold::set(&lock, &build, word, why).await?;
        }
        anyhow::Ok(build.held().cloned())
    };
    match noted.await {
        Ok(before) => {
            let end = RunEnd { build: Some(&args.build), ..RunEnd::default() };
            end_run(&lock, who, database, &end).await?;
            Ok(before)
        }
        Err(error) => Err(end_early(&lock, error, None).await),
    }
}

async fn find(control: &Session, database: &str, args: &cli::Hold) -> anyhow::Result<Build> {
    let mut all = builds(control, database).await?;
    let is_named = |build: &Build| build.own_name() == args.build;
    let Some(at) = all.iter().position(is_named) else {
        let mean = suggest(&args.build, all.iter().map(Build::own_name));
        return Err(unknown(args, database, &mean));
    };
    let found = all.swap_remove(at);
    let is_kept = found.tag.is_some() && !found.invalid && found.state() != BuildState::Scratch;
    if is_kept {
        return Ok(found);
    }
    let message = format!("{} was never finished: there is nothing to keep of it", args.build);
    Err(Failure::new(Exit::Usage, message).hint(format!("kiln prune {database}")).into())
}

fn unknown(args: &cli::Hold, database: &str, mean: &str) -> anyhow::Error {
    let message = format!("{database} has no build {}{mean}", args.build);
    Failure::new(Exit::Usage, message).hint(format!("kiln status {database}")).into()
}
