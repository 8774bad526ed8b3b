//! What a build says of its tables: rows, period, files and digests from kiln's own account, null
//! shares, distinct counts and examples from Postgres's statistics, which the index stage took.
//!
//! Of a table that is about people no value is asked for, and shares are in whole percent: a share
//! of a known number of rows is a count, and CMS publishes no count of people from 1 to 10.

use std::collections::BTreeMap;

use crate::catalog::ledger::SourceEntry;
use crate::postgres::{Ident, Session, db};

use super::DataDictionary;

/// Rows that ANALYZE reads at most: 300 times Postgres's default of 100. Up to here its figures
/// are exact; beyond it they come from a sample.
pub(crate) const ROWS_SAMPLED: u64 = 30_000;

/// The longest example, in characters; a longer value is cut and ends in `…`.
const EXAMPLE_CHARACTERS: i32 = 40;

/// Characters of all examples of a column, so that long texts do not push all else away.
const EXAMPLES_CHARACTERS: usize = 120;

/// What one build says.
#[derive(Debug)]
pub(crate) struct BuildFacts {
    /// The build's own name.
    pub build: String,
    /// Its schema's version, which may not be the one that is described.
    pub version: u32,
    /// The data's period.
    pub period: String,
    /// When it was sealed.
    pub sealed: String,
    /// By the table's name.
    pub tables: BTreeMap<String, TableStatistics>,
}

/// What a build says of one table.
#[derive(Debug, Default)]
pub(crate) struct TableStatistics {
    /// Rows: counted of a loaded table, of a derived one as Postgres's statistics have them.
    pub rows: u64,
    /// Bytes on disk, indexes included.
    pub bytes: u64,
    /// Whether the build was made without its source, by wish.
    pub is_left_out: bool,
    /// Its source's account; `None` of a derived table.
    pub source: Option<SourceEntry>,
    /// sha256 of the spec that loaded it, in hex.
    pub spec_sha256: Option<String>,
    /// By the column's name; empty where nothing has been analysed.
    pub columns: BTreeMap<String, ColumnFacts>,
    /// What the documents of a jsonb column hold, by the column's name; none of a table about
    /// people.
    pub keys: BTreeMap<String, DocumentKeys>,
}

/// The keys of a column of documents.
#[derive(Debug, Default)]
pub(crate) struct DocumentKeys {
    /// Rows that were looked at.
    pub rows: u64,
    /// By name.
    pub keys: Vec<DocumentKey>,
}

/// One key of a document.
#[derive(Debug)]
pub(crate) struct DocumentKey {
    /// Its name.
    pub name: String,
    /// The share of the rows that have it, above 0 and to 1.
    pub share: f64,
    /// A value of it.
    pub example: String,
}

impl TableStatistics {
    /// Whether shares and counts come from a sample.
    pub(crate) fn is_sampled(&self) -> bool {
        self.rows > ROWS_SAMPLED
    }
}

/// What a build says of one column.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ColumnFacts {
    /// From 0 to 1.
    pub null_share: f64,
    /// Different values; `None` of a table about people.
    pub distinct: Option<u64>,
    /// Frequent values, the most frequent first; empty of a table about people.
    pub examples: Vec<String>,
    /// The lowest and the highest value of a column without frequent ones.
    pub range: Option<(String, String)>,
}

/// Asks a sealed build; `None` when it carries no stamp.
///
/// # Errors
/// When it cannot be asked.
pub(crate) async fn read(
    session: &Session,
    dictionary: &DataDictionary,
) -> anyhow::Result<Option<BuildFacts>> {
    let stamped: bool = session
        .query_one("select to_regclass('kiln.stamp') is not null", &[])
        .await
        .map_err(db("look for the stamp"))?
        .get(0);
    if !stamped {
        return Ok(None);
    }
    let stamp = session
        .query_opt(
            "select build, version, period,
                    to_char(sealed_at at time zone 'utc', 'YYYY-MM-DD HH24:MI \"UTC\"'), manifest,
                    without
             from kiln.stamp",
            &[],
        )
        .await
        .map_err(db("read the stamp"))?;
    let Some(stamp) = stamp else { return Ok(None) };
    let mut facts = BuildFacts {
        build: stamp.get(0),
        version: stamp.get::<_, i32>(1).cast_unsigned(),
        period: stamp.get(2),
        sealed: stamp.get(3),
        tables: sizes(session).await?,
    };
    let manifest: serde_json::Value = stamp.get(4);
    for source in stamp.get::<_, Vec<String>>(5) {
        facts.tables.entry(source).or_default().is_left_out = true;
    }
    let rows = session
        .query("select entry from kiln.source where state = 'loaded'", &[])
        .await
        .map_err(db("read the sources"))?;
    for row in rows {
        let entry: SourceEntry = serde_json::from_value(row.get(0))?;
        let table = facts.tables.entry(entry.source.clone()).or_default();
        table.rows = entry.counted;
        let spec_sha256 = manifest["sources"][&entry.source]["spec_sha256"].as_str();
        table.spec_sha256 = spec_sha256.map(str::to_owned);
        table.source = Some(entry);
    }
    statistics(session, dictionary, &mut facts.tables).await?;
    for relation in dictionary.relations.iter().filter(|relation| !relation.is_personal) {
        let Some(table) = facts.tables.get_mut(relation.name()) else { continue };
        for column in relation.described.columns.iter().filter(|c| c.type_name == "jsonb") {
            if let Some(keys) = keys(session, relation.name(), &column.name, table.rows).await? {
                table.keys.insert(column.name.clone(), keys);
            }
        }
    }
    Ok(Some(facts))
}

