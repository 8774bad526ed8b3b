//! A file's header against its spec: where each column stands in this file, or the whole
//! difference.

use crate::error::{Exit, Failure};
use crate::load::decode::Record;
use crate::spec::source::{Column, Encoding, Others, Source};

/// Characters of a header's field that a message shows.
const NAME_MAX: usize = 80;
/// Columns of a file; Postgres's tables have 1,600, CMS's widest file 840. A line of eight megabytes of
/// delimiters would be four million names, to be held against each other.
pub(crate) const COLUMNS_MAX: usize = 4_096;
/// Bytes of a name from which on it is nobody's new name.
const NEAR_MAX: usize = 200;
/// Differences that a message shows.
const SHOWN_MAX: usize = 30;

/// One row of a header: its texts, without the blanks at their ends.
pub(crate) type HeaderRow = Vec<String>;

/// Where each of the spec's columns stands in one file; `None` where the vintage lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Field index by spec column.
    pub fields: Vec<Option<usize>>,
    /// The fields that no spec column names, with their names.
    pub others: Vec<(usize, String)>,
    /// Fields that a row must have.
    pub width: usize,
}

impl Layout {
    /// The layout of a file without a header: every column of text, in the spec's order.
    pub fn in_order(source: &Source) -> Layout {
        let mut places = 0..;
        let is_text = |column: &Column| !column.headings().is_empty();
        let place = |column| if is_text(column) { places.next() } else { None };
        let fields = source.columns.iter().map(place).collect();
        let width = source.columns.iter().filter(|column| is_text(column)).count();
        Layout { fields, others: Vec::new(), width }
    }

    /// Holds a header's names against the spec.
    ///
    /// # Errors
    /// [`Exit::InputRejected`] with the whole difference: missing, extra, repeated, renamed and
    /// moved columns.
    pub fn from_names(source: &Source, names: &[String]) -> anyhow::Result<Layout> {
        if names.len() > COLUMNS_MAX {
            return Err(too_wide());
        }
        let mut said = Vec::new();
        let mut fields = Vec::with_capacity(source.columns.len());
        for column in &source.columns {
            let heading = column.headings().iter();
            let found = heading.filter_map(|from| names.iter().position(|name| name == from));
            let found: Vec<usize> = found.collect();
            if found.len() > 1 {
                let both: Vec<&str> = found.iter().map(|index| names[*index].as_str()).collect();
                said.push(format!("{} are one column", both.join(" and ")));
            }
            fields.push(found.first().copied());
        }
        said.extend(difference(source, names, &fields));
        if said.is_empty() {
            let mut others = others(names, &fields);
            // As jsonb has its keys: what is sent is then what is stored, to the byte.
            others.sort_by(|(_, a), (_, b)| (a.len(), a).cmp(&(b.len(), b)));
            return Ok(Layout { fields, others, width: names.len() });
        }
        if said.len() > SHOWN_MAX {
            let more = said.len() - SHOWN_MAX;
            said.truncate(SHOWN_MAX);
            said.push(format!("and {more} more"));
        }
        let message = format!("the header is not the declared one: {}", said.join("; "));
        Err(Failure::new(Exit::InputRejected, message)
            .hint(format!("if CMS changed the layout, mend {}", source.path.display()))
            .into())
    }
}

/// The error of a file with more columns than any has.
pub(crate) fn too_wide() -> anyhow::Error {
    let message = format!("the header has more than {COLUMNS_MAX} columns");
    Failure::new(Exit::InputRejected, message)
        .hint("is this the file that the spec describes, and `delimiter` right?")
        .into()
}

/// A header record's texts; of one that is too wide no more than show that it is.
pub fn names_of(header: &Record<'_>, encoding: Encoding) -> HeaderRow {
    let field = |index| name(header.field(index).unwrap_or_default(), encoding);
    (0..header.len().min(COLUMNS_MAX + 1)).map(field).collect()
}

/// A header's field as a name. What is no header may hold anything, and reaches messages,
/// terminals and the ledger (whose JSON cannot hold NUL): control characters are escaped.
fn name(field: &[u8], encoding: Encoding) -> String {
    let text = crate::load::decode::decode_text(field, encoding)
        .map_or_else(|_| String::from_utf8_lossy(field).into_owned(), |text| text.into_owned());
    match text.trim() {
        text if text.contains(char::is_control) => text.escape_debug().to_string(),
        text => text.to_owned(),
    }
}

/// A name as a message shows it: not longer than any column's, and what nobody would see in it by its
/// bytes.
fn shown(name: &str, encoding: Encoding) -> String {
    let mut text = String::new();
    let mut unseen = Vec::new();
    for (count, c) in name.chars().enumerate() {
        if count == NAME_MAX {
            text.push('…');
            break;
        }
        match invisible(c) {
            None => text.push(c),
            Some(called) => {
                let bytes = bytes_of(c, encoding);
                bytes.iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
                let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let said = format!("{} is a {called}", hex.join(" "));
                if !unseen.contains(&said) {
                    unseen.push(said);
                }
            }
        }
    }
    match unseen.is_empty() {
        true => text,
        false => format!("{text} ({})", unseen.join(", ")),
    }
}

/// A character that looks like a space, or like nothing.
fn invisible(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{feff}' => "byte order mark",
        '\u{a0}' | '\u{202f}' => "no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{200b}'..='\u{200d}' | '\u{2060}' => "zero-width space",
        '\u{200e}' | '\u{200f}' => "mark of direction",
        c if c != ' ' && c.is_whitespace() => "space of another kind",
        _ => return None,
    })
}

