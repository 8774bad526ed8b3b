//! Bytes to characters, in the declared encoding and no other: what does not decode is a
//! reject with its offset, never a replacement character.

use std::borrow::Cow;

use crate::spec::source::Encoding;

/// UTF-8's byte order mark.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";
/// How much of a file's beginning tells what it is.
pub(crate) const BEGINNING: usize = 64;

/// What a file is that is no delimited text, by the bytes that it begins with.
pub(crate) fn no_text(beginning: &[u8]) -> Option<String> {
    let what = match beginning {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "is UTF-32",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "is UTF-16",
        [0x1f, 0x8b, ..] => "is gzip: gunzip it first",
        [b'P', b'K', 3, 4, ..] if holds(beginning, b"[Content_Types].xml") => {
            "is a spreadsheet (xlsx), not text"
        }
        [b'P', b'K', 3 | 5, 4 | 6, ..] => "is a zip or a spreadsheet, not text",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "is an Office document, not text",
        [b'%', b'P', b'D', b'F', ..] => "is a PDF, not text",
        _ if every_other_is_nul(beginning) => "is UTF-16 without a byte order mark",
        _ => return None,
    };
    let shown: Vec<String> = beginning.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{what} (it begins with the bytes {})", shown.join(" ")))
}

fn holds(bytes: &[u8], sought: &[u8]) -> bool {
    bytes.windows(sought.len()).any(|window| window == sought)
}

/// ASCII in UTF-16.
fn every_other_is_nul(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.len() > 3
        && (pairs.iter().all(|pair| pair[0] == 0 && pair[1] != 0)
            || pairs.iter().all(|pair| pair[1] == 0 && pair[0] != 0))
}

/// Decodes a field.
///
/// # Errors
/// When the field is not text of this encoding: the offset within it of the first byte that is not a character.
pub(crate) fn decode_text(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, usize> {
    match encoding {
        Encoding::Utf8 => {
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| error.valid_up_to())
        }
        Encoding::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
            Some(offset) => Err(offset),
            None => Ok(String::from_utf8_lossy(bytes)),
        },
        Encoding::Utf8OrWindows1252 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(_) => decode_text(bytes, Encoding::Windows1252),
        },
        Encoding::Windows1252 => {
            // WHATWG maps the five unassigned bytes to C1 controls, so that they would pass;
            // Microsoft's table (bestfit1252) leaves them undefined, and here they are errors.
            let undefined = |byte: &u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
            match bytes.iter().position(undefined) {
                Some(offset) => Err(offset),
                None => Ok(encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_told_by_its_first_bytes() {
        for (beginning, what) in [
            (&b"\xff\xfec\0o\0"[..], "is UTF-16 (it begins with the bytes ff fe 63 00)"),
            (b"c\0o\0d\0e\0,\0", "is UTF-16 without a byte order mark"),
            (b"\0c\0o\0d\0e", "is UTF-16 without a byte order mark"),
            (b"\x1f\x8b\x08", "is gzip: gunzip it first (it begins with the bytes 1f 8b 08)"),
            (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "is a spreadsheet (xlsx)"),
            (b"PK\x03\x04rest", "is a zip or a spreadsheet"),
        ] {
            let said = no_text(beginning).unwrap_or_default();
            assert!(said.starts_with(what), "{said}");
        }
        for text in [&b""[..], b"code,name\n", b"PK,name\n", b"\xef\xbb\xbfcode\n", b"a\n\0"] {
            assert_eq!(no_text(text), None);
        }
    }

    #[test]
    fn each_encoding_takes_its_own_bytes_and_no_others() {
        let e_acute: &[u8] = b"Caf\xe9 \x93x\x94";
        assert_eq!(decode_text(e_acute, Encoding::Windows1252).as_deref(), Ok("Café “x”"));
        assert_eq!(decode_text(e_acute, Encoding::Utf8), Err(3));
        assert_eq!(decode_text(e_acute, Encoding::Ascii), Err(3));
        assert_eq!(decode_text("Café".as_bytes(), Encoding::Utf8).as_deref(), Ok("Café"));
        let either = Encoding::Utf8OrWindows1252;
        assert_eq!(decode_text(e_acute, either).as_deref(), Ok("Café “x”"));
        assert_eq!(decode_text("Café".as_bytes(), either).as_deref(), Ok("Café"));
        for undefined in [0x81, 0x8d, 0x8f, 0x90, 0x9d] {
            assert_eq!(decode_text(&[b'a', undefined], Encoding::Windows1252), Err(1));
        }
    }
}
