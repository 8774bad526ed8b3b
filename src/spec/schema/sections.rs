//! Cuts a schema file into its marked sections.

use std::path::Path;

use tokio_postgres::error::SqlState;

use crate::config::strict::{Problems, suggest};
use crate::postgres::Ident;

/// What a section is for; also the order in which sections stand in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionKind {
    /// The table and its comments, before any row.
    PreData,
    /// Keys and indexes, once the data is in.
    PostData,
    /// Tables made from tables, in number order.
    Derive,
    /// A query that must return no row.
    Check,
}

impl SectionKind {
    /// The word in its marker.
    pub fn word(&self) -> &'static str {
        match self {
            SectionKind::PreData => "pre-data",
            SectionKind::PostData => "post-data",
            SectionKind::Derive => "derive",
            SectionKind::Check => "check",
        }
    }
}

/// One marked section.
#[derive(Debug, Clone)]
pub struct Section {
    /// What it is for.
    pub kind: SectionKind,
    /// A check's sentence; empty for the others.
    pub title: String,
    /// The tables whose rows are all that a derive section needs, as its marker names them; empty
    /// where it needs everything before it. See [`Section::is_early`].
    pub from: Vec<String>,
    /// The line of its first statement line, from 1.
    pub line: usize,
    /// Its text, as it runs.
    pub sql: String,
}

impl Section {
    /// Whether it may run as soon as its tables have their rows, while keys are still being built.
    pub fn is_early(&self) -> bool {
        !self.from.is_empty()
    }

    /// Why a check is none, where that is what the server says: it runs alone, and cannot write.
    pub fn no_check(&self, error: &tokio_postgres::Error) -> Option<&'static str> {
        let said = error.as_db_error().filter(|_| self.kind == SectionKind::Check)?;
        match (said.code(), said.position()) {
            (&SqlState::READ_ONLY_SQL_TRANSACTION, _) => Some("writes; a check only reads"),
            // A syntax error has its place in the text; that there is more than one statement has none.
            (&SqlState::SYNTAX_ERROR, None) => {
                Some("is more than one statement; a check is one query")
            }
            _ => None,
        }
    }
}

const MARKERS: [&str; 4] = ["pre-data", "post-data", "derive", "check"];

/// Cuts the text at its marker lines; misplaced and unknown markers go to `problems`.
pub(crate) fn parse(path: &Path, text: &str, problems: &Problems) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut is_lost = false;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        match marker(line) {
            Marker::Section(kind, title, from) => {
                if kind == SectionKind::Check && title.is_empty() {
                    problems.add(path, number, "a check has a title: `-- check: what must hold`");
                }
                if sections.last().is_some_and(|last| last.kind > kind) {
                    let order = MARKERS.join(", ");
                    problems.add(
                        path,
                        number,
                        format!("misplaced section; their order is {order}"),
                    );
                }
                if kind != SectionKind::Check && sections.iter().any(|before| before.kind == kind) {
                    let word = kind.word();
                    problems.add(path, number, format!("a second `-- {word}` section"));
                }
                let (line, sql) = (number + 1, String::new());
                sections.push(Section { kind, title, from, line, sql });
            }
            Marker::Unknown(word) => {
                is_lost = true;
                let mean = match is_nearly_derive_from(&word) {
                    true => "; its form is `-- derive from table_a, table_b`".to_owned(),
                    false => suggest(&word, MARKERS),
                };
                problems.add(path, number, format!("unknown section `{word}`{mean}"));
            }
            Marker::None => match sections.last_mut() {
                Some(section) => {
                    section.sql.push_str(line);
                    section.sql.push('\n');
                }
                // What belongs to a marker that is none is not wrong in itself.
                None if is_lost || line.trim().is_empty() || line.starts_with("--") => {}
                None => {
                    problems.add(path, number, "SQL before the first section marker");
                }
            },
        }
    }
    let has = |kind: SectionKind| sections.iter().any(|section| section.kind == kind);
    match (has(SectionKind::PreData), has(SectionKind::PostData), has(SectionKind::Derive)) {
        (false, _, false) => {
            problems.add(path, 0, "neither a `-- pre-data` nor a `-- derive` section");
        }
        (true, false, _) => {
            problems.add(path, 0, "no `-- post-data` section: a table has a key or an index");
        }
        _ => {}
    }
    sections
}

