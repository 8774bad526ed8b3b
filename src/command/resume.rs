//! `kiln resume`: a failed build is resumed where it stopped. What is proved loaded stays; the
//! rest is loaded from what the build's own manifest pins.

use std::sync::Arc;

use tracing::Instrument as _;

use super::build::read_entries;
use super::build_run::BuildRun;
use super::ending::{end_early, unless_stopped};
use super::load::{stored_manifest, unsealed};
use super::plan as printed;
use super::{Context, Start};
use crate::build::tasks;
use crate::catalog::ledger::{Ledger, SourceEntry, SourceState};
use crate::catalog::lock::RunLock;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::{Build, BuildState, Tag, builds, control, database_of};
use crate::catalog::stamp::Sealed;
use crate::command::cli;
use crate::config::strict::Problems;
use crate::config::{Config, known_database};
use crate::error::{Exit, Failure, exit_of, failure};
use crate::load::bind::Binding;
use crate::plan;
use crate::plan::manifest::rejected;
use crate::postgres::{Session, db};
use crate::report::{self, Worked};
use crate::spec::Specs;
use crate::spec::source::Source;

/// `kiln finish BUILD`: what workers have left, checks, seal. A build that is sealed is finished, for an engine may
/// have lost the answer.
///
/// # Errors
/// When the build cannot be sealed.
pub(super) async fn finish(start: Start, args: &cli::Resume) -> anyhow::Result<()> {
    let database = database_of_build(&start.config, &args.build)?.to_owned();
    let context = Context::open(start, true).await?;
    let outcome = async {
        if let Some(control) = control::existing(context.server(&database)).await? {
            let all = builds(&control, &database).await?;
            let found = all.iter().find(|build| build.own_name() == args.build);
            if found.is_some_and(|build| build.state().is_sealed()) {
                report::worked(&Worked::sealed(&args.build), args.json.json, context.quiet);
                return Ok(());
            }
        }
        resume(&context, args, &database, "finish").await
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
}

/// `kiln resume BUILD`.
///
/// # Errors
/// When the build cannot be sealed.
pub(super) async fn run(start: Start, args: &cli::Resume) -> anyhow::Result<()> {
    let database = database_of_build(&start.config, &args.build)?.to_owned();
    let context = Context::open(start, true).await?;
    let outcome = resume(&context, args, &database, "resume").await;
    context.close_after(outcome).await
}

/// The database of a build that was named.
///
/// # Errors
/// [`Exit::Usage`] where it is no build's name, or of no database.
pub(super) fn database_of_build<'b>(config: &Config, build: &'b str) -> anyhow::Result<&'b str> {
    let database = database_of(build).ok_or_else(|| {
        failure(Exit::Usage, format!("{build:?} is not a build's name (druginfo_00007, say)"))
    })?;
    known_database(config, database)?;
    Ok(database)
}

async fn resume(
    context: &Context,
    args: &cli::Resume,
    database: &str,
    command: &str,
) -> anyhow::Result<()> {
    if args.dry_run.dry_run {
        let lock = RunLock::for_dry_run(context.server(database), &context.who, database).await?;
        let build_run = open(context, args, command, lock).await.map_err(|(_, error)| error)?;
        let (_, manifest, done) = progress_of(&build_run.build).await?;
        refuse(&build_run, &manifest).await?;
        printed::print_resume(&args.build, &manifest, &done, args.json.json);
        return Ok(());
    }
    let lock = context.lock(command, database).await?;
    let _night = context.progress.night(database, context.deadline.clone(), 0.0);
    let mut build_run = match open(context, args, command, lock).await {
        Ok(build_run) => build_run,
        Err((lock, error)) => return Err(over(&lock, args, error).await),
    };
    let (session, manifest, done) = match progress_of(&build_run.build).await {
        Ok(found) => found,
        Err(error) => return Err(over(&build_run.lock, args, error).await),
    };
    if let Err(error) = refuse(&build_run, &manifest).await {
        return Err(over(&build_run.lock, args, error).await);
    }
    let span = tracing::info_span!("build", build = build_run.tag.build);
    let work = go_on(&mut build_run, &session, &manifest, done).instrument(span);
    let outcome = unless_stopped(&context.stop, work).await;
    let outcome = match outcome {
        Ok(sealed) => build_run.audit_seal().await.map(|()| sealed),
        Err(error) => Err(error),
    };
    drop(session);
    let mut sealed_build = build_run.sealed_or_failed(outcome).await?;
    let clock = &context.progress.clock;
    sealed_build.ledger.night_took(clock.elapsed(), clock.take_warnings());
    report::ledger(&sealed_build.ledger, args.json.json, context.summary)?;
    sealed_build.end(None).await
}

/// Ends a resume that did not begin: there may be nothing to go on with.
async fn over(lock: &RunLock, args: &cli::Resume, error: anyhow::Error) -> anyhow::Error {
    let next = match exit_of(&error) {
        Exit::Database | Exit::Terminated => format!("kiln resume {}", args.build),
        _ => format!("kiln run {}", lock.database()),
    };
    end_early(lock, error, Some(&next)).await
}

