//! Multipart uploads to the S3 endpoint, through aws-sdk-s3.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};

use crate::local::endpoint::{BUCKET, Fixture, code, fixture};

struct Multipart<'a> {
    f: &'a Fixture,
    id: String,
}

impl Multipart<'_> {
    async fn begin<'a>(f: &'a Fixture, algorithm: Option<ChecksumAlgorithm>) -> Multipart<'a> {
        let begin = f.s3.create_multipart_upload().bucket(BUCKET).key("big");
        let begin =
            begin.set_checksum_algorithm(algorithm).metadata("a", "b").send().await.unwrap();
        Multipart { f, id: begin.upload_id.unwrap() }
    }

    async fn part(&self, number: i32, body: &[u8], kind: &ChecksumAlgorithm) -> CompletedPart {
        let put = self.f.s3.upload_part().bucket(BUCKET).key("big").upload_id(&self.id);
        let put = put.part_number(number).checksum_algorithm(kind.clone());
        let put = put.body(ByteStream::from(body.to_vec())).send().await.unwrap();
        CompletedPart::builder()
            .part_number(number)
            .set_e_tag(put.e_tag)
            .set_checksum_sha256(put.checksum_sha256)
            .set_checksum_crc32(put.checksum_crc32)
            .set_checksum_crc64_nvme(put.checksum_crc64_nvme)
            .build()
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<String, String> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let done = self.f.s3.complete_multipart_upload().bucket(BUCKET).key("big");
        let done = done.upload_id(&self.id).multipart_upload(parts).send().await;
        done.map(|done| done.e_tag.unwrap()).map_err(|error| code(&error))
    }
}

#[tokio::test]
async fn multipart_uploads_of_three_parts() {
    let f = fixture().await;
    let bodies = [vec![1_u8; 5 << 20], vec![2_u8; 6 << 20], vec![3_u8; 1000]];
    for kind in [ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Crc64Nvme, ChecksumAlgorithm::Crc32]
    {
        let upload = Multipart::begin(&f, Some(kind.clone())).await;
        let mut parts = Vec::new();
        // The last first, and the first twice: order of arrival does not matter.
        parts.push(upload.part(3, &bodies[2], &kind).await);
        parts.push(upload.part(1, b"to be replaced", &kind).await);
        parts[1] = upload.part(1, &bodies[0], &kind).await;
        parts.push(upload.part(2, &bodies[1], &kind).await);
        let list = f.s3.list_parts().bucket(BUCKET).key("big").upload_id(&upload.id);
        let page = list.clone().max_parts(2).send().await.unwrap();
        let numbers: Vec<_> = page.parts().iter().filter_map(|part| part.part_number()).collect();
        assert_eq!((numbers, page.is_truncated()), (vec![1, 2], Some(true)));
        let page = list.part_number_marker("2").send().await.unwrap();
        assert_eq!((page.parts()[0].size(), page.is_truncated()), (Some(1000), Some(false)));

        assert_eq!(upload.complete(parts.clone()).await.unwrap_err(), "InvalidPartOrder");
        parts.sort_by_key(|part| part.part_number());
        let etag = upload.complete(parts.clone()).await.unwrap();
        assert_eq!(upload.complete(parts).await.unwrap_err(), "NoSuchUpload");
        assert!(f.get("big").await == bodies.concat());

        let head =
            f.s3.head_object().bucket(BUCKET).key("big").checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        assert_eq!(head.e_tag(), Some(etag.as_str()));
        assert_eq!(head.metadata().unwrap()["a"], "b");
        if kind == ChecksumAlgorithm::Crc64Nvme {
            assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
            assert!(head.checksum_crc64_nvme().is_some());
        } else {
            assert_eq!(head.checksum_type(), Some(&ChecksumType::Composite));
            let sum = head.checksum_sha256().or(head.checksum_crc32()).unwrap();
            assert!(sum.ends_with("-3"), "{sum}");
        }
    }
    assert_eq!(f.files_below_tmp(), 0);
}

#[tokio::test]
async fn multipart_uploads_that_break_the_rules() {
    let f = fixture().await;
    let upload = Multipart::begin(&f, None).await;
    let crc = ChecksumAlgorithm::Crc32;
    let small = upload.part(1, b"small", &crc).await;
    let last = upload.part(2, b"last", &crc).await;
    let both = vec![small.clone(), last.clone()];
    assert_eq!(upload.complete(both).await.unwrap_err(), "EntityTooSmall");
    let forged = CompletedPart::builder().part_number(1).e_tag("\"x\"").build();
    assert_eq!(upload.complete(vec![forged]).await.unwrap_err(), "InvalidPart");
    let absent = CompletedPart::builder().part_number(3).e_tag("\"x\"").build();
    assert_eq!(upload.complete(vec![absent]).await.unwrap_err(), "InvalidPart");
    let abort =
        |id: &str| f.s3.abort_multipart_upload().bucket(BUCKET).key("big").upload_id(id).send();
    abort(&upload.id).await.unwrap();
    assert_eq!(upload.complete(vec![small]).await.unwrap_err(), "NoSuchUpload");
    assert_eq!(code(&abort("../../kiln").await.unwrap_err()), "NoSuchUpload");
    let listed = f.s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(listed.contents().len(), 0, "parts are no objects");
}
