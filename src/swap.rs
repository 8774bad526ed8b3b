//! The swap: the one step that makes a sealed build the live one, behind the gate. Nothing else
//! touches the live name.
//!
//! [`gate`] decides from facts, purely; [`rename`] does both renames in one transaction by the
//! two-session way. Rollback is the same step, backwards, through the same gate.

mod blockers;
pub mod gate;
mod rename;

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::error::{Exit, Failure};
use crate::ledger::Promotion;
use crate::lock::RunLock;
use crate::pg::{Server, db};
use crate::registry::build::BuildDatabase;
use crate::registry::{Build, State, Tag};
use crate::schema::{SchemaLock, catalog};
use crate::seal::{self, Sealed, Touched};
use gate::Facts;

/// A swap to be done.
pub struct Swap<'a> {
    /// The run's lock; the renames are executed on its session.
    pub lock: &'a mut RunLock,
    /// The server, for sessions beside it.
    pub server: &'a Server,
    /// The role that owns builds.
    pub owner: &'a str,
    /// What `sql/<database>/schema.lock` says.
    pub schema_lock: Option<&'a SchemaLock>,
    /// How many tables are counted side by side.
    pub connections: usize,
    /// After this nothing has changed.
    pub deadline: Duration,
    /// `swap` or `rollback`, for the audit.
    pub action: &'a str,
    /// Why, for the audit.
    pub why: &'a str,
    /// Whether a person named this very build: a subset goes live in no other way.
    pub named: bool,
    /// The stop signal: until COMMIT is sent it leaves everything as it was.
    pub stop: &'a CancellationToken,
}

/// Marks an error after which the swap may be done or not done (never half): the server went
/// away at COMMIT and did not come back in time to be asked.
#[derive(Debug, thiserror::Error)]
#[error("whether the swap was committed is not known (`kiln status` will say)")]
pub struct NotKnown;

impl Swap<'_> {
    /// Makes the candidate live. `sealed` spares the counting of a build that this very run
    /// has sealed.
    ///
    /// # Errors
    /// [`Exit::SchemaRefused`] when the gate refuses, [`Exit::SwapNotPossible`] past the deadline;
    /// the live database is then the old one.
    pub async fn promote(
        &mut self,
        candidate: &Build,
        sealed: Option<&Sealed>,
    ) -> anyhow::Result<Promotion> {
        let facts = self.facts(candidate, sealed.is_some()).await?;
        let builds = crate::registry::builds(self.lock, self.lock.database()).await?;
        refuse_foreign(self.lock, &builds).await?;
        let began = Instant::now();
        let (held, ended) = rename::rename(self, candidate, &builds, &facts).await?;
        let live = crate::registry::live(&builds, self.lock.database());
        let promotion = Promotion {
            from: live.and_then(|build| build.tag.as_ref()).map(|tag| tag.build.clone()),
            to: facts.tag.build.clone(),
            milliseconds: held.as_millis() as u64,
            sessions_ended: ended,
            notes: facts.touched.notes,
        };
        tracing::info!(
            to = promotion.to,
            from = promotion.from,
            milliseconds = promotion.milliseconds,
            waited = began.elapsed().as_secs_f64(),
            "swapped"
        );
        Ok(promotion)
    }

    /// What the gate needs to know of the candidate itself, read before anything is locked. The rows of
    /// one that this very run has sealed are not counted once more.
    ///
    /// # Errors
    /// When the build cannot be read.
    pub async fn facts(&self, candidate: &Build, is_fresh: bool) -> anyhow::Result<Facts> {
        let Some(tag) = candidate.tag.clone() else {
            let message = format!("{} was never finished", candidate.name);
            return Err(Failure::new(Exit::SchemaRefused, message).hint("kiln prune").into());
        };
        let database = BuildDatabase::new(self.server, &candidate.name, self.owner)?;
        let session = database.session("gate").await?;
        let stamp = seal::read(&session).await?;
        let fingerprint = catalog::fingerprint(&session).await?.digest;
        let touched = match &stamp {
            None => Touched::default(),
            Some(stamp) => {
                let (connections, stop) = (self.connections, self.stop);
                seal::touched(&database, &session, stamp, is_fresh, connections, stop).await?
            }
        };
        let lock = self.schema_lock.cloned();
        Ok(Facts { tag, stamp, fingerprint, lock, touched, named: self.named })
    }
}

/// The live name must be free, or that of a build of kiln's.
async fn refuse_foreign(lock: &RunLock, builds: &[Build]) -> anyhow::Result<()> {
    let database = lock.database();
    let taken = lock
        .query_opt("select from pg_database where datname = $1", &[&database])
        .await
        .map_err(db("look at the live name"))?;
    if taken.is_some() && crate::registry::live(builds, database).is_none() {
        let message = format!("there is a database {database} that kiln did not make");
        return Err(Failure::new(Exit::SwapNotPossible, message)
            .hint(format!("rename it away: alter database {database} rename to {database}_old"))
            .into());
    }
    Ok(())
}

/// The build that `kiln swap` means when no name is given: the newest sealed whole one that is
/// newer than the live one.
pub fn candidate<'a>(builds: &'a [Build], database: &str) -> Option<&'a Build> {
    let live = crate::registry::live(builds, database).map_or(0, Build::number);
    let whole = builds.iter().rev().filter(|build| !build.is_subset());
    whole.into_iter().find(|build| build.state() == State::Sealed && build.number() > live)
}

/// The build that `kiln rollback` goes back to: a whole one.
pub fn previous(builds: &[Build]) -> Option<&Build> {
    let whole = builds.iter().rev().filter(|build| !build.is_subset());
    whole.into_iter().find(|build| build.state() == State::Previous)
}

/// The tags that the server carries after a swap: the candidate live, the live one previous,
/// an older previous one retired. By present database name.
fn tags_after(candidate: &Build, builds: &[Build], database: &str) -> Vec<(String, Tag)> {
    let mut tags = Vec::new();
    for build in builds {
        let Some(mut tag) = build.tag.clone() else { continue };
        if build.oid == candidate.oid {
            tag.state = State::Live;
            tag.live_since = Some(crate::registry::now());
            tags.push((database.to_owned(), tag));
        } else if build.name == database {
            tag.state = State::Previous;
            tags.push((tag.build.clone(), tag));
        } else if tag.state == State::Previous {
            tag.state = State::Retired;
            tags.push((build.name.clone(), tag));
        }
    }
    tags
}
