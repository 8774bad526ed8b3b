//! Rows as COPY is sent them, read again as Postgres reads them.

use crate::load::bind::Binding;
use crate::load::encode::{self, ColumnType};

/// A binary row's fields; `None` for a null.
pub(super) type BinaryRow = Vec<Option<Vec<u8>>>;

/// Reads rows as Postgres would, and holds each field against its column's type.
pub(super) fn rows(binding: &Binding, mut bytes: &[u8]) -> anyhow::Result<Vec<BinaryRow>> {
    let numbers = binding.dictionaries.iter().map(|dictionary| (dictionary.key, true));
    let targets = binding.targets.iter().map(|target| (target.kind, target.not_null));
    let kinds: Vec<(ColumnType, bool)> = numbers.chain(targets).collect();
    let mut all = Vec::new();
    while let Some((count, rest)) = bytes.split_first_chunk() {
        assert_eq!(usize::from(u16::from_be_bytes(*count)), kinds.len());
        bytes = rest;
        let mut row = BinaryRow::new();
        for (kind, not_null) in &kinds {
            let length = encode::field_length(bytes);
            assert!(length.is_some_and(|length| length <= bytes.len()), "a row breaks off");
            let (field, rest) = bytes.split_at(length.unwrap_or_default());
            bytes = rest;
            let is_null = encode::is_null(field);
            assert!(!(is_null && *not_null), "null where none may be");
            row.push((!is_null).then(|| field[size_of::<i32>()..].to_vec()));
            if !is_null {
                is_of_kind(&field[size_of::<i32>()..], *kind)?;
            }
        }
        all.push(row);
    }
    assert!(bytes.is_empty());
    Ok(all)
}

fn is_of_kind(field: &[u8], kind: ColumnType) -> anyhow::Result<()> {
    match kind {
        ColumnType::Text { .. } => assert!(!std::str::from_utf8(field)?.contains('\0')),
        ColumnType::Bool => assert!(matches!(field, [0 | 1])),
        ColumnType::Int2 => assert_eq!(field.len(), 2),
        ColumnType::Int4 | ColumnType::Date => assert_eq!(field.len(), 4),
        ColumnType::Uuid => assert_eq!(field.len(), 16),
        ColumnType::Numeric { .. } => {
            // Digits, weight, sign and scale, then four decimal digits in two bytes each.
            assert!(field.len() >= 8);
            assert_eq!(field.len(), 8 + 2 * usize::from(u16::from_be_bytes([field[0], field[1]])));
            let (digits, _) = field[8..].as_chunks::<2>();
            assert!(digits.iter().all(|digit| u16::from_be_bytes(*digit) < 10_000));
            assert!(matches!(field[4..6], [0 | 0x40, 0]));
        }
        ColumnType::Jsonb => {
            assert_eq!(field.first(), Some(&1));
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(&field[1..])?;
            let mut pairs: Vec<_> = object.iter().collect();
            pairs.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
            let pairs: Vec<String> =
                pairs.iter().map(|(key, text)| format!("{}: {text}", quoted(key))).collect();
            // Without a key twice, and in Postgres's own order, or its digest cannot be read again.
            let stored = format!("{{{}}}", pairs.join(", "));
            assert_eq!(std::str::from_utf8(&field[1..])?, stored);
            let texts = object.iter().map(|(key, text)| (key.as_str(), text.as_str()));
            for (key, text) in texts {
                // jsonb cannot hold NUL.
                assert!(!key.contains('\0') && text.is_some_and(|text| !text.contains('\0')));
            }
        }
        _ => {}
    }
    Ok(())
}

fn quoted(key: &str) -> serde_json::Value {
    serde_json::Value::String(key.to_owned())
}

/// Lines of COPY's text format, read as Postgres reads them, say what binary rows do.
pub(super) fn lines_say_what_rows_say(
    lines: &[u8],
    columns: &[bool],
    binding: &Binding,
    binary: &[u8],
) {
    let read = rows(binding, binary);
    assert!(read.is_ok(), "{read:?}");
    let Some(null) = binding.lines else { return };
    let null: &[u8] = if null == encode::line::Null::Mark { b"\x01" } else { b"" };
    let mut lines = lines.split(|byte| *byte == b'\n');
    for row in read.unwrap_or_default() {
        let line = lines.next().unwrap_or_default();
        let mut fields = line.split(|byte| *byte == b'\t');
        for (text, named) in row.iter().zip(columns) {
            if !named {
                assert_eq!(*text, None, "a column that COPY does not name holds something");
                continue;
            }
            let field = fields.next().unwrap_or(b"no field");
            let said = (field != null).then(|| unescaped(field));
            assert_eq!(said, *text, "a line says something else than its row");
        }
        assert_eq!(fields.next(), None);
    }
    assert_eq!(lines.next(), Some(&b""[..]));
    assert_eq!(lines.next(), None);
}

/// What a field of COPY's text format says.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::new(), field);
    while let [first, behind @ ..] = rest {
        rest = behind;
        let mut byte = *first;
        if byte == b'\\' {
            let (escaped, behind): (u8, &[u8]) = match rest {
                [b't', behind @ ..] => (b'\t', behind),
                [b'n', behind @ ..] => (b'\n', behind),
                [b'r', behind @ ..] => (b'\r', behind),
                [b'x', b'0', b'1', behind @ ..] => (1, behind),
                [other, behind @ ..] => (*other, behind),
                [] => (b'\\', rest),
            };
            (byte, rest) = (escaped, behind);
        }
        text.push(byte);
    }
    text
}
