//! Tables that are made from the rows of others while keys are still being built: `-- derive from A, B`.
//! What may go wrong beside keys is held here: locks in another order than theirs, and tables that are
//! read before their rows are in.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

use super::{SchemaFile, Section, catalog};
use crate::error::stopped;
use crate::postgres::{Session, db};

/// Between two attempts to lock.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// An early section that is about to run in the open transaction.
pub struct Beginning<'a> {
    file: &'a SchemaFile,
    section: &'a Section,
    /// Tables that were there before it.
    tables: Vec<String>,
}

impl SchemaFile {
    /// Prepares the transaction that is open for this file's early derive section, where it has one:
    /// all tables that the marker names are locked, or none. A key's transaction locks the tables of
    /// its file one after another and for itself alone: who waited for one of them and held another
    /// would wait for ever. A table that is not there is the section's own affair.
    ///
    /// # Errors
    /// When Postgres reports an error, or the run is stopped.
    pub async fn begin_early(
        &self,
        session: &Session,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Beginning<'_>>> {
        let mut sections = self.sections.iter();
        let Some(section) = sections.find(|section| section.is_early()) else { return Ok(None) };
        let tables = catalog::tables(session).await?;
        let there = section.from.iter().filter(|name| tables.contains(name));
        let names: Vec<String> = there.map(|name| format!("\"{name}\"")).collect();
        if names.is_empty() {
            return Ok(Some(Beginning { file: self, section, tables }));
        }
        let lock = format!("lock table {} in access share mode nowait", names.join(", "));
        session.batch_execute("savepoint early").await.map_err(db("set a savepoint"))?;
        loop {
            match session.batch_execute(&lock).await {
                Ok(()) => break,
                Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {}
                Err(error) => return Err(db(format!("lock what {} reads", self.table))(error)),
            }
            if stop.is_cancelled() {
                return Err(stopped());
            }
            let back = session.batch_execute("rollback to savepoint early").await;
            back.map_err(db("give the locks back"))?;
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        Ok(Some(Beginning { file: self, section, tables }))
    }
}

impl Beginning<'_> {
    /// Whether the section, which has run by now, has read tables that its marker does not name: it may
    /// have found a part of their rows, or none. Gives the marker's line and what is wrong. Locks tell
    /// it, so that views and functions hide nothing.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn reads_unnamed(
        &self,
        session: &Session,
    ) -> anyhow::Result<Option<(usize, String)>> {
        let Beginning { file, section, tables } = self;
        let is_unnamed = |table: &String| {
            tables.contains(table) && !section.from.contains(table) && *table != file.table
        };
        let locked = catalog::tables_locked(session).await?;
        let unnamed: Vec<String> = locked.into_iter().filter(is_unnamed).collect();
        if unnamed.is_empty() {
            return Ok(None);
        }
        let all = [section.from.as_slice(), &unnamed].concat().join(", ");
        let message = format!(
            "reads {}, which its marker does not name: `-- derive from {all}`, or `-- derive` to wait \
             for everything",
            unnamed.join(", ")
        );
        Ok(Some((section.line - 1, message)))
    }
}
