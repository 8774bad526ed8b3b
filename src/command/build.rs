//! `kiln build`: the pipeline, a stage a line, up to the seal. `kiln run` continues from there to
//! the swap; `kiln resume` enters in the middle.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument as _;

use super::build_run::BuildRun;
use super::ending::{SealedBuild, unless_stopped};
use super::opening::LockedRun;
use super::plan::{Wanted, plan};
use super::{Context, Start, without};
use crate::build::preflight::Preflight;
use crate::build::rows::RowsInput;
use crate::build::tasks;
use crate::build::worker::Worker;
use crate::build::workplace::Workplace;
use crate::catalog::ledger::SourceEntry;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::BuildState;
use crate::catalog::stamp::Sealed;
use crate::command::cli;
use crate::config::failpoint;
use crate::config::known_database;
use crate::config::strict::Problems;
use crate::load::bind::Binding;
use crate::load::copy::note_without;
use crate::plan::reuse::Decision;
use crate::plan::task::{Task, TaskKind};
use crate::plan::tasks_of::TaskInputs;
use crate::plan::{Objects, RunPlan};
use crate::postgres::{Ident, Session, db, settings};
use crate::release::gates;
use crate::report;
use crate::spec::Specs;
use crate::spec::schema::{SectionKind, catalog};
use crate::spec::source::Source;

/// `kiln build DATABASE`.
///
/// # Errors
/// When the build cannot be sealed.
pub(crate) async fn run(start: Start, args: &cli::Build) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let context = Context::open(start, true).await?;
    let full_refresh = args.anew.anew;
    let outcome = async {
        let without = &without::sources(&context.config, &args.database, &args.without)?;
        if args.dry_run.dry_run {
            let wanted =
                Wanted { database: &args.database, without, full_refresh, command: "build" };
            return plan(&context, &wanted, args.json.json).await;
        }
        let _night = context.progress.night(&args.database, context.deadline.clone(), 0.0);
        let mut locked = LockedRun::lock(&context, "build", &args.database, without).await?;
        locked.plan(full_refresh).await?;
        let mut sealed_build = locked.begin().await?.run().await?;
        let clock = &context.progress.clock;
        sealed_build.ledger.night_took(clock.elapsed(), clock.take_warnings());
        report::ledger(&sealed_build.ledger, args.json.json, context.summary)?;
        sealed_build.end(None).await
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
}

impl<'a> BuildRun<'a> {
    /// Makes a scratch build and loads one source into it.
    pub(super) async fn trial(&mut self, source: &str) -> anyhow::Result<SourceEntry> {
        let bindings = self.create().await?;
        let plan = self.note_plan().await?;
        self.load(&plan.manifest, &plan.decisions, bindings).await?;
        let found = self.ledger.sources.iter().find(|entry| entry.source == source);
        found.cloned().ok_or_else(|| anyhow::anyhow!("{source} is not in the ledger"))
    }

    /// The pipeline.
    pub(super) async fn run(mut self) -> anyhow::Result<SealedBuild> {
        let span = tracing::info_span!("build", build = self.tag.build);
        let stop = self.context.stop.clone();
        let work = async {
            let bindings = self.create().await?;
            let plan = self.note_plan().await?;
            self.hold_older(&plan.manifest).await?;
            self.load(&plan.manifest, &plan.decisions, bindings).await?;
            self.finish(&plan.manifest).await
        };
        let outcome = unless_stopped(&stop, work.instrument(span)).await;
        let outcome = match outcome {
            Ok(sealed) => self.audit_seal().await.map(|()| sealed),
            Err(error) => Err(error),
        };
        self.sealed_or_failed(outcome).await
    }

    /// Hands a sealed build on, or puts a failed one away and says how to go on.
    pub(super) async fn sealed_or_failed(
        mut self,
        outcome: anyhow::Result<Sealed>,
    ) -> anyhow::Result<SealedBuild> {
        match outcome {
            Ok(sealed) => {
                let BuildRun { lock, ledger, tag, specs, .. } = self;
                let Specs { schema, sources } = specs;
                Ok(SealedBuild { lock, sealed, ledger, tag, schema, sources })
            }
            Err(error) => Err(self.fail(error).await),
        }
    }

    /// A brand-new database with its tables, and every spec bound to them: all that is wrong
    /// with specs and schema is said here, at once.
    pub(super) async fn create(&mut self) -> anyhow::Result<Vec<Arc<Binding>>> {
        let since = Instant::now();
        self.choose_settings().await?;
        let session = self.make_tables().await?;
        let bindings = self.bind(&session).await?;
        self.build.give_back(session);
        failpoint::hit(failpoint::PRE_DATA)?;
        self.ledger.stage("pre-data", since);
        Ok(bindings)
    }

