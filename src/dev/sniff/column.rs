//! What the fields of each column were seen to be, gathered in one reading and bounded memory.

use std::collections::{BTreeMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use super::evidence::Evidence;
use super::shape::FileShape;
use crate::load::decode::{Record, decode_text};
use crate::spec::source::{Encoding, trim};

/// Distinct contents that are counted in a column that repeats itself.
const DISTINCT_MAX: usize = 10_000;
/// Hashes over all columns (some 16 bytes each); beyond it nothing new is counted.
const HASHES_MAX: usize = 8 << 20;
/// Different contents that are kept to be shown, and their longest.
const SHOWN_MAX: usize = 8;
const SHOWN_LENGTH: usize = 24;
/// Different blank texts (one a width) that can be declared nulls.
const BLANKS_MAX: usize = 40;

/// What the rows as a whole were seen to be.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Rows behind the header, of whatever width.
    pub rows: u64,
    /// Rows of another width than the header, or whose quotes are not right: they will be rejected.
    pub odd_rows: u64,
    /// The line of the first of them.
    pub odd_line: Option<u64>,
    /// Rows that end in a delimiter behind their last field.
    pub trailing: u64,
    /// Rows with a byte that no text column takes: they will be rejected.
    pub unreadable: u64,
    /// Fields that are not ASCII and valid UTF-8.
    pub utf8: u64,
    /// Fields that are not UTF-8.
    pub bytes1252: u64,
    /// Of these, fields with a byte that is no windows-1252 character either.
    pub undecodable: u64,
    /// Blank texts that stand for a whole field, and `.`.
    pub nulls: BTreeMap<String, u64>,
    /// Whether the last row has its line end.
    pub ended_in_newline: bool,
}

/// One column.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Its place, from 0.
    pub index: usize,
    /// Its name in the header.
    pub name: String,
    /// Which column before it has the same name, if one has.
    pub repeats: Option<usize>,
    /// Whether it held the same as that one in every row.
    pub same: bool,
    /// Fields that are null: blank, or `.`.
    pub nulls: u64,
    /// Fields that are not.
    pub filled: u64,
    /// Fields with blanks at their ends.
    pub padded: u64,
    /// Shortest content in characters.
    pub shortest: usize,
    /// Longest content in characters.
    pub longest: usize,
    /// What its contents can be read as.
    pub evidence: Evidence,
    /// Different contents.
    pub distinct: Distinct,
    /// The contents, with how often each was seen, where they are few and short.
    pub values: Option<BTreeMap<String, u64>>,
}

impl Seen {
    fn new(index: usize, name: &str, repeats: Option<usize>) -> Seen {
        Seen {
            index,
            name: name.to_owned(),
            repeats,
            same: repeats.is_some(),
            nulls: 0,
            filled: 0,
            padded: 0,
            shortest: usize::MAX,
            longest: 0,
            evidence: Evidence::default(),
            distinct: Distinct::default(),
            values: Some(BTreeMap::new()),
        }
    }

    /// Whether every row has something here that no other row has.
    pub(crate) fn is_unique(&self) -> bool {
        self.nulls == 0 && self.filled > 1 && self.distinct.is_unique()
    }

    fn note(&mut self, field: &[u8], room: &mut usize) {
        let bare = trim(field);
        self.filled += 1;
        self.padded += u64::from(bare.len() < field.len());
        let text = decode_text(bare, Encoding::Utf8OrWindows1252).unwrap_or_default();
        let length = text.chars().count();
        self.shortest = self.shortest.min(length);
        self.longest = self.longest.max(length);
        self.evidence.note(bare, &text);
        self.distinct.note(bare, self.filled, room);
        if let Some(values) = &mut self.values {
            if let Some(count) = values.get_mut(text.as_ref()) {
                *count += 1;
            } else if values.len() < SHOWN_MAX && length <= SHOWN_LENGTH {
                values.insert(text.into_owned(), 1);
            } else {
                self.values = None;
            }
        }
    }
}

/// How many different contents there are, as far as memory allows to tell.
#[derive(Debug, Default)]
pub(crate) struct Distinct {
    hashes: HashSet<u64>,
    /// A content was seen twice.
    repeated: bool,
    /// No more is counted: there are at least this many.
    at_least: Option<usize>,
}

