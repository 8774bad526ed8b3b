//! `kiln build`: the pipeline, a stage a line, up to the seal. `kiln run` goes on from there to
//! the swap; `kiln resume` enters in the middle.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument as _;

use super::{Context, Start};
use crate::bind::Binding;
use crate::cli;
use crate::config::known_database;
use crate::copy::queue::{Loading, Task, note_without};
use crate::copy::rejects::forget_stale as forget_stale_rejects;
use crate::error::{Exit, Failure, exit_of, failure, render};
use crate::failpoint;
use crate::fetch::object::Object;
use crate::ledger::{Ledger, SourceEntry, SourceState};
use crate::lock::RunLock;
use crate::manifest::Manifest;
use crate::pg::{Session, db, stopped};
use crate::registry::build::{BuildDatabase, ident};
use crate::registry::control::{self, RunEnd};
use crate::registry::{State, Tag};
use crate::schema::{Kind, Schema, catalog};
use crate::seal::{self, Sealed};
use crate::source::{Source, Sources};
use crate::strict::{Problems, suggest};
use crate::{check, index, report};

/// `kiln build DATABASE`.
///
/// # Errors
/// What keeps the build from being sealed.
pub async fn run(start: Start, args: &cli::Build) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let context = Context::open(start, true).await?;
    let outcome = async {
        if args.dry_run.dry_run {
            return plan(&context, &args.database, &args.without.without).await;
        }
        let begun = Baking::begin(&context, "build", &args.database, &args.without.without).await?;
        let baked = begun.bake().await?;
        report::ledger(&baked.ledger, args.json.json, context.quiet)?;
        baked.end(None).await
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
}

/// Says what a build would read, and changes nothing.
pub(super) async fn plan(
    context: &Context,
    database: &str,
    without: &[String],
) -> anyhow::Result<()> {
    let problems = Problems::default();
    let specs = Specs::read(context, database, without, &problems)?;
    problems.into_result("kiln schema check")?;
    let version = specs.schema.locked()?.version;
    let store = context.store().await;
    let manifest =
        Manifest::fix(&store, database, version, &specs.wanted(without), without).await?;
    report::manifest(&manifest);
    Ok(())
}

/// What is known before any server is spoken to.
pub(super) struct Specs {
    pub schema: Schema,
    pub sources: Sources,
}

impl Specs {
    pub(super) fn read(
        context: &Context,
        database: &str,
        without: &[String],
        problems: &Problems,
    ) -> anyhow::Result<Specs> {
        let root = &context.config.root;
        let schema = Schema::read(root, database, problems)?;
        let sources = Sources::read(root, database, problems)?;
        for name in without {
            if !sources.stems.contains(name) {
                let mean = suggest(name, sources.stems.iter().map(String::as_str));
                let message = format!("--without {name}: {database} has no such source{mean}");
                return Err(failure(Exit::Usage, message));
            }
        }
        Ok(Specs { schema, sources })
    }

    /// The sources that are to be loaded.
    pub(super) fn wanted(&self, without: &[String]) -> Vec<&Source> {
        let wanted = |source: &&Source| !without.iter().any(|name| name == source.name.as_str());
        self.sources.all.iter().filter(wanted).collect()
    }
}

/// A build being made.
pub(super) struct Baking<'a> {
    pub context: &'a Context,
    pub lock: RunLock,
    pub build: BuildDatabase,
    pub specs: Specs,
    pub without: Vec<String>,
    pub ledger: Ledger,
    pub tag: Tag,
    /// Whether something in the build is worth keeping when it fails.
    pub worth_keeping: bool,
    problems: Problems,
}

/// A build that is sealed, its run not yet ended.
pub(super) struct Baked {
    pub lock: RunLock,
    pub sealed: Sealed,
    pub ledger: Ledger,
    pub tag: Tag,
    pub schema: Schema,
}

