//! Dictionary columns: sets of fields that recur are read and checked once, and stored once; the
//! rows have their number.
//!
//! What a set is called depends on which part met it first. The digest must not, so it is taken
//! over what CMS said: a set's own digest stands in the row's for its number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::load::encode::{self, ColumnType};

/// Bytes of all sets of one dictionary. Past it it is no dictionary, and memory is not for it.
const BYTES_MAX: usize = 64 << 20;
/// What a set takes beside its own bytes, in tables and allocations, about.
const BYTES_BESIDE: usize = 64;
/// Sets that one thread keeps by their text, to look them up without the others; past it, it
/// begins again.
const KNOWN_MAX: usize = 200_000;

/// A set's number, and the digest of what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetEntry {
    /// From 1.
    pub id: i32,
    /// xxh3-128 of its encoded fields.
    pub digest: u128,
}

/// One dictionary of one source, shared by all its parts.
#[derive(Debug, Default)]
pub struct Shared {
    sets: Mutex<SetNumbers>,
    /// What threads knew that have read their file, by what their texts are made of: the next
    /// thread need not learn it again.
    spare: Mutex<Vec<(String, SetCache)>>,
}

#[derive(Debug, Default)]
struct SetNumbers {
    ids: HashMap<Box<[u8]>, i32>,
    bytes: usize,
}

impl Shared {
    fn sets(&self) -> MutexGuard<'_, SetNumbers> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a set of encoded fields; a new one where it is met for the first time.
    ///
    /// # Errors
    /// When there are more sets than numbers, or than memory is meant for: the reason.
    pub fn number(&self, fields: &[u8], key: ColumnType) -> Result<SetEntry, &'static str> {
        let mut sets = self.sets();
        let digest = xxh3_128(fields);
        if let Some(id) = sets.ids.get(fields) {
            return Ok(SetEntry { id: *id, digest });
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
        Ok(SetEntry { id, digest })
    }

    /// What another thread knew whose texts were made of the same columns; else nothing.
    pub fn known(&self, made_of: &str) -> SetCache {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let found = spare.iter().position(|(columns, _)| columns == made_of);
        found.map(|index| spare.swap_remove(index).1).unwrap_or_default()
    }

    /// Leaves what a thread knows to the next one.
    pub fn leave(&self, made_of: &str, known: SetCache) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push((made_of.to_owned(), known));
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.sets().ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nulls in each of `columns` columns, of rows that met each set as often as `met` says by the set's number.
    pub fn nulls(&self, columns: usize, met: &[u64]) -> Vec<u64> {
        let mut nulls = vec![0; columns];
        let sets = self.sets();
        for (fields, id) in &sets.ids {
            let times = met.get(*id as usize).copied().unwrap_or(0);
            let mut rest = &**fields;
            for nulls in nulls.iter_mut().filter(|_| times > 0) {
                let Some(length) = encode::field_length(rest) else { break };
                *nulls += if encode::is_null(&rest[..length]) { times } else { 0 };
                rest = &rest[length..];
            }
        }
        nulls
    }

    /// All sets as rows of binary COPY, in the order of their numbers, in chunks of about `chunk`
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
///
/// Texts lie one behind another in the order in which they were met, for files come in order: the
/// set that was met behind the last one is most often the next one (a plan's pharmacies stand in
/// the same order in every plan), and then nothing is hashed. One that stands elsewhere is most often
/// alone there, so the place before it is remembered too.
#[derive(Debug, Default)]
pub struct SetCache {
    texts: Vec<u8>,
    slots: Vec<Slot>,
    /// Slots by their text's hash.
    by_hash: HashMap<u64, u32, BuildHasherDefault<IdentityHasher>>,
    /// The last set, and the one before the order was left.
    last: [usize; 2],
    /// From the last one to the one before it was found: 0 where sets repeat, 1 where they follow.
    step: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    start: usize,
    end: usize,
    entry: SetEntry,
}

/// How far behind the last one a set is looked for, before it is looked for everywhere.
const AHEAD: usize = 4;

impl SetCache {
    /// The entry of a set that was met before.
    pub fn get(&mut self, text: &[u8]) -> Option<SetEntry> {
        if let Some((entry, _)) = self.near(|found| *found == *text) {
            return Some(entry);
        }
        self.anywhere(text)
    }

    /// The entry of a set that was met before and whose text, this many fields, the line begins
    /// with; and the text's length. Without a number of fields all of the line is meant.
    pub fn begins(
        &mut self,
        line: &[u8],
        fields: Option<usize>,
        delimiter: u8,
    ) -> Option<(SetEntry, usize)> {
        let Some(fields) = fields else {
            return self.get(line).map(|entry| (entry, line.len()));
        };
        // A text has its delimiters in it: one that ends where a field does has as many fields.
        let ends = |length: usize| line.get(length) == Some(&delimiter);
        if let Some(found) = self.near(|text| ends(text.len()) && line.starts_with(text)) {
            return Some(found);
        }
        let length = memchr::memchr_iter(delimiter, line).nth(fields - 1)?;
        self.anywhere(&line[..length]).map(|entry| (entry, length))
    }

    /// A set not far behind the last ones, if it is the right one; and its text's length.
    fn near(&mut self, is_it: impl Fn(&[u8]) -> bool) -> Option<(SetEntry, usize)> {
        for (which, last) in self.last.into_iter().enumerate() {
            // After a set that follows comes the one that repeats, then those further behind.
            let steps = [self.step, 1 - self.step].into_iter().chain(2..=AHEAD);
            for step in steps {
                let Some(slot) = self.slots.get(last + step) else { continue };
                if is_it(&self.texts[slot.start..slot.end]) {
                    self.step = step.min(1);
                    self.last = [last + step, self.last[1 - which]];
                    return Some((slot.entry, slot.end - slot.start));
                }
            }
        }
        None
    }

    fn anywhere(&mut self, text: &[u8]) -> Option<SetEntry> {
        let found = *self.by_hash.get(&xxh3_64(text))? as usize;
        let slot = self.slots.get(found)?;
        let same = self.texts[slot.start..slot.end] == *text;
        if same {
            self.last = [found, self.last[0]];
        }
        same.then_some(slot.entry)
    }

    /// Keeps an entry.
    pub fn keep(&mut self, text: &[u8], entry: SetEntry) {
        if self.slots.len() >= KNOWN_MAX {
            *self = SetCache::default();
        }
        let start = self.texts.len();
        self.texts.extend_from_slice(text);
        let new = self.slots.len();
        self.last[0] = new;
        self.slots.push(Slot { start, end: self.texts.len(), entry });
        // Of two texts with one hash the later one is known, the other is looked up each time.
        self.by_hash.insert(xxh3_64(text), new as u32);
    }
}

/// A hash that is one already.
#[derive(Debug, Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
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
    fn a_text_is_known_again_in_whatever_order_it_comes() {
        let mut known = SetCache::default();
        let entry = |id: i32| SetEntry { id, digest: id as u128 };
        let texts: Vec<String> = (0..100).map(|id| format!("text {id}")).collect();
        assert_eq!(known.get(b""), None);
        for (id, text) in (0..).zip(&texts) {
            assert_eq!(known.get(text.as_bytes()), None);
            known.keep(text.as_bytes(), entry(id));
        }
        for step in [1_usize, 2, 37, 99] {
            for turn in 0..200 {
                let id = turn * step % 100;
                assert_eq!(known.get(texts[id].as_bytes()), Some(entry(id as i32)));
            }
        }
        assert_eq!(known.get(b"text 1000"), None);
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
