//! Rows of numbers gathered into arrays: all pharmacies of a plan that stand side by side in the
//! dictionary are one row of the table, in which each has a place. The unique index of a pair a row
//! is then not needed: of two rows with one place the second is refused here, with its line.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::place::{NumberPosition, number};
use crate::load::bind::Binding;
use crate::load::encode::{self, ColumnType, slots};
use crate::spec::source::Pack;

/// Places without a value that an array may have between two that have one. A row of its own costs
/// some 80 bytes more than its places do, with its key.
const GAP: usize = 20;

/// Numbers of pieces for each time that a set comes: no block has as many arrays that far apart.
const PIECES: i32 = 16;
const _: () = assert!(Pack::BLOCK as usize / (GAP + 1) < PIECES as usize);

/// How often a set has come, in this file and in others: rows of one that comes again are distinguished from
/// those that it has by their piece.
pub(super) type SetPieces = Mutex<HashMap<i32, i32>>;

/// The rows of one set, until another one comes.
pub(super) struct Packer {
    /// Where the numbers of the set, of the place and of the value stand in a row.
    places: [NumberPosition; 3],
    pieces: Arc<SetPieces>,
    by: Option<i32>,
    /// The values by their places; 0 where there is none.
    values: Vec<i32>,
    /// The first and the last place that has one.
    range: (usize, usize),
}

/// What was packed: rows of the file, and rows of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PackedCounts {
    /// Of the file.
    pub source_rows: u64,
    /// Of the table.
    pub table_rows: u64,
}

impl Packer {
    /// One for the rows of this source; `None` where they are not packed.
    pub(super) fn new(binding: &Binding, pieces: &Arc<SetPieces>) -> Option<Packer> {
        let Pack { by, at, of, .. } = binding.source.pack.as_ref()?;
        let places = [by, at, of].map(|dictionary| NumberPosition::of(binding, *dictionary));
        Some(Packer::with(places, Arc::clone(pieces)))
    }

    fn with(places: [NumberPosition; 3], pieces: Arc<SetPieces>) -> Packer {
        Packer { places, pieces, by: None, values: Vec::new(), range: (usize::MAX, 0) }
    }

    /// Takes a row; what another set than the last one's leaves behind is appended to `rows`. `None`
    /// where the set has a row with this place already.
    pub(super) fn take(&mut self, row: &[u8], rows: &mut Vec<u8>) -> Option<PackedCounts> {
        let [by, place, value] = self.places.map(|place| number(row, place));
        let mut packed = PackedCounts::default();
        if self.by != Some(by) {
            packed = self.pack(rows);
            self.by = Some(by);
        }
        let place = place as usize;
        if place >= self.values.len() {
            let blocks = place / Pack::BLOCK as usize + 1;
            self.values.resize(blocks * Pack::BLOCK as usize, 0);
        }
        let slot = &mut self.values[place];
        if *slot != 0 {
            return None;
        }
        *slot = value;
        self.range = (self.range.0.min(place), self.range.1.max(place));
        Some(packed)
    }

    /// Appends what the last set has, and forgets it.
    pub(super) fn pack(&mut self, rows: &mut Vec<u8>) -> PackedCounts {
        let mut packed = PackedCounts::default();
        let Some(by) = self.by.take() else { return packed };
        let first_piece = self.come(by) * PIECES;
        let block = Pack::BLOCK as usize;
        let (first, last) = std::mem::replace(&mut self.range, (usize::MAX, 0));
        for no in first / block..=last / block {
            let values = &mut self.values[no * block..(no + 1) * block];
            for (piece, run) in (first_piece..).zip(runs(values)) {
                packed.source_rows +=
                    values[run.clone()].iter().filter(|value| **value != 0).count() as u64;
                encode::begin_row(rows, 4);
                encode::number(rows, no as i32, ColumnType::Int4);
                encode::number(rows, piece, ColumnType::Int4);
                encode::number(rows, by, self.places[0].kind);
                slots::write(rows, (no * block + run.start) as i32, &values[run]);
                packed.table_rows += 1;
            }
            values.fill(0);
        }
        packed
    }

