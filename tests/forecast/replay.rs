//! Recorded nights, played again: successive nights of druginfo at scale 1, as the kiln before tasks wrote them
//! down (release build, two cores, another machine each time): the ledger of each, when
//! how much of every source's rows was in, and when what followed them began and ended. The time left is
//! foretold from the nights before and from what was seen so far, at every hundredth of a night behind its
//! first fifth, and held against what came. No clock is read.

use std::collections::BTreeMap;

use kiln::testing::catalog::ledger::{Ledger, Reuse};
use kiln::testing::plan::forecast::seconds::{Estimate, Tonight};
use kiln::testing::plan::forecast::{
    LoadMethod, LoadMethods, MadeFrom, Past, SourceSize, StorageKind,
};
use kiln::testing::plan::graph::seconds_left;
use kiln::testing::plan::task::{self, Task, TaskKind, TaskState, TaskStatus};
use serde::Deserialize;

/// The first; prices changed, copied three times; everything anew, twice.
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

/// How many of each night's eighty moments behind its first fifth are off by more than a quarter, and by more
/// than half. Before the first none was.
const BROUGHT_WRONG: [(u32, u32); 6] = [(39, 19), (8, 5), (0, 0), (7, 3), (0, 0), (20, 1)];
const OTHER_WRONG: [(u32, u32); 4] = [(54, 3), (18, 5), (10, 4), (0, 0)];

/// The connections of these nights.
const WORKERS: usize = 2;
/// The table that was made early, and the sources that it was made from.
const MADE: &str = "pharmacy";
const FROM: [&str; 2] = ["pharmacy_networks", "nppes_pharmacy"];

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
        let stage = |entry: &'_ kiln::testing::catalog::ledger::StageEntry| {
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

    /// The tasks of the night: each source's rows and keys, the table that is made of two of them early, and
    /// what came behind all of that.
    fn tasks(&self) -> Vec<Task> {
        let mut all = Vec::new();
        for entry in &self.ledger.sources {
            let kind = if entry.load_method() == LoadMethod::Load {
                TaskKind::Load
            } else {
                TaskKind::Copy
            };
            let rows = Task::new(kind, &entry.source, Vec::new());
            all.push(Task::new(TaskKind::Index, &entry.source, vec![rows.name.clone()]));
            all.push(rows);
        }
        let from = FROM.map(|source| task::name(TaskKind::Load, source)).into();
        all.push(Task::new(TaskKind::Derive, MADE, from));
        let names = |all: &[Task]| all.iter().map(|task| task.name.clone()).collect();
        all.push(Task::new(TaskKind::Derive, "late", names(&all)));
        all.push(Task::new(TaskKind::Check, "all", names(&all)));
        all
    }

    /// The tasks as they stood at a moment.
    fn seen(&self, tasks: &[Task], at: f64) -> Vec<TaskStatus> {
        let span = |task: &Task| -> (f64, f64) {
            let stage = |name| {
                let of_it = self.stages().into_iter().find(|(stage, ..)| *stage == name).unwrap();
                (of_it.1, of_it.2)
            };
            match (task.kind, task.subject.as_str()) {
                (TaskKind::Load | TaskKind::Copy, source) => {
                    let points = &self.rows[source];
                    let (first, last) = (points[0], points.last().unwrap());
                    (first.0 - first.2, last.0)
                }
                (TaskKind::Derive, "late") => stage("derive"),
                (TaskKind::Check, _) => stage("check"),
                (_, table) => self.after[table],
            }
        };
        let status = |task: &Task| {
            let (began, ended) = span(task);
            let state = match at {
                _ if at >= ended => TaskState::Done,
                _ if at >= began => TaskState::Running,
                _ => TaskState::Waiting,
            };
            let points = self.rows.get(&task.subject).filter(|_| task.kind.is_rows());
            let share = points.map(|points| {
                points.iter().rfind(|(then, ..)| *then <= at).map_or(0.0, |(_, share, _)| *share)
            });
            TaskStatus { task: task.clone(), state, took: at.min(ended) - began, share }
        };
        tasks.iter().map(status).collect()
    }

    fn source_sizes(&self) -> Vec<SourceSize> {
        let sources = self.ledger.sources.iter();
        let kind = |source: &str| match source {
            "pharmacy_networks" => StorageKind::Packed,
            "pricing" => StorageKind::Dictionary,
            "nppes_pharmacy" => StorageKind::Part,
            _ => StorageKind::Typed,
        };
        let want = sources.map(|entry| SourceSize {
            source: entry.source.clone(),
            kind: kind(&entry.source),
            objects: Vec::new(),
            zipped: true,
            nested: true,
            text: Some(entry.sum(|file| file.bytes)),
        });
        want.collect()
    }

    fn methods(&self) -> LoadMethods {
        let sources: BTreeMap<String, LoadMethod> = self
            .ledger
            .sources
            .iter()
            .map(|entry| (entry.source.clone(), entry.load_method()))
            .filter(|(_, method)| *method != LoadMethod::Load)
            .collect();
        let from = FROM.map(str::to_owned);
        let is_kept = from.iter().all(|source| sources.contains_key(source));
        let made = MadeFrom { sources: from.into(), is_kept };
        LoadMethods { sources, made: BTreeMap::from([(MADE.to_owned(), made)]) }
    }

    /// What the nights before tell to expect of this one; the newest is the last.
    fn expected(&self, before: &[Night]) -> Estimate {
        let past =
            Past { ledgers: before.iter().rev().map(|night| night.ledger.clone()).collect() };
        expected(&self.source_sizes(), &self.methods(), self.tasks(), &past)
    }
}

