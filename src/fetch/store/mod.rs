//! The S3 client: the SDK's own credentials chain, explicit time-outs and retries, listing with
//! paging, pinning, and upload.

mod bounds;
mod listing;
mod loopback;
mod parts;
#[cfg(feature = "dev")]
mod stream;
pub(crate) mod withdrawn;

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    Credentials, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_types::base64;
use bounds::{AnswerLimit, TooManyRequests};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::error::{Exit, Failure, stopped};
use crate::fetch::location::S3Location;
pub(crate) use listing::ListedObject;
pub(crate) use loopback::is_loopback;
use parts::Parts;
#[cfg(feature = "dev")]
pub(crate) use stream::{ObjectPiece, STREAM_PART_BYTES};

/// Size from which an upload goes in parts, and the size of a part.
const PART_BYTES: u64 = 64 << 20;

/// Where `kiln land` leaves the sha256 of the whole file, in base64.
const SHA256_METADATA: &str = "sha256";

/// What to do about an object that was landed again since it was pinned: a night pins what is there, a
/// build that is gone on with takes it in by hand.
pub(in crate::fetch) const ANOTHER: &str = "run again: a new build pins the new object; a build that is to go on takes it \
     in with kiln load DATABASE SOURCE --into BUILD";

/// Access to a store that is not found through the AWS environment: the private endpoint.
#[derive(Debug, Clone)]
pub struct Access {
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// Any name; S3 wants one.
    pub region: String,
    /// The access key's id.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
}

/// A bucket that files land in.
#[derive(Debug, Clone)]
pub struct Store {
    /// The SDK's client.
    pub client: Client,
    /// Bucket and prefix.
    pub location: S3Location,
    /// Without data for so long a transfer counts as broken.
    pub stall: Duration,
}

/// One object at one version: what is read is this, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// The entity tag, sent as If-Match with every request.
    pub etag: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was put, RFC 3339.
    pub modified: String,
    /// sha256 of the whole object in base64, where the store has one or `kiln land` left one.
    pub sha256: Option<String>,
    /// Whether the store itself made that sha256 from the bytes that it has.
    pub sha256_by_store: bool,
}

impl Pin {
    /// `s3://bucket/key`, or the path of a local file, for people.
    pub fn url(&self) -> String {
        if self.bucket.is_empty() {
            return self.key.clone();
        }
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// The version id, or the entity tag where the bucket keeps no versions.
    pub fn version(&self) -> &str {
        self.version_id.as_deref().unwrap_or(&self.etag)
    }

    /// The last part of the key.
    pub fn file_name(&self) -> &str {
        file_name(&self.key)
    }
}

/// The part of a key (or of a member's name) behind the last slash.
pub(crate) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

impl Store {
    /// A client for the location: through the AWS environment, or with explicit access. No wait
    /// of its is without a limit: `stall` for data, three times that for an answer to begin.
    pub async fn connect(location: &S3Location, access: Option<&Access>, stall: Duration) -> Store {
        // Every behaviour is set here and not inherited: checksums are asked for where a whole
        // object is read, and a stalled body is an error that `object` resumes.
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(stall).read_timeout(stall * 3).build(),
            )
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled().grace_period(stall).build(),
            );
        if let Some(access) = access {
            let credentials =
                Credentials::new(&access.access_key, &access.secret_key, None, None, "kiln");
            loader = loader
                .endpoint_url(&access.endpoint)
                .region(Region::new(access.region.clone()))
                .credentials_provider(credentials);
        }
        let shared = loader.load().await;
        let region = shared.region().cloned().unwrap_or_else(|| Region::new("us-east-1"));
        let mut config = aws_sdk_s3::config::Builder::from(&shared)
            .region(region)
            .interceptor(AnswerLimit::Refusals)
            .retry_classifier(TooManyRequests)
            // Stores other than AWS are reached by path; AWS itself by host name.
            .force_path_style(shared.endpoint_url().is_some())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        // The SDK asks the environment's proxy for whatever host; a proxy has another loopback.
        if shared.endpoint_url().is_some_and(loopback::is_loopback) {
            config = config.http_client(loopback::without_proxy());
        }
        let config = config.build();
        Store { client: Client::from_conf(config), location: location.clone(), stall }
    }

    /// Pins an object: its version, entity tag, size and checksum as they are now.
    ///
    /// # Errors
    /// [`Exit::InputUnavailable`] when it is not there or may not be read.
    pub async fn pin(&self, key: &str) -> anyhow::Result<Pin> {
        let bucket = &self.location.bucket;
        let head = self
            .client
            .head_object()
            .bucket(bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .customize()
            .config_override(self.attempts())
            .send()
            .await
            .map_err(|error| refused(&format!("look at s3://{bucket}/{key}"), &error))?;
        // A checksum of part checksums ("…-3") says nothing of the whole.
        let by_store = head.checksum_sha256().filter(|sum| !sum.contains('-'));
        let landed = head.metadata().and_then(|metadata| metadata.get(SHA256_METADATA));
        Ok(Pin {
            bucket: bucket.clone(),
            key: key.to_owned(),
            version_id: head.version_id().filter(|id| *id != "null").map(str::to_owned),
            etag: head.e_tag().unwrap_or_default().to_owned(),
            size: head.content_length().unwrap_or(0).unsigned_abs(),
            modified: head.last_modified().map_or(String::new(), |time| time.to_string()),
            sha256: by_store.map(str::to_owned).or_else(|| landed.cloned()),
            sha256_by_store: by_store.is_some(),
        })
    }

    /// Uploads a file; the store is sent the sha256 of what it receives (of each part, for a
    /// large file) and may check it. Not every store does, so the caller proves the result by
    /// the pin's own sha256 or by reading back. `sha256` is in base64. A stop leaves nothing in the
    /// store, parts of an unfinished upload neither.
    ///
    /// # Errors
    /// [`Exit::InputUnavailable`] when the store refuses or has another size.
    pub async fn upload(
        &self,
        key: &str,
        file: &Path,
        sha256: &str,
        stop: &CancellationToken,
    ) -> anyhow::Result<Pin> {
        let doing = format!("upload s3://{}/{key}", self.location.bucket);
        let size = std::fs::metadata(file)?.len();
        if size < PART_BYTES {
            let body = ByteStream::from_path(file).await?;
            let put = self
                .client
                .put_object()
                .bucket(&self.location.bucket)
                .key(key)
                .metadata(SHA256_METADATA, sha256)
                .checksum_sha256(sha256)
                .body(body)
                .send();
            tokio::select! {
                put = put => put.map(drop).map_err(|error| refused(&doing, &error))?,
                () = stop.cancelled() => return Err(stopped()),
            }
        } else {
            let send = async |parts: &mut Parts<'_>| {
                tokio::select! {
                    sent = send_file(parts, file, size) => sent,
                    () = stop.cancelled() => Err(stopped()),
                }
            };
            self.in_parts(key, &doing, Some(sha256), send).await?;
        }
        let pin = self.pin(key).await?;
        if pin.size != size {
            let message = format!("{doing}: the store has {} bytes of {size}", pin.size);
            return Err(Failure::new(Exit::InputUnavailable, message).into());
        }
        Ok(pin)
    }
}

