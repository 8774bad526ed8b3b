//! All sources, longest first, over as many connections as there are; what follows a source's
//! rows (its keys and indexes) stands in the same queue, while others still load. A source that fails does not stop the others: an engineer then has one thing to mend and
//! not nine.

mod kept;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::rejects::{self, RejectWriter};
use super::settle::{Open, load_and_settle, settle_failed};
use crate::bind::Binding;
use crate::error::{Exit, Failure, exit_of};
use crate::failpoint;
use crate::fetch::archive::{self, Found};
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::forecast::room::Room;
use crate::ledger::{SourceEntry, SourceState};
use crate::manifest::Input;
use crate::pg::{Session, db, stopped};
use crate::progress::{Meter, Progress};
use crate::registry::build::BuildDatabase;
use crate::reuse::Keep;
use crate::source::Source;
use kept::Waiting;

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
    /// Whether there is room for the rows, asked once the directories say how much text there is.
    pub room: Option<&'a Room>,
    /// Who shows how far it is.
    pub progress: &'a Progress,
    /// What follows a source's rows; nothing where only rows are wanted.
    pub after: Option<After<'a>>,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

/// What loading came to.
pub struct Loaded {
    /// An entry a source, by name.
    pub entries: Vec<SourceEntry>,
    /// Outermost entries of objects that no source claims.
    pub unclaimed: Vec<String>,
    /// Tables that a kept build did not give back.
    pub warnings: Vec<String>,
}

/// What is done to a table when its rows are in: its keys and indexes.
pub type After<'a> = Box<dyn Fn(String) -> BoxFuture<'a, anyhow::Result<()>> + Send + Sync + 'a>;

/// Rows take this many times as long as the keys and statistics behind them [measured at 3 million
/// network rows: 1.7 s and 1.3; prices 0.7 and 0.35; NPPES, most of which is filtered out, 0.9 and 0.4].
const ROWS_TO_KEYS: u64 = 2;

/// What waits, and what is done.
struct Shared {
    /// What is brought over, the longest last.
    kept: Vec<Waiting>,
    /// The longest last.
    waiting: Vec<Open>,
    /// Tables whose rows are in, with the bytes of text that they were; the longest last.
    loaded: BTreeSet<(u64, String)>,
    settled: Vec<SourceEntry>,
    /// The first that failed behind its rows; the others' rows are loaded all the same.
    failed: Option<anyhow::Error>,
    /// Tables that a kept build did not give back.
    warnings: Vec<String>,
}

/// What a connection does next.
enum Job {
    Bring(Box<Waiting>),
    Load(Box<Open>),
    After(String),
}

