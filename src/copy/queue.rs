//! All files of all sources, longest first, over as many connections as there are; a source is
//! settled when its last file is in. A source that fails does not stop the others: an engineer
//! then has one thing to mend and not nine.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::rejects::{self, RejectWriter};
use super::settle::{Open, settle};
use super::{Part, send, truncate};
use crate::bind::Binding;
use crate::error::{Exit, Failure, exit_of};
use crate::failpoint;
use crate::fetch::archive::{self, Found};
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::forecast::room::Room;
use crate::ledger::{FileEntry, SourceEntry};
use crate::manifest::Input;
use crate::pg::{Session, db, stopped};
use crate::progress::{Meter, Progress};
use crate::registry::build::BuildDatabase;
use crate::source::Source;

/// A source to be loaded.
pub struct Task {
    /// The spec, bound to its table.
    pub binding: Arc<Binding>,
    /// What the manifest says it reads.
    pub input: Input,
    /// The objects, pinned.
    pub objects: Vec<Arc<Object>>,
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
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

/// What loading came to.
pub struct Loaded {
    /// An entry a source, by name.
    pub entries: Vec<SourceEntry>,
    /// Outermost entries of objects that no source claims.
    pub unclaimed: Vec<String>,
}

struct Shared {
    parts: VecDeque<Part>,
    open: BTreeMap<String, Open>,
    settled: Vec<SourceEntry>,
}

impl Loading<'_> {
    /// Loads the sources.
    ///
    /// # Errors
    /// Only what concerns all of them: a stop signal, a lost or full server. A source's own
    /// failure is in its entry.
    pub async fn run(&self, tasks: Vec<Task>) -> anyhow::Result<Loaded> {
        let stage = self.progress.stage("reading archives");
        let found: Vec<(Task, anyhow::Result<Found>)> = stream::iter(tasks)
            .map(|task| self.find(task))
            .buffer_unordered(self.connections)
            .collect()
            .await;
        drop(stage);
        failpoint::hit(failpoint::FETCH)?;
        let found = one_period_an_object(found);
        let unclaimed = self.unclaimed(&found);
        self.hold_room(&found)?;
        let (shared, meters) = self.open_all(found).await?;
        let shared = Mutex::new(shared);
        let watch = self.progress.watch("load", meters);
        let abort = self.stop.child_token();
        let workers = (0..self.connections).map(|_| self.work(&shared, &abort));
        let outcomes = futures_util::future::join_all(workers).await;
        drop(watch);
        // One worker's error stops the others; theirs only say that they were stopped.
        let mut errors: Vec<anyhow::Error> = outcomes.into_iter().filter_map(Result::err).collect();
        errors.sort_by_key(|error| exit_of(error) == Exit::Terminated);
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        let mut entries = shared.into_inner().settled;
        entries.sort_by(|a, b| a.source.cmp(&b.source));
        Ok(Loaded { entries, unclaimed })
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

    /// Entries of objects that no spec's patterns match: a new file of CMS's, perhaps.
    fn unclaimed(&self, found: &[(Task, anyhow::Result<Found>)]) -> Vec<String> {
        let claimed = |name: &str| {
            self.specs.iter().any(|source| {
                [&source.archive, &source.member]
                    .iter()
                    .any(|pattern| pattern.as_ref().is_some_and(|regex| regex.is_match(name)))
            })
        };
        let mut names: Vec<String> = found
            .iter()
            .filter_map(|(_, found)| found.as_ref().ok())
            .flat_map(|found| found.entries.iter().filter(|name| !claimed(name)).cloned())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    async fn open_all(
        &self,
        found: Vec<(Task, anyhow::Result<Found>)>,
    ) -> anyhow::Result<(Shared, Vec<(String, Arc<Meter>)>)> {
        let session = self.build.session("open sources").await?;
        let mut shared =
            Shared { parts: VecDeque::new(), open: BTreeMap::new(), settled: Vec::new() };
        let mut meters = Vec::new();
        for (task, found) in found {
            if self.stop.is_cancelled() {
                return Err(stopped());
            }
            let name = task.binding.source.name.as_str().to_owned();
            let attempt = begin_source(&session, &task.binding.source).await?;
            let mut open = Open::new(task, attempt);
            match found {
                Err(error) => {
                    open.failed = Some(error);
                    let entry = settle(&session, &name, open).await?;
                    shared.settled.push(entry);
                }
                Ok(found) => {
                    let meter = Arc::new(Meter::default());
                    meters.push((name.clone(), Arc::clone(&meter)));
                    open.waiting = found.members.len();
                    open.period = found.period().map(str::to_owned);
                    for member in found.members {
                        meter.total.fetch_add(member.size(), Ordering::Relaxed);
                        shared.parts.push_back(open.part(member, &meter));
                    }
                    shared.open.insert(name, open);
                }
            }
        }
        let slice = shared.parts.make_contiguous();
        slice.sort_by_key(|part| std::cmp::Reverse(part.member.size()));
        Ok((shared, meters))
    }

    async fn work(&self, shared: &Mutex<Shared>, abort: &CancellationToken) -> anyhow::Result<()> {
        let outcome = self.work_through(shared, abort).await;
        if outcome.is_err() {
            abort.cancel();
        }
        outcome
    }

    async fn work_through(
        &self,
        shared: &Mutex<Shared>,
        abort: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut session: Option<Session> = None;
        let mut rejects = RejectWriter::new(self.build);
        loop {
            let Some(part) = shared.lock().await.next_part() else { return Ok(()) };
            let name = part.binding.source.name.as_str().to_owned();
            let connected = match session.take() {
                Some(session) => session,
                None => self.build.session(&name).await?,
            };
            let named = format!("kiln {} {name}", self.build.server.who());
            connected
                .execute("select set_config('application_name', left($1, 63), false)", &[&named])
                .await
                .map_err(db("name the session"))?;
            let span = tracing::info_span!("load", source = name);
            let work = load_part(&connected, &part, &mut rejects, abort);
            let outcome = work.instrument(span.clone()).await;
            // A server that is lost or full fails every other part as well; a signal stops all.
            if let Err(error) = outcome.as_ref()
                && matches!(exit_of(error), Exit::Database | Exit::Terminated | Exit::Bug)
            {
                let place = format!("source {name}: {}", part.member.place());
                return outcome.map(|_| ()).map_err(|error| error.context(place));
            }
            if outcome.is_ok() {
                session = Some(connected);
            }
            let done = shared.lock().await.note(&name, outcome);
            if let Some(open) = done {
                let fresh = self.build.session(&name).await?;
                let entry = settle(&fresh, &name, open).instrument(span).await?;
                failpoint::hit(failpoint::SOURCE)?;
                shared.lock().await.settled.push(entry);
            }
        }
    }
}

/// A release holds one period: where an object's sources tell two, those that differ from most
/// of them fail.
fn one_period_an_object(
    mut all: Vec<(Task, anyhow::Result<Found>)>,
) -> Vec<(Task, anyhow::Result<Found>)> {
    let mut told: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
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
    /// The next file; its source's time runs from the first on.
    fn next_part(&mut self) -> Option<Part> {
        let part = self.parts.pop_front()?;
        if let Some(open) = self.open.get_mut(part.binding.source.name.as_str()) {
            open.began.get_or_insert_with(Instant::now);
        }
        Some(part)
    }

    /// Notes a file's outcome; gives the source back when that was its last.
    fn note(&mut self, name: &str, outcome: anyhow::Result<FileEntry>) -> Option<Open> {
        let open = self.open.get_mut(name)?;
        open.waiting -= 1;
        match outcome {
            Ok(file) => open.files.push(file),
            Err(error) => {
                open.failed.get_or_insert(error);
                // The source is lost; its other files need not be read.
                let before = self.parts.len();
                self.parts.retain(|part| part.binding.source.name.as_str() != name);
                open.waiting -= before - self.parts.len();
            }
        }
        if open.waiting == 0 { self.open.remove(name) } else { None }
    }
}

async fn load_part(
    session: &Session,
    part: &Part,
    rejects: &mut RejectWriter,
    stop: &CancellationToken,
) -> anyhow::Result<FileEntry> {
    session.batch_execute("begin").await.map_err(db("begin"))?;
    let entry = send(session, part, rejects, stop).await;
    if entry.is_err() {
        // What was refused is worth keeping even where the file was not taken.
        let _ = rejects.flush().await;
        let _ = session.batch_execute("rollback").await;
    }
    let entry = entry?;
    session.batch_execute("commit").await.map_err(db("commit rows"))?;
    Ok(entry)
}

/// Notes that a source is being loaded, into empty tables.
async fn begin_source(session: &Session, source: &Source) -> anyhow::Result<i64> {
    let name = source.name.as_str();
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
        session.batch_execute(&truncate(source)).await.map_err(db("empty a half-loaded table"))?;
        rejects::forget_stale(session).await?;
    }
    Ok(attempt)
}
