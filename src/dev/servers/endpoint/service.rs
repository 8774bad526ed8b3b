//! The operations of S3 that kiln and the usual clients need, over a [`Store`].

use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CreateBucketInput,
    CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput,
    DeleteObjectOutput, ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadBucketInput,
    HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutObjectInput,
    PutObjectOutput, Timestamp, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::checksum::{Algorithm, Sums, put_sums, sums_of};
use super::multipart::{Upload, Uploads};
use super::receive::{Declared, receive};
use super::store::{Headers, Sidecar, Store, failed};
use super::{REGION, key, listing, read};

/// S3 over a directory.
#[derive(Debug, Clone)]
pub(super) struct Service {
    store: Arc<Store>,
}

impl Service {
    /// Serves this store.
    pub(super) fn new(store: Store) -> Service {
        Service { store: Arc::new(store) }
    }

    /// Runs file work off the async threads.
    async fn files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.map_err(S3Error::internal_error)?
    }
}

fn ok<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}

/// A bucket without versions knows only the version `null`.
fn only_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "this endpoint keeps no versions")),
    }
}

/// Whether an object may only be made, not replaced.
fn only_new(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<bool> {
    match (if_match, if_none_match) {
        (None, None) => Ok(false),
        (None, Some(ETagCondition::Any)) => Ok(true),
        _ => Err(s3_error!(NotImplemented, "writes take no condition but If-None-Match: *")),
    }
}

/// `aws-chunked` says how the body travelled, not what the object is.
fn stored_encoding(sent: Option<String>) -> Option<String> {
    let sent = sent?;
    let kept: Vec<&str> =
        sent.split(',').map(str::trim).filter(|coding| *coding != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(", "))
}

macro_rules! sidecar_of {
    ($input:expr) => {
        Sidecar {
            headers: Headers {
                content_type: $input.content_type,
                content_encoding: stored_encoding($input.content_encoding),
                content_disposition: $input.content_disposition,
                content_language: $input.content_language,
                cache_control: $input.cache_control,
            },
            metadata: $input.metadata,
            sums: Sums::default(),
        }
    };
}

macro_rules! declared_in {
    ($request:expr, $also:expr) => {{
        Declared {
            length: $request.input.content_length,
            md5: $request.input.content_md5.clone(),
            sums: sums_of!($request.input),
            trailer: None,
            also: $also,
        }
        .with_trailer_of(&$request)
    }};
}

fn kind(sums: &Sums) -> Option<ChecksumType> {
    let name = if sums.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    (!sums.values.is_empty()).then(|| ChecksumType::from_static(name))
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = request.input.bucket;
        let location = Some(format!("/{bucket}"));
        let new = self.files(move |store| store.create_bucket(&bucket).map_err(failed)).await?;
        if new {
            ok(CreateBucketOutput { location })
        } else {
            Err(s3_error!(BucketAlreadyOwnedByYou))
        }
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files(move |store| store.bucket(&request.input.bucket)).await?;
        ok(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..Default::default() })
    }

    async fn list_buckets(
        &self,
        _: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let found = self.files(|store| store.buckets().map_err(failed)).await?;
        let buckets = found.into_iter().map(|(name, made)| Bucket {
            name: Some(name),
            creation_date: Some(Timestamp::from(made)),
            ..Default::default()
        });
        ok(ListBucketsOutput { buckets: Some(buckets.collect()), ..Default::default() })
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        ok(self.files(move |store| listing::objects(store, input)).await?)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        only_version(input.version_id.as_deref())?;
        let output = self
            .files(move |store| read::head(&store.get(&input.bucket, &input.key)?, &input))
            .await?;
        ok(output)
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        only_version(input.version_id.as_deref())?;
        if input.part_number.is_some() {
            return Err(s3_error!(NotImplemented, "objects cannot be read by part number"));
        }
        let output = self
            .files(move |store| read::get(store.get(&input.bucket, &input.key)?, &input))
            .await?;
        ok(output)
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let also = request.input.checksum_algorithm.as_ref();
        let also = also.map(|algorithm| Algorithm::named(algorithm.as_str())).transpose()?;
        let declared = declared_in!(request, also);
        let input = request.input;
        let only_new = only_new(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        // A key that cannot be is refused before its body is received.
        key::place(&self.store.bucket(&input.bucket)?, &input.key)?;
        let (file, sums) =
            receive(&self.store, input.body, declared, request.trailing_headers).await?;
        let sidecar = Sidecar { sums: sums.clone(), ..sidecar_of!(input) };
        let (bucket, key) = (input.bucket, input.key);
        let etag =
            self.files(move |store| store.publish(&bucket, &key, file, &sidecar, only_new)).await?;
        let mut output = PutObjectOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() };
        put_sums!(sums, output);
        output.checksum_type = kind(&sums);
        ok(output)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        only_version(input.version_id.as_deref())?;
        if input.if_match.is_some() {
            return Err(s3_error!(NotImplemented, "deletes take no condition"));
        }
        self.files(move |store| store.delete(&input.bucket, &input.key)).await?;
        ok(DeleteObjectOutput::default())
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let algorithm = input.checksum_algorithm.as_ref();
        let algorithm = algorithm.map(|name| Algorithm::named(name.as_str())).transpose()?;
        let composite = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
            Some(asked) => asked == ChecksumType::COMPOSITE,
            // As in S3: only CRC-64 is of the whole object unless asked for.
            None => algorithm.is_some_and(|algorithm| algorithm != Algorithm::Crc64Nvme),
        };
        let hash = matches!(algorithm, Some(Algorithm::Sha1 | Algorithm::Sha256));
        if !composite && hash || composite && algorithm == Some(Algorithm::Crc64Nvme) {
            return Err(s3_error!(
                InvalidRequest,
                "the checksum's type does not fit its algorithm"
            ));
        }
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let sidecar = sidecar_of!(input);
        let upload = Upload {
            key: key.clone(),
            sidecar,
            algorithm: algorithm.or(Some(Algorithm::Crc64Nvme)),
            composite,
        };
        let upload_id = self
            .files(move |store| {
                key::place(&store.bucket(&bucket)?, &upload.key)?;
                Uploads::of(store, &bucket)?.begin(&upload)
            })
            .await?;
        ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(key),
            upload_id: Some(upload_id),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: input.checksum_type,
            ..Default::default()
        })
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let (id, number) = (request.input.upload_id.clone(), request.input.part_number);
        let upload = Uploads::of(&self.store, &bucket)?.find(&id, &key)?;
        let declared = declared_in!(request, upload.algorithm);
        let (file, sums) =
            receive(&self.store, request.input.body, declared, request.trailing_headers).await?;
        let kept = sums.clone();
        let etag = self
            .files(move |store| Uploads::of(store, &bucket)?.keep(&id, number, file, &kept))
            .await?;
        let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() };
        put_sums!(sums, output);
        ok(output)
    }

    async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        ok(self.files(move |store| listing::parts(store, input)).await?)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let only_new = only_new(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let promised = sums_of!(input);
        let listed = input.multipart_upload.and_then(|listed| listed.parts).unwrap_or_default();
        let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id);
        let expected = input.mpu_object_size;
        let (etag, sums) = self
            .files(move |store| {
                let uploads = Uploads::of(store, &bucket)?;
                let upload = uploads.find(&id, &key)?;
                let (file, sidecar) = uploads.assemble(&id, upload, &listed)?;
                promised.must_hold(&sidecar.sums)?;
                let size = file.as_file().metadata().map_err(failed)?.len();
                if expected.is_some_and(|expected| u64::try_from(expected) != Ok(size)) {
                    return Err(s3_error!(InvalidRequest, "the object has {size} bytes"));
                }
                let etag = store.publish(&bucket, &key, file, &sidecar, only_new)?;
                uploads.forget(&id)?;
                Ok((etag, sidecar.sums))
            })
            .await?;
        let mut output = CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(etag)),
            checksum_type: kind(&sums),
            ..Default::default()
        };
        put_sums!(sums, output);
        ok(output)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.files(move |store| {
            let uploads = Uploads::of(store, &input.bucket)?;
            uploads.find(&input.upload_id, &input.key)?;
            uploads.forget(&input.upload_id)
        })
        .await?;
        ok(AbortMultipartUploadOutput::default())
    }
}
