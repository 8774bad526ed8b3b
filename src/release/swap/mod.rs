//! The swap: the one step that makes a sealed build the live one, behind the gate. Nothing else
//! touches the live name.
//!
//! [`gate`] decides from facts, purely; [`rename`] does both renames in one transaction by the
//! two-session way. Rollback is the same step, backwards, through the same gate.

mod blockers;
pub mod gate;
mod rename;
pub mod tags;

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::{GateEntry, Promotion};
use crate::catalog::lock::RunLock;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::retention::former;
use crate::catalog::registry::{Build, State, waiver};
use crate::catalog::stamp;
use crate::catalog::stamp::{Sealed, Touched};
use crate::error::{Exit, Failure};
use crate::plan::manifest::rejected::{self, Refusal};
use crate::postgres::{Server, db};
use crate::release::gates;
use crate::spec::schema::{SchemaLock, catalog};
use crate::spec::source::Source;
use gate::Facts;
use tags::Change;

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
    /// The command that asks for it once more, for hints.
    pub again: String,
    /// The database's specs, for the gates on data: their limits, and what objects' names tell.
    pub specs: &'a [Source],
    /// What the gates on data said.
    pub judged: Vec<GateEntry>,
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

/// What two builds were made from, where that can be read.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// The candidate's.
    pub candidate: Option<Manifest>,
    /// The live build's.
    pub live: Option<Manifest>,
}

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
        let builds = crate::catalog::registry::builds(self.lock, self.lock.database()).await?;
        let facts = self.facts(candidate, &builds, sealed.is_some()).await?;
        refuse_foreign(self.lock, &builds).await?;
        let not_compared = self.hold_against_live(candidate, &builds).await?;
        let began = Instant::now();
        let (held, ended) = rename::rename(self, candidate, &builds, &facts).await?;
        let live = crate::catalog::registry::live(&builds, self.lock.database());
        let promotion = Promotion {
            from: live.and_then(|build| build.tag.as_ref()).map(|tag| tag.build.clone()),
            to: facts.tag.build.clone(),
            milliseconds: held.as_millis() as u64,
            sessions_ended: ended,
            rejected: facts.change.rejects.clone(),
            notes: facts.touched.notes.into_iter().chain(not_compared).collect(),
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

    /// Asks the gates on data of a whole build that is new, beside the whole one that is live. One
    /// that has been live was asked then. Gives a note for people where what is live is no measure.
    ///
    /// # Errors
    /// [`Exit::ChecksFailed`] with all that they refuse; [`Swap::judged`] has every verdict.
    pub async fn hold_against_live(
        &mut self,
        candidate: &Build,
        builds: &[Build],
    ) -> anyhow::Result<Option<String>> {
        let database = self.lock.database().to_owned();
        if candidate.was_live() || candidate.is_subset() {
            return Ok(None);
        }
        let was = gates::measure(self.server, self.owner, builds, &database, self.specs).await?;
        let Some(was) = was else {
            let live = crate::catalog::registry::live(builds, &database);
            return Ok(live.map(|live| {
                let what = if live.is_subset() { "is a subset" } else { "has no stamp" };
                let live = live.own_name();
                let note = format!(
                    "the gates on data compared nothing: {live} {what}, and no whole build is kept that \
                     was live before it"
                );
                tracing::warn!("{note}");
                note
            }));
        };
        // One that is not sealed is refused for that.
        let is = stamp::account_of(self.server, candidate, self.owner).await?;
        let Some(is) = is else { return Ok(None) };
        let waivers = waiver::standing(self.lock, &database).await?;
        self.judged = gates::judge(&was, &is, self.specs, &waivers);
        for entry in self.judged.iter().filter(|entry| entry.is_notable()) {
            tracing::warn!(gate = entry.gate, source = entry.source, "{}", entry.text());
        }
        let what = format!("{} is not promoted", is.build);
        gates::permit(&database, &what, &self.judged, &self.again)?;
        Ok(None)
    }

    /// What the gate needs to know of the candidate itself, read before anything is locked. The rows of
    /// one that this very run has sealed are not counted once more.
    ///
    /// # Errors
    /// When the build cannot be read.
    pub async fn facts(
        &self,
        candidate: &Build,
        builds: &[Build],
        is_fresh: bool,
    ) -> anyhow::Result<Facts> {
        let Some(tag) = candidate.tag.clone() else {
            let message = format!("{} was never finished", candidate.name);
            return Err(Failure::new(Exit::SchemaRefused, message).hint("kiln prune").into());
        };
        let database = BuildDatabase::new(self.server, &candidate.name, self.owner)?;
        let session = database.session("gate").await?;
        let stamp = stamp::read(&session).await?;
        let fingerprint = catalog::fingerprint(&session).await?.digest;
        let touched = match &stamp {
            None => Touched::default(),
            Some(stamp) => {
                let (connections, stop) = (self.connections, self.stop);
                stamp::touched(&database, &session, stamp, is_fresh, connections, stop).await?
            }
        };
        let lock = self.schema_lock.cloned();
        let change = Change::of(self.action, candidate, builds, self.lock.database());
        let (manifests, refusals) = self.inputs(candidate, builds, &change).await?;
        Ok(Facts {
            tag,
            stamp,
            fingerprint,
            lock,
            touched,
            named: self.named,
            again: self.again.clone(),
            change,
            manifests,
            refusals,
        })
    }

    /// What the candidate and the live build were made from, and what of it was rolled away from.
    async fn inputs(
        &self,
        candidate: &Build,
        builds: &[Build],
        change: &Change,
    ) -> anyhow::Result<(Manifests, Vec<Refusal>)> {
        let live = crate::catalog::registry::live(builds, self.lock.database());
        let own = rejected::manifest_of(self.server, self.owner, candidate).await?;
        // What is live may have been touched, and is to be replaced for that very reason.
        let of_live = match live {
            Some(live) => rejected::legible(self.server, self.owner, live).await,
            None => None,
        };
        let mut refusals: Vec<Refusal> = Refusal::itself(candidate).into_iter().collect();
        // What was live and was not rolled away from needs nobody's word.
        if let (Some(own), false) = (&own, change.is_back) {
            let readers = rejected::readers(self.server, self.owner, self.lock, own).await?;
            refusals.extend(rejected::refusals(own, &readers));
        }
        Ok((Manifests { candidate: own, live: of_live }, refusals))
    }
}

