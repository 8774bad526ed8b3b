//! A line that is nothing but the texts of sets.

use crate::load::bind::{Binding, Layout};
use crate::load::encode;

/// How a line falls into its sets' texts.
pub(super) struct SetLine {
    pub(super) delimiter: u8,
    /// In the line's order: which dictionary, and how many of its fields; none for the last, which
    /// has the rest.
    pub(super) sets: Vec<(usize, Option<usize>)>,
    /// A row with zeros for its numbers.
    pub(super) row: Vec<u8>,
    /// Where each dictionary's number ends in it.
    pub(super) numbers: Vec<usize>,
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
