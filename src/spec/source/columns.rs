//! A spec's columns, what becomes of the others, and the filters.

use std::collections::HashSet;

use super::words::{pattern, word};
use super::{Column, Dictionary, Filter, FilterTest, From, Others, Pack, Shape, Transform};
use crate::config::strict::{TomlTable, suggest};
use crate::postgres::Ident;

/// The spec word that asks for the record's line.
const LINE: &str = "line";
/// The spec word that asks for a keyed hash. It is no [`Transform`]: it ends in bytes, and needs
/// the installation's key.
const KEYED_HASH: &str = "keyed_hash";

/// Reads `columns`; `groups` are the names that the patterns give.
pub(super) fn columns(root: &TomlTable<'_>, groups: &[String]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut targets = HashSet::new();
    for table in root.tables("columns") {
        let line = table.line();
        let from = from(&table, groups);
        let named = table.text("to");
        let drop = table.flag("drop").unwrap_or(false);
        let words_to = table.text("words_to");
        let optional = table.flag("optional").unwrap_or(false);
        let nulls = table.texts("nulls").map(|said| said.value);
        let (transforms, hashed) = transforms(&table);
        let (shape, misfit_is_null) = shape(&table);
        if misfit_is_null && shape.is_none() && transforms.is_empty() {
            table.problem(line, "`misfit` has no meaning without `shape` or `transforms`");
        }
        let Some(from) = from else {
            table.done();
            continue;
        };
        if let Some(twice) = repeated(&columns, &from) {
            table.problem(line, format!("column {twice:?} is declared twice"));
        }
        let mut column = Column {
            from,
            to: None,
            words_to: None,
            optional,
            nulls,
            transforms,
            shape,
            misfit_is_null,
            hashed,
            line,
        };
        let to_name = named.map_or_else(|| column.name().to_ascii_lowercase(), |said| said.value);
        column.to = (!drop).then(|| target(&table, line, &to_name)).flatten();
        column.words_to = words_to.and_then(|said| target(&table, said.line, &said.value));
        if drop && column.words_to.is_some() {
            table.problem(line, "a dropped column has no `words_to`");
        }
        for to in [&column.to, &column.words_to].into_iter().flatten() {
            if !targets.insert(to.clone()) {
                table.problem(line, format!("two columns feed {to}"));
            }
        }
        table.done();
        columns.push(column);
    }
    if columns.is_empty() {
        root.problem(root.line(), "`columns` is missing or empty");
    }
    columns
}

fn repeated(columns: &[Column], from: &From) -> Option<String> {
    let From::Header(names) = from else { return None };
    let known = |name: &&String| columns.iter().any(|column| column.headings().contains(name));
    names.iter().find(known).cloned()
}

fn target(table: &TomlTable<'_>, line: usize, name: &str) -> Option<Ident> {
    let ident = Ident::parse(name);
    if ident.is_none() {
        let say = "is not a column name; give one with `to`, or `drop = true`";
        table.problem(line, format!("{name:?} {say}"));
    }
    ident
}

fn from(table: &TomlTable<'_>, groups: &[String]) -> Option<From> {
    let Some(of) = table.text("of") else {
        return Some(From::Header(table.required_text_or_texts("from")?.value));
    };
    if table.texts_or_text("from").is_some() {
        table.problem(of.line, "a column has either `from` or `of`");
    }
    if of.value == LINE {
        return Some(From::Line);
    }
    if !groups.contains(&of.value) {
        let known = groups.iter().map(String::as_str).chain([LINE]);
        let mean = suggest(&of.value, known);
        let message = format!("no pattern has a group {:?}{mean}", of.value);
        table.problem(of.line, message);
    }
    Some(From::Group(of.value))
}

/// The transforms, and whether a keyed hash ends them.
fn transforms(table: &TomlTable<'_>) -> (Vec<Transform>, bool) {
    let mut transforms = Vec::new();
    let mut hashed = false;
    for said in table.words("transforms") {
        let (word, argument) = (&said.value.0, said.value.1.as_deref());
        if hashed {
            table.problem(said.line, "nothing can follow keyed_hash");
        }
        if word == KEYED_HASH && argument.is_none() {
            hashed = true;
            continue;
        }
        match Transform::parse(word, argument) {
            Ok(transform) => transforms.push(transform),
            Err(reason) => table.problem(said.line, reason),
        }
    }
    (transforms, hashed)
}

/// What the content must look like, and whether one that does not is null.
fn shape(table: &TomlTable<'_>) -> (Option<Shape>, bool) {
    let shape = table.text("shape").and_then(|said| {
        let shape = Shape::parse(&said.value);
        shape.map_err(|reason| table.problem(said.line, reason)).ok()
    });
    (shape, word(table, "misfit", &[("reject", false), ("null", true)], false))
}

