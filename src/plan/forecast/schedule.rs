//! How long the jobs of a load take side by side: what is left of them is played through, given out over the
//! connections in the order in which `build::queue` gives them out. Work does not go evenly: the longest
//! source goes alone at the end, keys wait for their rows, and a table made from others waits for theirs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Rows that go alone go so many times as fast as beside another job: kiln reads and cuts on the cores
/// that the server works on. [druginfo at scale 0.2 on two cores: networks 0.055 of their rows a second
/// beside prices and 0.09 alone, prices 0.2 and 0.4]
const ALONE: f64 = 1.8;
/// What was expected of a source weighs as much as this share of its rows: with so much of them in, half of
/// the forecast is how fast they have come.
const EXPECTED_WEIGHS: f64 = 0.2;
/// A job of less than this share of the work tells nothing of how fast the night is: beginning and ending it is
/// most of what it takes.
const SHORT: f64 = 0.02;
/// What tells nothing of its work counts as done up to this share, until it ends; so do rows. [behind the last of
/// them prices take another 3.7 of 35 s, networks 1 of 70]
pub const UNPROVEN_MAX: f64 = 0.95;
/// Shorter than this, in seconds, nothing is left.
const NOTHING: f64 = 1e-9;

/// The jobs of a load, as they are expected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Jobs {
    /// Connections side by side.
    pub connections: usize,
    /// The rows of every source.
    pub rows: BTreeMap<String, Rows>,
    /// What follows rows: a source's keys and indexes, and tables that are made from others.
    pub after: BTreeMap<String, After>,
}

/// Seconds beside others that a second of rows alone comes to, over so many connections; with one there are no
/// others.
pub fn alone(connections: usize) -> f64 {
    if connections > 1 { ALONE } else { 1.0 }
}

/// The rows of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rows {
    /// Seconds on a connection, beside others: see [`alone`].
    pub seconds: f64,
    /// Whether they come out of a kept build: those are begun first.
    pub is_brought: bool,
}

/// What follows rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct After {
    /// Seconds on a connection.
    pub seconds: f64,
    /// The sources whose rows it needs.
    pub from: Vec<String>,
}

/// How far a job is that has begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Doing {
    /// Seconds since it began; that it took, when it is over. Of rows, as if all of it were beside others: see
    /// [`alone`].
    pub seconds: f64,
    /// The share of its work that is done, where it tells that.
    pub share: f64,
    /// Whether it is over.
    pub is_over: bool,
}

impl Doing {
    /// The share of its work that is done: behind the last row they are counted and committed.
    fn done(self) -> f64 {
        if self.is_over { 1.0 } else { self.share.clamp(0.0, 1.0) * UNPROVEN_MAX }
    }
}

/// The jobs that have begun.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Sources' rows.
    pub rows: BTreeMap<String, Doing>,
    /// What follows rows.
    pub after: BTreeMap<String, Doing>,
}

impl Jobs {
    /// Seconds that all of them take.
    pub fn seconds(&self) -> f64 {
        self.left(&Begun::default(), 1.0)
    }

    /// Seconds until the last one is over, where a second of expected work takes `speed` seconds.
    pub fn left(&self, begun: &Begun, speed: f64) -> f64 {
        let mut rest = Rest { connections: self.connections.max(1), ..Rest::default() };
        for (name, rows) in &self.rows {
            let doing = begun.rows.get(name);
            let seconds = doing.map_or(rows.seconds * speed, |doing| rows.left(*doing, speed));
            if doing.is_some() {
                rest.running.push(Run { name, seconds, is_rows: true });
            } else {
                rest.rows.push(Wait { name, seconds, is_brought: rows.is_brought });
            }
            rest.missing.insert(name);
        }
        for (name, after) in &self.after {
            let expected = after.seconds * speed;
            match begun.after.get(name) {
                Some(doing) if doing.is_over => {}
                Some(doing) => {
                    let seconds = (expected - doing.seconds).max(expected * (1.0 - UNPROVEN_MAX));
                    rest.running.push(Run { name, seconds, is_rows: false });
                }
                None => rest.after.push((name, expected, &after.from)),
            }
        }
        rest.play()
    }

