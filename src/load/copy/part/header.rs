//! The rows before the data: titles, and the names of the columns.

use std::io::Read;

use crate::error::{Exit, Failure, Position, at, failure};
use crate::load::bind::{HeaderRow, Layout, joined, names_of};
use crate::load::decode::{self, Record, Records};
use crate::spec::source::{Encoding, Header, Source, trim};

/// Titles before the names; CMS has one.
const TITLES_MAX: u64 = 20;
/// Rows that go on with the names; the Star Ratings' measures have two.
const MORE_MAX: usize = 3;

/// Looks at how the file begins: a byte order mark is skipped, and what is no text is called by its
/// name, for what its header would be said to hold tells nobody.
///
/// # Errors
/// [`Exit::InputRejected`] when it is no text, or not in the spec's encoding.
pub(super) fn begin<R: Read>(source: &Source, records: &mut Records<R>) -> anyhow::Result<()> {
    let spec = source.path.display();
    if let Some(what) = decode::no_text(records.beginning(decode::BEGINNING)?) {
        return Err(Failure::new(Exit::InputRejected, what)
            .hint("kiln loads delimited text: export it as such, in UTF-8, and land it again")
            .into());
    }
    if matches!(source.format.encoding, Encoding::Utf8 | Encoding::Utf8OrWindows1252) {
        return records.skip_prefix(decode::BOM);
    }
    if records.beginning(decode::BOM.len())?.starts_with(decode::BOM) {
        let message = "begins with UTF-8's byte order mark (ef bb bf), and its spec says another \
                       encoding";
        return Err(Failure::new(Exit::InputRejected, message)
            .hint(format!("if CMS changed the encoding: encoding = \"utf-8\" in {spec}"))
            .into());
    }
    Ok(())
}

/// Reads them, and gives the layout and how many they are.
///
/// # Errors
/// [`Exit::InputRejected`] when they are not there, or name other columns than the spec.
pub(super) fn read<R: Read>(
    source: &Source,
    records: &mut Records<R>,
) -> anyhow::Result<(Layout, u64)> {
    match &source.format.header {
        Header::Rows(0) => Ok((Layout::in_order(source), 0)),
        Header::Rows(count) => {
            for number in 1..=*count {
                let Some(record) = records.next_record()? else {
                    let message = format!("has {} of {count} header rows", number - 1);
                    return Err(failure(Exit::InputRejected, message));
                };
                if number == *count {
                    refuse_flaws(&record)?;
                    let (names, line) = (names(source, &record), record.position.line);
                    return Ok((layout(source, &names, line)?, *count));
                }
            }
            Ok((Layout::in_order(source), *count))
        }
        Header::Begins(begins) => {
            let (rows, count) = rows(source, begins, records)?;
            Ok((layout(source, &joined(&rows), count)?, count))
        }
    }
}

/// What the names of the row that ends in this line say.
fn layout(source: &Source, names: &[String], line: u64) -> anyhow::Result<Layout> {
    Layout::from_names(source, names).map_err(|error| at(error, Position::at_line(line)))
}

/// The rows that name the columns, and how many rows there are with the titles before them.
fn rows<R: Read>(
    source: &Source,
    begins: &regex::Regex,
    records: &mut Records<R>,
) -> anyhow::Result<(Vec<HeaderRow>, u64)> {
    let mut count = 0;
    let mut rows = Vec::new();
    while let Some(record) = records.next_record()? {
        count += 1;
        let texts = names(source, &record);
        if texts.first().is_some_and(|first| begins.is_match(first)) {
            refuse_flaws(&record)?;
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
        refuse_flaws(&record)?;
        rows.push(names(source, &record));
        count += 1;
    }
    Ok((rows, count))
}

/// A row's names, without the one that a delimiter at its end would make.
fn names(source: &Source, record: &Record<'_>) -> HeaderRow {
    let mut names = names_of(record, source.format.encoding);
    if source.format.trailing && names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
}

/// A row of names whose quotes or line ends are not what they should be names no columns.
fn refuse_flaws(record: &Record<'_>) -> anyhow::Result<()> {
    let line = record.position.line;
    if let Some(flaw) = &record.flaw {
        let message = format!("the header, line {line}, byte {}: {}", flaw.byte, flaw.reason);
        let place = Position::at_line(line);
        return Err(Failure::new(Exit::InputRejected, message).at(place).into());
    }
    let returns = memchr::memchr_iter(b'\r', record.raw).count();
    if returns == 0 || memchr::memchr(b'"', record.raw).is_some() {
        return Ok(());
    }
    let message = format!(
        "the header, line {line}, holds lone carriage returns (0d, {returns} of them): are they its \
         line ends?"
    );
    Err(Failure::new(Exit::InputRejected, message)
        .hint("kiln reads lines that end in 0a or 0d 0a: tr '\\r' '\\n' <FILE >NEW, and land that")
        .at(Position::at_line(line))
        .into())
}

/// Whether a row continues the names: its first field is blank, and another is not.
fn goes_on(record: &Record<'_>) -> bool {
    let is_blank = |index| trim(record.field(index).unwrap_or_default()).is_empty();
    record.len() > 1 && is_blank(0) && (1..record.len()).any(|index| !is_blank(index))
}
