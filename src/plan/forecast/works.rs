//! The work of a night in seconds: what every stage took in the last nights that did the same, the
//! middle of them (a machine that others use has slow nights), scaled by what tonight has of it; what it
//! took in the last whole night where none loaded the same; by measured proportions where there was
//! none. `progress` then holds the work that is done against the clock.

use std::collections::{BTreeMap, BTreeSet};

use super::night::{FIXED, INDEX, LOAD, Work};
use super::past::PastSource;
use super::schedule::{After, Jobs, Rows};
use super::{Past, Want, Way, Ways, ratio};
use crate::catalog::ledger::{Ledger, SourceEntry};

/// The stage in which a build begins, perhaps as a copy of another.
const PRE_DATA: &str = "pre-data";
/// The stage that makes tables from tables, as far as the load did not.
const DERIVE: &str = "derive";

/// What is to be done tonight.
pub struct Tonight<'a> {
    /// The sources.
    pub wants: &'a [Want],
    /// Their bytes of text.
    pub texts: &'a [u64],
    /// How tables get their rows.
    pub ways: &'a Ways,
}

/// What a build that goes on has already.
#[derive(Debug, Clone, Default)]
pub struct Had {
    /// Sources whose rows it has.
    pub sources: Vec<String>,
    /// Tables that have their keys, and tables that are made.
    pub finished: BTreeSet<String>,
}

/// The stages of a night with the seconds they are expected to take.
pub fn works(night: &Tonight<'_>, past: &Past, connections: usize) -> Vec<Work> {
    let of = |ledger, text: u64, past: &Past| {
        Then { ledger, text: text.max(1), connections }.works(night, past)
    };
    let alike = past.whole().filter(|(ledger, _)| did_the_same(ledger, night));
    let alike: Vec<Vec<Work>> = alike
        .map(|(ledger, used)| of(ledger, used.text, &Past { ledgers: vec![ledger.clone()] }))
        .collect();
    match past.newest_whole() {
        _ if !alike.is_empty() => middle_of(&alike),
        Some((ledger, used)) => of(ledger, used.text, past),
        None => unknown(night, connections),
    }
}

/// Whether a night got the rows of these sources and of no others, each in the same way.
fn did_the_same(ledger: &Ledger, Tonight { wants, ways, .. }: &Tonight<'_>) -> bool {
    let had = ledger.sources.iter().filter(|entry| entry.seconds > 0.0);
    let then: BTreeMap<&str, Way> = had.map(|entry| (entry.source.as_str(), entry.way())).collect();
    let is_same = |want: &Want| then.get(want.source.as_str()) == Some(&ways.of(&want.source));
    then.len() == wants.len() && wants.iter().all(is_same)
}

/// The middle of what nights say, stage by stage and job by job; the newest night is the first.
fn middle_of(nights: &[Vec<Work>]) -> Vec<Work> {
    let stages = nights.first().cloned().unwrap_or_default();
    let work = |mut newest: Work| {
        let all = || nights.iter().flatten().filter(|work| work.stage == newest.stage);
        let seconds = middle(all().map(|work| work.seconds));
        let jobs = &mut newest.jobs;
        for (name, rows) in &mut jobs.rows {
            let of_all = all().filter_map(|work| work.jobs.rows.get(name));
            rows.seconds = middle(of_all.map(|rows| rows.seconds));
        }
        for (name, after) in &mut jobs.after {
            let of_all = all().filter_map(|work| work.jobs.after.get(name));
            after.seconds = middle(of_all.map(|after| after.seconds));
        }
        Work { seconds, ..newest }
    };
    stages.into_iter().map(work).collect()
}

/// The middle of some numbers, the mean of the two that are nearest to it where they are even in number;
/// 0 of none.
fn middle(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    let (left, right) = (all.get((all.len().max(1) - 1) / 2), all.get(all.len() / 2));
    left.zip(right).map_or(0.0, |(left, right)| (left + right) / 2.0)
}

