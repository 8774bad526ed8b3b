//! A source spec: what one TOML file says of one file family, and which table it feeds.
//!
//! A spec holds no SQL and no types: patterns that find object and member, how the text is
//! cut, which column feeds which, budgets. Types come from the table (see `bind`).

mod columns;
mod gates;
mod names;
mod parse;
mod period;
mod sections;
mod shape;
mod transform;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use regex::Regex;

pub(crate) use gates::Gates;
pub(crate) use names::Named;
pub(crate) use period::Period;
pub(crate) use sections::Sections;
pub(crate) use shape::Shape;
pub(crate) use transform::{Transform, trim};

use crate::config::strict::Problems;
use crate::error::shell;
use crate::fetch::plainfile;
use crate::postgres::Ident;

/// One source file family, as `sources/<database>/<name>.toml` declares it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's stem; also the table's name.
    pub name: Ident,
    /// The spec's own path, for messages.
    pub path: PathBuf,
    /// The spec's text as it was read, for its digest.
    pub text: String,
    /// One sentence for people.
    pub description: String,
    /// Matches the object's file name; groups `posted`, `period` and `year` order releases; with a
    /// group `edition` the newest object of every edition is read.
    pub object: Regex,
    /// Matches the names of inner zips to open on the way; `None`: the member lies in the object.
    pub archive: Option<Regex>,
    /// Matches the innermost file's name; group `period` is the data period. `None`: the object
    /// itself is the file.
    pub member: Option<Regex>,
    /// How many members of an object must match.
    pub parts: Parts,
    /// Members that a release may not lack; `None` where the spec names none.
    pub sections: Option<Sections>,
    /// Whether it speaks of persons: rejects then keep no bytes, and no message shows a text
    /// that was found in the file.
    pub personal: bool,
    /// How the text is cut.
    pub format: Format,
    /// What may be wrong before the source is refused.
    pub budget: Budget,
    /// How far it may differ from what is live.
    pub gates: Gates,
    /// The file's columns, in file order, and what else is known of a row.
    pub columns: Vec<Column>,
    /// What becomes of columns that the header has and `columns` has not.
    pub others: Others,
    /// Columns that are stored once, in tables of their own.
    pub dictionaries: Vec<Dictionary>,
    /// How a row of the table holds many of the file's.
    pub pack: Option<Pack>,
    /// The columns of dictionaries by which rows are sorted, two at most; files are then read one by one.
    pub sort: Vec<Ident>,
    /// Rows that are left out, and counted.
    pub filters: Vec<Filter>,
}

/// How a file's text is cut into rows and fields.
#[derive(Debug, Clone)]
pub struct Format {
    /// One byte between fields.
    pub delimiter: u8,
    /// Whether `"` quotes fields.
    pub quoting: Quoting,
    /// Whether a field in quotes may hold line ends; else a line end ends a row there, too.
    pub multiline: bool,
    /// Whether a row may end in one delimiter more than it has fields.
    pub trailing: bool,
    /// How bytes become characters.
    pub encoding: Encoding,
    /// Which rows come before the data.
    pub header: Header,
    /// Field contents that mean null.
    pub nulls: Vec<String>,
    /// Whether the last row must end in a line end (a cut file often does not).
    pub final_newline_required: bool,
    /// Whether a file with a header and no rows is normal.
    pub header_only_allowed: bool,
    /// Whether columns may come in any order (their names still must match).
    pub any_order: bool,
}

/// How many members of an object must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// So many, no more and no fewer.
    Exactly(usize),
    /// So many or more: a family whose files come and go from year to year.
    AtLeast(usize),
}

impl Parts {
    /// Whether this number of members is too few (`Less`), too many (`Greater`) or right.
    pub fn compare(self, found: usize) -> std::cmp::Ordering {
        match self {
            Parts::Exactly(count) => found.cmp(&count),
            Parts::AtLeast(count) => found.min(count).cmp(&count),
        }
    }
}

impl std::fmt::Display for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Parts::Exactly(count) => write!(f, "{count}"),
            Parts::AtLeast(count) => write!(f, "at least {count}"),
        }
    }
}