impl Distinct {
    fn note(&mut self, content: &[u8], seen: u64, room: &mut usize) {
        if self.at_least.is_some() {
            return;
        }
        let enough = self.repeated && self.hashes.len() >= DISTINCT_MAX;
        if enough || *room == 0 {
            self.at_least = Some(self.hashes.len());
            *room += self.hashes.len();
            self.hashes = HashSet::new();
            return;
        }
        if self.hashes.insert(xxh3_64(content)) {
            *room -= 1;
        }
        self.repeated |= (self.hashes.len() as u64) < seen;
    }

    /// How many; or that there are at least this many.
    pub(crate) fn count(&self) -> (usize, bool) {
        self.at_least.map_or((self.hashes.len(), true), |count| (count, false))
    }

    /// Whether all were seen, and none twice.
    pub(crate) fn is_unique(&self) -> bool {
        !self.repeated && self.at_least.is_none()
    }

    /// Whether none was seen twice before there were too many to tell.
    pub(crate) fn is_unknown(&self) -> bool {
        !self.repeated && self.at_least.is_some()
    }
}

/// Whether a record is a row of `columns` columns.
pub(super) fn is_row(record: &Record<'_>, columns: usize) -> bool {
    record.flaw.is_none() && record.is_of_width(columns, true)
}

/// A file being read.
pub(super) struct SampledFile {
    notes: Notes,
    columns: Vec<Seen>,
    room: usize,
}

impl SampledFile {
    /// A file of this shape, of which no row was read.
    pub(super) fn new(shape: &FileShape) -> SampledFile {
        let names = &shape.names;
        let mut columns = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let repeats = names[..index].iter().position(|before| before == name);
            columns.push(Seen::new(index, name, repeats));
        }
        // The names are decoded by the same rule as the fields.
        let notes = Notes { utf8: shape.utf8, bytes1252: shape.bytes1252, ..Notes::default() };
        SampledFile { notes, columns, room: HASHES_MAX }
    }

    /// Takes a row.
    pub(super) fn note(&mut self, record: &Record<'_>) {
        let notes = &mut self.notes;
        notes.rows += 1;
        if !is_row(record, self.columns.len()) {
            notes.odd_rows += 1;
            notes.odd_line.get_or_insert(record.position.line);
            return;
        }
        notes.trailing += u64::from(record.len() > self.columns.len());
        let undecodable = notes.undecodable;
        for index in 0..self.columns.len() {
            let field = record.field(index).unwrap_or_default();
            if !field.is_ascii() {
                notes.encoding(field);
            }
            let column = &mut self.columns[index];
            if let Some(first) = column.repeats
                && column.same
                && Some(field) != record.field(first)
            {
                column.same = false;
            }
            match notes.is_null(field) {
                true => column.nulls += 1,
                false => column.note(field, &mut self.room),
            }
        }
        let has_nul = memchr::memchr(0, record.raw).is_some();
        notes.unreadable += u64::from(has_nul || notes.undecodable > undecodable);
    }

    /// What was seen.
    pub(super) fn finish(self, ended_in_newline: bool) -> (Notes, Vec<Seen>) {
        (Notes { ended_in_newline, ..self.notes }, self.columns)
    }
}

impl Notes {
    fn encoding(&mut self, field: &[u8]) {
        if std::str::from_utf8(field).is_ok() {
            self.utf8 += 1;
            return;
        }
        self.bytes1252 += 1;
        let readable = decode_text(field, Encoding::Windows1252).is_ok();
        self.undecodable += u64::from(!readable);
    }

    /// A field that is blank, or a full stop (SAS's missing value), is null.
    fn is_null(&mut self, field: &[u8]) -> bool {
        if field != b"." && !trim(field).is_empty() {
            return false;
        }
        let text = String::from_utf8_lossy(field);
        if let Some(count) = self.nulls.get_mut(text.as_ref()) {
            *count += 1;
            return true;
        }
        // What cannot be declared would be rejected; it is counted as what it is.
        let can_be_declared = self.nulls.len() < BLANKS_MAX;
        if can_be_declared {
            self.nulls.insert(text.into_owned(), 1);
        }
        can_be_declared
    }

    /// The encoding that all fields are in.
    pub(crate) fn encoding_word(&self, bom: bool) -> &'static str {
        match (self.utf8 > 0, self.bytes1252 > 0) {
            (false, false) if !bom => "ascii",
            (_, false) => "utf-8",
            (false, true) if !bom => "windows-1252",
            (_, true) => "utf-8-or-windows-1252",
        }
    }
}
