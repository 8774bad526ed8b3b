//! The lock of a run, and those of several databases. What a crash left of a swap of several is ended before
//! anything else is done with one of them.

use anyhow::Context as _;

use super::Context;
use crate::catalog::lock::RunLock;
use crate::catalog::registry::control;
use crate::catalog::registry::joint::{self, JointSwap, Unended};
use crate::release::several;

impl Context {
    /// Takes a database's lock for a command.
    ///
    /// # Errors
    /// [`crate::error::Exit::Locked`] with its holder; or what keeps a swap that was left begun from being
    /// ended.
    pub(crate) async fn lock(&self, command: &str, database: &str) -> anyhow::Result<RunLock> {
        let server = self.server(database);
        let taken = RunLock::acquire(server, &self.who, command, database).await;
        match taken.map_err(|error| error.downcast::<Unended>()) {
            Ok(lock) => Ok(lock),
            Err(Err(error)) => Err(error),
            Err(Ok(Unended(noted))) => {
                self.settle(&noted).await?;
                RunLock::acquire(server, &self.who, command, database).await
            }
        }
    }

    /// Ends what a crash left of a swap of several databases, this one among them; gives what was ended, in
    /// words. For whoever takes more than one lock: while one is held that swap cannot be ended.
    ///
    /// # Errors
    /// What keeps it from being ended.
    pub(crate) async fn settle_left(&self, database: &str) -> anyhow::Result<Option<String>> {
        let Some(control) = control::existing(self.server(database)).await? else {
            return Ok(None);
        };
        match joint::unended(&control, database).await? {
            Some(noted) => self.settle(&noted).await.map(Some),
            None => Ok(None),
        }
    }

    async fn settle(&self, noted: &JointSwap) -> anyhow::Result<String> {
        let ended = self.settle_locked(noted).await;
        let outcome = ended.with_context(|| {
            format!(
                "the swap of {} was begun and not ended, and has to be ended first",
                noted.databases()
            )
        })?;
        let text = format!("the swap of {} was begun and not ended: {outcome}", noted.databases());
        self.progress.warn(&text);
        Ok(text)
    }

    async fn settle_locked(&self, noted: &JointSwap) -> anyhow::Result<&'static str> {
        let mut locks = Vec::new();
        for member in &noted.members {
            let server = self.server(&member.database);
            let lock = RunLock::to_end_a_swap(server, &self.who, &member.database).await?;
            self.add(&mut locks, lock).await?;
        }
        let first = noted.members.first().map_or("", |member| member.database.as_str());
        let again = format!("kiln prune {first}");
        let mut swaps: Vec<_> = locks
            .iter_mut()
            .map(|lock| self.swap(lock, "swap back", "a swap that was left begun", again.clone()))
            .collect();
        let outcome = several::settle(noted, &mut swaps.iter_mut().collect::<Vec<_>>()).await;
        for lock in locks {
            lock.release().await;
        }
        outcome
    }

    /// Adds a lock to those of its server, so that there is one session a server.
    ///
    /// # Errors
    /// When it is lost on the way.
    pub(crate) async fn add(&self, locks: &mut Vec<RunLock>, lock: RunLock) -> anyhow::Result<()> {
        let number = self.servers.number_of(lock.database());
        let same = locks.iter_mut().find(|held| self.servers.number_of(held.database()) == number);
        match same {
            Some(held) => held.take_over(lock).await,
            None => {
                locks.push(lock);
                Ok(())
            }
        }
    }
}
