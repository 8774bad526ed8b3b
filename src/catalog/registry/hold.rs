//! Holds: a build that retention leaves alone, by a person's word. It stands in the build's comment,
//! and in the audit.

use super::build::ident;
use super::control::{Audit, write_audit};
use super::found::note_sql;
use super::{Build, Word};
use crate::catalog::lock::RunLock;
use crate::postgres::db;

/// Puts a build on hold, or takes the hold away; while the database's lock is held, for a run that is
/// under way writes the comments too.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn set(
    lock: &RunLock,
    build: &Build,
    held: Option<Word>,
    why: &str,
) -> anyhow::Result<()> {
    let doing = || db(format!("note the hold of {}", build.name));
    let Some(mut tag) = build.tag.clone() else { return Ok(()) };
    let action = if held.is_some() { "hold" } else { "unhold" };
    let was = tag.held.take();
    tag.held = held;
    let audit = Audit {
        action,
        database: lock.database(),
        from: None,
        to: Some(&tag.build),
        why,
        details: serde_json::json!({ "state": tag.state, "was": was }),
    };
    lock.batch_execute("begin").await.map_err(doing())?;
    let sql = format!("{}; {}", tag.comment_sql(&ident(&build.name)?), note_sql(&tag));
    lock.batch_execute(&sql).await.map_err(doing())?;
    write_audit(lock, lock.who(), &audit).await?;
    lock.batch_execute("commit").await.map_err(doing())
}
