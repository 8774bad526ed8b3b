//! All sources, longest first, over as many connections as there are; what follows a source's
//! rows (its keys and indexes) stands in the same queue, while others still load. A source that
//! fails does not stop the others: an engineer then has one thing to mend and not nine.

mod jobs;
mod kept;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::build::clock::Clock;
use crate::catalog::ledger::{MadeIn, SourceEntry};
use crate::catalog::manifest::Input;
use crate::catalog::registry::build::BuildDatabase;
use crate::config::failpoint;
use crate::error::{Exit, Failure, all_or_first_error, stopped};
use crate::fetch::archive::Found;
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::load::bind::Binding;
use crate::load::copy::rejects::{self, RejectWriter};
use crate::load::copy::settle::{Open, load_and_settle, settle_failed};
use crate::load::members;
use crate::load::meter::{Meter, Watch};
use crate::plan::forecast::Ways;
use crate::plan::reuse::{self, Keep};
use crate::plan::unclaimed;
use crate::postgres::{Session, db};
use crate::spec::source::{Period, Source};
use jobs::{Done, Job, Jobs, Opened};

/// A source to be loaded.
pub struct Task {
    /// The spec, bound to its table.
    pub binding: Arc<Binding>,
    /// What the manifest says it reads.
    pub input: Input,
    /// The objects, pinned.
    pub objects: Vec<Arc<Object>>,
    /// A build that has its table as it would be loaded.
    pub keep: Option<Keep>,
}

/// Where and how to load.
pub struct Loading<'a> {
    /// The build.
    pub build: &'a BuildDatabase,
    /// All the database's specs, to tell what no source claims.
    pub specs: &'a [Source],
    /// COPY connections side by side.
    pub connections: usize,
    /// Where inner zips are spooled.
    pub scratch: std::path::PathBuf,
    /// What is asked once the directories are read, before the first row is sent.
    pub before_rows: Option<BeforeRows<'a>>,
    /// What tells how far the night is.
    pub clock: &'a Clock,
    /// What is under way, for who shows it.
    pub watch: &'a Watch,
    /// What follows a source's rows; nothing where only rows are wanted.
    pub after: Option<After<'a>>,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

/// What directories tell of the night's files.
pub struct Told {
    /// The period of each source; `None` where no name tells it.
    pub periods: Vec<(String, Option<String>)>,
    /// Bytes of text of each source that is loaded from its files.
    pub text: Vec<(String, u64)>,
    /// How tables get their rows.
    pub ways: Ways,
    /// Bytes of inner zips that lie in the scratch folder.
    pub spooled: u64,
}

/// Refuses to begin, or not.
pub type BeforeRows<'a> = Box<dyn Fn(&Told) -> anyhow::Result<()> + Send + Sync + 'a>;

/// What loading came to.
pub struct Loaded {
    /// An entry a source, by name.
    pub entries: Vec<SourceEntry>,
    /// Outermost entries of objects that no source claims.
    pub unclaimed: Vec<String>,
    /// Tables that a kept build did not give back.
    pub warnings: Vec<String>,
}

/// Sources with what tells how far they are.
type Meters = Vec<(String, Arc<Meter>)>;

/// What follows rows.
pub struct After<'a> {
    /// What is done to a table when its rows are in: its keys and indexes; and to one of `early`,
    /// which is then made.
    pub work: AfterWork<'a>,
    /// Tables that are made from others as soon as those have their rows.
    pub early: Vec<Early>,
}

/// Finishes a table; one of `early` may be in a kept build, made from the same rows.
pub type AfterWork<'a> = Box<
    dyn Fn(String, Option<MadeIn>) -> LocalBoxFuture<'a, anyhow::Result<()>> + Send + Sync + 'a,
>;

/// A table that is made from others while keys are still being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Early {
    /// Its name.
    pub table: String,
    /// The tables whose rows it needs.
    pub from: Vec<String>,
}

