//! The clock of the night that is on: shared by whoever does the work and whoever shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::HumanDuration;

use super::Meter;
use super::course::{Course, Recorder};
use super::night::{
    FIXED, INDEX, Seen, Standing, UNPROVEN_MAX, Watchdog, Work, expected_of, standing,
};

/// However fast a night is, what is under way takes some time.
const SPEED_MIN: f64 = 0.01;

/// When a run is to be over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// As a person said it.
    pub said: String,
    /// The moment.
    pub at: Instant,
}

/// A night that is on; cheap to clone, and empty when none is.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<Option<Night>>>);

/// Sources with what tells how far they are.
type Meters = Vec<(String, Arc<Meter>)>;

struct Night {
    database: String,
    began: Instant,
    works: Vec<Work>,
    /// Whether a former night says so; else it is a guess of proportions.
    is_known: bool,
    /// Seconds before the first work that says how fast the night is.
    before: Option<f64>,
    running: BTreeMap<String, Instant>,
    over: BTreeSet<String>,
    /// Tables whose keys are being built.
    keying: BTreeMap<String, Instant>,
    /// The stage that has meters, and they.
    meters: Option<(String, Meters)>,
    /// Seconds that a second of expected work took, when it was last asked for.
    speed: f64,
    /// When the first meters began, and what was seen of them.
    metered: Option<Instant>,
    recorder: Recorder,
    deadline: Option<Deadline>,
    later: f64,
    watchdog: Watchdog,
    warnings: Vec<String>,
}

impl Night {
    /// Seconds from the first meters to a moment.
    fn since_metered(&self, at: Instant) -> f64 {
        self.metered.map_or(0.0, |began| at.saturating_duration_since(began).as_secs_f64())
    }

    /// The share that is done of each table's keys: those under way by their time.
    fn keys(&self) -> BTreeMap<String, f64> {
        let expected = |table: &str| {
            let mut all = self.works.iter().filter_map(|work| work.after.get(table));
            all.next().copied().filter(|seconds| *seconds > 0.0)
        };
        let under_way = self.keying.iter().filter_map(|(table, since)| {
            let share = since.elapsed().as_secs_f64() / (expected(table)? * self.speed);
            Some((table.clone(), share.min(UNPROVEN_MAX)))
        });
        let over = self.recorder.seconds_behind().into_keys().map(|table| (table, 1.0));
        under_way.chain(over).collect()
    }

