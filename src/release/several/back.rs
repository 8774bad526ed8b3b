//! What a joint swap made live on one server goes back: live again is what was live before, and every tag,
//! waiver and note says what it said. The gate is not asked, for nothing goes live that was not a moment ago.

use serde_json::json;

use crate::catalog::registry::build::ident;
use crate::catalog::registry::control::{Audit, Who, write_audit};
use crate::catalog::registry::found::note_sql;
use crate::catalog::registry::joint::{self, JointMember};
use crate::catalog::registry::{promoted, waiver};
use crate::postgres::{Session, db};
use crate::release::swap::rename::Renaming;

/// The databases of one server that go back.
pub(super) struct Back<'a> {
    /// The joint swap.
    pub id: &'a str,
    pub members: &'a [&'a JointMember],
    pub who: &'a Who,
    pub why: &'a str,
}

impl Renaming for Back<'_> {
    type Agreed = ();

    fn names(&self) -> Vec<String> {
        let both = |member: &&JointMember| {
            let from = member.from.clone();
            [member.database.clone()].into_iter().chain(from).collect::<Vec<_>>()
        };
        self.members.iter().flat_map(both).collect()
    }

    async fn agree(&self, _session: &Session) -> anyhow::Result<()> {
        Ok(())
    }

    fn renames(&self, _agreed: &()) -> Vec<(String, String)> {
        let both = |member: &&JointMember| {
            let away = (member.database.clone(), member.to.clone());
            let here = member.from.clone().map(|from| (from, member.database.clone()));
            [away].into_iter().chain(here).collect::<Vec<_>>()
        };
        self.members.iter().flat_map(both).collect()
    }

    async fn note(
        &self,
        session: &Session,
        _agreed: &(),
        sessions_ended: u64,
    ) -> anyhow::Result<()> {
        for member in self.members {
            self.note_one(session, member, sessions_ended).await?;
        }
        joint::set_renamed(session, self.id, false).await
    }

    async fn is_done(&self, control: &Session) -> anyhow::Result<bool> {
        Ok(!joint::is_renamed(control, self.id).await?)
    }
}

impl Back<'_> {
    async fn note_one(
        &self,
        session: &Session,
        member: &JointMember,
        sessions_ended: u64,
    ) -> anyhow::Result<()> {
        for tag in &member.tags {
            let is_live = member.from.as_ref() == Some(&tag.build);
            let name = if is_live { &member.database } else { &tag.build };
            let sql = format!("{}; {}", tag.comment_sql(&ident(name)?), note_sql(tag));
            session.batch_execute(&sql).await.map_err(db("note the way back"))?;
            promoted::as_it_was(session, tag).await?;
        }
        waiver::reopen(session, &member.database, &member.to, self.id).await?;
        let audit = Audit {
            action: "swap back",
            database: &member.database,
            from: Some(&member.to),
            to: member.from.as_deref(),
            why: self.why,
            details: json!({ "swap": self.id, "sessions_ended": sessions_ended }),
        };
        write_audit(session, self.who, &audit).await
    }
}
