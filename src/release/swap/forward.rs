//! The candidates of one server go live: the gate once more in the transaction, the renames by its permit,
//! then tags, notes and audit.

use super::gate::{CandidateFacts, Permit, decide};
use super::rename::Renaming;
use super::{SwapPart, tags};
use crate::catalog::registry::build::ident;
use crate::catalog::registry::contract::{Contract, contracts};
use crate::catalog::registry::control::{Audit, Who, write_audit};
use crate::catalog::registry::found::note_sql;
use crate::catalog::registry::waiver::{self, Waiver};
use crate::catalog::registry::{Build, Tag, Word, builds, live};
use crate::catalog::registry::{joint, promoted};
use crate::postgres::{Session, db};

/// What goes live, with what is known of each.
pub(super) struct Forward<'a> {
    pub parts: &'a [SwapPart<'a>],
    pub facts: &'a [CandidateFacts],
    pub who: &'a Who,
    pub action: &'a str,
    pub why: &'a str,
    /// The swap of several servers that this is a part of.
    pub joint: Option<&'a str>,
}

/// What one candidate was allowed by.
pub(super) struct Allowed {
    contracts: Vec<Contract>,
    waivers: Vec<Waiver>,
    permit: Permit,
}

impl Forward<'_> {
    fn each(&self) -> impl Iterator<Item = (&SwapPart<'_>, &CandidateFacts)> {
        self.parts.iter().zip(self.facts)
    }
}

impl Renaming for Forward<'_> {
    type Agreed = Vec<Allowed>;

    fn names(&self) -> Vec<String> {
        let both = |part: &SwapPart<'_>| [part.candidate.name.clone(), part.database.to_owned()];
        self.parts.iter().flat_map(both).collect()
    }

    async fn agree(&self, session: &Session) -> anyhow::Result<Vec<Allowed>> {
        let mut agreed = Vec::new();
        for (part, facts) in self.each() {
            let contracts = contracts(session, Some(part.database)).await?;
            let waivers = waiver::standing(session, part.database).await?;
            let permit = decide(facts, &contracts, &waivers)?;
            agreed.push(Allowed { contracts, waivers, permit });
        }
        Ok(agreed)
    }

    fn renames(&self, agreed: &Vec<Allowed>) -> Vec<(String, String)> {
        let both = |(part, allowed): (&SwapPart<'_>, &Allowed)| renames(&allowed.permit, part);
        self.parts.iter().zip(agreed).flat_map(both).collect()
    }

    async fn note(
        &self,
        session: &Session,
        agreed: &Vec<Allowed>,
        sessions_ended: u64,
    ) -> anyhow::Result<()> {
        for ((part, facts), allowed) in self.each().zip(agreed) {
            self.note_one(session, part, facts, allowed, sessions_ended).await?;
        }
        match self.joint {
            Some(id) => joint::set_renamed(session, id, true).await,
            None => Ok(()),
        }
    }

    async fn is_done(&self, control: &Session) -> anyhow::Result<bool> {
        if let Some(id) = self.joint {
            return joint::is_renamed(control, id).await;
        }
        // One transaction: what is true of the first is true of all.
        let Some(SwapPart { database, candidate, .. }) = self.parts.first() else {
            return Ok(true);
        };
        let all = builds(control, database).await?;
        Ok(live(&all, database).map(Build::own_name) == Some(candidate.own_name()))
    }
}

impl Forward<'_> {
    async fn note_one(
        &self,
        session: &Session,
        part: &SwapPart<'_>,
        facts: &CandidateFacts,
        allowed: &Allowed,
        sessions_ended: u64,
    ) -> anyhow::Result<()> {
        let SwapPart { database, candidate, builds, .. } = part;
        let before = live(builds, database).and_then(|build| build.tag.as_ref());
        let word = Word::of(self.who, self.why);
        let rejects = facts.change.rejects.as_ref().map(|_| &word);
        for (name, tag) in tags::after(candidate, builds, database, rejects) {
            let sql = format!("{}; {}", tag.comment_sql(&ident(&name)?), note_sql(&tag));
            session.batch_execute(&sql).await.map_err(db("note the swap"))?;
        }
        note_builds(session, candidate, before, facts, rejects).await?;
        let Allowed { contracts, waivers, .. } = allowed;
        let details = serde_json::json!({
            "version": facts.tag.version,
            "fingerprint": facts.fingerprint,
            "contracts": contracts,
            "waivers": waivers,
            "rejected": facts.change.rejects,
            "sessions_ended": sessions_ended,
        });
        let audit = Audit {
            action: self.action,
            database,
            from: before.map(|tag| tag.build.as_str()),
            to: Some(&facts.tag.build),
            why: self.why,
            details,
        };
        write_audit(session, self.who, &audit).await?;
        end_waivers(session, waivers, candidate, facts).await
    }
}

/// A waiver ends by the promotion that it was for: of a subset no gate was asked, and a way back that
/// rolls away from nothing says nothing of what was rejected.
async fn end_waivers(
    session: &Session,
    waivers: &[Waiver],
    candidate: &Build,
    facts: &CandidateFacts,
) -> anyhow::Result<()> {
    if facts.change.rejects.is_some() {
        waiver::end_rejected(session, waivers, &facts.tag.build).await
    } else if !facts.change.is_back && !candidate.is_subset() {
        waiver::use_up(session, waivers, &facts.tag.build).await
    } else {
        Ok(())
    }
}

/// Notes what both builds were made from, whole ones, and which of them was rolled away from.
async fn note_builds(
    session: &Session,
    candidate: &Build,
    live: Option<&Tag>,
    facts: &CandidateFacts,
    rejects: Option<&Word>,
) -> anyhow::Result<()> {
    let CandidateFacts { tag, manifests, .. } = facts;
    let database = &tag.database;
    if let Some(live) = live.filter(|live| live.subset.is_none()) {
        let manifest = manifests.live.as_ref();
        promoted::record(session, database, &live.build, manifest, rejects).await?;
    }
    if candidate.is_subset() {
        return Ok(());
    }
    promoted::record(session, database, &tag.build, manifests.candidate.as_ref(), None).await
}

/// The renames of one database; it takes the gate's permit, so that there is no other way to them.
fn renames(_permit: &Permit, part: &SwapPart<'_>) -> Vec<(String, String)> {
    let SwapPart { database, candidate, builds, .. } = part;
    let live = live(builds, database).and_then(|build| build.tag.as_ref());
    let away = live.map(|tag| ((*database).to_owned(), tag.build.clone()));
    let here = (candidate.name.clone(), (*database).to_owned());
    away.into_iter().chain([here]).collect()
}
