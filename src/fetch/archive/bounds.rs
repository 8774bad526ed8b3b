//! What the archives of one object may hold, all of them together.
//!
//! Zips may share their bytes and lie in each other: fifty kilobytes then name more files than a
//! night can read, and every one of them is small. So nothing is bounded by the archive alone.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::ZipArchive;

use super::super::container::ReadSeek;
use super::super::verified::RATIO_MAX;
use super::{NOT_FROM_CMS, damaged};
use crate::error::{Exit, Failure, into_io};

/// Entries of all archives of an object; a Part D release has 23, the PBP benefits 75.
const ENTRIES_MAX: usize = 10_000;
/// Archives that are opened of an object; a Part D release has nine, or eighteen by its parts.
const ARCHIVES_MAX: usize = 1_000;
/// Below this number of inflated bytes of an object their ratio to the landed ones means nothing.
const INFLATED_FROM: u64 = 1 << 30;
/// Bytes that may be read to find an archive's directory and to read it: 10,000 entries with names
/// of a kilobyte and more. A directory of millions of entries would fill the memory.
const DIRECTORY_MAX: u64 = 16 << 20;

/// What has been met of one object so far.
#[derive(Debug)]
pub(super) struct Bounds {
    /// Bytes of the object.
    landed: u64,
    entries: usize,
    archives: usize,
    inflated: u64,
}

impl Bounds {
    /// Nothing met yet of an object of `landed` bytes.
    pub(super) fn new(landed: u64) -> Bounds {
        Bounds { landed, entries: 0, archives: 0, inflated: 0 }
    }

    /// Reads an archive's directory.
    ///
    /// # Errors
    /// [`Exit::InputRejected`] when it is no archive, or its directory is too large.
    pub(super) fn directory(
        &self,
        reader: Box<dyn ReadSeek>,
    ) -> anyhow::Result<ZipArchive<Box<dyn ReadSeek>>> {
        let left = Arc::new(AtomicU64::new(DIRECTORY_MAX));
        let limited = Limited { input: reader, left: Arc::clone(&left) };
        let opened = ZipArchive::new(Box::new(limited) as Box<dyn ReadSeek>);
        // What is read from here on is members, and bounded by what the directory says of them.
        match left.swap(u64::MAX, Ordering::Relaxed) {
            0 => Err(too_large_a_directory()),
            _ => opened.map_err(damaged),
        }
    }

    /// Counts an archive that was opened in, and refuses one that shares bytes or names.
    ///
    /// # Errors
    /// [`Exit::InputRejected`].
    pub(super) fn admit(
        &mut self,
        archive: &mut ZipArchive<Box<dyn ReadSeek>>,
    ) -> anyhow::Result<()> {
        self.archives += 1;
        if self.archives > ARCHIVES_MAX {
            return Err(refuse(format!("more than {ARCHIVES_MAX} archives in one object")));
        }
        // The crate keeps the last of two entries with one name; which of them is meant, nobody
        // knows.
        if archive.has_duplicate_names() {
            return Err(refuse("two entries have one name"));
        }
        self.entries += archive.len();
        if self.entries > ENTRIES_MAX {
            return Err(refuse(format!("more than {ENTRIES_MAX} entries in one object")));
        }
        if archive.has_overlapping_entries().map_err(damaged)? {
            return Err(refuse("two entries share bytes, or one lies in the directory"));
        }
        Ok(())
    }

    /// Counts bytes in that an entry says it inflates to; what it holds is held against that.
    ///
    /// # Errors
    /// [`Exit::InputRejected`].
    pub(super) fn inflates(&mut self, bytes: u64) -> anyhow::Result<()> {
        self.inflated = self.inflated.saturating_add(bytes);
        if self.inflated > INFLATED_FROM && self.inflated / self.landed.max(1) > RATIO_MAX {
            let message = format!(
                "what it holds inflates to more than {RATIO_MAX} times the {} bytes that landed",
                self.landed
            );
            return Err(refuse(message));
        }
        Ok(())
    }
}

fn refuse(message: impl Into<String>) -> anyhow::Error {
    Failure::new(Exit::InputRejected, message).hint(NOT_FROM_CMS).into()
}

fn too_large_a_directory() -> anyhow::Error {
    refuse(format!(
        "is not a whole zip archive: no directory in {} MiB that were read for it",
        DIRECTORY_MAX >> 20
    ))
}

/// A reader that gives a limited number of bytes and then an error.
struct Limited {
    input: Box<dyn ReadSeek>,
    left: Arc<AtomicU64>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == u64::MAX {
            return self.input.read(buffer);
        }
        if left == 0 {
            return Err(into_io(too_large_a_directory()));
        }
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.input.read(&mut buffer[..most])?;
        self.left.store(left - count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.input.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_of;

    #[test]
    fn inflated_bytes_are_held_against_those_that_landed_over_all_entries() {
        let mut bounds = Bounds::new(50_000);
        for _ in 0..16 {
            bounds.inflates(64 << 20).unwrap();
        }
        let error = bounds.inflates(64 << 20).unwrap_err();
        assert_eq!(exit_of(&error), Exit::InputRejected);
        assert!(error.to_string().contains("more than 200 times the 50000 bytes"), "{error}");
        // A release of CMS's: 25 GB of text in 2 GB.
        let mut release = Bounds::new(2 << 30);
        (0..25).for_each(|_| release.inflates(1 << 30).unwrap());
        assert!(Bounds::new(1 << 20).inflates(u64::MAX).is_err());
    }
}
