//! A file's sections on tables that stand already, rows, keys and all: what a build does that is
//! begun as a copy of another one's files.

use super::{Kind, SchemaFile};
use crate::pg::Ident;

impl SchemaFile {
    /// The file as it runs on its tables, keys and indexes of another build, where that is known to
    /// come to the same: it makes these tables and no others, views of them, and keys and indexes,
    /// and refers to no table of another file. `None` where it does more than that, or says it in
    /// another way than is looked for here.
    pub fn on_standing<'a>(&self, tables: impl Iterator<Item = &'a Ident>) -> Option<SchemaFile> {
        let mut file = self.clone();
        let mut tables: Vec<&str> = tables.map(Ident::as_str).collect();
        for section in &mut file.sections {
            match section.kind {
                Kind::Derive => return None,
                Kind::Check => {}
                Kind::PostData => {
                    let harmless = |statement: &String| {
                        ["create index ", "create unique index ", "alter table "]
                            .iter()
                            .any(|begins| statement.starts_with(begins))
                            && !statement.contains("references")
                    };
                    if !statements(&section.sql)?.iter().all(harmless) {
                        return None;
                    }
                }
                Kind::PreData => {
                    for statement in statements(&section.sql)? {
                        let Some(rest) = statement.strip_prefix("create table ") else {
                            let harmless =
                                ["create view ", "create or replace view ", "comment on "];
                            harmless.iter().find(|begins| statement.starts_with(**begins))?;
                            continue;
                        };
                        let name = rest.split([' ', '(']).next().unwrap_or_default();
                        let at = tables.iter().position(|table| *table == name)?;
                        let name = tables.swap_remove(at);
                        let (made, stands) = (
                            format!("create table {name} ("),
                            format!("create table if not exists {name} ("),
                        );
                        (section.sql.matches(&made).count() == 1).then_some(())?;
                        section.sql = section.sql.replace(&made, &stands);
                    }
                }
            }
        }
        tables.is_empty().then_some(file)
    }
}

/// The statements of simple SQL, in lower case, on one line each, without comments; `None` where
/// two of them stand on one line, or a text goes over lines that end in a semicolon.
fn statements(sql: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut statement = String::new();
    let written = |line: &&str| !line.is_empty() && !line.starts_with("--");
    for line in sql.lines().map(str::trim).filter(written) {
        statement.push_str(&line.to_ascii_lowercase());
        if line.ends_with(';') {
            all.push(std::mem::take(&mut statement));
        } else {
            statement.push(' ');
        }
    }
    all.push(statement);
    all.retain(|statement| !statement.is_empty());
    // Every second piece between quotes is text; a doubled quote ends one text and begins another.
    let outside = |statement: &String| statement.split('\'').step_by(2).collect::<String>();
    let single = |statement: &String| {
        let outside = outside(statement);
        !outside.trim_end_matches(';').contains(';')
            && statement.matches('\'').count().is_multiple_of(2)
    };
    all.iter().all(single).then_some(all)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::sections;
    use super::*;
    use crate::strict::Problems;

    fn on_standing(text: &str, tables: &[&str]) -> Option<String> {
        let sections = sections::parse(Path::new("0001_a.sql"), text, &Problems::default());
        let file = SchemaFile {
            number: 1,
            table: "a".into(),
            path: "0001_a.sql".into(),
            sha256: String::new(),
            sections,
        };
        let tables: Vec<Ident> = tables.iter().filter_map(|name| Ident::parse(name)).collect();
        file.on_standing(tables.iter()).map(|file| file.sections[0].sql.clone())
    }

    #[test]
    fn tables_views_and_keys_alone_come_to_the_same() {
        let good = "-- pre-data\ncreate table a (\n  x int\n);\ncomment on table a is 'A; B';\n\
                    \n-- a view\ncreate view v as select 1;\n-- post-data\ncreate index on a (x);\n";
        let sql = on_standing(good, &["a"]).expect("simple");
        assert!(sql.starts_with("create table if not exists a ("), "{sql}");
        for other in [
            good.replace("create view", "create function"),
            good.replace("  x int", "  x int,\n  y my_type);\ncreate type my_type as (z int"),
            good.replace(
                "create index on a (x);",
                "alter table a add foreign key (x) references b;",
            ),
            good.replace("on a (x);", "on a (x); -- a note\ngrant select on a to b;"),
            good.replace("on a (x);", "on a (x); grant select on a to b;"),
            good.replace("create index on a (x);", "grant select on a to b;"),
            good.replace("create table a (", "create table a\n("),
            good.replace("-- post-data", "create table b ();\n-- post-data"),
            format!("{good}-- derive\ninsert into a values (1);\n"),
        ] {
            assert_eq!(on_standing(&other, &["a"]), None, "{other}");
        }
        assert_eq!(on_standing(good, &["a", "b"]), None, "a table that it does not make");
    }
}
