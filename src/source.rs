//! A source spec: what one TOML file says of one file family, and which table it feeds.
//!
//! A spec holds no SQL and no types: patterns that find object and member, how the text is
//! cut, which column feeds which, budgets. Types come from the table (see `bind`).

mod parse;
mod transform;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use regex::Regex;

pub use transform::Transform;

use crate::pg::Ident;
use crate::strict::Problems;

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
    /// Matches the object's file name; group `posted` (yyyymmdd) orders releases.
    pub object: Regex,
    /// Matches the names of inner zips to open on the way; `None`: the member lies in the object.
    pub archive: Option<Regex>,
    /// Matches the innermost file's name; group `period` is the data period. `None`: the object
    /// itself is the file.
    pub member: Option<Regex>,
    /// How many members must match, exactly.
    pub parts: usize,
    /// How the text is cut.
    pub format: Format,
    /// What may be wrong before the source is refused.
    pub budget: Budget,
    /// The file's columns, in file order.
    pub columns: Vec<Column>,
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
    /// How bytes become characters.
    pub encoding: Encoding,
    /// Rows before the data; the last of them names the columns. 0: no header.
    pub header_rows: u64,
    /// Field contents that mean null.
    pub nulls: Vec<String>,
    /// Whether the last row must end in a line end (a cut file often does not).
    pub final_newline_required: bool,
    /// Whether a file with a header and no rows is normal.
    pub header_only_allowed: bool,
    /// Whether columns may come in any order (their names still must match).
    pub any_order: bool,
}

/// Whether `"` has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// A quote is a character like any other; every line end ends a row.
    None,
    /// RFC 4180: quoted fields may hold delimiters, line ends and doubled quotes.
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
}

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

/// One column of the file.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in the file's header.
    pub from: String,
    /// The table column it feeds; `None`: read and not stored.
    pub to: Option<Ident>,
    /// Whether a vintage may lack it; it is null then.
    pub optional: bool,
    /// Contents that mean null here, in place of the format's.
    pub nulls: Option<Vec<String>>,
    /// What is done to the field before it is read as its type, in order.
    pub transforms: Vec<Transform>,
    /// The spec's line, for messages.
    pub line: usize,
}

/// Rows to leave out by one column's content.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The column's name in the file.
    pub column: String,
    /// Contents that keep the row (or drop it).
    pub values: Vec<String>,
    /// Whether the contents keep or drop.
    pub keep: bool,
}

/// The sources of one database, sorted by name.
#[derive(Debug, Default)]
pub struct Sources {
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
    pub fn read(root: &Path, database: &str, problems: &Problems) -> anyhow::Result<Sources> {
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
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("read {}", path.display()))?;
            let shown = path.strip_prefix(root).unwrap_or(&path);
            sources.stems.push(path.file_stem().unwrap_or_default().to_string_lossy().into());
            sources.all.extend(parse::parse(shown, &text, problems));
        }
        Ok(sources)
    }

    /// The source of this name.
    pub fn get(&self, name: &str) -> Option<&Source> {
        self.all.iter().find(|source| source.name.as_str() == name)
    }
}

impl Source {
    /// sha256 of the spec's text, in hex: what the manifest pins of it.
    pub fn digest(&self) -> String {
        crate::digest::sha256(self.text.as_bytes())
    }

    /// What `allowed` rejects come to for this many rows.
    pub fn rejects_allowed(&self, rows: u64) -> u64 {
        self.budget.rejects.max((rows as f64 * self.budget.reject_ratio) as u64)
    }
}
