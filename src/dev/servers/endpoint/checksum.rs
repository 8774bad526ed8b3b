//! The checksums of S3: which a request promises, what arrived, and what an object keeps.

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::Checksum;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// S3's checksum algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Algorithm {
    /// CRC-32 of ISO-HDLC, as in zip.
    Crc32,
    /// CRC-32C, Castagnoli.
    Crc32c,
    /// CRC-64 as in NVMe.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    const ALL: [Algorithm; 5] = [
        Algorithm::Crc32,
        Algorithm::Crc32c,
        Algorithm::Crc64Nvme,
        Algorithm::Sha1,
        Algorithm::Sha256,
    ];

    /// As in `x-amz-checksum-algorithm`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that carries the value.
    pub(super) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    /// From `x-amz-checksum-algorithm`.
    ///
    /// # Errors
    /// `InvalidRequest` for a name that S3 does not know.
    pub(super) fn named(name: &str) -> S3Result<Algorithm> {
        let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        found.ok_or_else(|| s3_error!(InvalidRequest, "unknown checksum algorithm"))
    }

    /// From the names in `x-amz-trailer`.
    pub(super) fn in_trailer(names: &str) -> Option<Algorithm> {
        let mut names = names.split(',').map(str::trim);
        names.find_map(|name| {
            Algorithm::ALL.into_iter().find(|algorithm| algorithm.header() == name)
        })
    }
}

/// Checksums in base64, by algorithm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    /// The values; composite ones end in `-` and the number of parts.
    pub values: BTreeMap<Algorithm, String>,
    /// Made from the checksums of the parts, not from the object's bytes.
    pub composite: bool,
}

impl Sums {
    /// One algorithm's value.
    pub(super) fn get(&self, algorithm: Algorithm) -> Option<String> {
        self.values.get(&algorithm).cloned()
    }

    /// Refuses if a declared value differs from what arrived.
    ///
    /// # Errors
    /// `BadDigest`.
    pub(super) fn must_hold(&self, arrived: &Sums) -> S3Result<()> {
        for (algorithm, declared) in &self.values {
            if arrived.values.get(algorithm) != Some(declared) {
                let name = algorithm.name();
                return Err(s3_error!(
                    BadDigest,
                    "the {name} checksum of the content differs from the one declared"
                ));
            }
        }
        Ok(())
    }
}

/// The checksums in the fields of an s3s input, part or [`Checksum`].
macro_rules! sums_of {
    ($source:expr) => {{
        use $crate::endpoint::checksum::Algorithm as A;
        let mut sums = $crate::endpoint::checksum::Sums::default();
        let fields = [
            (A::Crc32, &$source.checksum_crc32),
            (A::Crc32c, &$source.checksum_crc32c),
            (A::Crc64Nvme, &$source.checksum_crc64nvme),
            (A::Sha1, &$source.checksum_sha1),
            (A::Sha256, &$source.checksum_sha256),
        ];
        for (algorithm, value) in fields {
            if let Some(value) = value {
                sums.values.insert(algorithm, value.clone());
            }
        }
        sums
    }};
}

/// Puts checksums into the fields of an s3s output.
macro_rules! put_sums {
    ($sums:expr, $output:expr) => {{
        use $crate::endpoint::checksum::Algorithm as A;
        $output.checksum_crc32 = $sums.get(A::Crc32);
        $output.checksum_crc32c = $sums.get(A::Crc32c);
        $output.checksum_crc64nvme = $sums.get(A::Crc64Nvme);
        $output.checksum_sha1 = $sums.get(A::Sha1);
        $output.checksum_sha256 = $sums.get(A::Sha256);
    }};
}

pub(super) use {put_sums, sums_of};

/// Computes checksums of a stream.
pub(super) struct Summer(ChecksumHasher);

impl Summer {
    /// For these algorithms.
    pub(super) fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Summer {
        let mut hasher = ChecksumHasher::default();
        for algorithm in algorithms {
            match algorithm {
                Algorithm::Crc32 => hasher.crc32 = Some(Crc32::new()),
                Algorithm::Crc32c => hasher.crc32c = Some(Crc32c::new()),
                Algorithm::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
                Algorithm::Sha1 => hasher.sha1 = Some(Sha1::new()),
                Algorithm::Sha256 => hasher.sha256 = Some(Sha256::new()),
            }
        }
        Summer(hasher)
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksums of all bytes.
    pub(super) fn finish(self) -> Sums {
        let sums: Checksum = self.0.finalize();
        sums_of!(sums)
    }
}

/// S3's checksum of checksums: over the parts' values, with their number behind it.
///
/// # Errors
/// When a part's value is no base64, that is, when its sidecar was damaged.
pub(super) fn composite(algorithm: Algorithm, parts: &[String]) -> S3Result<Sums> {
    let mut summer = Summer::new([algorithm]);
    for part in parts {
        let raw = base64::decode(part)
            .map_err(|_| s3_error!(InternalError, "a part's checksum is damaged"))?;
        summer.update(&raw);
    }
    let mut sums = summer.finish();
    for value in sums.values.values_mut() {
        *value = format!("{value}-{}", parts.len());
    }
    sums.composite = true;
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let mut summer = Summer::new(Algorithm::ALL);
        summer.update(b"123456789");
        let sums = summer.finish();
        // The catalogued check values of these CRCs: cbf43926, e3069283, ae8b14860a799888.
        assert_eq!(sums.get(Algorithm::Crc32).unwrap(), base64::encode([0xcb, 0xf4, 0x39, 0x26]));
        assert_eq!(sums.get(Algorithm::Crc32c).unwrap(), base64::encode([0xe3, 0x06, 0x92, 0x83]));
        let crc64 = 0xae8b_1486_0a79_9888_u64.to_be_bytes();
        assert_eq!(sums.get(Algorithm::Crc64Nvme).unwrap(), base64::encode(crc64));
        assert_eq!(
            sums.get(Algorithm::Sha256).unwrap(),
            "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="
        );
    }

    #[test]
    fn trailers_are_found_among_others() {
        assert_eq!(Algorithm::in_trailer("x-amz-checksum-crc32"), Some(Algorithm::Crc32));
        assert_eq!(
            Algorithm::in_trailer("x-other, x-amz-checksum-sha256"),
            Some(Algorithm::Sha256)
        );
        assert_eq!(Algorithm::in_trailer("x-amz-trailer-signature"), None);
    }

    #[test]
    fn a_missing_or_different_checksum_is_refused() {
        let declared = Sums { values: [(Algorithm::Sha1, "x".into())].into(), composite: false };
        assert!(declared.must_hold(&declared).is_ok());
        assert!(declared.must_hold(&Sums::default()).is_err());
        assert!(Sums::default().must_hold(&declared).is_ok());
    }
}
