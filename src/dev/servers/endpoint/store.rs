//! Objects as files: `<dir>/<bucket>/<key>` holds the bytes, `<dir>/.meta/<bucket>/` what S3 keeps
//! beside them. Bucket names never begin with a dot, so the two cannot meet.
//!
//! An object appears whole, by a rename, and its sidecar is named after the ETag of the very file
//! it describes and lies there before the rename. So readers never pair bytes with another
//! object's checksum, also with two endpoints over one directory, and a file that somebody put
//! there by hand is an object without checksum. Nothing is synced to disk: what is here is a copy.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::checksum::Sums;
use super::key;

/// Temporary files untouched for so long belong to nobody.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// What S3 keeps beside an object's bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sidecar {
    /// The headers that come back as they were sent.
    #[serde(default)]
    pub headers: Headers,
    /// `x-amz-meta-*`.
    #[serde(default)]
    pub metadata: Option<HashMap<String, String>>,
    /// Checksums that were verified when the object arrived.
    #[serde(default)]
    pub sums: Sums,
}

/// Headers that come back as they were sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Headers {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
}

/// A directory that holds buckets.
#[derive(Debug, Clone)]
pub(super) struct Store {
    dir: PathBuf,
}

/// An object opened for reading: the same bytes to the end, whatever replaces it meanwhile.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its bytes.
    pub file: File,
    /// In bytes.
    pub size: u64,
    /// Last modification.
    pub modified: SystemTime,
    /// Without quotes.
    pub etag: String,
    /// Empty for files that no endpoint wrote.
    pub sidecar: Sidecar,
}

