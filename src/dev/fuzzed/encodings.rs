//! Encodings: bytes are what the declared encoding says, to the last one, or an error with the offset
//! of the first that is none; never a replacement character, and the same in rows as in fields.

use super::choices::Choices;
use super::cut::Cut;
use super::{loaded, records, stands};
use crate::load::bind::names_of;
use crate::load::decode::{BEGINNING, BOM, Records, decode_text, no_text};
use crate::spec::source::{Encoding, Header};

const ALL: [Encoding; 4] =
    [Encoding::Ascii, Encoding::Utf8, Encoding::Windows1252, Encoding::Utf8OrWindows1252];
/// Bytes that are no characters of windows-1252.
const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// Any bytes as a text in any encoding.
pub fn encodings(data: &[u8]) {
    let Some((choices, text)) = Choices::of(data) else { return };
    for encoding in ALL {
        is_decoded(text, encoding);
    }
    stands(is_loaded(choices, text));
}

/// What kiln makes of bytes, held against what the standard library and the encoding's definition say.
fn expected(bytes: &[u8], encoding: Encoding) -> Result<String, usize> {
    let utf8 =
        || std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| error.valid_up_to());
    match encoding {
        Encoding::Utf8 => utf8(),
        Encoding::Ascii => match bytes.iter().position(|byte| *byte > 0x7f) {
            Some(offset) => Err(offset),
            None => utf8(),
        },
        Encoding::Windows1252 => match bytes.iter().position(|byte| UNDEFINED.contains(byte)) {
            Some(offset) => Err(offset),
            None => Ok(bytes.iter().map(|byte| of_windows_1252(*byte)).collect()),
        },
        Encoding::Utf8OrWindows1252 => utf8().or_else(|_| expected(bytes, Encoding::Windows1252)),
    }
}

/// Microsoft's table (bestfit1252): as Latin 1 but for these.
fn of_windows_1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
        '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => FROM_80[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

fn is_decoded(bytes: &[u8], encoding: Encoding) {
    let decoded = decode_text(bytes, encoding).map(|text| text.into_owned());
    assert_eq!(decoded, expected(bytes, encoding), "{encoding:?}");
    if let Err(offset) = decoded {
        assert!(offset < bytes.len());
        assert!(decode_text(&bytes[..offset], encoding).is_ok(), "{encoding:?}: {offset}");
    }
}

/// A file of texts: each row is what its fields are in the encoding, or a reject.
fn is_loaded(choices: Choices, text: &[u8]) -> anyhow::Result<()> {
    let mut format = choices.format();
    (format.header, format.multiline, format.trailing) = (Header::Rows(1), false, false);
    let delimiter = char::from(format.delimiter);
    let whole = [format!("A{delimiter}B{delimiter}C\n").as_bytes(), text].concat();
    let cut = records::cut(whole.as_slice(), &format);
    // The third column is in upper case.
    let field = |(index, field): (usize, &Vec<u8>)| match index {
        2 => expected(&field.to_ascii_uppercase(), format.encoding),
        _ => expected(field, format.encoding),
    };
    let row = |record: &Cut| -> Option<Vec<Option<Vec<u8>>>> {
        let texts = record.fields.iter().enumerate().map(field);
        let texts: Vec<String> = texts.collect::<Result<_, _>>().ok()?;
        let fits = texts.len() == 3 && texts.iter().all(|text| !text.contains('\0'));
        let sound = record.flaw.is_none() && fits;
        // Nothing is null.
        let text = |text: String| Some(text.into_bytes()).filter(|text| !text.is_empty());
        sound.then(|| texts.into_iter().map(text).collect())
    };
    let (loaded, rows) = loaded::texts(&format, &whole)?;
    if cut.error.is_none() && no_text(&whole[..whole.len().min(BEGINNING)]).is_none() {
        let expected: Vec<_> = cut.records.iter().skip(1).filter_map(row).collect();
        assert_eq!(rows, expected, "{:?}", format.encoding);
        let rejects = cut.records.len() - 1 - expected.len();
        assert_eq!(loaded.rejects.len(), rejects);
    }
    is_named(choices, text)
}

/// The names of a header, which messages and the ledger have: no control characters, in any encoding.
fn is_named(choices: Choices, text: &[u8]) -> anyhow::Result<()> {
    let _ = no_text(&text[..text.len().min(BEGINNING)]);
    let mut format = choices.format();
    format.multiline = false;
    let mut records = Records::new(text, &format);
    records.skip_prefix(BOM)?;
    let Some(record) = records.next_record()? else { return Ok(()) };
    for name in names_of(&record, format.encoding) {
        assert!(!name.contains(char::is_control), "{name:?}");
    }
    Ok(())
}
