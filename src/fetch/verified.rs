//! Reading with a verdict: counts and hashes what goes through, refuses what is larger than was
//! declared or allowed, and gives out the proof of completeness at the end.

use std::io::Read;

use aws_smithy_types::base64;
use sha2::{Digest as _, Sha256};

use crate::error::{Exit, Failure, LAND_AGAIN, into_io};
use crate::fetch::digest::hex;

/// Inflated to compressed bytes; CMS's files stay below 30.
pub(super) const RATIO_MAX: u64 = 200;
/// Below this size the ratio means nothing.
const RATIO_FROM: u64 = 64 << 20;

/// What is known of a stream before it is read.
#[derive(Debug, Clone)]
pub struct ExpectedStream {
    /// Size in bytes as the container declares it.
    pub size: u64,
    /// Size in the container.
    pub compressed: u64,
    /// Most bytes that the spec allows.
    pub bytes_max: u64,
    /// Whether the container checks a CRC at the end (zip does).
    pub crc: Option<u32>,
    /// sha256 of the whole in base64, where the store has one for just these bytes.
    pub sha256: Option<String>,
}

/// The proof that a stream was read to its true end. Only [`VerifiedReader::finish`] makes one, and
/// COPY cannot be finished without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    bytes: u64,
    sha256: String,
    evidence: String,
}

impl Complete {
    /// Bytes read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Their sha256, in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Which evidence there was: `size`, `size+crc32`, `size+sha256`.
    pub fn evidence(&self) -> &str {
        &self.evidence
    }
}

/// A reader that counts and hashes.
pub struct VerifiedReader<R> {
    input: R,
    expected: ExpectedStream,
    bytes: u64,
    hash: Sha256,
    ended: bool,
    on_bytes: Box<dyn Fn(u64) + Send>,
}

impl<R: Read> VerifiedReader<R> {
    /// Wraps a reader; `on_bytes` hears of every piece (for progress).
    pub fn new(
        input: R,
        expected: ExpectedStream,
        on_bytes: impl Fn(u64) + Send + 'static,
    ) -> Self {
        VerifiedReader {
            input,
            expected,
            bytes: 0,
            hash: Sha256::new(),
            ended: false,
            on_bytes: Box::new(on_bytes),
        }
    }

    /// The verdict, once the end was reached.
    ///
    /// # Errors
    /// [`Exit::InputRejected`] when the end was not reached, or size or checksum differ.
    pub fn finish(self) -> anyhow::Result<Complete> {
        let ExpectedStream { size, crc, sha256: whole, .. } = &self.expected;
        if !self.ended || self.bytes != *size {
            let message = format!("ended early: expected {size} bytes, found {}", self.bytes);
            return Err(refuse(message));
        }
        let digest = self.hash.finalize();
        let found = base64::encode(digest);
        if let Some(expected) = whole
            && *expected != found
        {
            return Err(refuse(format!("sha256 differs: the store has {expected}, read {found}")));
        }
        let mut evidence = String::from("size");
        if crc.is_some() {
            evidence.push_str("+crc32");
        }
        if whole.is_some() {
            evidence.push_str("+sha256");
        }
        Ok(Complete { bytes: self.bytes, sha256: hex(&digest), evidence })
    }

    fn refuse_growth(&self) -> anyhow::Result<()> {
        let ExpectedStream { size, compressed, bytes_max, .. } = self.expected;
        if self.bytes > size {
            return Err(refuse(format!(
                "is larger than the {size} bytes that its archive declares"
            )));
        }
        if self.bytes > bytes_max {
            let message = format!("is larger than the {bytes_max} bytes that the spec allows");
            return Err(Failure::new(Exit::InputRejected, message)
                .hint("if that is normal, raise `bytes_max` in the source's spec")
                .into());
        }
        if self.bytes > RATIO_FROM && self.bytes / compressed.max(1) > RATIO_MAX {
            return Err(refuse(format!("inflates to more than {RATIO_MAX} times its size")));
        }
        Ok(())
    }
}

fn refuse(message: String) -> anyhow::Error {
    Failure::new(Exit::InputRejected, message).hint(LAND_AGAIN).into()
}

impl<R: Read> Read for VerifiedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.ended = count == 0;
        self.bytes += count as u64;
        self.hash.update(&buffer[..count]);
        (self.on_bytes)(count as u64);
        self.refuse_growth().map_err(into_io)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(size: u64) -> ExpectedStream {
        ExpectedStream { size, compressed: size, bytes_max: 1 << 30, crc: None, sha256: None }
    }

    fn read(text: &[u8], expected: ExpectedStream) -> anyhow::Result<Complete> {
        let mut reader = VerifiedReader::new(text, expected, |_| ());
        std::io::copy(&mut reader, &mut std::io::sink()).map_err(crate::error::from_io)?;
        reader.finish()
    }

    #[test]
    fn a_proof_needs_the_size_and_the_checksum() {
        assert_eq!(read(b"abc", expected(3)).map(|proof| proof.bytes()).ok(), Some(3));
        let short = read(b"ab", expected(3)).unwrap_err().to_string();
        assert_eq!(short, "ended early: expected 3 bytes, found 2");
        let long = read(b"abcd", expected(3)).unwrap_err().to_string();
        assert_eq!(long, "is larger than the 3 bytes that its archive declares");
        let other =
            ExpectedStream { sha256: Some(base64::encode(Sha256::digest(b"abd"))), ..expected(3) };
        assert!(read(b"abc", other).unwrap_err().to_string().starts_with("sha256 differs"));
    }

    #[test]
    fn a_reader_left_before_its_end_proves_nothing() {
        let mut reader = VerifiedReader::new(&b"abc"[..], expected(3), |_| ());
        let mut three = [0; 3];
        reader.read_exact(&mut three).unwrap();
        assert!(reader.finish().is_err());
    }
}
