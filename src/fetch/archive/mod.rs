//! Finds members in zips within zips, and opens them.
//!
//! The central directory is read first, over ranged GETs; no crate streams every zip. An inner
//! zip that is stored is read in place; a compressed one goes to an unlinked temporary file.
//! Nothing is ever written under a name that an archive gives.

mod bounds;
mod directory;
mod entry;
mod whole;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use regex::Regex;
use zip::{CompressionMethod, ZipArchive};

use super::container::{Container, ReadSeek};
use super::kind::{self, FileKind};
use super::member::{Member, damaged};
use super::object::Object;
use super::patterns::Patterns;
use super::verified::VerifiedReader;
use crate::error::{Exit, Failure, Position, at, exit_of, from_io};
use crate::fetch::contents::{Leaf, Link};
use crate::fetch::store::file_name;
use bounds::Bounds;
pub(crate) use directory::contents;
use directory::plain;
pub(crate) use entry::refuse_encrypted;
use entry::{DirectoryEntry, escapes};
pub(crate) use whole::whole_zip;

/// Zips inside each other, the object itself included.
const DEPTH_MAX: usize = 4;
/// A compressed inner zip, inflated to a temporary file.
const INNER_MAX: u64 = 64 << 30;

/// What to do about an archive that no honest packer made.
pub(crate) const NOT_FROM_CMS: &str = "this is not a file that CMS packed; land it anew from CMS";

/// What a search through an object found.
#[derive(Debug, Default)]
pub(crate) struct FoundMembers {
    /// The members, in name order.
    pub members: Vec<Member>,
    /// The names of the object's outermost entries, to tell what no source claims.
    pub entries: Vec<String>,
    /// What directories that need no inflating say of the files.
    pub contents: Vec<Leaf>,
    /// Bytes of inner zips that were spooled to the scratch folder.
    pub spooled: u64,
}

impl FoundMembers {
    /// Adds what another object has.
    pub(crate) fn add(&mut self, other: FoundMembers) {
        self.members.extend(other.members);
        self.entries.extend(other.entries);
        self.contents.extend(other.contents);
        self.spooled += other.spooled;
    }
}

fn whole(object: &Arc<Object>) -> Container {
    Container::Region { object: Arc::clone(object), start: 0, end: object.pin.size }
}

/// Finds the members in an object; blocking.
///
/// # Errors
/// [`Exit::InputRejected`] when an archive is damaged or hostile.
pub(crate) fn find(
    patterns: &Patterns,
    object: &Arc<Object>,
    scratch: &Path,
) -> anyhow::Result<FoundMembers> {
    let Some(pattern) = &patterns.member else {
        return Ok(FoundMembers {
            members: vec![Member::plain(patterns, object, whole(object))],
            contents: vec![plain(patterns, object)],
            ..FoundMembers::default()
        });
    };
    let mut search = Search::new(patterns, pattern, object, Some(scratch));
    search.archive(&whole(object), &mut Vec::new())?;
    let mut found = search.found;
    found.contents.sort_by_key(Leaf::path);
    found.members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

struct Search<'a> {
    patterns: &'a Patterns,
    pattern: &'a Regex,
    object: &'a Arc<Object>,
    /// Where deflated inner zips go; `None`: they are not looked into.
    scratch: Option<&'a Path>,
    /// The entries on the way to where the search is.
    links: Vec<Link>,
    bounds: Bounds,
    found: FoundMembers,
}

