//! Personal identifiers: a keyed hash in their place, made before Postgres sees them.
//!
//! The key belongs to the installation and never reaches a database. Whoever has the hashes
//! without it can neither read an identifier nor try all of them (an MBI has some 10^13 forms, a
//! plain hash of one is found in hours); with the same key the same person is the same hash in
//! every file of every night.

use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::{Exit, Failure, shell};
use crate::fetch::plainfile;

/// Keeps what this process reads of people, and the key, out of core dumps, and out of reach of another
/// process of the same user, from here to its end.
pub(crate) fn keep_out_of_core_dumps() {
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        tracing::warn!(error = error.desc(), "core dumps are not off");
    }
}

/// Shortest key: as long as the hash's security (NIST SP 800-107r1, 5.3.4).
const KEY_MIN: usize = 32;

/// An installation's key.
pub struct HashKey(Hmac<Sha256>);

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(…)")
    }
}

impl HashKey {
    /// Reads the key from its file; a line end after it does not count.
    ///
    /// # Errors
    /// [`Exit::Usage`] when the file cannot be read, or holds too little.
    pub fn read(path: &Path) -> anyhow::Result<HashKey> {
        // What is there is never to be written over: with another key no person is the same.
        const NAME: &str =
            "name the file of the key: KILN_HASH_KEY_FILE, or hash_key_file in kiln.toml";
        let bytes = plainfile::bytes(path).map_err(|error| {
            let message = format!("cannot read the hash key {}", path.display());
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    format!("openssl rand -hex 32 > {}", shell::path(path))
                }
                _ => NAME.to_owned(),
            };
            Failure::new(Exit::Usage, message).hint(hint).because(error)
        })?;
        HashKey::new(bytes.trim_ascii_end()).ok_or_else(|| {
            let message = format!(
                "the hash key {} has {} bytes, expected {KEY_MIN} or more",
                path.display(),
                bytes.trim_ascii_end().len()
            );
            Failure::new(Exit::Usage, message).hint(NAME).into()
        })
    }

    /// A key of these bytes, if they are enough.
    pub fn new(bytes: &[u8]) -> Option<HashKey> {
        let long_enough = bytes.len() >= KEY_MIN;
        long_enough.then(|| Hmac::new_from_slice(bytes).ok().map(HashKey)).flatten()
    }

    /// What tells this key from another, and gives neither away: its hash of a constant text that
    /// is no identifier.
    pub fn fingerprint(&self) -> String {
        crate::fetch::digest::hex(&self.hash(b"kiln: which key is this?"))
    }

    /// The hash of an identifier: the first half of its HMAC-SHA256, as wide as a uuid.
    pub fn hash(&self, identifier: &[u8]) -> [u8; 16] {
        let mut mac = self.0.clone();
        mac.update(identifier);
        let whole = mac.finalize().into_bytes();
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hmac_sha256_as_rfc_4231_has_it() {
        // Test case 6: a key of 131 bytes.
        let key = HashKey::new(&[0xaa; 131]).expect("long enough");
        let hash = key.hash(b"Test Using Larger Than Block-Size Key - Hash Key First");
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f";
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn a_process_that_reads_of_people_leaves_no_core() {
        keep_out_of_core_dumps();
        assert_eq!(nix::sys::prctl::get_dumpable(), Ok(false));
    }

    #[test]
    fn a_short_key_is_none_and_no_key_is_shown() {
        assert!(HashKey::new(b"too short").is_none());
        let key = HashKey::new(&[7; 32]).expect("long enough");
        assert_eq!(format!("{key:?}"), "HashKey(…)");
    }
}
