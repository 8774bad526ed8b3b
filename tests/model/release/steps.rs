//! Which steps a process may take next, and what each of them does.

use kiln::testing::catalog::registry::BuildState;

use super::{Action, Command, Doing, Flaw, Note, Release, Servers};
use crate::model::server::{BUILDS, Database, Made, Wish};

impl Command {
    fn wish(self) -> Wish {
        match self {
            Command::Rollback => Wish::Rollback,
            Command::Night | Command::Swap(_) => Wish::Swap,
        }
    }
}

impl Release {
    /// The steps that a process can take by itself.
    pub(super) fn steps(&self, servers: &Servers, at: usize, actions: &mut Vec<Action>) {
        let action = match servers.processes[at] {
            Doing::Nothing => return self.commands(servers, at, actions),
            Doing::Locked(_, Command::Night) => Action::MakeDatabase(at),
            Doing::Locked(..) => Action::Facts(at),
            Doing::Built(base, build) => match servers.bases[base].builds[build] {
                Some(made) if made.state == BuildState::Building => Action::Seal(at),
                _ => Action::Facts(at),
            },
            Doing::Chosen { .. } | Doing::Half { .. } => Action::OneAttempt(at),
            Doing::Swapped(_) => Action::Retention(at),
            Doing::LockedAll => Action::GateSeveral(at),
            Doing::Gated(_) if self.one_server => Action::RenameNext(at),
            Doing::Gated(_) => Action::Note(at),
            Doing::Noted(_, 1) if self.has(Flaw::NoteLate) && servers.note.is_none() => {
                Action::Note(at)
            }
            Doing::Noted(_, 2) => Action::EndNote(at),
            Doing::Noted(..) => Action::RenameNext(at),
            Doing::Unanswered(..) => Action::Lost(at),
            Doing::Settling { .. } => Action::GoBack(at),
        };
        actions.push(action);
    }

    /// The commands that a process can start.
    fn commands(&self, servers: &Servers, at: usize, actions: &mut Vec<Action>) {
        if at > 0 && servers.processes[at - 1] == Doing::Nothing {
            // Two that do nothing are as one.
            return;
        }
        let is_open = servers.note.is_some();
        let all_free = servers.locks == [None, None];
        for (place, base) in servers.bases.iter().enumerate() {
            if servers.locks[place].is_some() {
                continue;
            }
            if is_open && (all_free || self.has(Flaw::SettledByOneLock)) {
                actions.push(Action::Settle(at, place));
            }
            if is_open && !self.has(Flaw::Unsettled) {
                continue;
            }
            let acquire = |command| Action::Acquire(at, place, command);
            let is_room =
                base.builds[BUILDS - 1].is_none_or(|made| made.state == BuildState::Building);
            if place < self.nights && is_room {
                actions.push(acquire(Command::Night));
            }
            if base.previous().is_some() {
                actions.push(acquire(Command::Rollback));
            }
            let named =
                (0..BUILDS).filter(|to| base.builds[*to].is_some() && base.live != Some(*to));
            actions.extend(named.map(|to| acquire(Command::Swap(to))));
        }
        if all_free && !is_open {
            actions.push(Action::SwapSeveral(at));
        }
    }

    /// What may go wrong.
    pub(super) fn faults(&self, servers: &Servers, actions: &mut Vec<Action>) {
        for (at, doing) in servers.processes.iter().enumerate() {
            if *doing != Doing::Nothing {
                actions.push(Action::Kill(at));
            }
            match doing {
                Doing::Noted(_, next @ 0..2) => {
                    actions.push(Action::Fail(at));
                    if servers.has_lock(at, *next) {
                        actions.push(Action::LoseAnswer(at));
                    }
                }
                Doing::Settling { .. } => actions.push(Action::Fail(at)),
                _ => {}
            }
        }
        let held = (0..2).filter(|base| servers.locks[*base].is_some());
        actions.extend(held.map(Action::LockEnds));
    }

    /// Does a step.
    pub(super) fn act(&self, servers: &mut Servers, action: Action) {
        match action {
            Action::Acquire(at, base, command) => {
                servers.locks[base] = Some(at);
                servers.processes[at] = Doing::Locked(base, command);
                if servers.note.is_none() {
                    // From here on one of both may change by itself.
                    servers.pair = None;
                }
            }
            Action::MakeDatabase(at) => make_database(servers, at),
            Action::Seal(at) => seal(servers, at),
            Action::Facts(at) => self.facts(servers, at),
            Action::OneAttempt(at) => self.one_attempt(servers, at),
            Action::Retention(at) => retention(servers, at),
            Action::SwapSeveral(at) => {
                servers.locks = [Some(at); 2];
                servers.processes[at] = Doing::LockedAll;
            }
            Action::GateSeveral(at) => self.gate_several(servers, at),
            Action::Note(at) => self.note(servers, at),
            Action::RenameNext(at) if self.one_server => self.rename_all(servers, at),
            Action::RenameNext(at) => self.rename_next(servers, at),
            Action::EndNote(at) => {
                let Doing::Noted(note, _) = servers.processes[at] else { return };
                end_note(servers, at, note);
            }
            Action::Lost(at) => self.lost(servers, at),
            Action::Settle(at, base) => {
                let Some(note) = servers.note else { return };
                let one = self.has(Flaw::SettledByOneLock);
                for place in (0..2).filter(|place| !one || *place == base) {
                    servers.locks[place] = Some(at);
                }
                servers.processes[at] =
                    Doing::Settling { note, is_own: false, went_back: false, memory: None };
            }
            Action::GoBack(at) => self.go_back(servers, at),
            Action::Kill(_) | Action::LockEnds(_) | Action::Fail(_) | Action::LoseAnswer(_) => {
                servers.faults -= 1;
                self.fault(servers, action);
            }
        }
    }