impl Loading<'_> {
    /// Permits for threads that read files, beyond the first of each source: with one connection,
    /// one file after another, in order.
    pub(super) fn cores(&self) -> Arc<Semaphore> {
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
        let stage = self.progress.stage("reading archives");
        let found: Vec<(Task, anyhow::Result<Found>)> = stream::iter(tasks)
            .map(|task| self.find(task))
            .buffer_unordered(self.connections)
            .collect()
            .await;
        drop(stage);
        failpoint::hit(failpoint::FETCH)?;
        let found = one_period_an_object(found, &kept);
        let read = found.iter().filter_map(|(_, found)| found.as_ref().ok());
        let told = kept.iter().filter_map(|task| task.keep.as_ref());
        let entries = read.flat_map(|found| &found.entries);
        let unclaimed = unclaimed(self.specs, entries.chain(told.flat_map(|keep| &keep.entries)));
        self.hold_room(&found)?;
        let (mut shared, mut meters) = self.open_all(found).await?;
        Loading::queue_kept(kept, &mut shared, &mut meters);
        let shared = Mutex::new(shared);
        let watch = self.progress.watch("load", meters);
        let abort = self.stop.child_token();
        let cores = self.cores();
        let workers = (0..self.connections).map(|_| self.work(&shared, &cores, &abort));
        let outcomes = futures_util::future::join_all(workers).await;
        drop(watch);
        // One worker's error stops the others; theirs only say that they were stopped.
        let mut errors: Vec<anyhow::Error> = outcomes.into_iter().filter_map(Result::err).collect();
        let mut shared = shared.into_inner();
        errors.sort_by_key(|error| exit_of(error) == Exit::Terminated);
        if let Some(error) = errors.into_iter().next().or(shared.failed.take()) {
            return Err(error);
        }
        let Shared { settled: mut entries, warnings, .. } = shared;
        entries.sort_by(|a, b| a.source.cmp(&b.source));
        Ok(Loaded { entries, unclaimed, warnings })
    }

    /// Refuses to begin where the text that was found will not fit.
    fn hold_room(&self, found: &[(Task, anyhow::Result<Found>)]) -> anyhow::Result<()> {
        let Some(room) = self.room else { return Ok(()) };
        let told = found.iter().filter_map(|(task, found)| Some((task, found.as_ref().ok()?)));
        let text: Vec<(String, u64)> = told
            .clone()
            .map(|(task, found)| {
                let bytes = found.members.iter().map(Member::size).sum();
                (task.binding.source.name.as_str().to_owned(), bytes)
            })
            .collect();
        room.before_rows(&text, told.map(|(_, found)| found.spooled).sum())?;
        self.progress.clock.foretell(room.works(&text), room.has_past());
        Ok(())
    }

    pub(super) async fn find(&self, task: Task) -> (Task, anyhow::Result<Found>) {
        let (binding, objects) = (Arc::clone(&task.binding), task.objects.clone());
        let scratch = self.scratch.clone();
        let span = tracing::info_span!("find", source = binding.source.name.as_str());
        let find = move || span.in_scope(|| archive::find_all(&binding.source, &objects, &scratch));
        let found = tokio::task::spawn_blocking(find).await;
        (task, found.unwrap_or_else(|panic| Err(anyhow::anyhow!("reading an archive: {panic}"))))
    }

    async fn open_all(
        &self,
        found: Vec<(Task, anyhow::Result<Found>)>,
    ) -> anyhow::Result<(Shared, Vec<(String, Arc<Meter>)>)> {
        let session = self.build.session("open sources").await?;
        // One transaction: a night may have hundreds of sources, and a commit waits for the disk.
        session.batch_execute("begin").await.map_err(db("begin"))?;
        let mut shared = Shared {
            kept: Vec::new(),
            waiting: Vec::new(),
            loaded: BTreeSet::new(),
            settled: Vec::new(),
            failed: None,
            warnings: Vec::new(),
        };
        let mut meters = Vec::new();
        for (task, found) in found {
            if self.stop.is_cancelled() {
                return Err(stopped());
            }
            let name = task.binding.source.name.as_str().to_owned();
            let meter = Arc::new(Meter::default());
            if open(&session, task, found, &meter, &mut shared).await? {
                meters.push((name, meter));
            }
        }
        session.batch_execute("commit").await.map_err(db("commit the opened sources"))?;
        self.build.give_back(session);
        Ok((shared, meters))
    }

    async fn work(
        &self,
        shared: &Mutex<Shared>,
        cores: &Arc<Semaphore>,
        abort: &CancellationToken,
    ) -> anyhow::Result<()> {
        let outcome = self.work_through(shared, cores, abort).await;
        if outcome.is_err() {
            abort.cancel();
        }
        outcome
    }

    async fn work_through(
        &self,
        shared: &Mutex<Shared>,
        cores: &Arc<Semaphore>,
        abort: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut rejects = RejectWriter::new(self.build);
        loop {
            let Some(job) = shared.lock().await.next() else { return Ok(()) };
            match job {
                Job::Bring(waiting) => self.bring_or_load(*waiting, shared, abort).await?,
                Job::Load(open) => {
                    let name = open.binding.source.name.as_str().to_owned();
                    let span = tracing::info_span!("load", source = name);
                    let session = self.build.session(&name).await?;
                    let load = load_and_settle(&session, *open, cores, &mut rejects, abort);
                    let entry = load.instrument(span).await?;
                    self.build.give_back(session);
                    failpoint::hit(failpoint::SOURCE)?;
                    shared.lock().await.settle(entry, self.after.is_some());
                }
                Job::After(table) => {
                    let Some(after) = &self.after else { continue };
                    if let Err(error) = after(table).await {
                        shared.lock().await.failed.get_or_insert(error);
                    }
                }
            }
        }
    }
}

