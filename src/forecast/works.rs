//! The work of a night in seconds: what every stage took in the last nights that did the same, the
//! middle of them (a machine that others use has slow nights), scaled by what tonight has of it; what it
//! took in the last whole night where none loaded the same; by measured proportions where there was
//! none. `progress` then holds the work that is done against the clock.

use std::collections::BTreeMap;

use super::{Past, Want, Way, Ways, ratio};
use crate::ledger::Ledger;
use crate::progress::course::{Course, middle};
use crate::progress::night::{FIXED, LOAD, Work};

/// What is to be done tonight.
pub struct Tonight<'a> {
    /// The sources.
    pub wants: &'a [Want],
    /// Their bytes of text.
    pub texts: &'a [u64],
    /// How tables get their rows.
    pub ways: &'a Ways,
}

/// The stages of a night with the seconds they are expected to take.
pub fn works(night: &Tonight<'_>, past: &Past, connections: usize) -> Vec<Work> {
    let of = |ledger, text: u64, past: &Past| Then { ledger, text: text.max(1) }.works(night, past);
    let alike = past.whole().filter(|(ledger, _)| did_the_same(ledger, night));
    let alike: Vec<Vec<Work>> = alike
        .map(|(ledger, used)| of(ledger, used.text, &Past { ledgers: vec![ledger.clone()] }))
        .collect();
    match past.newest_whole() {
        _ if !alike.is_empty() => middle_of(&alike),
        Some((ledger, used)) => of(ledger, used.text, past),
        None => unknown(night.wants, night.texts, connections),
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
    let work = |newest: Work| {
        let all: Vec<&Work> =
            nights.iter().flatten().filter(|work| work.stage == newest.stage).collect();
        let courses: Vec<_> = all.iter().map(|work| &work.course).collect();
        Work {
            seconds: middle(all.iter().map(|work| work.seconds).collect()),
            parts: middle_of_jobs(&newest.parts, all.iter().map(|work| &work.parts)),
            after: middle_of_jobs(&newest.after, all.iter().map(|work| &work.after)),
            course: Course::middle(&courses),
            stage: newest.stage,
        }
    };
    stages.into_iter().map(work).collect()
}

/// The middle of what these jobs took.
fn middle_of_jobs<'a>(
    jobs: &BTreeMap<String, f64>,
    all: impl Iterator<Item = &'a BTreeMap<String, f64>> + Clone,
) -> BTreeMap<String, f64> {
    let seconds = |name| middle(all.clone().filter_map(|jobs| jobs.get(name).copied()).collect());
    jobs.keys().map(|name| (name.clone(), seconds(name))).collect()
}

/// A night that was.
struct Then<'a> {
    ledger: &'a Ledger,
    text: u64,
}

