//! One build, made by three processes: workers that do tasks, and runners that begin, finish and abandon.
//!
//! A process does one step at a time, and any other may come between two of them. It may be killed, and its
//! sessions outlive it; a session may be ended while its process goes on (it was stopped, and wakes up late);
//! Postgres may crash and end them all. What a process believes is its claim, what is so is in [`Night`].

use stateright::{Model, Property};

use super::Rules;

/// The tasks, in the order that `tasks_of` writes them: rows of a table, the index of a table that is derived
/// from it, that table, and a check.
const TASKS: usize = 4;
const NEEDS: [&[usize]; TASKS] = [&[], &[2], &[0], &[0, 1, 2]];
const CHECK: usize = 3;

/// What may be left out of the code, each to the harm of one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A claim asks for no advisory lock.
    ClaimWithoutLock,
    /// A task may be begun before what it needs is done.
    NeedsNotAsked,
    /// A task is ended by its name, whoever claimed it meanwhile.
    EndByName,
    /// Rows are committed, and that the task is done by the next transaction.
    RowsAndStateApart,
    /// Tasks are written anew by several transactions.
    WriteInSteps,
    /// The run lock is given beside the shares of workers.
    LockBesideShares,
    /// The seal does not ask whether tasks are undone.
    SealUnasked,
    /// The seal leaves the right to write.
    SealLeavesRights,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tag {
    /// There is no build yet.
    None,
    /// It is being begun; `until` is not set.
    Made,
    Begun,
    Failed,
    Sealed,
    Dropped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Absent,
    Waiting,
    Running,
    Done,
    Failed,
}

/// A row of `kiln.task`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    id: u8,
    attempt: u8,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Claim {
    task: usize,
    id: u8,
    attempt: u8,
    /// Of the flaw: its rows are committed.
    has_rows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Doing {
    Nothing,
    /// It was killed; its sessions may be there.
    Killed,
    /// By how many of its steps.
    Beginning(u8),
    Working,
    /// It has looked at the build, and writes the tasks anew, in so many steps; see [`WRITTEN`].
    Finishing(usize),
    /// It has failed a task, or the seal was refused.
    Failing,
    Abandoning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Process {
    doing: Doing,
    /// Whether its session of the run lock is there.
    lock: bool,
    /// A task that it saw ready.
    seen: Option<usize>,
    claim: Option<Claim>,
    /// Whether the session of its claim is there.
    session: bool,
}

/// All tasks are written anew: after one step that takes out what is undone, and one for each task.
const WRITTEN: usize = TASKS + 1;

const IDLE: Process =
    Process { doing: Doing::Nothing, lock: false, seen: None, claim: None, session: false };

/// All that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Night {
    tag: Tag,
    rows: [Row; TASKS],
    processes: [Process; 3],
    /// How often what a task has made was committed.
    commits: [u8; TASKS],
    /// A task was done before what it needs.
    is_early: bool,
    /// A worker that had its share lost its task to who had the lock.
    is_robbed: bool,
    /// Which processes have done a task.
    did: [bool; 3],
    /// How many more faults there may be.
    faults: u8,
}

/// A step of a process, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `src/catalog/lock/mod.rs` `acquire`, for `src/command/begin.rs` `begin`.
    Begin(usize),
    /// `src/command/opening.rs` `make_database`, after `src/command/prune.rs` `leftovers`.
    Create(usize),
    /// `src/command/build.rs` `note_plan`: the plan and its tasks in one transaction.
    NotePlan(usize),
    /// `src/catalog/registry/build.rs` `retag`: it is begun, `until` is set; the run ends.
    Retag(usize),
    /// `src/command/work.rs` `work`: takes a share of the lock, looks at the build.
    Work(usize),
    /// `src/build/tasks.rs` `again`: what failed is done once more by a worker that starts.
    Again(usize),
    /// `src/build/worker.rs` `next`: sees that a task is ready, by `src/build/tasks.rs` `list`.
    Next(usize, usize),
    /// `src/build/tasks.rs` `claim`: the task that was seen, if it is to be had.
    Claim(usize),
    /// `src/build/tasks.rs` `finish`: what the task has made, and that it is done.
    Finish(usize),
    /// `src/build/tasks.rs` `fail`, and the process ends, or `src/command/ending.rs` `fail` follows.
    Fail(usize),
    /// `src/build/tasks.rs` `give_back`: it was told to stop.
    GiveBack(usize),
    /// `src/command/work.rs` `left`: nothing is left that it could do.
    Leave(usize),
    /// `src/command/work.rs` `is_gone`: its share of the lock is lost, and it sees that.
    IsGone(usize),
    /// `src/catalog/lock/mod.rs` `acquire`, for `src/command/resume.rs` `resume` (of `kiln finish` as well).
    Resume(usize),
    /// `src/build/tasks.rs` `write`, for `src/command/resume.rs` `go_on`.
    Write(usize),
    /// `src/build/seal/mod.rs` `seal`, behind `src/command/finish.rs` `check`.
    Seal(usize),
    /// `src/command/ending.rs` `fail`: the build is kept as failed.
    GiveUp(usize),
    /// `src/catalog/lock/mod.rs` `acquire`, for `src/command/abandon.rs` `abandon`.
    Abandon(usize),
    /// `src/command/abandon.rs` `drop_it`: ends whoever is in the build.
    DropIt(usize),
    /// Fault: SIGKILL.
    Kill(usize),
    /// Fault: the server ends the session of the lock; of one that was killed it does so by itself.
    LockEnds(usize),
    /// Fault: the server ends the session of the claim; likewise.
    ClaimEnds(usize),
    /// Fault: Postgres crashes, and every session ends.
    Crash,
}

