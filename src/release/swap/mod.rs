//! The swap: the one step that makes a sealed build the live one, behind the gate. Nothing else
//! touches the live name.
//!
//! [`gate`] decides from facts, purely; [`rename`] does all renames of one server in one transaction by the
//! two-session way. Rollback is the same step, backwards, through the same gate. Databases of several
//! servers are swapped by [`super::several`].

mod blockers;
mod forward;
pub(crate) mod gate;
pub(crate) mod rename;
pub(crate) mod tags;

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::{GateEntry, Promotion};
use crate::catalog::lock::RunLock;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::contract::contracts;
use crate::catalog::registry::retention::former;
use crate::catalog::registry::{Build, BuildState, live, waiver};
use crate::catalog::stamp::{self, Sealed, Touched};
use crate::error::{Exit, Failure, together};
use crate::plan::manifest::rejected::{self, Refusal};
use crate::postgres::{Server, db};
use crate::release::gates;
use crate::spec::schema::{SchemaLock, catalog};
use crate::spec::source::Source;
use forward::Forward;
use gate::CandidateFacts;
use tags::Change;

/// How the databases of one server are swapped.
pub(crate) struct SwapSession<'a> {
    /// The run's lock, which holds the locks of all these databases; the renames are executed on its session.
    pub lock: &'a mut RunLock,
    /// The server, for sessions beside it.
    pub server: &'a Server,
    /// The role that owns builds.
    pub owner: &'a str,
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
    /// The stop signal: until COMMIT is sent it leaves everything as it was.
    pub stop: &'a CancellationToken,
}

/// One database's part in a swap.
pub(crate) struct SwapPart<'a> {
    /// The database.
    pub database: &'a str,
    /// The build that goes live.
    pub candidate: &'a Build,
    /// All its builds.
    pub builds: &'a [Build],
    /// What `sql/<database>/schema.lock` says.
    pub schema_lock: Option<&'a SchemaLock>,
    /// The database's specs, for the gates on data: their limits, and what objects' names tell.
    pub specs: &'a [Source],
    /// Whether a person named this very build: a subset goes live in no other way.
    pub named: bool,
    /// That this very run has sealed it, which spares the counting of its rows.
    pub sealed: Option<&'a Sealed>,
    /// What the gates on data said.
    pub judged: Vec<GateEntry>,
}

/// What is known of a candidate after the gates on data.
pub(crate) struct CheckedCandidate {
    facts: CandidateFacts,
    /// What people should know of the comparison.
    note: Option<String>,
}

/// Marks an error after which the swap may be done or not done (never half): the server went
/// away at COMMIT and did not come back in time to be asked.
#[derive(Debug, thiserror::Error)]
#[error("whether the swap was committed is not known (`kiln status` will say)")]
pub(crate) struct NotKnown;

/// What two builds were made from, where that can be read.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// The candidate's.
    pub candidate: Option<Manifest>,
    /// The live build's.
    pub live: Option<Manifest>,
}

