//! Databases of several servers, swapped together or not at all.
//!
//! No transaction spans two servers, and a prepared one would keep every new connection waiting. So all
//! gates are asked first; then the swap is noted ([`joint`]), and one server after another renames. If one
//! cannot, those before it are swapped back, which rejects nothing. A crash leaves the note: whoever takes
//! the lock of one of the databases next ends it first ([`settle`]).

mod back;
mod decide;

use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::Promotion;
use crate::catalog::registry::joint::{self, JointSwap, Member};
use crate::catalog::registry::{Build, Tag, builds, live};
use crate::config::failpoint;
use crate::error::{Exit, Failure, together};
use crate::release::swap::{Asked, NotKnown, Part, Swap, rename};
use back::Back;
use decide::{End, decide};

/// What is swapped on one server.
pub struct Group<'a> {
    /// How.
    pub swap: Swap<'a>,
    /// The databases.
    pub parts: Vec<Part<'a>>,
}

/// Makes the candidates of all servers live, all of them or none.
///
/// # Errors
/// What a gate refuses or what keeps a server from renaming; all live databases are then the old ones. Where
/// one cannot be swapped back now, that is said, and the next run does it.
pub async fn swap(groups: &mut [Group<'_>]) -> anyhow::Result<Vec<Promotion>> {
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
        joint::note(group.swap.lock, &noted).await?;
    }
    let outcome = match failpoint::hit(failpoint::JOINT_NOTED) {
        Ok(()) => rename_all(groups, asked).await,
        Err(error) => Err((0, error)),
    };
    match outcome {
        Ok(mut promotions) => {
            if let Err(error) = end(groups, &noted, "swapped").await {
                let note = format!("the next run ends the note of this swap: {error:#}");
                tracing::warn!("{note}");
                promotions.iter_mut().take(1).for_each(|first| first.notes.push(note.clone()));
            }
            Ok(promotions)
        }
        // Whether its server has renamed is asked when the note is ended.
        Err((_, error)) if error.is::<NotKnown>() => Err(error),
        Err((renamed, error)) => Err(undone(groups, &noted, renamed, error).await),
    }
}