/// Outermost entries of objects that no spec's patterns match: a new file of CMS's, perhaps.
pub fn unclaimed<'a>(specs: &[Source], entries: impl Iterator<Item = &'a String>) -> Vec<String> {
    let claimed = |name: &str| {
        specs.iter().any(|source| {
            [&source.archive, &source.member]
                .iter()
                .any(|pattern| pattern.as_ref().is_some_and(|regex| regex.is_match(name)))
        })
    };
    let mut names: Vec<String> = entries.filter(|name| !claimed(name)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// A release holds one period: where an object's sources tell two, those that differ from most
/// of them fail.
fn one_period_an_object(
    mut all: Vec<(Task, anyhow::Result<Found>)>,
    kept: &[Task],
) -> Vec<(Task, anyhow::Result<Found>)> {
    let mut told: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for task in kept {
        if let Some(period) = task.keep.as_ref().and_then(|keep| keep.entry.period.clone()) {
            let periods = told.entry(task.input.urls()).or_default();
            periods.entry(period).or_default().push(task.binding.source.name.as_str().to_owned());
        }
    }
    for (task, found) in &all {
        let period = found.as_ref().ok().and_then(Found::period);
        if let Some(period) = period {
            let periods = told.entry(task.input.urls()).or_default();
            let names = periods.entry(period.to_owned()).or_default();
            names.push(task.binding.source.name.as_str().to_owned());
        }
    }
    for (task, found) in &mut all {
        let url = task.input.urls();
        let Some(periods) = told.get(&url).filter(|periods| periods.len() > 1) else { continue };
        let most = periods.iter().max_by_key(|(_, names)| names.len()).map(|(period, _)| period);
        let own = found.as_ref().ok().and_then(Found::period);
        if own.is_some() && own != most.map(String::as_str) {
            let said: Vec<&str> = periods.keys().map(String::as_str).collect();
            let message = format!("{url} mixes the periods {}", said.join(" and "));
            let failure = Failure::new(Exit::InputRejected, message);
            *found = Err(failure.hint(archive::MIXED_PERIODS).into());
        }
    }
    all
}

impl Shared {
    fn next(&mut self) -> Option<Job> {
        if let Some(waiting) = self.kept.pop() {
            return Some(Job::Bring(Box::new(waiting)));
        }
        let rows = self.waiting.last().map(Open::size);
        let keys = self.loaded.last().filter(|_| self.failed.is_none());
        if keys_take_longer(keys.map(|(bytes, _)| *bytes), rows) {
            return self.loaded.pop_last().map(|(_, table)| Job::After(table));
        }
        self.waiting.pop().map(|open| Job::Load(Box::new(open)))
    }

    /// Takes a source's entry; its keys wait where its rows are in.
    fn settle(&mut self, entry: SourceEntry, has_keys: bool) {
        if entry.state == SourceState::Loaded && has_keys {
            let bytes = entry.sum(|file| file.bytes);
            self.loaded.insert((bytes, entry.source.clone()));
        }
        self.settled.push(entry);
    }
}

/// Whether the keys of so many bytes of rows take longer than rows of so many bytes that wait.
fn keys_take_longer(keys: Option<u64>, rows: Option<u64>) -> bool {
    keys.map(|bytes| bytes / ROWS_TO_KEYS) > rows
}

/// Puts a source among those that wait; `false` where it has failed before it could be loaded.
async fn open(
    session: &Session,
    task: Task,
    found: anyhow::Result<Found>,
    meter: &Arc<Meter>,
    shared: &mut Shared,
) -> anyhow::Result<bool> {
    let attempt = begin_source(session, task.binding.source.name.as_str()).await?;
    let open = Open::new(task, attempt, found, meter);
    if open.failed.is_some() {
        shared.settled.push(settle_failed(session, open).await?);
        return Ok(false);
    }
    shared.waiting.push(open);
    shared.waiting.sort_by_key(Open::size);
    Ok(true)
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

#[cfg(test)]
mod tests {
    use super::keys_take_longer;

    #[test]
    fn what_takes_longest_is_begun_first() {
        assert!(keys_take_longer(Some(300), Some(100)));
        assert!(!keys_take_longer(Some(150), Some(100)));
        assert!(keys_take_longer(Some(0), None));
        assert!(!keys_take_longer(None, Some(0)));
        assert!(!keys_take_longer(None, None));
    }
}
