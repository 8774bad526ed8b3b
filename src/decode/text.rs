//! Bytes to characters, in the declared encoding and no other: what does not decode is a
//! reject with its offset, never a replacement character.

use std::borrow::Cow;

use crate::source::Encoding;

/// Decodes a field; on failure the offset of the first byte that is not a character.
///
/// # Errors
/// The offset within the field.
pub fn decode_text(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, usize> {
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