/// What is written down before the first rename.
async fn noted(groups: &[Group<'_>]) -> anyhow::Result<JointSwap> {
    let mut members = Vec::new();
    for group in groups {
        let server = joint::server_id(group.swap.lock).await?;
        members.extend(group.parts.iter().map(|part| Member {
            database: part.database.to_owned(),
            from: live(part.builds, part.database).map(|build| build.own_name().to_owned()),
            to: part.candidate.own_name().to_owned(),
            server: server.clone(),
            tags: part.builds.iter().filter_map(was_sealed).cloned().collect(),
        }));
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

/// Renames on one server after another; an error comes with how many servers have renamed.
async fn rename_all(
    groups: &mut [Group<'_>],
    asked: Vec<Vec<Asked>>,
) -> Result<Vec<Promotion>, (usize, anyhow::Error)> {
    let mut promotions = Vec::new();
    let last = groups.len().saturating_sub(1);
    for (at, (group, asked)) in groups.iter_mut().zip(asked).enumerate() {
        let renamed = group.swap.rename(&group.parts, asked).await;
        promotions.extend(renamed.map_err(|error| (at, error))?);
        let point = if at < last { failpoint::JOINT_RENAMED } else { failpoint::JOINT_DONE };
        failpoint::hit(point).map_err(|error| (at + 1, error))?;
    }
    Ok(promotions)
}

/// Swaps back what is renamed, and says so in the error.
async fn undone(
    groups: &mut [Group<'_>],
    noted: &JointSwap,
    renamed: usize,
    error: anyhow::Error,
) -> anyhow::Error {
    let why = format!("undone: not all of {} could be swapped", noted.databases());
    for group in groups[..renamed].iter_mut().rev() {
        let database = group.swap.lock.databases();
        let of_group =
            |member: &&Member| group.parts.iter().any(|part| part.database == member.database);
        let members: Vec<&Member> = noted.members.iter().filter(of_group).collect();
        if let Err(left) = go_back(&mut group.swap, noted, &members, &why).await {
            let message = format!("{database} is swapped and cannot be swapped back now: {left:#}");
            tracing::error!("{message}");
            return error
                .context(format!("{message}; the next run of one of them does it; meanwhile"));
        }
    }
    match end(groups, noted, "went back").await {
        Ok(()) => error,
        Err(left) => error.context(format!("the next run ends the note of this swap ({left:#})")),
    }
}

/// Makes live again what was live before a joint swap. No signal stops it: half is what must not be.
///
/// # Errors
/// [`Exit::SwapNotPossible`] past the deadline; the note stays.
async fn go_back(
    swap: &mut Swap<'_>,
    noted: &JointSwap,
    members: &[&Member],
    why: &str,
) -> anyhow::Result<()> {
    let unstopped = CancellationToken::new();
    let who = swap.lock.who().clone();
    let back = Back { id: &noted.id, members, who: &who, why };
    let mut swap = Swap {
        lock: &mut *swap.lock,
        server: swap.server,
        owner: swap.owner,
        connections: swap.connections,
        deadline: swap.deadline,
        action: swap.action,
        why,
        again: swap.again.clone(),
        stop: &unstopped,
    };
    rename::rename(&mut swap, &back).await?;
    failpoint::hit(failpoint::JOINT_BACK)
}

/// Ends the note: on the home first, whose word holds.
async fn end(groups: &[Group<'_>], noted: &JointSwap, outcome: &str) -> anyhow::Result<()> {
    for group in groups {
        joint::end(group.swap.lock, &noted.id, outcome).await?;
    }
    Ok(())
}

/// Ends a joint swap that a crash left: forward where all databases are swapped, else back. `swaps` are its
/// databases' servers, the home's first, with the locks of all of them.
///
/// # Errors
/// When a server cannot be asked, or does not let its readers be ended in time; the note then stays.
pub async fn settle(noted: &JointSwap, swaps: &mut [Swap<'_>]) -> anyhow::Result<()> {
    let home = swaps.first().ok_or_else(|| anyhow::anyhow!("a joint swap without a database"))?;
    for swap in swaps.iter() {
        must_be_the_server(noted, swap).await?;
    }
    let mut outcome = "ended before";
    if joint::is_open(home.lock, &noted.id).await? {
        let mut lives = Vec::new();
        for member in &noted.members {
            lives.push(live_of(swaps, member).await?);
        }
        outcome = match decide(noted, &lives) {
            End::Swapped => "swapped",
            End::Back(members) => {
                let why = format!("undone: the swap of {} was not ended", noted.databases());
                for swap in swaps.iter_mut() {
                    let of_swap = |member: &&&Member| swap.lock.holds(&member.database);
                    let own: Vec<&Member> = members.iter().filter(of_swap).copied().collect();
                    if !own.is_empty() {
                        go_back(swap, noted, &own, &why).await?;
                    }
                }
                "went back"
            }
        };
    }
    for swap in swaps.iter() {
        joint::end(swap.lock, &noted.id, outcome).await?;
    }
    tracing::warn!(databases = noted.databases(), outcome, "ended a swap that was left begun");
    Ok(())
}

/// Another server under the same setting would be taken for one on which nothing was swapped.
async fn must_be_the_server(noted: &JointSwap, swap: &Swap<'_>) -> anyhow::Result<()> {
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

/// The own name of the build that is live now.
async fn live_of(swaps: &[Swap<'_>], member: &Member) -> anyhow::Result<Option<String>> {
    let Some(swap) = swaps.iter().find(|swap| swap.lock.holds(&member.database)) else {
        let message = format!("the lock of {} is not held", member.database);
        return Err(Failure::new(Exit::SwapNotPossible, message).into());
    };
    let all = builds(swap.lock, &member.database).await?;
    Ok(live(&all, &member.database).map(|build| build.own_name().to_owned()))
}
