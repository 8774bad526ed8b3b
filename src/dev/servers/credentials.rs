//! What is secret in a home: the access key of the private S3 endpoint, and the key that hashes
//! identifiers. Each is made once, and kept in a file of mode 0600.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Doing as _, Error, Kind, Result};

/// An access key and its secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// As in `AWS_ACCESS_KEY_ID`.
    pub access_key: String,
    /// As in `AWS_SECRET_ACCESS_KEY`.
    pub secret_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The credentials of `home`; makes them at the first call.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn of(home: &Path) -> Result<Credentials> {
        let path = home.join("s3.credentials");
        if !path.exists() {
            make(home, &path)?;
        }
        let text = fs::read(&path).doing_with(|| format!("read {}", path.display()))?;
        serde_json::from_slice(&text).map_err(|error| {
            let message = format!("{} holds no credentials", path.display());
            Error::new(Kind::Broken(path), message).because(error)
        })
    }
}

fn make(home: &Path, path: &Path) -> Result<()> {
    let made = Credentials {
        access_key: format!("KILN{}", random_hex(8)?.to_uppercase()),
        secret_key: random_hex(20)?,
    };
    let text = serde_json::to_vec_pretty(&made).doing("write credentials")?;
    keep(home, path, &text)
}

/// The file of the home's own hash key; makes it at the first call.
///
/// # Errors
/// When it cannot be written.
pub fn hash_key(home: &Path) -> Result<PathBuf> {
    let path = home.join("hash.key");
    if !path.exists() {
        keep(home, &path, random_hex(32)?.as_bytes())?;
    }
    Ok(path)
}

/// The file appears complete, and the first of two makers wins.
fn keep(home: &Path, path: &Path, secret: &[u8]) -> Result<()> {
    // tempfile makes it with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(home)
        .doing_with(|| format!("make a file in {}", home.display()))?;
    file.write_all(secret).doing_with(|| format!("write {}", path.display()))?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => {
            Err(error.error).doing_with(|| format!("write {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    let mut source = fs::File::open("/dev/urandom").doing("open /dev/urandom")?;
    source.read_exact(&mut random).doing("read /dev/urandom")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn made_once_and_readable_by_the_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let first = Credentials::of(home.path()).unwrap();
        let second = Credentials::of(home.path()).unwrap();
        assert_eq!(first.secret_key, second.secret_key);
        let mode = home.path().join("s3.credentials").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(&first.secret_key));
    }
}
