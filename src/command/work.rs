//! `kiln work`: does tasks of a build that `kiln begin` has begun, beside any number of others that do.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::Instrument as _;

use super::build::bind_all;
use super::load::{named, stored_manifest};
use super::resume::{begun_with, database_of_build};
use super::{Context, Start};
use crate::build::rows::{Prepared, RowsInput};
use crate::build::tasks;
use crate::build::worker::Worker;
use crate::catalog::lock::WorkLock;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::{Build, BuildState};
use crate::command::cli;
use crate::config::strict::{Problems, suggest};
use crate::error::{ErrorRecord, Exit, Failure, failure};
use crate::load::meter::Meter;
use crate::plan::reuse::{KeptBuild, ReusableTable};
use crate::plan::task::{Task, TaskKind, TaskState, TaskStatus};
use crate::plan::{Objects, RunPlan};
use crate::postgres::{Session, settings};
use crate::report::{self, Worked};
use crate::spec::Specs;

/// The server ends the sessions of a worker that is cut off within some ten seconds, and with them its claims.
const CUT_OFF: &str = " set tcp_keepalives_idle = 4; set tcp_keepalives_interval = 2;
     set tcp_keepalives_count = 3; set tcp_user_timeout = 10000;
     set client_connection_check_interval = '1s';";

/// `kiln work BUILD`.
///
/// # Errors
/// When a task failed and nothing is left that could be done: the first task's error; [`Exit::Locked`] where others
/// do what is left, or the time is over.
pub(super) async fn run(start: Start, args: &cli::Work) -> anyhow::Result<()> {
    let database = database_of_build(&start.config, &args.build)?.to_owned();
    let context = Context::open(start, true).await?;
    let work = work(&context, args, &database);
    let outcome = match args.time_limit {
        None => work.await,
        Some(limit) => tokio::select! {
            outcome = work => outcome,
            () = tokio::time::sleep(limit) => Err(out_of_time(args)),
        },
    };
    context.close_after(outcome).await
}

fn out_of_time(args: &cli::Work) -> anyhow::Error {
    let message = format!("the time limit is over, and tasks of {} are left", args.build);
    Failure::new(Exit::Locked, message).hint(format!("kiln work {}", args.build)).into()
}

async fn work(context: &Context, args: &cli::Work, database: &str) -> anyhow::Result<()> {
    let lock = WorkLock::acquire(context.server(database), &context.who, database).await?;
    let Some(build) = open(&lock, args, database).await? else {
        report::worked(&Worked::sealed(&args.build), args.json.json, context.quiet);
        return Ok(());
    };
    let specs = begun_with(&context.config, database, &build)?;
    let name = format!("{} {} {}", context.who.run, context.who.host, std::process::id());
    let called = context.server(database).called(format!("{} {}", context.who.run, args.build));
    let mut place = BuildDatabase::new(&called, &args.build, &context.config.owner_role)?;
    place.settings = settings::choose(&lock, context.config.connections).await?;
    place.settings.sql.push_str(CUT_OFF);
    let session = place.session("tasks").await?;
    let before = tasks::list(&session).await?;
    let wanted = wanted(&session, args, &before).await?;
    let prepared = Inputs { context, specs: &specs, control: &lock, build: &args.build };
    let prepared = prepared.of(&session, &before).await?;
    let workplace = context.workplace(&place, &specs)?;
    let worker = Worker::new(&workplace, &name, prepared);
    // An engine that runs the graph itself begins a node when what it needs is done.
    let worker = if wanted.is_some() { worker.at_once() } else { worker };
    let is_wanted = |task: &Task| match &wanted {
        Some(name) => task.name == *name,
        None => task.kind != TaskKind::Check,
    };
    let span = tracing::info_span!("work", build = args.build);
    let outcome = {
        let _night = context.progress.night(database, context.deadline.clone(), 0.0);
        let _shown = context.progress.follow();
        tokio::select! {
            done = worker.run("load", is_wanted).instrument(span) => done,
            () = is_gone(&lock) => Err(failure(
                Exit::Database,
                format!("the session of the lock on {database} was ended: others may work on its builds"),
            )),
        }
    };
    worker.take_warnings().iter().for_each(|warning| context.progress.warn(warning));
    outcome?;
    let worked = Worked::of(&args.build, &worker.done(), &tasks::list(&session).await?);
    // One task that was not to be had has its own words.
    let quiet = context.quiet || (wanted.is_some() && worker.done().is_empty());
    report::worked(&worked, args.json.json, quiet);
    left(&session, args, wanted.as_deref()).await
}

