//! What zips' directories say of a source's files: read by ranged GETs alone, and kept in the
//! ledger, so that a later night can tell an unchanged file without fetching it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::container::Container;
use super::super::member::{known, known_outside};
use super::super::object::Object;
use super::{Found, Search, whole};
use crate::catalog::ledger::{Leaf, Link};
use crate::spec::source::{Column, From, Source};

/// What the directories of a source's objects say of its files, read by ranged GETs alone: a
/// deflated inner zip is told by its own entry and not looked into. It has no members; blocking.
///
/// # Errors
/// When a directory cannot be read.
pub fn contents(source: &Source, objects: &[Arc<Object>]) -> anyhow::Result<Found> {
    let mut all = Found::default();
    for object in objects {
        let Some(pattern) = &source.member else {
            all.contents.push(plain(source, object));
            continue;
        };
        let mut search = Search::new(source, pattern, object, None);
        search.archive(&whole(object), &mut Vec::new())?;
        search.found.contents.sort_by_key(Leaf::path);
        all.entries.extend(search.found.entries);
        all.contents.extend(search.found.contents);
    }
    Ok(all)
}

/// An object that is the file itself. Of its checksums only the store's own tells the content: one
/// that was left beside it may have been copied along with other bytes.
pub(super) fn plain(source: &Source, object: &Object) -> Leaf {
    let pin = &object.pin;
    let sha256 = pin.sha256.clone().filter(|_| pin.sha256_by_store);
    Leaf {
        links: vec![Link { name: String::new(), size: pin.size, crc32: None, sha256 }],
        known: used(source, known_outside(source, object, &[])),
    }
}

/// Of what names tell, what a column or the source's period is made of, and what section it is.
fn used(source: &Source, mut known: BTreeMap<String, String>) -> BTreeMap<String, String> {
    known.retain(|group, _| {
        let feeds = |column: &Column| column.from == From::Group(group.clone());
        let tells = source.sections.as_ref().is_some_and(|sections| sections.of == *group);
        tells || ["period", "edition"].contains(&group.as_str()) || source.columns.iter().any(feeds)
    });
    known
}

impl Search<'_> {
    /// Keeps what the directories say of a member, or of a deflated inner zip, unless they lie in
    /// one themselves: that one is told already.
    pub(super) fn tell(&mut self, container: &Container, path: &[String], is_member: bool) {
        if matches!(container, Container::Spool { .. }) {
            return;
        }
        let known = match is_member {
            true => known(self.source, self.object, path),
            false => known_outside(self.source, self.object, path),
        };
        let known = used(self.source, known);
        self.found.contents.push(Leaf { links: self.links.clone(), known });
    }
}
