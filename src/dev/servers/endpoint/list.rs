//! ListObjectsV2 over a directory tree: keys in the order of their bytes, page by page, reading
//! only the directories that a page can need.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use super::store;

/// What to list.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Keys begin with it.
    pub prefix: String,
    /// Rolls keys up to their next delimiter after the prefix.
    pub delimiter: Option<String>,
    /// Where to begin.
    pub after: After,
    /// How many entries, keys and rolled-up prefixes together.
    pub limit: usize,
}

/// Where a page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum After {
    /// At the first key.
    #[default]
    Start,
    /// Behind a key.
    Key(String),
    /// Behind all keys that begin so.
    Prefix(String),
}

/// An entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// An object.
    Object {
        /// Its key.
        key: String,
        /// Its size in bytes.
        size: u64,
        /// When it was put.
        modified: SystemTime,
        /// Its ETag, without quotes.
        etag: String,
    },
    /// What several keys have in common up to the delimiter.
    Prefix(String),
}

/// A page and where the next begins, if there is one.
pub(crate) type Page = (Vec<Entry>, Option<After>);

impl After {
    /// As an opaque continuation token.
    pub fn token(&self) -> String {
        let (kind, text) = match self {
            After::Start => ('s', ""),
            After::Key(key) => ('k', key.as_str()),
            After::Prefix(prefix) => ('p', prefix.as_str()),
        };
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("{kind}{hex}")
    }

    /// Back from a token.
    ///
    /// # Errors
    /// `InvalidArgument` for a token that this endpoint never gave.
    pub fn from_token(token: &str) -> S3Result<After> {
        parse(token).ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not ours"))
    }

    /// Whether a key has been listed already.
    fn covers(&self, key: &str) -> bool {
        match self {
            After::Start => false,
            After::Key(last) => key <= last.as_str(),
            After::Prefix(last) => key < last.as_str() || key.starts_with(last.as_str()),
        }
    }

    /// Whether all keys below a directory (`a/b/`) have been listed already.
    fn covers_all(&self, directory: &str) -> bool {
        match self {
            After::Start => false,
            After::Key(last) => directory < last.as_str() && !last.starts_with(directory),
            After::Prefix(last) => {
                directory.starts_with(last.as_str())
                    || directory < last.as_str() && !last.starts_with(directory)
            }
        }
    }
}

fn parse(token: &str) -> Option<After> {
    let hex = token.get(1..)?;
    // What reads numbers takes a sign before them, too.
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
        .collect();
    let text = String::from_utf8(bytes?).ok()?;
    match token.get(..1)? {
        "s" => Some(After::Start),
        "k" => Some(After::Key(text)),
        "p" => Some(After::Prefix(text)),
        _ => None,
    }
}

/// One page of a bucket.
///
/// # Errors
/// When a directory cannot be read.
pub(crate) fn page(bucket: &Path, query: Query) -> io::Result<Page> {
    if query.limit == 0 {
        return Ok((Vec::new(), None));
    }
    let mut walk = Walk { after: query.after.clone(), query, found: Vec::new(), more: false };
    walk.directory(bucket, "")?;
    let next = walk.more.then_some(walk.after);
    Ok((walk.found, next))
}

struct Walk {
    query: Query,
    found: Vec<Entry>,
    /// Behind the last entry found.
    after: After,
    /// The page is full, and there is another entry.
    more: bool,
}

impl Walk {
    /// Walks the keys below `path`, all of which begin with `at`.
    fn directory(&mut self, path: &Path, at: &str) -> io::Result<()> {
        for (name, entry) in sorted(path)? {
            if self.more {
                break;
            }
            let key = format!("{at}{name}");
            if name.ends_with('/') {
                let prefix = &self.query.prefix;
                let within = key.starts_with(prefix.as_str()) || prefix.starts_with(&key);
                if within && !self.after.covers_all(&key) {
                    self.directory(&entry.path(), &key)?;
                }
            } else if key.starts_with(&self.query.prefix) && !self.after.covers(&key) {
                self.key(key, &entry)?;
            }
        }
        Ok(())
    }

    fn key(&mut self, key: String, entry: &DirEntry) -> io::Result<()> {
        let rolled = self.query.delimiter.as_ref().and_then(|delimiter| {
            let begin = self.query.prefix.len();
            let found = key.get(begin..)?.find(delimiter.as_str())?;
            key.get(..begin + found + delimiter.len()).map(str::to_owned)
        });
        let metadata = match fs::metadata(entry.path()) {
            Ok(metadata) => metadata,
            // Deleted meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.found.len() == self.query.limit {
            self.more = true;
            return Ok(());
        }
        match rolled {
            Some(prefix) => {
                self.after = After::Prefix(prefix.clone());
                self.found.push(Entry::Prefix(prefix));
            }
            None => {
                self.after = After::Key(key.clone());
                let (size, modified) = (metadata.len(), metadata.modified()?);
                self.found.push(Entry::Object {
                    key,
                    size,
                    modified,
                    etag: store::etag(&metadata),
                });
            }
        }
        Ok(())
    }
}