impl<'a> Baking<'a> {
    /// Reads the specs, takes the lock, and takes a name for the build.
    pub(super) async fn begin(
        context: &'a Context,
        command: &str,
        database: &str,
        without: &[String],
    ) -> anyhow::Result<Baking<'a>> {
        let problems = Problems::default();
        let specs = Specs::read(context, database, without, &problems)?;
        if specs.schema.files.is_empty() {
            problems.into_result("kiln schema check")?;
            return Err(failure(Exit::Usage, format!("{database} has no schema")));
        }
        let version = specs.schema.locked()?.version;
        let lock = RunLock::acquire(&context.server, &context.who, command, database).await?;
        let begun = async {
            failpoint::hit(failpoint::LOCKED)?;
            // A trial leaves everything as it is, the failed build that it is to help with above all.
            if command != "load" {
                super::prune::leftovers(context, &lock).await?;
            }
            let (owner, app) =
                (ident(&context.config.owner_role)?, ident(&context.config.app_role)?);
            control::ensure_roles(&lock, &owner, &app).await?;
            control::next_build(&lock, database, &context.who.run).await
        };
        let name = match begun.await {
            Ok(name) => name,
            Err(error) => return Err(end_early(&lock, error).await),
        };
        let called = context.server.called(format!("run={} build={name}", context.who.run));
        let build = BuildDatabase::new(&called, &name, &context.config.owner_role)?;
        let ledger = Ledger::open(&context.who.run, command, database, &name, version);
        let tag = Tag::new(database, &name, &context.who.run, version, State::Building);
        let mut baking = Baking::assemble(context, lock, build, specs, ledger, tag);
        baking.without = without.to_vec();
        baking.problems = problems;
        Ok(baking)
    }

    /// Puts the parts together; nothing is read or written.
    pub(super) fn assemble(
        context: &'a Context,
        lock: RunLock,
        build: BuildDatabase,
        specs: Specs,
        ledger: Ledger,
        tag: Tag,
    ) -> Baking<'a> {
        let (without, problems) = (Vec::new(), Problems::default());
        Baking { context, lock, build, specs, without, ledger, tag, worth_keeping: false, problems }
    }

    /// Makes a scratch build and loads one source into it.
    pub(super) async fn trial(&mut self, source: &str) -> anyhow::Result<SourceEntry> {
        let all = self.specs.sources.stems.iter();
        self.without = all.filter(|name| *name != source).cloned().collect();
        let bindings = self.create().await?;
        let manifest = self.fix_manifest().await?;
        self.copy(&manifest, bindings).await?;
        let found = self.ledger.sources.iter().find(|entry| entry.source == source);
        found.cloned().ok_or_else(|| anyhow::anyhow!("{source} is not in the ledger"))
    }

    /// The pipeline.
    pub(super) async fn bake(mut self) -> anyhow::Result<Baked> {
        let span = tracing::info_span!("build", run = self.tag.run, build = self.tag.build);
        let outcome = async {
            let bindings = self.create().await?;
            let manifest = self.fix_manifest().await?;
            self.copy(&manifest, bindings).await?;
            self.finish(&manifest).await
        };
        let outcome = outcome.instrument(span).await;
        self.sealed_or_failed(outcome).await
    }

    /// Hands a sealed build on, or puts a failed one away and says how to go on.
    pub(super) async fn sealed_or_failed(
        mut self,
        outcome: anyhow::Result<Sealed>,
    ) -> anyhow::Result<Baked> {
        match outcome {
            Ok(sealed) => {
                let Baking { lock, ledger, tag, specs, .. } = self;
                Ok(Baked { lock, sealed, ledger, tag, schema: specs.schema })
            }
            Err(error) => Err(self.fail(error).await),
        }
    }

    /// A brand-new database with its tables, and every spec bound to them: all that is wrong
    /// with specs and schema is said here, at once.
    async fn create(&mut self) -> anyhow::Result<Vec<Arc<Binding>>> {
        let since = Instant::now();
        self.build.create(&self.lock, &self.tag).await?;
        failpoint::hit(failpoint::CREATED)?;
        let session = self.build.session("pre-data").await?;
        self.build.prepare(&session).await?;
        self.specs.schema.apply(&session, &Kind::PreData, &self.context.stop).await?;
        let bindings = self.bind(&session).await?;
        failpoint::hit(failpoint::PRE_DATA)?;
        self.ledger.stage("pre-data", since);
        Ok(bindings)
    }

    /// Binds the wanted sources; the problems of all specs at once.
    pub(super) async fn bind(&mut self, session: &Session) -> anyhow::Result<Vec<Arc<Binding>>> {
        let mut bindings = Vec::new();
        for source in &self.specs.sources.all {
            let table = catalog::columns(session, &source.name).await?;
            let bound = Binding::new(source, &table, &self.problems);
            bindings.extend(bound.map(Arc::new));
        }
        std::mem::take(&mut self.problems).into_result("kiln schema check")?;
        bindings
            .retain(|bound| !self.without.iter().any(|name| name == bound.source.name.as_str()));
        Ok(bindings)
    }

    async fn fix_manifest(&mut self) -> anyhow::Result<Manifest> {
        let since = Instant::now();
        let store = self.context.store().await;
        let wanted = self.specs.wanted(&self.without);
        let database = self.tag.database.clone();
        let manifest =
            Manifest::fix(&store, &database, self.tag.version, &wanted, &self.without).await?;
        let session = self.build.session("manifest").await?;
        session
            .execute(
                "insert into kiln.manifest (document) values ($1)",
                &[&serde_json::to_value(&manifest)?],
            )
            .await
            .map_err(db("write the manifest"))?;
        failpoint::hit(failpoint::MANIFEST)?;
        self.ledger.stage("manifest", since);
        Ok(manifest)
    }

    /// Loads these sources; the ledger gets an entry each.
    pub(super) async fn copy(
        &mut self,
        manifest: &Manifest,
        bindings: Vec<Arc<Binding>>,
    ) -> anyhow::Result<()> {
        let since = Instant::now();
        self.ledger.expected = manifest.sources.keys().cloned().collect();
        self.ledger.expected.extend(manifest.without.iter().cloned());
        let session = self.build.session("without").await?;
        for name in &manifest.without {
            if !self.ledger.sources.iter().any(|entry| entry.source == *name) {
                self.ledger.sources.push(note_without(&session, name).await?);
            }
        }
        drop(session);
        self.worth_keeping = true;
        let tasks = self.tasks(manifest, bindings).await;
        let loaded = self.loading()?.run(tasks).await?;
        for name in loaded.unclaimed {
            self.ledger.warnings.push(format!("no source reads {name}"));
        }
        self.ledger.sources.extend(loaded.entries);
        self.ledger.sources.sort_by(|a, b| a.source.cmp(&b.source));
        self.ledger.stage("copy", since);
        self.worth_keeping = self.has_something().await;
        self.refuse_failed_sources()
    }

    /// Whether there is a source, or a reject, for an engineer to go on with.
    async fn has_something(&self) -> bool {
        if self.ledger.sources.iter().any(|entry| entry.state == SourceState::Loaded) {
            return true;
        }
        let sql = "select exists (select from kiln.reject)";
        let Ok(session) = self.build.session("rejects").await else { return true };
        session.query_one(sql, &[]).await.map_or(true, |row| row.get(0))
    }

    /// The sources with their pinned objects, one object for all that share it.
    pub(super) async fn tasks(
        &self,
        manifest: &Manifest,
        bindings: Vec<Arc<Binding>>,
    ) -> Vec<Task> {
        let store = self.context.store().await;
        let mut objects: Vec<Arc<Object>> = Vec::new();
        let mut tasks = Vec::new();
        for binding in bindings {
            let Some(input) = manifest.sources.get(binding.source.name.as_str()) else { continue };
            let known = objects.iter().find(|object| object.pin == input.object).cloned();
            let object = known
                .unwrap_or_else(|| Object::new(&store, input.object.clone(), &self.context.stop));
            objects.push(Arc::clone(&object));
            tasks.push(Task { binding, input: input.clone(), object });
        }
        tasks
    }

    /// How and where to load.
    pub(super) fn loading(&self) -> anyhow::Result<Loading<'_>> {
        Ok(Loading {
            build: &self.build,
            specs: &self.specs.sources.all,
            connections: self.context.config.connections,
            scratch: self.context.config.folder("scratch")?,
            progress: &self.context.progress,
            stop: &self.context.stop,
        })
    }

    /// Says what failed, sources with the same trouble together, and how to go on.
    fn refuse_failed_sources(&self) -> anyhow::Result<()> {
        let failed: Vec<_> =
            self.ledger.sources.iter().filter(|e| e.state == SourceState::Failed).collect();
        let Some(first) = failed.first() else { return Ok(()) };
        let exit = Exit::ALL
            .iter()
            .map(|(exit, _)| *exit)
            .find(|exit| Some(exit.code()) == first.exit_code)
            .unwrap_or(Exit::InputRejected);
        let (said, own_hint) = trouble(&failed);
        if self.tag.state == State::Scratch {
            let failure = Failure::new(exit, said);
            return Err(match own_hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
            .into());
        }
        let (build, database) = (&self.tag.build, &self.tag.database);
        let go_on = match failed.as_slice() {
            _ if !self.worth_keeping => format!("kiln run {database}"),
            [one] => format!(
                "kiln load {database} {} --into {build} && kiln resume {build} && kiln swap \
                 {database}",
                one.source
            ),
            _ => format!(
                "kiln load {database} SOURCE --into {build} for each of them, then: kiln resume \
                 {build} && kiln swap {database}"
            ),
        };
        let mended = match exit {
            Exit::InputRejected => format!("land the mended file, then: {go_on}"),
            _ => format!("then: {go_on}"),
        };
        let hint = own_hint.map_or(mended.clone(), |own| format!("{own}; {mended}"));
        Err(Failure::new(exit, said).hint(hint).into())
    }

    /// Post-data, derive, freeze, check, seal.
    pub(super) async fn finish(&mut self, manifest: &Manifest) -> anyhow::Result<Sealed> {
        let (build, stop) = (&self.build, &self.context.stop);
        // Loads by hand that failed left their rejects for a look.
        forget_stale_rejects(&build.session("rejects").await?).await?;
        let (schema, connections) = (&self.specs.schema, self.context.config.connections);
        let since = Instant::now();
        let shown = self.context.progress.stage("keys and indexes");
        index::post_data(build, schema, connections, stop).await?;
        failpoint::hit(failpoint::POST_DATA)?;
        self.ledger.stage("post-data", since);

        let since = Instant::now();
        index::derive(build, schema, stop).await?;
        self.ledger.stage("derive", since);

        let since = Instant::now();
        index::freeze(build, connections, stop).await?;
        failpoint::hit(failpoint::FREEZE)?;
        self.ledger.stage("freeze", since);
        drop(shown);

        let since = Instant::now();
        self.ledger.checks = check::run(&build.session("check").await?, schema, stop).await?;
        failpoint::hit(failpoint::CHECK)?;
        self.ledger.stage("check", since);

        if stop.is_cancelled() {
            return Err(stopped());
        }
        let since = Instant::now();
        self.ledger.sealed = true;
        let app = ident(&self.context.config.app_role)?;
        let lock = schema.locked()?;
        let sealed = seal::seal(build, &app, lock, manifest, &self.ledger, &mut self.tag).await;
        self.ledger.sealed = sealed.is_ok();
        let sealed = sealed?;
        self.ledger.stage("seal", since);
        failpoint::hit(failpoint::SEALED)?;
        Ok(sealed)
    }

    /// Puts a failed build away: kept for an engineer where there is something to keep, dropped
    /// after a signal, on a full disk (a rollback frees nothing), or when nothing was loaded.
    /// A sealed build stays whatever came after.
    pub(super) async fn fail(&mut self, error: anyhow::Error) -> anyhow::Error {
        let exit = exit_of(&error);
        let full = error.chain().any(|cause| cause.to_string().contains("53100"));
        let signal = exit == Exit::Terminated || self.context.stop.is_cancelled();
        let keep = self.ledger.sealed || (self.worth_keeping && !signal && !full);
        let database = self.tag.database.clone();
        if !keep {
            if self.build.discard(&self.lock).await.is_err() {
                tracing::warn!(build = self.tag.build, "not dropped; the next run will");
            }
        } else if !self.ledger.sealed {
            self.tag.state = State::Failed;
            self.tag.without.clone_from(&self.without);
            let _ = self.build.retag(&self.lock, &self.tag).await;
        }
        let next = match (keep, self.ledger.sealed) {
            (true, true) => format!("kiln swap {database}"),
            (true, false) => format!("kiln resume {}", self.tag.build),
            (false, _) => format!("kiln run {database}"),
        };
        let text = render(&error);
        let end = RunEnd {
            build: Some(&self.tag.build),
            exit_code: i32::from(crate::stop::exit_code().unwrap_or(exit.code())),
            error: Some(&text),
            next: Some(&next),
            ledger: serde_json::to_value(&self.ledger).ok(),
        };
        let _ = control::end_run(&self.lock, &self.context.who, &database, &end).await;
        error
    }
}

