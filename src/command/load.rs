//! `kiln load`: one source by hand, into an unsealed build or as a trial.

use std::sync::Arc;

use tracing::Instrument as _;

use super::ending::{RecordedError, end_early};
use super::opening::LockedRun;
use super::plan;
use super::{Context, Start};
use crate::build::rows::RowsInput;
use crate::catalog::ledger::SourceEntry;
use crate::catalog::lock::RunLock;
use crate::catalog::manifest::{Input, Manifest};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control::{Audit, RunEnd, end_run, write_audit};
use crate::catalog::registry::{Build, BuildState, builds, database_of};
use crate::command::cli;
use crate::config::known_database;
use crate::config::strict::{Problems, suggest};
use crate::error::{Exit, Failure, exit_of, failure};
use crate::fetch::object::Object;
use crate::fetch::store::Pin;
use crate::load::bind::{self, Binding};
use crate::postgres::Session;
use crate::report;
use crate::spec::Specs;
use crate::spec::source::{Source, Sources};

/// `kiln load DATABASE SOURCE [--into BUILD]`.
///
/// # Errors
/// When the source cannot be loaded; the build is then as it was.
pub(super) async fn run(start: Start, args: &cli::Load) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let context = Context::open(start, true).await?;
    let outcome = load(&context, args).await;
    context.close_after(outcome).await
}

async fn load(context: &Context, args: &cli::Load) -> anyhow::Result<()> {
    let problems = Problems::default();
    let specs = Specs::read(&context.config, &args.database, &[], &problems)?;
    problems.into_result("kiln schema check")?;
    let source = known_source(&specs, args)?;
    let store = context.store().await;
    let hash_key = context.hash_key(std::slice::from_ref(source))?;
    let manifest =
        Manifest::fix(&store, &specs.schema, &[source], &[], hash_key.as_deref()).await?;
    if args.dry_run.dry_run {
        plan::print(&manifest, args.json.json);
        return Ok(());
    }
    let entry = match &args.into {
        Some(build) => into_build(context, args, &specs, &manifest, build).await?,
        None => trial(context, args).await?,
    };
    report::source(&entry, args.into.as_deref(), args.json.json, context.quiet)
}

fn known_source<'a>(specs: &'a Specs, args: &cli::Load) -> anyhow::Result<&'a Source> {
    specs.sources.get(&args.source).ok_or_else(|| {
        let mean = suggest(&args.source, specs.sources.stems.iter().map(String::as_str));
        failure(Exit::Usage, format!("{} has no source {:?}{mean}", args.database, args.source))
    })
}

/// Replaces the source's table in a build that is not sealed.
async fn into_build(
    context: &Context,
    args: &cli::Load,
    specs: &Specs,
    fresh: &Manifest,
    build: &str,
) -> anyhow::Result<SourceEntry> {
    let lock = context.lock("load", &args.database).await?;
    match replace(context, args, specs, fresh, build, &lock).await {
        Ok(entry) => {
            let audit = Audit {
                action: "load",
                database: &args.database,
                from: None,
                to: Some(build),
                why: "by hand",
                details: serde_json::json!({ "source": args.source, "rows": entry.counted }),
            };
            write_audit(&lock, &context.who, &audit).await?;
            let end = RunEnd { build: Some(build), ..RunEnd::default() };
            end_run(&lock, &context.who, &args.database, &end).await?;
            Ok(entry)
        }
        Err(error) => {
            let next = match exit_of(&error) {
                Exit::Usage => format!("kiln status {}", args.database),
                _ => format!(
                    "kiln load {0} {1} --into {build} && kiln resume {build} && kiln swap {0}",
                    args.database, args.source
                ),
            };
            Err(end_early(&lock, error, Some(&next)).await)
        }
    }
}