/// The model.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// How many of the three are workers, the first ones.
    pub workers: usize,
    /// Faults in one history.
    pub faults: u8,
    /// What is left out.
    pub flaw: Option<Flaw>,
}

impl Rules for Build {
    type Flaw = Flaw;

    fn without(flaw: Flaw) -> Build {
        Build { workers: 1, faults: 2, flaw: Some(flaw) }
    }
}

impl Night {
    /// Whether a living session has the advisory lock on a row.
    fn is_held(&self, task: usize, id: u8) -> bool {
        let holds = |claim: Claim| claim.task == task && claim.id == id;
        self.processes.iter().any(|process| process.session && process.claim.is_some_and(holds))
    }

    /// What `tasks::list` says.
    fn listed(&self, task: usize) -> State {
        match self.rows[task] {
            Row { id, state: State::Running, .. } if !self.is_held(task, id) => State::Waiting,
            row => row.state,
        }
    }

    /// What `graph::ready` says; a need that is not there holds nothing up.
    fn is_ready(&self, task: usize, flaw: Option<Flaw>) -> bool {
        let is_there = |need: &usize| matches!(self.rows[*need].state, State::Done | State::Absent);
        let needs = flaw == Some(Flaw::NeedsNotAsked) || NEEDS[task].iter().all(is_there);
        self.listed(task) == State::Waiting && needs
    }

    fn can_be_written(&self, flaw: Option<Flaw>) -> bool {
        match self.tag {
            Tag::None | Tag::Dropped => false,
            Tag::Sealed => flaw == Some(Flaw::SealLeavesRights),
            _ => true,
        }
    }

    fn is_current(&self, claim: Claim) -> bool {
        let row = self.rows[claim.task];
        row == Row { id: claim.id, attempt: claim.attempt, state: State::Running }
    }

    /// Where nobody remembers a row's numbers they say nothing.
    fn forget_numbers(&mut self) {
        for task in 0..TASKS {
            let remembers = |process: &Process| process.claim.is_some_and(|c| c.task == task);
            if !self.processes.iter().any(remembers) {
                (self.rows[task].id, self.rows[task].attempt) = (0, 0);
            }
        }
        for process in &mut self.processes {
            if process.doing == Doing::Killed && !process.lock && !process.session {
                *process = IDLE;
            }
        }
    }

    fn undone(&self) -> impl Iterator<Item = usize> {
        (0..TASKS).filter(|task| self.rows[*task].state != State::Done)
    }

    fn done(&mut self, at: usize, task: usize) {
        self.rows[task].state = State::Done;
        self.is_early |= NEEDS[task].iter().any(|need| self.rows[*need].state != State::Done);
        self.did[at] |= task != CHECK;
    }
}

impl Model for Build {
    type State = Night;
    type Action = Action;

    fn init_states(&self) -> Vec<Night> {
        vec![Night {
            tag: Tag::None,
            rows: [Row { id: 0, attempt: 0, state: State::Absent }; TASKS],
            processes: [IDLE; 3],
            commits: [0; TASKS],
            is_early: false,
            is_robbed: false,
            did: [false; 3],
            faults: self.faults,
        }]
    }

    fn actions(&self, night: &Night, actions: &mut Vec<Action>) {
        for at in 0..night.processes.len() {
            self.steps(night, at, actions);
            self.ends_of(night, at, actions);
        }
        if night.faults > 0 && night.processes.iter().any(|p| p.lock || p.session) {
            actions.push(Action::Crash);
        }
    }

    fn next_state(&self, last: &Night, action: Action) -> Option<Night> {
        let mut night = last.clone();
        self.act(&mut night, action);
        night.forget_numbers();
        (night != *last).then_some(night)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a task is done once", |_, night: &Night| {
                night.commits[..CHECK].iter().all(|commits| *commits <= 1)
            }),
            Property::always("no build is sealed with a task undone", |_, night: &Night| {
                night.tag != Tag::Sealed || night.undone().next().is_none()
            }),
            Property::always("one session has a task", |_, night: &Night| {
                let of = |p: &Process| p.claim.filter(|_| p.session).map(|c| (c.task, c.id));
                let [a, b, c] = night.processes.each_ref().map(of);
                (a.is_none() || (a != b && a != c)) && (b.is_none() || b != c)
            }),
            Property::always("a task is done after what it needs", |_, night: &Night| {
                !night.is_early
            }),
            Property::always("a worker with its share keeps its task", |_, night: &Night| {
                !night.is_robbed
            }),
            Property::sometimes(
                "two workers make a sealed build",
                |model: &Build, night: &Night| {
                    night.tag == Tag::Sealed
                        && (model.workers < 2 || (night.did[0] && night.did[1]))
                },
            ),
            Property::sometimes("a build is sealed after every fault", |_, night: &Night| {
                night.tag == Tag::Sealed && night.faults == 0
            }),
            Property::sometimes("a late worker's task is another's", |_, night: &Night| {
                let late = |p: &Process| p.claim.is_some_and(|claim| !night.is_current(claim));
                night.processes.iter().any(|p| p.doing == Doing::Working && late(p))
            }),
        ]
    }
}

mod steps;
