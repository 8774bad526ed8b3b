//! How far a build is and how long it will take: shared by whoever does the work and whoever shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::HumanDuration;

use crate::config::Deadline;
use crate::load::meter::Meter;
use crate::plan::forecast::seconds::Estimate;
use crate::plan::forecast::watchdog::Watchdog;
use crate::plan::graph;
use crate::plan::task::{TaskState, TaskStatus};

/// A run that is on; cheap to clone, and empty when none is.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<Mutex<Option<TimedRun>>>);

struct TimedRun {
    database: String,
    began: Instant,
    expected: Estimate,
    workers: usize,
    /// The tasks as they were last read, with what this process has begun and ended since.
    tasks: Vec<TaskStatus>,
    /// When they were read.
    read: Instant,
    /// How far each source's rows are.
    meters: BTreeMap<String, Arc<Meter>>,
    deadline: Option<Deadline>,
    later: f64,
    watchdog: Watchdog,
    warnings: Vec<String>,
}

impl TimedRun {
    /// Seconds that are left; `None` where nothing is expected yet.
    fn left(&self) -> Option<f64> {
        if self.tasks.is_empty() {
            return None;
        }
        let since = self.read.elapsed().as_secs_f64();
        let mut tasks = self.tasks.clone();
        for status in tasks.iter_mut().filter(|status| status.state == TaskState::Running) {
            status.took += since;
            if status.task.kind.is_rows() {
                let meter = self.meters.get(&status.task.subject);
                status.share = meter.map(|meter| meter.share());
            }
        }
        let expected = &self.expected;
        Some(graph::seconds_left(&tasks, self.workers, expected.is_known) + expected.behind)
    }
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, Option<TimedRun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, work: impl FnOnce(&mut TimedRun) -> T) -> Option<T> {
        self.lock().as_mut().map(work)
    }

    /// A run begins; `later` are the seconds that other databases are expected to take after it.
    pub(crate) fn begin(&self, database: &str, deadline: Option<Deadline>, later: f64) {
        *self.lock() = Some(TimedRun {
            database: database.to_owned(),
            began: Instant::now(),
            expected: Estimate::default(),
            workers: 1,
            tasks: Vec::new(),
            read: Instant::now(),
            meters: BTreeMap::new(),
            deadline,
            later,
            watchdog: Watchdog::default(),
            warnings: Vec::new(),
        });
    }

    /// The run is over.
    pub(crate) fn end(&self) {
        *self.lock() = None;
    }

    /// What is to be done, and what that is expected to take on this many workers.
    pub(crate) fn set_expected(&self, expected: Estimate, workers: usize) {
        self.with(|run| {
            run.tasks = expected.tasks.iter().cloned().map(TaskStatus::waiting).collect();
            (run.read, run.workers, run.expected) = (Instant::now(), workers, expected);
        });
    }

    /// The tasks as they stand in the build.
    pub(crate) fn saw(&self, tasks: &[TaskStatus]) {
        self.with(|run| {
            (run.tasks, run.read) = (tasks.to_vec(), Instant::now());
        });
    }

    /// What tells how far rows are.
    pub(crate) fn meters(&self, meters: &[(String, Arc<Meter>)]) {
        self.with(|run| run.meters.extend(meters.iter().cloned()));
    }

    /// A task is begun by this process.
    pub(crate) fn began(&self, name: &str) {
        self.with(|run| {
            let since = run.read.elapsed().as_secs_f64();
            for status in run.tasks.iter_mut().filter(|status| status.task.name == name) {
                (status.state, status.took) = (TaskState::Running, -since);
            }
        });
    }

    /// It has ended.
    pub(crate) fn ended(&self, name: &str) {
        self.with(|run| {
            let since = run.read.elapsed().as_secs_f64();
            for status in run.tasks.iter_mut().filter(|status| status.task.name == name) {
                status.state = TaskState::Done;
                status.took += since;
            }
        });
    }

    /// Seconds since the run began; 0 when none is on.
    pub(crate) fn elapsed(&self) -> f64 {
        self.with(|run| run.began.elapsed().as_secs_f64()).unwrap_or(0.0)
    }

    /// Seconds since the run began, and those that are left; `None` while nothing is expected.
    pub(crate) fn standing(&self) -> Option<(f64, f64)> {
        self.with(|run| Some((run.began.elapsed().as_secs_f64(), run.left()?))).flatten()
    }

    /// `3 minutes left in all`.
    pub(crate) fn left(&self) -> Option<String> {
        self.with(|run| {
            let perhaps = if run.expected.is_known { "" } else { "perhaps " };
            Some(format!("{perhaps}{} left in all", human(run.left()?)))
        })
        .flatten()
    }

    /// The tasks that run, in the order of the build.
    pub(crate) fn running(&self) -> Vec<String> {
        let name = |status: &TaskStatus| {
            let is_running = status.state == TaskState::Running;
            is_running.then(|| format!("{} {}", status.task.kind.word(), status.task.subject))
        };
        self.with(|run| run.tasks.iter().filter_map(name).collect()).unwrap_or_default()
    }

    /// Holds the time left against the deadline; what is to be said, when it is to be said.
    pub(crate) fn watch_deadline(&self) -> Option<String> {
        self.with(|run| {
            let deadline = run.deadline.clone()?;
            let left = run.left()?;
            let signed = match deadline.at.checked_duration_since(run.began) {
                Some(ahead) => ahead.as_secs_f64(),
                None => -run.began.duration_since(deadline.at).as_secs_f64(),
            };
            let elapsed = run.began.elapsed().as_secs_f64();
            let over = run.watchdog.look(elapsed, left, run.later, signed)?;
            let warning = format!(
                "{}: the run will miss its deadline ({}) by {}: {} are left of it by {}",
                run.database,
                deadline.text,
                human(over),
                human(left + run.later),
                if run.expected.is_known {
                    "the forecast"
                } else {
                    "a guess, for no night was before"
                },
            );
            run.warnings.push(warning.clone());
            Some(warning)
        })
        .flatten()
    }

    /// What has been warned of; taken once.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.with(|run| std::mem::take(&mut run.warnings)).unwrap_or_default()
    }
}

/// Seconds, for people.
pub(crate) fn human(seconds: f64) -> String {
    // A forecast of no end is none.
    let seconds = seconds.clamp(0.0, 1e7).round();
    HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or_default()).to_string()
}
