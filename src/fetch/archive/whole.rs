//! Whether a file that is to land is a whole zip, before it lands: its members' checksums, and the
//! directories of the zips in it, within the bounds that the night has.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;

use super::super::container::{Container, ReadSeek};
use super::super::verified::{ExpectedStream, VerifiedReader};
use super::bounds::Bounds;
use super::{DEPTH_MAX, refuse_encrypted, scratch_file};
use crate::error::{Position, at, from_io};

/// Reads a zip to its end; blocking. Inner zips that are deflated are kept in `scratch` while their
/// directories are read.
///
/// # Errors
/// [`crate::error::Exit::InputRejected`] when it is cut, damaged, encrypted or hostile.
pub(crate) fn whole_zip(file: File, scratch: &Path) -> anyhow::Result<()> {
    let size = file.metadata().map_err(from_io)?.len();
    let mut bounds = Bounds::new(size);
    let outermost = Container::Spool { file: Arc::new(file), size };
    let mut archive = bounds.directory(buffered(&outermost))?;
    bounds.admit(&mut archive)?;
    let mut walk = Walk { bounds, scratch };
    for index in 0..archive.len() {
        let entry = ContainerEntry::of(&mut archive, index)?;
        if entry.encrypted {
            return Err(entry
                .located(refuse_encrypted())
                .context(format!("member {}", entry.name)));
        }
        let looked = walk.look(&mut archive, index, &entry, 1, true);
        looked.map_err(|error| entry.located(error).context(format!("member {}", entry.name)))?;
    }
    Ok(())
}

fn buffered(container: &Container) -> Box<dyn ReadSeek> {
    Box::new(BufReader::new(container.reader()))
}

/// What the directory says of an entry.
struct ContainerEntry {
    name: String,
    encrypted: bool,
    is_zip: bool,
    expected: ExpectedStream,
}

impl ContainerEntry {
    fn of(
        archive: &mut ZipArchive<Box<dyn ReadSeek>>,
        index: usize,
    ) -> anyhow::Result<ContainerEntry> {
        let raw = archive.by_index_raw(index).map_err(super::damaged)?;
        let name = raw.name().map_err(super::damaged)?.into_owned();
        Ok(ContainerEntry {
            encrypted: raw.encrypted(),
            is_zip: name.to_ascii_lowercase().ends_with(".zip"),
            name,
            // Declared sizes may lie; a landing file is not to fill the time either.
            expected: ExpectedStream {
                size: raw.size(),
                compressed: raw.compressed_size(),
                bytes_max: u64::MAX,
                crc: Some(raw.crc32()),
                sha256: None,
            },
        })
    }
}

impl ContainerEntry {
    /// Says of an error that it is of this entry, or of what is in it.
    fn located(&self, error: anyhow::Error) -> anyhow::Error {
        at(error, Position { member: Some(self.name.clone()), ..Position::default() })
    }
}

struct Walk<'a> {
    bounds: Bounds,
    scratch: &'a Path,
}

impl Walk<'_> {
    /// Reads an entry: all of the outermost, and of those further in the zips alone.
    fn look(
        &mut self,
        archive: &mut ZipArchive<Box<dyn ReadSeek>>,
        index: usize,
        entry: &ContainerEntry,
        depth: usize,
        all: bool,
    ) -> anyhow::Result<()> {
        self.bounds.inflates(entry.expected.size)?;
        let inside = entry.is_zip && depth < DEPTH_MAX && !entry.encrypted;
        if !all && !inside {
            return Ok(());
        }
        let mut member = archive.by_index(index).map_err(super::damaged)?;
        let mut verified = VerifiedReader::new(&mut member, entry.expected.clone(), |_| ());
        if !inside {
            std::io::copy(&mut verified, &mut std::io::sink()).map_err(from_io)?;
            return verified.finish().map(drop);
        }
        let mut file = scratch_file(self.scratch)?;
        super::copy_to_scratch(&mut verified, &mut file)?;
        let size = verified.finish()?.bytes();
        self.inner(&Container::Spool { file: Arc::new(file), size }, depth + 1)
    }

    /// Reads the directory of a zip in a zip. One that is none is the night's to refuse, where a
    /// source reads it at all.
    fn inner(&mut self, container: &Container, depth: usize) -> anyhow::Result<()> {
        let Ok(mut archive) = self.bounds.directory(buffered(container)) else { return Ok(()) };
        self.bounds.admit(&mut archive)?;
        for index in 0..archive.len() {
            let entry = ContainerEntry::of(&mut archive, index)?;
            let looked = self.look(&mut archive, index, &entry, depth, false);
            looked.map_err(|error| entry.located(error).context(entry.name))?;
        }
        Ok(())
    }
}
