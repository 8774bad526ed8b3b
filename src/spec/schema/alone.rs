//! Whether a `-- derive from` section makes its own table and does nothing else. Only such a table is
//! brought over from a kept build: what a section makes or changes besides would not be. Its text tells;
//! what is not sure to be harmless is taken for the contrary.

use super::Section;

/// Of a table that is altered: what concerns others, or makes values that no COPY sends.
const BESIDES: [&str; 11] = [
    "rename",
    "schema",
    "references",
    "trigger",
    "inherit",
    "attach",
    "owner",
    "rule",
    "security",
    "generated",
    "serial",
];

impl Section {
    /// Whether all that the section does is to make this table, with its keys and comments.
    pub fn makes_only(&self, table: &str) -> bool {
        let Some(sql) = without_comments(&self.sql.to_lowercase()) else { return false };
        // A semicolon in a text cuts a statement in two, of which the second is none that is known here.
        sql.split(';').all(|statement| is_own(statement, table))
    }
}

/// The lines that are no comments; `None` where it is not sure which are.
fn without_comments(sql: &str) -> Option<String> {
    if sql.contains("/*") {
        return None;
    }
    let mut kept = String::new();
    for line in sql.lines() {
        match line.trim_start().starts_with("--") {
            // In a text of several lines it may be none, and end it.
            true if line.contains(';') && line.contains(['\'', '"', '$']) => return None,
            true => {}
            false if line.contains("--") => return None,
            false => kept.extend([line, "\n"]),
        }
    }
    Some(kept)
}

/// Whether a statement, in lower case, makes or completes this table.
fn is_own(statement: &str, table: &str) -> bool {
    let words: Vec<&str> = statement
        .split(|c: char| c.is_whitespace() || c == '(')
        .filter(|w| !w.is_empty())
        .collect();
    let column = |word: &str| word.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
    match words[..] {
        [] => true,
        ["set", "local", ..] => true,
        ["create", "table", name, "as", ..] => name == table,
        ["alter", "table", name, ..] => {
            name == table && !BESIDES.iter().any(|besides| statement.contains(besides))
        }
        ["create", "index", _, "on", name, ..]
        | ["create", "unique", "index", _, "on", name, ..] => name == table,
        ["comment", "on", "table", name, "is", ..] => name == table,
        ["comment", "on", "column", name, "is", ..] => column(name),
        ["analyze", name] => name == table,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Schema};
    use super::*;
    use crate::config::strict::Problems;

    fn makes_only(sql: &str) -> bool {
        let sql = sql.to_owned();
        let from = vec!["part".to_owned()];
        let section = Section { kind: Kind::Derive, title: String::new(), from, line: 2, sql };
        section.makes_only("tally")
    }

    const MADE: &str = "-- How many; of all.
set local work_mem = '64MB';
create table tally as
with n as (select 1) select count(*)::integer as parts from part;
alter table tally add primary key (parts), alter column parts set not null;
create index tally_parts on tally (parts);
create unique index tally_once on tally(parts);
comment on table tally is 'How many there are: of part.';
comment on column tally.parts is 'Parts.';
analyze tally;
";

    #[test]
    fn a_table_with_keys_and_comments_is_all() {
        assert!(makes_only(MADE));
        assert!(makes_only("Create Table tally AS select 1"));
    }

    #[test]
    fn pharmacies_are_brought_over() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = Schema::read(root, "druginfo", &Problems::default());
        let tables: Vec<String> =
            read.iter().flat_map(|schema| schema.made_alone().map(str::to_owned)).collect();
        assert_eq!(tables, ["pharmacy"]);
    }

    #[test]
    fn what_does_more_or_may_do_more_is_not() {
        for more in [
            "create table second as select code from part;",
            "create view part_seen as select code from part;",
            "create statistics part_s on code, name from part;",
            "alter table part alter column name set statistics 500;",
            "grant select on part to public;",
            "create function f() returns integer language sql as 'select 1';",
            "create trigger t before insert on tally execute function f();",
            "alter table tally add foreign key (parts) references part;",
            "alter table tally add column twice integer generated always as (parts * 2) stored;",
            "create index part_code on part (code);",
            "alter table tally rename to second;",
            "alter table tally set schema kiln;",
            "insert into part select 1;",
            "do $$ begin execute 'create view v as select 1'; end $$;",
            "comment on table tally is 'a; b';",
            "select 1; -- at the end",
            "/* as ever */",
            "comment on table tally is '\n-- '; create view v as select 1; --';",
            "analyze;",
        ] {
            assert!(!makes_only(&format!("{MADE}{more}\n")), "{more}");
        }
    }
}