async fn keys(
    session: &Session,
    table: &str,
    column: &str,
    rows: u64,
) -> anyhow::Result<Option<DocumentKeys>> {
    let (Some(table), Some(column)) = (Ident::parse(table), Ident::parse(column)) else {
        return Ok(None);
    };
    let percent = (100.0 * ROWS_SAMPLED as f64 / rows.max(1) as f64).min(100.0);
    let sql = include_str!("keys.sql")
        .replace("{table}", &table.to_string())
        .replace("{column}", &column.to_string())
        .replace("{percent}", &format!("{percent:.6}"));
    let found = session
        .query(&sql, &[&EXAMPLE_CHARACTERS])
        .await
        .map_err(db(format!("look into the documents of {}", table.as_str())))?;
    let Some(first) = found.first() else { return Ok(None) };
    let rows = first.get::<_, i64>(3);
    let keys = found.iter().map(|row| DocumentKey {
        name: row.get(0),
        share: row.get::<_, i64>(1) as f64 / rows.max(1) as f64,
        example: row.get::<_, Option<String>>(2).unwrap_or_default(),
    });
    Ok(Some(DocumentKeys { rows: rows.cast_unsigned(), keys: keys.collect() }))
}

async fn sizes(session: &Session) -> anyhow::Result<BTreeMap<String, TableStatistics>> {
    let rows = session
        .query(
            "select relname::text, greatest(reltuples, 0)::float8, pg_total_relation_size(oid)
             from pg_class
             where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm')",
            &[],
        )
        .await
        .map_err(db("read the tables' sizes"))?;
    let facts = rows.iter().map(|row| {
        let table = TableStatistics {
            rows: row.get::<_, f64>(1) as u64,
            bytes: row.get::<_, i64>(2).cast_unsigned(),
            ..TableStatistics::default()
        };
        (row.get(0), table)
    });
    Ok(facts.collect())
}

/// Postgres's statistics. Values of tables about people, and whole documents, stay in Postgres.
async fn statistics(
    session: &Session,
    dictionary: &DataDictionary,
    tables: &mut BTreeMap<String, TableStatistics>,
) -> anyhow::Result<()> {
    let personal = dictionary.relations.iter().filter(|relation| relation.is_personal);
    let personal: Vec<&str> = personal.map(|relation| relation.name()).collect();
    let known: Vec<&str> = dictionary.relations.iter().map(|relation| relation.name()).collect();
    let rows = session
        .query(include_str!("statistics.sql"), &[&known, &personal, &EXAMPLE_CHARACTERS])
        .await
        .map_err(db("read the statistics"))?;
    for row in rows {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let Some(facts) = tables.get_mut(&table) else { continue };
        let share = f64::from(row.get::<_, f32>(2));
        let is_personal = personal.contains(&table.as_str());
        let examples: Option<Vec<String>> = row.get(4);
        let range: (Option<String>, Option<String>) = (row.get(5), row.get(6));
        let found = ColumnFacts {
            null_share: if is_personal { whole_percent(share) } else { share },
            distinct: (!is_personal).then(|| distinct(row.get(3), facts.rows)),
            examples: few(examples.unwrap_or_default()),
            range: range.0.zip(range.1),
        };
        facts.columns.insert(column, found);
    }
    Ok(())
}

/// As many from the front as have room, and at least one.
fn few(mut examples: Vec<String>) -> Vec<String> {
    let mut left = EXAMPLES_CHARACTERS;
    let fits = examples.iter().position(|example| {
        let length = example.chars().count();
        let too_long = length > left;
        left = left.saturating_sub(length);
        too_long
    });
    examples.truncate(fits.unwrap_or(examples.len()).max(1));
    examples
}

/// Rounded, but neither to nothing nor to all.
fn whole_percent(share: f64) -> f64 {
    match share {
        share if share <= 0.0 || share >= 1.0 => share,
        share => ((share * 100.0).round() / 100.0).clamp(0.01, 0.99),
    }
}

/// Postgres keeps a count, or below zero a share of the rows where the count grows with them.
fn distinct(said: f32, rows: u64) -> u64 {
    let said = f64::from(said);
    if said < 0.0 { (-said * rows as f64).round() as u64 } else { said as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_people_are_coarse_and_never_say_none_or_all_of_some() {
        assert_eq!(whole_percent(0.0), 0.0);
        assert_eq!(whole_percent(0.000_1), 0.01);
        assert_eq!(whole_percent(0.123_4), 0.12);
        assert_eq!(whole_percent(0.999_9), 0.99);
        assert_eq!(whole_percent(1.0), 1.0);
    }

    #[test]
    fn distinct_counts_may_be_a_share_of_the_rows() {
        assert_eq!((distinct(7.0, 100), distinct(-1.0, 100), distinct(-0.25, 100)), (7, 100, 25));
    }
}
