//! One spec's text to a [`Source`]; everything that is wrong goes to `problems`, with its line.

use std::path::Path;

use regex::Regex;

use super::columns::{columns, dictionaries, filters, others, pack, sort};
use super::words::{pattern, word};
use super::{
    BYTES_MAX, Budget, Column, Encoding, Format, Gates, Header, Others, Parts, Quoting, Sections,
    Source,
};
use crate::config::bytes;
use crate::config::strict::{Problems, TomlFile, TomlTable};
use crate::postgres::Ident;

/// Reads a spec; `None` when it is too broken to go on with. The caller must look at
/// `problems` before it uses the source.
pub(super) fn parse(path: &Path, text: &str, problems: &Problems) -> Option<Source> {
    let file = TomlFile::new(path, text, problems);
    let parsed = file.parse()?;
    let root = TomlTable::root(&file, &parsed);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = Ident::parse(&stem);
    if name.is_none() {
        root.problem(1, format!("{stem:?} cannot name a table: use a-z, 0-9 and _"));
    }
    let description = root.required_text("description").map(|said| said.value);
    let object = root.required_text("object").and_then(|said| pattern(&root, "object", &said));
    let archive = root.text("archive").and_then(|said| pattern(&root, "archive", &said));
    let member = root.text("member").and_then(|said| pattern(&root, "member", &said));
    let parts = parts(&root);
    let sections = Sections::parse(&root, member.as_ref());
    let personal = root.flag("personal");
    let format = format(&root);
    let budget = budget(&root);
    let gates = Gates::parse(&root);
    let groups = groups([&object, &archive, &member]);
    let columns = columns(&root, &groups);
    let others = others(&root);
    let dictionaries = dictionaries(&root, &columns);
    let pack = pack(&root, &dictionaries);
    let sort = sort(&root, &dictionaries);
    if let (Some(pack), false) = (&pack, sort.is_empty()) {
        root.problem(pack.line, "packed rows have an order of their own: `sort` has no meaning");
    }
    let filters = filters(&root, &columns);
    careful(&root, personal, &columns, &others);
    root.done();
    Some(Source {
        name: name?,
        path: path.to_path_buf(),
        text: text.to_owned(),
        description: description?,
        object: object?,
        archive,
        member,
        parts,
        sections,
        personal: personal.unwrap_or(false),
        format,
        budget,
        gates,
        columns,
        others,
        dictionaries,
        pack,
        sort,
        filters,
    })
}

/// What a spec of personal data must say, and may not: what nobody thought of would be kept.
fn careful(root: &TomlTable<'_>, personal: Option<bool>, columns: &[Column], others: &Others) {
    if let Some(hashed) = columns.iter().find(|column| column.hashed && personal.is_none()) {
        let message = "a file with an identifier to hash needs `personal = true`";
        root.problem(hashed.line, message);
    }
    if let (Some(true), Others::Gather { line, .. }) = (personal, others) {
        let message = "a personal file's other columns are not gathered: name those to keep";
        root.problem(*line, message);
    }
}

fn parts(root: &TomlTable<'_>) -> Parts {
    match (root.count("parts"), root.count("parts_min")) {
        (Some(_), Some(least)) => {
            root.problem(least.line, "a source has either `parts` or `parts_min`");
            Parts::AtLeast(least.value as usize)
        }
        (None, Some(least)) => Parts::AtLeast(least.value as usize),
        (exactly, None) => Parts::Exactly(exactly.map_or(1, |said| said.value as usize)),
    }
}

/// The names that the patterns give to what they find.
fn groups(patterns: [&Option<Regex>; 3]) -> Vec<String> {
    let regexes = patterns.into_iter().flatten();
    regexes.flat_map(|regex| regex.capture_names().flatten().map(str::to_owned)).collect()
}

