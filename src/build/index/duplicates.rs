//! Rows that break a key, by key and line: Postgres names one of them in words that are left out of
//! errors, for they quote values.

use crate::catalog::registry::build::BuildDatabase;
use crate::error::{Exit, Failure, exit_of};
use crate::postgres::{Ident, Session, db};
use crate::spec::schema::{SchemaFile, SectionKind};
use crate::spec::source::Source;

use super::lines::RowLines;

/// Keys that are named.
const KEYS_MAX: usize = 5;
/// Characters of a value that are shown.
const VALUE_MAX: usize = 60;
/// How long they are looked for, for the night has failed.
const PATIENCE: &str = "60s";

/// Adds to a section's error which keys its table has twice, and in which lines, where that is what is
/// wrong and the table is not of people.
pub(super) async fn named(
    build: &BuildDatabase,
    file: &SchemaFile,
    sources: &[Source],
    error: anyhow::Error,
) -> anyhow::Error {
    let source = sources.iter().find(|source| source.tables().any(|t| t.as_str() == file.table));
    let Some(source) = source.filter(|source| !source.personal) else { return error };
    if exit_of(&error) != Exit::ChecksFailed {
        return error;
    }
    let found = match find(build, file, source).await {
        Ok(found) => found,
        Err(why) => {
            tracing::warn!(
                table = file.table,
                why = format!("{why:#}"),
                "its duplicates are not found"
            );
            return error;
        }
    };
    match error.downcast::<Failure>() {
        Ok(mut failure) => {
            found.iter().for_each(|key| failure.message.push_str(&format!("\n  {key}")));
            failure.into()
        }
        Err(error) => error,
    }
}

/// A unique key that a section makes.
struct UniqueKey {
    columns: Vec<String>,
    /// Whether null is a value like any other.
    nulls_are_equal: bool,
}

async fn find(
    build: &BuildDatabase,
    file: &SchemaFile,
    source: &Source,
) -> anyhow::Result<Vec<String>> {
    let Some(table) = Ident::parse(&file.table) else { return Ok(Vec::new()) };
    let session = build.session("duplicates").await?;
    let keys = keys_of(&session, file, &table).await?;
    let lines = match source.name == table {
        true => RowLines::of(&session, source).await?,
        false => None,
    };
    let timeout = format!("set statement_timeout = '{PATIENCE}'");
    session.batch_execute(&timeout).await.map_err(db("look for duplicates"))?;
    let mut found = Vec::new();
    for key in keys {
        let rows = session.query(&query(&table, &key), &[]).await;
        for row in rows.map_err(db("look for duplicates"))? {
            let values: Vec<Option<String>> = row.get(0);
            let (count, places): (i64, Vec<String>) = (row.get(1), row.get(2));
            let mut at = Vec::new();
            for place in &places {
                if let Some(lines) = &lines {
                    at.push(lines.of_row(&session, &table, place).await?);
                }
            }
            found.push(message(&key, &values, count, &at));
        }
        found.truncate(KEYS_MAX);
    }
    Ok(found)
}

/// The keys that a file's section makes, learned by Postgres: it runs on an empty table of that name,
/// which is gone again.
async fn keys_of(
    session: &Session,
    file: &SchemaFile,
    table: &Ident,
) -> anyhow::Result<Vec<UniqueKey>> {
    let mut sql = format!("begin; create temporary table {table} (like public.{table});");
    file.of_kind(&SectionKind::PostData).for_each(|section| sql.push_str(&section.sql));
    session.batch_execute(&sql).await.map_err(db("make the keys of an empty table"))?;
    let sql = "select array(select quote_ident(a.attname)
                            from unnest(i.indkey::int2[]) with ordinality as k (number, place)
                            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
                            order by k.place),
                      i.indnullsnotdistinct
               from pg_index i
               where i.indrelid = format('pg_temp.%I', $1::text)::regclass and i.indisunique
                   and i.indexprs is null and i.indpred is null
               order by i.indexrelid";
    let rows = session.query(sql, &[&table.as_str()]).await.map_err(db("read the keys"))?;
    let keys =
        rows.iter().map(|row| UniqueKey { columns: row.get(0), nulls_are_equal: row.get(1) });
    let keys = keys.collect();
    session.batch_execute("rollback").await.map_err(db("forget the empty table"))?;
    Ok(keys)
}

/// Its duplicates: values, how many rows have them, and where the first two stand.
fn query(table: &Ident, key: &UniqueKey) -> String {
    let columns = key.columns.join(", ");
    let texts: Vec<String> = key.columns.iter().map(|name| format!("{name}::text")).collect();
    let not_null = match key.nulls_are_equal {
        true => "true".to_owned(),
        false => {
            let each: Vec<String> =
                key.columns.iter().map(|name| format!("{name} is not null")).collect();
            each.join(" and ")
        }
    };
    format!(
        "select array[{}], count(*), (array_agg(ctid::text order by ctid))[1:2]
         from public.{table} where {not_null}
         group by {columns} having count(*) > 1 order by min(ctid) limit {KEYS_MAX}",
        texts.join(", ")
    )
}

fn message(key: &UniqueKey, values: &[Option<String>], count: i64, lines: &[u64]) -> String {
    let shown = |value: &Option<String>| match value {
        None => "null".to_owned(),
        Some(text) => {
            let cut: String = text.chars().take(VALUE_MAX).collect();
            cut.escape_debug().to_string()
        }
    };
    let values: Vec<String> = values.iter().map(shown).collect();
    let columns = key.columns.join(", ");
    let values = values.join(", ");
    match lines {
        [first, second] if count == 2 => {
            format!("key ({columns})=({values}) is in lines {first} and {second}")
        }
        [first, second] => {
            format!(
                "key ({columns})=({values}) is in lines {first}, {second} and {} more",
                count - 2
            )
        }
        _ => format!("key ({columns})=({values}) is in {count} rows"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_is_told_by_its_values_and_lines() {
        let key =
            |nulls_are_equal| UniqueKey { columns: vec!["a".into(), "b".into()], nulls_are_equal };
        let values = [Some("x\ny".to_owned()), None];
        let told = |count, lines: &[u64]| message(&key(true), &values, count, lines);
        assert_eq!(told(2, &[3, 7]), "key (a, b)=(x\\ny, null) is in lines 3 and 7");
        assert!(told(5, &[3, 7]).ends_with("is in lines 3, 7 and 3 more"));
        assert!(told(2, &[]).ends_with("is in 2 rows"));
        let table = Ident::parse("item").expect("a name");
        assert!(query(&table, &key(false)).contains("a is not null and b is not null"));
        assert!(query(&table, &key(true)).contains("where true"));
    }
}
