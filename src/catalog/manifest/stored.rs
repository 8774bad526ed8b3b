//! Where builds keep their manifests: one that is begun in a table of its own, a sealed one in its stamp too.

use super::Manifest;
use crate::postgres::{Session, db};

impl Manifest {
    /// What a build is being made from; `None` where its inputs were never fixed.
    ///
    /// # Errors
    /// When the server cannot be asked, or what it has is no manifest.
    pub async fn noted(session: &Session) -> anyhow::Result<Option<Manifest>> {
        read(session, "kiln.manifest", "document").await
    }

    /// What a sealed build was made from, as its stamp says; `None` where it has no stamp.
    ///
    /// # Errors
    /// As [`Manifest::noted`].
    pub async fn stamped(session: &Session) -> anyhow::Result<Option<Manifest>> {
        read(session, "kiln.stamp", "manifest").await
    }
}

async fn read(
    session: &Session,
    table: &'static str,
    column: &'static str,
) -> anyhow::Result<Option<Manifest>> {
    let doing = || db(format!("read the manifest in {table}"));
    // A view of that name could do anything with the rights of whoever reads it.
    let sql = "select exists (select from pg_class where oid = to_regclass($1) and relkind = 'r')";
    let is_there = session.query_one(sql, &[&table]).await;
    if !is_there.map_err(doing())?.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = session.query_opt(&format!("select {column} from {table}"), &[]).await;
    let row = row.map_err(doing())?;
    Ok(row.map(|row| serde_json::from_value(row.get(0))).transpose()?)
}