    fn fault(&self, servers: &mut Servers, action: Action) {
        match action {
            Action::Kill(at) => servers.end(at),
            Action::LockEnds(base) => {
                let Some(at) = servers.locks[base].take() else { return };
                let is_one = self.one_server && !self.has(Flaw::TwoSessions);
                if is_one && servers.processes[at].is_several() {
                    servers.locks = [None, None];
                }
            }
            Action::Fail(at) => match servers.processes[at] {
                Doing::Noted(note, next) => self.settle_own(servers, at, note, next),
                // The note stays for the next command.
                _ => servers.end(at),
            },
            Action::LoseAnswer(at) => {
                let Doing::Noted(note, next) = servers.processes[at] else { return };
                self.rename(servers, note, next);
                servers.locks[next] = None;
                servers.processes[at] = Doing::Unanswered(note, next);
            }
            _ => {}
        }
    }

    fn facts(&self, servers: &mut Servers, at: usize) {
        let (base, command, to) = match servers.processes[at] {
            Doing::Locked(base, Command::Rollback) => {
                (base, Command::Rollback, servers.bases[base].previous())
            }
            Doing::Locked(base, Command::Swap(to)) => (base, Command::Swap(to), Some(to)),
            Doing::Built(base, build) => (base, Command::Night, Some(build)),
            _ => return,
        };
        let seen = servers.bases[base];
        let fits =
            |to: &usize| seen.live != Some(*to) && seen.permits(command.wish(), *to, self.blind());
        match to.filter(fits) {
            Some(to) if servers.has_lock(at, base) => {
                servers.processes[at] = Doing::Chosen { base, command, to, seen };
            }
            _ => servers.end(at),
        }
    }

    fn one_attempt(&self, servers: &mut Servers, at: usize) {
        let doing = servers.processes[at];
        let (Doing::Chosen { base, command, to, seen } | Doing::Half { base, command, to, seen }) =
            doing
        else {
            return;
        };
        let now = servers.bases[base];
        // From another session as well the names must be as they were.
        let is_as_seen = now.live == seen.live && now.builds[to].is_some();
        let may = servers.has_lock(at, base) || (self.has(Flaw::Unfenced) && is_as_seen);
        if !may {
            return servers.end(at);
        }
        let is_first = matches!(doing, Doing::Chosen { .. });
        if is_first && (self.has(Flaw::TagsApart) || self.has(Flaw::RenamesApart)) {
            servers.bases[base].live = self.has(Flaw::TagsApart).then_some(to);
            servers.processes[at] = Doing::Half { base, command, to, seen };
            return;
        }
        let mut next = seen.swapped(command.wish(), to, !self.has(Flaw::RollbackUnsaid));
        for (build, now) in now.builds.iter().enumerate() {
            match now {
                Some(made) if next.builds[build].is_some() => {
                    next.change(build, |next| next.is_bad |= made.is_bad);
                }
                now => next.builds[build] = *now,
            }
        }
        servers.bases[base] = next;
        servers.by[base] = 0;
        match command {
            Command::Night => servers.processes[at] = Doing::Swapped(base),
            _ => servers.end(at),
        }
    }

    fn gate_several(&self, servers: &mut Servers, at: usize) {
        let of = |base: Database| {
            let (from, to) = (base.live?, base.candidate()?);
            base.permits(Wish::Swap, to, self.blind()).then_some((from, to))
        };
        let moves = servers.bases.map(of);
        match moves {
            [Some(first), Some(second)] if servers.locks == [Some(at); 2] => {
                servers.pair = Some([first, second]);
                servers.processes[at] = Doing::Gated([first, second]);
            }
            _ => servers.end(at),
        }
    }

    /// On the session of the lock of the first, which is on the main server.
    fn note(&self, servers: &mut Servers, at: usize) {
        let (note, next, is_late) = match servers.processes[at] {
            Doing::Gated(moves) => {
                let id = servers.notes + 1;
                (Note { id, moves }, 0, self.has(Flaw::NoteLate))
            }
            Doing::Noted(note, next) => (note, next, false),
            _ => return,
        };
        if !servers.has_lock(at, 0) {
            return servers.end(at);
        }
        servers.notes = note.id;
        if !is_late {
            servers.note = Some(note);
        }
        servers.processes[at] = Doing::Noted(note, next);
    }

