//! Databases of several servers, swapped together or not at all.
//!
//! No transaction spans two servers, and a prepared one would keep every new connection waiting. So all
//! gates are asked first; then the swap is noted on every server ([`joint`]), and one after another renames,
//! and says so in its note by the same transaction. If one cannot, those that have renamed are swapped back,
//! which rejects nothing. A crash leaves the notes: whoever takes the lock of one of the databases next ends
//! the swap first. Both are [`settle`], which goes by the notes alone: what a process remembers may be wrong.

mod back;
mod decide;

use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::Promotion;
use crate::catalog::registry::joint::{self, JointMember, JointSwap};
use crate::catalog::registry::{Build, Tag, live};
use crate::config::failpoint;
use crate::error::{Exit, Failure, together};
use crate::release::swap::{CheckedCandidate, NotKnown, SwapPart, SwapSession, rename};
use back::Back;
use decide::{End, decide};

/// What is swapped on one server.
pub(crate) struct Group<'a> {
    /// How.
    pub swap: SwapSession<'a>,
    /// The databases.
    pub parts: Vec<SwapPart<'a>>,
}

/// Makes the candidates of all servers live, all of them or none.
///
/// # Errors
/// When a gate refuses, or a server cannot rename; all live databases are then the old ones. Where
/// one cannot be swapped back now, that is said, and the next run does it.
pub(crate) async fn swap(groups: &mut [Group<'_>]) -> anyhow::Result<Vec<Promotion>> {
    let (mut asked, mut refused) = (Vec::new(), Vec::new());
    for group in groups.iter_mut() {
        match group.swap.allowed(&mut group.parts).await {
            Ok(allowed) => asked.push(allowed),
            Err(error) => refused.push(error),
        }
    }
    together(refused)?;
    let noted = noted(groups).await?;
    // The home's row last: where it is, all are.
    for group in groups.iter().rev() {
        if let Err(error) = joint::note(group.swap.lock, &noted).await {
            // Nothing is renamed yet: what was noted is ended where it can be, else by the next run.
            for group in groups.iter() {
                let _ = joint::end(group.swap.lock, &noted.id, "not begun").await;
            }
            return Err(error);
        }
    }
    match rename_all(groups, asked, &noted.id).await {
        Ok(mut promotions) => {
            if let Err(error) = end(groups.iter().map(|group| &group.swap), &noted, "swapped").await
            {
                let note = format!("the next run ends the note of this swap: {error:#}");
                tracing::warn!("{note}");
                promotions.iter_mut().take(1).for_each(|first| first.notes.push(note.clone()));
            }
            Ok(promotions)
        }
        // Whether its server has renamed is asked when the swap is ended.
        Err(error) if error.is::<NotKnown>() => Err(error),
        Err(error) => {
            let mut swaps: Vec<&mut SwapSession<'_>> =
                groups.iter_mut().map(|group| &mut group.swap).collect();
            match settle(&noted, &mut swaps).await {
                Ok(_) => Err(error),
                Err(left) => {
                    let databases = noted.databases();
                    tracing::error!("the swap of {databases} is neither done nor undone: {left:#}");
                    let said = format!(
                        "the swap of {databases} is neither done nor undone ({left:#}), and the next run of \
                         one of them ends it"
                    );
                    Err(error.context(said))
                }
            }
        }
    }
}

/// What is written down before the first rename.
async fn noted(groups: &[Group<'_>]) -> anyhow::Result<JointSwap> {
    let (mut servers, mut members) = (Vec::new(), Vec::new());
    for group in groups {
        let server = joint::server_id(group.swap.lock).await?;
        if let Some(same) = servers.iter().position(|known| *known == server) {
            let (one, two) = (groups[same].swap.lock.database(), group.swap.lock.database());
            let message = format!("{one} and {two} are on one server, by two URLs");
            let hint = format!(
                "give {two} the very same URL as {one}, or none of its own: one server swaps both in one \
                 transaction"
            );
            return Err(Failure::new(Exit::Usage, message).hint(hint).into());
        }
        members.extend(group.parts.iter().map(|part| JointMember {
            database: part.database.to_owned(),
            from: live(part.builds, part.database).map(|build| build.own_name().to_owned()),
            to: part.candidate.own_name().to_owned(),
            server: server.clone(),
            tags: part.builds.iter().filter_map(was_sealed).cloned().collect(),
        }));
        servers.push(server);
    }
    let first = groups.first().map(|group| &group.swap.lock);
    Ok(JointSwap {
        id: first.map_or(String::new(), |lock| lock.who().run.clone()),
        home: first.map_or(String::new(), |lock| lock.database().to_owned()),
        members,
    })
}

/// A tag that a swap may change.
fn was_sealed(build: &Build) -> Option<&Tag> {
    build.tag.as_ref().filter(|tag| tag.state.is_sealed())
}

/// Renames on one server after another.
async fn rename_all(
    groups: &mut [Group<'_>],
    asked: Vec<Vec<CheckedCandidate>>,
    id: &str,
) -> anyhow::Result<Vec<Promotion>> {
    failpoint::hit(failpoint::JOINT_NOTED)?;
    let mut promotions = Vec::new();
    let last = groups.len().saturating_sub(1);
    for (at, (group, asked)) in groups.iter_mut().zip(asked).enumerate() {
        promotions.extend(group.swap.rename(&group.parts, asked, Some(id)).await?);
        let point = if at < last { failpoint::JOINT_RENAMED } else { failpoint::JOINT_DONE };
        failpoint::hit(point)?;
    }
    Ok(promotions)
}

/// Ends the notes: on the home first, whose word holds.
async fn end<'a, 'b: 'a>(
    swaps: impl Iterator<Item = &'a SwapSession<'b>>,
    noted: &JointSwap,
    outcome: &str,
) -> anyhow::Result<()> {
    for swap in swaps {
        joint::end(swap.lock, &noted.id, outcome).await?;
    }
    Ok(())
}

/// Ends a joint swap that was begun: forward where every server has renamed, else back. `swaps` are its
/// servers, the home's first, with the locks of all databases.
///
/// # Errors
/// When a server cannot be asked, or does not let its readers be ended in time; the notes then stay.
pub(crate) async fn settle(
    noted: &JointSwap,
    swaps: &mut [&mut SwapSession<'_>],
) -> anyhow::Result<&'static str> {
    let home = swaps.first().ok_or_else(|| anyhow::anyhow!("a joint swap without a database"))?;
    for swap in swaps.iter() {
        must_be_the_server(noted, swap).await?;
    }
    let mut outcome = "it had gone back or was done before";
    if !joint::is_ended(home.lock, &noted.id).await? {
        let mut renamed = Vec::new();
        for swap in swaps.iter() {
            renamed.push(joint::is_renamed(swap.lock, &noted.id).await?);
        }
        outcome = match decide(&renamed) {
            End::Swapped => "all of them are swapped",
            End::Back(servers) => {
                for at in servers {
                    go_back(swaps[at], noted).await?;
                }
                "it went back, and what was live before is live again"
            }
        };
    }
    end(swaps.iter().map(|swap| &**swap), noted, outcome).await?;
    tracing::warn!(databases = noted.databases(), outcome, "ended a swap of several servers");
    Ok(outcome)
}

/// Makes live again what was live before on one server. No signal stops it: half is what must not be.
///
/// # Errors
/// [`Exit::SwapNotPossible`] past the deadline; the note stays.
async fn go_back(swap: &mut SwapSession<'_>, noted: &JointSwap) -> anyhow::Result<()> {
    let own = noted.members.iter().filter(|member| swap.lock.holds(&member.database));
    let members: Vec<&JointMember> = own.collect();
    let why = format!("not all of {} were swapped", noted.databases());
    let (unstopped, who) = (CancellationToken::new(), swap.lock.who().clone());
    let back = Back { id: &noted.id, members: &members, who: &who, why: &why };
    let mut swap = SwapSession {
        lock: &mut *swap.lock,
        server: swap.server,
        owner: swap.owner,
        connections: swap.connections,
        deadline: swap.deadline,
        action: swap.action,
        why: &why,
        again: swap.again.clone(),
        stop: &unstopped,
    };
    rename::rename(&mut swap, &back).await?;
    failpoint::hit(failpoint::JOINT_BACK)
}

/// Another server under the same setting would be taken for one on which nothing was swapped.
async fn must_be_the_server(noted: &JointSwap, swap: &SwapSession<'_>) -> anyhow::Result<()> {
    let found = joint::server_id(swap.lock).await?;
    for member in noted.members.iter().filter(|member| swap.lock.holds(&member.database)) {
        if member.server != found {
            let (database, variable) = (&member.database, member.database.to_uppercase());
            let message = format!(
                "a swap of {} was begun and not ended, and the server of {database} is not the one that \
                 it was begun on",
                noted.databases()
            );
            let hint = format!(
                "KILN_POSTGRES_URL_{variable} must name the server of then; where that is lost, on each of \
                 the others: psql -d kiln -c \"update kiln.joint_swap set ended_at = now(), outcome = 'lost' \
                 where id = '{}'\"",
                noted.id
            );
            return Err(Failure::new(Exit::Usage, message).hint(hint).into());
        }
    }
    Ok(())
}
