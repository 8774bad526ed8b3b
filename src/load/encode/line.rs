//! A row as a line of COPY's text format, for tables of texts alone: there it is less work for the server
//! than the binary row, and of columns that a COPY does not name the server knows nothing at all. Rows are
//! checked, counted and digested in binary all the same.

/// What stands for null where a text may be empty: a character that publishers do not write.
const MARK: u8 = 1;
/// A text that is no more than [`MARK`]: COPY looks for nulls before it reads escapes
/// (`CopyReadAttributesText` in src/backend/commands/copyfromparse.c).
const NO_MARK: &[u8] = br"\x01";
/// Four nulls of a binary row.
const NULLS: [u8; 16] = [0xff; 16];

/// What a line has for null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// Nothing, for no text is empty.
    Nothing,
    /// A mark.
    Mark,
}

impl Null {
    /// COPY's options.
    pub fn options(self) -> &'static str {
        match self {
            Null::Nothing => "format text, null ''",
            Null::Mark => r"format text, null e'\x01'",
        }
    }
}

/// Notes which columns of a binary row are not null.
pub fn note(row: &[u8], filled: &mut [bool]) {
    let mut rest = behind_count(row);
    let mut column = 0;
    while !rest.is_empty() {
        if rest.starts_with(&NULLS) {
            (rest, column) = (&rest[NULLS.len()..], column + 4);
            continue;
        }
        let (text, behind) = next(rest);
        filled[column] |= text.is_some();
        (rest, column) = (behind, column + 1);
    }
}

/// Appends the line of the first of these binary rows, without the columns that are not `filled`, which
/// are null; gives the other rows.
pub fn append<'a>(rows: &'a [u8], filled: &[bool], null: Null, lines: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = behind_count(rows);
    for is_filled in filled {
        let (text, behind) = next(rest);
        rest = behind;
        if !is_filled {
            continue;
        }
        match (text, null) {
            (Some(text), _) => escaped(text, lines),
            (None, Null::Mark) => lines.push(MARK),
            (None, Null::Nothing) => {}
        }
        lines.push(b'\t');
    }
    lines.pop();
    lines.push(b'\n');
    rest
}

fn behind_count(row: &[u8]) -> &[u8] {
    &row[size_of::<i16>()..]
}

/// The next text, or null, and what is behind it.
fn next(rest: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let (length, behind) = rest.split_at(size_of::<i32>());
    let length = i32::from_be_bytes([length[0], length[1], length[2], length[3]]);
    match usize::try_from(length) {
        Ok(length) => (Some(&behind[..length]), &behind[length..]),
        Err(_) => (None, behind),
    }
}

fn escaped(text: &[u8], lines: &mut Vec<u8>) {
    let escape = |byte: u8| match byte {
        b'\\' => Some(b'\\'),
        b'\t' => Some(b't'),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        _ => None,
    };
    // All bytes are looked at, whatever the first is: the compiler then looks at many at once.
    let special = text.iter().fold(false, |any, byte| any | escape(*byte).is_some());
    if text == [MARK] {
        lines.extend_from_slice(NO_MARK);
    } else if !special {
        lines.extend_from_slice(text);
    } else {
        for byte in text {
            match escape(*byte) {
                Some(escaped) => lines.extend_from_slice(&[b'\\', escaped]),
                None => lines.push(*byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::encode::{begin_row, null, text};

    fn row(texts: &[Option<&str>]) -> Vec<u8> {
        let mut row = Vec::new();
        begin_row(&mut row, texts.len() as i16);
        for said in texts {
            match said {
                Some(said) => assert_eq!(text(&mut row, said, None), Ok(())),
                None => null(&mut row),
            }
        }
        row
    }

    fn line(rows: &[u8], filled: &[bool], null: Null) -> String {
        let (mut lines, mut rest) = (Vec::new(), rows);
        while !rest.is_empty() {
            rest = append(rest, filled, null, &mut lines);
        }
        String::from_utf8(lines).unwrap_or_default()
    }

    #[test]
    fn a_line_has_what_its_row_has() {
        let said = row(&[Some("a\\b\tc\nd\re"), None, Some("\u{1}"), Some("\\."), Some("é"), None]);
        let (all, escaped) = ([true; 6], "a\\\\b\\tc\\nd\\re");
        let nothing = format!("{escaped}\t\t\\x01\t\\\\.\té\t\n");
        assert_eq!(line(&said, &all, Null::Nothing), nothing);
        let mark = format!("{escaped}\t\u{1}\t\\x01\t\\\\.\té\t\u{1}\n");
        assert_eq!(line(&said, &all, Null::Mark), mark);
        let empty = row(&[Some(""), None, Some("\u{1}\u{1}"), Some("\\N")]);
        assert_eq!(line(&empty, &[true; 4], Null::Mark), "\t\u{1}\t\u{1}\u{1}\t\\\\N\n");
    }

    #[test]
    fn columns_without_content_are_left_out() {
        let first = row(&[None, None, None, None, None, None, Some("x"), None]);
        let second = row(&[None, Some("y"), None, None, None, None, None, None]);
        let mut filled = [false; 8];
        note(&first, &mut filled);
        note(&second, &mut filled);
        assert_eq!(filled, [false, true, false, false, false, false, true, false]);
        let both = [first, second].concat();
        assert_eq!(line(&both, &filled, Null::Nothing), "\tx\ny\t\n");
    }
}
