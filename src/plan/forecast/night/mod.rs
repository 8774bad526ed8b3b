//! The time left of a night: what every stage is expected to take, the work that is done of it,
//! and the clock. Of the load, base is its jobs (rows that are in, keys that are built): they overlap, and
//! what counts is how fast tonight's went against what was expected of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schedule::{Begun, Jobs, UNPROVEN_MAX};

/// The stage that loads; it has jobs.
pub const LOAD: &str = "copy";
/// The stage that builds what keys and indexes the load did not.
pub const INDEX: &str = "post-data";

/// The steps that no amount of data makes longer: a slow night is not told from them.
pub const FIXED: [&str; 5] = ["pre-data", "manifest", "seal", "swap", "prune"];

/// The speed seen is mixed with the speed expected as if this share of the night had gone as expected, where a
/// former night says what to expect: on one machine one job's chance says little of the next one's.
const PRIOR_KNOWN: f64 = 0.6;
/// The same where nothing but measured ratios does: another machine may be several times as fast.
const PRIOR_GUESSED: f64 = 0.01;
/// From this share of a night on, the forecast is held against the deadline.
pub const FIRST_TENTH: f64 = 0.1;

/// One stage of a night, as it is expected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    /// Its name, as in the ledger.
    pub stage: String,
    /// Seconds that it is expected to take.
    pub seconds: f64,
    /// Of the load: its jobs.
    pub jobs: Jobs,
}

/// What a night is expected to take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Foretold {
    /// Its stages.
    pub works: Vec<Work>,
    /// Whether a former night says so; else it is a guess of proportions.
    pub is_known: bool,
}

impl Work {
    fn is_fixed(&self) -> bool {
        FIXED.contains(&self.stage.as_str())
    }

    /// Seconds of work: of the load, those of its jobs, which go side by side.
    fn work(&self) -> f64 {
        if self.jobs.work() > 0.0 { self.jobs.work() } else { self.seconds }
    }

    /// Seconds that are left of it, where a second of work takes `speed` seconds.
    fn left(&self, seen: &Seen, speed: f64) -> f64 {
        if seen.over.contains_key(&self.stage) {
            return 0.0;
        }
        if self.jobs.work() > 0.0 {
            return self.jobs.left(&seen.jobs, speed);
        }
        let expected = self.seconds * if self.is_fixed() { 1.0 } else { speed };
        let since = seen.running.get(&self.stage).copied().unwrap_or(0.0);
        (expected - since).max(expected * (1.0 - UNPROVEN_MAX))
    }
}

/// What has been seen of a night so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Seconds since it began.
    pub elapsed: f64,
    /// Stages that are over, with the seconds that they took.
    pub over: BTreeMap<String, f64>,
    /// Stages that run, with the seconds since they began.
    pub running: BTreeMap<String, f64>,
    /// The jobs of the load that have begun.
    pub jobs: Begun,
}

/// How far a night is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// Seconds since it began.
    pub elapsed: f64,
    /// Seconds that are left of it.
    pub left: f64,
}

impl Standing {
    /// The share of the night that is over.
    pub fn share(self) -> f64 {
        let all = self.elapsed + self.left;
        if all > 0.0 { self.elapsed / all } else { 0.0 }
    }
}

/// Seconds that a second of expected work takes tonight: by the jobs of the load, and by stages that are over.
/// What runs and tells nothing of its work is believed to go as everything before it went.
fn speed(foretold: &Foretold, seen: &Seen) -> f64 {
    let prior = if foretold.is_known { PRIOR_KNOWN } else { PRIOR_GUESSED };
    let prior = prior * foretold.works.iter().map(Work::work).sum::<f64>();
    let (mut expected, mut took) = (prior, prior);
    for work in foretold.works.iter().filter(|work| !work.is_fixed()) {
        let (done, seconds) = match seen.over.get(&work.stage) {
            _ if work.jobs.work() > 0.0 => work.jobs.done(&seen.jobs),
            Some(seconds) => (work.seconds, *seconds),
            None => (0.0, 0.0),
        };
        expected += done;
        took += seconds;
    }
    if expected > 0.0 { took / expected } else { 1.0 }
}

/// The time left. Pure.
pub fn standing(foretold: &Foretold, seen: &Seen) -> Standing {
    let speed = speed(foretold, seen);
    let left = foretold.works.iter().map(|work| work.left(seen, speed)).sum::<f64>();
    Standing { elapsed: seen.elapsed, left }
}

/// What a stage that runs is expected to take tonight, in seconds, at the speed that was seen.
pub fn expected_of(foretold: &Foretold, seen: &Seen, stage: &str) -> Option<f64> {
    let work = foretold.works.iter().find(|work| work.stage == stage)?;
    let since = seen.running.get(stage).copied().unwrap_or(0.0);
    Some(since + work.left(seen, speed(foretold, seen)))
}

/// Says once that a deadline will be missed, and again when it will be missed by twice as much.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watchdog {
    said: Option<f64>,
}

impl Watchdog {
    /// Seconds past the deadline that the run is forecast to end at, when that is to be said now.
    /// `deadline` counts from where `standing.elapsed` does; `later` are the seconds of what
    /// comes after the night.
    pub fn look(&mut self, standing: Standing, later: f64, deadline: f64) -> Option<f64> {
        if standing.share() < FIRST_TENTH {
            return None;
        }
        let over = standing.elapsed + standing.left + later - deadline;
        let worth_saying = match self.said {
            None => over > 0.0,
            Some(before) => over >= 2.0 * before,
        };
        worth_saying.then(|| {
            self.said = Some(over);
            over
        })
    }
}

#[cfg(test)]
mod tests;
