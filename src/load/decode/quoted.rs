//! Fields in quotes (RFC 4180): finding where they are open, and taking their quotes off.

/// What is wrong with a record's quotes, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The field, from 0.
    pub field: usize,
    /// The byte within the record.
    pub at: usize,
    /// What it is.
    pub kind: WrongKind,
}

/// What can be wrong with quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongKind {
    /// A quote is not closed before the record ends.
    Open,
    /// Text stands between a closing quote and the delimiter.
    Behind,
}

/// Whether a field in quotes is still open at a line's end; `open`: one was at its beginning.
pub(super) fn is_open(line: &[u8], delimiter: u8, open: bool) -> bool {
    let inside = match (open, line.strip_prefix(b"\"")) {
        (true, _) => Some(line),
        (false, Some(inside)) => Some(inside),
        (false, None) => next_opened(line, delimiter),
    };
    let Some(mut inside) = inside else { return false };
    loop {
        let Some(behind) = behind_closing(inside) else { return true };
        match next_opened(behind, delimiter) {
            Some(next) => inside = next,
            None => return false,
        }
    }
}

/// What stands behind the next quote that opens a field.
fn next_opened(text: &[u8], delimiter: u8) -> Option<&[u8]> {
    let opens = |at: &usize| text.get(at + 1) == Some(&b'"');
    let found = memchr::memchr_iter(delimiter, text).find(opens)?;
    Some(&text[found + 2..])
}

/// What stands behind the quote that closes this field; a doubled one does not.
fn behind_closing(mut inside: &[u8]) -> Option<&[u8]> {
    loop {
        let found = memchr::memchr(b'"', inside)?;
        inside = &inside[found + 1..];
        match inside.strip_prefix(b"\"") {
            Some(more) => inside = more,
            None => return Some(inside),
        }
    }
}

/// Cuts a record into fields, their quotes taken off; the first thing that is wrong with them.
pub(super) fn cut(
    record: &[u8],
    delimiter: u8,
    text: &mut Vec<u8>,
    fields: &mut Vec<(u32, u32)>,
) -> Option<Wrong> {
    text.clear();
    fields.clear();
    let (mut at, mut wrong) = (0, None);
    loop {
        let from = text.len();
        let note = |at, kind| Wrong { field: fields.len(), at, kind };
        if record.get(at) == Some(&b'"') {
            let opened = at;
            match take_quoted(record, at + 1, text) {
                Some(behind) => {
                    at = behind;
                    if at < record.len() && record[at] != delimiter {
                        wrong.get_or_insert(note(at, WrongKind::Behind));
                    }
                }
                None => {
                    at = record.len();
                    wrong.get_or_insert(note(opened, WrongKind::Open));
                }
            }
        }
        let end = memchr::memchr(delimiter, &record[at..]).map_or(record.len(), |next| at + next);
        text.extend_from_slice(&record[at..end]);
        fields.push((from as u32, text.len() as u32));
        if end == record.len() {
            return wrong;
        }
        at = end + 1;
    }
}

/// Appends a quoted field's text; where it stands behind its closing quote.
fn take_quoted(record: &[u8], mut at: usize, text: &mut Vec<u8>) -> Option<usize> {
    loop {
        let Some(found) = memchr::memchr(b'"', &record[at..]) else {
            text.extend_from_slice(&record[at..]);
            return None;
        };
        text.extend_from_slice(&record[at..at + found]);
        at += found + 1;
        if record.get(at) != Some(&b'"') {
            return Some(at);
        }
        text.push(b'"');
        at += 1;
    }
}