impl Loading<'_> {
    /// Permits for threads that read files, beyond the first of each source: with one connection,
    /// one file after another, in order.
    pub(crate) fn cores(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(self.connections))
    }

    /// Loads the sources.
    ///
    /// # Errors
    /// Only what concerns all of them: a stop signal, a lost or full server. A source's own
    /// failure is in its entry.
    pub async fn run(&self, tasks: Vec<Task>) -> anyhow::Result<Loaded> {
        let (kept, tasks): (Vec<Task>, Vec<Task>) =
            tasks.into_iter().partition(|task| task.keep.is_some());
        let reading = self.watch.begin("reading archives", Vec::new());
        let found: Vec<(Task, anyhow::Result<Found>)> = stream::iter(tasks)
            .map(|task| self.find(task))
            .buffer_unordered(self.connections)
            .collect()
            .await;
        drop(reading);
        failpoint::hit(failpoint::FETCH)?;
        let found = one_period_an_object(found, &kept);
        let read = found.iter().filter_map(|(_, found)| found.as_ref().ok());
        let told = kept.iter().filter_map(|task| task.keep.as_ref());
        let entries = read.flat_map(|found| &found.entries);
        let unclaimed = unclaimed(self.specs, entries.chain(told.flat_map(|keep| &keep.entries)));
        if let Some(hold) = &self.before_rows {
            hold(&self.told(&found, &kept))?;
        }
        let early = self.after.as_ref().map(|after| after.early.clone());
        let mut jobs = Jobs::new(early.unwrap_or_default(), self.after.is_some());
        let mut meters = self.open_all(found, &mut jobs).await?;
        Loading::queue_kept(kept, &mut jobs, &mut meters);
        let watch = self.watch.begin("load", meters);
        let done = self.work_through(&mut jobs).await;
        drop(watch);
        done?;
        let (entries, warnings) = jobs.into_settled()?;
        Ok(Loaded { entries, unclaimed, warnings })
    }

    /// Gives each connection its next job until there is none.
    async fn work_through(&self, jobs: &mut Jobs) -> anyhow::Result<()> {
        let (abort, cores) = (self.stop.child_token(), self.cores());
        let mut running = FuturesUnordered::new();
        let mut outcomes = Vec::new();
        loop {
            while running.len() < self.connections && !abort.is_cancelled() {
                let Some(job) = jobs.next() else { break };
                running.push(self.work(job, &cores, &abort));
            }
            let Some(outcome) = running.next().await else { break };
            match outcome {
                Ok(done) => jobs.take(done),
                Err(error) => {
                    abort.cancel();
                    outcomes.push(Err(error));
                }
            }
        }
        all_or_first_error::<()>(outcomes)?;
        if self.stop.is_cancelled() { Err(stopped()) } else { Ok(()) }
    }

    fn told(&self, found: &[(Task, anyhow::Result<Found>)], kept: &[Task]) -> Told {
        let name = |task: &'_ Task| task.binding.source.name.as_str().to_owned();
        let read = found.iter().filter_map(|(task, found)| Some((task, found.as_ref().ok()?)));
        let size = |found: &Found| found.members.iter().map(Member::size).sum();
        let told = kept
            .iter()
            .filter_map(|task| Some((name(task), task.keep.as_ref()?.entry.period.clone())));
        let periods = read.clone().map(|(task, found)| (name(task), members::period(found)));
        Told {
            periods: periods.chain(told).collect(),
            text: read.clone().map(|(task, found)| (name(task), size(found))).collect(),
            ways: self.ways(kept),
            spooled: read.map(|(_, found)| found.spooled).sum(),
        }
    }

    /// How tables get their rows.
    fn ways(&self, kept: &[Task]) -> Ways {
        let keeps =
            kept.iter().filter_map(|task| Some((&task.binding.source, task.keep.as_ref()?)));
        let early = self.after.iter().flat_map(|after| &after.early);
        let early = early.map(|early| (early.table.as_str(), early.from.as_slice()));
        reuse::ways(self.specs, keeps, early)
    }

    pub(crate) async fn find(&self, task: Task) -> (Task, anyhow::Result<Found>) {
        let (binding, objects) = (Arc::clone(&task.binding), task.objects.clone());
        let scratch = self.scratch.clone();
        let span = tracing::info_span!("find", source = binding.source.name.as_str());
        let find = move || span.in_scope(|| members::find(&binding.source, &objects, &scratch));
        let found = tokio::task::spawn_blocking(find).await;
        (task, found.unwrap_or_else(|panic| Err(anyhow::anyhow!("reading an archive: {panic}"))))
    }

    async fn open_all(
        &self,
        found: Vec<(Task, anyhow::Result<Found>)>,
        jobs: &mut Jobs,
    ) -> anyhow::Result<Meters> {
        let session = self.build.session("open sources").await?;
        // One transaction: a night may have hundreds of sources, and a commit waits for the disk.
        session.batch_execute("begin").await.map_err(db("begin"))?;
        let mut meters = Vec::new();
        for (task, found) in found {
            if self.stop.is_cancelled() {
                return Err(stopped());
            }
            let name = task.binding.source.name.as_str().to_owned();
            let meter = Arc::new(Meter::default());
            jobs.begin(&task.binding);
            let opened = open(&session, task, found, &meter).await?;
            if let Opened::Waits(_) = &opened {
                meters.push((name, meter));
            }
            jobs.opened(opened);
        }
        session.batch_execute("commit").await.map_err(db("commit the opened sources"))?;
        self.build.give_back(session);
        Ok(meters)
    }

    async fn work(
        &self,
        job: Job,
        cores: &Arc<Semaphore>,
        abort: &CancellationToken,
    ) -> anyhow::Result<Done> {
        match job {
            Job::Bring(waiting) => self.bring_or_load(*waiting, abort).await,
            Job::Load(open) => {
                let name = open.binding.source.name.as_str().to_owned();
                let span = tracing::info_span!("load", source = name);
                let session = self.build.session(&name).await?;
                let mut rejects = RejectWriter::new(self.build);
                let clock = self.clock;
                clock.rows_began(&name, &open.meter);
                let load = load_and_settle(&session, *open, cores, &mut rejects, abort);
                let entry = load.instrument(span).await?;
                clock.rows_over(&name);
                self.build.give_back(session);
                failpoint::hit(failpoint::SOURCE)?;
                Ok(Done::Settled(Box::new(entry)))
            }
            Job::After(table, kept) => match &self.after {
                Some(after) => Ok(Done::After((after.work)(table, kept).await)),
                None => Ok(Done::After(Ok(()))),
            },
        }
    }
}

