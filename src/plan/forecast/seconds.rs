//! What each task of a build is expected to take: by the last build that did the same, scaled by the text; by
//! measured proportions where there was none. `plan::graph` makes the time left of it.

use std::collections::BTreeMap;

use super::{LoadMethod, LoadMethods, Past, SourceSize, ratio};
use crate::plan::graph;
use crate::plan::task::{Task, TaskKind, TaskStatus};

/// The steps behind the tasks, which no amount of data makes longer.
const BEHIND: [&str; 3] = ["seal", "swap", "prune"];
/// Those before them.
const BEFORE: [&str; 2] = ["pre-data", "manifest"];

/// What is to be done.
pub struct Tonight<'a> {
    /// The sources.
    pub source_sizes: &'a [SourceSize],
    /// Their bytes of text.
    pub texts: &'a [u64],
    /// How tables get their rows.
    pub methods: &'a LoadMethods,
    /// Workers side by side.
    pub workers: usize,
}

/// What tasks are expected to take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// The tasks, with their bytes and seconds.
    pub tasks: Vec<Task>,
    /// Seconds of the steps before them.
    pub before: f64,
    /// Seconds of the steps behind them.
    pub behind: f64,
    /// Whether a former build says so; else it is a guess of proportions.
    pub is_known: bool,
}

impl Estimate {
    /// Seconds of all of it on this many workers.
    pub fn seconds(&self, workers: usize) -> f64 {
        let tasks: Vec<TaskStatus> = self.tasks.iter().cloned().map(TaskStatus::waiting).collect();
        self.before + graph::seconds_left(&tasks, workers, self.is_known) + self.behind
    }
}

impl Tonight<'_> {
    /// What these tasks are expected to take.
    pub fn estimate(&self, mut tasks: Vec<Task>, past: &Past) -> Estimate {
        let by = By { night: self, past, loaded: self.loaded(past) };
        let count = |kind| tasks.iter().filter(|task| task.kind == kind).count().max(1) as f64;
        let (checks, analyzed) = (count(TaskKind::Check), count(TaskKind::Analyze));
        let mut keyed: Vec<String> = Vec::new();
        for task in &mut tasks {
            let is_first = !keyed.contains(&task.subject);
            task.seconds = match task.kind {
                TaskKind::Load => by.rows(task, LoadMethod::Load),
                TaskKind::Copy => by.rows(task, LoadMethod::Copy),
                TaskKind::Index => by.index(&task.subject),
                TaskKind::Derive => by.derive(&task.subject),
                TaskKind::Check => by.stage("check") * self.workers as f64 / checks,
                // With its index, or with making it.
                TaskKind::Analyze if !is_first => 0.0,
                TaskKind::Analyze => by.analyze(&task.subject, analyzed),
            };
            if matches!(task.kind, TaskKind::Index | TaskKind::Derive) {
                keyed.push(task.subject.clone());
            }
        }
        let fixed = |stages: &[&str]| stages.iter().map(|stage| by.fixed(stage)).sum();
        let (before, behind) = (fixed(&BEFORE), fixed(&BEHIND));
        Estimate { tasks, before, behind, is_known: past.newest_whole().is_some() }
    }

    /// Seconds that each source's rows would take from its files.
    fn loaded(&self, past: &Past) -> BTreeMap<String, f64> {
        let newest = past.newest_whole().map(|(ledger, used)| {
            let entries = ledger.sources.iter();
            let all: f64 =
                entries.map(|entry| entry.seconds / ratio::rows(entry.load_method())).sum();
            all / used.text.max(1) as f64
        });
        let source_sizes = self.source_sizes.iter().zip(self.texts);
        let seconds = |(size, text): (&SourceSize, &u64)| {
            let past = past.source_by(&size.source, self.methods.of(&size.source));
            let seconds = match (past.filter(|past| past.text() > 0), newest) {
                (Some(past), _) => {
                    let growth = *text as f64 / past.text() as f64;
                    past.entry.seconds / ratio::rows(past.entry.load_method()) * growth
                }
                // What a byte of text took on average, for a source that was not there.
                (None, Some(mean)) => mean * *text as f64,
                (None, None) => size.kind.load_seconds() * *text as f64,
            };
            (size.source.clone(), seconds)
        };
        source_sizes.map(seconds).collect()
    }
}