impl Tonight<'_> {
    /// The sources whose rows something waits for that follows rows; all of them where nothing is known.
    fn from(&self, table: &str) -> Vec<String> {
        let wants = || self.wants.iter().map(|want| want.source.clone());
        match self.ways.made.get(table) {
            Some(made) => made.sources.clone(),
            None if wants().any(|source| source == table) => vec![table.to_owned()],
            None => wants().collect(),
        }
    }

    fn jobs(&self, connections: usize, rows: Vec<(&str, Rows)>, after: Vec<(&str, f64)>) -> Jobs {
        let after = after.into_iter().map(|(table, seconds)| {
            let from = self.from(table);
            (table.to_owned(), After { seconds, from })
        });
        let rows = rows.into_iter().map(|(source, rows)| (source.to_owned(), rows));
        Jobs { connections, rows: rows.collect(), after: after.collect() }
    }
}

/// A night that was.
struct Then<'a> {
    ledger: &'a Ledger,
    text: u64,
    connections: usize,
}

impl Then<'_> {
    fn works(&self, night: &Tonight<'_>, past: &Past) -> Vec<Work> {
        let growth = self.growth(night);
        let all: f64 = self.ledger.stages.iter().map(|entry| entry.seconds).sum();
        let took = self.ledger.used.as_ref().map_or(all, |used| used.seconds);
        // Were stages ever to run side by side, they would say more seconds than the night had.
        let share = if all > took && took > 0.0 { took / all } else { 1.0 };
        let work = |stage: &str, seconds: f64| match stage {
            LOAD => self.load(seconds, night, past),
            _ => {
                let growth = if FIXED.contains(&stage) { 1.0 } else { growth };
                plain(stage, seconds * growth)
            }
        };
        let stages = self.ledger.stages.iter();
        stages.map(|entry| work(&entry.stage, entry.seconds * share)).collect()
    }

    fn rows_of(&self, entry: &SourceEntry) -> f64 {
        self.ledger.used.as_ref().map_or(entry.seconds, |used| used.rows_of(entry))
    }

    /// Text of tonight for a byte of then.
    fn growth(&self, night: &Tonight<'_>) -> f64 {
        night.texts.iter().sum::<u64>() as f64 / self.text as f64
    }

    /// The load: tonight's jobs, and how much longer then's took than jobs like them take side by side.
    fn load(&self, seconds: f64, night: &Tonight<'_>, past: &Past) -> Work {
        let jobs = self.tonight(night, past);
        let then = self.jobs(night).seconds();
        let jobs = jobs.scaled(if then > 0.0 { seconds / then } else { 1.0 });
        Work { stage: LOAD.to_owned(), seconds: jobs.seconds(), jobs }
    }

    /// The jobs of then, with the seconds that they took.
    fn jobs(&self, night: &Tonight<'_>) -> Jobs {
        let entries = self.ledger.sources.iter().filter(|entry| entry.seconds > 0.0);
        let rows = entries.map(|entry| {
            let is_brought = entry.way() != Way::Load;
            (entry.source.as_str(), Rows { seconds: self.rows_of(entry), is_brought })
        });
        let keyed = self.keyed().map(|(table, seconds)| (table.as_str(), *seconds));
        night.jobs(self.connections, rows.collect(), keyed.collect())
    }

    fn keyed(&self) -> impl Iterator<Item = (&String, &f64)> {
        self.ledger.used.iter().flat_map(|used| &used.keyed)
    }

    /// The jobs of tonight: every source's seconds on a connection, its keys' behind it, and tables that are
    /// made from others.
    fn tonight(&self, night: &Tonight<'_>, past: &Past) -> Jobs {
        let Tonight { wants, texts, ways } = night;
        let entries = self.ledger.sources.iter();
        let then: f64 = entries.map(|entry| self.rows_of(entry) / ratio::rows(entry.way())).sum();
        // What loading a byte of text takes on average, for a source that was not there.
        let mean = then / self.text as f64;
        let mut rows = Vec::new();
        let mut after = Vec::new();
        for (want, text) in wants.iter().zip(*texts) {
            let way = ways.of(&want.source);
            let past = past.source_by(&want.source, way).filter(|past| past.text() > 0);
            let (seconds, keys) = match past {
                Some(past) => of_past(want, *text, ways, &past),
                None => (mean * *text as f64, mean * *text as f64 * want.kind.keys(way)),
            };
            rows.push((want.source.as_str(), Rows { seconds, is_brought: way != Way::Load }));
            after.push((want.source.as_str(), keys));
        }
        let is_same = did_the_same(self.ledger, night);
        let growth = self.growth(night);
        for (table, seconds) in self.keyed() {
            if self.ledger.sources.iter().any(|entry| entry.source == *table) {
                continue;
            }
            let (least, most) = past.keyed(table).unwrap_or((*seconds, *seconds));
            let seconds = match ways.made.get(table) {
                _ if is_same => *seconds,
                Some(made) if made.is_kept => least.min(most * ratio::MADE_BROUGHT),
                _ => most,
            };
            after.push((table, seconds * growth));
        }
        night.jobs(self.connections, rows, after)
    }
}

