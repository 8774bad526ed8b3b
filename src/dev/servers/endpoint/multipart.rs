//! Multipart uploads: parts as files in a directory of the upload, outside the keys, put together
//! into one object at the end. Sizes, order, ETags and checksums are held to S3's own rules, so
//! that what passes here passes there.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::path::PathBuf;

use s3s::dto::CompletedPart;
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::checksum::{Algorithm, Summer, Sums, composite, sums_of};
use super::store::{Sidecar, Store, etag, failed};

/// S3's smallest part, the last one excepted, in bytes.
const SMALLEST_PART: u64 = 5 << 20;
/// S3's largest number of parts.
const MOST_PARTS: i32 = 10_000;

/// What an upload was begun with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    /// The object's key.
    pub key: String,
    /// What the object will keep.
    pub sidecar: Sidecar,
    /// The checksum that every part has.
    pub algorithm: Option<Algorithm>,
    /// The object's checksum is made from the parts' ones.
    pub composite: bool,
}

/// A part that has arrived.
#[derive(Debug)]
pub(super) struct Part {
    /// From 1 to 10,000.
    pub number: i32,
    /// In bytes.
    pub size: u64,
    /// When it arrived.
    pub modified: std::time::SystemTime,
    /// Without quotes.
    pub etag: String,
    /// Verified.
    pub sums: Sums,
    path: PathBuf,
}

/// The unfinished uploads of a bucket.
pub(super) struct Uploads<'a> {
    store: &'a Store,
    bucket: &'a str,
}

impl<'a> Uploads<'a> {
    /// Of an existing bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(super) fn of(store: &'a Store, bucket: &'a str) -> S3Result<Uploads<'a>> {
        store.bucket(bucket)?;
        Ok(Uploads { store, bucket })
    }

    /// Begins an upload; answers its id.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin(&self, upload: &Upload) -> S3Result<String> {
        let id = Uuid::now_v7().simple().to_string();
        let directory = self.store.uploads(self.bucket).join(&id);
        fs::create_dir_all(&directory).map_err(failed)?;
        let text = serde_json::to_vec(upload).map_err(S3Error::internal_error)?;
        fs::write(directory.join("upload.json"), text).map_err(failed)?;
        Ok(id)
    }

    /// An upload under way.
    ///
    /// # Errors
    /// `NoSuchUpload`, also when the id is of another key.
    pub(super) fn find(&self, id: &str, key: &str) -> S3Result<Upload> {
        let text = fs::read(self.directory(id)?.join("upload.json"))
            .map_err(|_| s3_error!(NoSuchUpload))?;
        let upload: Upload = serde_json::from_slice(&text).map_err(S3Error::internal_error)?;
        if upload.key == key { Ok(upload) } else { Err(s3_error!(NoSuchUpload)) }
    }

    /// Keeps a part, in place of an earlier one of its number. Answers its ETag.
    ///
    /// # Errors
    /// `InvalidArgument` for a number out of range; `NoSuchUpload` if it was aborted meanwhile.
    pub(super) fn keep(
        &self,
        id: &str,
        number: i32,
        file: NamedTempFile,
        sums: &Sums,
    ) -> S3Result<String> {
        if !(1..=MOST_PARTS).contains(&number) {
            return Err(s3_error!(InvalidArgument, "part numbers are from 1 to 10000"));
        }
        let place = self.directory(id)?.join(format!("{number:05}"));
        file.as_file().set_modified(std::time::SystemTime::now()).map_err(failed)?;
        let etag = etag(&file.as_file().metadata().map_err(failed)?);
        let text = serde_json::to_vec(sums).map_err(S3Error::internal_error)?;
        let aborted = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => s3_error!(NoSuchUpload),
            _ => failed(error),
        };
        fs::write(place.with_extension(&etag), text).map_err(aborted)?;
        fs::rename(file.path(), &place).map_err(aborted)?;
        Ok(etag)
    }

    /// The parts that arrived, by number.
    ///
    /// # Errors
    /// When the upload's directory cannot be read.
    pub(super) fn parts(&self, id: &str) -> S3Result<Vec<Part>> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(self.directory(id)?).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Ok(number) = name.parse() else { continue };
            let metadata = path.metadata().map_err(failed)?;
            let etag = etag(&metadata);
            let text = fs::read(path.with_extension(&etag)).map_err(failed)?;
            let sums = serde_json::from_slice(&text).map_err(S3Error::internal_error)?;
            let modified = metadata.modified().map_err(failed)?;
            parts.push(Part { number, size: metadata.len(), modified, etag, sums, path });
        }
        parts.sort_unstable_by_key(|part| part.number);
        Ok(parts)
    }

    /// Forgets an upload and its parts.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub(super) fn forget(&self, id: &str) -> S3Result<()> {
        match fs::remove_dir_all(self.directory(id)?) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Puts the listed parts together. Answers the whole, as a temporary file, and what the
    /// object will keep.
    ///
    /// # Errors
    /// `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `BadDigest`.
    pub(super) fn assemble(
        &self,
        id: &str,
        upload: Upload,
        listed: &[CompletedPart],
    ) -> S3Result<(NamedTempFile, Sidecar)> {
        let parts = chosen(self.parts(id)?, listed)?;
        let whole = upload.algorithm.filter(|_| !upload.composite);
        let mut summer = Summer::new(whole);
        let mut file = self.store.temporary_file().map_err(failed)?;
        for part in &parts {
            append(&part.path, &mut file, whole.map(|_| &mut summer)).map_err(failed)?;
        }
        let length: u64 = parts.iter().map(|part| part.size).sum();
        if file.stream_position().map_err(failed)? != length {
            return Err(s3_error!(InvalidPart, "a part was replaced meanwhile"));
        }
        let sums = match upload.algorithm {
            Some(algorithm) if upload.composite => {
                let of_parts: Option<Vec<String>> =
                    parts.iter().map(|part| part.sums.get(algorithm)).collect();
                let of_parts = of_parts.ok_or_else(|| {
                    s3_error!(
                        InvalidPart,
                        "a part lacks the upload's {} checksum",
                        algorithm.name()
                    )
                })?;
                composite(algorithm, &of_parts)?
            }
            _ => summer.finish(),
        };
        Ok((file, Sidecar { sums, ..upload.sidecar }))
    }

    /// Ids are our own UUIDs; anything else could lead out of the directory.
    fn directory(&self, id: &str) -> S3Result<PathBuf> {
        let id = Uuid::try_parse(id).map_err(|_| s3_error!(NoSuchUpload))?;
        Ok(self.store.uploads(self.bucket).join(id.simple().to_string()))
    }
}