async fn send_file(parts: &mut Parts<'_>, file: &Path, size: u64) -> anyhow::Result<()> {
    let mut offset = 0;
    while offset < size {
        let length = PART_BYTES.min(size - offset);
        let sha256 = part_sha256(file, offset, length)?;
        let body = ByteStream::read_from()
            .path(file)
            .offset(offset)
            .length(aws_smithy_types::byte_stream::Length::Exact(length))
            .build()
            .await?;
        parts.send(body, sha256).await?;
        offset += length;
    }
    Ok(())
}

fn part_sha256(file: &Path, offset: u64, length: u64) -> anyhow::Result<String> {
    let mut reader = std::fs::File::open(file)?;
    reader.seek(SeekFrom::Start(offset))?;
    let mut hash = HashWriter(Sha256::new());
    std::io::copy(&mut reader.take(length), &mut hash)?;
    Ok(base64::encode(hash.0.finalize()))
}

/// A hash to copy into.
pub(crate) struct HashWriter(pub Sha256);

impl std::io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An SDK error for people: what was done, what S3 said, and what to type for the usual reasons.
/// The SDK's own Display is just "service error".
pub(crate) fn refused<E>(doing: &str, error: &SdkError<E>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    let chain = crate::error::source_chain(error);
    let (said, hint) = match (code.as_str(), status) {
        ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired", _) => (
            "the credentials have expired".to_owned(),
            "renew the AWS_* credentials, then run again",
        ),
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "NotSignedUp", _) => {
            (format!("the credentials are not accepted ({code})"), "check the AWS_* variables")
        }
        ("RequestTimeTooSkewed", _) => {
            ("this machine's clock differs from S3's".to_owned(), "check the clock: timedatectl")
        }
        ("PreconditionFailed", _) | (_, Some(412)) => {
            ("the object is not the pinned one any more".to_owned(), ANOTHER)
        }
        ("NoSuchBucket", _) => ("there is no such bucket".to_owned(), "check KILN_S3_URL"),
        ("NoSuchKey" | "NoSuchVersion", _) | (_, Some(404)) => {
            ("there is no such object".to_owned(), "kiln land DATABASE FILE")
        }
        ("AccessDenied", _) | (_, Some(403)) => (
            "access denied (403)".to_owned(),
            "kiln needs s3:GetObject, s3:GetObjectVersion and s3:ListBucket on the prefix",
        ),
        (_, Some(status)) if (200..300).contains(&status) => (
            format!("the answer is none of S3's: {chain}"),
            "is AWS_ENDPOINT_URL an S3 endpoint's?",
        ),
        (_, Some(status)) => (format!("S3 answered {status} {code}: {chain}"), "run again later"),
        (_, None) => (chain, "check AWS_ENDPOINT_URL, AWS_REGION and the AWS_* credentials"),
    };
    Failure::new(Exit::InputUnavailable, format!("{doing}: {said}")).hint(hint).into()
}
