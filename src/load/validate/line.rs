//! Rows without cutting: where a line is nothing but the texts of sets (the network's 307 million
//! are), and all of them were met before, its row is found by comparing bytes.

use xxhash_rust::xxh3::xxh3_128;

use super::dictionary::SetEntry;
use super::sets::SetLookup;
use crate::load::bind::{Binding, Layout};
use crate::load::encode;

/// How a line falls into its sets' texts.
pub(super) struct SetLine {
    delimiter: u8,
    /// In the line's order: which dictionary, and how many of its fields; none for the last, which
    /// has the rest.
    sets: Vec<(usize, Option<usize>)>,
    /// A row with zeros for its numbers.
    row: Vec<u8>,
    /// Where each dictionary's number ends in it.
    numbers: Vec<usize>,
}

impl SetLine {
    /// Of a file of this layout, whose sets' fields stand between these; `None` where a line has more
    /// to it than its sets.
    pub(super) fn new(
        binding: &Binding,
        layout: &Layout,
        spans: &[Option<(usize, usize)>],
    ) -> Option<SetLine> {
        let more = !binding.targets.is_empty() || !binding.source.filters.is_empty();
        if more || spans.is_empty() {
            return None;
        }
        let spans: Vec<(usize, usize)> = spans.iter().copied().collect::<Option<_>>()?;
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_by_key(|index| spans[*index]);
        let mut next = 0;
        for index in &order {
            let (first, last) = spans[*index];
            if first != next {
                return None;
            }
            next = last + 1;
        }
        if next != layout.width {
            return None;
        }
        let mut row = Vec::new();
        encode::begin_row(&mut row, spans.len() as i16);
        let mut numbers = Vec::new();
        for dictionary in &binding.dictionaries {
            encode::number(&mut row, 0, dictionary.key);
            numbers.push(row.len());
        }
        let fields = |index: usize| (index, Some(spans[index].1 - spans[index].0 + 1));
        let mut sets: Vec<_> = order.into_iter().map(fields).collect();
        sets.last_mut()?.1 = None;
        Some(SetLine { delimiter: binding.source.format.delimiter, sets, row, numbers })
    }
}

impl SetLookup<'_> {
    /// Appends the row of a line whose sets are all known, and gives its digest; `None` where it
    /// is to be looked at more closely.
    pub(super) fn known_row(&mut self, line: &[u8], rows: &mut Vec<u8>) -> Option<u128> {
        let SetLookup { line: Some(shape), known, entries, digested, .. } = self else {
            return None;
        };
        entries.resize(known.len(), SetEntry::default());
        let mut from = 0;
        for (index, fields) in &shape.sets {
            let text = line.get(from..)?;
            let (entry, length) = known[*index].begins(text, *fields, shape.delimiter)?;
            entries[*index] = entry;
            from += length + 1;
        }
        let start = rows.len();
        rows.extend_from_slice(&shape.row);
        digested.clear();
        for (index, entry) in entries.iter().enumerate() {
            // Smallint is the integer's last two bytes, and its number fits them.
            let end = shape.numbers[index];
            let from = if index == 0 { 2 } else { shape.numbers[index - 1] } + 4;
            let number = entry.id.to_be_bytes();
            rows[start + from..start + end].copy_from_slice(&number[4 - (end - from)..]);
            digested.extend_from_slice(&entry.digest.to_le_bytes());
        }
        Some(xxh3_128(digested))
    }
}
