//! The clock of the night that is on: shared by whoever does the work and whoever shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::HumanDuration;

use crate::config::Deadline;
use crate::load::meter::Meter;
use crate::plan::forecast::night::{
    Foretold, LOAD, Seen, Standing, Watchdog, expected_of, standing,
};
use crate::plan::forecast::schedule::{Begun, Doing, alone};

/// A night that is on; cheap to clone, and empty when none is.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<Option<Night>>>);

/// A job of the load that has begun.
struct Job {
    began: Instant,
    /// What it took, when it is over.
    took: Option<Duration>,
    /// Of that, while no other job was under way.
    alone: Duration,
    /// What tells how far it is.
    meter: Option<Arc<Meter>>,
}

impl Job {
    fn began(meter: Option<Arc<Meter>>) -> Job {
        Job { began: Instant::now(), took: None, alone: Duration::ZERO, meter }
    }

    fn end(&mut self) {
        self.took.get_or_insert(self.began.elapsed());
    }

    /// How far it is, where a second alone is so many beside others.
    fn doing(&self, alone: f64) -> Doing {
        let all = self.took.unwrap_or_else(|| self.began.elapsed()).as_secs_f64();
        let seconds = all + (alone - 1.0) * self.alone.as_secs_f64();
        let share = self.meter.as_ref().map_or(0.0, |meter| meter.share());
        Doing { seconds, share, is_over: self.took.is_some() }
    }
}

struct Night {
    database: String,
    began: Instant,
    foretold: Foretold,
    running: BTreeMap<String, Instant>,
    /// Stages that are over, with the seconds that they took.
    over: BTreeMap<String, f64>,
    /// Sources whose rows come, or are in.
    rows: BTreeMap<String, Job>,
    /// Tables whose keys are built, or that are made from others.
    after: BTreeMap<String, Job>,
    /// When it was last looked at which of them are under way.
    looked: Instant,
    deadline: Option<Deadline>,
    later: f64,
    watchdog: Watchdog,
    warnings: Vec<String>,
}

impl Night {
    /// Notes for how long a source's rows have been alone; to be called before any job begins or ends.
    fn look(&mut self) {
        let now = Instant::now();
        let since = now.saturating_duration_since(self.looked);
        self.looked = now;
        let is_alone = self.after.values().all(|job| job.took.is_some());
        let mut running = self.rows.values_mut().filter(|job| job.took.is_none());
        if let (Some(job), None, true) = (running.next(), running.next(), is_alone) {
            job.alone += since;
        }
    }

    /// Seconds beside others that a second of rows alone comes to.
    fn alone(&self) -> f64 {
        let load = self.foretold.works.iter().find(|work| work.stage == LOAD);
        alone(load.map_or(1, |load| load.jobs.connections))
    }

