//! The contract part as Markdown, `sql/<database>/DICTIONARY.md`: what stays the same until
//! somebody edits `sql/` or `sources/`. No rows, no dates, no server.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::described::{Argument, DescribedColumn, plain};
use super::origin::ColumnOrigin;
use super::{DataDictionary, FunctionDoc, Relation, RelationKind};
use crate::spec::schema::DICTIONARY;

/// Where a database's Markdown lies, relative to the root.
pub(crate) fn path(database: &str) -> PathBuf {
    Path::new("sql").join(database).join(DICTIONARY)
}

/// The whole text.
pub(crate) fn render(dictionary: &DataDictionary) -> String {
    let mut out = String::new();
    let DataDictionary { database, relations, functions, .. } = dictionary;
    let _ = writeln!(out, "# {database}: data dictionary\n");
    let version = dictionary.version.map_or("not locked".to_owned(), |version| version.to_string());
    let _ = writeln!(
        out,
        "<!-- Written by `kiln docs {database}` from sql/{database} and sources/{database}; do not edit. -->\n\n\
         Schema version {version}: {} tables and views, {} columns, {} functions. Rows, null shares and\n\
         examples of the live build are in the page that `kiln docs {database}` writes.\n",
        relations.len(),
        dictionary.column_count(),
        functions.len(),
    );
    contents(&mut out, dictionary);
    for kind in RelationKind::ALL {
        // What apps call stands before what CMS says.
        if kind == RelationKind::Raw && !functions.is_empty() {
            let _ = writeln!(out, "## Functions\n");
            functions.iter().for_each(|function| one_function(&mut out, function));
        }
        let mut of_kind = dictionary.of_kind(kind).peekable();
        if of_kind.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "## {}\n\n{}\n", kind.heading(), kind.meaning());
        of_kind.for_each(|relation| one_relation(&mut out, relation));
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out.push('\n');
    out
}

fn contents(out: &mut String, dictionary: &DataDictionary) {
    out.push_str("| | kind | what |\n|---|---|---|\n");
    for relation in &dictionary.relations {
        let name = relation.name();
        let link = format!("[{}](#{})", cell_text(name), heading_anchor(name));
        let what = cell_text(first_sentence(&relation.described.comment));
        let _ = writeln!(out, "| {link} | {} | {what} |", relation.kind.word());
    }
    for function in &dictionary.functions {
        let what = cell_text(first_sentence(&function.described.comment));
        let _ = writeln!(out, "| {} | function | {what} |", code(&function.described.name));
    }
    out.push('\n');
}

fn one_relation(out: &mut String, relation: &Relation) {
    let described = &relation.described;
    let _ = writeln!(out, "### {}\n\n{}\n", text(relation.name()), text(&described.comment));
    for line in facts(relation) {
        let _ = writeln!(out, "- {line}");
    }
    out.push('\n');
    let empty = Default::default();
    let fed = relation.origin.as_ref().map_or(&empty, |origin| &origin.columns);
    let has_origin = !fed.is_empty();
    out.push_str(match has_origin {
        true => "| column | type | from | what |\n|---|---|---|---|\n",
        false => "| column | type | what |\n|---|---|---|\n",
    });
    for column in &described.columns {
        let is_key = relation.key().contains(&column.name);
        let name = if is_key { format!("**{}**", code(&column.name)) } else { code(&column.name) };
        let _ = write!(out, "| {name} | {} |", column_type(column, relation.kind));
        if has_origin {
            let from = fed.get(&column.name).map(column_origin).unwrap_or_default();
            let _ = write!(out, " {from} |");
        }
        let _ = writeln!(out, " {} |", cell_text(&column.comment));
    }
    out.push('\n');
}

/// The lines between a table's comment and its columns.
fn facts(relation: &Relation) -> Vec<String> {
    let described = &relation.described;
    let mut lines = Vec::new();
    if let Some(place) = &relation.place {
        let made = if relation.recipe.is_some() { "made by" } else { "defined in" };
        // Without its line, which moves with every line above it.
        let path = code(&place.path.display().to_string());
        lines.push(format!("{made} {path} (`-- {}`)", place.section));
    }
    if let Some(origin) = &relation.origin {
        let spec = code(&origin.spec.display().to_string());
        lines.push(format!("loaded by {spec}: {}", text(&origin.description)));
        for (label, pattern) in &origin.patterns {
            lines.push(format!("{label} {}", code(pattern)));
        }
        lines.extend(origin.notes.iter().map(|note| text(note)));
    }
    if relation.is_personal {
        lines.push("about people: no value of it is ever shown".to_owned());
    }
    for index in &described.indexes {
        let word = match (index.is_primary, index.is_unique) {
            (true, _) => "primary key",
            (false, true) => "unique",
            (false, false) => "index",
        };
        lines.push(format!("{word} {}", code(index.tail())));
    }
    for key in &described.foreign_keys {
        let (from, to) = (key.columns.join(", "), key.referenced.join(", "));
        lines.push(format!("refers {} to {}", code(&from), code(&format!("{} ({to})", key.table))));
    }
    lines.extend(described.rules.iter().map(|rule| format!("rule {}", code(rule))));
    lines.extend(relation.checks.iter().map(|title| format!("checked: {}", text(title))));
    for (label, names) in [("reads", &relation.reads), ("read by", &relation.read_by)] {
        let names: Vec<String> = names.iter().map(|name| code(name)).collect();
        if !names.is_empty() {
            lines.push(format!("{label} {}", names.join(", ")));
        }
    }
    lines
}

