//! Bytes to records: one record at a time out of one bounded buffer, with its line and byte
//! position and its original bytes.
//!
//! A line end ends a record, in quotes too, unless the format says `multiline`: by RFC 4180 one stray
//! quote swallows the rows up to the next, 30 of 60, and all is well by the counts. The csv crate's
//! reader lets one that is never closed swallow the rest of the file into memory (1.5 GB for a 400 MB
//! file, measured); here a record has a limit, and reaching it is an error.

mod fields;
mod quoted;
mod record;
mod text;

use std::io::Read;

pub(crate) use record::{Flaw, Record, RecordPosition};
pub(crate) use text::{BEGINNING, BOM, decode_text, no_text};

use crate::error::{self, Exit, Failure, from_io};
use crate::spec::source::{Format, Quoting};
use fields::split;
use quoted::{Wrong, WrongKind};

/// Longest record, its line end included. CMS's widest (PBP, 840 columns) are some 20 KiB.
pub(crate) const RECORD_MAX: usize = 8 << 20;
/// Longest field.
pub(crate) const FIELD_MAX: usize = 1 << 20;
/// How far behind a quote that its line does not close the next one is looked for, to name its line.
const LOOK_AHEAD: usize = 1 << 20;
/// How much is asked of the input at a time.
const CHUNK: usize = 256 << 10;

/// What to do about a record without end.
const LOOK_AT_QUOTES: &str = "look at that line; if quotes mean nothing in this file: quoting = \"none\", and if no field holds a line end: multiline = false";

/// Cuts an input into records.
pub struct Records<R> {
    input: R,
    delimiter: u8,
    /// Whether quotes mean something.
    quoted: bool,
    /// Whether a field in quotes may hold line ends.
    multiline: bool,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    finished: bool,
    next: RecordPosition,
    last: (usize, RecordPosition),
    /// Where the last record's original bytes stand in the buffer.
    raw: std::ops::Range<usize>,
    ended_in_newline: bool,
    fields: Vec<(u32, u32)>,
    unquoted: Vec<u8>,
    /// Where a quote was left open: its line, and the byte of the next quote behind that.
    open: Option<(u64, u64)>,
}

impl<R: Read> Records<R> {
    /// Reads records cut as the format says.
    pub fn new(input: R, format: &Format) -> Self {
        let quoted = format.quoting == Quoting::Double;
        Records {
            input,
            delimiter: format.delimiter,
            quoted,
            multiline: quoted && format.multiline,
            buffer: vec![0; 2 * CHUNK],
            start: 0,
            end: 0,
            finished: false,
            next: RecordPosition { line: 1, byte: 0 },
            last: (0, RecordPosition { line: 1, byte: 0 }),
            raw: 0..0,
            ended_in_newline: true,
            fields: Vec::new(),
            unquoted: Vec::new(),
            open: None,
        }
    }

    /// The input, to ask it for its own verdict at the end.
    pub fn into_input(self) -> R {
        self.input
    }

