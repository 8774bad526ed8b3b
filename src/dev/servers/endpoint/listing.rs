//! ListObjectsV2 and ListParts in S3's words.

use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput,
    ListPartsOutput, Object, ObjectStorageClass, Part, Timestamp,
};
use s3s::{S3Result, s3_error};

use super::checksum::put_sums;
use super::list::{self, After, Entry, Query};
use super::multipart::Uploads;
use super::store::{Store, failed};

/// The largest page of a listing, as in S3.
const PAGE: i32 = 1000;

/// ListObjectsV2.
///
/// # Errors
/// `NoSuchBucket`; `InvalidArgument` for a foreign token or a negative limit.
pub(super) fn objects(store: &Store, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let asked = input.max_keys.unwrap_or(PAGE);
    let limit = usize::try_from(asked.min(PAGE))
        .map_err(|_| s3_error!(InvalidArgument, "max-keys cannot be negative"))?;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => After::from_token(token)?,
        (None, Some(key)) => After::Key(key.clone()),
        (None, None) => After::Start,
    };
    let query = Query {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        after,
        limit,
    };
    let (entries, next) = list::page(&store.bucket(&input.bucket)?, query).map_err(failed)?;
    let key_count = i32::try_from(entries.len()).ok();
    let encoding = input.encoding_type.as_ref();
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Prefix(prefix) => {
                prefixes.push(CommonPrefix { prefix: Some(encoded(prefix, encoding)) });
            }
            Entry::Object { key, size, modified, etag } => contents.push(Object {
                key: Some(encoded(key, encoding)),
                size: i64::try_from(size).ok(),
                last_modified: Some(Timestamp::from(modified)),
                e_tag: Some(ETag::Strong(etag)),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                ..Default::default()
            }),
        }
    }
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix.map(|prefix| encoded(prefix, encoding)),
        max_keys: Some(asked),
        key_count,
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next.map(|next| next.token()),
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        delimiter: input.delimiter.map(|delimiter| encoded(delimiter, encoding)),
        start_after: input.start_after.map(|key| encoded(key, encoding)),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// Keys as the client wants them: as they are, or percent-encoded because XML cannot hold all.
fn encoded(text: String, encoding: Option<&EncodingType>) -> String {
    if encoding.is_none_or(|encoding| encoding.as_str() != EncodingType::URL) {
        return text;
    }
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// ListParts.
///
/// # Errors
/// `NoSuchUpload`.
pub(super) fn parts(store: &Store, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let uploads = Uploads::of(store, &input.bucket)?;
    uploads.find(&input.upload_id, &input.key)?;
    let marker = input.part_number_marker.unwrap_or_default();
    let asked = input.max_parts.unwrap_or(PAGE).clamp(0, PAGE);
    let limit = usize::try_from(asked).unwrap_or_default();
    let arrived = uploads.parts(&input.upload_id)?;
    let mut rest = arrived.into_iter().filter(|part| part.number > marker);
    let listed = rest.by_ref().take(limit).map(|part| {
        let mut listed = Part {
            part_number: Some(part.number),
            size: i64::try_from(part.size).ok(),
            last_modified: Some(Timestamp::from(part.modified)),
            e_tag: Some(ETag::Strong(part.etag)),
            ..Default::default()
        };
        put_sums!(part.sums, listed);
        listed
    });
    let parts: Vec<Part> = listed.collect();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(asked),
        is_truncated: Some(rest.next().is_some()),
        part_number_marker: Some(marker),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        parts: Some(parts),
        ..Default::default()
    })
}
