//! Whether whoever holds a lock is alive: it is asked through `notify`, and answers from another
//! session. A process that is gone does not answer, and its session ends within 25 s (session.sql):
//! that is waited for, since a night must not be lost to a process that is no more.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::Notification;

use super::{LockSharing, try_lock};
use crate::catalog::registry::CONTROL;
use crate::error::stopped;
use crate::postgres::{Server, Session, db};

/// Where holders are asked, and where they answer.
const ASKED: &str = "kiln_lock_asked";
const ANSWERED: &str = "kiln_lock_answered";

/// How long a holder that does not answer is given: its server notices within 25 s that it is gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions: a holder may have begun to listen only now, or be between two transactions.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Begins to listen, before the lock is tried: whoever holds it can be asked.
///
/// # Errors
/// When the server refuses.
pub(super) async fn listen(session: &Session) -> anyhow::Result<()> {
    let sql = format!("listen {ASKED}; listen {ANSWERED}");
    session.batch_execute(&sql).await.map_err(db("listen for questions about the lock"))
}

/// Answers for as long as the session that heard is there. The answer comes from a session of its own:
/// the lock's may be in the middle of a transaction.
pub(super) fn answer(server: &Server, database: &str, mut heard: UnboundedReceiver<Notification>) {
    let (server, asked) = (server.clone(), format!("{database} "));
    tokio::spawn(async move {
        while let Some(said) = heard.recv().await {
            if said.channel() != ASKED || !said.payload().starts_with(&asked) {
                continue;
            }
            // One that cannot answer is waited for, as one that is busy.
            if let Ok(session) = server.connect_as(CONTROL, "answer").await {
                let _ = notify(&session, ANSWERED, said.payload()).await;
            }
        }
    });
}

/// What became of a lock's holder.
pub(super) enum Holder {
    /// It is gone, and the lock is whoever's asked.
    Gone,
    /// It answered.
    Alive,
    /// It did neither in [`PATIENCE`].
    Silent,
}

/// Who asks, for which lock.
pub(super) struct LockRequest<'a> {
    pub session: &'a Session,
    pub database: &'a str,
    pub run: &'a str,
    pub share: LockSharing,
}

impl LockRequest<'_> {
    /// Waits for the lock until its holder proves alive, at most [`PATIENCE`].
    ///
    /// # Errors
    /// When the server cannot be asked, and after a stop signal.
    pub(super) async fn outlasted(
        &self,
        heard: &mut UnboundedReceiver<Notification>,
    ) -> anyhow::Result<Holder> {
        let question = format!("{} {}", self.database, self.run);
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            notify(self.session, ASKED, &question).await?;
            if is_answered(heard, &question).await {
                return Ok(Holder::Alive);
            }
            if crate::config::stop::exit_code().is_some() {
                return Err(stopped());
            }
            if try_lock(self.session, self.database, self.share).await? {
                tracing::info!(database = self.database, "the lock's holder was gone");
                return Ok(Holder::Gone);
            }
        }
        tracing::warn!(database = self.database, "the lock's holder did not answer");
        Ok(Holder::Silent)
    }
}

async fn is_answered(heard: &mut UnboundedReceiver<Notification>, question: &str) -> bool {
    let answer = async {
        while let Some(said) = heard.recv().await {
            if said.channel() == ANSWERED && said.payload() == question {
                return true;
            }
        }
        // The session is lost; the next query reports it.
        std::future::pending().await
    };
    tokio::time::timeout(ASK_EVERY, answer).await.unwrap_or(false)
}

async fn notify(session: &Session, channel: &str, payload: &str) -> anyhow::Result<()> {
    session
        .execute("select pg_notify($1, $2)", &[&channel, &payload])
        .await
        .map(drop)
        .map_err(db("ask whether the lock's holder is alive"))
}
