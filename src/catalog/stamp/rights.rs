//! The seal's own fingerprint, beside the schema's: owners, rights, settings of the database, row
//! security, rules, triggers. A build with a changed one holds the same rows and shows others.

use crate::postgres::{Session, db};

/// Reads it, a line a fact.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn read(session: &Session) -> anyhow::Result<Vec<String>> {
    let rows = session.query(include_str!("rights.sql"), &[]).await;
    let rows = rows.map_err(db("read rights and settings"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
