//! `kiln prune`: drops what retention allows and what a crash left behind, and nothing else.

use serde_json::json;

use super::ending::end_early;
use super::{Context, Start};
use crate::catalog::lock::RunLock;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control::{Audit, RunEnd, end_run, existing, write_audit};
use crate::catalog::registry::retention::{droppable, fates};
use crate::catalog::registry::{Build, BuildState, builds, waiver};
use crate::command::cli;
use crate::config::failpoint;
use crate::error::{Exit, Failure, message_of, stopped};
use crate::report::{self, Pruned};

/// What was dropped, and what could not be, in words that name who is in the way.
#[derive(Debug, Default)]
pub(super) struct Cleared {
    pub dropped: Vec<String>,
    pub left: Vec<String>,
}

/// `kiln prune [DATABASE…]`.
///
/// # Errors
/// When a database is locked, or cannot be dropped.
pub(super) async fn run(start: Start, args: &cli::Prune) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = prune(&context, args).await;
    context.close_after(outcome).await
}

async fn prune(context: &Context, args: &cli::Prune) -> anyhow::Result<()> {
    let (mut said, mut left) = (Vec::new(), Vec::new());
    for database in context.databases(&args.databases)? {
        let keep = context.config.keep_previous;
        let (all, dropped) = if args.dry_run.dry_run {
            let all = match existing(context.server(&database)).await? {
                Some(control) => builds(&control, &database).await?,
                None => Vec::new(),
            };
            let dropped = droppable(&all, &database, keep).into_iter();
            let dropped = dropped.map(|build| build.name.clone()).collect();
            (all, dropped)
        } else {
            let lock = context.lock("prune", &database).await?;
            let all = builds(&lock, &database).await?;
            let cleared = match retention(context, &lock).await {
                Ok(cleared) => cleared,
                Err(error) => return Err(end_early(&lock, error, Some("kiln prune")).await),
            };
            end_run(&lock, &context.who, &database, &RunEnd::default()).await?;
            left.extend(cleared.left);
            (all, cleared.dropped)
        };
        said.push(Pruned::new(&database, dropped, &fates(&all, &database, keep)));
    }
    report::pruned(&said, args.dry_run.dry_run, args.json.json, context.quiet);
    match left.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(Exit::Database, left.join("\n"))
            .hint("end those sessions, then: kiln prune")
            .into()),
    }
}

/// Drops all that retention allows, while the lock is held.
pub(super) async fn retention(context: &Context, lock: &RunLock) -> anyhow::Result<Cleared> {
    let all = builds(lock, lock.database()).await?;
    let chosen = droppable(&all, lock.database(), context.config.keep_previous);
    drop_all(context, lock, &chosen, "retention").await
}

/// At the beginning of a night: what failed or was killed before, and sealed builds that never
/// went live but the newest, which stays until the night has done better.
pub(super) async fn leftovers(context: &Context, lock: &RunLock) -> anyhow::Result<Cleared> {
    let all = builds(lock, lock.database()).await?;
    let chosen = droppable(&all, lock.database(), usize::MAX);
    drop_all(context, lock, &chosen, "left behind by an earlier run").await
}

/// Before a subset is made: subsets that were killed while they were made, and nothing else.
pub(super) async fn unfinished_subsets(
    context: &Context,
    lock: &RunLock,
) -> anyhow::Result<Cleared> {
    let all = builds(lock, lock.database()).await?;
    let unfinished = |build: &&Build| {
        let is_left = build.held().is_none() && !build.state().is_sealed();
        build.is_subset() && (build.invalid || is_left)
    };
    let chosen: Vec<&Build> = all.iter().filter(unfinished).collect();
    drop_all(context, lock, &chosen, "a subset left unfinished by an earlier run").await
}

/// Drops what was chosen. What cannot be dropped costs no night: it is said, and stays for the next
/// clean-up.
async fn drop_all(
    context: &Context,
    lock: &RunLock,
    chosen: &[&Build],
    why: &str,
) -> anyhow::Result<Cleared> {
    let mut cleared = Cleared::default();
    if !chosen.is_empty() {
        failpoint::hit(failpoint::PRUNE)?;
    }
    for build in chosen {
        if context.stop.is_cancelled() {
            return Err(stopped());
        }
        let database = BuildDatabase::new(
            context.server(lock.database()),
            &build.name,
            &context.config.owner_role,
        )?;
        let state = if build.invalid { "invalid" } else { build.state().word() };
        if let Err(error) = database.discard(lock).await {
            if lock.is_closed() {
                return Err(error);
            }
            let said = not_dropped(lock, &build.name, state, &error).await;
            context.progress.warn(&said);
            cleared.left.push(said);
            continue;
        }
        waiver::end_of_build(lock, build.own_name()).await?;
        cleared.dropped.push(build.name.clone());
        tracing::info!(build = build.name, state, why, "dropped");
        // Builds that readers could have seen are part of the audit; leftovers are not.
        if matches!(build.state(), BuildState::Previous | BuildState::Retired | BuildState::Sealed)
        {
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
    Ok(cleared)
}

/// Why a build was not dropped, and who is in it.
async fn not_dropped(lock: &RunLock, name: &str, state: &str, error: &anyhow::Error) -> String {
    let said = message_of(error);
    let said = said.lines().next().unwrap_or_default();
    let sessions = lock
        .query(
            "select pid, coalesce(usename::text, ''), coalesce(application_name, '')
             from pg_stat_activity where datname = $1 order by backend_start limit 10",
            &[&name],
        )
        .await
        .unwrap_or_default();
    let sessions: Vec<String> = sessions
        .iter()
        .map(|row| {
            let (pid, role, app): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
            format!("backend {pid} (role {role}, application {app:?})")
        })
        .collect();
    let who = match sessions.is_empty() {
        true => String::new(),
        false => format!("; in it: {}", sessions.join(", ")),
    };
    format!("{name} ({state}) is not dropped and stays for the next clean-up: {said}{who}")
}
