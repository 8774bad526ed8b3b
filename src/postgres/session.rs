//! A connection: what every one has set, how it is used again for something else, and what cancels
//! its statements.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use tokio_postgres::{CancelToken, Client};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use super::{Server, db, literal};
use crate::error::stopped;

/// What every session has, whatever the defaults of server, database and role.
pub(super) const PREPARED: &str = include_str!("session.sql");

/// A connection. Dropping it ends the session.
pub struct Session {
    client: Client,
    server: Server,
}

impl Session {
    pub(super) fn new(client: Client, server: Server) -> Session {
        Session { client, server }
    }

    /// The server that it is on, for sessions beside it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Makes a session that is done with something as good as new for something else, and says in
    /// `application_name` what: a backend that has the catalog in its memory already spares what a
    /// new one costs. `then` is run behind what every session has set.
    ///
    /// # Errors
    /// When Postgres reports an error; the session cannot be used after that.
    pub async fn renew(&self, server: &Server, purpose: &str, then: &str) -> anyhow::Result<()> {
        let name = literal(&server.application_name(purpose));
        // The role is none of what `reset all` resets.
        let sql = format!(
            "reset role; reset all; discard temp; set application_name = {name};\n{PREPARED};\n{then}"
        );
        self.client.batch_execute(&sql).await.map_err(db("prepare a session for its next work"))
    }

    /// What cancels this session's running statement.
    pub fn canceller(&self) -> Canceller {
        Canceller { token: self.client.cancel_token(), tls: self.server.tls.clone() }
    }

    /// Runs statements that may take long; a stop signal cancels them on the server.
    ///
    /// # Errors
    /// When Postgres reports an error; [`stopped`] after a signal.
    pub async fn run(
        &self,
        sql: &str,
        doing: impl Into<String>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        tokio::select! {
            done = self.client.batch_execute(sql) => done.map_err(db(doing)),
            () = stop.cancelled() => {
                self.canceller().cancel().await;
                Err(stopped())
            }
        }
    }
}

/// Cancels what a session is doing, through a connection of its own.
pub struct Canceller {
    token: CancelToken,
    tls: MakeRustlsConnect,
}

impl Canceller {
    /// Asks the server to cancel; best effort, at most two seconds.
    pub async fn cancel(&self) {
        let ask = self.token.cancel_query(self.tls.clone());
        let _ = tokio::time::timeout(Duration::from_secs(2), ask).await;
    }
}

impl Deref for Session {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
