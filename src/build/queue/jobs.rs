//! What waits to be done while a build is loaded, and what is begun next: what takes longest. What is
//! done may make more ready: keys need their table's rows, and some tables are made from the rows of
//! others.

use std::collections::{BTreeMap, BTreeSet};

use super::Early;
use super::kept::Waiting;
use crate::catalog::ledger::{Made, MadeIn, SourceEntry, SourceState};
use crate::load::bind::Binding;
use crate::load::copy::settle::Open;
use crate::plan::reuse::Keep;

/// Rows take this many times as long as the keys and statistics behind them [measured at 3 million
/// network rows: 1.7 s and 1.3; prices 0.7 and 0.35; NPPES, most of which is filtered out, 0.9 and 0.4].
const ROWS_TO_KEYS: u64 = 2;

/// What a connection does next.
pub(super) enum Job {
    Bring(Box<Waiting>),
    Load(Box<Open>),
    /// Keys and indexes of a table, or a table that is made from others, perhaps in a kept build already.
    After(String, Option<MadeIn>),
}

/// What came of it.
pub(super) enum Done {
    Settled(Box<SourceEntry>),
    /// A kept build did not give a source back, for this reason: it is loaded.
    NotBrought(Opened, String),
    After(anyhow::Result<()>),
}

/// A source whose files have been looked for.
pub(super) enum Opened {
    Waits(Box<Open>),
    /// It failed before it could be loaded.
    Settled(Box<SourceEntry>),
}

/// What waits, and what is done.
#[derive(Default)]
pub(super) struct Jobs {
    /// What is brought over, the longest last.
    kept: Vec<Waiting>,
    /// The longest last.
    waiting: Vec<Open>,
    /// Whether something follows rows.
    has_keys: bool,
    /// What follows rows that are in, by their bytes of text; a table's keys before what is made of it.
    ready: BTreeSet<(u64, bool, String)>,
    /// What is made once its tables' rows are in.
    early: Vec<Early>,
    /// Those whose tables' rows are in.
    begun: Vec<Early>,
    /// The tables of each source whose rows are not in.
    missing: BTreeMap<String, Vec<String>>,
    /// The source of each table.
    owners: BTreeMap<String, String>,
    /// What kept builds made from others, by their own names.
    made: BTreeMap<String, (String, Vec<Made>)>,
    settled: Vec<SourceEntry>,
    /// The first that failed behind its rows; the others' rows are loaded all the same.
    failed: Option<anyhow::Error>,
    /// Tables that a kept build did not give back.
    warnings: Vec<String>,
}

impl Jobs {
    /// Tables that are made from others, and whether tables get their keys here.
    pub(super) fn new(early: Vec<Early>, has_keys: bool) -> Jobs {
        Jobs { early, has_keys, ..Jobs::default() }
    }

    /// A source is to be loaded or brought over: its tables' rows are not in.
    pub(super) fn begin(&mut self, binding: &Binding) {
        let name = binding.source.name.as_str();
        let tables: Vec<String> =
            binding.source.tables().map(|table| table.as_str().to_owned()).collect();
        self.owners.extend(tables.iter().map(|table| (table.clone(), name.to_owned())));
        self.missing.insert(name.to_owned(), tables);
    }

    pub(super) fn keep(&mut self, waiting: Waiting) {
        let Keep { build, database, made, .. } = waiting.keep();
        self.made.insert(build.clone(), (database.clone(), made.clone()));
        self.kept.push(waiting);
        self.kept.sort_by_key(Waiting::rows);
    }

    pub(super) fn opened(&mut self, opened: Opened) {
        match opened {
            Opened::Waits(open) => self.waiting.push(*open),
            Opened::Settled(entry) => self.settled.push(*entry),
        }
        self.waiting.sort_by_key(Open::size);
    }

    /// What a connection that is free does now; nothing where it can but wait for the others.
    pub(super) fn next(&mut self) -> Option<Job> {
        if let Some(waiting) = self.kept.pop() {
            return Some(Job::Bring(Box::new(waiting)));
        }
        let rows = self.waiting.last().map(Open::size);
        let ready = self.ready.last().filter(|_| self.failed.is_none());
        if takes_longer(ready.map(|(bytes, ..)| *bytes), rows) {
            let (.., table) = self.ready.pop_last()?;
            let kept = self.made_in(&table);
            return Some(Job::After(table, kept));
        }
        self.waiting.pop().map(|open| Job::Load(Box::new(open)))
    }