    /// Seconds of work that were expected of what is done, and the seconds that it took, of the jobs that are
    /// long enough to tell anything.
    pub fn done(&self, begun: &Begun) -> (f64, f64) {
        let rows = begun.rows.iter().filter_map(|(name, doing)| {
            Some((self.rows.get(name)?.seconds, doing.done(), doing.seconds))
        });
        let after = begun.after.iter().filter(|(_, doing)| doing.is_over);
        let after = after
            .filter_map(|(name, doing)| Some((self.after.get(name)?.seconds, 1.0, doing.seconds)));
        let least = SHORT * self.work();
        let long = rows.chain(after).filter(|(expected, ..)| *expected >= least);
        long.fold((0.0, 0.0), |sum, job| (sum.0 + job.0 * job.1, sum.1 + job.2))
    }

    /// Seconds of all jobs, one after another.
    pub fn work(&self) -> f64 {
        let rows = self.rows.values().map(|rows| rows.seconds);
        rows.chain(self.after.values().map(|after| after.seconds)).sum()
    }

    /// The same jobs, each taking so many times as long.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Jobs {
        self.rows.values_mut().for_each(|rows| rows.seconds *= by);
        self.after.values_mut().for_each(|after| after.seconds *= by);
        self
    }
}

impl Rows {
    /// Seconds that are left of rows that come, by how fast they have come and by what was expected.
    fn left(self, doing: Doing, speed: f64) -> f64 {
        if doing.is_over {
            return 0.0;
        }
        let share = doing.done();
        let weighed = doing.seconds + EXPECTED_WEIGHS * self.seconds * speed;
        (1.0 - share) * weighed / (share + EXPECTED_WEIGHS)
    }
}

/// A load from a moment on.
#[derive(Default)]
struct Rest<'a> {
    connections: usize,
    /// Rows that wait.
    rows: Vec<Wait<'a>>,
    /// What waits for rows: its seconds, and the sources.
    after: Vec<(&'a str, f64, &'a [String])>,
    running: Vec<Run<'a>>,
    /// Sources whose rows are not in.
    missing: BTreeSet<&'a str>,
}

struct Wait<'a> {
    name: &'a str,
    seconds: f64,
    is_brought: bool,
}

struct Run<'a> {
    name: &'a str,
    seconds: f64,
    is_rows: bool,
}

impl<'a> Rest<'a> {
    /// Seconds until nothing runs.
    fn play(mut self) -> f64 {
        let mut at = 0.0;
        loop {
            self.end();
            while self.running.len() < self.connections {
                let Some(job) = self.next() else { break };
                self.running.push(job);
            }
            let Some(least) = self.running.iter().map(|job| job.seconds).reduce(f64::min) else {
                return at;
            };
            let is_alone = matches!(self.running[..], [Run { is_rows: true, .. }]);
            at += if is_alone { least / alone(self.connections) } else { least };
            self.running.iter_mut().for_each(|job| job.seconds -= least);
        }
    }

    /// Takes away what is over.
    fn end(&mut self) {
        let missing = &mut self.missing;
        self.running.retain(|job| {
            let is_over = job.seconds <= NOTHING;
            if is_over && job.is_rows {
                missing.remove(job.name);
            }
            !is_over
        });
    }