fn expected(
    source_sizes: &[SourceSize],
    methods: &LoadMethods,
    tasks: Vec<Task>,
    past: &Past,
) -> Estimate {
    let texts: Vec<u64> = source_sizes.iter().map(|want| want.text.unwrap()).collect();
    Tonight { source_sizes, texts: &texts, methods, workers: WORKERS }.estimate(tasks, past)
}

#[test]
fn the_time_left_of_recorded_nights_gets_no_worse() {
    gets_no_worse(&BROUGHT, &BROUGHT_WRONG);
    gets_no_worse(&OTHER, &OTHER_WRONG);
}

fn gets_no_worse(texts: &[&str], bounds: &[(u32, u32)]) {
    let nights = Night::all(texts);
    let (mut said, mut is_good) = (String::new(), true);
    for (index, night) in nights.iter().enumerate() {
        let expected = night.expected(&nights[..index]);
        let whole = night.seconds();
        let (mut wrong, mut very_wrong) = (0, 0);
        for hundredth in 20..100 {
            let at = whole * f64::from(hundredth) / 100.0;
            let seen = night.seen(&expected.tasks, at);
            let left = seconds_left(&seen, WORKERS, expected.is_known) + expected.behind;
            let truth = whole - at;
            if hundredth % 10 == 0 {
                said.push_str(&format!(" {left:.1} ({truth:.1})"));
            }
            // Of the last moments a quarter is less than a task's own chance.
            let (off, chance) = ((left - truth).abs(), 0.02 * whole);
            wrong += u32::from(off > (truth / 4.0).max(chance));
            very_wrong += u32::from(off > (truth / 2.0).max(chance));
        }
        said.push_str(&format!(": {}, {whole:.1} s, {wrong} and {very_wrong} off\n", night.name));
        is_good &= wrong <= bounds[index].0 && very_wrong <= bounds[index].1;
    }
    assert!(is_good, "more are off than should be:\n{said}");
}

#[test]
fn a_night_that_copies_most_is_expected_to_be_shorter() {
    let nights = Night::all(&OTHER);
    let seconds = |night: &Night| night.expected(&nights[..1]).seconds(WORKERS);
    // As long as it was, or up to a third off.
    let (anew, copied) = (seconds(&nights[2]), seconds(&nights[1]));
    assert!(copied < 0.7 * anew, "{copied} and {anew}");
    let truth = nights[1].seconds();
    assert!((0.67..1.33).contains(&(copied / truth)), "{copied} for {truth}");
}

#[test]
fn a_night_of_other_size_is_expected_by_its_text() {
    let nights = Night::all(&OTHER);
    let mut source_sizes = nights[0].source_sizes();
    let seconds = |source_sizes: &[SourceSize]| {
        let past = Past { ledgers: vec![nights[0].ledger.clone()] };
        expected(source_sizes, &nights[0].methods(), nights[0].tasks(), &past).seconds(WORKERS)
    };
    let once = seconds(&source_sizes);
    for want in &mut source_sizes {
        want.text = want.text.map(|text| 3 * text);
    }
    let thrice = seconds(&source_sizes);
    // The first steps, the seal and the swap do not grow.
    assert!((2.0..3.0).contains(&(thrice / once)), "{once} and {thrice}");
}

#[test]
fn a_table_that_is_copied_goes_by_the_last_night_that_copied_it() {
    const NETWORK: &str = "pharmacy_networks";
    let night = Night::all(&OTHER).remove(0);
    let source_sizes = night.source_sizes();
    let methods = source_sizes.iter().map(|want| (want.source.clone(), LoadMethod::Copy));
    let methods = LoadMethods { sources: methods.collect(), ..LoadMethods::default() };
    let seconds = |ledgers| {
        let tasks = vec![Task::new(TaskKind::Copy, NETWORK, Vec::new())];
        expected(&source_sizes, &methods, tasks, &Past { ledgers }).tasks[0].seconds
    };
    let of = |ledger: &Ledger| {
        let entry = ledger.sources.iter().find(|entry| entry.source == NETWORK);
        entry.unwrap().seconds
    };
    let loaded = of(&night.ledger);
    let never = seconds(vec![night.ledger.clone()]);
    assert!((0.2..0.6).contains(&(never / loaded)), "{never} of {loaded}");
    let mut copied = night.ledger.clone();
    for entry in &mut copied.sources {
        let (build, evidence) = ("druginfo_00001".to_owned(), "same".to_owned());
        entry.reused = Some(Reuse { build, evidence });
        entry.seconds /= 10.0;
    }
    // The newest night loaded everything; the one before it says what copying takes.
    let after = seconds(vec![night.ledger.clone(), copied.clone()]);
    assert!((0.08..0.12).contains(&(after / loaded)), "{after} of {loaded}");
    let after = seconds(vec![copied, night.ledger]);
    assert!((0.08..0.12).contains(&(after / loaded)), "{after} of {loaded}");
}
