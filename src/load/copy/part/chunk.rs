//! Encoded rows on their way to COPY, a chunk at a time; in the order of the table's key where the
//! spec asks for it: the key's index then finds its rows sorted, and they stand side by side. Or
//! gathered into arrays, see [`super::pack`]; or as lines, see [`super::lines`].

use bytes::Bytes;

use super::Siblings;
use super::lines::{CopyColumns, LineWriter};
use super::pack::Packer;
use super::place::{NumberPosition, number};
use crate::load::bind::Binding;

/// A chunk is handed on when it has grown to this.
const CHUNK: usize = 256 << 10;
/// Bytes of rows with one first number that are held back to be sorted. A plan has some 50,000
/// pharmacies, of 24 bytes each.
const RUN_MAX: usize = 8 << 20;

/// Rows that are handed on.
pub struct CopyChunk {
    /// Encoded.
    pub bytes: Bytes,
    /// How many of the file's they are.
    pub source_rows: u64,
    /// How many of the table's.
    pub table_rows: u64,
    /// The table's columns that lines have; `None` of binary rows.
    pub columns: Option<CopyColumns>,
}

/// Rows that are not handed on.
pub struct ChunkBuilder {
    /// The rows; whoever appends one says so with [`ChunkBuilder::added`].
    pub rows: Vec<u8>,
    count: u64,
    handling: RowHandling,
}

/// What is done to rows.
enum RowHandling {
    AsTheyCome,
    Sorted(RowSorter),
    Lines(LineWriter),
    Packed {
        packer: Packer,
        /// The table's rows, where `ChunkBuilder::rows` has the file's last one.
        rows: Vec<u8>,
        source_rows: u64,
    },
}

/// What sorts them.
struct RowSorter {
    /// Where the numbers of the first and the second column to sort by stand in a row.
    places: [Option<NumberPosition>; 2],
    /// Each row's numbers, and where it begins and ends.
    rows: Vec<(u64, u32, u32)>,
    /// How many rows, of enough bytes, stand before the first row with another first number.
    run: Option<usize>,
}

impl ChunkBuilder {
    /// An empty one for the rows of this source.
    pub fn new(binding: &Binding, siblings: &Siblings) -> ChunkBuilder {
        let packer = Packer::new(binding, &siblings.pieces);
        let lines = LineWriter::new(binding, &siblings.filled);
        let handling = match (packer, RowSorter::new(binding), lines) {
            (Some(packer), ..) => RowHandling::Packed {
                packer,
                rows: Vec::with_capacity(CHUNK + CHUNK / 4),
                source_rows: 0,
            },
            (None, Some(order), _) => RowHandling::Sorted(order),
            (None, None, Some(lines)) => RowHandling::Lines(lines),
            (None, None, None) => RowHandling::AsTheyCome,
        };
        ChunkBuilder { rows: Vec::with_capacity(CHUNK + CHUNK / 4), count: 0, handling }
    }

    /// A row was appended, from here on; `false` where there is a row already in its place of an array.
    pub fn added(&mut self, start: usize) -> bool {
        match &mut self.handling {
            RowHandling::AsTheyCome => self.count += 1,
            RowHandling::Sorted(order) => {
                self.count += 1;
                order.note(&self.rows, start);
            }
            RowHandling::Lines(lines) => {
                self.count += 1;
                lines.note(&self.rows[start..]);
            }
            RowHandling::Packed { packer, rows, source_rows } => {
                let Some(packed) = packer.take(&self.rows[start..], rows) else { return false };
                self.rows.truncate(start);
                self.count += packed.table_rows;
                *source_rows += packed.source_rows;
            }
        }
        true
    }