/// Seconds of a source's rows and of its keys, by the last time that it got rows in this way, or at all.
fn of_past(want: &Want, text: u64, ways: &Ways, past: &PastSource<'_>) -> (f64, f64) {
    let (way, then) = (ways.of(&want.source), past.entry.way());
    let beside = |is_brought| if is_brought { ratio::BESIDE_BROUGHT } else { 1.0 };
    let dearer = beside(!ways.sources.is_empty()) / beside(past.is_beside_brought);
    let growth = text as f64 / past.text() as f64 * dearer;
    let loaded = past.used.rows_of(past.entry) / ratio::rows(then) * growth;
    let keyed = past.used.keyed.get(&want.source);
    let keys = match keyed {
        Some(keys) => keys * growth * want.kind.keys(way) / want.kind.keys(then),
        None => loaded * want.kind.keys(way),
    };
    let rows = loaded * ratio::rows(way);
    (if way == then { rows } else { rows.max(ratio::LEAST) }, keys)
}

fn plain(stage: &str, seconds: f64) -> Work {
    Work { stage: stage.to_owned(), seconds, ..Work::default() }
}

/// A night before which there was none.
fn unknown(night: &Tonight<'_>, connections: usize) -> Vec<Work> {
    let wants = night.wants.iter().zip(night.texts);
    let loaded: BTreeMap<&str, f64> = wants
        .map(|(want, text)| (want.source.as_str(), want.kind.load_seconds() * *text as f64))
        .collect();
    let of = |source: &str| loaded.get(source).copied().unwrap_or(0.0);
    let rows = night.wants.iter().map(|want| {
        let way = night.ways.of(&want.source);
        let seconds = of(&want.source) * ratio::rows(way);
        (want.source.as_str(), Rows { seconds, is_brought: way != Way::Load })
    });
    let keys = night.wants.iter().map(|want| {
        let keys = want.kind.keys(night.ways.of(&want.source));
        (want.source.as_str(), of(&want.source) * keys)
    });
    let made = night.ways.made.iter().map(|(table, made)| {
        let from: f64 = made.sources.iter().map(|source| of(source)).sum();
        let brought = if made.is_kept { ratio::MADE_BROUGHT } else { 1.0 };
        (table.as_str(), from * ratio::MADE * brought)
    });
    let jobs = night.jobs(connections, rows.collect(), keys.chain(made).collect());
    let seconds = jobs.seconds();
    let mut works: Vec<Work> = ratio::FIXED.map(|(stage, seconds)| plain(stage, seconds)).into();
    works.push(Work { stage: LOAD.to_owned(), seconds, jobs });
    works.extend(ratio::STAGES.map(|(stage, share)| plain(stage, share * seconds)));
    works
}

