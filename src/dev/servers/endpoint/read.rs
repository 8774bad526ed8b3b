//! GetObject and HeadObject: conditions, ranges, checksums, and a body that streams from the open
//! file, so that a reader never sees two objects.

use std::fs::File;
use std::io;
use std::ops::Range as Span;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream;
use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, ETagCondition, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, Range, StreamingBlob, Timestamp,
};
use s3s::{S3Result, s3_error};

use super::checksum::{Sums, put_sums};
use super::store::Opened;

/// Bytes read from the file at once.
const CHUNK: u64 = 512 << 10;

/// The conditions of a request.
struct Conditions<'a> {
    if_match: Option<&'a ETagCondition>,
    if_none_match: Option<&'a ETagCondition>,
    if_modified_since: Option<&'a Timestamp>,
    if_unmodified_since: Option<&'a Timestamp>,
}

macro_rules! conditions_of {
    ($input:expr) => {
        Conditions {
            if_match: $input.if_match.as_ref(),
            if_none_match: $input.if_none_match.as_ref(),
            if_modified_since: $input.if_modified_since.as_ref(),
            if_unmodified_since: $input.if_unmodified_since.as_ref(),
        }
    };
}

impl Conditions<'_> {
    /// RFC 9110, section 13.2.2: an ETag outweighs the time.
    fn check(&self, object: &Opened) -> S3Result<()> {
        let same = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == object.etag,
        };
        // HTTP's times have whole seconds.
        let modified = Timestamp::from(whole_seconds(object.modified));
        let met = match (self.if_match, self.if_unmodified_since) {
            (Some(wanted), _) => same(wanted),
            (None, Some(time)) => modified <= *time,
            (None, None) => true,
        };
        if !met {
            return Err(s3_error!(PreconditionFailed, "the object is not the one asked for"));
        }
        let known = match (self.if_none_match, self.if_modified_since) {
            (Some(known), _) => same(known),
            (None, Some(time)) => modified <= *time,
            (None, None) => false,
        };
        if known { Err(s3_error!(NotModified)) } else { Ok(()) }
    }
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// The asked part of an object, and its `Content-Range` if a part was asked for.
fn span(range: Option<Range>, size: u64) -> S3Result<(Span<u64>, Option<String>)> {
    let Some(range) = range else { return Ok((0..size, None)) };
    let span = range.check(size).ok().filter(|span| !span.is_empty());
    let span = span.ok_or_else(|| s3_error!(InvalidRange, "the object has {size} bytes"))?;
    let header = format!("bytes {}-{}/{size}", span.start, span.end - 1);
    Ok((span, Some(header)))
}

/// The checksums to show: only when asked for, and never with a part of an object.
fn shown(mode: Option<&ChecksumMode>, sums: &Sums, ranged: bool) -> (Sums, Option<ChecksumType>) {
    let enabled = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    if !enabled || ranged || sums.values.is_empty() {
        return (Sums::default(), None);
    }
    let kind = if sums.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    (sums.clone(), Some(ChecksumType::from_static(kind)))
}

macro_rules! describe {
    ($output:expr, $input:expr, $object:expr) => {{
        let (span, content_range) = span($input.range, $object.size)?;
        let ranged = content_range.is_some();
        let (sums, kind) = shown($input.checksum_mode.as_ref(), &$object.sidecar.sums, ranged);
        put_sums!(sums, $output);
        let headers = $object.sidecar.headers.clone();
        $output.accept_ranges = Some("bytes".to_owned());
        $output.cache_control = headers.cache_control;
        $output.checksum_type = kind;
        $output.content_disposition = headers.content_disposition;
        $output.content_encoding = headers.content_encoding;
        $output.content_language = headers.content_language;
        $output.content_length = i64::try_from(span.end - span.start).ok();
        $output.content_range = content_range;
        let binary = || "binary/octet-stream".to_owned();
        $output.content_type = Some(headers.content_type.unwrap_or_else(binary));
        $output.e_tag = Some(ETag::Strong($object.etag.clone()));
        $output.last_modified = Some(Timestamp::from($object.modified));
        $output.metadata = $object.sidecar.metadata.clone();
        span
    }};
}

/// HeadObject.
///
/// # Errors
/// `PreconditionFailed`, `NotModified`, `InvalidRange`.
pub(super) fn head(object: &Opened, input: &HeadObjectInput) -> S3Result<HeadObjectOutput> {
    conditions_of!(input).check(object)?;
    let mut output = HeadObjectOutput::default();
    describe!(output, input, object);
    Ok(output)
}

/// GetObject.
///
/// # Errors
/// `PreconditionFailed`, `NotModified`, `InvalidRange`.
pub(super) fn get(object: Opened, input: &GetObjectInput) -> S3Result<GetObjectOutput> {
    conditions_of!(input).check(&object)?;
    let mut output = GetObjectOutput::default();
    let span = describe!(output, input, object);
    output.body = Some(body(object.file, span));
    Ok(output)
}

fn body(file: File, span: Span<u64>) -> StreamingBlob {
    let chunks = stream::try_unfold((Arc::new(file), span), |(file, span)| async move {
        if span.is_empty() {
            return Ok(None);
        }
        let end = span.end.min(span.start + CHUNK);
        let reading = Arc::clone(&file);
        let read = tokio::task::spawn_blocking(move || {
            let length = usize::try_from(end - span.start).map_err(io::Error::other)?;
            let mut chunk = vec![0; length];
            reading.read_exact_at(&mut chunk, span.start)?;
            Ok::<_, io::Error>(Bytes::from(chunk))
        });
        let chunk = read.await.map_err(io::Error::other)??;
        Ok::<_, io::Error>(Some((chunk, (file, end..span.end))))
    });
    StreamingBlob::wrap(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_clipped_and_empty_ones_refused() {
        let int = |first, last| Some(Range::Int { first, last });
        assert_eq!(span(None, 10).unwrap(), (0..10, None));
        assert_eq!(span(int(2, Some(3)), 10).unwrap(), (2..4, Some("bytes 2-3/10".into())));
        assert_eq!(span(int(8, Some(99)), 10).unwrap(), (8..10, Some("bytes 8-9/10".into())));
        let suffix = Some(Range::Suffix { length: 4 });
        assert_eq!(span(suffix, 10).unwrap(), (6..10, Some("bytes 6-9/10".into())));
        assert!(span(int(10, None), 10).is_err());
        assert!(span(suffix, 0).is_err());
    }
}
