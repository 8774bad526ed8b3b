//! Where numbers stand in an encoded row.

use crate::load::bind::Binding;
use crate::load::encode::{self, ColumnType};

/// Where a dictionary's number stands in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberPosition {
    /// Its first byte.
    pub at: usize,
    /// Smallint or integer.
    pub kind: ColumnType,
}

impl NumberPosition {
    /// That of the dictionary of this index.
    pub(super) fn of(binding: &Binding, dictionary: usize) -> NumberPosition {
        let mut row = Vec::new();
        encode::begin_row(&mut row, 0);
        for before in &binding.dictionaries[..dictionary] {
            encode::number(&mut row, 0, before.key);
        }
        NumberPosition {
            at: row.len() + size_of::<i32>(),
            kind: binding.dictionaries[dictionary].key,
        }
    }
}

/// The number that a row has in this place.
#[inline]
pub(super) fn number(row: &[u8], NumberPosition { at, kind }: NumberPosition) -> i32 {
    match kind {
        ColumnType::Int2 => i32::from(i16::from_be_bytes([row[at], row[at + 1]])),
        _ => i32::from_be_bytes([row[at], row[at + 1], row[at + 2], row[at + 3]]),
    }
}