/// A directory's entries in the order of the keys below them: a directory sorts as `name/`.
fn sorted(path: &Path) -> io::Result<Vec<(String, DirEntry)>> {
    let mut entries = Vec::new();
    let read = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(entries),
        read => read?,
    };
    for entry in read {
        let entry = entry?;
        // Names that are not UTF-8 cannot be keys.
        let Ok(mut name) = entry.file_name().into_string() else { continue };
        let kind = entry.file_type()?;
        // A link to a file is an object that somebody put there by hand; links to directories
        // could run in circles.
        let linked = || fs::metadata(entry.path()).is_ok_and(|target| target.is_file());
        if kind.is_dir() {
            name.push('/');
        } else if !(kind.is_file() || kind.is_symlink() && linked()) {
            continue;
        }
        entries.push((name, entry));
    }
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn bucket(keys: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for key in keys {
            let path = dir.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, key).unwrap();
        }
        dir
    }

    fn listing(bucket: &Path, prefix: &str, delimiter: Option<&str>, limit: usize) -> Vec<String> {
        let (mut names, mut after) = (Vec::new(), After::Start);
        loop {
            let (prefix, delimiter) = (prefix.to_owned(), delimiter.map(str::to_owned));
            let (entries, next) = page(bucket, Query { prefix, delimiter, after, limit }).unwrap();
            assert!(entries.len() <= limit);
            names.extend(entries.into_iter().map(|entry| match entry {
                Entry::Object { key, .. } => key,
                Entry::Prefix(prefix) => format!("<{prefix}>"),
            }));
            match next {
                Some(next) => after = After::from_token(&next.token()).unwrap(),
                None => return names,
            }
        }
    }

    #[test]
    fn keys_are_in_the_order_of_their_bytes() {
        let dir = bucket(&["a/b", "a.b", "a0", "b/x/y", "b/x.y"]);
        fs::create_dir(dir.path().join("empty")).unwrap();
        let expected = ["a.b", "a/b", "a0", "b/x.y", "b/x/y"];
        for limit in 1..6 {
            assert_eq!(listing(dir.path(), "", None, limit), expected);
        }
    }

    #[test]
    fn delimiters_roll_up_once_across_pages() {
        let dir = bucket(&["a/1", "a/2", "b", "c/d/1", "c/d/2", "c/e"]);
        for limit in 1..5 {
            assert_eq!(listing(dir.path(), "", Some("/"), limit), ["<a/>", "b", "<c/>"]);
            assert_eq!(listing(dir.path(), "c/", Some("/"), limit), ["<c/d/>", "c/e"]);
            assert_eq!(listing(dir.path(), "c", Some("d/"), limit), ["<c/d/>", "c/e"]);
        }
    }

    #[test]
    fn foreign_tokens_are_refused() {
        for token in ["", "x", "k0", "kzz", "q00", "kff", "k+f", "é"] {
            assert!(After::from_token(token).is_err(), "{token}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Against the definition: sort all keys, filter, roll up.
        #[test]
        fn any_tree_lists_as_defined(
            keys in prop::collection::btree_set("[ab.0](/?[ab.0]){0,4}", 0..24),
            prefix in "(|a|a/|b/a|\\.)",
            delimiter in prop::option::of("(/|a|\\.)"),
            limit in 1_usize..7,
        ) {
            let clashes = |key: &str| keys.iter().any(|other| other.starts_with(&format!("{key}/")));
            let plain = |key: &&String| key.split('/').all(|s| s != "." && s != "..");
            let keys: BTreeSet<&str> =
                keys.iter().filter(plain).map(String::as_str).filter(|key| !clashes(key)).collect();
            let dir = bucket(&keys.iter().copied().collect::<Vec<_>>());
            let mut expected: Vec<String> = Vec::new();
            for key in keys.iter().filter(|key| key.starts_with(&prefix)) {
                let rolled = delimiter.as_ref().and_then(|delimiter| {
                    let found = key[prefix.len()..].find(delimiter.as_str())?;
                    Some(format!("<{}>", &key[..prefix.len() + found + delimiter.len()]))
                });
                let name = rolled.unwrap_or_else(|| (*key).to_owned());
                if expected.last() != Some(&name) {
                    expected.push(name);
                }
            }
            prop_assert_eq!(listing(dir.path(), &prefix, delimiter.as_deref(), limit), expected);
        }
    }
}
