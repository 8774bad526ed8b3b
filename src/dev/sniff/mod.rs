//! Looks at a real file and drafts its two files: a first spec and a first table.
//!
//! The whole file is read, as a stream and in bounded memory, some three to six times: how it is cut
//! ([`shape`]), what its columns hold ([`column`], [`kind`]), which of them are keys ([`key`]).
//! [`draft`] decides, [`spec`] and [`table`] write. Whatever the loader will do to a field is tried
//! here with the loader's own code, so that a draft loads the file it was drafted from. What a
//! column means no file says: comments tell what was seen, and a person tells the rest.

mod column;
mod comment;
mod date;
mod draft;
mod evidence;
mod key;
mod kind;
mod name;
mod pattern;
mod quotes;
mod shape;
mod spec;
mod table;

use std::io::Read;

use crate::fetch::member::Member;
use crate::fetch::verified::VerifiedReader;
use crate::load::decode::{self, Record, Records};
use crate::spec::source::{Format, Header, Quoting};

pub(crate) use column::Seen;
pub(crate) use draft::{Draft, Wish};
pub(crate) use key::{KeyCandidate, KeyState};
pub(crate) use name::{is_reserved, table_name};
pub(crate) use pattern::{FileNames, is_text_name};
pub(crate) use shape::FileShape;

use column::{Notes, SampledFile};

/// Above this number of columns a table is drafted wide: the key's columns, and one for all others.
pub(crate) const WIDE: usize = 200;

/// What a file was seen to be.
#[derive(Debug)]
pub(crate) struct Sniffed {
    /// How it is cut.
    pub shape: FileShape,
    /// What the rows as a whole were seen to be.
    pub notes: Notes,
    /// Its columns, in file order.
    pub columns: Vec<Seen>,
    /// What could be its key, the best first; then what was too much to tell.
    pub keys: Vec<KeyCandidate>,
}

/// Reads a file through; blocking.
///
/// # Errors
/// When the file cannot be read; [`crate::error::Exit::InputRejected`] when it is no delimited text.
pub(crate) fn sniff(member: &Member) -> anyhow::Result<Sniffed> {
    let shape = shape::look(member)?;
    let mut file = SampledFile::new(&shape);
    let ended_in_newline = each_row(member, &shape, |record| file.note(record))?;
    let (notes, columns) = file.finish(ended_in_newline);
    let read = |use_it: &mut dyn FnMut(&Record<'_>)| each_row(member, &shape, use_it).map(drop);
    let keys = key::find(&columns, &notes, &read)?;
    Ok(Sniffed { shape, notes, columns, keys })
}

/// Hands every row behind the header to `use_it`.
fn each_row(
    member: &Member,
    shape: &FileShape,
    mut use_it: impl FnMut(&Record<'_>),
) -> anyhow::Result<bool> {
    cut(member, shape.delimiter, (shape.quoting, shape.multiline), |records| {
        let mut number = 0;
        while let Some(record) = records.next_record()? {
            if number >= shape.header_rows {
                use_it(&record);
            }
            number += 1;
        }
        Ok(records.ended_in_newline())
    })
}

/// Opens a member's records, cut so.
fn cut<T>(
    member: &Member,
    delimiter: u8,
    (quoting, multiline): (Quoting, bool),
    use_it: impl FnOnce(&mut Records<VerifiedReader<&mut (dyn Read + Send)>>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let format = Format { multiline, ..format(delimiter, quoting) };
    member
        .open(
            |_| (),
            |input| {
                let mut records = Records::new(input, &format);
                records.skip_prefix(decode::BOM)?;
                use_it(&mut records)
            },
        )
        .map_err(|error| error.context(member.place()))
}

/// A format that cuts so; nothing else of it is looked at while sniffing.
fn format(delimiter: u8, quoting: Quoting) -> Format {
    Format {
        delimiter,
        quoting,
        multiline: false,
        trailing: false,
        encoding: crate::spec::source::Encoding::Utf8OrWindows1252,
        header: Header::Rows(0),
        nulls: Vec::new(),
        final_newline_required: false,
        header_only_allowed: true,
        any_order: false,
    }
}
