//! What is to land: a file of this machine, or one behind a URL; what it is called, and how it is
//! shown. A URL may hold a password or a signature, and neither is ever said.

use std::path::PathBuf;

use url::Url;

use crate::error::{Exit, Failure};
use crate::fetch::store::file_name;

/// Where a file is that is to land.
#[derive(Debug)]
pub(super) enum FileLocation {
    /// On this machine.
    File(PathBuf),
    /// Behind a URL.
    Web(Url),
}

impl FileLocation {
    /// Reads an argument: what begins with `http://` or `https://` is a URL.
    pub(super) fn parse(text: &str) -> anyhow::Result<FileLocation> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") => {}
            // `c://x` may be a file; what no file is called is taken for a slip.
            Some(other @ ("file" | "ftp" | "ftps" | "s3" | "sftp")) => {
                let message = format!("{other}:// is not a place that kiln lands files from");
                return Err(Failure::new(Exit::Usage, message)
                    .hint("give a file of this machine, or an address that begins with https://")
                    .into());
            }
            _ => return Ok(FileLocation::File(text.into())),
        }
        // The parser's own words may repeat a part of what it was given.
        let url = Url::parse(text).map_err(|_| {
            Failure::new(Exit::Usage, "what begins with http is not a URL").hint("quote it: '…'")
        })?;
        Ok(FileLocation::Web(url))
    }

    /// The file's own name, as it was posted.
    pub(super) fn name(&self) -> anyhow::Result<String> {
        let name = match self {
            FileLocation::File(path) => {
                path.file_name().and_then(|name| name.to_str()).map(str::to_owned)
            }
            FileLocation::Web(url) => decoded(file_name(url.path())),
        };
        let fit = |name: &String| {
            !name.is_empty() && !name.contains(|c: char| c.is_control() || c == '/' || c == '\\')
        };
        name.filter(fit).ok_or_else(|| {
            let message = format!("{}: its name cannot be a file's", self.shown());
            Failure::new(Exit::Usage, message)
                .hint("a name is UTF-8, without slashes and control characters")
                .into()
        })
    }

    /// The place in words, without what a URL may hold of secrets.
    pub(super) fn shown(&self) -> String {
        match self {
            FileLocation::File(path) => path.display().to_string(),
            FileLocation::Web(url) => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}://{host}{port}{}", url.scheme(), url.path())
            }
        }
    }
}

/// A name with its `%20` and the like decoded.
fn decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        let is_code = |digits: &&[u8]| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit);
        let code = tail.get(..2).filter(is_code);
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        FileLocation::parse(text).ok()?.name().ok()
    }

    #[test]
    fn a_url_is_called_as_the_file_behind_it() {
        let stars = "https://h/a/2024%20Star%20Ratings%20(Oct%2013%202023).csv?x=1#y";
        assert_eq!(name(stars).as_deref(), Some("2024 Star Ratings (Oct 13 2023).csv"));
        assert_eq!(name("https://h/a/b%2541.zip").as_deref(), Some("b%41.zip"));
        assert_eq!(name("https://h/100%.zip").as_deref(), Some("100%.zip"));
        assert_eq!(name("https://h/a%+f.zip").as_deref(), Some("a%+f.zip"));
        assert_eq!(name("c/d e.zip").as_deref(), Some("d e.zip"));
        for bad in ["https://h/", "https://h/a%2Fb.zip", "https://h/a%0Ab.zip", "https://h/%ff.zip"]
        {
            assert_eq!(name(bad), None, "{bad}");
        }
        for bad in ["file:///etc/passwd", "ftp://h/x.zip", "s3://b/x.zip", "https://[::1/x.zip"] {
            assert!(FileLocation::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_of_a_url_holds_no_secret() {
        let url = "https://user:s3cret@h:8443/a/x.zip?X-Amz-Signature=s3cret&token=s3cret#s3cret";
        assert_eq!(FileLocation::parse(url).unwrap().shown(), "https://h:8443/a/x.zip");
        let bad = FileLocation::parse("https://user:s3cret@[::1/x").unwrap_err();
        assert!(!format!("{bad:#}").contains("s3cret"));
    }
}
