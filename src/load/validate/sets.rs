//! Rows of numbers: the sets of fields that a source's dictionaries hold are looked up by their
//! original text, and only one that was not met before is read and checked.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

use super::dictionary::{SetCache, SetEntry, Shared};
use super::whole_line::SetLine;
use super::{FieldRefusal, Validator};
use crate::load::bind::{Binding, Layout, Target};
use crate::load::decode::Record;
use crate::load::encode;
use crate::spec::source::{From, Quoting};

/// The dictionaries, and room to look a row's sets up.
#[derive(Default)]
pub(super) struct SetLookup<'a> {
    shared: &'a [Shared],
    pub(super) known: Vec<SetCache>,
    /// What the texts are made of; none where a file's own text is part of it.
    made_of: Vec<Option<String>>,
    /// Where a set's fields stand side by side in the file: the first and the last.
    spans: Vec<Option<(usize, usize)>>,
    /// The original texts of the row's sets that do not stand side by side, and of new ones.
    text: Vec<u8>,
    /// The encoded fields of those that were not known.
    fields: Vec<u8>,
    /// The row's other columns, encoded.
    plain: Vec<u8>,
    /// What the row's digest is over.
    pub(super) digested: Vec<u8>,
    looked_up: Vec<LookedUp>,
    /// Where a line is nothing but the texts of sets.
    pub(super) line: Option<SetLine>,
    /// The last row's sets.
    pub(super) entries: Vec<SetEntry>,
}

/// A row's set: a known one, or where its text and its fields stand.
enum LookedUp {
    Known(SetEntry),
    New { text: Range<usize>, fields: Range<usize> },
}

impl<'a> SetLookup<'a> {
    /// Room for rows of this layout.
    pub(super) fn new(binding: &Binding, layout: &Layout, shared: &'a [Shared]) -> SetLookup<'a> {
        let mut sets = SetLookup { shared, ..SetLookup::default() };
        for (dictionary, shared) in binding.dictionaries.iter().zip(shared) {
            let span = span(binding, layout, &dictionary.targets);
            // Where the fields do not stand side by side, the text is made otherwise.
            let made_of = made_of(binding, layout, &dictionary.targets)
                .map(|columns| if span.is_some() { columns } else { columns + "apart" });
            sets.known
                .push(made_of.as_deref().map(|columns| shared.known(columns)).unwrap_or_default());
            sets.made_of.push(made_of);
            sets.spans.push(span);
        }
        sets.line = SetLine::new(binding, layout, &sets.spans);
        sets
    }

    /// The dictionaries, shared by all of the source's files.
    pub(super) fn shared(&self) -> &'a [Shared] {
        self.shared
    }

    /// Leaves what is known of the sets to the source's next file.
    pub(super) fn leave(self) {
        for ((known, made_of), shared) in self.known.into_iter().zip(self.made_of).zip(self.shared)
        {
            if let Some(made_of) = made_of {
                shared.leave(&made_of, known);
            }
        }
    }
}

/// What a set's text is made of in files of this layout: the columns in their order there, and those
/// that the file lacks.
fn made_of(binding: &Binding, layout: &Layout, targets: &[Target]) -> Option<String> {
    let mut columns: Vec<(Option<usize>, usize)> = Vec::new();
    for index in targets.iter().filter_map(|target| target.feed.column()) {
        if !matches!(binding.source.columns[index].from, From::Header(_)) {
            return None;
        }
        columns.push((layout.fields[index], index));
    }
    columns.sort_unstable();
    let place = |(field, index): (Option<usize>, usize)| match field {
        Some(_) => format!("{index} "),
        None => format!("no {index} "),
    };
    Some(columns.into_iter().map(place).collect())
}

/// The first and the last of a set's fields, where they are all that stands between the two, and
/// the delimiters keep them apart.
fn span(binding: &Binding, layout: &Layout, targets: &[Target]) -> Option<(usize, usize)> {
    let columns = || targets.iter().filter_map(|target| target.feed.column());
    let is_line = |index: usize| matches!(binding.source.columns[index].from, From::Line);
    if binding.source.format.quoting != Quoting::None || columns().any(is_line) {
        return None;
    }
    let mut fields: Vec<usize> = columns().filter_map(|index| layout.fields[index]).collect();
    fields.sort_unstable();
    fields.dedup();
    let (first, last) = (*fields.first()?, *fields.last()?);
    (last - first + 1 == fields.len()).then_some((first, last))
}

