//! Record to row: filters, nulls, transforms, types. A record becomes an encoded row, or a
//! [`Reject`] with its place and reason; it is never mended and never lost.

pub mod dictionary;
mod field;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::bind::{Binding, Layout, Target};
use crate::decode::Record;
use crate::encode;
use crate::source::{Encoding, From, Test};

/// Original bytes that a reject keeps; CMS's longest records are far below.
const KEPT_BYTES: usize = 64 << 10;

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
pub type Known = BTreeMap<String, String>;

/// Turns one file's records into rows.
pub struct Validator<'a> {
    binding: &'a Binding,
    layout: Layout,
    known: &'a Known,
    encoding: Encoding,
    sets: Sets<'a>,
    /// What has been counted so far.
    pub counts: Counts,
}

/// The dictionaries, and room to look a row's sets up.
#[derive(Default)]
struct Sets<'a> {
    shared: &'a [dictionary::Shared],
    known: Vec<dictionary::Known>,
    /// The original texts of the row's sets.
    text: Vec<u8>,
    /// The encoded fields of those that were not known.
    fields: Vec<u8>,
    /// The row's other columns, encoded.
    plain: Vec<u8>,
    looked_up: Vec<LookedUp>,
}

/// A row's set: a known one, or where its text and its fields stand.
enum LookedUp {
    Known(dictionary::Entry),
    New { text: Range<usize>, fields: Range<usize> },
}

/// Why a field was refused: the column's name, the byte in the file, the reason.
type Refusal = (Option<String>, u64, String);

impl<'a> Validator<'a> {
    /// A validator for a file of this layout, after its header of so many rows was read;
    /// `dictionaries` are the source's, as the binding has them.
    pub fn new(
        binding: &'a Binding,
        layout: Layout,
        known: &'a Known,
        dictionaries: &'a [dictionary::Shared],
        header: u64,
    ) -> Self {
        let encoding = binding.source.format.encoding;
        let counts = Counts { lines: header, header, ..Counts::default() };
        let mut sets = Sets { shared: dictionaries, ..Sets::default() };
        sets.known.resize_with(dictionaries.len(), dictionary::Known::default);
        Validator { binding, layout, known, encoding, sets, counts }
    }

    /// Appends the record's row to `rows`, or says why there is none.
    pub fn take(&mut self, record: &Record<'_>, rows: &mut Vec<u8>) -> Outcome {
        self.counts.lines += 1;
        if record.len() != self.layout.width {
            let reason = if record.is_empty() {
                "blank line".to_owned()
            } else {
                let short = if record.len() < self.layout.width { "short" } else { "long" };
                format!(
                    "{short} row: expected {} fields, found {}",
                    self.layout.width,
                    record.len()
                )
            };
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
                self.sets = sets;
                encoded
            }
        };
        match encoded {
            Ok(digest) => {
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

    /// Appends the row of a table without dictionaries, and gives its digest.
    fn plain_row(&self, record: &Record<'_>, rows: &mut Vec<u8>) -> Result<u128, Refusal> {
        let start = rows.len();
        encode::begin_row(rows, self.binding.targets.len() as i16);
        self.encode_all(record, &self.binding.targets, rows)?;
        Ok(xxh3_128(&rows[start..]))
    }

    /// Appends a row that has numbers for its sets, and gives its digest. A set gets its number
    /// when all of the row is known to be good: a dictionary has no set that no row has.
    fn row_of_sets(
        &self,
        record: &Record<'_>,
        sets: &mut Sets<'_>,
        rows: &mut Vec<u8>,
    ) -> Result<u128, Refusal> {
        let dictionaries = &self.binding.dictionaries;
        sets.text.clear();
        sets.fields.clear();
        sets.plain.clear();
        sets.looked_up.clear();
        for (dictionary, known) in dictionaries.iter().zip(&sets.known) {
            let text = sets.text.len();
            self.put_text(record, &dictionary.targets, &mut sets.text);
            let text = text..sets.text.len();
            if let Some(entry) = known.get(&sets.text[text.clone()]) {
                sets.looked_up.push(LookedUp::Known(entry));
                continue;
            }
            let fields = sets.fields.len();
            self.encode_all(record, &dictionary.targets, &mut sets.fields)?;
            let fields = fields..sets.fields.len();
            sets.looked_up.push(LookedUp::New { text, fields });
        }
        self.encode_all(record, &self.binding.targets, &mut sets.plain)?;
        encode::begin_row(rows, (dictionaries.len() + self.binding.targets.len()) as i16);
        let mut digested = Vec::with_capacity(dictionaries.len() * 16 + sets.plain.len());
        for (index, (dictionary, looked_up)) in dictionaries.iter().zip(&sets.looked_up).enumerate()
        {
            let entry = match looked_up {
                LookedUp::Known(entry) => *entry,
                LookedUp::New { text, fields } => {
                    let fields = &sets.fields[fields.clone()];
                    let number = sets.shared[index].number(fields, dictionary.key);
                    let entry = number.map_err(|reason| {
                        let reason = format!("dictionary {} {reason}", dictionary.table);
                        (None, record.position.byte, reason)
                    })?;
                    sets.known[index].keep(&sets.text[text.clone()], entry);
                    entry
                }
            };
            encode::number(rows, entry.id, dictionary.key);
            digested.extend_from_slice(&entry.digest.to_le_bytes());
        }
        rows.extend_from_slice(&sets.plain);
        digested.extend_from_slice(&sets.plain);
        Ok(xxh3_128(&digested))
    }

    /// A set's original text, its fields told apart by their lengths.
    fn put_text(&self, record: &Record<'_>, targets: &[Target], text: &mut Vec<u8>) {
        for index in targets.iter().filter_map(|target| target.feed.column()) {
            match (&self.binding.source.columns[index].from, self.layout.fields[index]) {
                (From::Line, _) => text.extend_from_slice(&record.position.line.to_le_bytes()),
                (_, Some(field)) => {
                    let field = record.field(field).unwrap_or_default();
                    text.extend_from_slice(&(field.len() as u32).to_le_bytes());
                    text.extend_from_slice(field);
                }
                // The same in every row of the file.
                (_, None) => {}
            }
        }
    }

    fn encode_all(
        &self,
        record: &Record<'_>,
        targets: &[Target],
        rows: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        for target in targets {
            match target.feed.column() {
                Some(column) => self.encode(record, target, column, rows)?,
                None => self.gather(record, target, rows)?,
            }
        }
        Ok(())
    }

    fn left_out(&self, record: &Record<'_>) -> bool {
        self.binding.source.filters.iter().any(|filter| {
            let field = |column: &usize| record.field(self.layout.fields[*column]?);
            let found = filter.columns.iter().filter_map(field).any(|field| match &filter.test {
                Test::Values(values) => values.iter().any(|value| value.as_bytes() == field),
                Test::Matches(regex) => regex.is_match(field),
            });
            found != filter.keep
        })
    }

    fn reject(&mut self, record: &Record<'_>, (column, byte, reason): Refusal) -> Outcome {
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