/// Waits until the session of a lock has ended.
async fn is_gone(lock: &Session) {
    while !lock.is_closed() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// The build, where tasks of it may be done; nothing where it is sealed already.
async fn open(lock: &Session, args: &cli::Work, database: &str) -> anyhow::Result<Option<Build>> {
    let build = named(lock, database, &args.build).await?;
    match build.state() {
        state if state.is_sealed() => Ok(None),
        BuildState::Building if build.tag.as_ref().is_some_and(|tag| tag.until.is_some()) => {
            Ok(Some(build))
        }
        BuildState::Building => {
            let message = format!("{} was not begun for workers, or not to the end", args.build);
            let hint = format!("kiln begin {database}");
            Err(Failure::new(Exit::Usage, message).hint(hint).into())
        }
        state => {
            let message = format!("{} is {}", args.build, state.word());
            let hint = format!("kiln resume {}", args.build);
            Err(Failure::new(Exit::Usage, message).hint(hint).into())
        }
    }
}

/// The one task that is asked for, if one is. What failed by what may be better by now is done again.
async fn wanted(
    session: &Session,
    args: &cli::Work,
    all: &[TaskStatus],
) -> anyhow::Result<Option<String>> {
    for (name, error) in tasks::failed(session).await? {
        let is_asked = args.task.as_ref().is_none_or(|task| *task == name);
        if is_asked && error.is_again() {
            tasks::again(session, &name).await?;
        }
    }
    let Some(task) = &args.task else { return Ok(None) };
    if all.iter().any(|status| status.task.name == *task) {
        return Ok(Some(task.clone()));
    }
    let names = all.iter().map(|status| status.task.name.as_str());
    let mean = suggest(task, names);
    let message = format!("{} has no task {task:?}{mean}", args.build);
    let hint = format!("kiln plan {}", args.build);
    Err(Failure::new(Exit::Usage, message).hint(hint).into())
}

/// What is left: nothing, something that others do, or a failure.
async fn left(session: &Session, args: &cli::Work, wanted: Option<&str>) -> anyhow::Result<()> {
    let failed = tasks::failed(session).await?;
    let of_mine = |(name, _): &(String, ErrorRecord)| wanted.is_none_or(|wanted| wanted == name);
    if let Some((_, error)) = failed.into_iter().find(of_mine) {
        return Err(error.into_error());
    }
    let all = tasks::list(session).await?;
    let mine = all.iter().filter(|status| match wanted {
        Some(name) => status.task.name == name,
        None => status.task.kind != TaskKind::Check,
    });
    let open: Vec<&TaskStatus> = mine.filter(|status| status.state != TaskState::Done).collect();
    let Some(first) = open.first() else { return Ok(()) };
    let why = if first.state == TaskState::Running {
        "is done by another worker"
    } else {
        "waits for others"
    };
    Err(failure(Exit::Locked, format!("task {} of {} {why}", first.task.name, args.build)))
}

/// What the rows of a build come from, by its own manifest.
struct Inputs<'a> {
    context: &'a Context,
    specs: &'a Specs,
    control: &'a Session,
    build: &'a str,
}

impl Inputs<'_> {
    /// The sources whose rows are not in.
    async fn of(&self, session: &Session, all: &[TaskStatus]) -> anyhow::Result<Vec<Prepared>> {
        let Inputs { context, specs, build, .. } = self;
        let manifest = stored_manifest(session, build).await?;
        let hash_key = context.hash_key(&specs.sources.all)?;
        if let Some(what) = manifest.differs(&specs.schema, &specs.sources.all, hash_key.as_deref())
        {
            let message = format!("{build} was begun with another {what} than this host has");
            let hint = "give every host the same sql/, sources/ and key";
            return Err(Failure::new(Exit::Usage, message).hint(hint).into());
        }
        let reusables = self.reusables(session, all, &manifest).await?;
        let problems = Problems::default();
        let bindings = bind_all(context, specs, session, &problems).await?;
        problems.into_result("kiln schema check")?;
        let store = context.store().await;
        let mut objects = Objects::new(&store, &context.stop);
        let mut prepared = Vec::new();
        for binding in bindings {
            let name = binding.source.name.as_str();
            let is_open = |status: &TaskStatus| {
                let is_rows = status.task.kind.is_rows() && status.task.subject == name;
                is_rows && status.state != TaskState::Done
            };
            let Some(input) = manifest.sources.get(name) else { continue };
            if !all.iter().any(is_open) {
                continue;
            }
            let reusable = reusables.get(name).cloned();
            let rows =
                RowsInput { objects: objects.of(input), input: input.clone(), reusable, binding };
            prepared.push(Prepared { rows, found: None, meter: Arc::new(Meter::default()) });
        }
        Ok(prepared)
    }

    /// What is copied, from where; what a kept build has no more is loaded.
    async fn reusables(
        &self,
        session: &Session,
        all: &[TaskStatus],
        manifest: &Manifest,
    ) -> anyhow::Result<BTreeMap<String, ReusableTable>> {
        if !all.iter().any(|status| status.task.kind == TaskKind::Copy) {
            return Ok(BTreeMap::new());
        }
        let plan = RunPlan::stored(session).await?;
        let Inputs { context, control, .. } = self;
        let owner = &context.config.owner_role;
        let kept = KeptBuild::standing(
            context.server(&manifest.database),
            owner,
            control,
            &manifest.database,
        )
        .await?;
        let decisions = plan.into_iter().flat_map(|plan| plan.decisions);
        let reusable = decisions.filter_map(|decision| {
            let reusable = kept.iter().find_map(|kept| kept.reusable(&decision, manifest))?;
            Some((decision.source, reusable))
        });
        Ok(reusable.collect())
    }
}
