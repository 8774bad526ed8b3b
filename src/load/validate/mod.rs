//! Record to row: filters, nulls, transforms, types. A record becomes an encoded row, or a
//! [`Reject`] with its place and reason; it is never mended and never lost.

pub(crate) mod dictionary;
mod field;
mod line;
mod nulls;
mod sets;
mod whole_line;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Read;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::load::bind::{Binding, Layout, Target};
use crate::load::decode::{Record, Records};
use crate::load::encode;
use crate::spec::source::{Encoding, FilterTest, From};
use nulls::Met;
pub(crate) use nulls::Nulls;
use sets::SetLookup;

/// Original bytes that a reject keeps; CMS's longest records are far below.
const KEPT_BYTES: usize = 64 << 10;
/// A table of this many columns is wide: most fields of CMS's are blank (of 840, 31 a row are not).
const WIDE: usize = 100;

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Line in the member, from 1.
    pub line: u64,
    /// Byte offset in the member of the record, or of the field where one is to blame.
    pub byte: u64,
    /// The file's name of the column; `None` where the record as a whole is meant.
    pub column: Option<String>,
    /// Why, without the field's content.
    pub reason: String,
    /// The record's original bytes (the first 64 KiB); none of a personal source.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its encoded row was appended.
    Row,
    /// A filter left it out.
    Filtered,
    /// It was refused.
    Rejected(Reject),
}

/// The counts of one file, and the digest of its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records in all, header included.
    pub lines: u64,
    /// Header records.
    pub header: u64,
    /// Rows that were encoded.
    pub loaded: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Rows that a filter left out.
    pub filtered: u64,
    /// Fields that were not of their column's shape and are null, as the spec says.
    pub misfits: u64,
    /// Wrapping sum of the rows' xxh3-128: the same in whatever order rows arrive.
    pub digest: u128,
}

impl Counts {
    /// The conservation law: every line is a header, loaded, rejected or filtered.
    pub fn add_up(&self) -> bool {
        self.lines == self.header + self.loaded + self.rejected + self.filtered
    }
}

/// What is known of a file's rows besides their text: what the groups of the patterns matched.
pub type MatchedGroups = BTreeMap<String, String>;

/// Turns one file's records into rows.
pub struct Validator<'a> {
    binding: &'a Binding,
    layout: Layout,
    known: &'a MatchedGroups,
    encoding: Encoding,
    sets: SetLookup<'a>,
    /// By target, of a wide table: the field that is null where it is empty, and may be.
    blanks: Vec<Option<usize>>,
    /// Fields of the row at hand that are null because they do not fit.
    misfits: Cell<u64>,
    met: Met,
    /// What has been counted so far.
    pub counts: Counts,
    /// Rows whose line was not cut: nothing else tells a test that there were any.
    #[cfg(test)]
    uncut: usize,
}

/// Why a field was refused: the column's name, the byte in the file, the reason.
type FieldRefusal = (Option<String>, u64, String);

impl<'a> Validator<'a> {
    /// A validator for a file of this layout, after its header was read;
    /// `dictionaries` are the source's, as the binding has them.
    pub fn new(
        binding: &'a Binding,
        layout: Layout,
        known: &'a MatchedGroups,
        dictionaries: &'a [dictionary::Shared],
        header: u64,
    ) -> Self {
        let encoding = binding.source.format.encoding;
        let counts = Counts { lines: header, header, ..Counts::default() };
        let sets = SetLookup::new(binding, &layout, dictionaries);
        let blank = |target: &Target| {
            let column = target.feed.column()?;
            let is_text = matches!(binding.source.columns[column].from, From::Header(_));
            let is_null = !target.not_null && target.nulls.contains(&Vec::new());
            layout.fields[column].filter(|_| is_text && is_null)
        };
        let wide = binding.targets.len() >= WIDE;
        let blanks = binding.targets.iter().filter(|_| wide).map(blank).collect();
        let met = Met::new(binding, wide);
        Validator {
            binding,
            layout,
            known,
            encoding,
            sets,
            blanks,
            misfits: Cell::new(0),
            met,
            counts,
            #[cfg(test)]
            uncut: 0,
        }
    }

    /// How many of the rows so far are null in each column.
    pub fn nulls(&self) -> Nulls {
        let nulls_of = |dictionary: usize, met: &[u64]| {
            let columns = self.binding.dictionaries[dictionary].targets.len();
            self.sets.shared()[dictionary].nulls(columns, met)
        };
        self.met.nulls(self.binding, &self.layout, self.counts.loaded, nulls_of)
    }

    /// The counts, when the file is read to its end.
    pub fn finish(self) -> Counts {
        self.sets.leave();
        self.counts
    }

    /// Goes on to the next record and appends its row to `rows`, or says why there is none; `None` at
    /// the end of the input. A line is cut into fields only where its bytes do not tell its row.
    ///
    /// # Errors
    /// As [`Records::next_record`]; a record that is refused is no error.
    #[inline]
    pub fn take_next<R: Read>(
        &mut self,
        records: &mut Records<R>,
        rows: &mut Vec<u8>,
    ) -> anyhow::Result<Option<Outcome>> {
        if !records.step()? {
            return Ok(None);
        }
        Ok(Some(match records.line() {
            Some(line) if self.take_known(line, rows) => Outcome::Row,
            _ => self.take(&records.record()?, rows),
        }))
    }

