//! One file to load, and what is known of it before it is read.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use regex::Regex;
use zip::ZipArchive;

use super::archive::damaged;
use super::container::Container;
use super::object::Object;
use super::verified::{Expected, Verified};
use crate::spec::source::{Period, Source};

/// One file to load: a member of an archive, or an object that is the file itself.
#[derive(Debug, Clone)]
pub struct Member {
    pub(super) container: Container,
    pub(super) index: Option<usize>,
    pub(super) expected: Expected,
    /// The object's key, for people and rejects.
    pub object: String,
    /// The names of the archives on the way and of the member, joined by ` → `; empty for an
    /// object that is the file itself.
    pub path: String,
    /// The member's own name.
    pub name: String,
    /// The object's version id, or its entity tag where the bucket keeps no versions.
    pub version: String,
    /// What the groups of the patterns matched in the names of object, archives and member.
    pub known: BTreeMap<String, String>,
}

impl Member {
    /// The object itself.
    pub(super) fn plain(source: &Source, object: &Arc<Object>, whole: Container) -> Member {
        let pin = &object.pin;
        let expected = Expected {
            size: pin.size,
            compressed: pin.size,
            bytes_max: source.budget.bytes_max,
            crc: None,
            sha256: pin.sha256.clone(),
        };
        Member {
            container: whole,
            index: None,
            expected,
            object: pin.key.clone(),
            path: String::new(),
            name: pin.file_name().to_owned(),
            version: pin.version().to_owned(),
            known: known(source, object, &[]),
        }
    }

    /// The period that its name tells, in kiln's own form.
    pub fn period(&self) -> Option<String> {
        self.known.get("period").map(|text| Period::canonical(text))
    }

    /// Its size as the archive declares it.
    pub fn size(&self) -> u64 {
        self.expected.size
    }

    /// Object and member, for messages.
    pub fn place(&self) -> String {
        match self.path.as_str() {
            "" => self.object.clone(),
            path => format!("{} → {path}", self.object),
        }
    }

    /// Opens it and hands it to `use_it`; blocking.
    ///
    /// # Errors
    /// When the archive cannot be opened, and what `use_it` says.
    pub fn open<T>(
        &self,
        on_bytes: impl Fn(u64) + Send + 'static,
        use_it: impl FnOnce(Verified<&mut (dyn Read + Send)>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut reader = self.container.reader();
        let Some(index) = self.index else {
            return use_it(Verified::new(&mut reader, self.expected.clone(), on_bytes));
        };
        let mut archive = ZipArchive::new(reader).map_err(damaged)?;
        let mut entry = archive.by_index(index).map_err(damaged)?;
        use_it(Verified::new(&mut entry, self.expected.clone(), on_bytes))
    }
}

/// What the patterns' groups matched; of two groups of one name the inner one's counts.
pub(super) fn known(source: &Source, object: &Object, path: &[String]) -> BTreeMap<String, String> {
    let Some((member, archives)) = path.split_last() else {
        return known_outside(source, object, &[]);
    };
    let mut known = known_outside(source, object, archives);
    take(&mut known, source.member.as_ref(), member);
    known
}

/// The same of the object's name and of the archives' alone.
pub(super) fn known_outside(
    source: &Source,
    object: &Object,
    archives: &[String],
) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    take(&mut known, Some(&source.object), object.pin.file_name());
    for archive in archives {
        take(&mut known, source.archive.as_ref(), archive);
    }
    known
}

fn take(known: &mut BTreeMap<String, String>, pattern: Option<&Regex>, text: &str) {
    let Some(pattern) = pattern else { return };
    let Some(captured) = pattern.captures(text) else { return };
    for group in pattern.capture_names().flatten() {
        if let Some(matched) = captured.name(group) {
            known.insert(group.to_owned(), matched.as_str().to_owned());
        }
    }
}