impl<'a> Search<'a> {
    fn new(
        patterns: &'a Patterns,
        pattern: &'a Regex,
        object: &'a Arc<Object>,
        scratch: Option<&'a Path>,
    ) -> Search<'a> {
        let bounds = Bounds::new(object.pin.size);
        let (links, found) = (Vec::new(), FoundMembers::default());
        Search { patterns, pattern, object, scratch, links, bounds, found }
    }

    fn archive(&mut self, container: &Container, path: &mut Vec<String>) -> anyhow::Result<()> {
        let place = |path: &[String]| {
            let mut place = self.object.pin.url();
            for name in path {
                place.push_str(" → ");
                place.push_str(name);
            }
            place
        };
        let located = |path: &[String], error: anyhow::Error| {
            let here = Position::in_object(&self.object.pin.key, &path.join(" → "));
            at(error, here).context(place(path))
        };
        let opened = self.bounds.directory(container.reader());
        let opened =
            opened.map_err(|error| what_it_is(container, error)).and_then(|mut archive| {
                self.bounds.admit(&mut archive)?;
                Ok(archive)
            });
        let mut archive = opened.map_err(|error| located(path, error))?;
        for index in 0..archive.len() {
            let entry = self.entry(&mut archive, index).map_err(|error| located(path, error))?;
            if path.is_empty() {
                self.found.entries.push(entry.name.clone());
            }
            if entry.is_dir {
                continue;
            }
            let is_member = self.pattern.is_match(&entry.name);
            let is_archive =
                self.patterns.archive.as_ref().is_some_and(|archive| archive.is_match(&entry.name));
            if !is_member && !is_archive {
                continue;
            }
            path.push(entry.name.clone());
            self.links.push(entry.link());
            entry.refuse_if_encrypted().map_err(|error| located(path, error))?;
            if is_member {
                let bounded = self.bounds.inflates(entry.size);
                bounded.map_err(|error| located(path, error))?;
                self.note(container, index, &entry, path);
                self.tell(container, path, true);
            } else if path.len() >= DEPTH_MAX {
                let message = format!("{}: more than {DEPTH_MAX} zips deep", place(path));
                let here = Position::in_object(&self.object.pin.key, &path.join(" → "));
                return Err(Failure::new(Exit::InputRejected, message)
                    .hint(NOT_FROM_CMS)
                    .at(here)
                    .into());
            } else {
                let inner = self
                    .inner(&mut archive, index, &entry, container)
                    .map_err(|error| located(path, error))?;
                if !matches!(inner, Some(Container::Region { .. })) {
                    self.tell(container, path, false);
                }
                if let Some(inner) = inner {
                    self.archive(&inner, path)?;
                }
            }
            path.pop();
            self.links.pop();
        }
        Ok(())
    }

    /// Reads one directory entry and refuses names that would escape a folder.
    fn entry(
        &self,
        archive: &mut ZipArchive<Box<dyn ReadSeek>>,
        index: usize,
    ) -> anyhow::Result<DirectoryEntry> {
        let entry = archive.by_index_raw(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        if escapes(&name) || entry.is_symlink() {
            let message =
                format!("entry {name:?} has a name that escapes the archive, or is a link");
            return Err(Failure::new(Exit::InputRejected, message).hint(NOT_FROM_CMS).into());
        }
        // It would reach messages, terminals and the ledger (whose JSON cannot hold NUL).
        if name.contains(char::is_control) {
            let message = format!("entry {name:?} has control characters in its name");
            return Err(Failure::new(Exit::InputRejected, message).hint(NOT_FROM_CMS).into());
        }
        Ok(DirectoryEntry {
            name,
            is_dir: entry.is_dir(),
            encrypted: entry.encrypted(),
            stored: entry.compression() == CompressionMethod::Stored,
            data_start: entry.data_start(),
            size: entry.size(),
            compressed: entry.compressed_size(),
            crc: entry.crc32(),
        })
    }

    fn note(
        &mut self,
        container: &Container,
        index: usize,
        entry: &DirectoryEntry,
        path: &[String],
    ) {
        self.found.members.push(Member {
            container: container.clone(),
            index: Some(index),
            expected: entry.expected(self.patterns.bytes_max),
            object: self.object.pin.key.clone(),
            path: path.join(" → "),
            name: file_name(&entry.name).to_owned(),
            version: self.object.pin.version().to_owned(),
            known: self.patterns.known(self.object, path),
        });
    }

    /// An inner zip: in place where it is stored, else spooled, or not looked into.
    fn inner(
        &mut self,
        archive: &mut ZipArchive<Box<dyn ReadSeek>>,
        index: usize,
        entry: &DirectoryEntry,
        outer: &Container,
    ) -> anyhow::Result<Option<Container>> {
        if let (true, Some(start), Container::Region { object, start: base, .. }) =
            (entry.stored, entry.data_start, outer)
        {
            let start = base.saturating_add(start);
            let end = start.saturating_add(entry.compressed);
            return Ok(Some(Container::Region { object: Arc::clone(object), start, end }));
        }
        let Some(scratch) = self.scratch else { return Ok(None) };
        self.bounds.inflates(entry.size)?;
        let mut file = scratch_file(scratch)?;
        let mut member = archive.by_index(index).map_err(damaged)?;
        let mut verified = VerifiedReader::new(&mut member, entry.expected(INNER_MAX), |_| ());
        copy_to_scratch(&mut verified, &mut file)?;
        let proof = verified.finish()?;
        self.found.spooled += proof.bytes();
        Ok(Some(Container::Spool { file: Arc::new(file), size: proof.bytes() }))
    }
}

/// A file without a name.
fn scratch_file(scratch: &Path) -> anyhow::Result<File> {
    tempfile::tempfile_in(scratch).map_err(|error| {
        let folder = scratch.display();
        Failure::new(Exit::Usage, format!("cannot make a scratch file in {folder}"))
            .hint("set KILN_HOME to a folder that this user may write")
            .because(error)
            .into()
    })
}

/// Copies, and tells a full scratch disk from a damaged input.
fn copy_to_scratch(input: &mut impl Read, file: &mut File) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = input.read(&mut buffer).map_err(from_io)?;
        if count == 0 {
            return Ok(());
        }
        file.write_all(&buffer[..count]).map_err(|error| {
            Failure::new(Exit::Usage, "cannot write a scratch file")
                .hint("free space below KILN_HOME (inner zips are kept there while they load)")
                .because(error)
        })?;
    }
}

/// Of a file that is no zip: what it is, where its first bytes tell.
fn what_it_is(container: &Container, error: anyhow::Error) -> anyhow::Error {
    if exit_of(&error) != Exit::InputRejected {
        return error;
    }
    let mut head = Vec::new();
    if container.reader().take(kind::HEAD as u64).read_to_end(&mut head).is_err() {
        return error;
    }
    match FileKind::of(&head) {
        FileKind::Zip | FileKind::Unknown => error,
        found => {
            let message = format!("is {}, not a zip archive", found.words().unwrap_or_default());
            Failure::new(Exit::InputRejected, message).hint(found.hint_for_zip()).into()
        }
    }
}
