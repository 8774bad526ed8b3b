//! A pooler that gives each transaction whatever backend is free: locks, roles and settings are a
//! session's, and through such a pooler there is no session. Two runs would both hold the run lock.

use tokio_postgres::SimpleQueryMessage;

use super::{Session, db};
use crate::error::{Exit, Failure};

/// Refuses a pooler that pools transactions or statements: of two sessions that take turns, one and
/// the other then have the same backend, or one has two. Pools of sessions pass.
///
/// # Errors
/// [`Exit::Usage`]: the URL has to lead elsewhere.
pub(crate) async fn refuse(one: &Session, other: &Session) -> anyhow::Result<()> {
    // In this order also a pooler that goes round its backends is seen.
    let asked = [one, other, other, one];
    let mut backends = Vec::new();
    for session in asked {
        backends.push(backend(session).await?);
    }
    if backends[0] == backends[3] && backends[1] == backends[2] && backends[0] != backends[1] {
        return Ok(());
    }
    let message = "KILN_POSTGRES_URL leads to a connection pooler that pools transactions: a session has no \
                   backend of its own there, and kiln's locks, roles and settings are a session's";
    Err(Failure::new(Exit::Usage, message)
        .hint("let KILN_POSTGRES_URL lead to the server's own port, or to a pool of sessions (pool_mode = session)")
        .into())
}

/// Asked in one message: a prepared statement may be looked for in another backend.
async fn backend(session: &Session) -> anyhow::Result<String> {
    let doing = || db("look for a connection pooler");
    let said = session.simple_query("select pg_backend_pid()").await.map_err(doing())?;
    let backend = said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(backend.unwrap_or_default())
}