    /// Chooses what the build's sessions ask of the server, and says it.
    pub(super) async fn choose_settings(&mut self) -> anyhow::Result<()> {
        let connections = self.context.config.connections;
        self.build.settings = settings::choose(&self.lock, connections).await?;
        // `create database` writes some 7 MB of pages to the WAL: 120 ms with pglz, 50 with lz4.
        self.lock.batch_execute(&self.build.settings.sql).await.map_err(db("set the settings"))?;
        self.ledger.settings = vec![format!("connections = {connections}: side by side")];
        self.ledger.settings.extend(self.build.settings.notes.iter().cloned());
        for said in &self.ledger.settings {
            tracing::info!(setting = said, "chosen");
        }
        Ok(())
    }

    /// A brand-new database with its tables.
    pub(super) async fn make_tables(&mut self) -> anyhow::Result<Session> {
        self.make_database().await?;
        failpoint::hit(failpoint::CREATED)?;
        let session = self.build.session("pre-data").await?;
        // One transaction: each commit waits for the disk.
        session.batch_execute("begin").await.map_err(db("begin"))?;
        self.build.prepare(&session).await?;
        self.specs.schema.apply(&session, &SectionKind::PreData, &self.context.stop).await?;
        session.batch_execute("commit").await.map_err(db("commit the tables"))?;
        Ok(session)
    }

    /// Binds the wanted sources; the problems of all specs at once.
    pub(super) async fn bind(&mut self, session: &Session) -> anyhow::Result<Vec<Arc<Binding>>> {
        let mut bindings = bind_all(self.context, &self.specs, session, &self.problems).await?;
        let filled = self.specs.sources.all.iter().flat_map(Source::tables);
        self.specs.schema.refuse_twofold(filled.map(Ident::as_str), &self.problems);
        std::mem::take(&mut self.problems).into_result("kiln schema check")?;
        bindings
            .retain(|bound| !self.without.iter().any(|name| name == bound.source.name.as_str()));
        Ok(bindings)
    }

    /// Writes into the build what the run decided.
    pub(super) async fn note_plan(&mut self) -> anyhow::Result<RunPlan> {
        let since = Instant::now();
        // Without one, what is wrong with specs was said when the tables were there.
        let plan = self.plan.take().ok_or_else(|| anyhow::anyhow!("nothing was decided"))?;
        for Decision { source, action, from, why, .. } in &plan.decisions {
            tracing::info!(source, ?action, from, why, "decided");
        }
        let session = self.build.session("manifest").await?;
        // One transaction: each commit waits for the disk.
        session.batch_execute("begin").await.map_err(db("begin"))?;
        session
            .execute(
                "with plan as (insert into kiln.run_plan (document) values ($2))
                 insert into kiln.manifest (document) values ($1)",
                &[&serde_json::to_value(&plan.manifest)?, &serde_json::to_value(&plan)?],
            )
            .await
            .map_err(db("write the plan"))?;
        tasks::write(&session, &self.tasks_of(&plan)).await?;
        session.batch_execute("commit").await.map_err(db("commit the plan"))?;
        self.build.give_back(session);
        failpoint::hit(failpoint::MANIFEST)?;
        self.ledger.stage("manifest", since);
        Ok(plan)
    }

    /// Writes the tasks of a build whose rows are there already.
    pub(super) async fn write_tasks(&self) -> anyhow::Result<()> {
        let tasks = TaskInputs { schema: &self.specs.schema, sources: Vec::new() }.tasks();
        let session = self.build.session("tasks").await?;
        tasks::write(&session, &tasks).await?;
        self.build.give_back(session);
        Ok(())
    }

    /// The tasks of a plan; of a trial, which is dropped, the rows alone.
    fn tasks_of(&self, plan: &RunPlan) -> Vec<Task> {
        let is_trial = self.tag.state == BuildState::Scratch;
        let tasks = plan.tasks.iter().filter(|task| !is_trial || task.kind.is_rows());
        tasks.cloned().collect()
    }

