//! Recorded nights, played again: successive nights of druginfo as `benches/nights/run.sh --scale 1
//! --record DIR` wrote them down (release build, two cores, another machine each time): the ledger of each, when
//! how much of every source's rows was in, and when what followed them began and ended. The time left is
//! foretold from the nights before and from what was seen so far, at every hundredth of a night behind its
//! first tenth, and held against what came. No clock is read.

use std::collections::BTreeMap;

use kiln::catalog::ledger::{Ledger, Reuse};
use kiln::plan::forecast::night::{Foretold, LOAD, Seen, Work, standing};
use kiln::plan::forecast::schedule::{Begun, Doing};
use kiln::plan::forecast::works::{Tonight, works};
use kiln::plan::forecast::{Kind, MadeFrom, Past, Want, Way, Ways};
use serde::Deserialize;

/// The first; prices changed, brought over three times; everything anew, twice.
const BROUGHT: [&str; 6] = [
    include_str!("nights/brought/1.json"),
    include_str!("nights/brought/2.json"),
    include_str!("nights/brought/3.json"),
    include_str!("nights/brought/4.json"),
    include_str!("nights/brought/5.json"),
    include_str!("nights/brought/6.json"),
];

/// Of another machine: the first; prices changed; everything anew, twice.
const OTHER: [&str; 4] = [
    include_str!("nights/other/1.json"),
    include_str!("nights/other/2.json"),
    include_str!("nights/other/3.json"),
    include_str!("nights/other/4.json"),
];

/// How many of each night's ninety moments are off by more than a fifth, and by more than half. Before the first
/// none was.
const BROUGHT_WRONG: [(u32, u32); 6] = [(24, 4), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)];
const OTHER_WRONG: [(u32, u32); 4] = [(11, 0), (26, 0), (19, 6), (10, 0)];

/// A night as it was; times in seconds since it began.
#[derive(Clone, Deserialize)]
struct Night {
    name: String,
    ledger: Ledger,
    /// Of each source, at some moments the share of its rows that was in, and the seconds that they had taken.
    rows: BTreeMap<String, Vec<(f64, f64, f64)>>,
    /// When what follows rows began and ended.
    after: BTreeMap<String, (f64, f64)>,
}

impl Night {
    fn all(texts: &[&str]) -> Vec<Night> {
        texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// When each stage began and ended: one after another, the end of the last is the night's.
    fn stages(&self) -> Vec<(&str, f64, f64)> {
        let stages = &self.ledger.stages;
        let whole: f64 = stages.iter().map(|entry| entry.seconds).sum();
        let mut at = self.ledger.used.as_ref().unwrap().seconds.max(whole) - whole;
        let stage = |entry: &'_ kiln::catalog::ledger::StageEntry| {
            let began = at;
            at += entry.seconds;
            (began, at)
        };
        let spans: Vec<(f64, f64)> = stages.iter().map(stage).collect();
        let names = stages.iter().map(|entry| entry.stage.as_str());
        names.zip(spans).map(|(name, (from, to))| (name, from, to)).collect()
    }

    fn seconds(&self) -> f64 {
        self.stages().last().unwrap().2
    }

    /// What could be seen at a moment.
    fn seen(&self, at: f64) -> Seen {
        let mut seen = Seen { elapsed: at, ..Seen::default() };
        for (stage, from, to) in self.stages() {
            if at >= to {
                seen.over.insert(stage.to_owned(), to - from);
            } else if at >= from {
                seen.running.insert(stage.to_owned(), at - from);
            }
        }
        let rows = self.rows.iter().filter_map(|(name, points)| {
            let (_, share, seconds) = *points.iter().rfind(|(then, ..)| *then <= at)?;
            Some((name.clone(), Doing { seconds, share, is_over: share >= 1.0 }))
        });
        let after = self.after.iter().filter(|(_, (began, _))| *began <= at);
        let after = after.map(|(name, (began, ended))| {
            let seconds = at.min(*ended) - began;
            (name.clone(), Doing { seconds, share: 0.0, is_over: at >= *ended })
        });
        seen.jobs = Begun { rows: rows.collect(), after: after.collect() };
        seen
    }

    fn wants(&self) -> Vec<Want> {
        let sources = self.ledger.sources.iter();
        let kind = |source: &str| match source {
            "pharmacy_networks" => Kind::Packed,
            "pricing" => Kind::Dictionary,
            "nppes_pharmacy" => Kind::Part,
            _ => Kind::Typed,
        };
        let want = sources.map(|entry| Want {
            source: entry.source.clone(),
            kind: kind(&entry.source),
            objects: Vec::new(),
            zipped: true,
            nested: true,
            text: Some(entry.sum(|file| file.bytes)),
        });
        want.collect()
    }

    fn ways(&self) -> Ways {
        let sources: BTreeMap<String, Way> = self
            .ledger
            .sources
            .iter()
            .map(|entry| (entry.source.clone(), entry.way()))
            .filter(|(_, way)| *way != Way::Load)
            .collect();
        let from = ["pharmacy_networks", "nppes_pharmacy"].map(str::to_owned);
        let is_kept = from.iter().all(|source| sources.contains_key(source));
        let made = MadeFrom { sources: from.into(), is_kept };
        Ways { sources, made: BTreeMap::from([("pharmacy".to_owned(), made)]) }
    }

