//! How many of a file's rows have null in each column: what the next night is held against. It is
//! counted as rows are made, at next to no cost: of a narrow row its nulls, of a wide row, most of
//! which is blank, what it holds; of sets how often each was met.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::dictionary::SetEntry;
use crate::load::bind::{Binding, DictionaryBinding, Layout, Target};
use crate::load::encode;
use crate::spec::source::From;

/// Rows by column that are null there; columns that the file lacks are not among them.
pub(crate) type Nulls = BTreeMap<String, u64>;

/// What has been met so far in one file.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Whether what is counted is what is not null.
    wide: bool,
    /// By target.
    counted: Box<[Cell<u64>]>,
    /// By dictionary that may hold nulls: how often each of its sets was met, by its number.
    pub(super) sets: Vec<(usize, Vec<u64>)>,
}

impl Met {
    pub(super) fn new(binding: &Binding, wide: bool) -> Met {
        let nullable = |dictionary: &DictionaryBinding| {
            dictionary.targets.iter().any(|target| !target.not_null)
        };
        let sets = binding.dictionaries.iter().enumerate();
        Met {
            wide,
            counted: binding.targets.iter().map(|_| Cell::new(0)).collect(),
            sets: sets.filter(|(_, d)| nullable(d)).map(|(index, _)| (index, Vec::new())).collect(),
        }
    }

    /// Notes a target whose field begins at `start` and ends the row so far.
    #[inline]
    pub(super) fn note(&self, index: usize, row: &[u8], start: usize) {
        if encode::is_null(&row[start..]) != self.wide {
            let counted = &self.counted[index];
            counted.set(counted.get() + 1);
        }
    }

    /// Takes back what was noted of these targets of a row that was refused.
    #[cold]
    pub(super) fn take_back(&self, targets: usize, mut fields: &[u8]) {
        for counted in &self.counted[..targets] {
            let Some(length) = encode::field_length(fields) else { return };
            if encode::is_null(&fields[..length]) != self.wide {
                counted.set(counted.get() - 1);
            }
            fields = &fields[length..];
        }
    }

    /// Notes the sets of a row that was made.
    #[inline]
    pub(super) fn note_sets(&mut self, entry: impl Fn(usize) -> SetEntry) {
        for (dictionary, met) in &mut self.sets {
            let id = entry(*dictionary).id as usize;
            if id >= met.len() {
                met.resize((id + 1).next_power_of_two(), 0);
            }
            met[id] += 1;
        }
    }

    /// The file's nulls by column, of all its rows; `sets_of` gives a dictionary's nulls by target.
    pub(super) fn nulls(
        &self,
        binding: &Binding,
        layout: &Layout,
        rows: u64,
        nulls_of: impl Fn(usize, &[u64]) -> Vec<u64>,
    ) -> Nulls {
        let has = |target: &Target| match target.feed.column() {
            Some(column) => match binding.source.columns[column].from {
                From::Header(_) => layout.fields[column].is_some(),
                From::Line | From::Group(_) => true,
            },
            None => false,
        };
        let own = binding.targets.iter().zip(&self.counted).map(|(target, counted)| {
            let nulls = if self.wide { rows - counted.get() } else { counted.get() };
            (target, nulls)
        });
        let mut all: Vec<(&Target, u64)> = own.collect();
        for (index, dictionary) in binding.dictionaries.iter().enumerate() {
            let met = self.sets.iter().find(|(known, _)| *known == index);
            let nulls = match met {
                Some((_, met)) => nulls_of(index, met),
                None => vec![0; dictionary.targets.len()],
            };
            all.extend(dictionary.targets.iter().zip(nulls));
        }
        let held = all.into_iter().filter(|(target, _)| has(target));
        held.map(|(target, nulls)| (target.name.clone(), nulls)).collect()
    }
}
