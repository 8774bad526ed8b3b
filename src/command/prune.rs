//! `kiln prune`: drops what retention allows and what a crash left behind, and nothing else.

use serde_json::json;

use super::{Context, Start};
use crate::cli;
use crate::failpoint;
use crate::lock::RunLock;
use crate::pg::stopped;
use crate::registry::build::BuildDatabase;
use crate::registry::control::{Audit, RunEnd, end_run, existing, write_audit};
use crate::registry::retention::{droppable, fates};
use crate::registry::{Build, State, builds, waiver};
use crate::report::{self, Pruned};

/// `kiln prune [DATABASE…]`.
///
/// # Errors
/// When a database is locked, or cannot be dropped.
pub async fn run(start: Start, args: &cli::Prune) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = prune(&context, args).await;
    context.close_after(outcome).await
}

async fn prune(context: &Context, args: &cli::Prune) -> anyhow::Result<()> {
    let mut said = Vec::new();
    for database in context.databases(&args.databases)? {
        let keep = context.config.keep_previous;
        let (all, dropped) = if args.dry_run.dry_run {
            let all = match existing(&context.server).await? {
                Some(control) => builds(&control, &database).await?,
                None => Vec::new(),
            };
            let dropped = droppable(&all, &database, keep).into_iter();
            let dropped = dropped.map(|build| build.name.clone()).collect();
            (all, dropped)
        } else {
            let lock = RunLock::acquire(&context.server, &context.who, "prune", &database).await?;
            let all = builds(&lock, &database).await?;
            let dropped = retention(context, &lock).await?;
            end_run(&lock, &context.who, &database, &RunEnd::default()).await?;
            (all, dropped)
        };
        said.push(Pruned::new(&database, dropped, &fates(&all, &database, keep)));
    }
    report::pruned(&said, args.dry_run.dry_run, args.json.json, context.quiet);
    Ok(())
}

/// Drops all that retention allows, while the lock is held.
pub(super) async fn retention(context: &Context, lock: &RunLock) -> anyhow::Result<Vec<String>> {
    let all = builds(lock, lock.database()).await?;
    let chosen = droppable(&all, lock.database(), context.config.keep_previous);
    drop_all(context, lock, &chosen, "retention").await
}

/// At the beginning of a night: what failed or was killed before, and sealed builds that never
/// went live but the newest, which stays until the night has done better.
pub(super) async fn leftovers(context: &Context, lock: &RunLock) -> anyhow::Result<Vec<String>> {
    let all = builds(lock, lock.database()).await?;
    let chosen = droppable(&all, lock.database(), usize::MAX);
    drop_all(context, lock, &chosen, "left behind by an earlier run").await
}

/// Before a subset is made: subsets that were killed while they were made, and nothing else.
pub(super) async fn unfinished_subsets(
    context: &Context,
    lock: &RunLock,
) -> anyhow::Result<Vec<String>> {
    let all = builds(lock, lock.database()).await?;
    let unfinished = |build: &&Build| {
        let is_left = build.held().is_none() && !build.state().is_sealed();
        build.is_subset() && (build.invalid || is_left)
    };
    let chosen: Vec<&Build> = all.iter().filter(unfinished).collect();
    drop_all(context, lock, &chosen, "a subset left unfinished by an earlier run").await
}

async fn drop_all(
    context: &Context,
    lock: &RunLock,
    chosen: &[&Build],
    why: &str,
) -> anyhow::Result<Vec<String>> {
    if !chosen.is_empty() {
        failpoint::hit(failpoint::PRUNE)?;
    }
    for build in chosen {
        if context.stop.is_cancelled() {
            return Err(stopped());
        }
        let database =
            BuildDatabase::new(&context.server, &build.name, &context.config.owner_role)?;
        database.discard(lock).await?;
        waiver::end_of_build(lock, build.own_name()).await?;
        let state = if build.invalid { "invalid" } else { build.state().word() };
        tracing::info!(build = build.name, state, why, "dropped");
        // Builds that readers could have seen are part of the audit; leftovers are not.
        if matches!(build.state(), State::Previous | State::Retired | State::Sealed) {
            let audit = Audit {
                action: "drop",
                database: lock.database(),
                from: Some(&build.name),
                to: None,
                why,
                details: json!({ "state": state }),
            };
            write_audit(lock, lock.who(), &audit).await?;
        }
    }
    Ok(chosen.iter().map(|build| build.name.clone()).collect())
}