    /// What is to be handed on by now.
    pub fn full(&mut self) -> Option<CopyChunk> {
        let behind = match &mut self.handling {
            RowHandling::Packed { rows, .. } if rows.len() < CHUNK => return None,
            RowHandling::Packed { rows, source_rows, .. } => {
                return Some(made(rows, source_rows, &mut self.count));
            }
            RowHandling::AsTheyCome | RowHandling::Lines(_) if self.rows.len() < CHUNK => {
                return None;
            }
            RowHandling::AsTheyCome | RowHandling::Lines(_) => self.rows.len(),
            RowHandling::Sorted(order) => match order.run.take() {
                Some(rows) => order.rows[rows].1 as usize,
                None if self.rows.len() < RUN_MAX => return None,
                None => self.rows.len(),
            },
        };
        Some(self.hand_on(behind))
    }

    /// Whether the next file's rows may belong among these.
    pub fn goes_on(&self) -> bool {
        matches!(self.handling, RowHandling::Sorted(_) | RowHandling::Packed { .. })
    }

    /// The rows that are left.
    pub fn rest(mut self) -> Option<CopyChunk> {
        if let RowHandling::Packed { packer, rows, source_rows } = &mut self.handling {
            let packed = packer.pack(rows);
            self.count += packed.table_rows;
            *source_rows += packed.source_rows;
            return (self.count > 0).then(|| made(rows, source_rows, &mut self.count));
        }
        (self.count > 0).then(|| self.hand_on(self.rows.len()))
    }

    /// The rows before this byte.
    fn hand_on(&mut self, end: usize) -> CopyChunk {
        let mut next = Vec::with_capacity(CHUNK + CHUNK / 4);
        next.extend_from_slice(&self.rows[end..]);
        let mut rows = std::mem::replace(&mut self.rows, next);
        rows.truncate(end);
        let mut count = std::mem::take(&mut self.count);
        if let RowHandling::Sorted(order) = &mut self.handling {
            let kept = order.rows.partition_point(|(_, start, _)| (*start as usize) < end);
            let mut behind = order.rows.split_off(kept);
            for (_, start, end_of) in &mut behind {
                (*start, *end_of) = (*start - end as u32, *end_of - end as u32);
            }
            self.count = behind.len() as u64;
            count -= self.count;
            let mut sorted = std::mem::replace(&mut order.rows, behind);
            if !sorted.is_sorted_by_key(|(key, _, _)| *key) {
                sorted.sort_by_key(|(key, _, _)| *key);
                let mut in_order = Vec::with_capacity(rows.len());
                for (_, start, end) in sorted {
                    in_order.extend_from_slice(&rows[start as usize..end as usize]);
                }
                rows = in_order;
            }
        }
        let mut columns = None;
        if let RowHandling::Lines(lines) = &self.handling {
            let (of_rows, named) = lines.of(&rows);
            (rows, columns) = (of_rows, Some(named));
        }
        CopyChunk { bytes: rows.into(), source_rows: count, table_rows: count, columns }
    }
}

/// The table's rows that are made of packed ones; the next ones are counted from zero.
fn made(rows: &mut Vec<u8>, source_rows: &mut u64, table_rows: &mut u64) -> CopyChunk {
    let bytes = std::mem::replace(rows, Vec::with_capacity(CHUNK + CHUNK / 4)).into();
    let (source_rows, table_rows) = (std::mem::take(source_rows), std::mem::take(table_rows));
    CopyChunk { bytes, source_rows, table_rows, columns: None }
}

impl RowSorter {
    fn new(binding: &Binding) -> Option<RowSorter> {
        let place = |nth: usize| {
            let column = binding.source.sort.get(nth)?;
            let index = binding.source.dictionaries.iter().position(|known| known.to == *column)?;
            Some(NumberPosition::of(binding, index))
        };
        let places = [place(0), place(1)];
        places[0].is_some().then(|| RowSorter { places, rows: Vec::new(), run: None })
    }