/// A character as the file has it.
fn bytes_of(c: char, encoding: Encoding) -> Vec<u8> {
    let text = c.to_string();
    match encoding {
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        Encoding::Ascii | Encoding::Utf8 | Encoding::Utf8OrWindows1252 => text.into_bytes(),
    }
}

/// Letters and digits alone.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The names of a header that spans rows: a column's texts from top to bottom. A title that spans
/// columns stands over the first of them, and is taken for the blanks to its right.
pub(crate) fn joined(rows: &[HeaderRow]) -> HeaderRow {
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |row: usize, column: usize| rows[row].get(column).map_or("", String::as_str);
    let text = |row: usize, column: usize| {
        let below = (row + 1..rows.len()).any(|lower| !cell(lower, column).is_empty());
        match cell(row, column) {
            "" if below => (0..column).rev().map(|left| cell(row, left)).find(|c| !c.is_empty()),
            text => Some(text),
        }
    };
    let name = |column| {
        let texts = (0..rows.len()).filter_map(|row| text(row, column));
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" | ")
    };
    (0..width).map(name).collect()
}

/// The fields that are not the spec's. A name that repeats is distinguished by a number, for they
/// become keys of one object.
fn others(names: &[String], fields: &[Option<usize>]) -> Vec<(usize, String)> {
    let mut seen = std::collections::HashMap::<&str, usize>::new();
    let mut others = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let times = seen.entry(name).or_default();
        *times += 1;
        if fields.contains(&Some(index)) {
            continue;
        }
        let mut told = if *times == 1 { name.clone() } else { format!("{name} ({times})") };
        while *times > 1 && names.contains(&told) {
            told.push_str(" (2)");
        }
        others.push((index, told));
    }
    others
}

fn difference(source: &Source, names: &[String], fields: &[Option<usize>]) -> Vec<String> {
    let (columns, encoding) = (&source.columns, source.format.encoding);
    let is_declared = |name: &String| columns.iter().any(|c| c.headings().contains(name));
    let mut said = Vec::new();
    let nameless = names.len() > 1 && names.last().is_some_and(String::is_empty);
    if nameless && source.others == Others::Refuse {
        said.push("the header ends in a delimiter (trailing = \"ignore\")".to_owned());
    }
    let named = names.iter().take(names.len() - usize::from(nameless));
    let extra: Vec<&String> = named.filter(|name| !is_declared(name)).collect();
    let mut renamed: Vec<&String> = Vec::new();
    for (column, field) in columns.iter().zip(fields) {
        if field.is_some() || column.optional || column.headings().is_empty() {
            continue;
        }
        // A missing column and a near name that is new are one thing: a renamed column. Where a
        // file speaks of persons, what stands in its first row may be a person.
        let new = extra.iter().find(|name| near(column.name(), name));
        match new.filter(|_| !source.personal) {
            Some(new) => {
                renamed.push(new);
                said.push(format!("renamed {} → {}", column.name(), shown(new, encoding)));
            }
            None => said.push(format!("missing {}", column.name())),
        }
    }
    if source.others == Others::Refuse {
        let more = extra.iter().filter(|name| !renamed.contains(name));
        match source.personal {
            true if more.clone().next().is_some() => {
                said.push(format!("{} extra columns", more.count()));
            }
            true => {}
            false => said.extend(more.map(|name| format!("extra {}", shown(name, encoding)))),
        }
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) && (!source.personal || is_declared(name)) {
                said.push(format!("repeated {}", shown(name, encoding)));
            }
        }
    }
    let present: Vec<usize> = fields.iter().flatten().copied().collect();
    if said.is_empty() && !source.format.any_order {
        for pair in present.windows(2) {
            if pair[0] > pair[1] {
                let (first, then) = (&names[pair[1]], &names[pair[0]]);
                said.push(format!("reordered: {first} stands before {then}"));
            }
        }
    }
    said
}

/// Whether a name in the file is likely the column by a new name.
fn near(column: &str, name: &str) -> bool {
    let (ours, theirs) = (column.to_ascii_lowercase(), name.to_ascii_lowercase());
    if theirs.is_empty() || theirs.len() > NEAR_MAX {
        return false;
    }
    ours == theirs
        || (bare(&ours) == bare(&theirs) && !bare(&ours).is_empty())
        || theirs.starts_with(&ours)
        || ours.starts_with(&theirs)
        || strsim::damerau_levenshtein(&ours, &theirs) <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(texts: &[&str]) -> HeaderRow {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn spanning_titles_are_taken_for_the_columns_below_them() {
        let rows = [
            row(&["CONTRACT_ID", "Name", "HD1: Healthy", "", "HD2: Chronic"]),
            row(&["", "", "C01: Screening", "C02: Vaccine", "C03: Care"]),
            row(&["", "", "2021", "2022", ""]),
        ];
        let expected = [
            "CONTRACT_ID",
            "Name",
            "HD1: Healthy | C01: Screening | 2021",
            "HD1: Healthy | C02: Vaccine | 2022",
            "HD2: Chronic | C03: Care",
        ];
        assert_eq!(joined(&rows), expected);
    }

    #[test]
    fn repeated_names_are_told_apart() {
        let names = row(&["id", "segment_id", "x", "segment_id", "x"]);
        let others = others(&names, &[Some(0), Some(1)]);
        let expected = [(2, "x".to_owned()), (3, "segment_id (2)".to_owned()), (4, "x (2)".into())];
        assert_eq!(others, expected);
    }
}
