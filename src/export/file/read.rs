//! Reads a file piece by piece. It is text that anybody may have changed: lines are bounded, the
//! order of its parts is checked, and an end that is missing is said.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{END_OF_ROWS, FileHeader, MARK};
use crate::error::{Exit, Failure, Position, failure, stopped};
use crate::fetch::plainfile;
use crate::spec::schema::SectionKind;

/// The longest line: a row of the widest table, or the header.
const LINE_MAX: usize = 64 << 20;
/// Longest SQL section.
const SECTION_MAX: usize = 16 << 20;
/// Rows are handed on in pieces of about this size.
const CHUNK: usize = 256 << 10;

/// A piece of a file, in file order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileEvent {
    /// A section of the schema: its kind, its place in the numbered files, its text.
    Sql(SectionKind, String, String),
    /// A table's rows begin.
    Table(String),
    /// Rows in COPY's text form.
    Rows(Bytes),
    /// A table's rows are complete; their number.
    TableEnd(u64),
}

/// The file's header; nothing else is read.
///
/// # Errors
/// [`Exit::InputUnavailable`] when it cannot be opened, [`Exit::InputRejected`] when it is no file
/// of kiln's.
pub(crate) fn header(path: &Path) -> anyhow::Result<FileHeader> {
    FileLines::open(path)?.header()
}

/// Reads a file to its end and hands its pieces on; blocking.
///
/// # Errors
/// As [`header`], and [`Exit::InputRejected`] when it is cut or damaged.
pub(crate) fn read(path: &Path, sender: &mpsc::Sender<FileEvent>) -> anyhow::Result<()> {
    let hand_on = |piece| sender.blocking_send(piece).map_err(|_| stopped());
    pieces(FileLines::open(path)?, &hand_on).map(drop)
}

/// The same of bytes that are no file, for the fuzz target; gives the header.
///
/// # Errors
/// As [`read`], and when `hand_on` fails.
#[cfg(feature = "dev")]
pub(crate) fn read_from(
    input: impl Read + 'static,
    hand_on: &impl Fn(FileEvent) -> anyhow::Result<()>,
) -> anyhow::Result<FileHeader> {
    pieces(FileLines::of("a file".to_owned(), input)?, hand_on)
}

fn pieces(
    mut lines: FileLines,
    hand_on: &impl Fn(FileEvent) -> anyhow::Result<()>,
) -> anyhow::Result<FileHeader> {
    let header = lines.header()?;
    let mut section: Option<(SectionKind, String, String)> = None;
    let mut tables = header.tables.iter();
    loop {
        if !lines.next()? {
            return Err(lines.refuse("is cut: its end is missing"));
        }
        let Some(mark) = lines.mark() else {
            if let Some((_, _, text)) = &mut section {
                text.push_str(lines.text()?);
                if text.len() > SECTION_MAX {
                    return Err(lines.refuse("has a section of SQL that is too long"));
                }
            }
            continue;
        };
        if let Some((kind, place, text)) = section.take() {
            hand_on(FileEvent::Sql(kind, place, text))?;
        }
        let (word, rest) = mark.split_once(' ').unwrap_or((mark.as_str(), ""));
        match word {
            "pre-data" => section = Some((SectionKind::PreData, rest.to_owned(), String::new())),
            "post-data" => section = Some((SectionKind::PostData, rest.to_owned(), String::new())),
            "derive" => section = Some((SectionKind::Derive, rest.to_owned(), String::new())),
            "copy" => {
                let expected = tables.next().map(|entry| entry.table.as_str());
                if expected != Some(rest) {
                    return Err(lines.refuse(&format!("has table {rest} out of its place")));
                }
                hand_on(FileEvent::Table(rest.to_owned()))?;
                let rows = lines.rows(hand_on)?;
                hand_on(FileEvent::TableEnd(rows))?;
            }
            // For psql.
            "kiln" | "stamp" => {}
            "end" => break,
            _ => return Err(lines.refuse(&format!("has an unknown part {word:?}"))),
        }
    }
    if let Some(missing) = tables.next() {
        return Err(lines.refuse(&format!("lacks table {}", missing.table)));
    }
    // To the last byte: gzip's checksum stands behind it.
    while lines.next()? {}
    Ok(header)
}

