//! What zips' directories say of a source's files: read by ranged GETs alone, and kept in the
//! ledger, so that a later night can tell an unchanged file without fetching it.

use std::sync::Arc;

use super::super::container::Container;
use super::super::object::Object;
use super::super::patterns::Patterns;
use super::{FoundMembers, Search, whole};
use crate::fetch::contents::{Leaf, Link};

/// What the directories of objects say of the files that are looked for, read by ranged GETs alone: a
/// deflated inner zip is described by its own entry and not looked into. It has no members; blocking.
///
/// # Errors
/// When a directory cannot be read.
pub(crate) fn contents(
    patterns: &Patterns,
    objects: &[Arc<Object>],
) -> anyhow::Result<FoundMembers> {
    let mut all = FoundMembers::default();
    for object in objects {
        let Some(pattern) = &patterns.member else {
            all.contents.push(plain(patterns, object));
            continue;
        };
        let mut search = Search::new(patterns, pattern, object, None);
        search.archive(&whole(object), &mut Vec::new())?;
        search.found.contents.sort_by_key(Leaf::path);
        all.entries.extend(search.found.entries);
        all.contents.extend(search.found.contents);
    }
    Ok(all)
}

/// An object that is the file itself. Of its checksums only the store's own tells the content: one
/// that was left beside it may have been copied along with other bytes.
pub(super) fn plain(patterns: &Patterns, object: &Object) -> Leaf {
    let pin = &object.pin;
    let sha256 = pin.sha256.clone().filter(|_| pin.sha256_by_store);
    Leaf {
        links: vec![Link { name: String::new(), size: pin.size, crc32: None, sha256 }],
        known: patterns.keep(patterns.known_outside(object, &[])),
    }
}

impl Search<'_> {
    /// Keeps what the directories say of a member, or of a deflated inner zip, unless they lie in
    /// one themselves: that one is noted already.
    pub(super) fn tell(&mut self, container: &Container, path: &[String], is_member: bool) {
        if matches!(container, Container::Spool { .. }) {
            return;
        }
        let known = match is_member {
            true => self.patterns.known(self.object, path),
            false => self.patterns.known_outside(self.object, path),
        };
        let known = self.patterns.keep(known);
        self.found.contents.push(Leaf { links: self.links.clone(), known });
    }
}
