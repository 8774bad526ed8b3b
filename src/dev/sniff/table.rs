//! The draft as a table: the SQL of `sql/<database>/NNNN_<table>.sql`.

use std::fmt::Write as _;

use indicatif::HumanCount;

use super::KeyState;
use super::draft::{Draft, DraftOthers};
use crate::postgres::literal;

/// Other keys that are named.
const OTHERS_SHOWN: usize = 5;

/// One column of the table.
struct ColumnRow<'a> {
    name: &'a str,
    sql: &'a str,
    not_null: bool,
    comment: &'a str,
}

impl Draft {
    /// The table's text, in sections.
    pub(crate) fn table(&self) -> String {
        let table = &self.wish.table;
        let rows = self.table_columns();
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let columns: Vec<String> = rows
            .iter()
            .map(|row| {
                let null = if row.not_null { " not null" } else { "" };
                format!("    {:width$} {}{null}", row.name, row.sql)
            })
            .collect();
        let mut text =
            format!("-- pre-data\ncreate table {table} (\n{}\n);\n\n", columns.join(",\n"));
        let about = literal(&self.about());
        let _ = writeln!(text, "comment on table {table} is\n    {about};");
        for row in &rows {
            let comment = literal(row.comment);
            let _ = writeln!(text, "comment on column {table}.{} is\n    {comment};", row.name);
        }
        self.post_data(&mut text);
        text
    }

    fn table_columns(&self) -> Vec<ColumnRow<'_>> {
        let mut rows = Vec::new();
        for column in self.columns.iter().filter(|column| !column.drop) {
            rows.push(ColumnRow {
                name: &column.name,
                sql: &column.sql,
                not_null: column.not_null,
                comment: &column.comment,
            });
            if let Some(words_to) = &column.words_to {
                let comment = &column.words_comment;
                rows.push(ColumnRow { name: words_to, sql: "text", not_null: false, comment });
            }
        }
        if let DraftOthers::Gather { to, comment, .. } = &self.others {
            rows.push(ColumnRow { name: to, sql: "jsonb", not_null: true, comment });
        }
        rows
    }

    fn about(&self) -> String {
        format!(
            "Rows of {}, as they stand in the file; {} were seen. Drafted from the file alone: \
             what they mean is not said yet. [file]",
            self.place.named(),
            HumanCount(self.rows()),
        )
    }

    fn post_data(&self, text: &mut String) {
        let table = &self.wish.table;
        text.push_str("\n-- post-data\n");
        for (columns, state) in self.other_keys.iter().take(OTHERS_SHOWN) {
            let columns = columns.join(", ");
            let _ = match state {
                KeyState::Unique => writeln!(text, "-- Unique in this file as well: {columns}."),
                KeyState::TooMany => {
                    writeln!(text, "-- Too many rows to tell whether it is a key: {columns}.")
                }
            };
        }
        let columns = self.key.join(", ");
        if self.key_has_nulls {
            // Postgres's primary keys take no null; its unique indexes can count them as equal.
            let _ = writeln!(
                text,
                "create unique index {table}_key on {table} ({columns}) nulls not distinct;"
            );
            return;
        }
        if !self.key.is_empty() {
            let _ = writeln!(text, "alter table {table} add primary key ({columns});");
            return;
        }
        let _ = writeln!(text, "-- No key was found in the file.");
        // A table without any index is read from end to end by every question.
        if let Some(first) = self.columns.iter().find(|column| !column.drop) {
            let index = format!("{table}_{}", first.name);
            let index = &index[..index.len().min(63)];
            let _ = writeln!(text, "create index {index} on {table} ({});", first.name);
        }
    }
}
