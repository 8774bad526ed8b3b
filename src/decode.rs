//! Bytes to records: one record at a time out of one bounded buffer, with its line and byte
//! position and its original bytes.
//!
//! The csv crate's reader lets one unclosed quote swallow the rest of the file into memory
//! (1.5 GB for a 400 MB file, measured); here a record has a limit, and reaching it is an error.

mod fields;
mod text;

use std::io::Read;

pub use text::decode_text;

use crate::error::{Exit, Failure, from_io};
use crate::source::{Format, Quoting};
use fields::{raw_offset, split};

/// Longest record, its line end included. CMS's widest (PBP, 840 columns) are some 20 KiB.
pub const RECORD_MAX: usize = 8 << 20;
/// Longest field.
pub const FIELD_MAX: usize = 1 << 20;
/// How much is asked of the input at a time.
const CHUNK: usize = 256 << 10;

/// What to do about a record without end.
const LOOK_AT_QUOTES: &str =
    "look at that line; if quotes mean nothing in this file: quoting = \"none\"";

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Line in the file, from 1 (a quoted record may span several).
    pub line: u64,
    /// Byte in the file, from 0.
    pub byte: u64,
}

/// Cuts an input into records.
pub struct Records<R> {
    input: R,
    delimiter: u8,
    quoted: Option<Box<csv_core::Reader>>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    finished: bool,
    next: Position,
    last: (usize, Position),
    /// Where the last record's original bytes stand in the buffer.
    raw: std::ops::Range<usize>,
    ended_in_newline: bool,
    fields: Vec<(u32, u32)>,
    unquoted: Vec<u8>,
    ends: Vec<usize>,
}

/// One record; it borrows the reader's buffers.
pub struct Record<'a> {
    /// Where it begins.
    pub position: Position,
    /// Its original bytes, without the line end.
    pub raw: &'a [u8],
    text: &'a [u8],
    fields: &'a [(u32, u32)],
    /// The delimiter, where quotes mean something.
    quoted_by: Option<u8>,
}

impl Record<'_> {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether it is a blank line.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The n-th field's bytes.
    pub fn field(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = *self.fields.get(index)?;
        Some(&self.text[start as usize..end as usize])
    }

    /// Whether the n-th field is there and has no bytes.
    pub fn is_blank(&self, index: usize) -> bool {
        self.fields.get(index).is_some_and(|(start, end)| start == end)
    }

    /// The original bytes from one field's first to another's last, delimiters between them. Only
    /// where quotes mean nothing: else the delimiters are gone.
    pub fn span(&self, first: usize, last: usize) -> Option<&[u8]> {
        let (start, end) = (self.fields.get(first)?.0, self.fields.get(last)?.1);
        self.text.get(start as usize..end as usize)
    }

    /// Where a field's byte (the first is 0) stands in the file, quotes before it counted.
    pub fn byte_of(&self, index: usize, within: u64) -> u64 {
        let start = self.fields.get(index).map_or(0, |(start, _)| u64::from(*start));
        let offset = match self.quoted_by {
            None => start + within,
            Some(delimiter) => raw_offset(self.raw, delimiter, index, within),
        };
        self.position.byte + offset
    }
}

