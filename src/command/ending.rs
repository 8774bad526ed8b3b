//! How a run ends: sealed, stopped by a signal, or failed before there was a build. Whatever
//! the way, the history says it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::{exit_of, render};
use crate::ledger::Ledger;
use crate::lock::RunLock;
use crate::pg::stopped;
use crate::registry::Tag;
use crate::registry::control::{self, RunEnd};
use crate::schema::Schema;
use crate::seal::Sealed;

/// How long a stage may take to stop by itself.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// A build that is sealed, its run not yet ended.
pub(super) struct Baked {
    pub lock: RunLock,
    pub sealed: Sealed,
    pub ledger: Ledger,
    pub tag: Tag,
    pub schema: Schema,
}

impl Baked {
    /// Notes the run's end; the lock is let go of.
    pub(super) async fn end(self, error: Option<anyhow::Error>) -> anyhow::Result<()> {
        let text = error.as_ref().map(render);
        let next = format!("kiln swap {}", self.tag.database);
        let end = RunEnd {
            build: Some(&self.tag.build),
            exit_code: error.as_ref().map_or(0, |error| i32::from(exit_of(error).code())),
            error: text.as_deref(),
            next: error.is_some().then_some(next.as_str()),
            ledger: Some(serde_json::to_value(&self.ledger)?),
        };
        control::end_run(&self.lock, self.lock.who(), &self.tag.database, &end).await?;
        error.map_or(Ok(()), Err)
    }
}

/// Runs the work; after a stop signal it has three seconds to stop by itself, which it uses to
/// cancel statements. A stage that waits for something else is then left where it is: what it
/// holds open on the server is dropped with the build.
pub(super) async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        outcome = work => outcome,
        () = async { stop.cancelled().await; tokio::time::sleep(STOP_PATIENCE).await } => {
            Err(stopped())
        }
    }
}

/// Ends a run that failed before there was a build.
pub(super) async fn end_early(lock: &RunLock, error: anyhow::Error) -> anyhow::Error {
    let text = render(&error);
    let next = format!("kiln run {}", lock.database());
    let end = RunEnd {
        build: None,
        exit_code: i32::from(exit_of(&error).code()),
        error: Some(&text),
        next: Some(&next),
        ledger: None,
    };
    let _ = control::end_run(lock, lock.who(), lock.database(), &end).await;
    error
}
