//! What tells a file without reading it: the links of zips' directories down to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A file, or an inner zip whose directory cannot be read without inflating it, as the directories
/// above it tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// The entries on the way, the object's own directory first; one without a name for an object
    /// that is the file itself.
    pub links: Vec<Link>,
    /// What the names say that rows, or the period, are made of, by the patterns' groups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<String, String>,
}

/// One entry of a zip's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its size in bytes, inflated.
    pub size: u64,
    /// CRC-32 of its content, as the directory has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
    /// sha256 of its content, where the store itself made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Leaf {
    /// The names on the way, joined by ` → `.
    pub fn path(&self) -> String {
        self.links.iter().map(|link| link.name.as_str()).collect::<Vec<_>>().join(" → ")
    }

    /// Whether anything tells its content from another of the same size.
    pub fn is_told(&self) -> bool {
        self.links.last().is_some_and(|last| last.crc32.is_some() || last.sha256.is_some())
    }
}