impl<R: Read> Records<R> {
    /// Reads records cut as the format says.
    pub fn new(input: R, format: &Format) -> Self {
        let quoted = (format.quoting == Quoting::Double).then(|| {
            let mut builder = csv_core::ReaderBuilder::new();
            Box::new(builder.delimiter(format.delimiter).build())
        });
        Records {
            input,
            delimiter: format.delimiter,
            quoted,
            buffer: vec![0; 2 * CHUNK],
            start: 0,
            end: 0,
            finished: false,
            next: Position { line: 1, byte: 0 },
            last: (0, Position { line: 1, byte: 0 }),
            raw: 0..0,
            ended_in_newline: true,
            fields: Vec::new(),
            unquoted: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The input, to ask it for its own verdict at the end.
    pub fn into_input(self) -> R {
        self.input
    }

    /// Skips these bytes if the file begins with them (a byte order mark).
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn skip_prefix(&mut self, prefix: &[u8]) -> anyhow::Result<()> {
        while self.end - self.start < prefix.len() && self.fill()? {}
        if self.buffer[self.start..self.end].starts_with(prefix) {
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
    /// Those of [`Records::next_record`].
    pub fn step(&mut self) -> anyhow::Result<bool> {
        let Some((length, advance)) = self.find_end()? else { return Ok(false) };
        self.last = (advance, self.next);
        let whole = &self.buffer[self.start..self.start + advance];
        self.ended_in_newline = whole.last() == Some(&b'\n');
        self.next.byte += advance as u64;
        self.next.line += match self.quoted {
            None => 1,
            Some(_) => memchr::memchr_iter(b'\n', whole).count().max(1) as u64,
        };
        self.raw = self.start..self.start + length;
        self.start += advance;
        Ok(true)
    }

    /// The record that the last step went to, as it stands in the file, where nothing but
    /// delimiters tells its fields apart.
    pub fn line(&self) -> Option<&[u8]> {
        self.quoted.is_none().then(|| &self.buffer[self.raw.clone()])
    }

    /// The record that the last step went to, cut into fields.
    ///
    /// # Errors
    /// [`Exit::InputRejected`] when a field is longer than the limit.
    pub fn record(&mut self) -> anyhow::Result<Record<'_>> {
        let position = self.last.1;
        let raw = &self.buffer[self.raw.clone()];
        let text: &[u8] = if self.quoted.is_some() {
            self.unquoted.as_slice()
        } else {
            split(raw, self.delimiter, &mut self.fields);
            raw
        };
        if text.len() > FIELD_MAX {
            refuse_long_field(&self.fields, position)?;
        }
        let quoted_by = self.quoted.is_some().then_some(self.delimiter);
        Ok(Record { position, raw, text, fields: &self.fields, quoted_by })
    }

    /// Finds where the record at `start` ends: its length without and with the line end.
    fn find_end(&mut self) -> anyhow::Result<Option<(usize, usize)>> {
        if self.quoted.is_some() { self.find_quoted_end() } else { self.find_line_end() }
    }

    fn find_line_end(&mut self) -> anyhow::Result<Option<(usize, usize)>> {
        let mut searched = 0;
        loop {
            let window = &self.buffer[self.start + searched..self.end];
            if let Some(found) = memchr::memchr(b'\n', window) {
                let advance = searched + found + 1;
                let line = &self.buffer[self.start..self.start + advance - 1];
                let length = line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
                return Ok(Some((length, advance)));
            }
            searched = self.end - self.start;
            self.refuse_endless(searched)?;
            if !self.fill()? {
                let rest = self.end - self.start;
                return Ok((rest > 0).then_some((rest, rest)));
            }
        }
    }

    fn find_quoted_end(&mut self) -> anyhow::Result<Option<(usize, usize)>> {
        use csv_core::ReadRecordResult as Found;
        if let Some(advance) = self.blank_line()? {
            self.fields.clear();
            self.fields.push((0, 0));
            return Ok(Some((0, advance)));
        }
        self.ends.clear();
        self.ends.resize(64, 0);
        self.unquoted.clear();
        self.unquoted.resize(4096, 0);
        let (mut consumed, mut written, mut fields) = (0, 0, 0);
        loop {
            // Told of the end, csv-core would take what stands in an open quote for a whole field.
            // One more line end tells them apart: it ends the record, or is one more byte of it.
            let at_end = self.start + consumed == self.end && !self.fill()?;
            let window = match at_end {
                true => b"\n",
                false => &self.buffer[self.start + consumed..self.end],
            };
            let Some(reader) = self.quoted.as_mut() else { return Ok(None) };
            let (found, read, wrote, ended) =
                reader.read_record(window, &mut self.unquoted[written..], &mut self.ends[fields..]);
            consumed += if at_end { 0 } else { read };
            written += wrote;
            fields += ended;
            match found {
                Found::OutputFull => self.unquoted.resize(self.unquoted.len() * 2, 0),
                Found::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                Found::Record => break,
                Found::InputEmpty if at_end && wrote > 0 => return Err(self.open_quote()),
                Found::InputEmpty if at_end => return Ok(None),
                Found::End => return Ok(None),
                Found::InputEmpty => {}
            }
            self.refuse_endless(consumed.max(written))?;
        }
        // csv-core stops after CR of CRLF and skips the LF at the next call; here the record
        // owns its whole line end, so that positions and raw bytes are true.
        if consumed > 0 && self.buffer[self.start + consumed - 1] == b'\r' {
            if self.start + consumed == self.end {
                self.fill()?;
            }
            if self.buffer[self.start..self.end].get(consumed) == Some(&b'\n') {
                consumed += 1;
            }
        }
        let line = &self.buffer[self.start..self.start + consumed];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let length = line.strip_suffix(b"\r").unwrap_or(line).len();
        self.fields.clear();
        let mut from = 0;
        for end in &self.ends[..fields] {
            self.fields.push((from as u32, *end as u32));
            from = *end;
        }
        Ok(Some((length, consumed)))
    }

    /// The length of the blank line that stands here, if one does. csv-core passes over them
    /// without a word, and lines and positions would not add up.
    fn blank_line(&mut self) -> anyhow::Result<Option<usize>> {
        while self.end - self.start < 2 && self.fill()? {}
        Ok(match &self.buffer[self.start..self.end] {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            _ => None,
        })
    }

    fn open_quote(&self) -> anyhow::Error {
        let Position { line, byte } = self.next;
        let message = format!(
            "the record at line {line}, byte {byte} has a quote that is not closed before the \
             file ends"
        );
        Failure::new(Exit::InputRejected, message).hint(LOOK_AT_QUOTES).into()
    }

    fn refuse_endless(&self, length: usize) -> anyhow::Result<()> {
        if length <= RECORD_MAX {
            return Ok(());
        }
        let Position { line, byte } = self.next;
        let why = if self.quoted.is_some() {
            "is there a quote that is never closed?"
        } else {
            "is this the file that the spec describes?"
        };
        let message = format!("the record at line {line}, byte {byte} is longer than 8 MiB: {why}");
        Err(Failure::new(Exit::InputRejected, message).hint(LOOK_AT_QUOTES).into())
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

fn refuse_long_field(fields: &[(u32, u32)], position: Position) -> anyhow::Result<()> {
    let long = |(start, end): &(u32, u32)| (end - start) as usize > FIELD_MAX;
    let Some(index) = fields.iter().position(long) else { return Ok(()) };
    let place = format!("line {}, byte {}", position.line, position.byte);
    let message = format!("{place}: field {} is longer than 1 MiB", index + 1);
    Err(Failure::new(Exit::InputRejected, message).into())
}

#[cfg(test)]
mod tests;