fn unavailable(shown: &str, error: std::io::Error) -> anyhow::Error {
    Failure::new(Exit::InputUnavailable, format!("cannot read {shown}")).because(error).into()
}

/// What tells whether the rest of a header can be read. A value of any JSON, of a line that anybody may
/// have made as long as it may be, would be gigabytes.
#[derive(Deserialize)]
struct FormatVersion {
    kiln_file: Option<u64>,
}

/// The file's lines, decompressed where it is compressed.
struct FileLines {
    shown: String,
    input: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

impl FileLines {
    fn open(path: &Path) -> anyhow::Result<FileLines> {
        let shown = path.display().to_string();
        let file = plainfile::open(path).map_err(|error| unavailable(&shown, error))?;
        FileLines::of(shown, file)
    }

    fn of(shown: String, input: impl Read + 'static) -> anyhow::Result<FileLines> {
        let mut file = BufReader::new(input);
        let begins = file.fill_buf().map_err(|error| unavailable(&shown, error))?;
        let is_packed = begins.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead> = match is_packed {
            true => Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(file))),
            false => Box::new(file),
        };
        Ok(FileLines { shown, input, line: Vec::new(), number: 0 })
    }

    fn refuse(&self, what: &str) -> anyhow::Error {
        let message = format!("{} {what} (line {})", self.shown, self.number);
        Failure::new(Exit::InputRejected, message)
            .hint("have it written anew: kiln subset DATABASE --percent P --to FILE")
            .at(self.position())
            .into()
    }

    fn position(&self) -> Position {
        let line = Some(self.number).filter(|number| *number > 0);
        Position { file: Some(self.shown.clone()), line, ..Position::default() }
    }

    /// Reads the next line; false at the end.
    fn next(&mut self) -> anyhow::Result<bool> {
        self.line.clear();
        self.number += 1;
        let limit = LINE_MAX as u64 + 1;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| {
            let message = format!("{} is damaged or cut (line {})", self.shown, self.number);
            Failure::new(Exit::InputRejected, message).because(error).at(self.position())
        })?;
        if read > LINE_MAX {
            return Err(self.refuse("has a line that is too long"));
        }
        Ok(read > 0)
    }

    fn text(&self) -> anyhow::Result<&str> {
        std::str::from_utf8(&self.line).map_err(|_| self.refuse("is not UTF-8"))
    }

    /// What stands behind the mark, if the line begins with it.
    fn mark(&self) -> Option<String> {
        let rest = self.line.strip_prefix(MARK.as_bytes())?;
        Some(String::from_utf8_lossy(rest).trim_end().to_owned())
    }

    fn header(&mut self) -> anyhow::Result<FileHeader> {
        let is_there = self.next()?;
        let mark = self.mark().filter(|_| is_there);
        let json = mark.as_deref().and_then(|mark| mark.strip_prefix("header "));
        let Some(json) = json else { return Err(self.refuse("is no file of kiln's")) };
        let form = serde_json::from_str::<FormatVersion>(json);
        if form.ok().and_then(|form| form.kiln_file) != Some(1) {
            return Err(self.refuse("is of a form that this kiln does not read"));
        }
        serde_json::from_str(json).map_err(|error| {
            failure(Exit::InputRejected, format!("{} has a bad header: {error}", self.shown))
        })
    }

    /// Hands a table's rows on; they begin after the statement and end at their mark.
    fn rows(&mut self, hand_on: &impl Fn(FileEvent) -> anyhow::Result<()>) -> anyhow::Result<u64> {
        if !self.next()? || !self.line.starts_with(b"copy ") {
            return Err(self.refuse("has rows without their statement"));
        }
        let mut rows = 0;
        let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 4);
        loop {
            if !self.next()? {
                return Err(self.refuse("is cut inside a table"));
            }
            if self.line == END_OF_ROWS {
                break;
            }
            rows += 1;
            chunk.extend_from_slice(&self.line);
            if chunk.len() >= CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK + CHUNK / 4));
                hand_on(FileEvent::Rows(full.into()))?;
            }
        }
        hand_on(FileEvent::Rows(chunk.into()))?;
        Ok(rows)
    }
}
