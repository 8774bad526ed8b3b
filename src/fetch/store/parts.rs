//! An upload in parts, each with its sha256: completed when all are there, else aborted, so that nothing is
//! left in the store.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};

use super::{SHA256_METADATA, Store, refused};

/// What was sent so far.
pub(super) struct Parts<'a> {
    store: &'a Store,
    key: &'a str,
    doing: &'a str,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Store {
    /// Uploads what `send` sends; `whole` is the sha256 of all of it in base64, where it is known before.
    ///
    /// # Errors
    /// That of `send`, or [`crate::error::Exit::InputUnavailable`] when the store refuses.
    pub(super) async fn in_parts<T>(
        &self,
        key: &str,
        doing: &str,
        whole: Option<&str>,
        send: impl AsyncFnOnce(&mut Parts<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut create =
            self.client.create_multipart_upload().bucket(&self.location.bucket).key(key);
        if let Some(sha256) = whole {
            create = create.metadata(SHA256_METADATA, sha256);
        }
        let begun = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await;
        let begun = begun.map_err(|error| refused(doing, &error))?;
        let id = begun.upload_id().unwrap_or_default().to_owned();
        let mut parts = Parts { store: self, key, doing, id, parts: Vec::new() };
        let sent = match send(&mut parts).await {
            Ok(sent) => parts.complete().await.map(|()| sent),
            Err(error) => Err(error),
        };
        if sent.is_err() {
            let abort = self.client.abort_multipart_upload().bucket(&self.location.bucket);
            let _ = abort.key(key).upload_id(&parts.id).send().await;
        }
        sent
    }
}

impl Parts<'_> {
    /// Sends the next part, with its sha256 in base64.
    ///
    /// # Errors
    /// [`crate::error::Exit::InputUnavailable`] when the store refuses.
    pub(super) async fn send(&mut self, body: ByteStream, sha256: String) -> anyhow::Result<()> {
        let number = self.parts.len() as i32 + 1;
        // The checksum as a header: Ceph's gateway refuses the trailer that the SDK would send.
        let sent = self
            .store
            .client
            .upload_part()
            .bucket(&self.store.location.bucket)
            .key(self.key)
            .upload_id(&self.id)
            .part_number(number)
            .checksum_sha256(&sha256)
            .body(body)
            .send()
            .await
            .map_err(|error| refused(self.doing, &error))?;
        let part = CompletedPart::builder().part_number(number).checksum_sha256(sha256);
        self.parts.push(part.set_e_tag(sent.e_tag().map(str::to_owned)).build());
        Ok(())
    }

    async fn complete(&mut self) -> anyhow::Result<()> {
        let parts = std::mem::take(&mut self.parts);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self.store.client.complete_multipart_upload();
        let complete = complete.bucket(&self.store.location.bucket).key(self.key);
        let done = complete.upload_id(&self.id).multipart_upload(parts).send().await;
        done.map(drop).map_err(|error| refused(self.doing, &error))
    }
}