/// Which rows come before the data.
#[derive(Debug, Clone)]
pub enum Header {
    /// So many; the last of them names the columns. 0: there is no header.
    Rows(u64),
    /// Titles, then the first row whose first field matches, then rows whose first field is
    /// blank: together they name the columns (Star Ratings).
    Begins(Regex),
}

/// What becomes of columns that the header has and the spec has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Others {
    /// The file is refused: its layout changed.
    Refuse,
    /// They are read and not stored.
    Drop,
    /// Those that are not null go into one jsonb column, by name.
    Gather {
        /// The jsonb column.
        to: Ident,
        /// What is done to each field.
        transforms: Vec<Transform>,
        /// The spec's line, for messages.
        line: usize,
    },
}

/// Whether `"` has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// A quote is a character like any other; every line end ends a row.
    None,
    /// RFC 4180: quoted fields may hold delimiters and doubled quotes, and line ends where the
    /// format is multiline.
    Double,
}

/// How bytes become characters; an undecodable byte rejects its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits.
    Ascii,
    /// UTF-8; a byte order mark at the start of the file is skipped.
    Utf8,
    /// cp1252 as Microsoft defines it: 81, 8D, 8F, 90 and 9D are not characters.
    Windows1252,
    /// A field is UTF-8 where its bytes are, and cp1252 where they are not: the Star Ratings
    /// files mix both.
    Utf8OrWindows1252,
}

/// Most bytes of a member where a spec does not say.
pub(crate) const BYTES_MAX: u64 = 64 << 30;

/// What may be wrong before a source is refused.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Rejected rows, absolute.
    pub rejects: u64,
    /// Rejected rows as a share of all rows; the larger of the two counts.
    pub reject_ratio: f64,
    /// Fewer loaded rows than this refuse the source.
    pub rows_min: u64,
    /// Decompressed bytes of one member.
    pub bytes_max: u64,
}

/// One column of the file, or something that is known of every row of it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Where its content comes from.
    pub from: From,
    /// The table column it feeds; `None`: read and not stored.
    pub to: Option<Ident>,
    /// The text column that takes a field without any digit, in place of `to`: words among
    /// numbers.
    pub words_to: Option<Ident>,
    /// Whether a vintage may lack it; it is null then.
    pub optional: bool,
    /// Contents that mean null here, in place of the format's.
    pub nulls: Option<Vec<String>>,
    /// What is done to the field before it is read as its type, in order.
    pub transforms: Vec<Transform>,
    /// What the content must look like then.
    pub shape: Option<Shape>,
    /// Whether a content that is not of that shape, or not of its transforms', is null and counted;
    /// else its row is rejected.
    pub misfit_is_null: bool,
    /// Whether a keyed hash of the content is stored in its place.
    pub hashed: bool,
    /// The spec's line, for messages.
    pub line: usize,
}

/// Where a column's content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// The field under the first of these names that the header has.
    Header(Vec<String>),
    /// The record's line in the member, from 1.
    Line,
    /// A named group of the object's or the member's pattern.
    Group(String),
}

impl Column {
    /// What messages call it: its first name in the header, or what is known.
    pub fn name(&self) -> &str {
        match &self.from {
            From::Header(names) => names.first().map_or("", String::as_str),
            From::Line => "line",
            From::Group(group) => group,
        }
    }

    /// Its names in the header; none where it is not of the file's text.
    pub fn headings(&self) -> &[String] {
        match &self.from {
            From::Header(names) => names,
            From::Line | From::Group(_) => &[],
        }
    }
}

/// Columns whose contents recur together: a table of its own has each set once, and the row its number.
#[derive(Debug, Clone)]
pub struct Dictionary {
    /// The table; it has the columns, and `id`.
    pub table: Ident,
    /// The table's columns, as `to` of the spec's columns names them.
    pub columns: Vec<Ident>,
    /// The column of the source's own table that takes the number.
    pub to: Ident,
    /// The spec's line, for messages.
    pub line: usize,
}

