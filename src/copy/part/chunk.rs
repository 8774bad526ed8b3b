//! Encoded rows on their way to COPY, a chunk at a time; in the order of the table's key where the
//! spec asks for it: the key's index then finds its rows sorted, and they stand side by side.

use bytes::Bytes;

use crate::bind::Binding;
use crate::encode::{self, ColumnType};

/// A chunk is handed on when it has grown to this.
const CHUNK: usize = 256 << 10;
/// Bytes of rows with one first number that are held back to be sorted. A plan has some 50,000
/// pharmacies, of 24 bytes each.
const RUN_MAX: usize = 8 << 20;

/// Rows that are not handed on.
pub struct Chunk {
    /// The rows; whoever appends one says so with [`Chunk::added`].
    pub rows: Vec<u8>,
    count: u64,
    order: Option<Order>,
}

/// What sorts them.
struct Order {
    /// Where the numbers of the first and the second column to sort by stand in a row.
    places: [Option<(usize, ColumnType)>; 2],
    /// Each row's numbers, and where it begins and ends.
    rows: Vec<(u64, u32, u32)>,
    /// How many rows, of enough bytes, stand before the first row with another first number.
    run: Option<usize>,
}

impl Chunk {
    /// An empty one for the rows of this source.
    pub fn new(binding: &Binding) -> Chunk {
        let order = Order::new(binding);
        Chunk { rows: Vec::with_capacity(CHUNK + CHUNK / 4), count: 0, order }
    }

    /// A row was appended, from here on.
    pub fn added(&mut self, start: usize) {
        self.count += 1;
        if let Some(order) = &mut self.order {
            order.note(&self.rows, start);
        }
    }

    /// What is to be handed on by now, and how many rows it has.
    pub fn full(&mut self) -> Option<(Bytes, u64)> {
        let behind = match &mut self.order {
            None if self.rows.len() < CHUNK => return None,
            None => self.rows.len(),
            Some(order) => match order.run.take() {
                Some(rows) => order.rows[rows].1 as usize,
                None if self.rows.len() < RUN_MAX => return None,
                None => self.rows.len(),
            },
        };
        Some(self.hand_on(behind))
    }

    /// Whether rows are sorted: the next file's may belong among these.
    pub fn is_sorted(&self) -> bool {
        self.order.is_some()
    }

    /// The rows that are left.
    pub fn rest(mut self) -> Option<(Bytes, u64)> {
        (self.count > 0).then(|| self.hand_on(self.rows.len()))
    }

    /// The rows before this byte.
    fn hand_on(&mut self, end: usize) -> (Bytes, u64) {
        let mut next = Vec::with_capacity(CHUNK + CHUNK / 4);
        next.extend_from_slice(&self.rows[end..]);
        let mut rows = std::mem::replace(&mut self.rows, next);
        rows.truncate(end);
        let mut count = std::mem::take(&mut self.count);
        if let Some(order) = &mut self.order {
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
        (rows.into(), count)
    }
}

impl Order {
    fn new(binding: &Binding) -> Option<Order> {
        let place = |nth: usize| {
            let column = binding.source.sort.get(nth)?;
            let index = binding.source.dictionaries.iter().position(|known| known.to == *column)?;
            let mut row = Vec::new();
            encode::begin_row(&mut row, 0);
            for before in &binding.dictionaries[..index] {
                encode::number(&mut row, 0, before.key);
            }
            Some((row.len() + size_of::<i32>(), binding.dictionaries[index].key))
        };
        let places = [place(0), place(1)];
        places[0].is_some().then(|| Order { places, rows: Vec::new(), run: None })
    }

    fn note(&mut self, rows: &[u8], start: usize) {
        let number = |place: Option<(usize, ColumnType)>| match place {
            None => 0,
            Some((at, ColumnType::Int2)) => u64::from(big_endian(&rows[start + at..][..2])),
            Some((at, _)) => u64::from(big_endian(&rows[start + at..][..4])),
        };
        let [first, second] = self.places.map(number);
        let changed = self.rows.last().is_some_and(|(key, _, _)| key >> 32 != first);
        if changed && start >= CHUNK && self.run.is_none() {
            self.run = Some(self.rows.len());
        }
        self.rows.push((first << 32 | second, start as u32, rows.len() as u32));
    }
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a smallint and an integer number, and a text that tells them apart.
    fn chunk(sorted: bool) -> Chunk {
        let places = [Some((6, ColumnType::Int2)), Some((12, ColumnType::Int4))];
        let order = sorted.then(|| Order { places, rows: Vec::new(), run: None });
        Chunk { rows: Vec::new(), count: 0, order }
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
    fn handed_on(mut chunk: Chunk, rows: &[(i32, i32)]) -> (Vec<u8>, u64, usize) {
        let (mut all, mut count, mut pieces) = (Vec::new(), 0, 0);
        let mut take = |(bytes, rows): (Bytes, u64)| {
            all.extend_from_slice(&bytes);
            count += rows;
            pieces += 1;
        };
        for (plan, pharmacy) in rows {
            let start = chunk.rows.len();
            chunk.rows.extend_from_slice(&row(*plan, *pharmacy));
            chunk.added(start);
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
            let pharmacy = big_endian(&rest[12..16]) as usize;
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
