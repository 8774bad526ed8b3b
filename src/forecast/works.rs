//! The work of a night in seconds: what every stage took in the last whole night, scaled by what
//! tonight has of it; by measured proportions where there was none. `progress` then holds the
//! work that is done against the clock.

use std::collections::BTreeMap;

use super::{Past, Want, ratio};
use crate::ledger::{FileEntry, Ledger, SourceEntry};
use crate::progress::night::{FIXED, INDEX, LOAD, Work};

/// The stages of a night with the seconds they are expected to take. `texts` are the bytes of text of
/// the wants.
pub fn works(wants: &[Want], texts: &[u64], past: &Past, connections: usize) -> Vec<Work> {
    match past.newest_whole() {
        Some((ledger, used)) if !ledger.stages.is_empty() => {
            let then = Then { ledger, text: used.text.max(1), index: index_bytes(ledger) };
            then.works(wants, texts, past)
        }
        _ => unknown(wants, texts, connections),
    }
}

/// The last whole night.
struct Then<'a> {
    ledger: &'a Ledger,
    text: u64,
    /// Bytes of indexes by the schema file that makes them.
    index: BTreeMap<String, f64>,
}

impl Then<'_> {
    fn works(&self, wants: &[Want], texts: &[u64], past: &Past) -> Vec<Work> {
        let now: u64 = texts.iter().sum();
        let growth = now as f64 / self.text as f64;
        let (load, load_growth) = self.load(wants, texts, past);
        // Stages that ran side by side say more seconds than the night had.
        let all: f64 = self.ledger.stages.iter().map(|entry| entry.seconds).sum();
        let night = self.ledger.used.as_ref().map_or(all, |used| used.seconds);
        let share = if all > night && night > 0.0 { night / all } else { 1.0 };
        let mut works: Vec<Work> = Vec::new();
        for entry in &self.ledger.stages {
            let is_fixed = FIXED.contains(&entry.stage.as_str());
            let (grown, parts) = match entry.stage.as_str() {
                LOAD => (load_growth, load.clone()),
                INDEX => (growth, self.index.clone()),
                _ if is_fixed => (1.0, BTreeMap::new()),
                _ => (growth, BTreeMap::new()),
            };
            let seconds = entry.seconds * share * grown;
            works.push(Work { stage: entry.stage.clone(), seconds, parts });
        }
        works
    }

    /// Seconds of every source's load tonight, and how much longer the whole load is than then.
    fn load(&self, wants: &[Want], texts: &[u64], past: &Past) -> (BTreeMap<String, f64>, f64) {
        // What a byte of text took on average, for a source that was not there.
        let then: f64 = self.ledger.sources.iter().map(connection_seconds).sum();
        let mean = then / self.text as f64;
        let seconds = |(want, text): (&Want, &u64)| match past.source(&want.source) {
            Some(past) if past.text() > 0 => {
                connection_seconds(past.entry) * *text as f64 / past.text() as f64
            }
            _ => mean * *text as f64,
        };
        let tonight: Vec<f64> = wants.iter().zip(texts).map(seconds).collect();
        let now: f64 = tonight.iter().sum();
        let names = wants.iter().map(|want| want.source.clone());
        let growth = if then > 0.0 { now / then } else { 1.0 };
        (names.zip(tonight).collect(), growth)
    }
}

/// Seconds that a source's files kept connections, one after another or side by side: its share of
/// the load's work, which its own time from the first file to the last is not.
fn connection_seconds(entry: &SourceEntry) -> f64 {
    match entry.sum(|file: &FileEntry| file.milliseconds) {
        // Ledgers of older nights do not say it.
        0 => entry.seconds,
        milliseconds => milliseconds as f64 / 1e3,
    }
}

/// Bytes of indexes by source, dictionaries with it: a source's schema file makes them all.
fn index_bytes(ledger: &Ledger) -> BTreeMap<String, f64> {
    let Some(used) = &ledger.used else { return BTreeMap::new() };
    let of = |entry: &SourceEntry| (entry.source.clone(), used.of_source(entry).index as f64);
    let mut bytes: BTreeMap<String, f64> = ledger.sources.iter().map(of).collect();
    let derived = used.derived(&ledger.sources).into_iter();
    bytes.extend(derived.map(|(name, bytes)| (name.to_owned(), bytes.index as f64)));
    bytes
}

fn unknown(wants: &[Want], texts: &[u64], connections: usize) -> Vec<Work> {
    let parts: BTreeMap<String, f64> = wants
        .iter()
        .zip(texts)
        .map(|(want, text)| (want.source.clone(), want.kind.load_seconds() * *text as f64))
        .collect();
    let load = parts.values().sum::<f64>() / connections.clamp(1, 2) as f64;
    let index = wants.iter().zip(texts).map(|(want, text)| {
        let (_, index) = want.kind.ratios();
        (want.source.clone(), *text as f64 * index)
    });
    let index: BTreeMap<String, f64> = index.collect();
    let fixed = ratio::FIXED.iter().map(|(stage, seconds)| (*stage, *seconds));
    let after = ratio::STAGES.iter().map(|(stage, share)| (*stage, share * load));
    let mut works: Vec<Work> = fixed
        .chain(std::iter::once((LOAD, load)))
        .chain(after)
        .map(|(stage, seconds)| {
            let parts = match stage {
                LOAD => parts.clone(),
                INDEX => index.clone(),
                _ => BTreeMap::new(),
            };
            Work { stage: stage.to_owned(), seconds, parts }
        })
        .collect();
    // A night of no text at all still has its steps.
    works.retain(|work| work.seconds > 0.0);
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
    }
    works
}
