//! What the scratch database made of the rows: the first of them, and whether the tables' keys
//! and checks hold.

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio_postgres::error::SqlState;

use super::SourceTrial;
use crate::build::check::{self, CheckTrial};
use crate::error::{Exit, failure};
use crate::load::bind;
use crate::postgres::{data_error, db};
use crate::report::TriedCheck;
use crate::spec::schema::catalog::TableColumn;
use crate::spec::schema::{Section, SectionKind};
use crate::spec::source::Dictionary;

/// Bytes of a dictionary's table that are sent at a time.
const DICTIONARY_CHUNK: usize = 256 << 10;

/// What stands for a column of the table.
enum ShownColumn<'a> {
    /// Itself.
    Own(&'a TableColumn),
    /// The columns of the dictionary of this index.
    Set(usize),
}

/// Names and types.
type ColumnTypes = Vec<(String, String)>;

impl SourceTrial {
    /// The table's columns with their types, and its first rows; of persons no row is shown. For a
    /// dictionary's number stands what it is the number of.
    pub(super) async fn rows(
        &self,
        most: u32,
    ) -> anyhow::Result<(ColumnTypes, Vec<Vec<Option<String>>>)> {
        let tables = bind::tables(&self.session, &self.source).await?;
        let own = self.source.name.as_str();
        let (mut columns, mut texts) = (ColumnTypes::new(), Vec::new());
        let (mut joins, mut order) = (String::new(), format!("\"{own}\".ctid"));
        let of = |table: &str| tables.get(table).map_or(&[][..], Vec::as_slice);
        let dictionaries = &self.source.dictionaries;
        // In the table's order; packed rows have what the dictionaries have, in the spec's.
        let in_order: Vec<ShownColumn<'_>> = match &self.source.pack {
            Some(pack) => {
                let to = pack.to.as_str();
                joins = format!(
                    " cross join lateral generate_subscripts(\"{own}\".\"{to}\", 1) as place"
                );
                order.push_str(", place");
                (0..dictionaries.len()).map(ShownColumn::Set).collect()
            }
            None => of(own)
                .iter()
                .map(|column| {
                    let number = |known: &Dictionary| known.to.as_str() == column.name;
                    dictionaries
                        .iter()
                        .position(number)
                        .map_or(ShownColumn::Own(column), ShownColumn::Set)
                })
                .collect(),
        };
        let mut show = |table: &str, column: &TableColumn| {
            columns.push((column.name.clone(), column.type_name.clone()));
            texts.push(format!("\"{table}\".\"{}\"::text", column.name));
        };
        for shown in in_order {
            let index = match shown {
                ShownColumn::Own(column) => {
                    show(own, column);
                    continue;
                }
                ShownColumn::Set(index) => index,
            };
            let (table, id) = (dictionaries[index].table.as_str(), bind::ID);
            // Not those that Postgres reckons.
            let own_columns = &dictionaries[index].columns;
            let is_said =
                |column: &&TableColumn| own_columns.iter().any(|name| name.as_str() == column.name);
            of(table).iter().filter(is_said).for_each(|column| show(table, column));
            let number = bind::pack::number_sql(&self.source, index, "place");
            joins.push_str(&format!(" join \"{table}\" on \"{table}\".{id} = {number}"));
        }
        if self.source.personal {
            return Ok((columns, Vec::new()));
        }
        // The order of the file, but for rows that were packed: nothing else has written to the table.
        let sql = format!(
            "select {} from \"{own}\"{joins} order by {order} limit {most}",
            texts.join(", ")
        );
        let rows = self.session.query(&sql, &[]).await.map_err(db("read the first rows"))?;
        let cells = |row: &tokio_postgres::Row| (0..row.len()).map(|cell| row.get(cell)).collect();
        Ok((columns, rows.iter().map(cells).collect()))
    }

    /// Fills the tables of the dictionaries.
    pub(super) async fn write_dictionaries(&self) -> anyhow::Result<()> {
        let refused = |error| data_error("COPY", &error);
        for (binding, sets) in self.binding.dictionaries.iter().zip(self.dictionaries.iter()) {
            let sql = binding.copy_sql();
            let copy = self.session.copy_in(&sql).await.map_err(db("begin COPY"))?;
            let mut copy = std::pin::pin!(copy);
            for chunk in sets.rows(binding.targets.len(), binding.key, DICTIONARY_CHUNK) {
                copy.send(Bytes::from(chunk)).await.map_err(refused)?;
            }
            copy.finish().await.map_err(refused)?;
        }
        Ok(())
    }

    /// Makes the table's keys and indexes, then all that the night would make of the rows, the other
    /// tables being empty, and runs the checks; one that needs what could not be made is not tried.
    pub(super) async fn checks(&self) -> anyhow::Result<(Vec<TriedCheck>, Option<String>)> {
        let mut tried = Vec::new();
        for file in &self.tables {
            for section in file.of_kind(&SectionKind::PostData) {
                let failed = match self.session.batch_execute(&section.sql).await {
                    Ok(()) => None,
                    // One statement that needs another table takes the keys beside it back, too.
                    Err(error) if needs_others(&error) => {
                        Some("not tried: they need tables that other files make".to_owned())
                    }
                    Err(error) => Some(self.broken(&error)?),
                };
                tried.push(TriedCheck::new("keys and indexes", file, section, failed));
            }
        }
        let note = self.make_others(&mut tried).await?;
        for file in self.tables.iter().chain(&self.others) {
            let is_own = self.tables.iter().any(|own| own.table == file.table);
            for section in file.of_kind(&SectionKind::Check) {
                let Some(failed) = self.check(section).await? else { continue };
                if is_own || failed.is_some() {
                    tried.push(TriedCheck::new(&section.title, file, section, failed));
                }
            }
        }
        Ok((tried, note))
    }

    /// Makes the other tables, and fills those that are made from tables. Where a file beside the
    /// source's own is wrong by itself, which a night would say, the rest is left and the file is named.
    async fn make_others(&self, tried: &mut Vec<TriedCheck>) -> anyhow::Result<Option<String>> {
        for kind in [SectionKind::PreData, SectionKind::PostData, SectionKind::Derive] {
            for file in &self.others {
                for section in file.of_kind(&kind) {
                    let Err(error) = self.session.batch_execute(&section.sql).await else {
                        continue;
                    };
                    let said = self.broken(&error)?;
                    if is_of_the_file(&error) {
                        let file = file.path.display();
                        return Ok(Some(format!(
                            "what is made from it was not tried: {file}: {said}"
                        )));
                    }
                    let title = format!("{} is made", file.table);
                    tried.push(TriedCheck::new(&title, file, section, Some(said)));
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// What a check finds; `None` where it needs what is not there.
    async fn check(&self, section: &Section) -> anyhow::Result<Option<Option<String>>> {
        let rows = match check::try_on(&self.session, &section.sql).await {
            Ok(CheckTrial::Rows(rows)) => rows,
            Ok(CheckTrial::NoQuery) => 0, // `kiln schema check` says so
            Err(error) if needs_others(&error) => return Ok(None),
            // Its message may quote a value.
            Err(error) if self.source.personal => {
                return Err(data_error(&format!("run the check {}", section.title), &error));
            }
            Err(error) => return Err(db(format!("run the check {}", section.title))(error)),
        };
        Ok(Some((rows > 0).then(|| format!("{rows} rows do not hold"))))
    }

    /// What Postgres says of a key that the rows break; of persons without DETAIL, which has values.
    fn broken(&self, error: &tokio_postgres::Error) -> anyhow::Result<String> {
        let Some(said) = error.as_db_error() else {
            return Err(failure(Exit::Database, "the server of the scratch database is gone"));
        };
        if self.source.personal {
            let constraint = said.constraint().map(|name| format!(", {name}")).unwrap_or_default();
            return Ok(format!("SQLSTATE {}{constraint}", said.code().code()));
        }
        let detail = said.detail().map(|detail| format!(": {detail}"));
        Ok(format!("{}{}", said.message(), detail.unwrap_or_default()))
    }
}

/// Whether a section speaks of a table or a function that other files make.
fn needs_others(error: &tokio_postgres::Error) -> bool {
    let missing = [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_FUNCTION];
    error.code().is_some_and(|code| missing.contains(code))
}

/// Whether a file cannot be run as it is, whatever the rows: SQL that is wrong, or names what is not
/// there.
fn is_of_the_file(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("42"))
}
