//! The dictionaries' tables: filled when the source's last part is in, for only then all sets are
//! known.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::SinkExt as _;

use super::frozen;
use crate::error::{Exit, failure};
use crate::load::bind::Binding;
use crate::load::validate::dictionary::Shared;
use crate::postgres::{Session, data_error, db};

/// Bytes that are sent at a time.
const CHUNK: usize = 256 << 10;

/// Fills the dictionaries' tables, and says how many rows each has.
///
/// # Errors
/// When Postgres reports an error; [`Exit::ChecksFailed`] when COPY stored another number of rows.
pub(super) async fn write(
    session: &Session,
    binding: &Binding,
    dictionaries: &[Shared],
) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for (binding, sets) in binding.dictionaries.iter().zip(dictionaries) {
        let sql = frozen(&binding.copy_sql());
        let sink = session.copy_in(&sql).await.map_err(db("begin COPY"))?;
        let mut sink = std::pin::pin!(sink);
        for chunk in sets.rows(binding.targets.len(), binding.key, CHUNK) {
            let sent = sink.send(Bytes::from(chunk)).await;
            sent.map_err(|error| data_error("COPY", &error))?;
        }
        let copied = sink.finish().await.map_err(|error| data_error("COPY", &error))?;
        let (table, sent) = (binding.table.as_str(), sets.len() as u64);
        if copied != sent {
            let message = format!("sent {sent} rows to {table}, COPY stored {copied}");
            return Err(failure(Exit::ChecksFailed, message));
        }
        counts.insert(table.to_owned(), copied);
    }
    Ok(counts)
}
