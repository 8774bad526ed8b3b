//! The first rows that a check found, by their keys and, where it is known, by the lines of the file
//! that they stood in. Of a database that holds people nothing is shown.

use std::collections::BTreeMap;

use tokio_postgres::SimpleQueryMessage;

use super::BEGIN;
use crate::build::index::lines::RowLines;
use crate::catalog::registry::build::BuildDatabase;
use crate::postgres::{Ident, Session, db, literal};
use crate::spec::source::Source;

/// Rows that are shown.
const ROWS_MAX: usize = 5;
/// Columns that are shown where the check gives none of a key.
const COLUMNS_MAX: usize = 4;
/// Characters of a value that are shown.
const VALUE_MAX: usize = 60;

/// The keys of the first rows that a check finds; none where they cannot be told.
pub(super) async fn of(build: &BuildDatabase, sql: &str, sources: &[Source]) -> Vec<String> {
    if sources.iter().any(|source| source.personal) {
        return Vec::new();
    }
    match look(build, sql, sources).await {
        Ok(keys) => keys,
        Err(error) => {
            // The check has failed, and that is what counts.
            tracing::warn!(error = format!("{error:#}"), "the rows of a check are not shown");
            Vec::new()
        }
    }
}

/// A column of the check's result.
struct ResultColumn {
    name: String,
    /// The table's column that it is, where it is one.
    origin: Option<(u32, i16)>,
}

async fn look(build: &BuildDatabase, sql: &str, sources: &[Source]) -> anyhow::Result<Vec<String>> {
    let session = build.session("keys of a check").await?;
    let doing = || db("look for the rows of a check");
    session.batch_execute(BEGIN).await.map_err(doing())?;
    let statement = session.prepare(sql).await.map_err(doing())?;
    let columns: Vec<ResultColumn> = statement
        .columns()
        .iter()
        .map(|column| ResultColumn {
            name: column.name().to_owned(),
            origin: column.table_oid().zip(column.column_id()),
        })
        .collect();
    let keys = UniqueKeys::of(&session, &columns).await?;
    let places = keys.places(&columns);
    // Values in the form that people read, whatever their types.
    let cursor = format!("declare of_check no scroll cursor for {sql}");
    session.execute(&cursor, &[]).await.map_err(doing())?;
    let fetch = format!("fetch {ROWS_MAX} from of_check");
    let messages = session.simple_query(&fetch).await.map_err(doing())?;
    let lines = keys.lines(&session, sources, &columns).await?;
    let mut said = Vec::new();
    for message in messages {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let names: Vec<&str> = places.iter().map(|at| columns[*at].name.as_str()).collect();
        let values: Vec<String> = places.iter().map(|at| shown(row.get(*at))).collect();
        let mut key = format!("({})=({})", names.join(", "), values.join(", "));
        if let Some(known) = &lines {
            let values: Vec<Option<&str>> = known.places.iter().map(|at| row.get(*at)).collect();
            if let Some(line) = known.line_of(&session, &values).await? {
                key.push_str(&format!(" in line {line}"));
            }
        }
        said.push(key);
    }
    session.batch_execute("rollback").await.map_err(doing())?;
    build.give_back(session);
    Ok(said)
}

/// A value as it is shown: on one line, and not all of a long one.
fn shown(value: Option<&str>) -> String {
    let Some(text) = value else { return "null".to_owned() };
    let cut: String = text.chars().take(VALUE_MAX).collect();
    cut.escape_debug().to_string()
}

/// A column of a key: its number and its name.
type KeyColumn = (i16, String);

/// The unique keys of the tables that a check's columns are of.
struct UniqueKeys {
    /// Of a table: its name, and the columns of each key.
    tables: BTreeMap<u32, (String, Vec<Vec<KeyColumn>>)>,
}