    fn rename(&self, servers: &mut Servers, note: Note, base: usize) {
        let (from, to) = note.moves[base];
        let now = servers.bases[base];
        if now.live == Some(from) && now.builds[to].is_some() {
            servers.bases[base] = now.swapped(Wish::Swap, to, true);
            servers.by[base] = note.id;
        }
    }

    /// One transaction, on the session that has the locks.
    fn rename_all(&self, servers: &mut Servers, at: usize) {
        let Doing::Gated(moves) = servers.processes[at] else { return };
        let has_second = servers.has_lock(at, 1) || self.has(Flaw::TwoSessions);
        if servers.has_lock(at, 0) && has_second {
            let note = Note { id: 0, moves };
            self.rename(servers, note, 0);
            self.rename(servers, note, 1);
        }
        servers.end(at);
    }

    fn rename_next(&self, servers: &mut Servers, at: usize) {
        let Doing::Noted(note, next) = servers.processes[at] else { return };
        if !servers.has_lock(at, next) {
            return self.settle_own(servers, at, note, next);
        }
        self.rename(servers, note, next);
        servers.processes[at] = Doing::Noted(note, next + 1);
    }

    /// A swap that failed goes back; `renamed` is how many it knows to be renamed.
    fn settle_own(&self, servers: &mut Servers, at: usize, note: Note, renamed: usize) {
        let memory = self.has(Flaw::BackByMemory).then_some(renamed);
        servers.processes[at] = Doing::Settling { note, is_own: true, went_back: false, memory };
    }

    /// Whether a database is as the swap of this note has made it.
    fn is_new(&self, servers: &Servers, note: Note, base: usize) -> bool {
        let is_its = servers.by[base] == note.id || self.has(Flaw::BackByBuild);
        servers.bases[base].live == Some(note.moves[base].1) && is_its
    }

    fn lost(&self, servers: &mut Servers, at: usize) {
        let Doing::Unanswered(note, next) = servers.processes[at] else { return };
        if self.has(Flaw::BackByMemory) || !self.is_new(servers, note, next) {
            return self.settle_own(servers, at, note, next);
        }
        if servers.locks[next].is_none() {
            servers.locks[next] = Some(at);
        }
        servers.processes[at] = Doing::Noted(note, next + 1);
    }

    fn go_back(&self, servers: &mut Servers, at: usize) {
        let Doing::Settling { note, is_own, memory, .. } = servers.processes[at] else { return };
        let is_new = |base: &usize| self.is_new(servers, note, *base);
        let is_remembered = |base: &usize| memory.is_none_or(|renamed| *base < renamed);
        let new: Vec<usize> = (0..2).filter(is_new).filter(is_remembered).collect();
        let first = new.first().copied().filter(|_| new.len() < 2);
        let Some(base) = first else { return end_note(servers, at, note) };
        if self.has(Flaw::NoteEndedFirst) && servers.note.is_some() && servers.has_lock(at, 0) {
            servers.note = None;
            return;
        }
        if !servers.has_lock(at, base) {
            return servers.end(at);
        }
        let (from, to) = note.moves[base];
        let mut back = servers.bases[base].gone_back(from, to);
        back.change(to, |made| made.is_rejected |= self.has(Flaw::BackRejects));
        servers.bases[base] = back;
        servers.undid_other |= servers.by[base] != note.id;
        servers.by[base] = 0;
        servers.processes[at] = Doing::Settling { note, is_own, went_back: true, memory };
    }
}

fn end_note(servers: &mut Servers, at: usize, own: Note) {
    if servers.has_lock(at, 0) && servers.note == Some(own) {
        servers.note = None;
    }
    servers.end(at);
}

fn make_database(servers: &mut Servers, at: usize) {
    let Doing::Locked(base, _) = servers.processes[at] else { return };
    let new = BUILDS - 1;
    if !servers.has_lock(at, base) {
        return servers.end(at);
    }
    for left in servers.bases[base].droppable(true) {
        servers.bases[base].builds[left] = None;
    }
    if servers.bases[base].builds[new].is_some() {
        return servers.end(at);
    }
    let building = Made {
        state: BuildState::Building,
        has_stamp: false,
        is_rejected: false,
        turn: 0,
        is_bad: false,
    };
    servers.bases[base].builds[new] = Some(building);
    servers.processes[at] = Doing::Built(base, new);
}

/// In a session of the build: it asks for no lock.
fn seal(servers: &mut Servers, at: usize) {
    let Doing::Built(base, build) = servers.processes[at] else { return };
    servers.bases[base].change(build, |made| {
        (made.state, made.has_stamp) = (BuildState::Sealed, true);
    });
}

fn retention(servers: &mut Servers, at: usize) {
    let Doing::Swapped(base) = servers.processes[at] else { return };
    match servers.bases[base].droppable(false).first() {
        Some(build) if servers.has_lock(at, base) => servers.bases[base].builds[*build] = None,
        _ => servers.end(at),
    }
}
