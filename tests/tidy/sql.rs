//! SQL is not read: what a section does is learned from Postgres.

use super::{Line, lines, none, only};

/// Where a regular expression may be used, each for texts that are not SQL.
const REGEX: [(&str, &str); 9] = [
    (
        "src/spec/source/",
        "a spec's patterns: names of objects and members, headers, shapes of codes",
    ),
    ("src/fetch/patterns.rs", "a spec's patterns, as the reader of objects has them"),
    ("src/fetch/archive/", "names of members"),
    ("src/load/copy/part/header.rs", "how a spec says that a header begins"),
    ("src/command/source/place.rs", "names of objects and members of a file of this machine"),
    ("src/command/source/mod.rs", "a person's choice among members"),
    ("src/dev/", "drafts of specs, and what the fuzz targets try"),
    ("src/export/docs/link.rs", "names in comments, to link them"),
    (
        "src/export/docs/plpgsql.rs",
        "bodies in PL/pgSQL: Postgres looks their names up when they run, and knows them of no other",
    ),
];

#[test]
fn no_module_reads_sql_by_a_regular_expression() {
    let words = ["Regex", "regex::", "regex_lite", "fancy_regex"];
    let paths = REGEX.map(|(path, _)| path);
    only("what SQL does is learned from Postgres (spec/schema/learned.rs)", &words, &paths);
    let all = lines();
    for path in paths {
        let uses = |line: &Line| {
            !line.in_test
                && line.file.starts_with(path)
                && words.iter().any(|w| line.code().contains(w))
        };
        assert!(all.iter().any(uses), "{path} uses none any more: take it off the list");
    }
}

/// Questions to the text of a section or of a definition.
const SQL_TEXTS: [&str; 4] = ["sql", "definition", "prosrc", "indexdef"];

/// Where SQL's text may be asked something, and why.
const READS_SQL: [(&str, &str); 6] = [
    ("src/dev/fuzzed/specs.rs", "holds that names are in quotes, in SQL that kiln makes"),
    ("src/dev/sniff/draft.rs", "a type that the draft itself has chosen"),
    ("src/spec/schema/sections.rs", "cuts a file at kiln's own markers"),
    ("src/export/file/write.rs", "refuses a line that looks like kiln's own mark in a file"),
    ("src/export/docs/plpgsql.rs", "as above"),
    (
        "src/export/docs/described.rs",
        "shows Postgres's own definition of an index without its beginning",
    ),
];

#[test]
fn no_module_asks_the_text_of_sql() {
    let asks = [
        "contains",
        "starts_with",
        "ends_with",
        "split",
        "find",
        "strip_prefix",
        "lines",
        "matches",
    ];
    let asked = |code: &str| {
        SQL_TEXTS.iter().any(|text| {
            asks.iter().any(|ask| {
                let question = format!("{text}.{ask}");
                code.match_indices(&question)
                    .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            })
        })
    };
    let allowed = |line: &Line| READS_SQL.iter().any(|(file, _)| line.file == *file);
    let offends = |line: &&Line| {
        line.file.starts_with("src/") && !line.in_test && !allowed(line) && asked(line.code())
    };
    let offending = lines().iter().filter(offends).map(Line::place).collect();
    none("what SQL does is learned from Postgres (spec/schema/learned.rs)", offending);
}
