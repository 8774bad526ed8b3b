//! Two databases, and two processes that build, swap, roll back, prune, and swap both at once.
//!
//! What is on the servers is a [`Database`] each, with the note of a swap of both; what a process remembers is in
//! its [`Doing`]. The lock of a database is a session, which may end while its process goes on; whoever is killed
//! loses all at once. The first database is on the main server, and its lock's session writes and ends the note.
//!
//! Two rules are here because the search asked for them. What a note has swapped is told by the audit of the very
//! transaction, and not by what is live: another command may have made the same build live ([`Flaw::BackByBuild`]).
//! And on one server one session has both locks, or else the renames would outlive one of them
//! ([`Flaw::TwoSessions`]).
//!
//! Left out are waivers, subsets, holds, and a database that was never live.

use kiln::testing::catalog::registry::BuildState;
use stateright::{Model, Property};

use super::Rules;
use super::server::{BUILDS, Blind, Database, Made};

/// What may be left out of the code, each to the harm of one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The gate does not ask for the seal.
    GateUnsealed,
    /// The gate does not ask whether the build was rolled away from.
    GateRejected,
    /// A rollback says nothing of what it rolls away from.
    RollbackUnsaid,
    /// Tags are written by the transaction after the renames.
    TagsApart,
    /// The live name is freed by one transaction, and given by the next.
    RenamesApart,
    /// Renames are executed on another session than that of the lock.
    Unfenced,
    /// A command that takes a lock does not look for a note.
    Unsettled,
    /// The note is written after the first of both is renamed.
    NoteLate,
    /// The note is ended before what is swapped is swapped back.
    NoteEndedFirst,
    /// Who settles has the lock of one database.
    SettledByOneLock,
    /// A swap that fails goes back by what it remembers, and does not ask the servers.
    BackByMemory,
    /// What is swapped back is rejected.
    BackRejects,
    /// On one server the locks are two sessions, and the renames are executed on the first.
    TwoSessions,
    /// What is swapped back is found by the live build alone, whoever made it live.
    BackByBuild,
}

/// From which build to which, of each database.
type Moves = [(usize, usize); 2];

/// The note of a swap of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Note {
    id: u8,
    moves: Moves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    Night,
    Swap(usize),
    Rollback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Doing {
    Nothing,
    /// It has the lock of a database.
    Locked(usize, Command),
    /// The night has made this build.
    Built(usize, usize),
    /// The gate has passed the build, by what the server had then.
    Chosen {
        base: usize,
        command: Command,
        to: usize,
        seen: Database,
    },
    /// Of a flaw: one of two transactions is done.
    Half {
        base: usize,
        command: Command,
        to: usize,
        seen: Database,
    },
    /// The night's build is live; prune follows.
    Swapped(usize),
    /// It has all locks.
    LockedAll,
    /// Both gates have passed.
    Gated(Moves),
    /// So many are renamed.
    Noted(Note, usize),
    /// The answer to the COMMIT of the next one is lost.
    Unanswered(Note, usize),
    /// By the note, or by its own memory of how many it has renamed. `is_own` where its own swap failed.
    Settling {
        note: Note,
        is_own: bool,
        went_back: bool,
        memory: Option<usize>,
    },
}

impl Doing {
    fn is_several(self) -> bool {
        !matches!(
            self,
            Doing::Nothing
                | Doing::Locked(..)
                | Doing::Built(..)
                | Doing::Chosen { .. }
                | Doing::Half { .. }
                | Doing::Swapped(_)
        )
    }
}

/// All that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Servers {
    bases: [Database; 2],
    /// Which process's session has the lock of each.
    locks: [Option<usize>; 2],
    note: Option<Note>,
    processes: [Doing; 2],
    /// What the last swap of both was to do.
    pair: Option<Moves>,
    /// By which note what is live became so: it stands in the audit, of the same transaction. 0 is none.
    by: [u8; 2],
    /// The last note's number.
    notes: u8,
    /// What went back was another command's.
    undid_other: bool,
    /// How many more faults there may be.
    faults: u8,
}

/// A step of a process, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `src/catalog/lock/mod.rs` `acquire`, of one database, where no note is open.
    Acquire(usize, usize, Command),
    /// `src/command/opening.rs` `make_database`, after `src/command/prune.rs` `leftovers`.
    MakeDatabase(usize),
    /// `src/build/seal/mod.rs` `seal`.
    Seal(usize),
    /// `src/release/swap/mod.rs` `facts`, and `src/release/swap/gate.rs` `decide` of them.
    Facts(usize),
    /// `src/release/swap/rename.rs` `one_attempt`: both renames and `src/release/swap/tags.rs` `after`.
    OneAttempt(usize),
    /// `src/command/prune.rs` `retention`: one build that `src/catalog/registry/retention/mod.rs` `droppable` has.
    Retention(usize),
    /// `src/release/several/mod.rs` `swap`: takes the locks of all.
    SwapSeveral(usize),
    /// `src/release/several/mod.rs` `swap`: asks the gate of all.
    GateSeveral(usize),
    /// `src/release/several/mod.rs` `swap`: notes what is to be done.
    Note(usize),
    /// `src/release/several/mod.rs` `swap`: renames the next one, or all of one server.
    RenameNext(usize),
    /// `src/release/several/mod.rs` `swap`: all are renamed, and the note is ended.
    EndNote(usize),
    /// `src/release/swap/rename.rs` `lost`: reads back what became of the COMMIT, takes the lock anew by
    /// `src/catalog/lock/mod.rs` `renew`.
    Lost(usize),
    /// `src/release/several/mod.rs` `settle`: an open note is found by who wants a lock.
    Settle(usize, usize),
    /// `src/release/several/mod.rs` `go_back`: swaps one back, or ends the note when there is none to be.
    GoBack(usize),
    /// Fault: SIGKILL.
    Kill(usize),
    /// Fault: the session of a lock ends, by hand or by a crash of its server.
    LockEnds(usize),
    /// Fault: a reader is in the way until the deadline.
    Fail(usize),
    /// Fault: the COMMIT is done, its answer is lost, and the session with it.
    LoseAnswer(usize),
}

