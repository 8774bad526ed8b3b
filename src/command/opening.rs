//! How a run begins: specs read, lock taken, leftovers cleared away; and how it ends at once where
//! the live build has all that has landed.

use super::Context;
use super::build_run::BuildRun;
use super::ending::{end_early, unless_stopped};
use super::prune::Cleared;
use super::without;
use crate::catalog::ledger::Ledger;
use crate::catalog::lock::RunLock;
use crate::catalog::registry::build::{BuildDatabase, NameTaken, ident};
use crate::catalog::registry::contract;
use crate::catalog::registry::control::{self, RunEnd};
use crate::catalog::registry::found::next_build;
use crate::catalog::registry::{BuildState, Tag, builds, live, roles};
use crate::config::failpoint;
use crate::config::strict::Problems;
use crate::error::{Exit, failure};
use crate::plan::manifest::rejected;
use crate::plan::{Request, RunPlan};
use crate::release::swap::{SwapPart, gate};
use crate::spec::Specs;

/// How many names in a row that others took between the look and the making are given way to.
const NAMES_MAX: usize = 5;

/// A run that has its lock, and no build yet.
pub(super) struct LockedRun<'a> {
    context: &'a Context,
    lock: RunLock,
    specs: Specs,
    problems: Problems,
    command: &'a str,
    without: &'a [String],
    version: u32,
    /// What is to be done, once it is decided.
    plan: Option<RunPlan>,
    /// Whether nothing is to count as kept.
    full_refresh: bool,
    /// What of earlier runs could not be cleared away.
    warnings: Vec<String>,
}

/// Whether a run goes past its start.
pub(super) enum Opening<'a> {
    /// The live build has all that has landed: the run has ended, with this account.
    NothingToDo(Box<Ledger>),
    /// There is something to do.
    Proceed(Box<LockedRun<'a>>),
}