async fn open<'a>(
    context: &'a Context,
    args: &cli::Resume,
    command: &str,
    lock: RunLock,
) -> Result<BuildRun<'a>, (RunLock, anyhow::Error)> {
    let opened = async {
        let database = lock.database();
        let found = unsealed(&lock, database, &args.build).await?;
        let specs = begun_with(&context.config, database, &found)?;
        let tag = found.tag.ok_or_else(|| never_begun(database, &args.build))?;
        let called = context.server(database).called(format!("{} {}", context.who.run, args.build));
        let build = BuildDatabase::new(&called, &args.build, &context.config.owner_role)?;
        anyhow::Ok((specs, build, tag))
    };
    match opened.await {
        Ok((specs, build, tag)) => Ok(BuildRun::resumed(context, lock, build, specs, tag, command)),
        Err(error) => Err((lock, error)),
    }
}

fn never_begun(database: &str, build: &str) -> anyhow::Error {
    failure(Exit::Usage, format!("{build} was never begun; kiln run {database}"))
}

/// Specs and schema, which must be of the version that the build was begun with.
///
/// # Errors
/// When the specs have problems; [`Exit::SchemaRefused`] where they are of another version.
pub(super) fn begun_with(config: &Config, database: &str, build: &Build) -> anyhow::Result<Specs> {
    let tag = build.tag.as_ref().ok_or_else(|| never_begun(database, &build.name))?;
    let problems = Problems::default();
    let specs = Specs::read(config, database, &[], &problems)?;
    problems.into_result("kiln schema check")?;
    let version = specs.schema.locked()?.version;
    if version != tag.version {
        let message = format!(
            "{} was begun with schema version {}, sql/{database} is at {version} now",
            tag.build, tag.version
        );
        let failure = Failure::new(Exit::SchemaRefused, message);
        return Err(failure.hint(format!("kiln run {database}")).into());
    }
    Ok(specs)
}

/// What was rolled away from since the build was begun does not come back by going on with it; the
/// build stays as it is.
async fn refuse(build_run: &BuildRun<'_>, manifest: &Manifest) -> anyhow::Result<()> {
    let owner = &build_run.context.config.owner_role;
    rejected::refuse(
        build_run.context.server(build_run.lock.database()),
        owner,
        &build_run.lock,
        manifest,
    )
    .await
}

/// How far a build got: what its manifest pins, and what of it is proved loaded.
async fn progress_of(
    build: &BuildDatabase,
) -> anyhow::Result<(Session, Manifest, Vec<SourceEntry>)> {
    let session = build.session("manifest").await?;
    let manifest = stored_manifest(&session, build.name.as_str()).await?;
    if !tasks::are_there(&session).await? {
        let name = build.name.as_str();
        let message = format!("{name} was begun by an older kiln, which wrote no tasks");
        let hint = format!("kiln run {}", manifest.database);
        return Err(Failure::new(Exit::Usage, message).hint(hint).into());
    }
    // What is proved loaded already.
    let done = read_entries(&session, &["loaded", "without"]).await?;
    Ok((session, manifest, done))
}

async fn go_on(
    build_run: &mut BuildRun<'_>,
    session: &Session,
    manifest: &Manifest,
    done: Vec<SourceEntry>,
) -> anyhow::Result<Sealed> {
    build_run.without.clone_from(&manifest.without);
    build_run.tag.state = BuildState::Building;
    build_run.build.retag(&build_run.lock, &build_run.tag).await?;
    build_run.choose_settings().await?;
    let bindings: Vec<Arc<Binding>> = build_run
        .bind(session)
        .await?
        .into_iter()
        .filter(|binding| {
            let name = binding.source.name.as_str();
            !done.iter().any(|entry| entry.source == name && entry.state == SourceState::Loaded)
        })
        .collect();
    build_run.ledger.sources = done;
    let mut manifest = manifest.clone();
    let loaded: Vec<&Source> = bindings.iter().map(|binding| &binding.source).collect();
    let hash_key = build_run.context.hash_key(&build_run.specs.sources.all)?;
    manifest.goes_on(&build_run.specs.schema, &loaded, hash_key.as_deref());
    // One transaction: a task whose needs are not written yet would be begun by a worker that looks now.
    session.batch_execute("begin").await.map_err(db("begin"))?;
    session
        .execute("update kiln.manifest set document = $1", &[&serde_json::to_value(&manifest)?])
        .await
        .map_err(db("amend the manifest"))?;
    let tasks = plan::tasks(&build_run.specs, &manifest, &[]);
    tasks::write(session, &tasks).await?;
    session.batch_execute("commit").await.map_err(db("commit the tasks"))?;
    build_run.load(&manifest, &[], bindings).await?;
    build_run.finish(&manifest).await
}

impl<'a> BuildRun<'a> {
    fn resumed(
        context: &'a Context,
        lock: RunLock,
        build: BuildDatabase,
        specs: Specs,
        mut tag: Tag,
        command: &str,
    ) -> BuildRun<'a> {
        tag.run.clone_from(&context.who.run);
        let ledger =
            Ledger::open(&context.who.run, command, &tag.database, &tag.build, tag.version);
        let mut build_run = BuildRun::assemble(context, lock, build, specs, ledger, tag);
        // What it holds was loaded before: a resume that is refused leaves it for the next one.
        build_run.worth_keeping = true;
        build_run
    }
}
