//! One spec's text to a [`Source`]; everything that is wrong goes to `problems`, with its line.

use std::collections::HashSet;
use std::path::Path;

use regex::Regex;

use super::{Budget, Column, Encoding, Filter, Format, Quoting, Source, Transform};
use crate::pg::Ident;
use crate::strict::{File, Problems, Said, Table, suggest};

/// Reads a spec; `None` when it is too broken to go on with. The caller must look at
/// `problems` before it uses the source.
pub fn parse(path: &Path, text: &str, problems: &Problems) -> Option<Source> {
    let file = File::new(path, text, problems);
    let parsed = file.parse()?;
    let root = Table::root(&file, &parsed);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = Ident::parse(&stem);
    if name.is_none() {
        root.problem(1, format!("{stem:?} cannot name a table: use a-z, 0-9 and _"));
    }
    let description = root.required_text("description").map(|said| said.value);
    let object = root.required_text("object").and_then(|said| pattern(&root, "object", &said));
    let archive = root.text("archive").and_then(|said| pattern(&root, "archive", &said));
    let member = root.text("member").and_then(|said| pattern(&root, "member", &said));
    let parts = root.count("parts").map_or(1, |said| said.value as usize);
    let format = format(&root);
    let budget = budget(&root);
    let columns = columns(&root);
    let filters = filters(&root, &columns);
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
        format,
        budget,
        columns,
        filters,
    })
}

fn pattern(table: &Table<'_>, key: &str, said: &Said<String>) -> Option<Regex> {
    match Regex::new(&said.value) {
        Ok(regex) => Some(regex),
        Err(error) => {
            // The last line of a regex error is the reason; the lines before draw the place.
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().to_owned();
            table.problem(said.line, format!("`{key}` is not a regular expression: {reason}"));
            None
        }
    }
}

/// One of a closed set of words; an unknown one is answered with the nearest.
fn word<T: Copy>(table: &Table<'_>, key: &'static str, known: &[(&str, T)], default: T) -> T {
    let Some(said) = table.text(key) else { return default };
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == said.value) {
        return *value;
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let mean = suggest(&said.value, names.iter().copied());
    let listed = names.join(", ");
    table.problem(
        said.line,
        format!("`{key}` must be one of {listed}, found {:?}{mean}", said.value),
    );
    default
}

fn format(root: &Table<'_>) -> Format {
    let mut format = Format {
        delimiter: b',',
        quoting: Quoting::Double,
        encoding: Encoding::Utf8,
        header_rows: 1,
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
    let encodings = [
        ("ascii", Encoding::Ascii),
        ("utf-8", Encoding::Utf8),
        ("windows-1252", Encoding::Windows1252),
    ];
    format.encoding = word(&table, "encoding", &encodings, Encoding::Utf8);
    if let Some(said) = table.count("header_rows") {
        format.header_rows = said.value;
    }
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

fn budget(root: &Table<'_>) -> Budget {
    let mut budget =
        Budget { rejects: 0, reject_ratio: 0.0, rows_min: 1, bytes_max: 64 * 1024 * 1024 * 1024 };
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

/// `40 GiB`, `512 MiB`, `64 KiB` or plain bytes.
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn columns(root: &Table<'_>) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut targets = HashSet::new();
    for table in root.tables("columns") {
        let line = table.line();
        let from = table.required_text("from");
        let named = table.text("to");
        let drop = table.flag("drop").unwrap_or(false);
        let optional = table.flag("optional").unwrap_or(false);
        let nulls = table.texts("nulls").map(|said| said.value);
        let mut transforms = Vec::new();
        for said in table.words("transforms") {
            match Transform::parse(&said.value.0, said.value.1.as_deref()) {
                Ok(transform) => transforms.push(transform),
                Err(reason) => table.problem(said.line, reason),
            }
        }
        let Some(from) = from else {
            table.done();
            continue;
        };
        if columns.iter().any(|column| column.from == from.value) {
            table.problem(line, format!("column {:?} is declared twice", from.value));
        }
        let to_name = named.map_or_else(|| from.value.to_ascii_lowercase(), |said| said.value);
        let to = (!drop).then(|| Ident::parse(&to_name)).flatten();
        if to.is_none() && !drop {
            let say = "is not a column name; give one with `to`, or `drop = true`";
            table.problem(line, format!("{to_name:?} {say}"));
        }
        if let Some(to) = &to
            && !targets.insert(to.clone())
        {
            table.problem(line, format!("two columns feed {to}"));
        }
        table.done();
        columns.push(Column { from: from.value, to, optional, nulls, transforms, line });
    }
    if columns.is_empty() {
        root.problem(root.line(), "`columns` is missing or empty");
    }
    columns
}

fn filters(root: &Table<'_>, columns: &[Column]) -> Vec<Filter> {
    let mut filters = Vec::new();
    for table in root.tables("filter") {
        let line = table.line();
        let column = table.required_text("column");
        let keep = table.texts("keep");
        let drop = table.texts("drop");
        table_done(&table, line, keep.is_some(), drop.is_some());
        table.done();
        let Some(column) = column else { continue };
        if !columns.iter().any(|known| known.from == column.value) {
            let mean = suggest(&column.value, columns.iter().map(|c| c.from.as_str()));
            root.problem(column.line, format!("filter: no column {:?}{mean}", column.value));
        }
        let is_keep = keep.is_some();
        if let Some(said) = keep.or(drop) {
            filters.push(Filter { column: column.value, values: said.value, keep: is_keep });
        }
    }
    filters
}

fn table_done(table: &Table<'_>, line: usize, keep: bool, drop: bool) {
    if keep == drop {
        table.problem(line, "a filter has either `keep` or `drop`");
    }
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
            "plans.toml:9: `encoding` must be one of ascii, utf-8, windows-1252, found \"latin1\"",
            "plans.toml:11: `budget.bytes_max` must be like \"40 GiB\"",
        ] {
            assert!(said.contains(expected), "{expected}\n-- not in --\n{said}");
        }
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(bytes("2 GiB"), Some(2 << 30));
        assert_eq!(bytes("77"), Some(77));
        assert_eq!(bytes("2 GB"), None);
    }
}