/// The live name must be free, or that of a build of kiln's.
async fn refuse_foreign(lock: &RunLock, builds: &[Build]) -> anyhow::Result<()> {
    let database = lock.database();
    let taken = lock
        .query_opt("select from pg_database where datname = $1", &[&database])
        .await
        .map_err(db("look at the live name"))?;
    if taken.is_some() && crate::catalog::registry::live(builds, database).is_none() {
        let message = format!("there is a database {database} that kiln did not make");
        return Err(Failure::new(Exit::SwapNotPossible, message)
            .hint(format!(
                "rename it away: alter database \"{database}\" rename to \"{database}_old\""
            ))
            .into());
    }
    Ok(())
}

/// The build that `kiln swap` means when no name is given: the newest sealed whole one that is
/// newer than the live one.
pub fn candidate<'a>(builds: &'a [Build], database: &str) -> Option<&'a Build> {
    let live = crate::catalog::registry::live(builds, database).map_or(0, Build::number);
    let whole = builds.iter().rev().filter(|build| !build.is_subset());
    whole.into_iter().find(|build| build.state() == State::Sealed && build.number() > live)
}

/// Newer builds that were rolled away from, the newest first: whoever asks for a candidate means one
/// of them, where a waiver covers it.
pub fn rejected<'a>(builds: &'a [Build], database: &str) -> Vec<&'a Build> {
    let live = crate::catalog::registry::live(builds, database).map_or(0, Build::number);
    let newer = builds.iter().rev().filter(|build| build.number() > live && !build.invalid);
    newer.filter(|build| build.rejected().is_some() && build.state() == State::Retired).collect()
}

/// The build that `kiln rollback` goes back to: the whole one that was live before.
pub fn previous<'a>(builds: &'a [Build], database: &str) -> Option<&'a Build> {
    former(builds, database).into_iter().find(|build| build.rejected().is_none())
}
