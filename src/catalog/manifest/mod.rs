//! The manifest: a build's exact inputs, fixed before the first byte is read, and kept in the
//! build, so that the same build can be made again.

mod percent;
mod stored;
mod subset;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use percent::Percent;
pub(crate) use subset::{SubsetOrigin, SubsetRequest};

use crate::fetch::store::Pin;

/// A build's inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this document; 1.
    pub kiln: u32,
    /// The product database.
    pub database: String,
    /// The schema's version.
    pub schema_version: u32,
    /// When it was fixed, RFC 3339.
    pub created: String,
    /// Sources that the build does without, by wish.
    pub without: Vec<String>,
    /// What each source reads.
    pub sources: BTreeMap<String, Input>,
    /// The version of kiln that fixed it; empty in manifests of kilns that did not say.
    #[serde(default)]
    pub tool: String,
    /// The form of the rows that it made; 0 where kilns did not say.
    #[serde(default)]
    pub row_format: u32,
    /// sha256 over the database's .sql files; empty where it is not known.
    #[serde(default)]
    pub sql_sha256: String,
    /// What tells the key that hashes identifiers from others; `None` where nothing is hashed, or
    /// where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_key: Option<String>,
    /// What had landed for these sources and was withdrawn by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<String>,
    /// What this build is a part of; `None` for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<SubsetOrigin>,
}

/// What one source reads, and by which spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// sha256 of the spec's text.
    pub spec_sha256: String,
    /// sha256 of the .sql files of its tables; empty where it is not known.
    #[serde(default)]
    pub sql_sha256: String,
    /// The day that the newest object's name gives as the posting's, yyyymmdd, or what else it
    /// gives (`202605`).
    pub posted: Option<String>,
    /// The objects at their versions: one, or one an edition, the newest edition last.
    pub objects: Vec<Pin>,
}

impl Input {
    /// The objects' addresses, for people.
    pub fn urls(&self) -> String {
        self.objects.iter().map(Pin::url).collect::<Vec<_>>().join(", ")
    }

    /// Bytes of all objects.
    pub fn size(&self) -> u64 {
        self.objects.iter().map(|pin| pin.size).sum()
    }
}