/// A release holds one period: where an object's sources tell two, those that differ from most
/// of them fail.
fn one_period_an_object(
    mut all: Vec<(Task, anyhow::Result<Found>)>,
    kept: &[Task],
) -> Vec<(Task, anyhow::Result<Found>)> {
    let mut told: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for task in kept {
        if let Some(period) = task.keep.as_ref().and_then(|keep| keep.entry.period.as_deref()) {
            let periods = told.entry(task.input.urls()).or_default();
            periods
                .entry(Period::canonical(period))
                .or_default()
                .push(task.binding.source.name.as_str().to_owned());
        }
    }
    for (task, found) in &all {
        let period = found.as_ref().ok().and_then(members::period);
        if let Some(period) = period {
            let periods = told.entry(task.input.urls()).or_default();
            let names = periods.entry(period).or_default();
            names.push(task.binding.source.name.as_str().to_owned());
        }
    }
    for (task, found) in &mut all {
        let url = task.input.urls();
        let Some(periods) = told.get(&url).filter(|periods| periods.len() > 1) else { continue };
        let most = periods.iter().max_by_key(|(_, names)| names.len()).map(|(period, _)| period);
        let own = found.as_ref().ok().and_then(members::period);
        if own.is_some() && own.as_ref() != most {
            let said: Vec<&str> = periods.keys().map(String::as_str).collect();
            let message = format!("{url} mixes the periods {}", said.join(" and "));
            let failure = Failure::new(Exit::InputRejected, message);
            *found = Err(failure.hint(members::MIXED_PERIODS).into());
        }
    }
    all
}

/// Notes that a source is being loaded; one that has failed before it could be is settled.
async fn open(
    session: &Session,
    task: Task,
    found: anyhow::Result<Found>,
    meter: &Arc<Meter>,
) -> anyhow::Result<Opened> {
    let attempt = begin_source(session, task.binding.source.name.as_str()).await?;
    let open = Open::new(task.binding, task.input, attempt, found, meter);
    if open.failed.is_some() {
        return Ok(Opened::Settled(Box::new(settle_failed(session, open).await?)));
    }
    Ok(Opened::Waits(Box::new(open)))
}

/// Notes that a source is being loaded; gives the attempt's number.
async fn begin_source(session: &Session, name: &str) -> anyhow::Result<i64> {
    let row = session
        .query_one(
            "insert into kiln.source as s (source, state, attempt, entry)
             values ($1, 'loading', 1, '{}')
             on conflict (source) do update set state = 'loading', attempt = s.attempt + 1
             returning attempt",
            &[&name],
        )
        .await
        .map_err(db("open a source"))?;
    let attempt: i64 = row.get(0);
    if attempt > 1 {
        rejects::forget_stale(session).await?;
    }
    Ok(attempt)
}