/// The model.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Whether both databases are on one server.
    pub one_server: bool,
    /// How many of them have nights.
    pub nights: usize,
    /// Faults in one history.
    pub faults: u8,
    /// What is left out.
    pub flaw: Option<Flaw>,
}

impl Rules for Release {
    type Flaw = Flaw;

    fn without(flaw: Flaw) -> Release {
        let one_server = flaw == Flaw::TwoSessions;
        Release { one_server, nights: 1, faults: 2, flaw: Some(flaw) }
    }
}

impl Release {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn blind(&self) -> Blind {
        let (of_seal, of_rejected) = (self.has(Flaw::GateUnsealed), self.has(Flaw::GateRejected));
        Blind { of_seal, of_rejected }
    }
}

impl Servers {
    fn has_lock(&self, at: usize, base: usize) -> bool {
        self.locks[base] == Some(at)
    }

    /// A process ends, and its sessions with it.
    fn end(&mut self, at: usize) {
        self.processes[at] = Doing::Nothing;
        for lock in self.locks.iter_mut().filter(|lock| **lock == Some(at)) {
            *lock = None;
        }
    }

    /// No note is open, and nobody who has a lock is between two steps of a swap of both.
    fn is_quiet(&self) -> bool {
        let is_at_it =
            |at: usize| self.processes[at].is_several() && self.locks.contains(&Some(at));
        self.note.is_none() && !(0..self.processes.len()).any(is_at_it)
    }

    fn all_live_at(&self, which: impl Fn((usize, usize)) -> usize) -> bool {
        let Some(moves) = self.pair else { return false };
        let is_live = |base: usize| self.bases[base].live == Some(which(moves[base]));
        is_live(0) && is_live(1)
    }

    fn each_live(&self, holds: impl Fn(Made) -> bool) -> bool {
        self.bases.iter().all(|base| {
            let live = base.live.and_then(|live| base.builds[live]);
            live.is_none_or(&holds)
        })
    }
}

impl Model for Release {
    type State = Servers;
    type Action = Action;

    fn init_states(&self) -> Vec<Servers> {
        vec![Servers {
            bases: [Database::ready(); 2],
            locks: [None; 2],
            note: None,
            processes: [Doing::Nothing; 2],
            pair: None,
            by: [0; 2],
            notes: 0,
            undid_other: false,
            faults: self.faults,
        }]
    }

    fn actions(&self, servers: &Servers, actions: &mut Vec<Action>) {
        for at in 0..servers.processes.len() {
            self.steps(servers, at, actions);
        }
        if servers.faults > 0 {
            self.faults(servers, actions);
        }
    }

    fn next_state(&self, last: &Servers, action: Action) -> Option<Servers> {
        let mut servers = last.clone();
        self.act(&mut servers, action);
        (servers != *last).then_some(servers)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one build is live, by name and by tag", |_, servers: &Servers| {
                servers.bases.iter().all(Database::has_one_live)
            }),
            Property::always("what is live is sealed", |_, servers: &Servers| {
                servers.each_live(|made| made.has_stamp)
            }),
            Property::always("what was rolled away from is not live", |_, servers: &Servers| {
                servers.each_live(|made| !made.is_bad)
            }),
            Property::always("only who rolls back rejects", |_, servers: &Servers| {
                let mut made = servers.bases.iter().flat_map(|base| base.builds).flatten();
                made.all(|made| made.is_bad || !made.is_rejected)
            }),
            Property::always("both are new or both are old", |_, servers: &Servers| {
                let whole =
                    servers.all_live_at(|(from, _)| from) || servers.all_live_at(|(_, to)| to);
                servers.pair.is_none() || !servers.is_quiet() || whole
            }),
            Property::always("going back undoes a swap of both alone", |_, servers: &Servers| {
                !servers.undid_other
            }),
            Property::always("what a note has swapped can go back", |_, servers: &Servers| {
                let can = |note: Note, base: usize| {
                    let is_its = servers.by[base] == note.id;
                    !is_its || servers.bases[base].builds[note.moves[base].0].is_some()
                };
                servers.note.is_none_or(|note| (0..2).all(|base| can(note, base)))
            }),
            Property::sometimes(
                "a night ends live after a fault",
                |model: &Release, servers: &Servers| {
                    let is_new = servers.bases[0].live == Some(BUILDS - 1);
                    servers.faults < model.faults
                        && is_new
                        && servers.processes[0] == Doing::Nothing
                },
            ),
            Property::sometimes("a note is settled back", |model: &Release, servers: &Servers| {
                let is_back = |doing: &Doing| {
                    matches!(doing, Doing::Settling { is_own: false, went_back: true, .. })
                };
                model.one_server || servers.processes.iter().any(is_back)
            }),
            Property::sometimes(
                "both are new after a fault",
                |model: &Release, servers: &Servers| {
                    servers.is_quiet()
                        && servers.all_live_at(|(_, to)| to)
                        && servers.faults < model.faults
                },
            ),
            Property::sometimes(
                "what is rolled away from is kept as rejected",
                |_, servers: &Servers| {
                    let rejected =
                        |made: Made| made.is_rejected && made.state == BuildState::Retired;
                    servers.bases.iter().any(|base| base.builds[1].is_some_and(rejected))
                },
            ),
        ]
    }
}

mod steps;
