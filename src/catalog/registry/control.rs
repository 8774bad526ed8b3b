//! The database `kiln`: opening it (made when missing), run history and audit.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::CONTROL;
use crate::error::{Exit, Failure};
use crate::postgres::{Server, Session, db, quoted};

/// Which person or job, on which host, under which run id.
#[derive(Debug, Clone)]
pub struct Who {
    /// The run's id; also in logs and `application_name`.
    pub run: String,
    /// The host's name.
    pub host: String,
    /// The operating system's user.
    pub login: String,
}

/// A row of the audit to be written.
#[derive(Debug)]
pub(crate) struct Audit<'a> {
    /// `swap`, `rollback`, `contract set`, `drop`, …
    pub action: &'a str,
    /// The database it is about.
    pub database: &'a str,
    /// What was live (or was there) before.
    pub from: Option<&'a str>,
    /// What is live (or there) after.
    pub to: Option<&'a str>,
    /// Why, in a person's words or the command's.
    pub why: &'a str,
    /// Gate results and the like.
    pub details: serde_json::Value,
}

/// Connects to the database `kiln`, making it and its tables when missing.
///
/// # Errors
/// [`Exit::Database`] when it cannot be made, with the statement that a DBA would run.
pub(crate) async fn open(server: &Server) -> anyhow::Result<Session> {
    let maintenance = server.connect("postgres").await?;
    let exists = maintenance
        .query_opt("select from pg_database where datname = $1", &[&CONTROL])
        .await
        .map_err(db("look for database kiln"))?;
    if exists.is_none() {
        let made = maintenance.batch_execute("create database kiln template template0").await;
        if let Err(error) = made {
            // Another run may have made it between the question and the statement.
            let raced = [SqlState::DUPLICATE_DATABASE, SqlState::UNIQUE_VIOLATION]
                .iter()
                .any(|code| error.code() == Some(code));
            if !raced {
                return Err(cannot_create(server, "kiln", error));
            }
        }
    }
    let control = server.connect(CONTROL).await?;
    prepare(&control).await?;
    Ok(control)
}

/// Connects to the database `kiln`; `None` when nothing has made it yet. For dry runs, which make
/// nothing.
///
/// # Errors
/// [`Exit::Database`] when the server cannot be asked.
pub(crate) async fn existing(server: &Server) -> anyhow::Result<Option<Session>> {
    let maintenance = server.connect("postgres").await?;
    let exists = maintenance
        .query_opt("select from pg_database where datname = $1", &[&CONTROL])
        .await
        .map_err(db("look for database kiln"))?;
    match exists {
        Some(_) => {
            let control = server.connect(CONTROL).await?;
            // Its tables may be of an older kiln, or lost.
            prepare(&control).await?;
            Ok(Some(control))
        }
        None => Ok(None),
    }
}

/// Applies `control.sql` where it has not been: its statements take locks that a swap under way
/// holds against them, and then `kiln guard` would wait for the swap.
async fn prepare(control: &Session) -> anyhow::Result<()> {
    let sql = include_str!("control.sql");
    let form = format!("form {:016x}", xxhash_rust::xxh3::xxh3_64(sql.as_bytes()));
    let doing = || db("prepare database kiln");
    let said: Option<String> = control
        .query_one("select obj_description(to_regnamespace('kiln')::oid, 'pg_namespace')", &[])
        .await
        .map_err(doing())?
        .get(0);
    if said.as_ref() == Some(&form) {
        return Ok(());
    }
    // The lock is let go of by COMMIT and not before: else a second run's statements would meet
    // catalog rows that the first has changed and not committed.
    let ddl = format!(
        "begin; select pg_advisory_xact_lock(7105645); {sql}; \
         comment on schema kiln is '{form}'; commit"
    );
    control.batch_execute(&ddl).await.map_err(doing())
}

/// The error of a CREATE DATABASE that was refused.
pub(crate) fn cannot_create(
    server: &Server,
    name: &str,
    error: tokio_postgres::Error,
) -> anyhow::Error {
    if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        let user = server.user();
        return Failure::new(
            Exit::Database,
            format!(
                "create database {name}: role {user} may not create databases (SQLSTATE 42501)"
            ),
        )
        .hint(format!("as a superuser: alter role {} createdb", quoted(user)))
        .into();
    }
    db(format!("create database {name}"))(error)
}

/// The databases that builds were made of, or that apps have said something of.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn known_databases(control: &Session) -> anyhow::Result<Vec<String>> {
    let sql = "select database from kiln.build union select database from kiln.contract order by 1";
    let rows = control.query(sql, &[]).await.map_err(db("list the databases"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Adds a row to the audit, in the session's transaction where there is one.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn write_audit(
    control: &Session,
    who: &Who,
    audit: &Audit<'_>,
) -> anyhow::Result<()> {
    let values: [&(dyn ToSql + Sync); 9] = [
        &who.login,
        &who.host,
        &who.run,
        &audit.action,
        &audit.database,
        &audit.from,
        &audit.to,
        &audit.why,
        &audit.details,
    ];
    control
        .execute(
            "insert into kiln.audit
                 (login, host, run, action, database, from_build, to_build, why, details)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            &values,
        )
        .await
        .map_err(db("write the audit"))?;
    Ok(())
}

/// Notes that a run of a database began. Runs that held the same lock before and never ended
/// were killed; they are marked so, for the lock is ours now.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn begin_run(
    control: &Session,
    who: &Who,
    command: &str,
    database: &str,
) -> anyhow::Result<()> {
    control
        .execute(
            "update kiln.run set ended_at = clock_timestamp(), error = 'killed'
             where database = $1 and ended_at is null",
            &[&database],
        )
        .await
        .map_err(db("close killed runs"))?;
    let pid = std::process::id().cast_signed();
    control
        .execute(
            "insert into kiln.run (run, command, database, host, pid, login)
             values ($1, $2, $3, $4, $5, $6)",
            &[&run_key(who, database), &command, &database, &who.host, &pid, &who.login],
        )
        .await
        .map_err(db("note the run"))?;
    Ok(())
}

/// How a run ended.
#[derive(Debug, Default)]
pub(crate) struct RunEnd<'a> {
    /// The build it made or worked on.
    pub build: Option<&'a str>,
    /// The exit code; 0 only from a ledger that says so.
    pub exit_code: i32,
    /// The error's text, values left out.
    pub error: Option<&'a str>,
    /// The error as data.
    pub failure: Option<serde_json::Value>,
    /// The command that continues from there.
    pub next: Option<&'a str>,
    /// The ledger.
    pub ledger: Option<serde_json::Value>,
}

/// Notes how a run ended.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn end_run(
    control: &Session,
    who: &Who,
    database: &str,
    end: &RunEnd<'_>,
) -> anyhow::Result<()> {
    control
        .execute(
            "update kiln.run set ended_at = clock_timestamp(), build = $2, exit_code = $3,
                 error = $4, next = $5, ledger = $6, failure = $7 where run = $1",
            &[
                &run_key(who, database),
                &end.build,
                &end.exit_code,
                &end.error,
                &end.next,
                &end.ledger,
                &end.failure,
            ],
        )
        .await
        .map_err(db("note the run's end"))?;
    Ok(())
}

/// One run id may do several databases; its row's key names both.
pub(crate) fn run_key(who: &Who, database: &str) -> String {
    format!("{}/{database}", who.run)
}
