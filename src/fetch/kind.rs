//! What a file is by its first bytes: where it is not what its name says, that is what a person
//! wants to know, and not that "the archive is cut".

/// Bytes that are looked at.
pub(crate) const HEAD: usize = 1 << 10;

/// What a file is by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// No bytes.
    Empty,
    /// A zip archive.
    Zip,
    /// A gzip file.
    Gzip,
    /// Another packed file, or a document, by name.
    Other(&'static str),
    /// A page of the web, most often one that says that the file is elsewhere.
    Page,
    /// Text.
    Text,
    /// Nothing that is known.
    Unknown,
}

/// First bytes of what people take for the file that they were to get.
const MAGIC: [(&[u8], FileKind); 10] = [
    (b"PK\x03\x04", FileKind::Zip),
    (b"PK\x05\x06", FileKind::Zip),
    (b"\x1f\x8b", FileKind::Gzip),
    (b"%PDF", FileKind::Other("a PDF document")),
    (b"BZh", FileKind::Other("a bzip2 file")),
    (b"\xfd7zXZ\0", FileKind::Other("an xz file")),
    (b"7z\xbc\xaf\x27\x1c", FileKind::Other("a 7z archive")),
    (b"Rar!", FileKind::Other("a rar archive")),
    (b"\xd0\xcf\x11\xe0", FileKind::Other("an old Office document")),
    (b"\x28\xb5\x2f\xfd", FileKind::Other("a zstd file")),
];

/// How a page of the web begins; no delimited text does.
const PAGES: [&[u8]; 6] = [b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<script"];

impl FileKind {
    /// What these first bytes begin.
    pub(crate) fn of(head: &[u8]) -> FileKind {
        if head.is_empty() {
            return FileKind::Empty;
        }
        if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return *kind;
        }
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let begins = |page: &&[u8]| {
            text.get(..page.len()).is_some_and(|start| start.eq_ignore_ascii_case(page))
        };
        if PAGES.iter().any(begins) {
            return FileKind::Page;
        }
        let control = |byte: &&u8| **byte < b' ' && !b"\t\r\n\x0c".contains(byte);
        match head.iter().find(control) {
            None => FileKind::Text,
            Some(_) => FileKind::Unknown,
        }
    }

    /// In words, behind "it is".
    pub(crate) fn words(self) -> Option<&'static str> {
        match self {
            FileKind::Empty => Some("empty"),
            FileKind::Zip => Some("a zip archive"),
            FileKind::Gzip => Some("a gzip file"),
            FileKind::Other(what) => Some(what),
            FileKind::Page => Some("a page of the web (HTML or XML)"),
            FileKind::Text => Some("a text"),
            FileKind::Unknown => None,
        }
    }

    /// What to do where a zip was expected.
    pub(crate) fn hint_for_zip(self) -> &'static str {
        match self {
            FileKind::Text => "take the zip as it was posted, not what was extracted from it",
            FileKind::Page => {
                "open the address in a browser: is the file elsewhere, or behind a login?"
            }
            FileKind::Gzip | FileKind::Other(_) => "take the zip as it was posted, not packed anew",
            FileKind::Empty | FileKind::Zip | FileKind::Unknown => "download it again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_a_file_is() {
        for (head, kind) in [
            (&b""[..], FileKind::Empty),
            (b"PK\x03\x04\x14\0", FileKind::Zip),
            (b"\x1f\x8b\x08", FileKind::Gzip),
            (b"%PDF-1.7", FileKind::Other("a PDF document")),
            (b"\xef\xbb\xbf\r\n <!DOCTYPE html>", FileKind::Page),
            (b"<HTML>", FileKind::Page),
            (b"<?xml version=\"1.0\"?><Error>", FileKind::Page),
            (b"code,name\r\n1,\xe4\r\n", FileKind::Text),
            (b"<5 years,3", FileKind::Text),
            (b"\0\x01\x02", FileKind::Unknown),
        ] {
            assert_eq!(FileKind::of(head), kind, "{head:?}");
        }
    }
}
