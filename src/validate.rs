//! Record to row: filters, nulls, transforms, types. A record becomes an encoded row, or a
//! [`Reject`] with its place and reason; it is never mended and never lost.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::bind::{Binding, Feed, Layout, Target};
use crate::decode::{Record, decode_text};
use crate::encode::{self, ColumnType};
use crate::source::{Encoding, From, Test, trim};

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
    /// What has been counted so far.
    pub counts: Counts,
}

/// Why a field was refused: the column's name, the byte in the file, the reason.
type Refusal = (Option<String>, u64, String);

impl<'a> Validator<'a> {
    /// A validator for a file of this layout, after its header was read.
    pub fn new(binding: &'a Binding, layout: Layout, known: &'a Known, header: u64) -> Self {
        let encoding = binding.source.format.encoding;
        let counts = Counts { lines: header, header, ..Counts::default() };
        Validator { binding, layout, known, encoding, counts }
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
        encode::begin_row(rows, self.binding.targets.len() as i16);
        for target in &self.binding.targets {
            let encoded = match target.feed.column() {
                Some(column) => self.encode(record, target, column, rows),
                None => self.gather(record, target, rows),
            };
            if let Err(refusal) = encoded {
                rows.truncate(start);
                return self.reject(record, refusal);
            }
        }
        self.counts.loaded += 1;
        self.counts.digest = self.counts.digest.wrapping_add(xxh3_128(&rows[start..]));
        Outcome::Row
    }

    /// One table column from one of the spec's.
    fn encode(
        &self,
        record: &Record<'_>,
        target: &Target,
        column: usize,
        rows: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let spec = &self.binding.source.columns[column];
        let field = self.layout.fields[column];
        let line;
        let (text, encoding) = match &spec.from {
            From::Header(_) => {
                (field.map(|index| record.field(index).unwrap_or_default()), self.encoding)
            }
            From::Line => {
                line = record.position.line.to_string();
                (Some(line.as_bytes()), Encoding::Ascii)
            }
            From::Group(group) => (self.known.get(group).map(String::as_bytes), Encoding::Utf8),
        };
        let outcome = match text {
            Some(text) => self.encode_field(rows, text, target, encoding),
            None if target.not_null => Err((0, "is missing in this vintage and may not be null")),
            None => {
                encode::null(rows);
                Ok(())
            }
        };
        outcome.map_err(|(offset, reason)| {
            let byte = field.map_or(record.position.byte, |index| record.byte_of(index, offset));
            (Some(spec.name().to_owned()), byte, reason.to_owned())
        })
    }

    /// One field into its column; on failure the offset within the field, and the reason.
    fn encode_field(
        &self,
        rows: &mut Vec<u8>,
        field: &[u8],
        target: &Target,
        encoding: Encoding,
    ) -> Result<(), (u64, &'static str)> {
        let is_null = |field: &[u8]| target.nulls.iter().any(|null| null == field);
        let has_digit = || field.iter().any(u8::is_ascii_digit);
        let elsewhere = match target.feed {
            Feed::Number(_) => !has_digit(),
            Feed::Words(_) => has_digit(),
            _ => false,
        };
        if is_null(field) || elsewhere {
            if target.not_null {
                return Err((0, "is null, and its column may not be"));
            }
            encode::null(rows);
            return Ok(());
        }
        let mut value = Cow::Borrowed(field);
        if matches!(target.feed, Feed::Number(_) | Feed::Words(_) | Feed::Hash(_)) {
            value = Cow::Borrowed(trim(field));
        }
        for transform in &target.transforms {
            value = transform.apply(value).map_err(|reason| (0, reason))?;
        }
        if let Feed::Hash(_) = target.feed {
            return self.hash(rows, &value).map_err(|reason| (0, reason));
        }
        match target.kind {
            ColumnType::Text { max } => {
                let text = decode_text(&value, encoding)
                    .map_err(|offset| (offset as u64, undecodable(encoding)))?;
                encode::text(rows, &text, max).map_err(|reason| (0, reason))
            }
            kind => encode::value(rows, &value, kind).map_err(|reason| (0, reason)),
        }
    }

    fn hash(&self, rows: &mut Vec<u8>, identifier: &[u8]) -> Result<(), &'static str> {
        let key = self.binding.hash_key.as_ref().ok_or("cannot be hashed without a key")?;
        if identifier.is_empty() {
            return Err("is blank, and stands for nobody");
        }
        encode::uuid(rows, &key.hash(identifier));
        Ok(())
    }

    /// All columns that the spec does not name, those that are null left out.
    fn gather(
        &self,
        record: &Record<'_>,
        target: &Target,
        rows: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let is_null = |field: &[u8]| target.nulls.iter().any(|null| null == field);
        let mut object = encode::Object::begin(rows);
        for (index, name) in &self.layout.others {
            let field = record.field(*index).unwrap_or_default();
            let refused = |(offset, reason): (usize, &str)| {
                let byte = record.byte_of(*index, offset as u64);
                (Some(name.clone()), byte, reason.to_owned())
            };
            if is_null(field) {
                continue;
            }
            let mut value = Cow::Borrowed(field);
            for transform in &target.transforms {
                value = transform.apply(value).map_err(|reason| refused((0, reason)))?;
            }
            if is_null(&value) {
                continue;
            }
            let text = decode_text(&value, self.encoding)
                .map_err(|offset| refused((offset, undecodable(self.encoding))))?;
            object.put(name, &text).map_err(|reason| refused((0, reason)))?;
        }
        object.end();
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

fn undecodable(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Ascii => "holds a byte that is not ASCII",
        Encoding::Utf8 => "holds a byte that is not UTF-8",
        Encoding::Windows1252 => "holds a byte that is no windows-1252 character",
        Encoding::Utf8OrWindows1252 => "holds a byte that is neither UTF-8 nor windows-1252",
    }
}

#[cfg(test)]
mod tests;