impl Baked {
    /// Notes the run's end; the lock is let go of.
    pub(super) async fn end(self, error: Option<anyhow::Error>) -> anyhow::Result<()> {
        let text = error.as_ref().map(render);
        let next = format!("kiln swap {}", self.tag.database);
        let end = RunEnd {
            build: Some(&self.tag.build),
            exit_code: error.as_ref().map_or(0, |error| i32::from(exit_of(error).code())),
            error: text.as_deref(),
            next: error.is_some().then_some(next.as_str()),
            ledger: Some(serde_json::to_value(&self.ledger)?),
        };
        control::end_run(&self.lock, self.lock.who(), &self.tag.database, &end).await?;
        error.map_or(Ok(()), Err)
    }
}

/// What failed sources say: a line for each trouble, and the hint of the first.
fn trouble(failed: &[&SourceEntry]) -> (String, Option<String>) {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    let mut own_hint = None;
    for entry in failed {
        let error = entry.error.as_deref().unwrap_or("failed");
        let (said, hint) = error.split_once("\nhint: ").unwrap_or((error, ""));
        let own = format!("source {}: ", entry.source);
        let said = said.strip_prefix(own.as_str()).unwrap_or(said);
        match told.iter_mut().find(|(known, _)| known == said) {
            Some((_, names)) => names.push(&entry.source),
            None => told.push((said.to_owned(), vec![&entry.source])),
        }
        own_hint = own_hint.or_else(|| Some(hint.to_owned()).filter(|hint| !hint.is_empty()));
    }
    let line = |(said, names): &(String, Vec<&str>)| match names.as_slice() {
        [one] => format!("source {one}: {said}"),
        all => format!("sources {}: {said}", all.join(", ")),
    };
    (told.iter().map(line).collect::<Vec<_>>().join("\n"), own_hint)
}

/// Ends a run that failed before there was a build.
pub(super) async fn end_early(lock: &RunLock, error: anyhow::Error) -> anyhow::Error {
    let text = render(&error);
    let next = format!("kiln run {}", lock.database());
    let end = RunEnd {
        build: None,
        exit_code: i32::from(exit_of(&error).code()),
        error: Some(&text),
        next: Some(&next),
        ledger: None,
    };
    let _ = control::end_run(lock, lock.who(), lock.database(), &end).await;
    error
}