    fn note(&mut self, rows: &[u8], start: usize) {
        let [first, second] = self.places.map(|place| {
            place.map_or(0, |place| u64::from(number(&rows[start..], place).cast_unsigned()))
        });
        let changed = self.rows.last().is_some_and(|(key, _, _)| key >> 32 != first);
        if changed && start >= CHUNK && self.run.is_none() {
            self.run = Some(self.rows.len());
        }
        self.rows.push((first << 32 | second, start as u32, rows.len() as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::encode::{self, ColumnType};

    /// Rows of a smallint and an integer number, and a text that tells them apart.
    fn chunk(sorted: bool) -> ChunkBuilder {
        let place = |at: usize, kind: ColumnType| Some(NumberPosition { at, kind });
        let places = [place(6, ColumnType::Int2), place(12, ColumnType::Int4)];
        let order = RowSorter { places, rows: Vec::new(), run: None };
        let handling = if sorted { RowHandling::Sorted(order) } else { RowHandling::AsTheyCome };
        ChunkBuilder { rows: Vec::new(), count: 0, handling }
    }

    fn row(plan: i32, pharmacy: i32) -> Vec<u8> {
        let mut row = Vec::new();
        encode::begin_row(&mut row, 3);
        encode::number(&mut row, plan, ColumnType::Int2);
        encode::number(&mut row, pharmacy, ColumnType::Int4);
        let text = "x".repeat(1 + pharmacy as usize % 7);
        assert_eq!(encode::text(&mut row, &text, None), Ok(()));
        row
    }

    /// What is handed on of these rows, and in how many pieces.
    fn handed_on(mut chunk: ChunkBuilder, rows: &[(i32, i32)]) -> (Vec<u8>, u64, usize) {
        let (mut all, mut count, mut pieces) = (Vec::new(), 0, 0);
        let mut take = |rows: CopyChunk| {
            assert_eq!(rows.source_rows, rows.table_rows);
            all.extend_from_slice(&rows.bytes);
            count += rows.source_rows;
            pieces += 1;
        };
        for (plan, pharmacy) in rows {
            let start = chunk.rows.len();
            chunk.rows.extend_from_slice(&row(*plan, *pharmacy));
            assert!(chunk.added(start));
            chunk.full().into_iter().for_each(&mut take);
        }
        chunk.rest().into_iter().for_each(&mut take);
        (all, count, pieces)
    }

    fn encoded(rows: &[(i32, i32)]) -> Vec<u8> {
        rows.iter().flat_map(|(plan, pharmacy)| row(*plan, *pharmacy)).collect()
    }

    #[test]
    fn rows_of_a_plan_are_sorted_over_any_number_of_pieces() {
        let shuffled = |plan: i32| (0..30_000).map(move |no| (plan, 1 + no * 7919 % 30_000));
        let rows: Vec<(i32, i32)> = (1..=4).flat_map(shuffled).collect();
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        let (all, count, pieces) = handed_on(chunk(true), &rows);
        assert!(all == encoded(&sorted));
        assert_eq!((count, pieces), (120_000, 4));
        let (all, count, pieces) = handed_on(chunk(false), &rows);
        assert!(all == encoded(&rows));
        assert!(count == 120_000 && pieces > 8, "{pieces}");
    }

    /// Rows cut apart and sorted: the same for the same rows in whatever order.
    fn cut(all: &[u8]) -> Vec<&[u8]> {
        let (mut rows, mut rest) = (Vec::new(), all);
        while !rest.is_empty() {
            let pharmacy = number(rest, NumberPosition { at: 12, kind: ColumnType::Int4 }) as usize;
            // Up to the second number's end, the text's length, and the text, as `row` makes it.
            let (row, behind) = rest.split_at(16 + 4 + 1 + pharmacy % 7);
            rows.push(row);
            rest = behind;
        }
        rows.sort_unstable();
        rows
    }

    #[test]
    fn a_plan_that_comes_again_and_one_without_end_lose_no_row() {
        let again: Vec<(i32, i32)> = (0..40_000).map(|no| (1 + no % 2, no)).collect();
        let endless: Vec<(i32, i32)> = (0..700_000).rev().map(|no| (1, no)).collect();
        for rows in [again, endless] {
            let (all, count, pieces) = handed_on(chunk(true), &rows);
            assert!(cut(&all) == cut(&encoded(&rows)), "other rows came out than went in");
            assert_eq!(count, rows.len() as u64);
            assert!(pieces > 1);
        }
    }
}
