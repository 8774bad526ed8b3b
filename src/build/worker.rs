//! What does the tasks of a build: as many at once as it has connections, each in a session of its own, the
//! next one as `plan::graph` says. A task that fails does not stop the others: an engineer then has one thing
//! to mend and not nine.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::check::{self, Check};
use super::index::{self, MadeBy};
use super::rows::Prepared;
use super::tasks::{self, Claim, TaskEnd};
use super::workplace::Workplace;
use crate::config::failpoint;
use crate::error::{ErrorRecord, all_or_first_error, stopped};
use crate::plan::graph;
use crate::plan::task::{Task, TaskKind, TaskState, TaskStatus};
use crate::postgres::{Session, db};
use crate::spec::schema::{Schema, SchemaFile};

/// Between two looks at tasks that others do.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Does tasks of one build until none is left that it can do.
pub(crate) struct Worker<'a> {
    place: &'a Workplace<'a>,
    /// Sources whose members are known.
    prepared: Mutex<BTreeMap<String, Prepared>>,
    /// What kept builds made from the rows that are copied.
    made: MadeBy,
    /// Who this is, for `kiln.task`.
    name: String,
    /// Whether what others do is waited for.
    waits: bool,
    cores: Arc<Semaphore>,
    abort: CancellationToken,
    /// Something has ended: another task may be ready.
    ended: Notify,
    /// The first that failed behind its rows; the others' rows are loaded all the same.
    failed: Mutex<Option<anyhow::Error>>,
    warnings: Mutex<Vec<String>>,
    /// The tasks that this worker has done.
    done: Mutex<Vec<String>>,
}

