//! One record: its fields, where they stand, and what is wrong with it.

use super::fields::raw_offset;

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordPosition {
    /// Line in the file, from 1 (a quoted record may span several).
    pub line: u64,
    /// Byte in the file, from 0.
    pub byte: u64,
}

/// What keeps a record's fields from being what they look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The field, from 0.
    pub field: usize,
    /// The byte in the file.
    pub byte: u64,
    /// What is wrong.
    pub reason: String,
}

/// One record; it borrows the reader's buffers.
pub struct Record<'a> {
    /// Where it begins.
    pub position: RecordPosition,
    /// Its original bytes, without the line end.
    pub raw: &'a [u8],
    pub(super) text: &'a [u8],
    pub(super) fields: &'a [(u32, u32)],
    /// The delimiter, where quotes were taken off.
    pub(super) quoted_by: Option<u8>,
    /// What is wrong with its quotes: its fields are not to be believed.
    pub flaw: Option<Flaw>,
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

    /// Whether it has this number of fields, or one more that has no bytes where it may end in a delimiter.
    pub fn is_of_width(&self, width: usize, trailing: bool) -> bool {
        self.len() == width || (trailing && self.len() == width + 1 && self.is_blank(width))
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
