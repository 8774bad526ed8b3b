//! How a file is cut: delimiter, quoting, titles and header rows.
//!
//! Delimiter and header are decided on the head of the file, quoting on the whole of it: one
//! stray quote at its far end is enough to make RFC 4180 the wrong rule.

use std::collections::HashMap;
use std::io::Read;

use super::{format, quotes};
use crate::error::{Exit, Failure, from_io};
use crate::fetch::member::Member;
use crate::load::bind::{COLUMNS_MAX, HeaderRow, joined, names_of, too_wide};
use crate::load::decode::{self, Records};
use crate::spec::source::{Encoding, Format, Quoting, trim};

/// What is kept of the file's head.
const HEAD: usize = 512 << 10;
/// Records of the head that are looked at.
const HEAD_ROWS: usize = 200;
/// Titles before the names, and rows that go on with them: as the loader takes them.
const TITLES_MAX: usize = 20;
const MORE_MAX: usize = 3;
/// What may stand between fields, in the order of preference where all else is equal.
const DELIMITERS: [u8; 6] = [b'\t', b'|', b',', b';', b'^', b'~'];

/// How a file is cut, and what its columns are called.
#[derive(Debug, Clone)]
pub(crate) struct FileShape {
    /// One byte between fields.
    pub delimiter: u8,
    /// Whether quotes mean something.
    pub quoting: Quoting,
    /// Whether fields in quotes hold line ends.
    pub multiline: bool,
    /// Whether the header ends in a delimiter that stands for no column.
    pub trailing: bool,
    /// Quotes in the file.
    pub quotes: u64,
    /// Whether it begins with a byte order mark.
    pub bom: bool,
    /// Titles before the names.
    pub titles: usize,
    /// Rows before the data, titles included; 0: there is no header.
    pub header_rows: u64,
    /// Whether more than one row, or titles, make the header: then the text that it begins with.
    pub begins: Option<String>,
    /// The columns' names as the loader reads them.
    pub names: HeaderRow,
    /// Names that are not ASCII and UTF-8.
    pub utf8: u64,
    /// Names that are not UTF-8.
    pub bytes1252: u64,
    /// Decompressed bytes.
    pub bytes: u64,
    /// What could not be decided, for people.
    pub doubts: Vec<String>,
}

#[cfg(test)]
impl FileShape {
    /// A file of these columns without quotes and without a header, for tests of what reads it.
    pub(crate) fn plain(delimiter: u8, names: &[&str]) -> FileShape {
        FileShape {
            delimiter,
            quoting: Quoting::None,
            multiline: false,
            trailing: false,
            quotes: 0,
            bom: false,
            titles: 0,
            header_rows: 0,
            begins: None,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            utf8: 0,
            bytes1252: 0,
            bytes: 0,
            doubts: Vec::new(),
        }
    }
}

struct Head {
    bytes: Vec<u8>,
    size: u64,
    quotes: u64,
    nuls: u64,
}

/// Decides how the file is cut.
///
/// # Errors
/// When the file cannot be read; [`Exit::InputRejected`] when it is no delimited text.
pub(super) fn look(member: &Member) -> anyhow::Result<FileShape> {
    let head = member
        .open(|_| (), read)
        .and_then(|head| refuse_binary(&head).map(|()| head))
        .map_err(|error| error.context(member.place()))?;
    let text = head.bytes.strip_prefix(decode::BOM).unwrap_or(&head.bytes);
    let bom = text.len() < head.bytes.len();
    let whole = head.size == head.bytes.len() as u64;
    let delimiter = delimiter(text, whole, head.quotes > 0);
    let mut doubts = Vec::new();
    if head.nuls > 0 {
        doubts.push(format!("{} NUL bytes: a text column refuses them", head.nuls));
    }
    let (quoting, multiline) = match head.quotes {
        0 => (Quoting::None, false),
        _ => quotes::meaning(member, delimiter, &mut doubts)?,
    };
    let rows = rows(text, whole, delimiter, (quoting, multiline), HEAD_ROWS);
    let mut header = header(&rows);
    if header.names.len() > COLUMNS_MAX {
        return Err(too_wide().context(member.place()));
    }
    let trailing = ends_in_delimiter(&header.names, rows.get(header.rows..).unwrap_or_default());
    if trailing {
        header.names.pop();
    }
    if header.rows == 0 {
        doubts.push("no header was recognised: columns are named by their place".to_owned());
    }
    let (utf8, bytes1252) = names_encoding(text, delimiter, quoting, header.rows);
    Ok(FileShape {
        delimiter,
        quoting,
        multiline,
        trailing,
        utf8,
        bytes1252,
        quotes: head.quotes,
        bom,
        titles: header.titles,
        header_rows: header.rows as u64,
        begins: header.begins,
        names: header.names,
        bytes: head.size,
        doubts,
    })
}