    /// The first bytes of what is not read yet, at most `count`.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn beginning(&mut self, count: usize) -> anyhow::Result<&[u8]> {
        while self.end - self.start < count && self.fill()? {}
        let end = self.end.min(self.start + count);
        Ok(&self.buffer[self.start..end])
    }

    /// Skips these bytes if the file begins with them (a byte order mark).
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn skip_prefix(&mut self, prefix: &[u8]) -> anyhow::Result<()> {
        if self.beginning(prefix.len())? == prefix {
            self.start += prefix.len();
            self.next.byte += prefix.len() as u64;
        }
        Ok(())
    }

    /// Puts the last record back: the next is the same again.
    pub fn put_back(&mut self) {
        let (length, position) = self.last;
        self.start -= length; // nothing was read since, so its bytes still stand there
        self.next = position;
        self.last.0 = 0;
    }

    /// Whether the last record read ended in a line end.
    pub fn ended_in_newline(&self) -> bool {
        self.ended_in_newline
    }

    /// The next record, or `None` at the end of the input.
    ///
    /// # Errors
    /// [`Exit::InputRejected`] when a record or field is longer than the limits; the input's
    /// own error when it cannot be read.
    pub fn next_record(&mut self) -> anyhow::Result<Option<Record<'_>>> {
        if self.step()? { self.record().map(Some) } else { Ok(None) }
    }

    /// Goes on to the next record without cutting it into fields; `false` at the end of the input.
    ///
    /// # Errors
    /// As [`Records::next_record`].
    pub fn step(&mut self) -> anyhow::Result<bool> {
        let Some((length, advance)) = self.find_end()? else { return Ok(false) };
        self.last = (advance, self.next);
        let whole = &self.buffer[self.start..self.start + advance];
        self.ended_in_newline = whole.last() == Some(&b'\n');
        self.next.byte += advance as u64;
        self.next.line += match self.multiline {
            false => 1,
            true => memchr::memchr_iter(b'\n', whole).count().max(1) as u64,
        };
        self.raw = self.start..self.start + length;
        self.start += advance;
        Ok(true)
    }

    /// The record that the last step went to, as it stands in the file, where nothing but
    /// delimiters tells its fields apart.
    pub fn line(&self) -> Option<&[u8]> {
        (!self.quoted).then(|| &self.buffer[self.raw.clone()])
    }

    /// The record that the last step went to, cut into fields.
    ///
    /// # Errors
    /// [`Exit::InputRejected`] when a field is longer than the limit.
    pub fn record(&mut self) -> anyhow::Result<Record<'_>> {
        let mut flaw = None;
        let raw = &self.buffer[self.raw.clone()];
        let has_quotes = self.quoted && memchr::memchr(b'"', raw).is_some();
        if has_quotes {
            let wrong = quoted::cut(raw, self.delimiter, &mut self.unquoted, &mut self.fields);
            flaw = match wrong {
                Some(wrong) => Some(self.flaw(wrong)?),
                None => self.closes(),
            };
        } else {
            split(raw, self.delimiter, &mut self.fields);
        }
        let position = self.last.1;
        let raw = &self.buffer[self.raw.clone()];
        let text = if has_quotes { self.unquoted.as_slice() } else { raw };
        if text.len() > FIELD_MAX {
            refuse_long_field(&self.fields, position)?;
        }
        let quoted_by = has_quotes.then_some(self.delimiter);
        Ok(Record { position, raw, text, fields: &self.fields, quoted_by, flaw })
    }

    /// Finds where the record at `start` ends: its length without and with the line end.
    fn find_end(&mut self) -> anyhow::Result<Option<(usize, usize)>> {
        if self.multiline { self.find_multiline_end() } else { self.find_line_end() }
    }

    fn find_line_end(&mut self) -> anyhow::Result<Option<(usize, usize)>> {
        let mut searched = 0;
        loop {
            let window = &self.buffer[self.start + searched..self.end];
            if let Some(found) = memchr::memchr(b'\n', window) {
                let advance = searched + found + 1;
                let line = &self.buffer[self.start..self.start + advance - 1];
                return Ok(Some((without_return(line), advance)));
            }
            searched = self.end - self.start;
            self.refuse_endless(searched)?;
            if !self.fill()? {
                let rest = &self.buffer[self.start..self.end];
                return Ok((!rest.is_empty()).then_some((without_return(rest), rest.len())));
            }
        }
    }

    /// The same where a field in quotes may hold line ends: the first line end outside of quotes.
    fn find_multiline_end(&mut self) -> anyhow::Result<Option<(usize, usize)>> {
        let (mut line, mut searched, mut open) = (0, 0, false);
        loop {
            let window = &self.buffer[self.start + searched..self.end];
            if let Some(found) = memchr::memchr(b'\n', window) {
                let end = searched + found;
                let text = &self.buffer[self.start + line..self.start + end];
                open = quoted::is_open(text, self.delimiter, open);
                if !open {
                    let whole = &self.buffer[self.start..self.start + end];
                    return Ok(Some((without_return(whole), end + 1)));
                }
                (line, searched) = (end + 1, end + 1);
                self.refuse_endless(searched)?;
                continue;
            }
            searched = self.end - self.start;
            self.refuse_endless(searched)?;
            if !self.fill()? {
                let rest = &self.buffer[self.start..self.end];
                if quoted::is_open(&rest[line..], self.delimiter, open) {
                    return Err(self.open_quote());
                }
                return Ok((!rest.is_empty()).then_some((without_return(rest), rest.len())));
            }
        }
    }

    /// A flaw's position in the file, and its message.
    fn flaw(&mut self, wrong: Wrong) -> anyhow::Result<Flaw> {
        let RecordPosition { line, byte } = self.last.1;
        let reason = match wrong.kind {
            WrongKind::Behind => "text behind a closing quote".to_owned(),
            WrongKind::Open => {
                let next = self.next_quote()?;
                self.open = next.map(|(_, byte)| (line, byte));
                let other = match next {
                    Some((next, _)) => format!("the next quote is in line {next}"),
                    None => "no quote follows".to_owned(),
                };
                format!(
                    "a quote opens in line {line} and is not closed there; {other} (where fields \
                     hold line ends: multiline = true)"
                )
            }
        };
        Ok(Flaw { field: wrong.field, byte: byte + wrong.at as u64, reason })
    }

    /// Line and byte of the first quote behind the last record, looked for so far and no farther:
    /// a reader of fields that hold line ends would have gone on to there.
    fn next_quote(&mut self) -> anyhow::Result<Option<(u64, u64)>> {
        let (advance, _) = self.last;
        // What is read makes room by moving what is there: the record is to stay.
        self.start -= advance;
        let mut searched = advance;
        let found = loop {
            let window = &self.buffer[self.start + searched..self.end];
            if let Some(found) = memchr::memchr(b'"', window) {
                break Some(searched + found);
            }
            searched = self.end - self.start;
            if searched > advance + LOOK_AHEAD || !self.fill()? {
                break None;
            }
        };
        self.raw = self.start..self.start + self.raw.len();
        let behind = self.start + advance;
        let found = found.filter(|at| *at <= advance + LOOK_AHEAD).map(|at| {
            let between = &self.buffer[behind..self.start + at];
            let lines = memchr::memchr_iter(b'\n', between).count() as u64;
            (self.next.line + lines, self.next.byte + between.len() as u64)
        });
        self.start = behind;
        Ok(found)
    }

    /// Whether the quote that a former record's open one would end at stands in this record, and
    /// opens no field of its own.
    fn closes(&self) -> Option<Flaw> {
        let ((_, RecordPosition { byte, .. }), (opened, at)) = (self.last, self.open?);
        let raw = &self.buffer[self.raw.clone()];
        let offset = usize::try_from(at.checked_sub(byte)?).ok()?;
        if offset == 0 || offset >= raw.len() || raw[offset - 1] == self.delimiter {
            return None;
        }
        let before = memchr::memchr_iter(self.delimiter, &raw[..offset]).count();
        let reason = format!("a quote closes here that line {opened} opens");
        Some(Flaw { field: before, byte: at, reason })
    }

    fn open_quote(&self) -> anyhow::Error {
        let RecordPosition { line, byte } = self.next;
        let message = format!(
            "the record at line {line}, byte {byte} has a quote that is not closed before the \
             file ends"
        );
        let place = error::Position::at_line(line);
        Failure::new(Exit::InputRejected, message).hint(LOOK_AT_QUOTES).at(place).into()
    }

    fn refuse_endless(&self, length: usize) -> anyhow::Result<()> {
        if length <= RECORD_MAX {
            return Ok(());
        }
        let RecordPosition { line, byte } = self.next;
        let why = if self.multiline {
            "is there a quote that is never closed?"
        } else {
            "is this the file that the spec describes?"
        };
        let message = format!("the record at line {line}, byte {byte} is longer than 8 MiB: {why}");
        let place = error::Position::at_line(line);
        Err(Failure::new(Exit::InputRejected, message).hint(LOOK_AT_QUOTES).at(place).into())
    }

    /// Makes room and reads more; false at the end of the input.
    fn fill(&mut self) -> anyhow::Result<bool> {
        if self.finished {
            return Ok(false);
        }
        if self.start > 0 && self.buffer.len() - self.end < CHUNK {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = self.input.read(&mut self.buffer[self.end..]).map_err(from_io)?;
        self.end += read;
        self.finished = read == 0;
        Ok(read > 0)
    }
}

/// A record's length without the carriage return of its line end; a file may break off behind it.
fn without_return(record: &[u8]) -> usize {
    record.strip_suffix(b"\r").unwrap_or(record).len()
}

fn refuse_long_field(fields: &[(u32, u32)], position: RecordPosition) -> anyhow::Result<()> {
    let long = |(start, end): &(u32, u32)| (end - start) as usize > FIELD_MAX;
    let Some(index) = fields.iter().position(long) else { return Ok(()) };
    let place = format!("line {}, byte {}", position.line, position.byte);
    let message = format!("{place}: field {} is longer than 1 MiB", index + 1);
    let place = error::Position::at_line(position.line);
    Err(Failure::new(Exit::InputRejected, message).at(place).into())
}

#[cfg(test)]
mod tests;
