//! Rows that the loader filled a table with stay as they were read: keys and indexes stand on them, and
//! other tables are made of them. What a section writes into such a table is found by the server's own
//! counters, in the transaction that does it, with the section's place.

use std::collections::BTreeMap;

use crate::error::{Exit, Failure};
use crate::postgres::{Session, db};
use crate::spec::schema::{SchemaFile, SectionKind};

/// Rows inserted, updated and deleted so far, by table; of the tables that sources and their dictionaries
/// fill. A session's counters are not reset between transactions: only their differences count.
pub(super) struct RowChanges(BTreeMap<String, [i64; 3]>);

const WRITTEN: &str = "
    select c.relname::text, pg_stat_get_xact_tuples_inserted(c.oid),
           pg_stat_get_xact_tuples_updated(c.oid), pg_stat_get_xact_tuples_deleted(c.oid)
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname in (select source from kiln.source
                        union all
                        select jsonb_object_keys(entry -> 'dictionaries') from kiln.source
                        where jsonb_typeof(entry -> 'dictionaries') = 'object')";

impl RowChanges {
    /// What the open transaction's session has written.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(super) async fn read(session: &Session) -> anyhow::Result<RowChanges> {
        let rows = session.query(WRITTEN, &[]).await.map_err(db("ask what was written"))?;
        let counts = |row: &tokio_postgres::Row| [1, 2, 3].map(|column| row.get(column));
        Ok(RowChanges(rows.iter().map(|row| (row.get(0), counts(row))).collect()))
    }

    /// Refuses what a file's section of this kind has written since.
    ///
    /// # Errors
    /// [`Exit::ChecksFailed`] with the section's place and the table.
    pub(super) async fn refuse_more(
        &self,
        session: &Session,
        file: &SchemaFile,
        kind: &SectionKind,
    ) -> anyhow::Result<()> {
        let now = RowChanges::read(session).await?;
        let before = |table: &String| self.0.get(table).copied().unwrap_or_default();
        let mut changed = now.0.iter().filter(|(table, counts)| before(table) != **counts);
        let Some((table, counts)) = changed.next() else { return Ok(()) };
        let was = before(table);
        let words: Vec<String> = ["inserted", "updated", "deleted"]
            .iter()
            .enumerate()
            .filter(|(place, _)| counts[*place] != was[*place])
            .map(|(place, word)| format!("{} {word}", counts[place] - was[place]))
            .collect();
        let line = file.of_kind(kind).next().map_or(0, |section| section.line - 1);
        let message = format!(
            "{}:{line}: `-- {}` changes table {table}, which is as the files have it: {} rows",
            file.path.display(),
            kind.word(),
            words.join(", ")
        );
        Err(Failure::new(Exit::ChecksFailed, message)
            .hint("leave rows out with a filter in the source's spec; what is made of them is a table of its own")
            .into())
    }
}