    /// How often this set has come before.
    fn come(&self, by: i32) -> i32 {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let times = pieces.entry(by).or_insert(-1);
        *times += 1;
        *times
    }
}

/// Where the values stand that lie close enough to each other for one array.
fn runs(values: &[i32]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for at in (0..values.len()).filter(|at| values[*at] != 0) {
        match runs.last_mut() {
            Some(run) if at - run.end <= GAP => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [NumberPosition; 3] = [
        NumberPosition { at: 6, kind: ColumnType::Int2 },
        NumberPosition { at: 12, kind: ColumnType::Int4 },
        NumberPosition { at: 20, kind: ColumnType::Int4 },
    ];

    fn row(plan: i32, pharmacy: i32, terms: i32) -> Vec<u8> {
        let mut row = Vec::new();
        encode::begin_row(&mut row, 3);
        encode::number(&mut row, plan, ColumnType::Int2);
        encode::number(&mut row, pharmacy, ColumnType::Int4);
        encode::number(&mut row, terms, ColumnType::Int4);
        row
    }

    /// Block, piece, plan, and the places with their values.
    type Read = (i32, i32, i32, Vec<(i32, i32)>);

    fn read(mut rows: &[u8]) -> Vec<Read> {
        let integer = |bytes: &[u8]| i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let mut all = Vec::new();
        while !rows.is_empty() {
            let (block, piece) = (integer(&rows[6..]), integer(&rows[14..]));
            let plan = i32::from(i16::from_be_bytes([rows[22], rows[23]]));
            let (values, behind) = slots::read(&rows[24..]).expect("an array");
            all.push((block, piece, plan, values.collect()));
            rows = behind;
        }
        all
    }

    fn packed(given: &[(i32, i32, i32)]) -> (Vec<Read>, PackedCounts) {
        let mut packer = Packer::with(PLACES, Arc::default());
        let (mut rows, mut all) = (Vec::new(), PackedCounts::default());
        let mut add = |packed: PackedCounts| {
            all.source_rows += packed.source_rows;
            all.table_rows += packed.table_rows;
        };
        for (plan, pharmacy, terms) in given {
            add(packer
                .take(&row(*plan, *pharmacy, *terms), &mut rows)
                .expect("a place that is free"));
        }
        add(packer.pack(&mut rows));
        (read(&rows), all)
    }

    #[test]
    fn rows_of_a_plan_are_one_row_a_block_in_whatever_order_they_come() {
        let given = [(1, 300, 7), (1, 255, 5), (1, 256, 6), (1, 254, 4), (2, 1, 9)];
        let expected = vec![
            (0, 0, 1, vec![(254, 4), (255, 5)]),
            (1, 0, 1, vec![(256, 6)]),
            (1, 1, 1, vec![(300, 7)]),
            (0, 0, 2, vec![(1, 9)]),
        ];
        assert_eq!(packed(&given), (expected, PackedCounts { source_rows: 5, table_rows: 4 }));
    }

    #[test]
    fn a_plan_that_comes_again_has_pieces_and_loses_no_row() {
        let given: Vec<_> = (1..=3000).map(|no| (1 + no % 2, no, no)).collect();
        let (rows, count) = packed(&given);
        assert_eq!(count, PackedCounts { source_rows: 3000, table_rows: 3000 });
        let mut keys: Vec<_> =
            rows.iter().map(|(block, piece, plan, _)| (plan, block, piece)).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), rows.len());
        let mut source_rows: Vec<_> = rows
            .iter()
            .flat_map(|(_, _, plan, values)| values.iter().map(move |(at, of)| (*plan, *at, *of)))
            .collect();
        source_rows.sort_unstable_by_key(|(_, at, _)| *at);
        assert_eq!(source_rows, given);
    }

    #[test]
    fn a_place_is_taken_once() {
        let (mut packer, mut rows) = (Packer::with(PLACES, Arc::default()), Vec::new());
        assert!(packer.take(&row(1, 1, 1), &mut rows).is_some());
        assert!(packer.take(&row(1, 1, 2), &mut rows).is_none());
    }
}
