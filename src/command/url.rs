//! `kiln url`: the URL of the live database or of a kept build, as apps connect to it, so that
//! `psql "$(kiln url druginfo)"` works: with the app's rights, and without the builder's password.

use tokio_postgres::error::SqlState;

use super::Start;
use crate::catalog::registry::build::ident;
use crate::catalog::registry::database_of;
use crate::catalog::stamp;
use crate::command::cli;
use crate::config::{Config, known_database};
use crate::dev::local;
use crate::error::{Exit, Failure};
use crate::postgres::{Server, Session, db, is_state};

/// `kiln url DATABASE|BUILD`.
///
/// # Errors
/// When the private server is not up, nothing is live, or there is no such build.
pub(super) async fn run(start: &Start, args: &cli::Url) -> anyhow::Result<()> {
    let config = &start.config;
    let asked = ident(&args.database)?;
    let database = database_of(asked.as_str()).unwrap_or(asked.as_str());
    known_database(config, database)?;
    let url = match config.server_of(database) {
        Some(url) => url.to_owned(),
        None => local::running_postgres(&config.home).await?,
    };
    let server =
        Server::new(crate::postgres::VARIABLE, &url, config.postgres_ca.as_deref(), "url")?;
    let (name, session) = connected(&server, asked.as_str(), database).await?;
    let (user, acts_as) = login(config, &server, &session).await?;
    if user.is_none() {
        let app = &config.app_role;
        eprintln!("kiln: {app} does not log in itself: PGUSER=NAME of a role that was granted it");
    }
    say!("{}", server.url(&name, user.as_deref(), acts_as.as_deref())?);
    Ok(())
}

/// Connects once, for a URL that leads nowhere helps nobody. A build that is live has the
/// database's name.
async fn connected(
    server: &Server,
    asked: &str,
    database: &str,
) -> anyhow::Result<(String, Session)> {
    let is_there = |found: anyhow::Result<Session>| match found {
        Ok(session) => Ok(Some(session)),
        Err(error) if is_state(&error, &SqlState::INVALID_CATALOG_NAME) => Ok(None),
        Err(error) => Err(error),
    };
    if let Some(session) = is_there(server.connect(asked).await)? {
        return Ok((asked.to_owned(), session));
    }
    if asked == database {
        let message = format!("{database} is not live");
        return Err(Failure::new(Exit::Database, message)
            .hint(format!("kiln run {database}"))
            .into());
    }
    if let Some(session) = is_there(server.connect(database).await)?
        && stamp::version(&session).await?.is_some_and(|stamp| stamp.build == asked)
    {
        return Ok((database.to_owned(), session));
    }
    let message = format!("{database} has no build {asked}");
    Err(Failure::new(Exit::Database, message).hint(format!("kiln status {database}")).into())
}

/// Who logs in, and as whom it acts: the app's role, by itself or through a login that may take it.
/// A build that is not sealed is open to its builder alone.
async fn login(
    config: &Config,
    server: &Server,
    session: &Session,
) -> anyhow::Result<(Option<String>, Option<String>)> {
    let own = Some(server.user().to_owned()).filter(|user| !user.is_empty());
    if stamp::version(session).await?.is_none() {
        return Ok((own, None));
    }
    let app = ident(&config.app_role)?.as_str().to_owned();
    // An app's host has an app's login in its URL.
    let sql = "select a.rolcanlogin, pg_has_role(current_user, a.oid, 'member'),
                      exists (select from pg_roles u where u.rolname = current_user
                                  and not u.rolsuper and not u.rolcreatedb)
               from pg_roles a where a.rolname = $1";
    let row = session.query_opt(sql, &[&app]).await.map_err(db("look at the app's role"))?;
    let Some(row) = row else { return Ok((own, None)) };
    let (can_log_in, may_act, is_app): (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
    Ok(match (can_log_in, may_act) {
        (_, true) if is_app => (own, None),
        (true, _) => (Some(app), None),
        (false, true) => (own, Some(app)),
        (false, false) => (None, None),
    })
}
