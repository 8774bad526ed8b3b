//! Recorded nights, played again: the ledgers of successive nights of druginfo (`kiln synth --scale
//! 0.01`, three nights, debug build) say how long every file and stage took. The time left is
//! foretold from one night and the work done so far, at every hundredth of the next, and held
//! against what came. No clock is read.

use std::collections::BTreeMap;

use kiln::forecast::works::works;
use kiln::forecast::{Kind, Past, Want};
use kiln::ledger::{FileEntry, Ledger};
use kiln::progress::night::{LOAD, Seen, Work, standing};

const NIGHTS: [&str; 3] = [
    include_str!("nights/1.json"),
    include_str!("nights/2.json"),
    include_str!("nights/3.json"),
];

/// A file's load on a connection.
struct Loaded {
    source: String,
    bytes: f64,
    from: f64,
    to: f64,
}

/// A night as it was.
struct Night {
    ledger: Ledger,
    /// When each stage began and ended.
    stages: Vec<(String, f64, f64)>,
    files: Vec<Loaded>,
    /// When the first file began.
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
        let mut files = in_turn(&ledger);
        let ended = files.iter().map(|file| file.to).fold(0.0, f64::max);
        let (_, began, over) = stages.iter().find(|(stage, ..)| stage == LOAD).unwrap().clone();
        // The rest of the stage is the search through the archives, before the first file.
        let load_began = began.max(over - ended);
        let stretch = (over - load_began) / ended;
        for file in &mut files {
            file.from = load_began + file.from * stretch;
            file.to = load_began + file.to * stretch;
        }
        Night { ledger, stages, files, load_began }
    }

    fn seconds(&self) -> f64 {
        self.stages.last().unwrap().2
    }

    /// What could be seen at a moment.
    fn seen(&self, at: f64) -> Seen {
        let mut seen = Seen { elapsed: at, ..Seen::default() };
        for (stage, from, to) in &self.stages {
            if at >= *to {
                seen.over.insert(stage.clone());
            } else if at >= *from {
                seen.running.insert(stage.clone(), at - from);
            }
        }
        seen.before = self.load_began;
        if at < self.load_began {
            return seen;
        }
        let mut done: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for file in &self.files {
            let share = ((at - file.from) / (file.to - file.from).max(1e-3)).clamp(0.0, 1.0);
            let entry = done.entry(file.source.clone()).or_default();
            entry.0 += file.bytes * share;
            entry.1 += file.bytes;
        }
        let shares = done.into_iter().map(|(name, (done, all))| (name, done / all.max(1.0)));
        seen.metered.insert(LOAD.to_owned());
        seen.parts.insert(LOAD.to_owned(), shares.collect());
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

/// The files as the loader takes them: longest first, two at a time.
fn in_turn(ledger: &Ledger) -> Vec<Loaded> {
    let mut all: Vec<(&str, &FileEntry)> = ledger
        .sources
        .iter()
        .flat_map(|entry| entry.files.iter().map(move |file| (entry.source.as_str(), file)))
        .collect();
    all.sort_by_key(|(_, file)| std::cmp::Reverse(file.bytes));
    let mut free = [0.0_f64; 2];
    let mut loaded = Vec::new();
    for (source, file) in all {
        let first = if free[0] <= free[1] { 0 } else { 1 };
        let from = free[first];
        let to = from + file.milliseconds as f64 / 1e3;
        free[first] = to;
        loaded.push(Loaded { source: source.to_owned(), bytes: file.bytes as f64, from, to });
    }
    loaded
}

#[test]
fn recorded_nights_are_foretold_within_a_fifth_after_their_first_tenth() {
    let nights: Vec<Night> = NIGHTS.iter().map(|text| Night::recorded(text)).collect();
    for (before, night) in nights.iter().zip(&nights[1..]) {
        let works = night.foretold(before);
        let whole = night.seconds();
        let mut wrong = Vec::new();
        for hundredth in 10..100 {
            let at = whole * f64::from(hundredth) / 100.0;
            let (left, truth) = (standing(&works, &night.seen(at)).left, whole - at);
            // Towards the end a fifth of what is left is less than a stage's own chance.
            if (left - truth).abs() > (0.2 * truth).max(0.05 * whole) {
                wrong.push(format!("at {hundredth} %: {left:.1} s foretold, {truth:.1} s came"));
            }
        }
        assert!(wrong.is_empty(), "of {whole:.1} s:\n{}", wrong.join("\n"));
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
    assert!((2.5..3.0).contains(&(thrice / once)), "{once} and {thrice}");
}
