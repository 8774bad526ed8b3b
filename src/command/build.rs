//! `kiln build`: the pipeline, a stage a line, up to the seal. `kiln run` goes on from there to
//! the swap; `kiln resume` enters in the middle.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument as _;

use super::ending::{Baked, unless_stopped};
use super::opening::Opened;
use super::plan::{Wanted, plan};
use super::{Context, Start, without};
use crate::build::index;
use crate::build::queue::{After, AfterWork, BeforeRows, Early, Loading, Task};
use crate::catalog::ledger::{Ledger, SourceEntry};
use crate::catalog::lock::RunLock;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::{State, Tag};
use crate::catalog::stamp::{Reading, Sealed};
use crate::command::cli;
use crate::config::failpoint;
use crate::config::known_database;
use crate::config::strict::Problems;
use crate::load::bind::Binding;
use crate::load::copy::note_without;
use crate::plan::forecast::night::LOAD;
use crate::plan::forecast::room::Room;
use crate::plan::reuse::Decision;
use crate::plan::{Objects, RunPlan};
use crate::postgres::{Ident, Session, db, settings};
use crate::release::gates::{self, Live};
use crate::report;
use crate::spec::Specs;
use crate::spec::schema::{Kind, catalog};
use crate::spec::source::Source;

/// `kiln build DATABASE`.
///
/// # Errors
/// What keeps the build from being sealed.
pub async fn run(start: Start, args: &cli::Build) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let context = Context::open(start, true).await?;
    let anew = args.anew.anew;
    let outcome = async {
        let without = &without::sources(&context.config, &args.database, &args.without)?;
        if args.dry_run.dry_run {
            let wanted = Wanted { database: &args.database, without, anew, command: "build" };
            return plan(&context, &wanted, args.json.json).await;
        }
        let _night = context.progress.night(&args.database, context.deadline.clone(), 0.0);
        let mut opened = Opened::lock(&context, "build", &args.database, without).await?;
        opened.plan(anew).await?;
        let mut baked = opened.begin().await?.bake().await?;
        let clock = &context.progress.clock;
        baked.ledger.night_took(clock.elapsed(), clock.take_warnings());
        report::ledger(&baked.ledger, args.json.json, context.summary)?;
        baked.end(None).await
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
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
    /// What the run decided; `None` where what is wrong with specs kept it from deciding, and for what
    /// is not made of sources.
    pub plan: Option<RunPlan>,
    /// Whether nothing was to count as kept.
    pub anew: bool,
    /// The command that makes it once more, where it was no night's.
    pub asked: Option<String>,
    /// What is live, for gates that are asked before rows are loaded.
    pub live: Option<Live>,
    /// The forecast, once the manifest is fixed.
    pub room: Option<Room>,
    /// Where the WAL ended when the load began.
    pub wal_before: u64,
    pub problems: Problems,
    /// How tables are read again, where no spec says it.
    pub readings: Vec<Reading>,
}