fn column_type(column: &DescribedColumn, kind: RelationKind) -> String {
    let mut said = cell_text(&column.type_name);
    // The catalog says of no column of a view that it cannot be null.
    if !column.nullable && kind != RelationKind::View {
        said.push_str(" not null");
    }
    if let Some(fallback) = &column.fallback {
        let _ = write!(said, " default {}", cell_code(plain(fallback, &column.type_name)));
    }
    said
}

fn column_origin(origin: &ColumnOrigin) -> String {
    let fields: Vec<String> = origin.fields.iter().map(|field| cell_code(field)).collect();
    let mut said = fields.join(" or ");
    for step in &origin.steps {
        if !said.is_empty() {
            said.push_str("; ");
        }
        said.push_str(&cell_text(step));
    }
    said
}

fn one_function(out: &mut String, function: &FunctionDoc) {
    let described = &function.described;
    let _ = writeln!(out, "### {}\n\n{}\n", text(&described.name), text(&described.comment));
    if let Some(place) = &function.place {
        let path = code(&place.path.display().to_string());
        let _ = writeln!(out, "- defined in {path} (`-- {}`)", place.section);
    }
    if let Some(returned) = function.returned() {
        let _ = writeln!(out, "- returns {}, {}", text(&returned), described.volatility);
    }
    if !function.reads.is_empty() {
        let names: Vec<String> = function.reads.iter().map(|name| code(name)).collect();
        let _ = writeln!(out, "- reads {}", names.join(", "));
    }
    out.push('\n');
    arguments(out, "argument", function.inputs());
    arguments(out, "returned column", function.outputs());
}

fn arguments<'a>(out: &mut String, label: &str, arguments: impl Iterator<Item = &'a Argument>) {
    let mut arguments = arguments.peekable();
    if arguments.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "| {label} | type |\n|---|---|");
    for argument in arguments {
        let fallback = argument.fallback.as_ref();
        let fallback = fallback.map(|said| plain(said, &argument.type_name));
        let fallback = fallback.map(|said| format!(" default {}", cell_code(said)));
        let (name, type_name) = (cell_code(&argument.name), cell_text(&argument.type_name));
        let _ = writeln!(out, "| {name} | {type_name}{} |", fallback.unwrap_or_default());
    }
    out.push('\n');
}

/// A comment up to the end of its first sentence.
pub(crate) fn first_sentence(comment: &str) -> &str {
    let ends = [". ", ".\n", "\n"].iter().filter_map(|end| comment.find(end)).min();
    ends.map_or(comment, |at| &comment[..at]).trim_end_matches('.')
}

/// How GitHub names a heading's anchor.
fn heading_anchor(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Words that stay words: nothing in them becomes a tag, a link, emphasis or a new line.
fn text(said: &str) -> String {
    let mut out = String::with_capacity(said.len());
    for c in said.chars() {
        match c {
            '\\' | '*' | '`' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            // `[file]` stays as it is; `[text](address)` must not become a link.
            '(' if out.ends_with(']') => out.push_str("\\("),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// The same within a table, where a bar would end the cell.
fn cell_text(said: &str) -> String {
    text(said).replace('|', "\\|")
}

/// A name or a piece of SQL; more backticks around it than in it.
fn code(said: &str) -> String {
    let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = said.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 || said.is_empty() { " " } else { "" };
    format!("{fence}{pad}{said}{pad}{fence}")
}

fn cell_code(said: &str) -> String {
    code(said).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_comment_becomes_markup() {
        let hostile = "<script>x</script> [a](javascript:x) *b* `c` | d\n# e &lt;";
        let said = cell_text(hostile);
        assert_eq!(
            said,
            "&lt;script>x&lt;/script> [a]\\(javascript:x) \\*b\\* \\`c\\` \\| d # e &amp;lt;"
        );
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(cell_code("a|b"), "`a\\|b`");
    }

    #[test]
    fn the_first_sentence_stands_for_a_comment() {
        assert_eq!(
            first_sentence("Plans: one row a plan. Part D release. [file]"),
            "Plans: one row a plan"
        );
        assert_eq!(first_sentence("Plans"), "Plans");
    }
}
