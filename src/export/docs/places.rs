//! Where in the numbered files a table, view or function is made, and which tables a piece of SQL
//! reads. The catalog knows neither of a derived table: it keeps rows and not how they came about.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use crate::spec::schema::Schema;

/// A statement in a numbered file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the root.
    pub path: PathBuf,
    /// The statement's line, from 1.
    pub line: usize,
    /// The section it stands in: `pre-data`, `derive`.
    pub section: &'static str,
}

/// A statement that makes something that has a name. Compiled once; the pattern is constant, and
/// one that did not compile would find nothing.
static MAKES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix) ^\s* create \s+ (?: or \s+ replace \s+ | unlogged \s+ | recursive \s+ )*
           (?: table | (?: materialized \s+ )? view | function | procedure ) \s+
           (?: if \s+ not \s+ exists \s+ )? (?: public \s* \. \s* )? "?([^\s"(.;]+)"?"#,
    )
    .ok()
});

/// A table that is read: what follows FROM or JOIN.
static READS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?:from|join)\s+(?:only\s+|lateral\s+)?(?:public\.)?"?([a-z_][a-z0-9_]*)"#)
        .ok()
});

/// The first statement that makes each name.
pub fn of(schema: &Schema) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    let Some(makes) = MAKES.as_ref() else { return places };
    for file in &schema.files {
        for section in &file.sections {
            for (index, line) in section.sql.lines().enumerate() {
                let Some(name) = makes.captures(line).and_then(|found| found.get(1)) else {
                    continue;
                };
                places.entry(name.as_str().to_ascii_lowercase()).or_insert_with(|| Place {
                    path: file.path.clone(),
                    line: section.line + index,
                    section: section.kind.word(),
                });
            }
        }
    }
    places
}

/// A statement that makes a view or a function, which may stand in a table's section.
static MAKES_ANOTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^\s*create\s+(?:or\s+replace\s+)?(?:materialized\s+)?(?:view|function|procedure)\b",
    )
    .ok()
});

/// A section without its comments and without the views and functions in it: what is left makes
/// the table. A statement ends with a line that ends in `;` outside a `$$` body.
pub fn of_table(section: &str) -> String {
    let Some(another) = MAKES_ANOTHER.as_ref() else { return String::new() };
    let (mut kept, mut is_other, mut dollars) = (String::new(), false, 0);
    for line in section.lines() {
        let code = line.split("--").next().unwrap_or_default();
        is_other |= another.is_match(code);
        if is_other {
            dollars += code.matches('$').count();
            // A body is opened and closed by two `$` each.
            is_other = !(code.trim_end().ends_with(';') && dollars.is_multiple_of(4));
            if !is_other {
                dollars = 0;
            }
            continue;
        }
        kept.push_str(code);
        kept.push('\n');
    }
    kept
}

/// Which of the known tables and views the SQL reads, but for the one that it makes; sorted.
pub fn reads(sql: &str, known: &[String], made: &str) -> Vec<String> {
    let Some(reads) = READS.as_ref() else { return Vec::new() };
    let code: Vec<&str> =
        sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let found = reads.captures_iter(&code).filter_map(|found| found.get(1));
    let mut names: Vec<String> = found
        .map(|name| name.as_str().to_ascii_lowercase())
        .filter(|name| name != made && known.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_follows_from_and_join_and_is_no_comment() {
        let known = ["plan", "county", "drug", "price"].map(str::to_owned);
        let sql = "create table plan as\nselect extract(year from d) -- from price\n\
                   from county c join lateral drug on true left join public.\"plan\" p on true";
        assert_eq!(reads(sql, &known, "plan"), ["county", "drug"]);
    }

    #[test]
    fn views_and_functions_in_a_section_do_not_count_for_its_table() {
        let section = "insert into plan select * from county; -- all\n\
            create function f() returns int language sql as $f$\n  select 1 from drug;\n$f$;\n\
            create or replace view v as\nselect 1 from price;\n\
            update plan set a = b from drug;\n";
        let left = of_table(section);
        let known = ["plan", "county", "drug", "price"].map(str::to_owned);
        assert_eq!(reads(&left, &known, "plan"), ["county", "drug"]);
        assert!(!left.contains("price") && !left.contains("select 1"), "{left}");
    }
}