    fn seen(&mut self) -> Seen {
        self.look();
        let since = |(stage, since): (&String, &Instant)| {
            let seconds = since.elapsed().as_secs_f64();
            (stage.clone(), seconds)
        };
        let doing = |jobs: &BTreeMap<String, Job>, alone: f64| {
            jobs.iter().map(|(name, job)| (name.clone(), job.doing(alone))).collect()
        };
        Seen {
            elapsed: self.began.elapsed().as_secs_f64(),
            over: self.over.clone(),
            running: self.running.iter().map(since).collect(),
            jobs: Begun { rows: doing(&self.rows, self.alone()), after: doing(&self.after, 1.0) },
        }
    }
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, Option<Night>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Night) -> T) -> Option<T> {
        self.lock().as_mut().map(work)
    }

    /// A night begins; `later` are the seconds that other databases are expected to take after it.
    pub fn begin(&self, database: &str, deadline: Option<Deadline>, later: f64) {
        *self.lock() = Some(Night {
            database: database.to_owned(),
            began: Instant::now(),
            foretold: Foretold::default(),
            running: BTreeMap::new(),
            over: BTreeMap::new(),
            rows: BTreeMap::new(),
            after: BTreeMap::new(),
            looked: Instant::now(),
            deadline,
            later,
            watchdog: Watchdog::default(),
            warnings: Vec::new(),
        });
    }

    /// The night is over.
    pub fn end(&self) {
        *self.lock() = None;
    }

    /// What the night is expected to take.
    pub fn foretell(&self, foretold: Foretold) {
        self.with(|night| night.foretold = foretold);
    }

    /// A stage begins.
    pub fn stage_began(&self, stage: &str) {
        self.with(|night| {
            night.running.entry(stage.to_owned()).or_insert_with(Instant::now);
        });
    }

    /// A stage is over.
    pub fn stage_over(&self, stage: &str) {
        self.with(|night| {
            if let Some(since) = night.running.remove(stage) {
                night.over.insert(stage.to_owned(), since.elapsed().as_secs_f64());
            }
        });
    }

    /// A source's rows begin to come; the meter tells how far they are.
    pub fn rows_began(&self, source: &str, meter: &Arc<Meter>) {
        self.with(|night| {
            night.look();
            night.rows.insert(source.to_owned(), Job::began(Some(Arc::clone(meter))));
        });
    }

    /// They are in.
    pub fn rows_over(&self, source: &str) {
        self.with(|night| {
            night.look();
            night.rows.get_mut(source).map(Job::end)
        });
    }

    /// They do not come, and are to be had in another way later.
    pub fn rows_gone(&self, source: &str) {
        self.with(|night| {
            night.look();
            night.rows.remove(source)
        });
    }

    /// A table's keys and indexes are being built, or it is made from others.
    pub fn keys_began(&self, table: &str) {
        self.with(|night| {
            night.look();
            night.after.insert(table.to_owned(), Job::began(None));
        });
    }

    /// They are built, or it is made.
    pub fn keys_over(&self, table: &str) {
        self.with(|night| {
            night.look();
            night.after.get_mut(table).map(Job::end)
        });
    }

    /// Seconds that each source's rows took, as if all of it were beside others.
    pub fn rows(&self) -> BTreeMap<String, f64> {
        self.with(|night| seconds(&night.rows, night.alone())).unwrap_or_default()
    }

    /// Seconds that what followed rows took, for each table.
    pub fn keyed(&self) -> BTreeMap<String, f64> {
        self.with(|night| seconds(&night.after, 1.0)).unwrap_or_default()
    }

    /// How far the night is, with what it was told by; `None` when none is on, or nothing is expected of it yet.
    pub fn seen(&self) -> Option<(Standing, Seen)> {
        self.with(|night| {
            let seen = night.seen();
            (!night.foretold.works.is_empty()).then(|| (standing(&night.foretold, &seen), seen))
        })
        .flatten()
    }

    /// Seconds since the night began; 0 when none is on.
    pub fn elapsed(&self) -> f64 {
        self.with(|night| night.began.elapsed().as_secs_f64()).unwrap_or(0.0)
    }

    /// ` of about 40 seconds, 3 minutes left in all`, for a stage that runs.
    pub fn words(&self, stage: &str) -> String {
        let expected = |night: &mut Night| {
            let seen = night.seen();
            expected_of(&night.foretold, &seen, stage)
        };
        let own = self.with(expected).flatten();
        let own = own.map_or_else(String::new, |seconds| match self.is_known() {
            true => format!(" of about {}", human(seconds)),
            false => format!(" of perhaps {}", human(seconds)),
        });
        match self.left() {
            Some(left) => format!("{own}, {left}"),
            None => own,
        }
    }

    /// `3 minutes left in all`.
    pub fn left(&self) -> Option<String> {
        let perhaps = if self.is_known() { "" } else { "perhaps " };
        self.seen().map(|(standing, _)| format!("{perhaps}{} left in all", human(standing.left)))
    }

    fn is_known(&self) -> bool {
        self.with(|night| night.foretold.is_known).unwrap_or(false)
    }

    /// Whether rows come, or what follows them is done.
    pub fn is_loading(&self) -> bool {
        let is = |night: &mut Night| night.running.contains_key(LOAD) && !night.rows.is_empty();
        self.with(is).unwrap_or(false)
    }

    /// The stages that run.
    pub fn running(&self) -> Vec<String> {
        self.with(|night| night.running.keys().cloned().collect()).unwrap_or_default()
    }

    /// Holds the forecast against the deadline; what is to be said, when it is to be said.
    pub fn watch_deadline(&self) -> Option<String> {
        self.with(|night| {
            let deadline = night.deadline.clone().filter(|_| !night.foretold.works.is_empty())?;
            let seen = night.seen();
            let standing = standing(&night.foretold, &seen);
            let signed = match deadline.at.checked_duration_since(night.began) {
                Some(ahead) => ahead.as_secs_f64(),
                None => -night.began.duration_since(deadline.at).as_secs_f64(),
            };
            let over = night.watchdog.look(standing, night.later, signed)?;
            let left = standing.left + night.later;
            let warning = format!(
                "{}: the run will miss its deadline ({}) by {}: {} are left of it by {}",
                night.database,
                deadline.said,
                human(over),
                human(left),
                if night.foretold.is_known {
                    "the forecast"
                } else {
                    "a guess, for no night was before"
                },
            );
            night.warnings.push(warning.clone());
            Some(warning)
        })
        .flatten()
    }

    /// What has been warned of; taken once.
    pub fn take_warnings(&self) -> Vec<String> {
        self.with(|night| std::mem::take(&mut night.warnings)).unwrap_or_default()
    }
}

/// Seconds of the jobs that are over.
fn seconds(jobs: &BTreeMap<String, Job>, alone: f64) -> BTreeMap<String, f64> {
    let over = jobs.iter().filter(|(_, job)| job.took.is_some());
    over.map(|(name, job)| (name.clone(), job.doing(alone).seconds)).collect()
}

/// Seconds, for people.
pub fn human(seconds: f64) -> String {
    // A forecast of no end is none.
    let seconds = seconds.clamp(0.0, 1e7).round();
    HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or_default()).to_string()
}
