//! One file to load, and what is known of it before it is read.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use zip::ZipArchive;

use super::container::Container;
use super::object::Object;
use super::patterns::Patterns;
use super::verified::{ExpectedStream, VerifiedReader};
use crate::error::{Exit, Failure, LAND_AGAIN, Position, at, from_io};

/// One file to load: a member of an archive, or an object that is the file itself.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(super) container: Container,
    pub(super) index: Option<usize>,
    pub(super) expected: ExpectedStream,
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
    pub(super) fn plain(patterns: &Patterns, object: &Arc<Object>, whole: Container) -> Member {
        let pin = &object.pin;
        let expected = ExpectedStream {
            size: pin.size,
            compressed: pin.size,
            bytes_max: patterns.bytes_max,
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
            known: patterns.known(object, &[]),
        }
    }

    /// Its size as the archive declares it.
    pub(crate) fn size(&self) -> u64 {
        self.expected.size
    }

    /// Object and member, for messages.
    pub(crate) fn place(&self) -> String {
        match self.path.as_str() {
            "" => self.object.clone(),
            path => format!("{} → {path}", self.object),
        }
    }

    /// Object and member, as an error's position.
    pub(crate) fn position(&self) -> Position {
        Position::in_object(&self.object, &self.path)
    }

    /// Says of an error that it is of this member.
    pub(crate) fn located(&self, error: anyhow::Error) -> anyhow::Error {
        at(error, self.position()).context(self.place())
    }

    /// Opens it and hands it to `use_it`; blocking.
    ///
    /// # Errors
    /// When the archive cannot be opened, and what `use_it` says.
    pub(crate) fn open<T>(
        &self,
        on_bytes: impl Fn(u64) + Send + 'static,
        use_it: impl FnOnce(VerifiedReader<&mut (dyn Read + Send)>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut reader = self.container.reader();
        let Some(index) = self.index else {
            return use_it(VerifiedReader::new(&mut reader, self.expected.clone(), on_bytes));
        };
        let mut archive = ZipArchive::new(reader).map_err(damaged)?;
        let mut entry = archive.by_index(index).map_err(damaged)?;
        use_it(VerifiedReader::new(&mut entry, self.expected.clone(), on_bytes))
    }
}

/// A zip error for people; a failure of the store below passes through as it is.
pub(super) fn damaged(error: zip::result::ZipError) -> anyhow::Error {
    match error {
        zip::result::ZipError::Io(error) => from_io(error),
        other => Failure::new(Exit::InputRejected, format!("is not a whole zip archive: {other}"))
            .hint(LAND_AGAIN)
            .into(),
    }
}