    /// Loads these sources and does what follows their rows, but for the checks; the ledger gets an entry
    /// for each.
    pub(super) async fn load(
        &mut self,
        manifest: &Manifest,
        decisions: &[Decision],
        bindings: Vec<Arc<Binding>>,
    ) -> anyhow::Result<()> {
        self.estimate(manifest).await?;
        self.hold_sections(manifest).await?;
        let since = Instant::now();
        self.ledger.expected = manifest.sources.keys().cloned().collect();
        self.ledger.expected.extend(manifest.without.iter().cloned());
        let session = self.build.session("without").await?;
        for name in &manifest.without {
            if !self.ledger.sources.iter().any(|entry| entry.source == *name) {
                self.ledger.sources.push(note_without(&session, name).await?);
            }
        }
        self.build.give_back(session);
        self.worth_keeping = true; // until it is known what was loaded
        let inputs = self.inputs(manifest, decisions, bindings).await;
        let done = self.do_tasks(inputs).await;
        let warnings = self.had_room(done).await?;
        self.ledger.warnings.extend(warnings);
        self.ledger.sources = self.entries().await?;
        self.ledger.stage("tasks", since);
        self.worth_keeping = self.has_something().await;
        self.refuse_failed_sources()
    }

    /// Looks at archives, and does all tasks but the checks.
    async fn do_tasks(&self, inputs: Vec<RowsInput>) -> anyhow::Result<Vec<String>> {
        let _shown = self.context.progress.follow();
        let workplace = self.workplace()?;
        let preflight = workplace.preflight(inputs).await?;
        self.before_rows(&preflight).await?;
        let mut warnings: Vec<String> =
            preflight.unclaimed.iter().map(|name| format!("no source reads {name}")).collect();
        let worker = Worker::new(&workplace, &self.context.who.run, preflight.prepared);
        worker.run("load", |task| task.kind != TaskKind::Check).await?;
        warnings.extend(worker.take_warnings());
        Ok(warnings)
    }

    /// The entries of the sources, as they stand in the build.
    async fn entries(&self) -> anyhow::Result<Vec<SourceEntry>> {
        let session = self.build.session("sources").await?;
        let entries = read_entries(&session, &["loaded", "failed", "without"]).await?;
        self.build.give_back(session);
        Ok(entries)
    }

    /// The sources with their pinned objects, and the tables that are copied.
    pub(super) async fn inputs(
        &self,
        manifest: &Manifest,
        decisions: &[Decision],
        bindings: Vec<Arc<Binding>>,
    ) -> Vec<RowsInput> {
        let store = self.context.store().await;
        let mut objects = Objects::new(&store, &self.context.stop);
        let mut inputs = Vec::new();
        for binding in bindings {
            let name = binding.source.name.as_str();
            let Some(input) = manifest.sources.get(name) else { continue };
            let decision = decisions.iter().find(|decision| decision.source == name);
            let reusable = decision.and_then(|decision| decision.reusable.clone());
            inputs.push(RowsInput {
                objects: objects.of(input),
                binding,
                input: input.clone(),
                reusable,
            });
        }
        inputs
    }

    /// What tasks are done with.
    pub(super) fn workplace(&self) -> anyhow::Result<Workplace<'_>> {
        self.context.workplace(&self.build, &self.specs)
    }

    /// Refuses to begin where a source's period goes back, or where the text that was found will not
    /// fit.
    pub(super) async fn before_rows(&self, found: &Preflight) -> anyhow::Result<()> {
        if let Some(live) = &self.live {
            gates::hold_periods(live, &found.periods)?;
        }
        let Some(capacity) = &self.capacity else { return Ok(()) };
        capacity.before_rows(&found.text, &found.methods, found.spooled)?;
        let expected = capacity.expected(&found.text, &found.methods);
        let session = self.build.session("tasks").await?;
        tasks::note_expected(&session, &expected.tasks).await?;
        self.build.give_back(session);
        self.context.progress.clock.set_expected(expected, self.context.config.connections);
        Ok(())
    }
}

/// All sources' specs, bound to the tables of a build; what is wrong with them goes to `problems`.
pub(super) async fn bind_all(
    context: &Context,
    specs: &Specs,
    session: &Session,
    problems: &Problems,
) -> anyhow::Result<Vec<Arc<Binding>>> {
    let hash_key = context.hash_key(&specs.sources.all)?;
    let tables = catalog::all_columns(session).await?;
    let bind = |source| Binding::new(source, &tables, hash_key.as_ref(), problems).map(Arc::new);
    Ok(specs.sources.all.iter().filter_map(bind).collect())
}

/// The entries of the sources in one of these states, by name.
pub(super) async fn read_entries(
    session: &Session,
    states: &[&str],
) -> anyhow::Result<Vec<SourceEntry>> {
    let sql = "select entry from kiln.source where state = any ($1) order by source collate \"C\"";
    let rows = session.query(sql, &[&states]).await.map_err(db("read the sources' states"))?;
    rows.iter().map(|row| Ok(serde_json::from_value(row.get(0))?)).collect()
}