impl Validator<'_> {
    /// Appends a row that has numbers for its sets, and gives its digest. A set gets its number
    /// when all of the row is known to be good: a dictionary has no set that no row has.
    pub(super) fn row_of_sets(
        &self,
        record: &Record<'_>,
        sets: &mut SetLookup<'_>,
        rows: &mut Vec<u8>,
    ) -> Result<u128, FieldRefusal> {
        let dictionaries = &self.binding.dictionaries;
        sets.text.clear();
        sets.fields.clear();
        sets.plain.clear();
        sets.digested.clear();
        sets.looked_up.clear();
        sets.entries.clear();
        for (index, dictionary) in dictionaries.iter().enumerate() {
            let looked_up = match sets.spans[index].and_then(|(a, b)| record.span(a, b)) {
                Some(span) => match sets.known[index].get(span) {
                    Some(entry) => LookedUp::Known(entry),
                    None => {
                        let from = sets.text.len();
                        sets.text.extend_from_slice(span);
                        self.new_set(record, &dictionary.targets, from, sets)?
                    }
                },
                None => {
                    let from = sets.text.len();
                    self.put_text(record, &dictionary.targets, &mut sets.text);
                    match sets.known[index].get(&sets.text[from..]) {
                        Some(entry) => LookedUp::Known(entry),
                        None => self.new_set(record, &dictionary.targets, from, sets)?,
                    }
                }
            };
            sets.looked_up.push(looked_up);
        }
        self.encode_own(record, &mut sets.plain)?;
        encode::begin_row(rows, (dictionaries.len() + self.binding.targets.len()) as i16);
        for (index, dictionary) in dictionaries.iter().enumerate() {
            let entry = match &sets.looked_up[index] {
                LookedUp::Known(entry) => *entry,
                LookedUp::New { text, fields } => {
                    let fields = &sets.fields[fields.clone()];
                    let number = sets.shared[index].number(fields, dictionary.key);
                    let entry = number.map_err(|reason| {
                        self.met.take_back(self.binding.targets.len(), &sets.plain);
                        let reason = format!("dictionary {} {reason}", dictionary.table);
                        (None, record.position.byte, reason)
                    })?;
                    sets.known[index].keep(&sets.text[text.clone()], entry);
                    entry
                }
            };
            encode::number(rows, entry.id, dictionary.key);
            sets.entries.push(entry);
            sets.digested.extend_from_slice(&entry.digest.to_le_bytes());
        }
        rows.extend_from_slice(&sets.plain);
        sets.digested.extend_from_slice(&sets.plain);
        Ok(xxh3_128(&sets.digested))
    }

    /// Reads and checks a set whose text stands at the end of `sets.text`.
    fn new_set(
        &self,
        record: &Record<'_>,
        targets: &[Target],
        text: usize,
        sets: &mut SetLookup<'_>,
    ) -> Result<LookedUp, FieldRefusal> {
        let fields = sets.fields.len();
        for target in targets {
            self.encode_target(record, target, &mut sets.fields)?;
        }
        let (text, fields) = (text..sets.text.len(), fields..sets.fields.len());
        Ok(LookedUp::New { text, fields })
    }

    /// A set's original text, its fields told apart by their lengths.
    fn put_text(&self, record: &Record<'_>, targets: &[Target], text: &mut Vec<u8>) {
        for index in targets.iter().filter_map(|target| target.feed.column()) {
            match (&self.binding.source.columns[index].from, self.layout.fields[index]) {
                (From::Line, _) => text.extend_from_slice(&record.position.line.to_le_bytes()),
                (_, Some(field)) => {
                    let field = record.field(field).unwrap_or_default();
                    text.extend_from_slice(&(field.len() as u32).to_le_bytes());
                    text.extend_from_slice(field);
                }
                // The same in every row of the file.
                (_, None) => {}
            }
        }
    }
}
