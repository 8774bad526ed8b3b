//! `kiln status`: what is live since when, its version, period and age, what stands beside it,
//! what failed last, and the command that continues from there.

use super::{Context, Start, gates};
use crate::build::tasks;
use crate::catalog::history::{DatabaseStatus, of_database};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control::{known_databases, open};
use crate::catalog::registry::joint;
use crate::catalog::registry::{Build, BuildState};
use crate::command::cli;
use crate::config::strict::Problems;
use crate::plan::graph;
use crate::plan::task::TaskState;
use crate::postgres::db;
use crate::report::{self, BuildWork, StatusReport};
use crate::spec::source::Sources;

/// `kiln status [DATABASE…]`.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn run(start: Start, args: &cli::Status) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = gather(&context, args).await;
    let said = context.close_after(outcome).await?;
    report::status(&said, args.json.json)
}

async fn gather(context: &Context, args: &cli::Status) -> anyhow::Result<Vec<StatusReport>> {
    let mut said = Vec::new();
    let databases = match args.databases.as_slice() {
        // An app's host has no folders that would say which there are.
        [] if !context.config.has_project => {
            let mut known = std::collections::BTreeSet::new();
            for server in context.servers.each() {
                known.extend(known_databases(&open(server).await?).await?);
            }
            known.into_iter().collect()
        }
        named => context.databases(named)?,
    };
    for database in databases {
        let control = open(context.server(&database)).await?;
        let looks = async |build: &_| has_rows(context, &database, build).await;
        let mut status = of_database(&control, &database, looks).await?;
        // An app host has no specs; what gates say is not looked for there.
        let specs = Sources::read(&context.config.root, &database, &Problems::default());
        let specs = specs.unwrap_or_default().all;
        status.is_private = context.config.server_of(&database).is_none();
        status.gates = gates::of_waiting(context, &control, &database, &specs).await;
        let work = work(context, &database, &status).await;
        let unended = joint::unended(&control, &database).await?;
        let unended_swap = unended.map(|swap| swap.databases());
        said.push(StatusReport { database: status, work, unended_swap });
    }
    Ok(said)
}

/// Whether a source was loaded into a build that nobody is at work on.
async fn has_rows(context: &Context, database: &str, build: &str) -> bool {
    let asked = async {
        let build =
            BuildDatabase::new(context.server(database), build, &context.config.owner_role)?;
        let session = build.session("status").await?;
        let sql = "select exists (select from kiln.source where state = 'loaded')";
        session.query_one(sql, &[]).await.map_err(db("look at the build"))
    };
    // One that cannot be asked has nothing to go on with.
    asked.await.is_ok_and(|row| row.get(0))
}

/// How far the builds are that are being made; one that cannot be asked is left out.
async fn work(context: &Context, database: &str, status: &DatabaseStatus) -> Vec<BuildWork> {
    let mut all = Vec::new();
    for build in &status.others {
        if matches!(build.state(), BuildState::Building | BuildState::Failed) {
            match of_build(context, database, build).await {
                Ok(work) => all.extend(work),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(build = build.name, error, "its tasks were not read");
                }
            }
        }
    }
    all
}

async fn of_build(
    context: &Context,
    database: &str,
    build: &Build,
) -> anyhow::Result<Option<BuildWork>> {
    let place =
        BuildDatabase::new(context.server(database), &build.name, &context.config.owner_role)?;
    let session = place.session("status").await?;
    if !tasks::are_there(&session).await? {
        return Ok(None);
    }
    let all = tasks::list(&session).await?;
    let workers = all.iter().filter(|status| status.state == TaskState::Running).count();
    let failed = tasks::failed(&session).await?.into_iter();
    Ok((!all.is_empty()).then(|| BuildWork {
        build: build.own_name().to_owned(),
        until: build.tag.as_ref().and_then(|tag| tag.until.clone()),
        failed: failed.map(|(name, error)| (name, error.message)).collect(),
        seconds_left: (workers > 0).then(|| graph::seconds_left(&all, workers, true)),
        tasks: all,
    }))
}