/// What is looked at for one task after another.
struct By<'a> {
    night: &'a Tonight<'a>,
    past: &'a Past,
    /// Seconds that each source's rows would take from its files.
    loaded: BTreeMap<String, f64>,
}

impl By<'_> {
    fn size(&self, source: &str) -> Option<(&SourceSize, u64)> {
        let mut source_sizes = self.night.source_sizes.iter().zip(self.night.texts);
        source_sizes.find(|(size, _)| size.source == source).map(|(size, text)| (size, *text))
    }

    fn loaded(&self, source: &str) -> f64 {
        self.loaded.get(source).copied().unwrap_or(0.0)
    }

    /// Text of tonight for a byte of the newest build's.
    fn growth(&self) -> f64 {
        let all = self.night.texts.iter().sum::<u64>() as f64;
        self.past.newest_whole().map_or(1.0, |(_, used)| all / used.text.max(1) as f64)
    }

    fn rows(&self, task: &mut Task, method: LoadMethod) -> f64 {
        task.bytes = self.size(&task.subject).map_or(0, |(_, text)| text);
        let seconds = self.loaded(&task.subject) * ratio::rows(method);
        let then = self.past.source_by(&task.subject, method).map(|past| past.entry.load_method());
        if then == Some(method) { seconds } else { seconds.max(ratio::LEAST) }
    }

    fn index(&self, table: &str) -> f64 {
        let Some((size, text)) = self.size(table) else {
            return self.past.keyed(table).map_or(0.0, |(_, most)| most * self.growth());
        };
        let method = self.night.methods.of(table);
        let past = self.past.source_by(table, method).filter(|past| past.text() > 0);
        let keyed = past.and_then(|past| {
            let seconds = past.used.keyed.get(table)?;
            let growth = text as f64 / past.text() as f64;
            Some(
                seconds * growth * size.kind.keys(method)
                    / size.kind.keys(past.entry.load_method()),
            )
        });
        keyed.unwrap_or_else(|| self.loaded(table) * size.kind.keys(method))
    }

    fn derive(&self, table: &str) -> f64 {
        let Some(made) = self.night.methods.made.get(table) else {
            let by_stage = || self.stage("derive");
            return self.past.keyed(table).map_or_else(by_stage, |(_, most)| most * self.growth());
        };
        match (self.past.keyed(table), made.is_kept) {
            (Some((least, most)), true) => least.min(most * ratio::MADE_BROUGHT) * self.growth(),
            (Some((_, most)), false) => most * self.growth(),
            (None, is_kept) => {
                let from: f64 = made.sources.iter().map(|source| self.loaded(source)).sum();
                from * ratio::MADE * if is_kept { ratio::MADE_BROUGHT } else { 1.0 }
            }
        }
    }

    /// A table that has no index and is not made from others.
    fn analyze(&self, table: &str, of: f64) -> f64 {
        let by_stage = || self.stage("freeze") / of;
        self.past.keyed(table).map_or_else(by_stage, |(_, most)| most * self.growth())
    }

    /// Seconds that a stage takes by the wall, where no task of the last build says it.
    fn stage(&self, stage: &str) -> f64 {
        match self.past.newest_whole() {
            Some((ledger, _)) => {
                let of_it = ledger.stages.iter().filter(|entry| entry.stage == stage);
                of_it.map(|entry| entry.seconds).sum::<f64>() * self.growth()
            }
            None => {
                let share = ratio::STAGES.iter().find(|(name, _)| *name == stage);
                share.map_or(0.0, |(_, share)| share * self.loaded.values().sum::<f64>())
            }
        }
    }

    fn fixed(&self, stage: &str) -> f64 {
        match self.past.newest_whole() {
            Some((ledger, _)) => {
                let of_it = ledger.stages.iter().filter(|entry| entry.stage == stage);
                of_it.map(|entry| entry.seconds).sum()
            }
            None => ratio::FIXED.iter().find(|(name, _)| *name == stage).map_or(0.0, |(_, s)| *s),
        }
    }
}
