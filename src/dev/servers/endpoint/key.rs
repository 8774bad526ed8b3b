//! From an object's key to a place below its bucket's directory, and never anywhere else.

use std::path::{Path, PathBuf};

use s3s::{S3Result, s3_error};

/// The longest name of a file on the file systems we know, in bytes.
const SEGMENT_LIMIT: usize = 255;

/// The place of a key below `bucket`.
///
/// # Errors
/// `InvalidArgument` or `KeyTooLongError` for keys that S3 would take but a directory cannot hold:
/// empty, `.` and `..` segments, NUL, segments over 255 bytes.
pub(super) fn place(bucket: &Path, key: &str) -> S3Result<PathBuf> {
    let mut path = bucket.to_owned();
    for segment in key.split('/') {
        match segment {
            "" => {
                return Err(s3_error!(
                    InvalidArgument,
                    "this endpoint keeps objects as files: a key cannot begin or end with / or hold //"
                ));
            }
            "." | ".." => {
                return Err(s3_error!(
                    InvalidArgument,
                    "a key cannot have . or .. between slashes"
                ));
            }
            _ if segment.contains('\0') => {
                return Err(s3_error!(InvalidArgument, "a key cannot hold NUL"));
            }
            _ if segment.len() > SEGMENT_LIMIT => {
                return Err(s3_error!(
                    KeyTooLongError,
                    "this endpoint keeps objects as files: at most 255 bytes between slashes"
                ));
            }
            _ => path.push(segment),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_below_their_bucket() {
        let bucket = Path::new("/s3/kiln");
        assert_eq!(place(bucket, "a/b.zip").unwrap(), Path::new("/s3/kiln/a/b.zip"));
        assert_eq!(place(bucket, "..a/...").unwrap(), Path::new("/s3/kiln/..a/..."));
        for refused in ["../x", "a/../../x", "..", ".", "/etc/passwd", "a//b", "a/", "", "a\0b"] {
            assert!(place(bucket, refused).is_err(), "{refused:?}");
        }
        assert!(place(bucket, &"x".repeat(255)).is_ok());
        assert!(place(bucket, &"x".repeat(256)).is_err());
    }
}
