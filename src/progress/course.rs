//! How a load went: at which moment how much of its work was done. Work does not go evenly: sources
//! that share the cores go slowly together, and the last key goes alone. The next load is held against
//! the course of the last one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Steps, of time or of work, that are kept apart.
const STEP: f64 = 0.01;
/// Samples are at least this many seconds apart, and this share of the seconds so far.
const SAMPLES_APART: (f64, f64) = (0.2, 0.005);

/// Moments of a load: the share of its time that is over, and of its work that is done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Course(Vec<(f64, f64)>);

impl Course {
    /// From moments in the order of time; what is too near to another is left out.
    fn of(moments: impl Iterator<Item = (f64, f64)>) -> Course {
        let mut kept: Vec<(f64, f64)> = Vec::new();
        for (time, work) in moments {
            let (before, done) = kept.last().copied().unwrap_or((0.0, 0.0));
            let is_step = (time - before).max(work - done) >= STEP;
            if is_step && time > before && work >= done && time < 1.0 && work < 1.0 {
                let short = |share: f64| (share * 1e4).round() / 1e4;
                kept.push((short(time), short(work)));
            }
        }
        Course(kept)
    }

    /// The share of the time that was over when this share of the work was done; the same share where
    /// nothing is known.
    pub fn time_at(&self, work: f64) -> f64 {
        let mut before = (0.0, 0.0);
        for &(time, done) in self.0.iter().chain(&[(1.0, 1.0)]) {
            if work < done {
                let way = (work - before.1) / (done - before.1);
                return before.0 + way * (time - before.0);
            }
            before = (time, done);
        }
        1.0
    }

    /// The middle of some courses: when each hundredth of the work was done.
    pub fn middle(all: &[&Course]) -> Course {
        let known: Vec<&&Course> = all.iter().filter(|course| !course.0.is_empty()).collect();
        if known.is_empty() {
            return Course::default();
        }
        let steps = (1..100).map(|hundredth| f64::from(hundredth) * STEP);
        Course::of(
            steps.map(|work| {
                (middle(known.iter().map(|course| course.time_at(work)).collect()), work)
            }),
        )
    }

    /// Its moments.
    pub fn moments(&self) -> &[(f64, f64)] {
        &self.0
    }
}

/// The middle of some numbers, the mean of the two that are nearest to it where they are even in number;
/// 0 of none.
pub fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    let (left, right) = (all.get((all.len().max(1) - 1) / 2), all.get(all.len() / 2));
    left.zip(right).map_or(0.0, |(left, right)| (left + right) / 2.0)
}

/// What is seen of a load while it runs; times in seconds since it began.
#[derive(Debug, Default)]
pub struct Recorder {
    samples: Vec<(f64, BTreeMap<String, f64>)>,
    /// When what follows rows began, and what it took.
    behind: BTreeMap<String, (f64, f64)>,
    ended: Option<f64>,
}

impl Recorder {
    /// Takes the share of each source that is loaded, unless it was just taken.
    pub fn sample(&mut self, at: f64, shares: impl FnOnce() -> BTreeMap<String, f64>) {
        let last = self.samples.last().map_or(0.0, |(at, _)| *at);
        if self.ended.is_none() && at - last >= SAMPLES_APART.0.max(at * SAMPLES_APART.1) {
            self.samples.push((at, shares()));
        }
    }

    /// Keys, or a table made from others, began then and took so long.
    pub fn behind(&mut self, table: &str, began: f64, seconds: f64) {
        self.behind.insert(table.to_owned(), (began, seconds));
    }

    /// Seconds that each of those took.
    pub fn seconds_behind(&self) -> BTreeMap<String, f64> {
        let behind = self.behind.iter();
        behind.map(|(table, (_, seconds))| (table.clone(), *seconds)).collect()
    }

    /// The load is over.
    pub fn end(&mut self, at: f64) {
        self.ended.get_or_insert(at);
    }

    /// Its course. A source's work are the seconds that it took on its connection, `rows`.
    pub fn course(&self, rows: &BTreeMap<String, f64>) -> Course {
        let Some(ended) = self.ended else { return Course::default() };
        let behind = self.behind.values();
        let all = rows.values().chain(behind.clone().map(|(_, seconds)| seconds)).sum::<f64>();
        Course::of(self.samples.iter().map(|(at, shares)| {
            let share = |name: &String| shares.get(name).copied().unwrap_or(0.0).clamp(0.0, 1.0);
            let loaded: f64 = rows.iter().map(|(name, seconds)| seconds * share(name)).sum();
            let built: f64 =
                behind.clone().map(|(began, seconds)| (at - began).clamp(0.0, *seconds)).sum();
            (at / ended, (loaded + built) / all)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_that_went_slowly_at_first_is_expected_to_do_so_again() {
        let rows = BTreeMap::from([("network".to_owned(), 10.0)]);
        let mut recorder = Recorder::default();
        for (at, share) in [(2.0, 0.1), (4.0, 0.2), (6.0, 0.6), (8.0, 1.0)] {
            recorder.sample(at, || BTreeMap::from([("network".to_owned(), share)]));
        }
        // Its key takes what is left.
        recorder.behind("network", 8.0, 2.0);
        recorder.end(10.0);
        let course = recorder.course(&rows);
        assert_eq!(course.moments().len(), 4);
        for (work, time) in [(0.0, 0.0), (1.0 / 12.0, 0.2), (2.0 / 12.0, 0.4), (10.0 / 12.0, 0.8)] {
            assert!((course.time_at(work) - time).abs() < 1e-3, "{work}: {course:?}");
        }
        assert_eq!(course.time_at(1.0), 1.0);
        assert_eq!(course.time_at(2.0), 1.0);
    }

    #[test]
    fn the_middle_of_three_nights_is_not_moved_by_a_slow_one() {
        assert_eq!(middle(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(middle(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(middle(Vec::new()), 0.0);
        let course = |time: f64| Course(vec![(time, 0.5)]);
        let all = [&course(0.9), &course(0.4), &course(0.5), &Course::default()];
        assert!((Course::middle(&all).time_at(0.5) - 0.5).abs() < 1e-3);
        assert_eq!(Course::middle(&[&Course::default()]), Course::default());
    }

    #[test]
    fn a_load_of_which_nothing_is_known_is_expected_to_go_evenly() {
        for share in [0.0, 0.3, 1.0] {
            assert_eq!(Course::default().time_at(share), share);
        }
        assert_eq!(Recorder::default().course(&BTreeMap::new()), Course::default());
    }
}