impl SwapSession<'_> {
    /// Makes the candidates live, all of them or none.
    ///
    /// # Errors
    /// [`Exit::SchemaRefused`] when the gate refuses one, [`Exit::SwapNotPossible`] past the deadline;
    /// the live databases are then the old ones.
    pub(crate) async fn promote(
        &mut self,
        parts: &mut [SwapPart<'_>],
    ) -> anyhow::Result<Vec<Promotion>> {
        let asked = self.ask(parts).await?;
        self.rename(parts, asked, None).await
    }

    /// What a swap would do, held against all gates.
    ///
    /// # Errors
    /// As [`SwapSession::promote`], but for the renames.
    pub(crate) async fn preview(
        &self,
        parts: &mut [SwapPart<'_>],
    ) -> anyhow::Result<Vec<Promotion>> {
        let asked = self.allowed(parts).await?;
        Ok(parts.iter().zip(asked).map(|(part, asked)| promotion(part, asked, 0, 0)).collect())
    }

    /// Gathers facts and asks the gates on data: of all candidates, so that one sees all that is refused.
    ///
    /// # Errors
    /// When a gate refuses; [`SwapPart::judged`] has every verdict.
    pub(crate) async fn ask(
        &self,
        parts: &mut [SwapPart<'_>],
    ) -> anyhow::Result<Vec<CheckedCandidate>> {
        let (mut all, mut refused) = (Vec::new(), Vec::new());
        for part in parts {
            match self.ask_one(part).await {
                Ok(asked) => all.push(asked),
                Err(error) => refused.push(error),
            }
        }
        together(refused)?;
        Ok(all)
    }

    /// The same, and the gate's decision as things are now. It is made once more in the transaction.
    ///
    /// # Errors
    /// When a gate refuses.
    pub(crate) async fn allowed(
        &self,
        parts: &mut [SwapPart<'_>],
    ) -> anyhow::Result<Vec<CheckedCandidate>> {
        let asked = self.ask(parts).await?;
        let mut refused = Vec::new();
        for (part, asked) in parts.iter().zip(&asked) {
            let said = contracts(self.lock, Some(part.database)).await?;
            let waivers = waiver::standing(self.lock, part.database).await?;
            refused.extend(gate::decide(&asked.facts, &said, &waivers).err());
        }
        together(refused)?;
        Ok(asked)
    }

    async fn ask_one(&self, part: &mut SwapPart<'_>) -> anyhow::Result<CheckedCandidate> {
        let facts = self.facts(part, part.sealed.is_some()).await?;
        refuse_foreign(self.lock, part).await?;
        let note = self.hold_against_live(part).await?;
        Ok(CheckedCandidate { facts, note })
    }

    /// Renames, in one transaction, alone or as a part of a swap of several servers.
    ///
    /// # Errors
    /// As [`SwapSession::promote`].
    pub(crate) async fn rename(
        &mut self,
        parts: &[SwapPart<'_>],
        asked: Vec<CheckedCandidate>,
        joint: Option<&str>,
    ) -> anyhow::Result<Vec<Promotion>> {
        let began = Instant::now();
        let (facts, notes): (Vec<CandidateFacts>, Vec<Option<String>>) =
            asked.into_iter().map(|asked| (asked.facts, asked.note)).unzip();
        let who = self.lock.who().clone();
        let forward =
            Forward { parts, facts: &facts, who: &who, action: self.action, why: self.why, joint };
        let (held, ended) = rename::rename(self, &forward).await?;
        let asked =
            facts.into_iter().zip(notes).map(|(facts, note)| CheckedCandidate { facts, note });
        let milliseconds = held.as_millis() as u64;
        let made = |(part, asked)| promotion(part, asked, milliseconds, ended);
        let promotions: Vec<Promotion> = parts.iter().zip(asked).map(made).collect();
        for promotion in &promotions {
            tracing::info!(
                to = promotion.to,
                from = promotion.from,
                milliseconds = promotion.milliseconds,
                waited = began.elapsed().as_secs_f64(),
                "swapped"
            );
        }
        Ok(promotions)
    }

    /// Asks the gates on data of a whole build that is new, beside the whole one that is live. One
    /// that has been live was asked then. Gives a note for people where what is live is no measure.
    ///
    /// # Errors
    /// [`Exit::ChecksFailed`] with all that they refuse; [`SwapPart::judged`] has every verdict.
    async fn hold_against_live(&self, part: &mut SwapPart<'_>) -> anyhow::Result<Option<String>> {
        let SwapPart { database, candidate, builds, specs, .. } = *part;
        if candidate.was_live() || candidate.is_subset() {
            return Ok(None);
        }
        let was = gates::measure(self.server, self.owner, builds, database, specs).await?;
        let Some(was) = was else {
            let live = live(builds, database);
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
        let waivers = waiver::standing(self.lock, database).await?;
        part.judged = gates::judge(&was, &is, specs, &waivers);
        for entry in part.judged.iter().filter(|entry| entry.is_notable()) {
            tracing::warn!(gate = entry.gate, source = entry.source, "{}", entry.text());
        }
        let what = format!("{} is not promoted", is.build);
        gates::permit(database, &what, &part.judged, &self.again)?;
        Ok(None)
    }

    /// What the gate needs to know of the candidate itself, read before anything is locked. The rows of
    /// one that this very run has sealed are not counted once more.
    ///
    /// # Errors
    /// When the build cannot be read.
    pub(crate) async fn facts(
        &self,
        part: &SwapPart<'_>,
        is_fresh: bool,
    ) -> anyhow::Result<CandidateFacts> {
        let SwapPart { candidate, builds, .. } = *part;
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
        let lock = part.schema_lock.cloned();
        let change = Change::of(self.action, candidate, builds, part.database);
        let (manifests, refusals) = self.inputs(part, &change).await?;
        Ok(CandidateFacts {
            tag,
            stamp,
            fingerprint,
            lock,
            touched,
            named: part.named,
            again: self.again.clone(),
            change,
            manifests,
            refusals,
        })
    }

    /// What the candidate and the live build were made from, and what of it was rolled away from.
    async fn inputs(
        &self,
        part: &SwapPart<'_>,
        change: &Change,
    ) -> anyhow::Result<(Manifests, Vec<Refusal>)> {
        let SwapPart { database, candidate, builds, .. } = *part;
        let live = live(builds, database);
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

fn promotion(
    part: &SwapPart<'_>,
    asked: CheckedCandidate,
    milliseconds: u64,
    sessions_ended: u64,
) -> Promotion {
    let before = live(part.builds, part.database).and_then(|build| build.tag.as_ref());
    let CheckedCandidate { facts, note } = asked;
    Promotion {
        from: before.map(|tag| tag.build.clone()),
        to: facts.tag.build,
        milliseconds,
        sessions_ended,
        rejected: facts.change.rejects,
        notes: facts.touched.notes.into_iter().chain(note).collect(),
    }
}

/// The live name must be free, or that of a build of kiln's.
async fn refuse_foreign(lock: &RunLock, part: &SwapPart<'_>) -> anyhow::Result<()> {
    let SwapPart { database, builds, .. } = *part;
    let taken = lock
        .query_opt("select from pg_database where datname = $1", &[&database])
        .await
        .map_err(db("look at the live name"))?;
    if taken.is_some() && live(builds, database).is_none() {
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
    let live = live(builds, database).map_or(0, Build::number);
    let whole = builds.iter().rev().filter(|build| !build.is_subset());
    whole.into_iter().find(|build| build.state() == BuildState::Sealed && build.number() > live)
}

/// Newer builds that were rolled away from, the newest first: whoever asks for a candidate means one
/// of them, where a waiver covers it.
pub(crate) fn rejected<'a>(builds: &'a [Build], database: &str) -> Vec<&'a Build> {
    let live = live(builds, database).map_or(0, Build::number);
    let newer = builds.iter().rev().filter(|build| build.number() > live && !build.invalid);
    newer
        .filter(|build| build.rejected().is_some() && build.state() == BuildState::Retired)
        .collect()
}

/// The build that `kiln rollback` goes back to: the whole one that was live before.
pub fn previous<'a>(builds: &'a [Build], database: &str) -> Option<&'a Build> {
    former(builds, database).into_iter().find(|build| build.rejected().is_none())
}