/// What a lane does now.
enum Next {
    /// This may be begun, in this order.
    Ready(Vec<Task>),
    /// Others do what the rest waits for.
    Wait,
    /// Nothing is left that could be done.
    Nothing,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Worker<'a> {
    /// A worker that has looked at the members of these sources.
    pub(crate) fn new(place: &'a Workplace<'a>, name: &str, prepared: Vec<Prepared>) -> Worker<'a> {
        let reusables = prepared.iter().filter_map(|one| one.rows.reusable.as_ref());
        let made = reusables.map(|reusable| {
            (reusable.build.clone(), (reusable.database.clone(), reusable.made.clone()))
        });
        let made = made.collect();
        let by_name = prepared.into_iter().map(|one| (one.name().to_owned(), one));
        Worker {
            place,
            prepared: Mutex::new(by_name.collect()),
            made,
            name: name.to_owned(),
            waits: true,
            cores: place.cores(),
            abort: place.stop.child_token(),
            ended: Notify::new(),
            failed: Mutex::default(),
            warnings: Mutex::default(),
            done: Mutex::default(),
        }
    }

    /// Does not wait for what others do.
    #[must_use]
    pub(crate) fn at_once(mut self) -> Worker<'a> {
        self.waits = false;
        self
    }

    /// Does the tasks that are wanted, and shows them under this title.
    ///
    /// # Errors
    /// When something concerns all of them (a stop signal, a lost or full server), or a task fails for another
    /// reason than its input: the first such error. A source's own failure is in its entry.
    pub(crate) async fn run(
        &self,
        title: &str,
        is_wanted: impl Fn(&Task) -> bool,
    ) -> anyhow::Result<()> {
        let meters: Vec<_> = locked(&self.prepared)
            .iter()
            .map(|(name, one)| (name.clone(), Arc::clone(&one.meter)))
            .collect();
        self.place.clock.meters(&meters);
        let watch = self.place.watch.begin(title, meters);
        let board = self.place.build.session("tasks").await?;
        let lanes = (0..self.place.connections.max(1)).map(|_| self.lane(&board, &is_wanted));
        let outcomes = join_all(lanes).await;
        drop(watch);
        all_or_first_error(outcomes)?;
        if self.place.stop.is_cancelled() {
            return Err(stopped());
        }
        self.place.build.give_back(board);
        match locked(&self.failed).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The tasks that this worker has done.
    pub(crate) fn done(&self) -> Vec<String> {
        locked(&self.done).clone()
    }

    /// Tables that a kept build did not give back.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.warnings))
    }

    /// One task after another.
    async fn lane(
        &self,
        board: &Session,
        is_wanted: &impl Fn(&Task) -> bool,
    ) -> anyhow::Result<()> {
        let work = async {
            while !self.abort.is_cancelled() {
                // Before the look: what ends behind it must not be missed.
                let mut ended = pin!(self.ended.notified());
                ended.as_mut().enable();
                let next = self.next(board, is_wanted).await?;
                if let Next::Ready(tasks) = &next
                    && self.do_one_of(board, tasks).await?
                {
                    continue;
                }
                if matches!(next, Next::Nothing) {
                    break;
                }
                tokio::select! {
                    () = ended => {}
                    () = self.abort.cancelled() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
            Ok(())
        };
        let outcome = work.await;
        if outcome.is_err() {
            self.abort.cancel();
        }
        outcome
    }

    async fn next(
        &self,
        board: &Session,
        is_wanted: &impl Fn(&Task) -> bool,
    ) -> anyhow::Result<Next> {
        let all = tasks::list(board).await?;
        self.place.clock.saw(&all);
        // Behind a failure only rows are of use: the build is not sealed.
        let has_failed = locked(&self.failed).is_some();
        let is_mine = |task: &Task| is_wanted(task) && (task.kind.is_rows() || !has_failed);
        let ready = graph::ready(&all).into_iter().map(|status| status.task.clone());
        let ready: Vec<Task> = ready.filter(is_mine).collect();
        let is_running =
            |status: &TaskStatus| status.state == TaskState::Running && is_wanted(&status.task);
        Ok(match ready.is_empty() {
            false => Next::Ready(ready),
            true if self.waits && all.iter().any(is_running) => Next::Wait,
            true => Next::Nothing,
        })
    }

    /// Does the first of these that no other worker has; whether there was one.
    async fn do_one_of(&self, board: &Session, ready: &[Task]) -> anyhow::Result<bool> {
        for task in ready {
            let purpose = if task.kind.is_rows() { &task.subject } else { &task.name };
            let session = self.place.build.session(purpose).await?;
            match tasks::claim(&session, &task.name, &self.name).await? {
                Some(claim) => {
                    let span = tracing::info_span!("task", task = task.name);
                    self.do_it(board, session, task, claim).instrument(span).await?;
                    return Ok(true);
                }
                None => self.place.build.give_back(session),
            }
        }
        Ok(false)
    }

    /// Does a task and ends it.
    async fn do_it(
        &self,
        board: &Session,
        session: Session,
        task: &Task,
        claim: Claim,
    ) -> anyhow::Result<()> {
        self.place.clock.began(&task.name);
        let done = self.execute(board, &session, task).await;
        let outcome = match done {
            Ok(end) => {
                claim.finish(&session, &end).await?;
                locked(&self.done).push(task.name.clone());
                self.place.build.give_back(session);
                if task.kind.is_rows() { failpoint::hit(failpoint::SOURCE) } else { Ok(()) }
            }
            Err(error) if self.abort.is_cancelled() => {
                // Another worker may take it, whatever this one is stopped by.
                drop(session);
                let _ = claim.give_back(board).await;
                Err(error)
            }
            Err(error) if task.kind.is_rows() => {
                drop(session);
                let _ = claim.fail(board, &ErrorRecord::of(&error)).await;
                Err(error)
            }
            Err(error) => {
                drop(session);
                claim.fail(board, &ErrorRecord::of(&error)).await?;
                locked(&self.failed).get_or_insert(error);
                Ok(())
            }
        };
        self.place.clock.ended(&task.name);
        self.ended.notify_waiters();
        outcome
    }

    /// Does what a task says. What it writes is in a transaction that is left open.
    async fn execute(
        &self,
        board: &Session,
        session: &Session,
        task: &Task,
    ) -> anyhow::Result<TaskEnd> {
        let Workplace { build, schema, sources, .. } = self.place;
        let (table, abort) = (task.subject.as_str(), &self.abort);
        let file = || file_of(schema, table);
        match task.kind {
            TaskKind::Load | TaskKind::Copy => self.rows(board, session, task).await,
            TaskKind::Index => {
                index::keys(build, session, file()?, sources, abort).await?;
                Ok(TaskEnd::default())
            }
            TaskKind::Derive => {
                let file = file()?;
                let kept = index::kept(board, sources, file, &self.made).await?;
                let made = index::derive(build, session, file, kept.as_ref(), abort).await?;
                Ok(TaskEnd { result: made, ..TaskEnd::default() })
            }
            TaskKind::Analyze => {
                index::analyze(session, table, abort).await?;
                session.batch_execute("begin").await.map_err(db("begin"))?;
                Ok(TaskEnd::default())
            }
            TaskKind::Check => {
                let check = Check::of(schema, table);
                let check = check.ok_or_else(|| anyhow::anyhow!("there is no check {table}"))?;
                let found = check::run(build, session, &check, sources, abort).await?;
                session.batch_execute("begin").await.map_err(db("begin"))?;
                let result = Some(serde_json::to_value(found)?);
                Ok(TaskEnd { result, error: None })
            }
        }
    }

    async fn rows(
        &self,
        board: &Session,
        session: &Session,
        task: &Task,
    ) -> anyhow::Result<TaskEnd> {
        let prepared = locked(&self.prepared).remove(&task.subject);
        let prepared =
            prepared.ok_or_else(|| anyhow::anyhow!("nobody has pinned {}", task.subject))?;
        let settled = self.place.rows(session, prepared, &self.cores, &self.abort).await?;
        if let Some(said) = settled.not_copied {
            tasks::is_now(board, &task.name, TaskKind::Load).await?;
            locked(&self.warnings).push(said);
        }
        Ok(TaskEnd { error: settled.entry.failure(), ..TaskEnd::default() })
    }
}

fn file_of<'s>(schema: &'s Schema, table: &str) -> anyhow::Result<&'s SchemaFile> {
    let file = schema.files.iter().find(|file| file.table == table);
    file.ok_or_else(|| anyhow::anyhow!("there is no file of table {table}"))
}
