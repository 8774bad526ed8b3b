//! What a night will need, said before its first row is sent: the new database's size, what index
//! builds spill, WAL, and scratch files for inner zips. The last nights' ledgers say it best;
//! where there is none, [`ratio`]s that were measured do. [`room`] holds it against what is free,
//! [`crate::catalog::ledger::used`] says at the seal what it came to, so that every night shows how good it was.

pub(crate) mod past;
pub(crate) mod ratio;
pub(crate) mod room;
pub(crate) mod seconds;
pub(crate) mod server;
mod sizes;
mod wants;
pub(crate) mod watchdog;

use std::collections::BTreeMap;

use crate::catalog::ledger::SourceEntry;
pub use past::Past;
pub use ratio::StorageKind;
pub(crate) use sizes::{sizes, texts};
pub(crate) use wants::wants;

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
    pub fn way(&self) -> LoadMethod {
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