/// The parts that the client lists, checked against those that arrived.
fn chosen(arrived: Vec<Part>, listed: &[CompletedPart]) -> S3Result<Vec<Part>> {
    if listed.is_empty() {
        return Err(s3_error!(MalformedXML, "no part is listed"));
    }
    let mut arrived = arrived.into_iter();
    let mut parts: Vec<Part> = Vec::with_capacity(listed.len());
    for wanted in listed {
        let number = wanted.part_number.unwrap_or_default();
        if parts.last().is_some_and(|last| number <= last.number) {
            return Err(s3_error!(InvalidPartOrder));
        }
        let part = arrived.find(|part| part.number >= number).filter(|part| part.number == number);
        let part = part.ok_or_else(|| s3_error!(InvalidPart, "part {number} did not arrive"))?;
        if wanted.e_tag.as_ref().map(s3s::dto::ETag::value) != Some(part.etag.as_str()) {
            return Err(s3_error!(InvalidPart, "part {number} has another ETag"));
        }
        sums_of!(wanted).must_hold(&part.sums)?;
        if parts.last().is_some_and(|last| last.size < SMALLEST_PART) {
            return Err(s3_error!(EntityTooSmall, "all parts but the last have at least 5 MiB"));
        }
        parts.push(part);
    }
    Ok(parts)
}

/// Appends a part; through the kernel alone where no checksum is wanted.
fn append(part: &PathBuf, to: &mut NamedTempFile, summer: Option<&mut Summer>) -> io::Result<()> {
    let mut part = fs::File::open(part)?;
    let Some(summer) = summer else {
        return io::copy(&mut part, to.as_file_mut()).map(drop);
    };
    let mut buffer = vec![0; 1 << 20];
    loop {
        match part.read(&mut buffer)? {
            0 => return Ok(()),
            read => {
                summer.update(&buffer[..read]);
                to.write_all(&buffer[..read])?;
            }
        }
    }
}