enum Marker {
    Section(SectionKind, String, Vec<String>),
    Unknown(String),
    None,
}

/// A marker is a comment line of its own. One that is nearly a marker is a slip of the pen, not
/// a comment: it would silently put statements into the wrong section.
fn marker(line: &str) -> Marker {
    let Some(comment) = line.strip_prefix("--") else { return Marker::None };
    let comment = comment.trim();
    let (words, title) = comment.split_once(':').unwrap_or((comment, ""));
    let (word, from) = match words.strip_prefix("derive from ") {
        Some(names) => ("derive", names.split(',').map(|name| name.trim().to_owned()).collect()),
        None => (words, Vec::new()),
    };
    let kind = match word {
        "pre-data" => SectionKind::PreData,
        "post-data" => SectionKind::PostData,
        "derive" => SectionKind::Derive,
        "check" => SectionKind::Check,
        _ if is_nearly_derive_from(comment) => return Marker::Unknown(comment.to_owned()),
        _ => {
            let lower = word.to_ascii_lowercase().replace(['_', ' '], "-");
            let near = |known: &&str| strsim::damerau_levenshtein(&lower, known) <= 1;
            return match MARKERS.iter().find(|known| near(known)) {
                Some(_) => Marker::Unknown(word.to_owned()),
                None => Marker::None,
            };
        }
    };
    let names_tables = from.iter().all(|name: &String| Ident::parse(name).is_some());
    match (&kind, line == format!("-- {comment}") && names_tables, title.trim()) {
        (SectionKind::Check, true, title) => Marker::Section(kind, title.to_owned(), from),
        (_, true, "") if words == comment => Marker::Section(kind, String::new(), from),
        _ => Marker::Unknown(comment.to_owned()),
    }
}

/// Whether a comment begins as `derive from` does, or with a slip of the pen in it.
fn is_nearly_derive_from(comment: &str) -> bool {
    let mut words = comment.split(|c: char| c.is_whitespace() || c == ':');
    let mut is_near = |known: &str, slips: usize| {
        let word = words.find(|word| !word.is_empty()).map(str::to_ascii_lowercase);
        word.is_some_and(|word| strsim::damerau_levenshtein(&word, known) <= slips)
    };
    is_near("derive", 1) && is_near("from", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Section>, String) {
        let problems = Problems::default();
        let sections = parse(Path::new("0001_a.sql"), text, &problems);
        (sections, problems.into_result("").err().map_or(String::new(), |e| e.to_string()))
    }

    #[test]
    fn sections_keep_their_lines() {
        let (sections, problems) = read(
            "-- a table\n-- pre-data\ncreate table a ();\n-- post-data\n-- check: it is empty\nx;\n",
        );
        assert_eq!(problems, "");
        assert_eq!((sections[0].line, sections[2].line), (3, 6));
        assert_eq!(sections[2].title, "it is empty");
    }

    #[test]
    fn slips_are_named_and_not_taken_for_comments() {
        let (_, problems) =
            read("select 1;\n-- post-data\nx;\n-- pre-data\n-- Pre_data\n-- check\n");
        for expected in [
            ":1: SQL before the first section marker",
            ":4: misplaced section",
            ":5: unknown section `Pre_data`",
            ":6: a check has a title",
        ] {
            assert!(problems.contains(expected), "{expected} not in {problems}");
        }
    }

    #[test]
    fn a_derive_section_names_the_tables_whose_rows_it_needs() {
        let (sections, problems) = read("-- derive from a, b_c\nx;\n");
        assert_eq!(problems, "");
        assert_eq!(sections[0].from, ["a", "b_c"]);
        assert!(sections[0].is_early());
        for slip in [
            "-- derive from a b\n",
            "-- derive from a,\n",
            "-- derive from a: b\n",
            "-- derive form a\n",
            "-- Derive from a\n",
            "-- derive  from a\n",
            "-- derive from\n",
            "-- derive from A\n",
        ] {
            let (_, problems) = read(&format!("{slip}x;\n"));
            assert!(problems.contains(":1: unknown section"), "{slip}: {problems}");
            assert!(problems.contains("`-- derive from table_a, table_b`"), "{slip}: {problems}");
            assert!(!problems.contains("SQL before"), "{slip}: {problems}");
        }
    }
}