impl UniqueKeys {
    async fn of(session: &Session, columns: &[ResultColumn]) -> anyhow::Result<UniqueKeys> {
        let tables: Vec<u32> = columns.iter().filter_map(|c| Some(c.origin?.0)).collect();
        let sql = "select i.indrelid, c.relname::text, i.indkey::int2[],
                          array(select a.attname::text
                                from unnest(i.indkey::int2[]) with ordinality as k (number, place)
                                join pg_attribute a
                                    on a.attrelid = i.indrelid and a.attnum = k.number
                                order by k.place)
                   from pg_index i join pg_class c on c.oid = i.indrelid
                   where i.indrelid = any ($1) and i.indisunique and i.indexprs is null
                       and c.relnamespace = 'public'::regnamespace
                   order by i.indisprimary desc, i.indexrelid";
        let rows = session.query(sql, &[&tables]).await.map_err(db("read the keys"))?;
        let mut keys = UniqueKeys { tables: BTreeMap::new() };
        for row in rows {
            let (numbers, names): (Vec<i16>, Vec<String>) = (row.get(2), row.get(3));
            let (_, of_table) =
                keys.tables.entry(row.get(0)).or_insert_with(|| (row.get(1), Vec::new()));
            of_table.push(numbers.into_iter().zip(names).collect());
        }
        Ok(keys)
    }

    /// The columns to show: those of keys, else the first ones.
    fn places(&self, columns: &[ResultColumn]) -> Vec<usize> {
        let is_key = |column: &ResultColumn| {
            let Some((table, number)) = column.origin else { return false };
            let known = self.tables.get(&table).into_iter().flat_map(|(_, keys)| keys.iter());
            known.flatten().any(|(of_key, _)| *of_key == number)
        };
        let own: Vec<usize> = (0..columns.len()).filter(|at| is_key(&columns[*at])).collect();
        if own.is_empty() { (0..columns.len().min(COLUMNS_MAX)).collect() } else { own }
    }

    /// What tells the lines of the rows that the check gives with a whole key of theirs.
    async fn lines(
        &self,
        session: &Session,
        sources: &[Source],
        columns: &[ResultColumn],
    ) -> anyhow::Result<Option<KnownLines>> {
        for (oid, (name, keys)) in &self.tables {
            let at = |(number, _): &KeyColumn| {
                columns.iter().position(|column| column.origin == Some((*oid, *number)))
            };
            let whole = |key: &Vec<KeyColumn>| {
                let places = key.iter().map(at).collect::<Option<Vec<usize>>>()?;
                let names = key.iter().map(|(_, name)| Ident::parse(name));
                Some((places, names.collect::<Option<Vec<Ident>>>()?))
            };
            let Some((places, names)) = keys.iter().find_map(whole) else { continue };
            let source = sources.iter().find(|source| source.name.as_str() == name);
            let (Some(source), Some(table)) = (source, Ident::parse(name)) else { continue };
            if let Some(lines) = RowLines::of(session, source).await? {
                return Ok(Some(KnownLines { table, lines, names, places }));
            }
        }
        Ok(None)
    }
}

/// What tells the line of a row by its key.
struct KnownLines {
    table: Ident,
    lines: RowLines,
    /// The key's columns.
    names: Vec<Ident>,
    /// Where the check gives them.
    places: Vec<usize>,
}

impl KnownLines {
    async fn line_of(
        &self,
        session: &Session,
        key: &[Option<&str>],
    ) -> anyhow::Result<Option<u64>> {
        let condition = |(name, value): (&Ident, &Option<&str>)| match value {
            Some(value) => format!("{name} = {}", literal(value)),
            None => format!("{name} is null"),
        };
        let conditions: Vec<String> = self.names.iter().zip(key).map(condition).collect();
        let sql = format!(
            "select ctid::text from public.{} where {} limit 2",
            self.table,
            conditions.join(" and ")
        );
        let rows = session.query(&sql, &[]).await.map_err(db("look for the row"))?;
        match rows.as_slice() {
            [row] => self.lines.of_row(session, &self.table, row.get(0)).await.map(Some),
            _ => Ok(None),
        }
    }
}
