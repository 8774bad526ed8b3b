//! Why there is no session, and what to do about it.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::{Session, describe};
use crate::error::{Exit, Failure, source_chain};

pub(super) fn silent(
    variable: &str,
    database: &str,
    purpose: &str,
    patience: Duration,
) -> anyhow::Error {
    let seconds = patience.as_secs();
    let purpose = if purpose.is_empty() { String::new() } else { format!(", for {purpose}") };
    let message =
        format!("connect to Postgres, database {database}{purpose}: no answer within {seconds} s");
    Failure::new(Exit::Database, message)
        .hint(format!("is something else listening there? try: psql \"${variable}\""))
        .into()
}

/// A setting that kiln's role may not change keeps it from its work: with `session_replication_role`
/// a foreign key is not checked, say.
pub(super) async fn not_prepared(
    session: &Session,
    database: &str,
    error: &tokio_postgres::Error,
) -> anyhow::Error {
    let doing = format!("prepare a session in {database}");
    if error.code() != Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        return describe(&doing, error);
    }
    let asked = "select name from pg_settings where source <> 'default' and context = 'superuser'
                     and name in ('session_replication_role', 'zero_damaged_pages',
                                  'ignore_checksum_failure') order by name";
    let names = session.query(asked, &[]).await.unwrap_or_default();
    let names: Vec<String> = names.iter().map(|row| row.get(0)).collect();
    let user = session.server().user();
    let cause = error.as_db_error().map_or("", |error| error.message());
    Failure::new(Exit::Database, format!("{doing}: {cause}"))
        .hint(format!(
            "as a superuser, where it is set: alter role {user} reset {name}; \
             alter database {database} reset {name}",
            name = names.first().map_or("NAME", String::as_str)
        ))
        .into()
}

pub(super) fn connect_error(
    variable: &str,
    database: &str,
    error: &tokio_postgres::Error,
) -> anyhow::Error {
    let doing = format!("connect to Postgres, database {database}");
    if error.code() == Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE) {
        let what = error.as_db_error().map_or("it cannot be connected to", |error| error.message());
        return Failure::new(Exit::Database, format!("{doing}: {what} (SQLSTATE 55000)"))
            .hint(format!("as its owner, in another database: alter database {database} allow_connections true"))
            .sqlstate("55000")
            .into();
    }
    if error.as_db_error().is_some() {
        return describe(&doing, error);
    }
    let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), source_chain);
    Failure::new(Exit::Database, format!("{doing}: {cause}"))
        .hint(format!("is the server up, and {variable} right? try: psql \"${variable}\""))
        .into()
}