/// What is left of the stages for a build that goes on: what it has needs no load, keys that its rows lack and
/// tables that nothing is loaded for come behind the load, and the steps before it are over.
pub(super) fn going_on(mut works: Vec<Work>, had: &Had) -> Vec<Work> {
    works.retain(|work| ![PRE_DATA, "manifest"].contains(&work.stage.as_str()));
    let Some(load) = works.iter_mut().find(|work| work.stage == LOAD) else { return works };
    let jobs = &mut load.jobs;
    jobs.rows.retain(|name, _| !had.sources.contains(name));
    jobs.after.retain(|name, _| !had.finished.contains(name));
    let is_idle = jobs.rows.is_empty();
    let later = jobs.after.extract_if(.., |name, _| is_idle || had.sources.contains(name));
    let later: Vec<(String, After)> = later.collect();
    load.seconds = jobs.seconds();
    for (name, after) in later {
        let stage = if had.sources.contains(&name) { INDEX } else { DERIVE };
        match works.iter_mut().find(|work| work.stage == stage) {
            Some(work) => work.seconds += after.seconds,
            // Of a first night nothing says that any would be left for it.
            None => works.push(plain(stage, after.seconds)),
        }
    }
    works
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<T>(jobs: &BTreeMap<String, T>) -> Vec<&str> {
        jobs.keys().map(String::as_str).collect()
    }

    fn expected() -> Vec<Work> {
        let rows = |seconds| Rows { seconds, is_brought: false };
        let after = |seconds, from: &[&str]| After {
            seconds,
            from: from.iter().map(|&name| name.to_owned()).collect(),
        };
        let rows = [("a", rows(8.0)), ("b", rows(4.0))];
        let after =
            [("a", after(3.0, &["a"])), ("b", after(2.0, &["b"])), ("m", after(5.0, &["a", "b"]))];
        let own = |name: &str| name.to_owned();
        let jobs = Jobs {
            connections: 1,
            rows: rows.map(|(name, rows)| (own(name), rows)).into(),
            after: after.map(|(name, after)| (own(name), after)).into(),
        };
        let load = Work { stage: LOAD.to_owned(), seconds: jobs.seconds(), jobs };
        vec![plain(PRE_DATA, 20.0), load, plain(INDEX, 0.5), plain(DERIVE, 0.0)]
    }

    fn left(had: &Had) -> Vec<(String, f64)> {
        going_on(expected(), had).into_iter().map(|work| (work.stage, work.seconds)).collect()
    }

    fn had(sources: &[&str], finished: &[&str]) -> Had {
        let all =
            |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
        Had { sources: all(sources), finished: all(finished).into_iter().collect() }
    }

    fn stages(load: f64, index: f64, derive: f64) -> Vec<(String, f64)> {
        let all = [(LOAD, load), (INDEX, index), (DERIVE, derive)];
        all.map(|(stage, seconds)| (stage.to_owned(), seconds)).into()
    }

    #[test]
    fn a_build_that_goes_on_needs_what_it_lacks() {
        assert_eq!(left(&had(&[], &[])), stages(22.0, 0.5, 0.0));
        // One source was refused: its rows, its keys, and what is made from it.
        let failed = had(&["a"], &["a"]);
        assert_eq!(left(&failed), stages(11.0, 0.5, 0.0));
        let works = going_on(expected(), &failed);
        assert_eq!(names(&works[0].jobs.rows), ["b"]);
        assert_eq!(names(&works[0].jobs.after), ["b", "m"]);
        // It was killed behind the rows, before their keys.
        assert_eq!(left(&had(&["a"], &[])), stages(11.0, 3.5, 0.0));
        assert_eq!(left(&had(&["a", "b"], &["b"])), stages(0.0, 3.5, 5.0));
        assert_eq!(left(&had(&["a", "b"], &["a", "b", "m"])), stages(0.0, 0.5, 0.0));
    }
}
