//! A swap of several databases that are on several servers, as it is noted: before the first server's
//! renames, so that whoever comes after a crash can end it.
//!
//! Every server that takes part has a row. That of the first database is the *home*: what it says of the
//! end holds, and the other rows only lead to it.

use serde::{Deserialize, Serialize};

use super::Tag;
use crate::error::{Exit, failure};
use crate::postgres::{Session, db};

/// A joint swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JointSwap {
    /// The run that began it.
    pub id: String,
    /// The database whose server says how it ended.
    pub home: String,
    /// Its databases, the home first.
    pub members: Vec<JointMember>,
}

/// One database's part in a joint swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JointMember {
    /// The database.
    pub database: String,
    /// The own name of the build that is live before.
    pub from: Option<String>,
    /// The own name of the build that goes live.
    pub to: String,
    /// Its server's own identifier: who ends the swap must have found the same server.
    pub server: String,
    /// What the tags of all builds that change say before.
    pub tags: Vec<Tag>,
}

impl JointSwap {
    /// Its databases, for people.
    pub(crate) fn databases(&self) -> String {
        let names: Vec<&str> = self.members.iter().map(|member| member.database.as_str()).collect();
        names.join(" and ")
    }
}

/// A run met a joint swap that is not ended; whoever may use all servers ends it first.
#[derive(Debug, thiserror::Error)]
#[error("a swap of {} was begun and not ended", .0.databases())]
pub(crate) struct Unended(pub JointSwap);

/// The identifier that a server was given when it was made, whatever it is reached by.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn server_id(control: &Session) -> anyhow::Result<String> {
    let sql = "select system_identifier::text from pg_control_system()";
    Ok(control.query_one(sql, &[]).await.map_err(db("ask which server it is"))?.get(0))
}

/// Writes a server's row.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn note(control: &Session, swap: &JointSwap) -> anyhow::Result<()> {
    let members = serde_json::to_value(&swap.members)?;
    control
        .execute(
            "insert into kiln.joint_swap (id, home, members) values ($1, $2, $3)",
            &[&swap.id, &swap.home, &members],
        )
        .await
        .map(drop)
        .map_err(db("note the swap of several databases"))
}

/// The joint swap that a server has as not ended, of which this database is a part.
///
/// # Errors
/// When the server cannot be asked, or the row is not kiln's.
pub(crate) async fn unended(
    control: &Session,
    database: &str,
) -> anyhow::Result<Option<JointSwap>> {
    let row = control
        .query_opt(
            "select id, home, members from kiln.joint_swap
             where ended_at is null
               and exists (select from jsonb_array_elements(members) m where m ->> 'database' = $1)
             order by begun_at limit 1",
            &[&database],
        )
        .await
        .map_err(db("look for a swap of several databases"))?;
    let Some(row) = row else { return Ok(None) };
    let members = serde_json::from_value(row.get(2))?;
    Ok(Some(JointSwap { id: row.get(0), home: row.get(1), members }))
}

/// Whether the home says that it is ended. A home without a row says nothing: it was never written, or lost
/// with a server that was set back.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn is_ended(home: &Session, id: &str) -> anyhow::Result<bool> {
    let sql = "select exists (select from kiln.joint_swap where id = $1 and ended_at is not null)";
    let row = home.query_one(sql, &[&id]).await.map_err(db("ask how the swap ended"))?;
    Ok(row.get(0))
}

/// Notes whether this server's databases are swapped, in the transaction that swaps them or takes that back.
///
/// # Errors
/// When the server refuses, or its row is gone or ended.
pub(crate) async fn set_renamed(control: &Session, id: &str, renamed: bool) -> anyhow::Result<()> {
    let sql = "update kiln.joint_swap set renamed = $2 where id = $1 and ended_at is null";
    let noted = control.execute(sql, &[&id, &renamed]).await.map_err(db("note the renames"))?;
    match noted {
        1 => Ok(()),
        _ => Err(failure(Exit::SwapNotPossible, "the swap of several databases is ended already")),
    }
}

/// Whether this server's databases are swapped.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn is_renamed(control: &Session, id: &str) -> anyhow::Result<bool> {
    let sql = "select exists (select from kiln.joint_swap where id = $1 and renamed)";
    let row = control.query_one(sql, &[&id]).await.map_err(db("ask whether it is swapped"))?;
    Ok(row.get(0))
}

/// Says on one server that it is ended, and how.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn end(control: &Session, id: &str, outcome: &str) -> anyhow::Result<()> {
    let sql = "update kiln.joint_swap set ended_at = clock_timestamp(), outcome = $2
               where id = $1 and ended_at is null";
    control
        .execute(sql, &[&id, &outcome])
        .await
        .map(drop)
        .map_err(db("note the end of the swap of several databases"))
}
