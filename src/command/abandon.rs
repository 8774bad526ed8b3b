//! `kiln abandon`: a build that was begun and will not be finished is dropped.

use super::ending::end_early;
use super::load::unsealed;
use super::resume::database_of_build;
use super::{Context, Start};
use crate::catalog::lock::RunLock;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control::{Audit, RunEnd, end_run, write_audit};
use crate::catalog::registry::waiver;
use crate::command::cli;
use crate::report;

/// `kiln abandon BUILD`.
///
/// # Errors
/// When there is no such build, it is sealed, or workers are at it.
pub(super) async fn run(start: Start, args: &cli::Abandon) -> anyhow::Result<()> {
    let database = database_of_build(&start.config, &args.build)?.to_owned();
    let context = Context::open(start, false).await?;
    let outcome = abandon(&context, args, &database).await;
    context.close_after(outcome).await
}

async fn abandon(context: &Context, args: &cli::Abandon, database: &str) -> anyhow::Result<()> {
    if args.dry_run.dry_run {
        let lock = RunLock::for_dry_run(context.server(database), &context.who, database).await?;
        unsealed(&lock, database, &args.build).await?;
        report::abandoned(&args.build, true, args.json.json);
        return Ok(());
    }
    let lock = context.lock("abandon", database).await?;
    match drop_it(context, args, &lock).await {
        Ok(()) => {
            let end = RunEnd { build: Some(&args.build), ..RunEnd::default() };
            end_run(&lock, &context.who, database, &end).await?;
            report::abandoned(&args.build, false, args.json.json);
            Ok(())
        }
        Err(error) => Err(end_early(&lock, error, None).await),
    }
}

async fn drop_it(context: &Context, args: &cli::Abandon, lock: &RunLock) -> anyhow::Result<()> {
    let found = unsealed(lock, lock.database(), &args.build).await?;
    let build = BuildDatabase::new(
        context.server(lock.database()),
        &found.name,
        &context.config.owner_role,
    )?;
    build.discard(lock).await?;
    waiver::end_of_build(lock, &args.build).await?;
    let audit = Audit {
        action: "abandon",
        database: lock.database(),
        from: Some(&args.build),
        to: None,
        why: &args.why.why,
        details: serde_json::json!({ "state": found.state() }),
    };
    write_audit(lock, lock.who(), &audit).await
}
