//! What a night will need, estimated before its first row is sent: the new database's size, what index
//! builds spill, WAL, and scratch files for inner zips. The last nights' ledgers are the best ground;
//! where there is none, [`ratio`]s that were measured do. [`capacity`] compares it with what is free,
//! [`crate::catalog::ledger::used`] records at the seal what was used, so that every night shows how good it was.

pub(crate) mod past;
pub(crate) mod ratio;
pub(crate) mod capacity;
pub(crate) mod seconds;
pub(crate) mod server;
mod sizes;
mod source_sizes;
pub(crate) mod watchdog;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::ledger::{DerivedTable, SourceEntry};
use crate::spec::source::Source;
pub use past::Past;
pub use ratio::StorageKind;
pub(crate) use sizes::{sizes, texts};
pub(crate) use source_sizes::source_sizes;

/// One source of the night.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSize {
    /// Its name, which is its table's.
    pub source: String,
    /// How much of its text a database keeps.
    pub kind: StorageKind,
    /// Its objects: key and bytes. Sources of one release name the same ones.
    pub objects: Vec<(String, u64)>,
    /// Whether the text lies in a zip.
    pub zipped: bool,
    /// Whether there may be zips inside the zip.
    pub nested: bool,
    /// Bytes of text, once the directories are read.
    pub text: Option<u64>,
}

/// How a table gets its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoadMethod {
    /// From its files.
    #[default]
    Load,
    /// From a kept build.
    Copy,
}

impl SourceEntry {
    /// How its table got its rows.
    pub fn load_method(&self) -> LoadMethod {
        match &self.reused {
            None => LoadMethod::Load,
            Some(_) => LoadMethod::Copy,
        }
    }
}

/// How tables get their rows.
#[derive(Debug, Clone, Default)]
pub struct LoadMethods {
    /// The sources, where it is not from files.
    pub sources: BTreeMap<String, LoadMethod>,
    /// Tables that are made from the rows of named ones.
    pub made: BTreeMap<String, MadeFrom>,
}

/// What a table is made from.
#[derive(Debug, Clone, Default)]
pub struct MadeFrom {
    /// The sources whose rows it needs.
    pub sources: Vec<String>,
    /// Whether a kept build has it, made from the same rows.
    pub is_kept: bool,
}

/// All from files.
pub(crate) static FROM_FILES: LoadMethods =
    LoadMethods { sources: BTreeMap::new(), made: BTreeMap::new() };

impl LoadMethods {
    /// Of all `sources`, those of `copied` are copied, each with the derived tables that its kept build has;
    /// the tables of `early` are made from the rows of others.
    pub(crate) fn new<'a>(
        sources: &[Source],
        copied: impl Iterator<Item = (&'a Source, &'a [DerivedTable])>,
        early: impl Iterator<Item = (&'a str, &'a [String])>,
    ) -> LoadMethods {
        let mut methods = LoadMethods::default();
        let mut kept = BTreeSet::new();
        for (source, derived) in copied {
            methods.sources.insert(source.name.as_str().to_owned(), LoadMethod::Copy);
            kept.extend(derived.iter().map(|made| made.table.as_str()));
        }
        for (table, from) in early {
            let owner = |name: &String| {
                let owner = sources.iter().find(|s| s.tables().any(|t| t.as_str() == name));
                owner.map(|source| source.name.as_str().to_owned())
            };
            let owners: BTreeSet<String> = from.iter().filter_map(owner).collect();
            let is_copied = |source: String| methods.of(&source) != LoadMethod::Load;
            let is_there = |name| owner(name).is_some_and(is_copied);
            let is_kept = kept.contains(table) && from.iter().all(is_there);
            let made = MadeFrom { sources: owners.into_iter().collect(), is_kept };
            methods.made.insert(table.to_owned(), made);
        }
        methods
    }

    /// How a source's table gets its rows.
    pub fn of(&self, source: &str) -> LoadMethod {
        self.sources.get(source).copied().unwrap_or_default()
    }
}

impl SourceSize {
    /// Bytes of its objects.
    pub fn object_bytes(&self) -> u64 {
        self.objects.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// `bytes` × `now` / `then`; unchanged where nothing was there then.
pub(crate) fn scaled(bytes: u64, now: u64, then: u64) -> u64 {
    match then {
        0 => bytes,
        _ => u64::try_from(u128::from(bytes) * u128::from(now) / u128::from(then))
            .unwrap_or(u64::MAX),
    }
}
