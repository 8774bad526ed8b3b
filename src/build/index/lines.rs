//! In which line of its file a row stood. It is derived from the row's place in its table, where rows were
//! sent in the order of one file and each line that is no row is known.

use crate::catalog::ledger::SourceEntry;
use crate::postgres::{Ident, Session, db};
use crate::spec::source::Source;

/// What tells the lines of a table's rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RowLines {
    /// Lines before the first row.
    header: u64,
    /// Lines that were refused, in order.
    rejected: Vec<u64>,
}

impl RowLines {
    /// Of the rows that a source filled its table with; `None` where their lines are not known:
    /// rows of several files, rows that stand for many of a file's, lines that a filter left out, records
    /// of several lines. Files about people give nothing.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) async fn of(session: &Session, source: &Source) -> anyhow::Result<Option<RowLines>> {
        if source.personal || !source.dictionaries.is_empty() || may_span_lines(source) {
            return Ok(None);
        }
        let name = source.name.as_str();
        let sql = "select entry from kiln.source where source = $1 and state = 'loaded'";
        let row = session.query_opt(sql, &[&name]).await.map_err(db("read the source"))?;
        let entry: Option<SourceEntry> =
            row.map(|row| serde_json::from_value(row.get(0))).transpose()?;
        let Some([file]) = entry.as_ref().map(|entry| entry.files.as_slice()) else {
            return Ok(None);
        };
        let sql = "select line from kiln.reject where source = $1 order by line";
        let rows = session.query(sql, &[&name]).await.map_err(db("read the rejects"))?;
        let rejected: Vec<u64> =
            rows.iter().map(|row| row.get::<_, i64>(0).unsigned_abs()).collect();
        let is_known = file.filtered == 0 && file.rejected == rejected.len() as u64;
        Ok(is_known.then_some(RowLines { header: file.header, rejected }))
    }

    /// The line of a row, by its place in the table as Postgres writes it: `(0,7)`.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) async fn of_row(
        &self,
        session: &Session,
        table: &Ident,
        place: &str,
    ) -> anyhow::Result<u64> {
        let sql = format!("select count(*) from public.{table} where ctid < $1::text::tid");
        let row = session.query_one(&sql, &[&place]).await.map_err(db("look for the row"))?;
        Ok(self.of_nth(row.get::<_, i64>(0).unsigned_abs()))
    }

    /// The line of the row that `before` rows precede.
    fn of_nth(&self, before: u64) -> u64 {
        let mut line = self.header + before + 1;
        for rejected in &self.rejected {
            line += u64::from(*rejected <= line);
        }
        line
    }
}

/// Whether a record of this source may have more than one line.
fn may_span_lines(source: &Source) -> bool {
    source.format.multiline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_refused_are_counted() {
        let lines = |rejected: &[u64]| RowLines { header: 1, rejected: rejected.to_vec() };
        assert_eq!([0, 1, 2].map(|before| lines(&[]).of_nth(before)), [2, 3, 4]);
        // Lines 2, 4 and 5 are rejects: rows stand in 3, 6 and 7.
        assert_eq!([0, 1, 2].map(|before| lines(&[2, 4, 5]).of_nth(before)), [3, 6, 7]);
    }
}