    fn seen(&self) -> Seen {
        let running = self.running.iter().map(|(stage, since)| {
            let seconds = since.elapsed().as_secs_f64();
            (stage.clone(), seconds)
        });
        let mut seen = Seen {
            elapsed: self.began.elapsed().as_secs_f64(),
            before: self.before.unwrap_or(0.0),
            over: self.over.clone(),
            running: running.collect(),
            metered: BTreeSet::new(),
            parts: BTreeMap::from([(INDEX.to_owned(), self.keys())]),
        };
        if let Some((stage, meters)) = &self.meters {
            let shares = meters.iter().map(|(name, meter)| (name.clone(), meter.share()));
            seen.metered.insert(stage.clone());
            seen.parts.entry(stage.clone()).or_default().extend(shares);
        }
        seen
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
            works: Vec::new(),
            is_known: false,
            before: None,
            running: BTreeMap::new(),
            over: BTreeSet::new(),
            keying: BTreeMap::new(),
            meters: None,
            speed: 1.0,
            metered: None,
            recorder: Recorder::default(),
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

    /// What the night is expected to take, and whether a former night says so.
    pub fn foretell(&self, works: Vec<Work>, is_known: bool) {
        self.with(|night| {
            night.works = works;
            night.is_known = is_known;
        });
    }

    /// A stage begins.
    pub fn stage_began(&self, stage: &str) {
        self.with(|night| {
            night.running.entry(stage.to_owned()).or_insert_with(Instant::now);
            if !FIXED.contains(&stage) {
                night.before.get_or_insert(night.began.elapsed().as_secs_f64());
            }
        });
    }

    /// A stage is over.
    pub fn stage_over(&self, stage: &str) {
        self.with(|night| {
            night.running.remove(stage);
            night.over.insert(stage.to_owned());
            if night.meters.as_ref().is_some_and(|(metered, _)| metered == stage) {
                night.meters = None;
                let ended = night.since_metered(Instant::now());
                night.recorder.end(ended);
            }
        });
    }

    /// A table's keys and indexes are being built.
    pub fn keys_began(&self, table: &str) {
        self.with(|night| {
            night.keying.insert(table.to_owned(), Instant::now());
        });
    }

    /// They are built.
    pub fn keys_over(&self, table: &str) {
        self.with(|night| {
            if let Some(since) = night.keying.remove(table) {
                let seconds = since.elapsed().as_secs_f64();
                let began = night.since_metered(since);
                night.recorder.behind(table, began, seconds);
            }
        });
    }

    /// Seconds that each table's keys took.
    pub fn keyed(&self) -> BTreeMap<String, f64> {
        self.with(|night| night.recorder.seconds_behind()).unwrap_or_default()
    }

    /// These meters tell how far a stage is.
    pub(super) fn metered(&self, stage: &str, meters: &[(String, Arc<Meter>)]) {
        self.with(|night| {
            night.meters = Some((stage.to_owned(), meters.to_vec()));
            night.metered.get_or_insert_with(Instant::now);
            // What went before in this stage (archives were searched) is not of this work.
            let since = night.running.get(stage).map_or(0.0, |began| began.elapsed().as_secs_f64());
            if let Some(work) = night.works.iter_mut().find(|work| work.stage == stage) {
                work.seconds = (work.seconds - since).max(work.seconds / 2.0);
            }
            night.before = Some(night.began.elapsed().as_secs_f64());
        });
    }

    /// Looks how far the load is, for its course.
    pub(super) fn sample(&self) {
        self.with(|night| {
            let Some((_, meters)) = &night.meters else { return };
            let shares =
                || meters.iter().map(|(name, meter)| (name.clone(), meter.share())).collect();
            let at = night.since_metered(Instant::now());
            night.recorder.sample(at, shares);
        });
    }

    /// How the load went, whose sources took these seconds.
    pub fn course(&self, rows: &BTreeMap<String, f64>) -> Course {
        self.with(|night| night.recorder.course(rows)).unwrap_or_default()
    }

    /// How far the night is; `None` when none is on, or nothing is expected of it yet.
    pub fn standing(&self) -> Option<Standing> {
        self.with(|night| {
            if night.works.is_empty() {
                return None;
            }
            let standing = standing(&night.works, &night.seen());
            night.speed = standing.speed.max(SPEED_MIN);
            Some(standing)
        })
        .flatten()
    }

    /// Seconds since the night began; 0 when none is on.
    pub fn elapsed(&self) -> f64 {
        self.with(|night| night.began.elapsed().as_secs_f64()).unwrap_or(0.0)
    }

    /// ` of about 40 seconds, 3 minutes left in all`, for a stage that runs.
    pub(super) fn words(&self, stage: &str) -> String {
        let own = self.with(|night| expected_of(&night.works, &night.seen(), stage)).flatten();
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
    pub(super) fn left(&self) -> Option<String> {
        let perhaps = if self.is_known() { "" } else { "perhaps " };
        self.standing().map(|standing| format!("{perhaps}{} left in all", human(standing.left)))
    }

    fn is_known(&self) -> bool {
        self.with(|night| night.is_known).unwrap_or(false)
    }

    /// Whether a stage with meters runs.
    pub(super) fn is_metered(&self) -> bool {
        self.with(|night| night.meters.is_some()).unwrap_or(false)
    }

    /// The stages that run.
    pub(super) fn running(&self) -> Vec<String> {
        self.with(|night| night.running.keys().cloned().collect()).unwrap_or_default()
    }

    /// Holds the forecast against the deadline; what is to be said, when it is to be said.
    pub(super) fn watch_deadline(&self) -> Option<String> {
        self.with(|night| {
            let deadline = night.deadline.clone().filter(|_| !night.works.is_empty())?;
            let standing = standing(&night.works, &night.seen());
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
                if night.is_known { "the forecast" } else { "a guess, for no night was before" },
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

/// Seconds, for people.
pub(super) fn human(seconds: f64) -> String {
    // A forecast of no end is none.
    let seconds = seconds.clamp(0.0, 1e7).round();
    HumanDuration(Duration::from_secs_f64(seconds)).to_string()
}