/// How a row of the table holds many of the file's: those of one set, in an array that has a place for
/// each of a run of another dictionary's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// The dictionary, as its place in the spec, whose set the rows of an array share.
    pub by: usize,
    /// The dictionary whose number is a row's place in the array.
    pub at: usize,
    /// The dictionary whose number the array has there.
    pub of: usize,
    /// The table's column that takes the array.
    pub to: Ident,
    /// The spec's line, for messages.
    pub line: usize,
}

impl Pack {
    /// Numbers that a row has places for: those of one block. With their terms, four bytes each, a row
    /// stays below the 2 KB from which Postgres would store the array apart.
    pub const BLOCK: i32 = 256;
}

/// Rows to leave out by what columns hold.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The columns, as indexes of the spec's: any of them decides.
    pub columns: Vec<usize>,
    /// What is looked for.
    pub test: FilterTest,
    /// Whether finding it keeps the row, or drops it.
    pub keep: bool,
}

/// What a filter looks for.
#[derive(Debug, Clone)]
pub enum FilterTest {
    /// One of these contents.
    Values(Vec<String>),
    /// A match.
    Matches(regex::bytes::Regex),
}

/// The sources of one database, sorted by name.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Those that could be read.
    pub all: Vec<Source>,
    /// The stems of all spec files, readable or not.
    pub stems: Vec<String>,
}

impl Sources {
    /// Reads `sources/<database>/*.toml`; what is wrong goes to `problems`.
    ///
    /// # Errors
    /// Only when the folder cannot be read.
    pub(crate) fn read(
        root: &Path,
        database: &str,
        problems: &Problems,
    ) -> anyhow::Result<Sources> {
        let folder = root.join("sources").join(database);
        if !folder.is_dir() {
            let shown = Path::new("sources").join(database);
            problems.add(&shown, 0, format!("no sources for database {database}"));
            return Ok(Sources::default());
        }
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let path = entry.with_context(|| format!("{}", folder.display()))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut sources = Sources::default();
        for path in paths {
            let shown = path.strip_prefix(root).unwrap_or(&path);
            sources.stems.push(path.file_stem().unwrap_or_default().to_string_lossy().into());
            match plainfile::text(&path) {
                Ok(text) => sources.all.extend(parse::parse(shown, &text, problems)),
                Err(error) => problems.add(shown, 0, format!("cannot read it: {error}")),
            }
        }
        Ok(sources)
    }

    /// The source of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Source> {
        self.all.iter().find(|source| source.name.as_str() == name)
    }
}

impl Source {
    /// The arguments of a run that does without it: the database, and the source.
    pub fn without(&self) -> String {
        let folder = self.path.parent().and_then(Path::file_name).unwrap_or_default();
        format!("{} --without {}", shell::word(&folder.to_string_lossy()), self.name.as_str())
    }

    /// Reads one spec's text; what is wrong goes to `problems`.
    pub fn parse(path: &Path, text: &str, problems: &Problems) -> Option<Source> {
        parse::parse(path, text, problems)
    }

    /// sha256 of the spec's text, in hex: what the manifest pins of it.
    pub fn digest(&self) -> String {
        crate::fetch::digest::sha256(self.text.as_bytes())
    }

    /// Whether a column of it is stored as a keyed hash.
    pub fn hashes(&self) -> bool {
        self.columns.iter().any(|column| column.hashed)
    }

    /// Whether its files are read one by one: rows of one set are brought together.
    pub fn is_in_order(&self) -> bool {
        self.pack.is_some() || !self.sort.is_empty()
    }

    /// The tables that it fills: its own, and its dictionaries'.
    pub fn tables(&self) -> impl Iterator<Item = &Ident> {
        std::iter::once(&self.name).chain(self.dictionaries.iter().map(|known| &known.table))
    }

    /// The number of rejects that are allowed of this many rows.
    pub fn rejects_allowed(&self, rows: u64) -> u64 {
        self.budget.rejects.max((rows as f64 * self.budget.reject_ratio) as u64)
    }
}
