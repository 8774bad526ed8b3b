//! Each rule is needed: without it the search finds a way to break what is promised. What nothing could break
//! would prove nothing.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker as _, HasDiscoveries};

use super::Rules;
use super::build::{Build, Flaw as InBuild};
use super::release::{Flaw as InRelease, Release};

/// Without which rule of a build what does not hold.
const OF_BUILDS: [(InBuild, &str); 8] = [
    (InBuild::ClaimWithoutLock, "one session has a task"),
    (InBuild::NeedsNotAsked, "a task is done after what it needs"),
    (InBuild::EndByName, "a task is done once"),
    (InBuild::RowsAndStateApart, "a task is done once"),
    (InBuild::WriteInSteps, "a task is done after what it needs"),
    (InBuild::LockBesideShares, "a worker with its share keeps its task"),
    (InBuild::SealUnasked, "no build is sealed with a task undone"),
    (InBuild::SealLeavesRights, "no build is sealed with a task undone"),
];

/// The same of swaps.
const OF_RELEASES: [(InRelease, &str); 14] = [
    (InRelease::GateUnsealed, "what is live is sealed"),
    (InRelease::GateRejected, "what was rolled away from is not live"),
    (InRelease::RollbackUnsaid, "what was rolled away from is not live"),
    (InRelease::TagsApart, "one build is live, by name and by tag"),
    (InRelease::RenamesApart, "one build is live, by name and by tag"),
    (InRelease::Unfenced, "what was rolled away from is not live"),
    (InRelease::Unsettled, "both are new or both are old"),
    (InRelease::NoteLate, "both are new or both are old"),
    (InRelease::NoteEndedFirst, "both are new or both are old"),
    (InRelease::SettledByOneLock, "both are new or both are old"),
    (InRelease::BackByMemory, "both are new or both are old"),
    (InRelease::BackRejects, "only who rolls back rejects"),
    (InRelease::BackByBuild, "going back undoes a swap of both alone"),
    (InRelease::TwoSessions, "what was rolled away from is not live"),
];

/// Whether the model without a rule breaks this property, within what is searched; it prints a way to it.
fn is_broken<M>(flaw: M::Flaw, property: &'static str) -> bool
where
    M: Rules + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let search = M::without(flaw).checker();
    let found = search.finish_when(HasDiscoveries::AllOf([property].into())).spawn_bfs().join();
    let Some(path) = found.discovery(property) else { return false };
    eprintln!("{flaw:?}: {property:?} is broken by\n  {:?}", path.into_actions());
    true
}

#[test]
fn each_rule_is_needed() {
    let mut idle: Vec<String> = Vec::new();
    let mut hold = |flaw: &dyn Debug, property: &str, is_broken: bool| {
        if !is_broken {
            idle.push(format!("without the rule against {flaw:?} {property:?} holds"));
        }
    };
    for (flaw, property) in OF_BUILDS {
        hold(&flaw, property, is_broken::<Build>(flaw, property));
    }
    for (flaw, property) in OF_RELEASES {
        hold(&flaw, property, is_broken::<Release>(flaw, property));
    }
    assert!(idle.is_empty(), "{idle:#?}");
}
