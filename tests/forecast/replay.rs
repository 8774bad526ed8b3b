//! Recorded nights, played again: the ledgers of successive nights of druginfo (`kiln synth --scale
//! 0.01`, debug build) say how long every source, its keys and every stage took. The time left is
//! foretold from one night and the work done so far, at every hundredth of the next, and held
//! against what came. No clock is read. The machine was shared by others (a load of nine on two
//! cores), so that single moments are further off than a night of one's own would be.

use std::collections::BTreeMap;

use kiln::forecast::works::works;
use kiln::forecast::{Kind, Past, Want};
use kiln::ledger::Ledger;
use kiln::progress::night::{INDEX, LOAD, Seen, Work, standing};

const NIGHTS: [&str; 3] =
    [include_str!("nights/1.json"), include_str!("nights/2.json"), include_str!("nights/3.json")];

/// Something that a connection did, from one moment to another.
struct Job {
    source: String,
    from: f64,
    to: f64,
}

impl Job {
    fn share(&self, at: f64) -> f64 {
        ((at - self.from) / (self.to - self.from).max(1e-3)).clamp(0.0, 1.0)
    }
}

/// A night as it was.
struct Night {
    ledger: Ledger,
    /// When each stage began and ended.
    stages: Vec<(String, f64, f64)>,
    loads: Vec<Job>,
    keys: Vec<Job>,
    /// When the first source began.
    load_began: f64,
}

impl Night {
    fn recorded(text: &str) -> Night {
        let ledger: Ledger = serde_json::from_str(text).unwrap();
        let mut at = 0.0;
        let mut stages = Vec::new();
        for entry in &ledger.stages {
            stages.push((entry.stage.clone(), at, at + entry.seconds));
            at += entry.seconds;
        }
        let (mut loads, mut keys) = in_turn(&ledger);
        let ended = loads.iter().chain(&keys).map(|job| job.to).fold(0.0, f64::max);
        let (_, began, over) = stages.iter().find(|(stage, ..)| stage == LOAD).unwrap().clone();
        // The rest of the stage is the search through the archives, before the first source.
        let load_began = began.max(over - ended);
        let stretch = (over - load_began) / ended;
        for job in loads.iter_mut().chain(&mut keys) {
            job.from = load_began + job.from * stretch;
            job.to = load_began + job.to * stretch;
        }
        Night { ledger, stages, loads, keys, load_began }
    }

    fn seconds(&self) -> f64 {
        self.stages.last().unwrap().2
    }

    /// What could be seen at a moment.
    fn seen(&self, works: &[Work], at: f64) -> Seen {
        let mut seen = Seen { elapsed: at, before: self.load_began, ..Seen::default() };
        for (stage, from, to) in &self.stages {
            if at >= *to {
                seen.over.insert(stage.clone());
            } else if at >= *from {
                seen.running.insert(stage.clone(), at - from);
            }
        }
        let shares = self.loads.iter().map(|job| (job.source.clone(), job.share(at)));
        seen.metered.insert(LOAD.to_owned());
        seen.parts.insert(LOAD.to_owned(), shares.collect());
        // Of keys under way nobody tells more than since when.
        let expected = &works.iter().find(|work| work.stage == LOAD).unwrap().after;
        let begun = self.keys.iter().filter(|job| at >= job.from);
        let share = |job: &Job| match at >= job.to {
            true => 1.0,
            false => ((at - job.from) / expected[&job.source].max(1e-3)).min(0.95),
        };
        let shares: BTreeMap<String, f64> =
            begun.map(|job| (job.source.clone(), share(job))).collect();
        seen.parts.insert(INDEX.to_owned(), shares);
        seen
    }

    fn wants(&self) -> Vec<Want> {
        let sources = self.ledger.sources.iter();
        let want = sources.map(|entry| Want {
            source: entry.source.clone(),
            kind: if entry.dictionaries.is_empty() { Kind::Typed } else { Kind::Dictionary },
            objects: Vec::new(),
            zipped: true,
            nested: true,
            text: Some(entry.sum(|file| file.bytes)),
        });
        want.collect()
    }

    /// What a night before foretells of this one.
    fn foretold(&self, before: &Night) -> Vec<Work> {
        let past = Past { ledgers: vec![before.ledger.clone()] };
        let wants = self.wants();
        let texts: Vec<u64> = wants.iter().map(|want| want.text.unwrap()).collect();
        let mut works = works(&wants, &texts, &past, 2);
        let (_, began, _) = self.stages.iter().find(|(stage, ..)| stage == LOAD).unwrap();
        let load = works.iter_mut().find(|work| work.stage == LOAD).unwrap();
        load.seconds -= self.load_began - began;
        works
    }
}

/// Sources and their keys as two connections take them: the longest text first, then keys as their
/// rows are in.
fn in_turn(ledger: &Ledger) -> (Vec<Job>, Vec<Job>) {
    let mut waiting: Vec<_> = ledger.sources.iter().collect();
    waiting.sort_by_key(|entry| entry.sum(|file| file.bytes));
    let keyed = &ledger.used.as_ref().unwrap().keyed;
    let mut free = vec![0.0_f64; 2];
    let (mut loads, mut keys, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(at) = (0..free.len()).min_by(|a, b| free[*a].total_cmp(&free[*b])) {
        let from = free[at];
        if let Some(entry) = waiting.pop() {
            free[at] += entry.seconds;
            ready.push((free[at], entry.source.clone()));
            loads.push(Job { source: entry.source.clone(), from, to: free[at] });
        } else if let Some(next) = ready.iter().position(|(since, _)| *since <= from) {
            let (_, source) = ready.swap_remove(next);
            free[at] += keyed.get(&source).copied().unwrap_or(0.0);
            keys.push(Job { source, from, to: free[at] });
        } else {
            free.swap_remove(at);
        }
    }
    (loads, keys)
}

#[test]
fn recorded_nights_are_foretold_within_a_fifth_at_five_moments_of_six() {
    let nights: Vec<Night> = NIGHTS.iter().map(|text| Night::recorded(text)).collect();
    for (before, night) in nights.iter().zip(&nights[1..]) {
        let works = night.foretold(before);
        let whole = night.seconds();
        let (mut wrong, mut very_wrong) = (Vec::new(), 0);
        for hundredth in 10..100 {
            let at = whole * f64::from(hundredth) / 100.0;
            let left = standing(&works, &night.seen(&works, at)).left;
            let truth = whole - at;
            // Towards the end a fifth of what is left is less than a stage's own chance.
            let off = (left - truth).abs();
            very_wrong += u32::from(off > (truth / 3.0).max(0.05 * whole));
            if off > (0.2 * truth).max(0.05 * whole) {
                wrong.push(format!("at {hundredth} %: {left:.1} s foretold, {truth:.1} s came"));
            }
        }
        let said = format!("of {whole:.1} s:\n{}", wrong.join("\n"));
        assert_eq!(very_wrong, 0, "further off than a third, {said}");
        assert!(
            wrong.len() <= 15,
            "more than a sixth of the moments off by more than a fifth, {said}"
        );
    }
}

#[test]
fn a_night_of_other_size_is_foretold_by_its_text() {
    let nights: Vec<Night> = NIGHTS.iter().map(|text| Night::recorded(text)).collect();
    let mut wants = nights[1].wants();
    let seconds = |wants: &[Want]| {
        let texts: Vec<u64> = wants.iter().map(|want| want.text.unwrap()).collect();
        let past = Past { ledgers: vec![nights[0].ledger.clone()] };
        let all = works(wants, &texts, &past, 2);
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