    pub(super) fn take(&mut self, done: Done) {
        match done {
            Done::Settled(entry) => self.settle(*entry),
            Done::NotBrought(opened, why) => {
                self.warnings.push(why);
                self.opened(opened);
            }
            Done::After(Ok(())) => {}
            Done::After(Err(error)) => _ = self.failed.get_or_insert(error),
        }
    }

    /// Takes a source's entry; what follows its rows is ready where they are in.
    fn settle(&mut self, entry: SourceEntry) {
        if entry.state == SourceState::Loaded {
            self.missing.remove(&entry.source);
            let bytes = entry.sum(|file| file.bytes);
            if self.has_keys {
                self.ready.insert((bytes, true, entry.source.clone()));
            }
            let missing: BTreeSet<&String> = self.missing.values().flatten().collect();
            let is_ready = |early: &mut Early| !early.from.iter().any(|t| missing.contains(t));
            let ready: Vec<Early> = self.early.extract_if(.., is_ready).collect();
            self.ready.extend(ready.iter().map(|early| (bytes, false, early.table.clone())));
            self.begun.extend(ready);
        }
        self.settled.push(entry);
    }

    /// Where a table that is made from others is already, made from the same rows: all of them were
    /// brought over from one build.
    fn made_in(&self, table: &str) -> Option<MadeIn> {
        let early = self.begun.iter().find(|early| early.table == table)?;
        let build_of = |from: &String| {
            let owner = self.owners.get(from)?;
            let entry = self.settled.iter().find(|entry| entry.source == *owner)?;
            entry.reused.as_ref().map(|reused| reused.build.as_str())
        };
        let mut builds: Vec<&str> = early.from.iter().map(build_of).collect::<Option<_>>()?;
        builds.dedup();
        let [build] = builds[..] else { return None };
        let (database, made) = self.made.get(build)?;
        let made = made.iter().find(|made| made.table == table)?.clone();
        Some(MadeIn { build: build.to_owned(), database: database.clone(), made })
    }

    /// All sources' entries by name, and what there is to warn of.
    ///
    /// # Errors
    /// The first that failed behind its rows.
    pub(super) fn into_settled(mut self) -> anyhow::Result<(Vec<SourceEntry>, Vec<String>)> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.settled.sort_by(|a, b| a.source.cmp(&b.source));
        Ok((self.settled, self.warnings))
    }
}

/// Whether what follows so many bytes of rows takes longer than rows of so many bytes that wait.
fn takes_longer(ready: Option<u64>, rows: Option<u64>) -> bool {
    ready.map(|bytes| bytes / ROWS_TO_KEYS) > rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longest_is_begun_first() {
        assert!(takes_longer(Some(300), Some(100)));
        assert!(!takes_longer(Some(150), Some(100)));
        assert!(takes_longer(Some(0), None));
        assert!(!takes_longer(None, Some(0)));
        assert!(!takes_longer(None, None));
    }

    #[test]
    fn a_table_is_made_from_others_once_all_their_rows_are_in() {
        let from = vec!["network_terms".to_owned(), "nppes".to_owned()];
        let mut jobs = Jobs::new(vec![Early { table: "pharmacy".to_owned(), from }], true);
        let tables = |all: &[&str]| all.iter().map(|&name| name.to_owned()).collect();
        jobs.missing.insert("network".to_owned(), tables(&["network", "network_terms"]));
        jobs.missing.insert("nppes".to_owned(), tables(&["nppes"]));
        let mut next = |state: Option<(&str, SourceState)>| {
            if let Some((name, state)) = state {
                jobs.take(Done::Settled(Box::new(SourceEntry::empty(name, state))));
            }
            match jobs.next() {
                Some(Job::After(table, _)) => Some(table),
                _ => None,
            }
        };
        assert_eq!(next(Some(("network", SourceState::Loaded))).as_deref(), Some("network"));
        assert_eq!(next(Some(("nppes", SourceState::Failed))), None);
        assert_eq!(next(Some(("nppes", SourceState::Loaded))).as_deref(), Some("nppes"));
        assert_eq!(next(None).as_deref(), Some("pharmacy"));
        assert_eq!(next(None), None);
    }
}
