//! An entry as its archive's directory has it, and what makes one hostile.

use super::super::verified::ExpectedStream;
use crate::error::{Exit, Failure};
use crate::fetch::contents::Link;

/// Whether a name leads out of the folder that it would be unpacked in, on whatever system. The
/// crate's own test lets absolute names pass, for it would strip them.
pub(super) fn escapes(name: &str) -> bool {
    let absolute = name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':');
    absolute || name.split(['/', '\\']).any(|part| part == "..")
}

/// What a directory says of an entry.
pub(super) struct DirectoryEntry {
    pub(super) name: String,
    pub(super) is_dir: bool,
    pub(super) encrypted: bool,
    pub(super) stored: bool,
    pub(super) data_start: Option<u64>,
    pub(super) size: u64,
    pub(super) compressed: u64,
    pub(super) crc: u32,
}

impl DirectoryEntry {
    pub(super) fn refuse_if_encrypted(&self) -> anyhow::Result<()> {
        if !self.encrypted {
            return Ok(());
        }
        Err(refuse_encrypted())
    }

    pub(super) fn link(&self) -> Link {
        let DirectoryEntry { name, size, crc, .. } = self;
        Link { name: name.clone(), size: *size, crc32: Some(*crc), sha256: None }
    }

    pub(super) fn expected(&self, bytes_max: u64) -> ExpectedStream {
        ExpectedStream {
            size: self.size,
            compressed: self.compressed,
            bytes_max,
            crc: Some(self.crc),
            sha256: None,
        }
    }
}

/// The error of an encrypted entry.
pub(crate) fn refuse_encrypted() -> anyhow::Error {
    Failure::new(Exit::InputRejected, "is encrypted, and kiln has no password")
        .hint("CMS publishes unencrypted files; land the public one")
        .into()
}
