//! Where landed files are.

/// A bucket and the prefix under which databases have their folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// The bucket's name.
    pub bucket: String,
    /// Without slashes at either end; empty for the bucket's root.
    pub prefix: String,
}

impl S3Location {
    /// Parses `s3://bucket/prefix`.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // `key:secret@bucket` is no bucket, and is never to be shown as one.
        let well_formed = !bucket.is_empty()
            && !bucket.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
            && !prefix.contains(char::is_control);
        well_formed.then(|| S3Location {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
        })
    }

    /// The prefix of one database's landed files, ending in a slash.
    pub fn database_prefix(&self, database: &str) -> String {
        match self.prefix.as_str() {
            "" => format!("{database}/"),
            prefix => format!("{prefix}/{database}/"),
        }
    }
}