async fn replace(
    context: &Context,
    args: &cli::Load,
    specs: &Specs,
    fresh: &Manifest,
    build: &str,
    lock: &RunLock,
) -> anyhow::Result<SourceEntry> {
    unsealed(lock, &args.database, build).await?;
    let called = context.server(&args.database).called(format!("{} {build}", context.who.run));
    let database = BuildDatabase::new(&called, build, &context.config.owner_role)?;
    let session = database.session("manifest").await?;
    let mut manifest = stored_manifest(&session, build).await?;
    let source = known_source(specs, args)?;
    let binding = bind(context, source, &session).await?;
    drop(session);
    let input =
        fresh.sources.get(&args.source).cloned().ok_or_else(|| {
            failure(Exit::InputUnavailable, format!("nothing for {}", args.source))
        })?;
    let hash_key = context.hash_key(std::slice::from_ref(source))?;
    let sql = manifest.sources.get(&args.source).map(|input| input.sql_sha256.clone());
    // The table was made by the SQL of then.
    let noted = Input { sql_sha256: sql.unwrap_or_default(), ..input.clone() };
    manifest.sources.insert(args.source.clone(), noted);
    manifest.goes_on(&specs.schema, &[source], hash_key.as_deref());
    manifest.without.retain(|name| *name != args.source);
    let store = context.store().await;
    let object = |pin: &Pin| Object::new(&store, pin.clone(), &context.stop);
    let objects = input.objects.iter().map(object).collect();
    let rows = RowsInput { binding, input, objects, reusable: None };
    let _shown = context.progress.follow();
    let workplace = context.workplace(&database, specs)?;
    let span = tracing::info_span!("load", build, source = args.source);
    workplace.replace(rows, &manifest).instrument(span).await
}

async fn bind(
    context: &Context,
    source: &Source,
    session: &Session,
) -> anyhow::Result<Arc<Binding>> {
    let problems = Problems::default();
    let tables = bind::tables(session, source).await?;
    let hash_key = context.hash_key(std::slice::from_ref(source))?;
    let binding = Binding::new(source, &tables, hash_key.as_ref(), &problems);
    problems.into_result("kiln schema check")?;
    binding.map(Arc::new).ok_or_else(|| anyhow::anyhow!("a spec without problems did not bind"))
}

/// The manifest that a build carries.
pub(super) async fn stored_manifest(session: &Session, build: &str) -> anyhow::Result<Manifest> {
    let found = Manifest::noted(session).await?;
    let none = || {
        let message = format!("{build} has no manifest: it failed before its inputs were fixed");
        let hint = format!("kiln run {}", database_of(build).unwrap_or(build));
        Failure::new(Exit::Usage, message).hint(hint).into()
    };
    found.ok_or_else(none)
}

/// The build of this name.
pub(super) async fn named(session: &Session, database: &str, name: &str) -> anyhow::Result<Build> {
    let all = builds(session, database).await?;
    let found = all.into_iter().find(|build| build.name == name || build.own_name() == name);
    found.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{database} has no build {name}"))
            .hint(format!("kiln status {database}"))
            .into()
    })
}

/// The build of this name, if it may still be written to.
pub(super) async fn unsealed(lock: &RunLock, database: &str, name: &str) -> anyhow::Result<Build> {
    let build = named(lock, database, name).await?;
    if build.is_subset() {
        let message =
            format!("{name} is a subset that was not finished; it cannot be gone on with");
        return Err(Failure::new(Exit::Usage, message)
            .hint(format!("kiln prune {database}, and make it once more"))
            .into());
    }
    match build.state() {
        BuildState::Failed | BuildState::Building => Ok(build),
        state => {
            let message = format!("{name} is {}: a sealed build is never changed", state.word());
            let hint = match state {
                BuildState::Sealed => {
                    format!("kiln swap {database}; or, for a new one: kiln run {database}")
                }
                _ => format!("kiln run {database}"),
            };
            Err(Failure::new(Exit::Usage, message).hint(hint).into())
        }
    }
}

/// A trial into a scratch build, which is dropped whatever comes of it.
async fn trial(context: &Context, args: &cli::Load) -> anyhow::Result<SourceEntry> {
    let problems = Problems::default();
    let sources = Sources::read(&context.config.root, &args.database, &problems)?;
    let others: Vec<String> =
        sources.stems.into_iter().filter(|name| *name != args.source).collect();
    let mut locked = LockedRun::lock(context, "load", &args.database, &others).await?;
    locked.plan(true).await?;
    let mut build_run = locked.begin().await?;
    // A trial that is killed leaves a build that the next clean-up drops by its state.
    build_run.tag.state = BuildState::Scratch;
    let span = tracing::info_span!("load", build = build_run.tag.build);
    let outcome = build_run.trial(&args.source).instrument(span).await;
    let dropped = build_run.build.discard(&build_run.lock).await;
    let told = outcome.as_ref().err().map(RecordedError::of);
    let end = told.as_ref().map(RecordedError::end).unwrap_or_default();
    end_run(&build_run.lock, &context.who, &args.database, &end).await?;
    let entry = outcome?;
    dropped?;
    Ok(entry)
}
