//! An upload's body: streamed to a temporary file, and refused unless its length and every
//! checksum that the client declared (headers, trailers, Content-MD5) agree.

use std::io::Write as _;

use aws_smithy_types::base64;
use bytes::Bytes;
use futures_util::StreamExt as _;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, StdError, TrailingHeaders, s3_error};
use tempfile::NamedTempFile;

use super::checksum::{Algorithm, Summer, Sums};
use super::store::{Store, failed};

/// Bytes gathered before they are hashed and written off the async threads.
const BATCH: usize = 1 << 20;

/// What an upload's request says about its body.
pub(super) struct Declared {
    /// `Content-Length`, of the content itself when it is aws-chunked.
    pub length: Option<i64>,
    /// `Content-MD5`.
    pub md5: Option<String>,
    /// `x-amz-checksum-*` headers.
    pub sums: Sums,
    /// The checksum that follows the body.
    pub trailer: Option<Algorithm>,
    /// A checksum to compute even if the client sends none.
    pub also: Option<Algorithm>,
}

impl Declared {
    /// Adds the trailer that a request announces.
    #[must_use]
    pub(super) fn with_trailer_of<T>(mut self, request: &S3Request<T>) -> Declared {
        let names = request.headers.get("x-amz-trailer").and_then(|value| value.to_str().ok());
        self.trailer = names.and_then(Algorithm::in_trailer);
        self
    }

    /// What is computed: everything declared; else what S3 itself falls back to.
    fn algorithms(&self) -> Vec<Algorithm> {
        let mut all: Vec<_> = self.sums.values.keys().copied().collect();
        all.extend(self.trailer);
        all.extend(self.also);
        if all.is_empty() {
            all.push(Algorithm::Crc64Nvme);
        }
        all
    }
}

/// Writes the body to a temporary file of the store. Answers it with its verified checksums.
///
/// # Errors
/// `IncompleteBody`, `BadDigest`, `InvalidDigest`; the temporary file is gone then.
pub(super) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    declared: Declared,
    trailing: Option<TrailingHeaders>,
) -> S3Result<(NamedTempFile, Sums)> {
    let mut sink = Sink {
        file: store.temporary_file().map_err(failed)?,
        summer: Summer::new(declared.algorithms()),
        md5: declared.md5.is_some().then(Md5::new),
        length: 0,
    };
    if let Some(mut body) = body {
        let (mut batch, mut gathered) = (Vec::new(), 0);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(broken)?;
            gathered += chunk.len();
            batch.push(chunk);
            if gathered >= BATCH {
                sink = sink.take(std::mem::take(&mut batch)).await?;
                gathered = 0;
            }
        }
        sink = sink.take(batch).await?;
    }
    sink.verify(declared, trailing)
}

struct Sink {
    file: NamedTempFile,
    summer: Summer,
    md5: Option<Md5>,
    length: u64,
}

impl Sink {
    async fn take(mut self, batch: Vec<Bytes>) -> S3Result<Sink> {
        let work = tokio::task::spawn_blocking(move || {
            for chunk in batch {
                self.summer.update(&chunk);
                if let Some(md5) = &mut self.md5 {
                    md5.update(&chunk);
                }
                self.file.write_all(&chunk).map_err(failed)?;
                self.length += chunk.len() as u64;
            }
            Ok(self)
        });
        work.await.map_err(S3Error::internal_error)?
    }

    fn verify(
        self,
        declared: Declared,
        trailing: Option<TrailingHeaders>,
    ) -> S3Result<(NamedTempFile, Sums)> {
        if let Some(length) = declared.length
            && u64::try_from(length) != Ok(self.length)
        {
            let found = self.length;
            return Err(s3_error!(IncompleteBody, "declared {length} bytes, received {found}"));
        }
        if let (Some(sent), Some(md5)) = (&declared.md5, self.md5) {
            if base64::decode(sent).map(|raw| raw.len()).unwrap_or_default() != 16 {
                return Err(s3_error!(InvalidDigest, "Content-MD5 is not 16 bytes in base64"));
            }
            if base64::encode(md5.finalize()) != *sent {
                return Err(s3_error!(BadDigest, "the content's MD5 differs from Content-MD5"));
            }
        }
        let mut promised = declared.sums;
        if let Some(algorithm) = declared.trailer {
            let name = algorithm.header();
            let value = trailing.and_then(|trailing| {
                trailing.read(|all| all.get(name.as_str())?.to_str().ok().map(str::to_owned))
            });
            let value = value.flatten().ok_or_else(|| {
                s3_error!(InvalidRequest, "the trailer {name} was announced and did not come")
            })?;
            promised.values.insert(algorithm, value);
        }
        let arrived = self.summer.finish();
        promised.must_hold(&arrived)?;
        Ok((self.file, arrived))
    }
}

/// The body ended in an error: the connection broke, or s3s refused a chunk's signature or the
/// signed hash of the whole, which it tells by this name alone.
fn broken(error: StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
        let mut mismatch =
            S3Error::with_message(code, "the content's SHA-256 differs from x-amz-content-sha256");
        mismatch.set_status_code(S3ErrorCode::BadDigest.status_code().unwrap_or_default());
        return mismatch;
    }
    s3_error!(IncompleteBody, "{text}")
}