    /// Appends the row of a line whose every set was met before; `false` where it must be cut into
    /// fields and looked at, and nothing was appended.
    fn take_known(&mut self, line: &[u8], rows: &mut Vec<u8>) -> bool {
        let Some(digest) = self.sets.known_row(line, rows) else { return false };
        let entries = &self.sets.entries;
        self.met.note_sets(|dictionary| entries[dictionary]);
        #[cfg(test)]
        {
            self.uncut += 1;
        }
        self.counts.lines += 1;
        self.counts.loaded += 1;
        self.counts.digest = self.counts.digest.wrapping_add(digest);
        true
    }

    /// Appends the record's row to `rows`, or says why there is none.
    pub fn take(&mut self, record: &Record<'_>, rows: &mut Vec<u8>) -> Outcome {
        self.counts.lines += 1;
        if let Some(flaw) = &record.flaw {
            let column = self.layout.fields.iter().position(|field| *field == Some(flaw.field));
            let name = column.map(|index| self.binding.source.columns[index].name().to_owned());
            return self.reject(record, (name, flaw.byte, flaw.reason.clone()));
        }
        if let Some(reason) = self.other_width(record) {
            return self.reject(record, (None, record.position.byte, reason));
        }
        if self.left_out(record) {
            self.counts.filtered += 1;
            return Outcome::Filtered;
        }
        let start = rows.len();
        let encoded = match self.binding.dictionaries.is_empty() {
            true => self.plain_row(record, rows),
            false => {
                let mut sets = std::mem::take(&mut self.sets);
                let encoded = self.row_of_sets(record, &mut sets, rows);
                if encoded.is_ok() {
                    self.met.note_sets(|dictionary| sets.entries[dictionary]);
                }
                self.sets = sets;
                encoded
            }
        };
        let misfits = self.misfits.take();
        match encoded {
            Ok(digest) => {
                self.counts.misfits += misfits;
                self.counts.loaded += 1;
                self.counts.digest = self.counts.digest.wrapping_add(digest);
                Outcome::Row
            }
            Err(refusal) => {
                rows.truncate(start);
                self.reject(record, refusal)
            }
        }
    }

    /// Why a record of another width than the header's is refused.
    fn other_width(&self, record: &Record<'_>) -> Option<String> {
        let (expected, found) = (self.layout.width, record.len());
        if record.is_of_width(expected, self.binding.source.format.trailing) {
            return None;
        }
        if record.is_empty() {
            return Some("blank line".to_owned());
        }
        let ends_in_delimiter = record.is_of_width(expected, true);
        let short = if found < expected { "short" } else { "long" };
        let returns = memchr::memchr_iter(b'\r', record.raw).count();
        let more = match returns {
            0 if ends_in_delimiter => ": it ends in a delimiter (trailing = \"ignore\")".to_owned(),
            0 => String::new(),
            count => format!(", {count} lone carriage returns (0d) among them"),
        };
        Some(format!("{short} row: expected {expected} fields, found {found}{more}"))
    }

    /// Appends the row of a table without dictionaries, and gives its digest.
    fn plain_row(&self, record: &Record<'_>, rows: &mut Vec<u8>) -> Result<u128, FieldRefusal> {
        let start = rows.len();
        encode::begin_row(rows, self.binding.targets.len() as i16);
        self.encode_own(record, rows)?;
        Ok(xxh3_128(&rows[start..]))
    }

    /// The columns of the source's own table, and notes which are null.
    fn encode_own(&self, record: &Record<'_>, rows: &mut Vec<u8>) -> Result<(), FieldRefusal> {
        let first = rows.len();
        for (index, target) in self.binding.targets.iter().enumerate() {
            // As most fields of a wide row are: they are not looked at more closely.
            if let Some(Some(field)) = self.blanks.get(index)
                && record.is_blank(*field)
            {
                encode::null(rows);
                continue;
            }
            let start = rows.len();
            if let Err(refusal) = self.encode_target(record, target, rows) {
                self.met.take_back(index, &rows[first..]);
                return Err(refusal);
            }
            self.met.note(index, rows, start);
        }
        Ok(())
    }

    fn encode_target(
        &self,
        record: &Record<'_>,
        target: &Target,
        rows: &mut Vec<u8>,
    ) -> Result<(), FieldRefusal> {
        match target.feed.column() {
            Some(column) => self.encode(record, target, column, rows),
            None => self.gather(record, target, rows),
        }
    }

    fn left_out(&self, record: &Record<'_>) -> bool {
        self.binding.source.filters.iter().any(|filter| {
            let field = |column: &usize| record.field(self.layout.fields[*column]?);
            let found = filter.columns.iter().filter_map(field).any(|field| match &filter.test {
                FilterTest::Values(values) => values.iter().any(|value| value.as_bytes() == field),
                FilterTest::Matches(regex) => regex.is_match(field),
            });
            found != filter.keep
        })
    }

    fn reject(&mut self, record: &Record<'_>, (column, byte, reason): FieldRefusal) -> Outcome {
        self.counts.rejected += 1;
        let personal = self.binding.source.personal;
        let kept = if personal { 0 } else { record.raw.len().min(KEPT_BYTES) };
        Outcome::Rejected(Reject {
            line: record.position.line,
            byte,
            // A column that the spec does not name is named by the file, and a file that is not
            // what it should be may have a person there.
            column: column.filter(|name| {
                !personal || self.binding.source.columns.iter().any(|known| known.name() == name)
            }),
            reason,
            bytes: record.raw[..kept].to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;
