//! The time left of a night: what every stage is expected to take, the work that is done of it,
//! and the clock. Base is work (bytes loaded, indexes built), not an order of stages, for stages
//! overlap; what counts is how fast tonight's work went against what was expected of it.

use std::collections::{BTreeMap, BTreeSet};

use super::course::Course;

/// The stage that loads; it has meters.
pub const LOAD: &str = "copy";
/// The stage that builds keys and indexes; its parts are schema files.
pub const INDEX: &str = "post-data";

/// The steps that no amount of data makes longer: a slow night is not told from them.
pub const FIXED: [&str; 5] = ["pre-data", "manifest", "seal", "swap", "prune"];

/// Until this share of the night is expected to be over, the speed seen is mixed with the speed
/// expected: the first seconds say little.
const PRIOR: f64 = 0.005;
/// A stage that tells nothing of its work counts as done up to this share, until it ends.
pub(super) const UNPROVEN_MAX: f64 = 0.95;
/// From this share of a night on, the forecast is held against the deadline.
pub const FIRST_TENTH: f64 = 0.1;

/// One stage of a night, as it is expected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    /// Its name, as in the ledger.
    pub stage: String,
    /// Seconds that it is expected to take.
    pub seconds: f64,
    /// Its parts, with weights: of the load, sources by their seconds on a connection.
    pub parts: BTreeMap<String, f64>,
    /// Of the load: what follows rows (keys and indexes, tables made from others), in seconds.
    pub after: BTreeMap<String, f64>,
    /// How its work goes in time.
    pub course: Course,
}

impl Work {
    fn is_fixed(&self) -> bool {
        FIXED.contains(&self.stage.as_str())
    }

    /// The share of the stage's time that its work takes that is done, by the shares of its parts;
    /// parts that were not expected weigh nothing.
    fn share(&self, of: impl Fn(&str) -> f64, keyed: impl Fn(&str) -> f64) -> f64 {
        let done = |parts: &BTreeMap<String, f64>, of: &dyn Fn(&str) -> f64| {
            parts.iter().map(|(name, weight)| weight * of(name).clamp(0.0, 1.0)).sum::<f64>()
        };
        let all: f64 = self.parts.values().chain(self.after.values()).sum();
        let done = done(&self.parts, &of) + done(&self.after, &keyed);
        if all > 0.0 { self.course.time_at(done / all) } else { 0.0 }
    }
}

/// What has been seen of a night so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Seconds since it began.
    pub elapsed: f64,
    /// Seconds of that before the first work that says how fast the night is.
    pub before: f64,
    /// Stages that are over.
    pub over: BTreeSet<String>,
    /// Stages that run, with the seconds since they began.
    pub running: BTreeMap<String, f64>,
    /// Stages whose parts say at any time how much of them is done.
    pub metered: BTreeSet<String>,
    /// Parts of stages, with the share that is done of them.
    pub parts: BTreeMap<String, BTreeMap<String, f64>>,
}

/// How far a night is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// Seconds since it began.
    pub elapsed: f64,
    /// Seconds that are left of it.
    pub left: f64,
    /// Seconds that a second of expected work takes.
    pub speed: f64,
}

impl Standing {
    /// The share of the night that is over.
    pub fn share(self) -> f64 {
        let all = self.elapsed + self.left;
        if all > 0.0 { self.elapsed / all } else { 0.0 }
    }
}

/// What is done of each stage by proof: it is over, or its parts say so.
fn proven(works: &[Work], seen: &Seen) -> Vec<f64> {
    let share = |work: &Work| {
        if seen.over.contains(&work.stage) {
            return 1.0;
        }
        let of = |stage: &str, name: &str| {
            seen.parts.get(stage).and_then(|parts| parts.get(name)).copied().unwrap_or(0.0)
        };
        work.share(|name| of(&work.stage, name), |name| of(INDEX, name))
    };
    works.iter().map(share).collect()
}

/// Seconds that a second of expected work takes tonight, and what is done of each stage.
///
/// A stage with meters proves its work as it goes. The others prove a part at its end (one index
/// may be half the night): while nothing else runs, their time is kept out of the speed, and they
/// are believed to go as everything before them went.
fn speed(works: &[Work], seen: &Seen) -> (f64, Vec<f64>) {
    let runs =
        |work: &Work| seen.running.contains_key(&work.stage) && !seen.over.contains(&work.stage);
    let is_metered = |work: &Work| seen.metered.contains(&work.stage);
    let metered = works.iter().any(|work| runs(work) && is_metered(work));
    let is_silent = |work: &Work| !metered && runs(work) && !is_metered(work);
    let time = |work: &Work| seen.running.get(&work.stage).copied().unwrap_or(0.0);
    let silent_time = works.iter().filter(|work| is_silent(work)).map(time).fold(0.0, f64::max);
    let mut done = proven(works, seen);
    let heard = works.iter().zip(&done).filter(|(work, _)| !is_silent(work) && !work.is_fixed());
    let heard: f64 = heard.map(|(work, share)| work.seconds * share).sum();
    let prior = PRIOR * works.iter().map(|work| work.seconds).sum::<f64>();
    let time_heard = (seen.elapsed - seen.before - silent_time).max(0.0);
    let factor = match heard + prior {
        // Before the first work there is nothing to be heard of.
        all if all > 0.0 && heard > 0.0 => (time_heard + prior) / all,
        _ => 1.0,
    };
    for (work, done) in works.iter().zip(&mut done) {
        if is_silent(work) && work.seconds * factor > 0.0 {
            *done = done.max((time(work) / (work.seconds * factor)).min(UNPROVEN_MAX));
        }
    }
    (factor, done)
}

/// The time left. Pure.
pub fn standing(works: &[Work], seen: &Seen) -> Standing {
    let (factor, done) = speed(works, seen);
    let left = works.iter().zip(&done).map(|(work, share)| {
        let factor = if work.is_fixed() { 1.0 } else { factor };
        work.seconds * (1.0 - share) * factor
    });
    Standing { elapsed: seen.elapsed, left: left.sum::<f64>().max(0.0), speed: factor }
}

/// What a stage is expected to take tonight, in seconds, at the speed that was seen.
pub fn expected_of(works: &[Work], seen: &Seen, stage: &str) -> Option<f64> {
    let work = works.iter().find(|work| work.stage == stage)?;
    let factor = if work.is_fixed() { 1.0 } else { speed(works, seen).0 };
    Some(work.seconds * factor)
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
#[path = "night/tests.rs"]
mod tests;
