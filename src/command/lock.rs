//! The lock of a run, and those of several databases. What a crash left of a swap of several is ended before
//! anything else is done with one of them.

use anyhow::Context as _;

use super::Context;
use crate::catalog::lock::RunLock;
use crate::catalog::registry::joint::{JointSwap, Unended};
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
                let what = || format!("end the swap of {}, which was begun", noted.databases());
                self.settle(&noted).await.with_context(what)?;
                RunLock::acquire(server, &self.who, command, database).await
            }
        }
    }

    async fn settle(&self, noted: &JointSwap) -> anyhow::Result<()> {
        let mut locks = Vec::new();
        for member in &noted.members {
            let server = self.server(&member.database);
            let lock = RunLock::to_end_a_swap(server, &self.who, &member.database).await?;
            self.add(&mut locks, lock).await?;
        }
        let again = String::from("kiln status");
        let mut swaps: Vec<_> = locks
            .iter_mut()
            .map(|lock| self.swap(lock, "swap back", "a swap that was left begun", again.clone()))
            .collect();
        several::settle(noted, &mut swaps.iter_mut().collect::<Vec<_>>()).await
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
