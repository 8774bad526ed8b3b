//! Dictionary columns: sets of fields that recur are read and checked once, and stored once; the
//! rows have their number.
//!
//! What a set is called depends on which part met it first. The digest must not, so it is taken
//! over what CMS said: a set's own digest stands in the row's for its number.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

use crate::encode::{self, ColumnType};

/// Bytes of all sets of one dictionary. Past it it is no dictionary, and memory is not for it.
const BYTES_MAX: usize = 64 << 20;
/// What a set takes beside its own bytes, in tables and allocations, about.
const BYTES_BESIDE: usize = 64;
/// Sets that one thread keeps by their text, to look them up without the others; past it, it
/// begins anew.
const KNOWN_MAX: usize = 200_000;

/// A set's number, and the digest of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// From 1.
    pub id: i32,
    /// xxh3-128 of its encoded fields.
    pub digest: u128,
}

/// One dictionary of one source, shared by all its parts.
#[derive(Debug, Default)]
pub struct Shared {
    sets: Mutex<Sets>,
}

#[derive(Debug, Default)]
struct Sets {
    ids: HashMap<Box<[u8]>, i32>,
    bytes: usize,
}

impl Shared {
    fn sets(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a set of encoded fields; a new one where it is met for the first time.
    ///
    /// # Errors
    /// The reason, when there are more sets than numbers, or than memory is meant for.
    pub fn number(&self, fields: &[u8], key: ColumnType) -> Result<Entry, &'static str> {
        let mut sets = self.sets();
        let digest = xxh3_128(fields);
        if let Some(id) = sets.ids.get(fields) {
            return Ok(Entry { id: *id, digest });
        }
        let next = sets.ids.len() + 1;
        if key == ColumnType::Int2 && next > i16::MAX as usize {
            return Err("has more than 32,767 sets, as many as smallint can number");
        }
        sets.bytes += fields.len() + BYTES_BESIDE;
        if sets.bytes > BYTES_MAX {
            return Err("has more than 64 MiB of sets: its columns hardly recur together");
        }
        let id = i32::try_from(next).map_err(|_| "has more sets than integer can number")?;
        sets.ids.insert(fields.into(), id);
        Ok(Entry { id, digest })
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.sets().ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All sets as rows of binary COPY, in the order of their numbers, in chunks of about so many
    /// bytes; `columns` are those besides the number.
    pub fn rows(&self, columns: usize, key: ColumnType, chunk: usize) -> Vec<Vec<u8>> {
        let sets = self.sets();
        let mut sorted: Vec<(i32, &[u8])> = sets.ids.iter().map(|(f, id)| (*id, &**f)).collect();
        sorted.sort_unstable_by_key(|(id, _)| *id);
        let mut chunks = vec![encode::HEADER.to_vec()];
        for (id, fields) in sorted {
            if chunks.last().is_none_or(|last| last.len() >= chunk) {
                chunks.push(Vec::with_capacity(chunk + chunk / 4));
            }
            if let Some(rows) = chunks.last_mut() {
                encode::begin_row(rows, columns as i16 + 1);
                encode::number(rows, id, key);
                rows.extend_from_slice(fields);
            }
        }
        if let Some(last) = chunks.last_mut() {
            last.extend_from_slice(&encode::TRAILER);
        }
        chunks
    }
}

/// What one thread knows of a dictionary: sets by their original text.
#[derive(Debug, Default)]
pub struct Known {
    by_text: HashMap<Box<[u8]>, Entry>,
}

impl Known {
    /// The entry of a set that was met before.
    pub fn get(&self, text: &[u8]) -> Option<Entry> {
        self.by_text.get(text).copied()
    }

    /// Keeps an entry.
    pub fn keep(&mut self, text: &[u8], entry: Entry) {
        if self.by_text.len() >= KNOWN_MAX {
            self.by_text.clear();
        }
        self.by_text.insert(text.into(), entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_its_number_and_smallint_has_an_end() {
        let shared = Shared::default();
        let first = shared.number(b"a", ColumnType::Int2);
        assert_eq!(first.map(|entry| entry.id), Ok(1));
        assert_eq!(shared.number(b"b", ColumnType::Int2).map(|entry| entry.id), Ok(2));
        assert_eq!(shared.number(b"a", ColumnType::Int2), first);
        for number in 2..i32::from(i16::MAX) {
            assert!(shared.number(&number.to_be_bytes(), ColumnType::Int2).is_ok());
        }
        let said = shared.number(b"one more", ColumnType::Int2);
        assert!(said.is_err_and(|reason| reason.contains("32,767")));
        assert_eq!(shared.len(), i16::MAX as usize);
    }

    #[test]
    fn rows_are_whole_in_chunks_of_any_size() {
        let shared = Shared::default();
        for text in [&b"\0\0\0\x01a"[..], b"\0\0\0\x01b", b"\xff\xff\xff\xff"] {
            assert!(shared.number(text, ColumnType::Int4).is_ok());
        }
        let whole = shared.rows(1, ColumnType::Int4, 1 << 20).concat();
        assert_eq!(shared.rows(1, ColumnType::Int4, 1).concat(), whole);
        assert_eq!(whole.len(), 19 + 3 * (2 + 8) + 5 + 5 + 4 + 2);
    }
}