fn read(
    mut input: crate::fetch::verified::VerifiedReader<&mut (dyn Read + Send)>,
) -> anyhow::Result<Head> {
    let mut head = Head { bytes: Vec::new(), size: 0, quotes: 0, nuls: 0 };
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = input.read(&mut buffer).map_err(from_io)?;
        if count == 0 {
            input.finish()?;
            return Ok(head);
        }
        let piece = &buffer[..count];
        head.size += count as u64;
        head.quotes += memchr::memchr_iter(b'"', piece).count() as u64;
        head.nuls += memchr::memchr_iter(0, piece).count() as u64;
        let room = HEAD.saturating_sub(head.bytes.len());
        head.bytes.extend_from_slice(&piece[..count.min(room)]);
    }
}

fn refuse_binary(head: &Head) -> anyhow::Result<()> {
    let bytes = &head.bytes;
    let what = match bytes.as_slice() {
        [] => "is empty".to_owned(),
        _ if memchr::memchr(b'\n', bytes).is_none() && memchr::memchr(b'\r', bytes).is_some() => {
            return Err(lone_returns(bytes));
        }
        _ => match decode::no_text(&bytes[..bytes.len().min(decode::BEGINNING)]) {
            Some(what) => what,
            None if memchr::memchr_iter(0, bytes).count() * 100 > bytes.len() => {
                "is binary, not text".to_owned()
            }
            None => return Ok(()),
        },
    };
    Err(Failure::new(Exit::InputRejected, what)
        .hint("kiln loads delimited text: export it as such")
        .into())
}

/// Line ends of a kind that no record ends at.
fn lone_returns(bytes: &[u8]) -> anyhow::Error {
    let count = memchr::memchr_iter(b'\r', bytes).count();
    let message =
        format!("its lines end in lone carriage returns (0d): {count} of them, and no 0a");
    Failure::new(Exit::InputRejected, message)
        .hint("kiln reads lines that end in 0a or 0d 0a: tr '\\r' '\\n' <FILE >NEW, and draft from that")
        .into()
}

/// Whether the names end in a delimiter that makes a name too many for the rows below.
fn ends_in_delimiter(names: &[String], below: &[HeaderRow]) -> bool {
    names.len() > 1
        && names.last().is_some_and(String::is_empty)
        && below.iter().any(|row| row.len() + 1 == names.len())
}

/// Cuts the head into rows of texts; a last row that the head cuts off is left out.
fn rows(
    text: &[u8],
    whole: bool,
    delimiter: u8,
    (quoting, multiline): (Quoting, bool),
    most: usize,
) -> Vec<HeaderRow> {
    let end = match whole {
        true => text.len(),
        false => memchr::memrchr(b'\n', text).map_or(text.len(), |at| at + 1),
    };
    let format = Format { multiline, ..format(delimiter, quoting) };
    let mut records = Records::new(&text[..end], &format);
    let mut rows = Vec::new();
    while rows.len() < most {
        match records.next_record() {
            Ok(Some(record)) => rows.push(names_of(&record, Encoding::Utf8OrWindows1252)),
            _ => break,
        }
    }
    rows
}

/// How many names are UTF-8, and how many are not; plain ASCII is neither.
fn names_encoding(text: &[u8], delimiter: u8, quoting: Quoting, rows: usize) -> (u64, u64) {
    let mut records = Records::new(text, &format(delimiter, quoting));
    let (mut utf8, mut others) = (0, 0);
    for _ in 0..rows {
        let Ok(Some(record)) = records.next_record() else { break };
        for field in (0..record.len()).filter_map(|index| record.field(index)) {
            match std::str::from_utf8(field) {
                Ok(text) => utf8 += u64::from(!text.is_ascii()),
                Err(_) => others += 1,
            }
        }
    }
    (utf8, others)
}

