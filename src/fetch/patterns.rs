//! What is looked for in an object, and what the names on the way tell.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::object::Object;

/// The names of objects, archives and members, and how much of a member is read.
#[derive(Debug, Clone)]
pub struct Patterns {
    /// Matches the object's file name.
    pub object: Regex,
    /// Matches the names of inner zips to open on the way; `None`: the member lies in the object.
    pub archive: Option<Regex>,
    /// Matches the innermost file's name; `None`: the object itself is the file.
    pub member: Option<Regex>,
    /// The groups whose matches are kept with what directories say of a file, for its rows depend on
    /// them.
    pub kept: BTreeSet<String>,
    /// Most bytes of a member.
    pub bytes_max: u64,
}

impl Patterns {
    /// What the groups matched on the way to a member; of two groups of one name the inner one's counts.
    pub(super) fn known(&self, object: &Object, path: &[String]) -> BTreeMap<String, String> {
        let Some((member, archives)) = path.split_last() else {
            return self.known_outside(object, &[]);
        };
        let mut known = self.known_outside(object, archives);
        take(&mut known, self.member.as_ref(), member);
        known
    }

    /// The same of the object's name and of the archives' alone.
    pub(super) fn known_outside(
        &self,
        object: &Object,
        archives: &[String],
    ) -> BTreeMap<String, String> {
        let mut known = BTreeMap::new();
        take(&mut known, Some(&self.object), object.pin.file_name());
        for archive in archives {
            take(&mut known, self.archive.as_ref(), archive);
        }
        known
    }

    /// Of what names tell, what is kept.
    pub(super) fn keep(&self, mut known: BTreeMap<String, String>) -> BTreeMap<String, String> {
        known.retain(|group, _| self.kept.contains(group));
        known
    }
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
