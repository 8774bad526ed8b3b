//! Rows without cutting: where a line is nothing but the texts of sets (the network's 307 million
//! are), and all of them were met before, its row is found by comparing bytes.

use xxhash_rust::xxh3::xxh3_128;

use super::dictionary::SetEntry;
use super::sets::SetLookup;

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