impl Store {
    /// Opens the store below `dir`, and removes what uploads left there that died long ago.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub(super) fn open(dir: &Path) -> io::Result<Store> {
        let store = Store { dir: dir.to_owned() };
        fs::create_dir_all(store.temporary())?;
        let now = SystemTime::now();
        for entry in fs::read_dir(store.temporary())?.flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|then| now.duration_since(then).ok());
            if age.is_some_and(|age| age > ABANDONED) {
                // Another endpoint may be quicker.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(store)
    }

    /// Makes a bucket; answers whether it is new.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub(super) fn create_bucket(&self, bucket: &str) -> io::Result<bool> {
        match fs::create_dir(self.dir.join(bucket)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The directory of an existing bucket. s3s has checked its name.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(super) fn bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        let path = self.dir.join(bucket);
        if path.is_dir() { Ok(path) } else { Err(s3_error!(NoSuchBucket)) }
    }

    /// All buckets with their times, by name.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(super) fn buckets(&self) -> io::Result<Vec<(String, SystemTime)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if entry.file_type()?.is_dir() && !name.is_empty() && !name.starts_with('.') {
                found.push((name, entry.metadata()?.modified()?));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// A new temporary file on the store's file system; it goes when it is dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn temporary_file(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::NamedTempFile::new_in(self.temporary())
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join(".meta/tmp")
    }

    /// The directory of a bucket's unfinished multipart uploads.
    pub(super) fn uploads(&self, bucket: &str) -> PathBuf {
        self.dir.join(".meta").join(bucket).join("uploads")
    }

    /// Opens an object with its metadata.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`, or a key that cannot be.
    pub(super) fn get(&self, bucket: &str, key: &str) -> S3Result<Opened> {
        let path = key::place(&self.bucket(bucket)?, key)?;
        let absent = |error: io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => s3_error!(NoSuchKey),
            _ => failed(error),
        };
        // Without O_NONBLOCK, opening a pipe that lies there would wait for a writer.
        let flags = nix::libc::O_NONBLOCK;
        let file = File::options().read(true).custom_flags(flags).open(path).map_err(absent)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(s3_error!(NoSuchKey));
        }
        let etag = etag(&metadata);
        let sidecar = fs::read(self.sidecar(bucket, key, &etag)).ok();
        Ok(Opened {
            size: metadata.len(),
            modified: metadata.modified().map_err(failed)?,
            sidecar: sidecar
                .and_then(|text| serde_json::from_slice(&text).ok())
                .unwrap_or_default(),
            etag,
            file,
        })
    }

    /// Turns a temporary file into the object, in one step. With `only_new`, an existing object
    /// stays as it is. Answers the ETag.
    ///
    /// # Errors
    /// `PreconditionFailed` under `only_new`; a clash of the key with one that is its directory.
    pub(super) fn publish(
        &self,
        bucket: &str,
        key: &str,
        file: tempfile::NamedTempFile,
        sidecar: &Sidecar,
        only_new: bool,
    ) -> S3Result<String> {
        let place = key::place(&self.bucket(bucket)?, key)?;
        // The kernel stamps files by its tick; two objects of one size within one must differ.
        file.as_file().set_modified(SystemTime::now()).map_err(failed)?;
        let etag = etag(&file.as_file().metadata().map_err(failed)?);
        let beside = self.sidecar(bucket, key, &etag);
        fs::create_dir_all(beside.parent().unwrap_or(&self.dir)).map_err(failed)?;
        fs::write(&beside, serde_json::to_vec(sidecar).map_err(S3Error::internal_error)?)
            .map_err(failed)?;
        let replaced = fs::metadata(&place).ok().map(|metadata| self::etag(&metadata));
        if let Err(error) = settle(file.path(), &place, only_new) {
            // The object is not there, so its sidecar describes nothing.
            let _ = fs::remove_file(beside);
            return Err(error);
        }
        if let Some(old) = replaced {
            let _ = fs::remove_file(self.sidecar(bucket, key, &old));
        }
        Ok(etag)
    }

    /// Removes an object; it need not exist.
    ///
    /// # Errors
    /// `NoSuchBucket`, or a key that cannot be.
    pub(super) fn delete(&self, bucket: &str, key: &str) -> S3Result<()> {
        let root = self.bucket(bucket)?;
        let place = key::place(&root, key)?;
        let Ok(metadata) = fs::symlink_metadata(&place) else { return Ok(()) };
        if metadata.is_dir() {
            return Ok(());
        }
        match fs::remove_file(&place) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let _ = fs::remove_file(self.sidecar(bucket, key, &etag(&metadata)));
        let above = place.ancestors().skip(1).take_while(|directory| *directory != root);
        for directory in above {
            // The first that is not empty ends it.
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn sidecar(&self, bucket: &str, key: &str, etag: &str) -> PathBuf {
        let digest = Sha256::digest(key.as_bytes());
        let hash: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let (shard, rest) = hash.split_at(2);
        self.dir
            .join(".meta")
            .join(bucket)
            .join("objects")
            .join(shard)
            .join(format!("{rest}.{etag}"))
    }
}

/// Moves a file to its place, making the directories above it.
fn settle(from: &Path, place: &Path, only_new: bool) -> S3Result<()> {
    // A delete in another process may take away an empty directory between two steps.
    for _ in 0..20 {
        let made = place.parent().map_or(Ok(()), fs::create_dir_all);
        let moved = made.and_then(|()| {
            if only_new { fs::hard_link(from, place) } else { fs::rename(from, place) }
        });
        match moved {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error)
                if only_new && error.kind() == ErrorKind::AlreadyExists && place.is_file() =>
            {
                return Err(s3_error!(PreconditionFailed, "the object exists"));
            }
            // A directory that a delete left empty is nobody's; any other holds keys.
            Err(_) if place.is_dir() && fs::remove_dir(place).is_ok() => {}
            Err(error) if place.is_dir() => {
                return Err(s3_error!(
                    error,
                    InvalidRequest,
                    "this endpoint keeps objects as files: the key is a directory of other keys"
                ));
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::AlreadyExists) =>
            {
                return Err(s3_error!(
                    error,
                    InvalidRequest,
                    "this endpoint keeps objects as files: an object has the name of one of the key's directories"
                ));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(s3_error!(OperationAborted, "the directory of the key keeps vanishing"))
}

/// Changes whenever the file is replaced or written to, and costs no read.
pub(super) fn etag(metadata: &Metadata) -> String {
    let nanoseconds =
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    format!("{:x}-{nanoseconds:x}-{:x}", metadata.len(), metadata.ino())
}

/// An error of the file system, in S3's words.
pub(super) fn failed(error: io::Error) -> S3Error {
    match error.kind() {
        ErrorKind::InvalidFilename => s3_error!(error, KeyTooLongError),
        _ => {
            let text = error.to_string();
            s3_error!(error, InternalError, "{text}")
        }
    }
}
