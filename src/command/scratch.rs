//! Databases that are made to be looked at and dropped: schemas from zero, a file that is tried. They are
//! on a throw-away Postgres, or on the server of `--server`, among databases of others.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::catalog::registry::control;
use crate::config::Config;
use crate::dev::local::ThrowAway;
use crate::error::{Exit, Failure, stopped};
use crate::postgres::{Ident, Server, Session, db};

/// A server for such databases.
pub(super) struct ScratchServer {
    server: Server,
    throw_away: Option<ThrowAway>,
    /// Names as no other process gives them.
    prefix: String,
    made: Vec<Ident>,
    /// A task of its own: one that is stopped halfway would be made after it was dropped.
    making: Option<JoinHandle<anyhow::Result<()>>>,
}

/// Hands such a server to `use_it`. What was made is dropped whatever comes of it, a stop signal too.
///
/// # Errors
/// [`Exit::Usage`] where there is no server; those of `use_it`; [`Exit::Database`] where a database
/// cannot be dropped.
pub(super) async fn with<T>(
    config: &Config,
    url: Option<&str>,
    who: &str,
    stop: &CancellationToken,
    use_it: impl AsyncFnOnce(&mut ScratchServer) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut scratch = ScratchServer::open(config, url, who).await?;
    let outcome = tokio::select! {
        outcome = use_it(&mut scratch) => outcome,
        () = stop.cancelled() => Err(stopped()),
    };
    scratch.close_after(outcome).await
}

impl ScratchServer {
    async fn open(config: &Config, url: Option<&str>, who: &str) -> anyhow::Result<ScratchServer> {
        let (server, throw_away) = match url {
            Some(url) => (named_server(config, url, who)?, None),
            None => {
                let throw_away = ThrowAway::start(config.postgres_bin.as_deref()).await?;
                (
                    Server::new(crate::postgres::VARIABLE, &throw_away.url(), None, who)?,
                    Some(throw_away),
                )
            }
        };
        let prefix = format!("kiln_scratch_{}", uuid::Uuid::now_v7().simple());
        Ok(ScratchServer { server, throw_away, prefix, made: Vec::new(), making: None })
    }

    /// Makes an empty database, as builds are made, and connects to it.
    ///
    /// # Errors
    /// [`Exit::Database`].
    pub(super) async fn database(&mut self) -> anyhow::Result<Session> {
        let name = format!("{}_{}", self.prefix, self.made.len());
        let name = Ident::parse(&name).ok_or_else(|| anyhow::anyhow!("{name} is no name"))?;
        self.made.push(name.clone());
        let made = self.making.insert(tokio::spawn(make(self.server.clone(), name.clone()))).await;
        self.making = None;
        made??;
        self.server.connect(name.as_str()).await
    }

    /// Drops what was made, and keeps the outcome's error before one of dropping.
    async fn close_after<T>(self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        if let Some(making) = self.making {
            // What it came to is what is dropped now.
            let _ = making.await;
        }
        let dropped = match self.throw_away {
            Some(throw_away) => throw_away.close().await,
            None => drop_all(&self.server, &self.made).await,
        };
        match (outcome, dropped) {
            (Err(error), Err(left)) => Err(error.context(format!("{left:#}"))),
            (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
            (Ok(value), Ok(())) => Ok(value),
        }
    }
}

/// The server of `--server`; an error does not repeat the URL, for it may hold a password.
fn named_server(config: &Config, url: &str, who: &str) -> anyhow::Result<Server> {
    if url.parse::<tokio_postgres::Config>().is_err() {
        return Err(Failure::new(Exit::Usage, "--server is not a Postgres URL")
            .hint("--server postgresql://USER@HOST:5432/postgres, as KILN_POSTGRES_URL")
            .into());
    }
    Server::new(crate::postgres::VARIABLE, url, config.postgres_ca.as_deref(), who)
}

async fn make(server: Server, name: Ident) -> anyhow::Result<()> {
    let session = server.connect("postgres").await?;
    let like = "template template0 encoding 'UTF8' locale_provider libc locale 'C'";
    let made = session.batch_execute(&format!("create database {name} {like}")).await;
    made.map_err(|error| control::cannot_create(&server, name.as_str(), error))?;
    let close = format!("revoke all on database {name} from public");
    session.batch_execute(&close).await.map_err(db("close a scratch database"))
}

/// Through a session of its own: the ones before may be what has failed.
async fn drop_all(server: &Server, made: &[Ident]) -> anyhow::Result<()> {
    for name in made {
        let drop = format!("drop database if exists {name} with (force)");
        let dropped = async {
            let session = server.connect("postgres").await?;
            session.batch_execute(&drop).await.map_err(db("drop a scratch database"))
        };
        dropped.await.map_err(|error| {
            let message = format!("scratch database {} is left on the server", name.as_str());
            error.context(message)
        })?;
    }
    Ok(())
}
