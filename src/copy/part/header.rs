//! The rows before the data: titles, and the names of the columns.

use std::io::Read;

use crate::bind::{HeaderRow, Layout, joined, names_of};
use crate::decode::{Record, Records};
use crate::error::{Exit, Failure, failure};
use crate::source::{Header, Source, trim};

/// Titles before the names; CMS has one.
const TITLES_MAX: u64 = 20;
/// Rows that go on with the names; the Star Ratings' measures have two.
const MORE_MAX: usize = 3;

/// Reads them, and gives the layout and how many they are.
///
/// # Errors
/// [`Exit::InputRejected`] when they are not there, or name other columns than the spec.
pub fn read<R: Read>(source: &Source, records: &mut Records<R>) -> anyhow::Result<(Layout, u64)> {
    let encoding = source.format.encoding;
    match &source.format.header {
        Header::Rows(0) => Ok((Layout::in_order(source), 0)),
        Header::Rows(count) => {
            for number in 1..=*count {
                let Some(record) = records.next_record()? else {
                    let message = format!("has {} of {count} header rows", number - 1);
                    return Err(failure(Exit::InputRejected, message));
                };
                if number == *count {
                    let layout = Layout::from_names(source, &names_of(&record, encoding))?;
                    return Ok((layout, *count));
                }
            }
            Ok((Layout::in_order(source), *count))
        }
        Header::Begins(begins) => {
            let (rows, count) = rows(source, begins, records)?;
            Ok((Layout::from_names(source, &joined(&rows))?, count))
        }
    }
}

/// The rows that name the columns, and how many rows there are with the titles before them.
fn rows<R: Read>(
    source: &Source,
    begins: &regex::Regex,
    records: &mut Records<R>,
) -> anyhow::Result<(Vec<HeaderRow>, u64)> {
    let encoding = source.format.encoding;
    let mut count = 0;
    let mut rows = Vec::new();
    while let Some(record) = records.next_record()? {
        count += 1;
        let texts = names_of(&record, encoding);
        if texts.first().is_some_and(|first| begins.is_match(first)) {
            rows.push(texts);
            break;
        }
        if count > TITLES_MAX {
            break;
        }
    }
    if rows.is_empty() {
        let message = format!("none of its first {count} rows begins with `{begins}`");
        let spec = source.path.display();
        return Err(Failure::new(Exit::InputRejected, message)
            .hint(format!("if CMS changed the header, mend `header` in {spec}"))
            .into());
    }
    while let Some(record) = records.next_record()? {
        if rows.len() > MORE_MAX || !goes_on(&record) {
            records.put_back();
            break;
        }
        rows.push(names_of(&record, encoding));
        count += 1;
    }
    Ok((rows, count))
}

/// Whether a row goes on with the names: its first field is blank, and another is not.
fn goes_on(record: &Record<'_>) -> bool {
    let is_blank = |index| trim(record.field(index).unwrap_or_default()).is_empty();
    record.len() > 1 && is_blank(0) && (1..record.len()).any(|index| !is_blank(index))
}