    /// What the nights before foretell of this one; the newest is the last.
    fn foretold(&self, before: &[Night]) -> Foretold {
        let past =
            Past { ledgers: before.iter().rev().map(|night| night.ledger.clone()).collect() };
        let wants = self.wants();
        let texts: Vec<u64> = wants.iter().map(|want| want.text.unwrap()).collect();
        let works = works(&Tonight { wants: &wants, texts: &texts, ways: &self.ways() }, &past, 2);
        Foretold { works, is_known: !before.is_empty() }
    }
}

/// The load of a night whose sources have these bytes of text, by what former ledgers say.
fn load(wants: &[Want], texts: &[u64], ways: &Ways, ledgers: Vec<Ledger>) -> Work {
    let all = works(&Tonight { wants, texts, ways }, &Past { ledgers }, 2);
    all.into_iter().find(|work| work.stage == LOAD).unwrap()
}

#[test]
fn what_is_foretold_of_recorded_nights_gets_no_worse() {
    gets_no_worse(&BROUGHT, &BROUGHT_WRONG);
    gets_no_worse(&OTHER, &OTHER_WRONG);
}

fn gets_no_worse(texts: &[&str], bounds: &[(u32, u32)]) {
    let nights = Night::all(texts);
    let (mut said, mut is_good) = (String::new(), true);
    for (index, night) in nights.iter().enumerate() {
        let foretold = night.foretold(&nights[..index]);
        let whole = night.seconds();
        let (mut wrong, mut very_wrong) = (0, 0);
        for hundredth in 10..100 {
            let at = whole * f64::from(hundredth) / 100.0;
            let left = standing(&foretold, &night.seen(at)).left;
            let truth = whole - at;
            if hundredth % 10 == 0 {
                said.push_str(&format!(" {left:.1} ({truth:.1})"));
            }
            // Of the last moments a fifth is less than a stage's own chance.
            let (off, chance) = ((left - truth).abs(), 0.02 * whole);
            wrong += u32::from(off > (truth / 5.0).max(chance));
            very_wrong += u32::from(off > (truth / 2.0).max(chance));
        }
        said.push_str(&format!(": {}, {whole:.1} s, {wrong} and {very_wrong} off\n", night.name));
        is_good &= wrong <= bounds[index].0 && very_wrong <= bounds[index].1;
    }
    assert!(is_good, "more are off than should be:\n{said}");
}

#[test]
fn a_night_that_brings_most_over_is_foretold_to_be_shorter() {
    let nights = Night::all(&OTHER);
    let seconds = |night: &Night| {
        let foretold = night.foretold(&nights[..1]);
        foretold.works.iter().map(|work| work.seconds).sum::<f64>()
    };
    // As long as it was, or up to a third off.
    let (anew, brought) = (seconds(&nights[2]), seconds(&nights[1]));
    assert!(brought < 0.7 * anew, "{brought} and {anew}");
    let truth = nights[1].seconds();
    assert!((0.67..1.33).contains(&(brought / truth)), "{brought} for {truth}");
}

#[test]
fn a_night_of_other_size_is_foretold_by_its_text() {
    let nights = Night::all(&OTHER);
    let mut wants = nights[0].wants();
    let seconds = |wants: &[Want]| {
        let texts: Vec<u64> = wants.iter().map(|want| want.text.unwrap()).collect();
        let past = Past { ledgers: vec![nights[0].ledger.clone()] };
        let all = works(&Tonight { wants, texts: &texts, ways: &nights[0].ways() }, &past, 2);
        all.iter().map(|work| work.seconds).sum::<f64>()
    };
    let once = seconds(&wants);
    for want in &mut wants {
        want.text = want.text.map(|text| 3 * text);
    }
    let thrice = seconds(&wants);
    // The first steps, the seal and the swap do not grow.
    assert!((2.0..3.0).contains(&(thrice / once)), "{once} and {thrice}");
}

#[test]
fn a_table_that_is_brought_over_goes_by_the_last_night_that_brought_it() {
    const NETWORK: &str = "pharmacy_networks";
    let night = Night::all(&OTHER).remove(0);
    let wants = night.wants();
    let brought = wants.iter().map(|want| (want.source.clone(), Way::Bring));
    let ways = Ways { sources: brought.collect(), ..Ways::default() };
    let texts: Vec<u64> = wants.iter().map(|want| want.text.unwrap()).collect();
    let foretold = |ledgers| load(&wants, &texts, &ways, ledgers).jobs.rows[NETWORK].seconds;
    let loaded = night.ledger.used.as_ref().unwrap().rows[NETWORK];
    let never = foretold(vec![night.ledger.clone()]);
    assert!((0.2..0.6).contains(&(never / loaded)), "{never} of {loaded}");
    let mut brought = night.ledger.clone();
    for entry in &mut brought.sources {
        let (build, evidence) = ("druginfo_00001".to_owned(), "same".to_owned());
        entry.reused = Some(Reuse { build, evidence });
    }
    let used = brought.used.as_mut().unwrap();
    let jobs = used.rows.values_mut().chain(used.keyed.values_mut());
    let stages = brought.stages.iter_mut().map(|entry| &mut entry.seconds);
    jobs.chain(stages).for_each(|seconds| *seconds /= 10.0);
    // The newest night loaded everything; the one before it says what bringing over takes.
    let after = foretold(vec![night.ledger.clone(), brought.clone()]);
    assert!((0.08..0.12).contains(&(after / loaded)), "{after} of {loaded}");
    let after = foretold(vec![brought, night.ledger]);
    assert!((0.08..0.12).contains(&(after / loaded)), "{after} of {loaded}");
}