impl<'a> Baking<'a> {
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
        Baking {
            context,
            lock,
            build,
            specs,
            without,
            ledger,
            tag,
            worth_keeping: false,
            plan: None,
            anew: false,
            asked: None,
            live: None,
            room: None,
            wal_before: 0,
            problems,
            readings: Vec::new(),
        }
    }

    /// Makes a scratch build and loads one source into it.
    pub(super) async fn trial(&mut self, source: &str) -> anyhow::Result<SourceEntry> {
        let bindings = self.create().await?;
        let plan = self.note_plan().await?;
        self.copy(&plan.manifest, &plan.decisions, bindings).await?;
        let found = self.ledger.sources.iter().find(|entry| entry.source == source);
        found.cloned().ok_or_else(|| anyhow::anyhow!("{source} is not in the ledger"))
    }

    /// The pipeline.
    pub(super) async fn bake(mut self) -> anyhow::Result<Baked> {
        let span = tracing::info_span!("build", build = self.tag.build);
        let stop = self.context.stop.clone();
        let work = async {
            let bindings = self.create().await?;
            let plan = self.note_plan().await?;
            self.hold_older(&plan.manifest).await?;
            self.copy(&plan.manifest, &plan.decisions, bindings).await?;
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
    ) -> anyhow::Result<Baked> {
        match outcome {
            Ok(sealed) => {
                let Baking { lock, ledger, tag, specs, .. } = self;
                let Specs { schema, sources } = specs;
                Ok(Baked { lock, sealed, ledger, tag, schema, sources })
            }
            Err(error) => Err(self.fail(error).await),
        }
    }

    /// A brand-new database with its tables, and every spec bound to them: all that is wrong
    /// with specs and schema is said here, at once.
    async fn create(&mut self) -> anyhow::Result<Vec<Arc<Binding>>> {
        let since = Instant::now();
        self.choose_settings().await?;
        let _stage = self.context.progress.enter("pre-data");
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
        self.ledger.settings.extend(self.build.settings.said.iter().cloned());
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
        self.specs.schema.apply(&session, &Kind::PreData, &self.context.stop).await?;
        session.batch_execute("commit").await.map_err(db("commit the tables"))?;
        Ok(session)
    }

    /// Binds the wanted sources; the problems of all specs at once.
    pub(super) async fn bind(&mut self, session: &Session) -> anyhow::Result<Vec<Arc<Binding>>> {
        let mut bindings = Vec::new();
        let hash_key = self.context.hash_key(&self.specs.sources.all)?;
        let tables = catalog::all_columns(session).await?;
        for source in &self.specs.sources.all {
            let bound = Binding::new(source, &tables, hash_key.as_ref(), &self.problems);
            bindings.extend(bound.map(Arc::new));
        }
        let filled = self.specs.sources.all.iter().flat_map(Source::tables);
        self.specs.schema.refuse_twofold(filled.map(Ident::as_str), &self.problems);
        std::mem::take(&mut self.problems).into_result("kiln schema check")?;
        bindings
            .retain(|bound| !self.without.iter().any(|name| name == bound.source.name.as_str()));
        Ok(bindings)
    }

    /// Writes into the build what the run decided.
    async fn note_plan(&mut self) -> anyhow::Result<RunPlan> {
        let since = Instant::now();
        let _stage = self.context.progress.enter("manifest");
        // Without one, what is wrong with specs was said when the tables were there.
        let plan = self.plan.take().ok_or_else(|| anyhow::anyhow!("nothing was decided"))?;
        for Decision { source, action, from, why, .. } in &plan.decisions {
            tracing::info!(source, ?action, from, why, "decided");
        }
        let session = self.build.session("manifest").await?;
        session
            .execute(
                "with plan as (insert into kiln.run_plan (document) values ($2))
                 insert into kiln.manifest (document) values ($1)",
                &[&serde_json::to_value(&plan.manifest)?, &serde_json::to_value(&plan)?],
            )
            .await
            .map_err(db("write the plan"))?;
        self.build.give_back(session);
        failpoint::hit(failpoint::MANIFEST)?;
        self.ledger.stage("manifest", since);
        Ok(plan)
    }

    /// Loads these sources; the ledger gets an entry each.
    pub(super) async fn copy(
        &mut self,
        manifest: &Manifest,
        decisions: &[Decision],
        bindings: Vec<Arc<Binding>>,
    ) -> anyhow::Result<()> {
        self.foresee(manifest).await?;
        self.hold_sections(manifest).await?;
        let since = Instant::now();
        let _stage = self.context.progress.enter(LOAD);
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
        let tasks = self.tasks(manifest, decisions, bindings).await;
        let loaded = {
            let _shown = self.context.progress.follow();
            let mut loading = self.loading()?;
            if self.tag.state != State::Scratch {
                loading.after = Some(self.after_rows());
            }
            loading.run(tasks).await
        };
        let loaded = self.had_room(loaded).await?;
        for name in loaded.unclaimed {
            self.ledger.warnings.push(format!("no source reads {name}"));
        }
        self.ledger.warnings.extend(loaded.warnings);
        self.ledger.sources.extend(loaded.entries);
        self.ledger.sources.sort_by(|a, b| a.source.cmp(&b.source));
        self.ledger.stage("copy", since);
        self.worth_keeping = self.has_something().await;
        self.refuse_failed_sources()
    }

    /// The sources with their pinned objects, and the tables that are brought over.
    async fn tasks(
        &self,
        manifest: &Manifest,
        decisions: &[Decision],
        bindings: Vec<Arc<Binding>>,
    ) -> Vec<Task> {
        let store = self.context.store().await;
        let mut objects = Objects::new(&store, &self.context.stop);
        let mut tasks = Vec::new();
        for binding in bindings {
            let name = binding.source.name.as_str();
            let Some(input) = manifest.sources.get(name) else { continue };
            let decision = decisions.iter().find(|decision| decision.source == name);
            let keep = decision.and_then(|decision| decision.keep.clone());
            tasks.push(Task { objects: objects.of(input), binding, input: input.clone(), keep });
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
            before_rows: Some(self.before_rows()),
            clock: &self.context.progress.clock,
            watch: &self.context.progress.watch,
            after: None,
            stop: &self.context.stop,
        })
    }

    /// Refuses to begin where a source's period goes back, or where the text that was found will not
    /// fit.
    fn before_rows(&self) -> BeforeRows<'_> {
        let (live, room, clock) = (&self.live, &self.room, &self.context.progress.clock);
        Box::new(move |told| {
            if let Some(live) = live {
                gates::hold_periods(live, &told.periods)?;
            }
            if let Some(room) = room {
                room.before_rows(&told.text, &told.ways, told.spooled)?;
                clock.foretell(room.foretold(&told.text, &told.ways));
            }
            Ok(())
        })
    }

    /// What a table gets when its rows are in.
    fn after_rows(&self) -> After<'_> {
        let (build, schema, stop) = (&self.build, &self.specs.schema, &self.context.stop);
        let (clock, sources) = (&self.context.progress.clock, &self.specs.sources.all);
        let work: AfterWork = Box::new(move |table, kept| {
            Box::pin(async move {
                clock.keys_began(&table);
                let outcome = index::finish_table(build, schema, sources, &table, kept, stop).await;
                clock.keys_over(&table);
                outcome
            })
        });
        let early = schema
            .early()
            .map(|(table, from)| Early { table: table.to_owned(), from: from.to_vec() });
        After { work, early: early.collect() }
    }
}