    /// What a free connection does: rows of kept builds, then whatever takes longest.
    fn next(&mut self) -> Option<Run<'a>> {
        let longest = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        let waiting = self.rows.iter().enumerate();
        let brought = waiting.clone().filter(|(_, wait)| wait.is_brought);
        let brought = brought.map(|(at, wait)| (at, wait.seconds)).max_by(longest);
        let rows = brought
            .or_else(|| waiting.clone().map(|(at, wait)| (at, wait.seconds)).max_by(longest));
        let ready = self.after.iter().enumerate().filter(|(_, (_, _, from))| {
            !from.iter().any(|source| self.missing.contains(source.as_str()))
        });
        let ready = ready.map(|(at, (_, seconds, _))| (at, *seconds)).max_by(longest);
        match (rows, ready) {
            (rows, Some((at, seconds)))
                if brought.is_none() && rows.is_none_or(|(_, rows)| seconds > rows) =>
            {
                let (name, seconds, _) = self.after.swap_remove(at);
                Some(Run { name, seconds, is_rows: false })
            }
            (Some((at, _)), _) => {
                let Wait { name, seconds, .. } = self.rows.swap_remove(at);
                Some(Run { name, seconds, is_rows: true })
            }
            (None, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(connections: usize, rows: &[(&str, f64)], after: &[(&str, f64, &[&str])]) -> Jobs {
        let of = |seconds| Rows { seconds, is_brought: false };
        let from = |from: &[&str]| from.iter().map(|&name| name.to_owned()).collect();
        Jobs {
            connections,
            rows: rows.iter().map(|(name, seconds)| ((*name).to_owned(), of(*seconds))).collect(),
            after: after
                .iter()
                .map(|(name, seconds, on)| {
                    ((*name).to_owned(), After { seconds: *seconds, from: from(on) })
                })
                .collect(),
        }
    }

    fn doing(seconds: f64, share: f64) -> Doing {
        Doing { seconds, share, is_over: share >= 1.0 }
    }

    fn near(left: f64, expected: f64) {
        assert!((left - expected).abs() < 1e-6, "{left}, not {expected}");
    }

    #[test]
    fn on_one_connection_jobs_take_what_they_take_together() {
        let all = jobs(1, &[("a", 5.0), ("b", 2.0)], &[("a", 3.0, &["a"])]);
        near(all.seconds(), 10.0);
        near(all.work(), 10.0);
        near(all.clone().scaled(2.0).seconds(), 20.0);
    }

    #[test]
    fn keys_wait_for_their_rows_and_a_made_table_for_all_of_its_own() {
        // On one connection a and its keys, on the other b: the made table begins when both rows are in.
        let all = jobs(
            2,
            &[("a", 4.0), ("b", 6.0)],
            &[("a", 1.0, &["a"]), ("b", 2.0, &["b"]), ("made", 5.0, &["a", "b"])],
        );
        // b alone beyond the fifth second.
        near(all.seconds(), 5.0 + 1.0 / alone(2) + 5.0);
    }

    #[test]
    fn rows_of_kept_builds_go_first_and_then_what_takes_longest() {
        let mut all = jobs(1, &[("kept", 1.0), ("long", 9.0)], &[("kept", 3.0, &["kept"])]);
        for rows in all.rows.values_mut() {
            rows.is_brought = rows.seconds < 2.0;
        }
        let mut rest = Rest { connections: 1, ..Rest::default() };
        for (name, rows) in &all.rows {
            let (seconds, is_brought) = (rows.seconds, rows.is_brought);
            rest.rows.push(Wait { name, seconds, is_brought });
            rest.missing.insert(name);
        }
        rest.after = all.after.iter().map(|(name, a)| (name.as_str(), 3.0, &a.from[..])).collect();
        let mut order = Vec::new();
        while let Some(job) = rest.next() {
            order.push((job.name, job.is_rows));
            rest.missing.remove(job.name);
        }
        assert_eq!(order, [("kept", true), ("long", true), ("kept", false)]);
    }

    #[test]
    fn rows_that_come_slowly_are_believed_more_the_more_of_them_are_in() {
        let all = jobs(1, &[("a", 100.0)], &[]);
        let left = |seconds, share| {
            let rows = BTreeMap::from([("a".to_owned(), doing(seconds, share))]);
            all.left(&Begun { rows, after: BTreeMap::new() }, 1.0)
        };
        near(left(0.0, 0.0), 100.0);
        // They take twice as long as was expected.
        near(left(20.0, 0.1), 0.905 * (20.0 + 20.0) / 0.295);
        assert!((left(160.0, 0.8) - 40.0).abs() < 6.0);
        near(left(200.0, 1.0), 0.0);
    }

    #[test]
    fn keys_that_take_longer_than_expected_are_nearly_done() {
        let all = jobs(2, &[("a", 1.0)], &[("a", 10.0, &["a"])]);
        let left = |seconds, is_over| Begun {
            rows: BTreeMap::from([("a".to_owned(), doing(1.0, 1.0))]),
            after: BTreeMap::from([("a".to_owned(), Doing { seconds, share: 0.0, is_over })]),
        };
        near(all.left(&left(4.0, false), 1.0), 6.0);
        near(all.left(&left(4.0, false), 2.0), 16.0);
        near(all.left(&left(40.0, false), 1.0), 0.5);
        near(all.left(&left(40.0, true), 1.0), 0.0);
        assert_eq!(all.done(&left(40.0, true)), (11.0, 41.0));
        assert_eq!(all.done(&left(40.0, false)), (1.0, 1.0));
    }
}
