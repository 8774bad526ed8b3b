//! Record to row: filters, nulls, transforms, types. A record becomes an encoded row, or a
//! [`Reject`] with its place and reason; it is never mended and never lost.

use std::borrow::Cow;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::bind::{Binding, BoundFilter, Layout, Target, filters};
use crate::decode::{Record, decode_text};
use crate::encode::{self, ColumnType};
use crate::source::Encoding;

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
    /// The record's original bytes (the first 64 KiB).
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

/// Turns one file's records into rows.
pub struct Validator<'a> {
    binding: &'a Binding,
    layout: Layout,
    filters: Vec<BoundFilter>,
    encoding: Encoding,
    /// What has been counted so far.
    pub counts: Counts,
}

impl<'a> Validator<'a> {
    /// A validator for a file of this layout, after its header was read.
    pub fn new(binding: &'a Binding, layout: Layout, header: u64) -> Self {
        Validator {
            binding,
            layout,
            filters: filters(&binding.source),
            encoding: binding.source.format.encoding,
            counts: Counts { lines: header, header, ..Counts::default() },
        }
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
            return self.reject(record, None, record.position.byte, reason);
        }
        if self.left_out(record) {
            self.counts.filtered += 1;
            return Outcome::Filtered;
        }
        let start = rows.len();
        encode::begin_row(rows, self.binding.targets.len() as i16);
        for target in &self.binding.targets {
            let field = self.layout.fields[target.column];
            let outcome = match field {
                Some(index) => encode_field(
                    rows,
                    record.field(index).unwrap_or_default(),
                    target,
                    self.encoding,
                ),
                None if target.not_null => {
                    Err((0, "is missing in this vintage and may not be null"))
                }
                None => {
                    encode::null(rows);
                    Ok(())
                }
            };
            if let Err((offset, reason)) = outcome {
                rows.truncate(start);
                let byte =
                    field.map_or(record.position.byte, |index| record.byte_of(index, offset));
                return self.reject(record, Some(target.column), byte, reason.to_owned());
            }
        }
        self.counts.loaded += 1;
        self.counts.digest = self.counts.digest.wrapping_add(xxh3_128(&rows[start..]));
        Outcome::Row
    }

    fn left_out(&self, record: &Record<'_>) -> bool {
        self.filters.iter().any(|filter| {
            let field = self.layout.fields[filter.column].and_then(|index| record.field(index));
            let found = field.is_some_and(|field| filter.values.iter().any(|value| value == field));
            found != filter.keep
        })
    }

    fn reject(
        &mut self,
        record: &Record<'_>,
        column: Option<usize>,
        byte: u64,
        reason: String,
    ) -> Outcome {
        self.counts.rejected += 1;
        Outcome::Rejected(Reject {
            line: record.position.line,
            byte,
            column: column.map(|index| self.binding.source.columns[index].from.clone()),
            reason,
            bytes: record.raw[..record.raw.len().min(KEPT_BYTES)].to_vec(),
        })
    }
}

/// One field into its column; on failure the offset within the field, and the reason.
fn encode_field(
    rows: &mut Vec<u8>,
    field: &[u8],
    target: &Target,
    encoding: Encoding,
) -> Result<(), (u64, &'static str)> {
    if target.nulls.iter().any(|null| null == field) {
        if target.not_null {
            return Err((0, "is null, and its column may not be"));
        }
        encode::null(rows);
        return Ok(());
    }
    let mut value = Cow::Borrowed(field);
    for transform in &target.transforms {
        value = transform.apply(value).map_err(|reason| (0, reason))?;
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

fn undecodable(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Ascii => "holds a byte that is not ASCII",
        Encoding::Utf8 => "holds a byte that is not UTF-8",
        Encoding::Windows1252 => "holds a byte that is no windows-1252 character",
    }
}

#[cfg(test)]
mod tests;
