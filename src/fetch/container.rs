//! Where an archive's bytes are: in the object itself, or in an unlinked temporary file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::object::Object;

/// What can be read and searched.
pub(crate) trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// Where an archive's bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Container {
    /// In the object, from one byte to another.
    Region {
        /// The object.
        object: Arc<Object>,
        /// First byte.
        start: u64,
        /// Behind the last byte.
        end: u64,
    },
    /// In an unlinked temporary file.
    Spool {
        /// The file; it has no name any more.
        file: Arc<File>,
        /// Its size in bytes.
        size: u64,
    },
}

impl Container {
    /// A reader with a position of its own.
    pub(crate) fn reader(&self) -> Box<dyn ReadSeek> {
        match self {
            Container::Region { object, start, end } => Box::new(object.region(*start, *end)),
            Container::Spool { file, size } => {
                Box::new(SpoolReader { file: Arc::clone(file), size: *size, at: 0 })
            }
        }
    }
}

/// A reader with its own position in a shared temporary file.
struct SpoolReader {
    file: Arc<File>,
    size: u64,
    at: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = target.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