impl<'a> LockedRun<'a> {
    /// Reads the specs and takes the lock.
    pub(super) async fn lock(
        context: &'a Context,
        command: &'a str,
        database: &str,
        without: &'a [String],
    ) -> anyhow::Result<LockedRun<'a>> {
        let problems = Problems::default();
        let specs = Specs::read(&context.config, database, without, &problems)?;
        if specs.schema.files.is_empty() {
            problems.into_result("kiln schema check")?;
            return Err(failure(Exit::Usage, format!("{database} has no schema")));
        }
        let version = specs.schema.locked()?.version;
        let lock = context.lock(command, database).await?;
        let (plan, full_refresh, warnings) = (None, false, Vec::new());
        let mut locked = LockedRun {
            context,
            lock,
            specs,
            problems,
            command,
            without,
            version,
            plan,
            full_refresh,
            warnings,
        };
        match locked.clear().await {
            Ok(warnings) => locked.warnings = warnings,
            Err(error) => return Err(locked.over(error).await),
        }
        Ok(locked)
    }

    /// Ends the run early: what was asked may be asked once more.
    async fn over(&self, error: anyhow::Error) -> anyhow::Error {
        let database = self.lock.database();
        let without = without::arguments(&self.context.config, database, self.without);
        let full_refresh = if self.full_refresh { " --full-refresh" } else { "" };
        let next = matches!(self.command, "run" | "build")
            .then(|| format!("kiln {} {database}{without}{full_refresh}", self.command));
        end_early(&self.lock, error, next.as_deref()).await
    }

    async fn clear(&self) -> anyhow::Result<Vec<String>> {
        failpoint::hit(failpoint::LOCKED)?;
        let cleared = match self.command {
            // A trial leaves everything as it is, the failed build that it is to help with above
            // all; and a subset only looks at a night's work.
            "load" => Cleared::default(),
            "subset" => super::prune::unfinished_subsets(self.context, &self.lock).await?,
            _ => super::prune::leftovers(self.context, &self.lock).await?,
        };
        Ok(cleared.left)
    }

    /// Decides what the run will do. Where specs are wrong nothing can be decided: that is said with
    /// what is wrong with the tables, once these are there.
    ///
    /// # Errors
    /// When nothing has landed for a source, or a server cannot be asked: the run is then over.
    pub(super) async fn plan(&mut self, full_refresh: bool) -> anyhow::Result<()> {
        self.full_refresh = full_refresh;
        if self.problems.count() > 0 {
            return Ok(());
        }
        let stop = self.context.stop.clone();
        match unless_stopped(&stop, self.decide(full_refresh)).await {
            Ok(plan) => self.plan = Some(plan),
            Err(error) => return Err(self.over(error).await),
        }
        Ok(())
    }

    async fn decide(&self, full_refresh: bool) -> anyhow::Result<RunPlan> {
        let context = self.context;
        let (store, hash_key) = (context.store().await, context.hash_key(&self.specs.sources.all)?);
        let planner =
            context.planner(self.lock.database(), Some(&self.lock), &store, hash_key.as_deref());
        planner.make(&self.specs, Request { without: self.without, full_refresh }).await
    }

    /// Refuses to bring back what was rolled away from, before there is a build.
    async fn refuse_rejected(&self) -> anyhow::Result<()> {
        let Some(plan) = self.plan.as_ref().filter(|_| self.command != "load") else {
            return Ok(());
        };
        if !rejected::is_any(&self.lock, self.lock.database()).await? {
            return Ok(());
        }
        let owner = &self.context.config.owner_role;
        let server = self.context.server(self.lock.database());
        rejected::refuse(server, owner, &self.lock, &plan.manifest).await
    }

    /// Takes a name for the build.
    pub(super) async fn begin(self) -> anyhow::Result<BuildRun<'a>> {
        let stop = self.context.stop.clone();
        if let Err(error) = unless_stopped(&stop, self.refuse_rejected()).await {
            return Err(self.over(error).await);
        }
        let name = match self.name().await {
            Ok(name) => name,
            Err(error) => return Err(self.over(error).await),
        };
        let LockedRun {
            context,
            lock,
            specs,
            problems,
            command,
            without,
            version,
            plan,
            full_refresh,
            warnings,
        } = self;
        let database = specs.schema.database.as_str().to_owned();
        let called = context.server(&database).called(format!("{} {name}", context.who.run));
        let build = BuildDatabase::new(&called, &name, &context.config.owner_role)?;
        let mut ledger = Ledger::open(&context.who.run, command, &database, &name, version);
        ledger.warnings = warnings;
        let tag = Tag::new(&database, &name, &context.who.run, version, BuildState::Building);
        let mut build_run = BuildRun::assemble(context, lock, build, specs, ledger, tag);
        build_run.without = without.to_vec();
        build_run.problems = problems;
        build_run.plan = plan;
        build_run.full_refresh = full_refresh;
        Ok(build_run)
    }

    async fn name(&self) -> anyhow::Result<String> {
        let LockedRun { context, lock, specs, .. } = self;
        let (owner, app) = (ident(&context.config.owner_role)?, ident(&context.config.app_role)?);
        roles::ensure(lock, &owner, &app).await?;
        let database = specs.schema.database.as_str();
        let name = next_build(lock, database, &context.who.run, self.command == "subset").await?;
        failpoint::hit(failpoint::NAMED)?;
        Ok(name)
    }

    /// Ends the run where there is nothing to do, and gives its account; gives the run back
    /// otherwise.
    ///
    /// # Errors
    /// When the live build is one that a swap would refuse now.
    pub(super) async fn check_for_work(mut self) -> anyhow::Result<Opening<'a>> {
        let stop = self.context.stop.clone();
        let looked = unless_stopped(&stop, self.look()).await;
        let ended = match looked {
            Ok(None) => return Ok(Opening::Proceed(Box::new(self))),
            Ok(Some(ledger)) => self.end(&ledger).await.map(|()| ledger),
            Err(error) => Err(error),
        };
        match ended {
            Ok(ledger) => Ok(Opening::NothingToDo(Box::new(ledger))),
            Err(error) => Err(self.over(error).await),
        }
    }

    async fn look(&mut self) -> anyhow::Result<Option<Ledger>> {
        let Some(plan) = &self.plan else { return Ok(None) };
        let (Some(said), Some(build)) = (plan.nothing_to_do.clone(), plan.live.clone()) else {
            tracing::info!(why = plan.why, "there is something to do");
            return Ok(None);
        };
        let unclaimed = plan.unclaimed.clone();
        let context = self.context;
        self.must_fit().await.map_err(|error| error.context("nothing has changed since"))?;
        let run = &context.who.run;
        let database = self.lock.database();
        let mut ledger = Ledger::open(run, self.command, database, &build, self.version);
        ledger.warnings.append(&mut self.warnings);
        ledger.warnings.extend(unclaimed.iter().map(|name| format!("no source reads {name}")));
        tracing::info!(build, why = said, "nothing to do");
        ledger.nothing_to_do = Some(said);
        Ok(Some(ledger))
    }

    /// Refuses what the gate would refuse of the build that is live.
    async fn must_fit(&mut self) -> anyhow::Result<()> {
        let database = self.lock.database().to_owned();
        let all = builds(&self.lock, &database).await?;
        let live = live(&all, &database)
            .ok_or_else(|| failure(Exit::SchemaRefused, format!("{database} is not live")))?;
        let contracts = contract::contracts(&self.lock, Some(&database)).await?;
        let part = SwapPart {
            database: &database,
            candidate: live,
            builds: &all,
            schema_lock: self.specs.schema.lock.as_ref(),
            specs: &[],
            named: false,
            sealed: None,
            judged: Vec::new(),
        };
        let again = format!("kiln run {database}");
        let swap = self.context.swap(&mut self.lock, "swap", "the night's run", again);
        let facts = swap.facts(&part, true).await?;
        gate::decide(&facts, &contracts, &[]).map(drop)
    }

    async fn end(&self, ledger: &Ledger) -> anyhow::Result<()> {
        let end = RunEnd {
            build: Some(&ledger.build),
            ledger: Some(serde_json::to_value(ledger)?),
            ..RunEnd::default()
        };
        control::end_run(&self.lock, &self.context.who, &ledger.database, &end).await
    }
}

impl BuildRun<'_> {
    /// Makes the build's database; where somebody else's came to have its name, under the next name.
    pub(super) async fn make_database(&mut self) -> anyhow::Result<()> {
        for _ in 1..NAMES_MAX {
            match self.build.create(&self.lock, &self.tag).await {
                Err(error) if error.is::<NameTaken>() => {
                    let said = error.to_string();
                    tracing::warn!(name = self.tag.build, error = said, "the next name is taken");
                    self.take_another_name().await?;
                }
                made => return made,
            }
        }
        self.build.create(&self.lock, &self.tag).await
    }

    async fn take_another_name(&mut self) -> anyhow::Result<()> {
        let is_subset = matches!(self.ledger.command.as_str(), "subset" | "restore");
        let run = &self.context.who.run;
        let name = next_build(&self.lock, &self.tag.database, run, is_subset).await?;
        self.build = self.build.other(&name)?;
        self.build.server = self.context.server(&self.tag.database).called(format!("{run} {name}"));
        self.ledger.build.clone_from(&name);
        self.tag.build = name;
        Ok(())
    }
}
