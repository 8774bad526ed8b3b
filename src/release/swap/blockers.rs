//! Who is in the way of a swap that kiln may not end: known before anybody is ended for it.

use tokio_postgres::Row;

use crate::error::{Exit, Failure};
use crate::postgres::{Session, db, quoted};

/// Whether this role may end the session `a` of the role `r`: Postgres lets only superusers end a
/// superuser's, whatever else was granted.
pub(super) const MAY_END: &str = "((select rolsuper from pg_roles where rolname = current_user)
    or (not r.rolsuper and (pg_has_role(r.oid, 'usage') or pg_has_role('pg_signal_backend', 'usage'))))";

/// Something that a rename would wait for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocker {
    /// What it is, for people.
    pub words: String,
    /// What a superuser does about it.
    remedy: String,
    /// Whether the right to end the sessions of others would help.
    grant_helps: bool,
}

/// Sessions and prepared transactions in these databases that this role cannot end.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn unendable(session: &Session, names: &[String]) -> anyhow::Result<Vec<Blocker>> {
    let sql = format!("not {MAY_END}");
    let mut found = sessions(session, names, &sql).await?;
    let sql = "select gid, owner::text from pg_prepared_xacts where database::text = any($1)
               order by prepared limit 10";
    let rows = session.query(sql, &[&names]).await.map_err(db("look for prepared transactions"))?;
    found.extend(rows.iter().map(|row| {
        let (gid, owner): (String, String) = (row.get(0), row.get(1));
        Blocker {
            words: format!("prepared transaction {gid:?} (role {owner})"),
            remedy: format!("rollback prepared {}", crate::postgres::literal(&gid)),
            grant_helps: false,
        }
    }));
    Ok(found)
}

/// All sessions in these databases.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn all(session: &Session, names: &[String]) -> anyhow::Result<Vec<Blocker>> {
    sessions(session, names, "true").await
}

async fn sessions(
    session: &Session,
    names: &[String],
    which: &str,
) -> anyhow::Result<Vec<Blocker>> {
    // Of others' sessions an ordinary role sees neither state nor kind.
    let sql = format!(
        "select a.pid, r.rolname::text, a.application_name, a.state, r.rolsuper
         from pg_stat_activity a join pg_roles r on r.oid = a.usesysid
         where a.datname = any($1) and a.pid <> pg_backend_pid()
           and a.backend_type is distinct from 'parallel worker' and {which}
         order by a.pid limit 10"
    );
    let rows = session.query(&sql, &[&names]).await.map_err(db("look for sessions"))?;
    let blocker = |row: &Row| {
        let (pid, role): (i32, String) = (row.get(0), row.get(1));
        let (app, state): (Option<String>, Option<String>) = (row.get(2), row.get(3));
        let app = app.unwrap_or_default();
        let state = state.map_or(String::new(), |state| format!(", {state}"));
        Blocker {
            words: format!("backend {pid} (role {role}, application {app:?}{state})"),
            remedy: format!("select pg_terminate_backend({pid})"),
            grant_helps: !row.get::<_, bool>(4),
        }
    };
    Ok(rows.iter().map(blocker).collect())
}

/// The error of a swap that came to nothing; `ended` says whether anybody was ended for it.
pub(super) fn not_possible(
    database: &str,
    user: &str,
    seconds: u64,
    again: &str,
    unendable: &[Blocker],
    others: &[Blocker],
) -> anyhow::Error {
    let shown = if unendable.is_empty() { others } else { unendable };
    let words: Vec<&str> = shown.iter().map(|blocker| blocker.words.as_str()).collect();
    let who = match words.is_empty() {
        true => "sessions that reconnect faster than they can be ended".to_owned(),
        false => words.join(", "),
    };
    let nobody = if unendable.is_empty() { "" } else { "; no session was ended for it" };
    let message =
        format!("{database} was not swapped within {seconds} s: in the way are {who}{nobody}");
    let remedies: Vec<&str> = unendable.iter().map(|blocker| blocker.remedy.as_str()).collect();
    let hint = match unendable {
        [] => format!("stop what reconnects, then: {again}"),
        all if all.iter().all(|blocker| blocker.grant_helps) => {
            format!("as a superuser: grant pg_signal_backend to {}; then: {again}", quoted(user))
        }
        _ => format!("as a superuser: {}; then: {again}", remedies.join("; ")),
    };
    Failure::new(Exit::SwapNotPossible, message).hint(hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(unendable: &[Blocker]) -> String {
        crate::report::error::text(&not_possible(
            "druginfo",
            "loader",
            30,
            "kiln swap druginfo",
            unendable,
            &[],
        ))
    }

    #[test]
    fn the_hint_names_what_would_help() {
        let session = |pid: i32, grant_helps| Blocker {
            words: format!("backend {pid}"),
            remedy: format!("select pg_terminate_backend({pid})"),
            grant_helps,
        };
        assert!(said(&[]).ends_with("hint: stop what reconnects, then: kiln swap druginfo"));
        let others = said(&[session(1, true)]);
        assert!(others.contains("grant pg_signal_backend to loader; then: kiln"), "{others}");
        let dba = said(&[session(1, true), session(2, false)]);
        assert!(!dba.contains("pg_signal_backend"), "{dba}");
        assert!(dba.contains("pg_terminate_backend(1); select pg_terminate_backend(2); then:"));
        assert!(dba.contains("backend 1, backend 2; no session was ended for it"), "{dba}");
    }
}
