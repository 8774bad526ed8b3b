//! Files that people name: only regular ones are opened, and texts only up to a size. A named pipe
//! would be waited for without end, a device read without end, and a directory says "is a directory"
//! where nobody knows which file was meant.

use std::fs::{File, FileType, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Result};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The largest text that people write: a spec, a .sql file, kiln.toml, a dictionary.
pub(crate) const TEXT_MAX: u64 = 16 << 20;

/// Opens a regular file.
///
/// # Errors
/// When it cannot be opened, or is something else: that is said.
pub(crate) fn open(path: &Path) -> Result<File> {
    // Without waiting: a named pipe that nobody writes to is opened, too, and then refused.
    let options = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(options).open(path).map_err(|error| {
        // A socket cannot be opened at all.
        match path.metadata() {
            Ok(found) if !found.is_file() => refuse(found.file_type()),
            _ => error,
        }
    })?;
    let found = file.metadata()?.file_type();
    if found.is_file() { Ok(file) } else { Err(refuse(found)) }
}

fn refuse(found: FileType) -> Error {
    let what = match found {
        found if found.is_dir() => "a directory",
        found if found.is_fifo() => "a named pipe",
        found if found.is_socket() => "a socket",
        found if found.is_char_device() || found.is_block_device() => "a device",
        _ => "something else",
    };
    Error::new(ErrorKind::InvalidInput, format!("it is {what}, not a file"))
}

/// Reads a regular file to its end, up to [`TEXT_MAX`] bytes.
///
/// # Errors
/// As [`open`], and when it is larger.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(TEXT_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > TEXT_MAX {
        let message = format!("it is larger than {} MiB", TEXT_MAX >> 20);
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(bytes)
}

/// Reads a regular file of UTF-8 to its end, up to [`TEXT_MAX`] bytes.
///
/// # Errors
/// As [`bytes`], and when it is no UTF-8.
pub(crate) fn text(path: &Path) -> Result<String> {
    String::from_utf8(bytes(path)?).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|b| *b == b'\n');
        let message = format!("it is not UTF-8 in line {}", line.count());
        Error::new(ErrorKind::InvalidData, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_read_and_only_so_far() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str| bytes(&folder.path().join(name)).unwrap_err().to_string();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(said("pipe"), "it is a named pipe, not a file");
        assert_eq!(said("."), "it is a directory, not a file");
        assert_eq!(said("/dev/zero"), "it is a device, not a file");
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        assert_eq!(said("socket"), "it is a socket, not a file");
        std::os::unix::fs::symlink(&pipe, folder.path().join("link")).unwrap();
        assert_eq!(said("link"), "it is a named pipe, not a file");
        let large = File::create(folder.path().join("large")).unwrap();
        large.set_len(TEXT_MAX + 1).unwrap();
        assert_eq!(said("large"), "it is larger than 16 MiB");
        std::fs::write(folder.path().join("latin"), b"a\nb\xe4").unwrap();
        let latin = text(&folder.path().join("latin")).unwrap_err().to_string();
        assert_eq!(latin, "it is not UTF-8 in line 2");
        std::fs::write(folder.path().join("text"), "ä").unwrap();
        assert_eq!(text(&folder.path().join("text")).unwrap(), "ä");
        assert_eq!(bytes(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