/// The byte that cuts most rows of the head into the same number of fields, of these the one that
/// makes the most fields.
fn delimiter(text: &[u8], whole: bool, quotes: bool) -> u8 {
    let score = |delimiter: u8| {
        let quotings = [(Quoting::None, false), (Quoting::Double, false), (Quoting::Double, true)];
        let tried = quotings.iter().filter(|(quoting, _)| quotes || *quoting == Quoting::None);
        tried
            .map(|quoting| {
                let rows = rows(text, whole, delimiter, *quoting, HEAD_ROWS);
                let mut widths: HashMap<usize, usize> = HashMap::new();
                for row in rows.iter().filter(|row| row.len() > 1) {
                    *widths.entry(row.len()).or_default() += 1;
                    // It may be one field less, and end in a delimiter.
                    if row.len() > 2 && row.last().is_some_and(String::is_empty) {
                        *widths.entry(row.len() - 1).or_default() += 1;
                    }
                }
                let best = widths.into_iter().map(|(width, count)| (count, width)).max();
                // What one row of several holds is a character of its text.
                let best = best.filter(|(count, _)| *count > 1 || rows.len() < 3);
                let (count, width) = best.unwrap_or((0, 0));
                (count * 100 / rows.len().max(1), width)
            })
            .max()
            .unwrap_or((0, 0))
    };
    let mut best = (b',', (0, 0));
    for delimiter in DELIMITERS {
        let score = score(delimiter);
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    best.0
}

#[derive(Debug, Default)]
struct HeaderRows {
    titles: usize,
    rows: usize,
    begins: Option<String>,
    names: HeaderRow,
}

/// Which rows of the head are titles and names.
fn header(rows: &[HeaderRow]) -> HeaderRows {
    let filled = |row: &HeaderRow| row.iter().filter(|text| !text.is_empty()).count();
    let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut titles = 0;
    // A title stands alone in its row.
    while titles < rows.len().min(TITLES_MAX) && widest > 1 && filled(&rows[titles]) <= 1 {
        titles += 1;
    }
    let Some(first) = rows.get(titles) else {
        return HeaderRows { names: by_place(widest), ..HeaderRows::default() };
    };
    if !names_columns(first, rows.get(titles + 1)) {
        return HeaderRows { names: by_place(widest), ..HeaderRows::default() };
    }
    let goes_on = |row: &&HeaderRow| {
        row.len() > 1 && row[0].is_empty() && filled(row) > 0 && !row.iter().any(|t| is_datum(t))
    };
    let more = rows[titles + 1..].iter().take(MORE_MAX).take_while(goes_on).count();
    let blank_first = rows.get(titles + 1 + more).is_some_and(|row| row[0].is_empty());
    let count = titles + 1 + more;
    // By pattern the loader would take a first row of data that begins blank for names.
    let by_pattern = (titles > 0 || more > 0) && (!blank_first || more == MORE_MAX);
    if by_pattern && !first[0].is_empty() {
        let names = joined(&rows[titles..count]);
        return HeaderRows { titles, rows: count, begins: Some(first[0].clone()), names };
    }
    HeaderRows { titles, rows: titles + 1, begins: None, names: first.clone() }
}

fn by_place(width: usize) -> HeaderRow {
    (1..=width).map(|place| format!("column_{place}")).collect()
}

/// Whether a row names columns: nothing in it is a number or a date, but for years that differ
/// from what stands below.
fn names_columns(row: &HeaderRow, below: Option<&HeaderRow>) -> bool {
    let mut named = false;
    for (index, text) in row.iter().enumerate() {
        let under = below.and_then(|below| below.get(index));
        let year = matches!(text.as_bytes(), [b'1' | b'2', b'0' | b'9', _, _]);
        if is_datum(text) && !(year && under != Some(text)) {
            return false;
        }
        named |= text.contains(char::is_alphabetic);
    }
    named
}

/// A number, an amount or a date, on its own.
fn is_datum(text: &str) -> bool {
    let text = trim(text.as_bytes());
    let datum = |byte: &u8| byte.is_ascii_digit() || b"$,.%/-() ".contains(byte);
    !text.is_empty()
        && text.len() <= 20
        && text.iter().any(u8::is_ascii_digit)
        && text.iter().all(datum)
        // A span of dates is a heading of Star Ratings.
        && !text.windows(3).any(|window| window == b" - ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(text: &str, delimiter: u8) -> Vec<HeaderRow> {
        rows(text.as_bytes(), true, delimiter, (Quoting::Double, false), HEAD_ROWS)
    }

    #[test]
    fn the_delimiter_is_what_cuts_all_rows_alike() {
        let tab = "A\tB, C\n1\tx\n2\ty, z, w\n";
        assert_eq!(delimiter(tab.as_bytes(), true, false), b'\t');
        let comma = "a,b\n\"1|2\",3\n";
        assert_eq!(delimiter(comma.as_bytes(), true, true), b',');
        assert_eq!(delimiter(b"A|B|C, D\n", true, false), b'|');
        assert_eq!(delimiter(b"A\n1\n2\n", true, false), b',');
        // Some rows end in one more, and all of them hold another.
        assert_eq!(
            delimiter(b"a\tb\tc\n1\tx;y\t2\t\n1\tx;y\t2\t\n1\tx;y\t3\n", true, false),
            b'\t'
        );
        // One row of three has it.
        assert_eq!(delimiter(b"c0\nv0\na;b\n", true, false), b',');
    }

    #[test]
    fn titles_and_spanning_headers_are_told_from_data() {
        let text = "2023 Data View,,\nCONTRACT_ID,\"HD1: Staying, Healthy\",\n\
                    ,C01: Screening,C02: Vaccine\n,01/01/2021 - 12/31/2021,03/2022 - 06/2022\n\
                    H0028 ,74%,75%\n";
        let found = header(&rows_of(text, b','));
        assert_eq!((found.titles, found.rows), (1, 4));
        assert_eq!(found.begins.as_deref(), Some("CONTRACT_ID"));
        assert_eq!(
            found.names,
            [
                "CONTRACT_ID",
                "HD1: Staying, Healthy | C01: Screening | 01/01/2021 - 12/31/2021",
                "HD1: Staying, Healthy | C02: Vaccine | 03/2022 - 06/2022",
            ]
        );
        let plain = header(&rows_of("A,B\n,1\nx,2\n", b','));
        assert_eq!((plain.rows, plain.begins), (1, None));
        let years = header(&rows_of("state,2019,2020\nCA,1,2\n", b','));
        assert_eq!(years.rows, 1);
        let bare = header(&rows_of("H0028,001,2026\nH0029,002,2026\n", b','));
        assert_eq!((bare.rows, bare.names.len()), (0, 3));
    }
}