/// Reads `[others]`.
pub(super) fn others(root: &TomlTable<'_>) -> Others {
    let Some(table) = root.table("others") else { return Others::Refuse };
    let line = table.line();
    let drop = table.flag("drop").unwrap_or(false);
    let to = table.text("to");
    let (transforms, hashed) = transforms(&table);
    if hashed {
        table.problem(line, "gathered columns cannot be hashed: name them in `columns`");
    }
    if drop == to.is_some() {
        table.problem(line, "`others` has either `to` or `drop = true`");
    }
    let gathered = to.and_then(|said| target(&table, said.line, &said.value));
    table.done();
    gathered.map_or(Others::Drop, |to| Others::Gather { to, transforms, line })
}

/// Reads the dictionaries.
pub(super) fn dictionaries(root: &TomlTable<'_>, columns: &[Column]) -> Vec<Dictionary> {
    let mut dictionaries = Vec::new();
    let mut taken = HashSet::new();
    for table in root.tables("dictionary") {
        let line = table.line();
        let name = table.required_text("table").and_then(|s| target(&table, s.line, &s.value));
        let to = table.required_text("to").and_then(|said| target(&table, said.line, &said.value));
        let mut own = Vec::new();
        for word in table.required_text_or_texts("columns").map_or(Vec::new(), |said| said.value) {
            let fed = |column: &&Column| column.to.as_ref().is_some_and(|to| to.as_str() == word);
            let column = columns.iter().find(fed);
            if column.is_some_and(|column| column.misfit_is_null) {
                // Met once and known from then on: nobody could say how often.
                table.problem(line, format!("dictionary: {word:?} cannot say `misfit = \"null\"`"));
            }
            let Some(to) = column.and_then(|column| column.to.clone()) else {
                let known = columns.iter().filter_map(|column| column.to.as_ref());
                let mean = suggest(&word, known.map(Ident::as_str));
                table.problem(line, format!("dictionary: nothing feeds a column {word:?}{mean}"));
                continue;
            };
            if !taken.insert(to.clone()) {
                table.problem(line, format!("two dictionaries have column {to}"));
            }
            own.push(to);
        }
        table.done();
        if let (Some(name), Some(to)) = (name, to) {
            dictionaries.push(Dictionary { table: name, columns: own, to, line });
        }
    }
    dictionaries
}

/// Reads how rows are packed: all that a row says is three numbers, two of which an array has.
pub(super) fn pack(root: &TomlTable<'_>, dictionaries: &[Dictionary]) -> Option<Pack> {
    let table = root.table("pack")?;
    let line = table.line();
    let mut named = Vec::new();
    for key in ["by", "at", "of"] {
        let Some(said) = table.required_text(key) else { continue };
        match dictionaries.iter().position(|known| known.to.as_str() == said.value) {
            Some(index) if !named.contains(&index) => named.push(index),
            Some(_) => {
                table.problem(said.line, format!("`{key}`: {:?} is named twice", said.value));
            }
            None => {
                let mean = suggest(&said.value, dictionaries.iter().map(|known| known.to.as_str()));
                let word = &said.value;
                table
                    .problem(said.line, format!("`{key}`: {word:?} is no dictionary's `to`{mean}"));
            }
        }
    }
    let to = table.required_text("to").and_then(|said| target(&table, said.line, &said.value));
    table.done();
    if dictionaries.len() > 3 {
        root.problem(
            line,
            "rows are packed where three dictionaries have all of a row; there are more",
        );
    }
    let [by, at, of] = named[..] else { return None };
    Some(Pack { by, at, of, to: to?, line })
}

/// Reads by which of the dictionaries' columns rows are sorted.
pub(super) fn sort(root: &TomlTable<'_>, dictionaries: &[Dictionary]) -> Vec<Ident> {
    let Some(said) = root.texts("sort") else { return Vec::new() };
    if said.value.len() > 2 {
        root.problem(said.line, "`sort` has two columns at most");
    }
    let mut sort = Vec::new();
    for word in &said.value {
        match dictionaries.iter().find(|known| known.to.as_str() == *word) {
            Some(known) => sort.push(known.to.clone()),
            None => {
                let mean = suggest(word, dictionaries.iter().map(|known| known.to.as_str()));
                root.problem(said.line, format!("`sort`: {word:?} is no dictionary's `to`{mean}"));
            }
        }
    }
    sort
}

/// Reads the filters.
pub(super) fn filters(root: &TomlTable<'_>, columns: &[Column]) -> Vec<Filter> {
    let mut filters = Vec::new();
    for table in root.tables("filter") {
        let line = table.line();
        let one = table.text("column").map(|said| vec![said.value]);
        let many = table.texts("columns").map(|said| said.value);
        if one.is_some() == many.is_some() {
            table.problem(line, "a filter has either `column` or `columns`");
        }
        let names = one.or(many).unwrap_or_default();
        let mut indexes = Vec::new();
        for name in &names {
            match columns.iter().position(|known| known.headings().contains(name)) {
                Some(index) => indexes.push(index),
                None => {
                    let known = columns.iter().flat_map(Column::headings).map(String::as_str);
                    let mean = suggest(name, known);
                    table.problem(line, format!("filter: no column {name:?}{mean}"));
                }
            }
        }
        if let Some((test, keep)) = test(&table, line) {
            filters.push(Filter { columns: indexes, test, keep });
        }
        table.done();
    }
    filters
}