fn format(root: &TomlTable<'_>) -> Format {
    let mut format = Format {
        delimiter: b',',
        quoting: Quoting::Double,
        multiline: false,
        trailing: false,
        encoding: Encoding::Utf8,
        header: Header::Rows(1),
        nulls: vec![String::new()],
        final_newline_required: true,
        header_only_allowed: false,
        any_order: false,
    };
    let Some(table) = root.table("format") else {
        root.problem(root.line(), "table `format` is missing");
        return format;
    };
    if let Some(said) = table.required_text("delimiter") {
        match said.value.as_bytes() {
            [byte] if !matches!(byte, b'"' | b'\n' | b'\r') => format.delimiter = *byte,
            _ => table.problem(said.line, "`format.delimiter` must be one byte"),
        }
    }
    let quoting = [("none", Quoting::None), ("double", Quoting::Double)];
    format.quoting = word(&table, "quoting", &quoting, Quoting::Double);
    format.multiline = table.flag("multiline").unwrap_or(false);
    if format.multiline && format.quoting == Quoting::None {
        let message = "`format.multiline` has no meaning where quotes have none";
        table.problem(table.line(), message);
    }
    format.trailing = word(&table, "trailing", &[("refuse", false), ("ignore", true)], false);
    let encodings = [
        ("ascii", Encoding::Ascii),
        ("utf-8", Encoding::Utf8),
        ("windows-1252", Encoding::Windows1252),
        ("utf-8-or-windows-1252", Encoding::Utf8OrWindows1252),
    ];
    format.encoding = word(&table, "encoding", &encodings, Encoding::Utf8);
    format.header = header(&table);
    if let Some(said) = table.texts("nulls") {
        format.nulls = said.value;
    }
    let demand = [("required", true), ("optional", false)];
    format.final_newline_required = word(&table, "final_newline", &demand, true);
    let permission = [("refuse", false), ("allow", true)];
    format.header_only_allowed = word(&table, "header_only", &permission, false);
    let order = [("file", false), ("any", true)];
    format.any_order = word(&table, "column_order", &order, false);
    table.done();
    format
}

fn header(table: &TomlTable<'_>) -> Header {
    let rows = table.count("header_rows");
    let Some(said) = table.text("header") else {
        return Header::Rows(rows.map_or(1, |said| said.value));
    };
    if rows.is_some() {
        table.problem(said.line, "a format has either `header` or `header_rows`");
    }
    pattern(table, "header", &said).map_or(Header::Rows(1), Header::Begins)
}

fn budget(root: &TomlTable<'_>) -> Budget {
    let mut budget = Budget { rejects: 0, reject_ratio: 0.0, rows_min: 1, bytes_max: BYTES_MAX };
    let Some(table) = root.table("budget") else { return budget };
    if let Some(said) = table.count("rejects") {
        budget.rejects = said.value;
    }
    if let Some(ratio) = table.ratio("reject_ratio") {
        budget.reject_ratio = ratio;
    }
    if let Some(said) = table.count("rows_min") {
        budget.rows_min = said.value;
    }
    if let Some(said) = table.text("bytes_max") {
        match bytes(&said.value) {
            Some(bytes) => budget.bytes_max = bytes,
            None => table.problem(said.line, "`budget.bytes_max` must be like \"40 GiB\""),
        }
    }
    table.done();
    budget
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(text: &str) -> String {
        let problems = Problems::default();
        parse(Path::new("sources/x/plans.toml"), text, &problems);
        problems.into_result("mend").err().map_or(String::new(), |error| error.to_string())
    }

    const GOOD: &str = "description = \"d\"\nobject = 'x'\ncolumns = [{ from = \"A\" }]\n[format]\ndelimiter = \"|\"\n";

    #[test]
    fn a_short_spec_is_enough() {
        assert_eq!(problems_of(GOOD), "");
    }

    #[test]
    fn bad_patterns_words_and_transforms_are_all_named() {
        let text = "description = \"d\"\nobject = '('\ncolumns = [\n  { from = \"A\", transforms = [\"trimm\"] },\n  { from = \"A\", to = \"b c\" },\n]\n[format]\ndelimiter = \"||\"\nencoding = \"latin1\"\n[budget]\nbytes_max = \"4 GB\"\n";
        let said = problems_of(text);
        for expected in [
            "plans.toml:2: `object` is not a regular expression: error: unclosed group",
            "plans.toml:4: unknown transform `trimm`; did you mean `trim`?",
            "plans.toml:5: column \"A\" is declared twice",
            "plans.toml:5: \"b c\" is not a column name",
            "plans.toml:8: `format.delimiter` must be one byte",
            "plans.toml:9: `encoding` must be one of ascii, utf-8, windows-1252, utf-8-or-windows-1252, found \"latin1\"",
            "plans.toml:11: `budget.bytes_max` must be like \"40 GiB\"",
        ] {
            assert!(said.contains(expected), "{expected}\n-- not in --\n{said}");
        }
    }
}