impl Then<'_> {
    fn works(&self, night: &Tonight<'_>, past: &Past) -> Vec<Work> {
        let growth = night.texts.iter().sum::<u64>() as f64 / self.text as f64;
        let all: f64 = self.ledger.stages.iter().map(|entry| entry.seconds).sum();
        let took = self.ledger.used.as_ref().map_or(all, |used| used.seconds);
        // Were stages ever to run side by side, they would say more seconds than the night had.
        let share = if all > took && took > 0.0 { took / all } else { 1.0 };
        let work = |stage: &str, seconds: f64| match stage {
            LOAD => self.load(seconds, night, past),
            _ => {
                let growth = if FIXED.contains(&stage) { 1.0 } else { growth };
                Work { stage: stage.to_owned(), seconds: seconds * growth, ..Work::default() }
            }
        };
        let stages = self.ledger.stages.iter();
        stages.map(|entry| work(&entry.stage, entry.seconds * share)).collect()
    }

    /// The load: every source's seconds on a connection, its keys' behind it, and how much longer
    /// they are in all than then.
    fn load(&self, seconds: f64, night: &Tonight<'_>, past: &Past) -> Work {
        let Tonight { wants, texts, ways } = night;
        let then: f64 = self.ledger.sources.iter().map(|entry| entry.seconds).sum();
        // What a byte of text took on average, for a source that was not there.
        let mean = then / self.text as f64;
        let keyed_then = self.ledger.used.iter().flat_map(|used| used.keyed.values()).sum::<f64>();
        let is_same = did_the_same(self.ledger, night);
        let mut parts = BTreeMap::new();
        let mut after = BTreeMap::new();
        for (want, text) in wants.iter().zip(*texts) {
            let way = ways.of(&want.source);
            let (rows, keys) = match past.source_by(&want.source, way) {
                Some(past) if past.text() > 0 => {
                    let growth = *text as f64 / past.text() as f64;
                    let keys = past.used.keyed.get(&want.source).copied().unwrap_or(0.0);
                    let keys = if way == Way::InPlace { 0.0 } else { keys };
                    let dearer = ratio::rows(way) / ratio::rows(past.entry.way());
                    (past.entry.seconds * growth * dearer, keys * growth)
                }
                _ => (mean * *text as f64, 0.0),
            };
            parts.insert(want.source.clone(), rows);
            after.insert(want.source.clone(), keys);
        }
        // Tables that were made from others behind their rows.
        let growth = texts.iter().sum::<u64>() as f64 / self.text as f64;
        let sources: Vec<&String> = self.ledger.sources.iter().map(|entry| &entry.source).collect();
        let keyed = self.ledger.used.iter().flat_map(|used| &used.keyed);
        for (table, seconds) in keyed.filter(|(table, _)| !sources.contains(table)) {
            let (least, most) = past.keyed(table).unwrap_or((*seconds, *seconds));
            let seconds = match ways.made.contains(table) {
                _ if is_same => *seconds,
                true => least.min(most * ratio::MADE_BROUGHT),
                false => most,
            };
            after.insert(table.clone(), seconds * growth);
        }
        let now: f64 = parts.values().chain(after.values()).sum();
        let growth = if then > 0.0 { now / (then + keyed_then) } else { 1.0 };
        let used = self.ledger.used.as_ref().filter(|_| is_same);
        let course = used.map(|used| used.course.clone()).unwrap_or_default();
        Work { stage: LOAD.to_owned(), seconds: seconds * growth, parts, after, course }
    }
}

fn unknown(wants: &[Want], texts: &[u64], connections: usize) -> Vec<Work> {
    let rows = wants.iter().zip(texts).map(|(want, text)| {
        let seconds = want.kind.load_seconds() * *text as f64;
        (want.source.clone(), seconds)
    });
    let parts: BTreeMap<String, f64> = rows.collect();
    let keys = parts.iter().map(|(name, seconds)| (name.clone(), seconds * ratio::KEYS));
    let after: BTreeMap<String, f64> = keys.collect();
    let jobs: f64 = parts.values().chain(after.values()).sum();
    let seconds = if connections > 1 { jobs * ratio::SIDE_BY_SIDE } else { jobs };
    let plain = |(stage, seconds): (&str, f64)| Work {
        stage: stage.to_owned(),
        seconds,
        ..Work::default()
    };
    let after_load = ratio::STAGES.map(|(stage, share)| plain((stage, share * seconds)));
    let mut works: Vec<Work> = ratio::FIXED.map(plain).into();
    works.push(Work { stage: LOAD.to_owned(), seconds, parts, after, ..Work::default() });
    works.extend(after_load);
    works
}

/// What is left of the stages of a build that has some of its sources already: those need no load, and
/// the steps before the load are behind it.
pub(super) fn without(mut works: Vec<Work>, done: &[String]) -> Vec<Work> {
    if done.is_empty() {
        return works;
    }
    works.retain(|work| !["pre-data", "manifest"].contains(&work.stage.as_str()));
    if let Some(load) = works.iter_mut().find(|work| work.stage == LOAD) {
        let all: f64 = load.parts.values().sum();
        load.parts.retain(|name, _| !done.contains(name));
        let rest: f64 = load.parts.values().sum();
        load.seconds *= if all > 0.0 { rest / all } else { 0.0 };
        load.course = Course::default();
    }
    works
}