fn test(table: &TomlTable<'_>, line: usize) -> Option<(FilterTest, bool)> {
    let keep = table.texts("keep").map(|said| (FilterTest::Values(said.value), true));
    let drop = table.texts("drop").map(|said| (FilterTest::Values(said.value), false));
    let matches = table.text("matches").and_then(|said| {
        pattern(table, "matches", &said)?;
        // The bytes are matched before they are decoded: a field may be in any encoding.
        let regex = regex::bytes::Regex::new(&said.value).ok()?;
        Some((FilterTest::Matches(regex), true))
    });
    let mut said = [keep, drop, matches].into_iter().flatten();
    let test = said.next();
    if test.is_none() || said.next().is_some() {
        table.problem(line, "a filter has one of `keep`, `drop` and `matches`");
    }
    test
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::parse::parse;
    use crate::config::strict::Problems;

    fn problems_of(columns: &str, rest: &str) -> String {
        let text = format!(
            "personal = false\ndescription = \"d\"\nobject = '^(?P<edition>[0-9]+)x$'\ncolumns = [\n{columns}\n]\n\
             [format]\ndelimiter = \"|\"\n{rest}"
        );
        let problems = Problems::default();
        parse(Path::new("sources/x/plans.toml"), &text, &problems);
        problems.into_result("mend").err().map_or(String::new(), |error| error.to_string())
    }

    #[test]
    fn names_groups_lines_words_and_hashes_are_taken() {
        let columns = "{ from = [\"A\", \"A OLD\"], words_to = \"a_words\" },\n\
                       { of = \"edition\", to = \"year\" },\n{ of = \"line\" },\n\
                       { from = \"B\", transforms = [\"trim\", \"keyed_hash\"] },";
        let rest = "[others]\nto = \"fields\"\ntransforms = [\"trim\"]\n\
                    [[filter]]\ncolumns = [\"A\", \"B\"]\nmatches = '^3336'\n";
        assert_eq!(problems_of(columns, rest), "");
    }

    #[test]
    fn shapes_and_what_becomes_of_misfits_are_read() {
        let columns = "{ from = \"A\", shape = \"fips5\", misfit = \"null\" },\n\
                       { from = \"B\", shape = '^[A-Z]$' },";
        assert_eq!(problems_of(columns, ""), "");
        let columns = "{ from = \"A\", shape = \"fips\" },\n{ from = \"B\", misfit = \"null\" },\n\
                       { from = \"C\", shape = \"zip5\", misfit = \"drop\" },\n\
                       { from = \"D\", shape = \"zip5\", misfit = \"null\" },";
        let rest = "[[dictionary]]\ntable = \"t\"\ncolumns = [\"d\"]\nto = \"key\"\n";
        let said = problems_of(columns, rest);
        for expected in [
            "plans.toml:5: unknown shape `fips`; did you mean `fips5`?",
            "plans.toml:6: `misfit` has no meaning without `shape` or `transforms`",
            "plans.toml:7: `misfit` must be one of reject, null, found \"drop\"",
            "dictionary: \"d\" cannot say `misfit = \"null\"`",
        ] {
            assert!(said.contains(expected), "{expected}\n-- not in --\n{said}");
        }
    }

    #[test]
    fn contradictions_are_named() {
        let columns = "{ from = \"A\", of = \"line\", to = \"x\" },\n\
                       { of = \"editoin\", to = \"year\" },\n\
                       { from = \"B\", transforms = [\"keyed_hash\", \"trim\"] },\n\
                       { from = [\"C\", \"B\"] },";
        let rest = "[others]\nto = \"fields\"\ndrop = true\n\
                    [[filter]]\ncolumn = \"B\"\nkeep = [\"1\"]\nmatches = '1'\n";
        let said = problems_of(columns, rest);
        for expected in [
            "plans.toml:5: a column has either `from` or `of`",
            "plans.toml:6: no pattern has a group \"editoin\"; did you mean `edition`?",
            "plans.toml:7: nothing can follow keyed_hash",
            "plans.toml:8: column \"B\" is declared twice",
            "`others` has either `to` or `drop = true`",
            "a filter has one of `keep`, `drop` and `matches`",
        ] {
            assert!(said.contains(expected), "{expected}\n-- not in --\n{said}");
        }
    }

    #[test]
    fn a_file_of_persons_says_so_and_keeps_only_what_it_names() {
        let read = |head: &str, tail: &str| {
            let text = format!(
                "description = \"d\"\nobject = 'x'\n{head}columns = [\n\
                 {{ from = \"A\", transforms = [\"keyed_hash\"] }},\n]\n\
                 [format]\ndelimiter = \"|\"\n{tail}"
            );
            let problems = Problems::default();
            parse(Path::new("sources/x/people.toml"), &text, &problems);
            problems.into_result("mend").err().map_or(String::new(), |error| error.to_string())
        };
        assert!(read("", "").contains("people.toml:4: a file with an identifier to hash needs"));
        assert_eq!(read("personal = true\n", "[others]\ndrop = true\n"), "");
        let said = read("personal = true\n", "[others]\nto = \"fields\"\n");
        assert!(said.contains("a personal file's other columns are not gathered"), "{said}");
    }
}
