//! Which steps a process may take next, and what each of them does.

use super::{
    Action, Build, CHECK, Claim, Doing, Flaw, IDLE, Night, Process, Row, State, TASKS, Tag, WRITTEN,
};

impl Build {
    /// The steps that a process can take by itself.
    pub(super) fn steps(&self, night: &Night, at: usize, actions: &mut Vec<Action>) {
        let process = night.processes[at];
        let is_first = at == 0 || at == self.workers;
        if process == IDLE && !is_first && night.processes[at - 1] == IDLE {
            // Two of a kind that do nothing are as one.
            return;
        }
        match process.doing {
            Doing::Nothing if at < self.workers => {
                let is_alone = |other: &Process| other.lock;
                let runners = &night.processes[self.workers..];
                if night.tag == Tag::Begun && !runners.iter().any(is_alone) {
                    actions.push(Action::Work(at));
                }
            }
            Doing::Nothing => self.commands(night, at, actions),
            // COMMIT may be on its way.
            Doing::Killed if process.session => actions.push(Action::Finish(at)),
            Doing::Killed => {}
            Doing::Beginning(0) => actions.push(Action::Create(at)),
            Doing::Beginning(1) => actions.push(Action::NotePlan(at)),
            Doing::Beginning(_) => actions.push(Action::Retag(at)),
            Doing::Working => {
                self.tasks(night, at, CHECK, actions);
                if !process.lock {
                    actions.push(Action::IsGone(at));
                }
                if process.lock && night.rows.iter().any(|row| row.state == State::Failed) {
                    actions.push(Action::Again(at));
                }
            }
            Doing::Finishing(WRITTEN) => self.tasks(night, at, TASKS, actions),
            Doing::Finishing(_) => actions.push(Action::Write(at)),
            Doing::Failing => actions.push(Action::GiveUp(at)),
            Doing::Abandoning => actions.push(Action::DropIt(at)),
        }
    }

    /// The commands that a runner can start.
    fn commands(&self, night: &Night, at: usize, actions: &mut Vec<Action>) {
        let beside = self.flaw == Some(Flaw::LockBesideShares);
        let first = if beside { self.workers } else { 0 };
        if night.processes[first..].iter().any(|other| other.lock) {
            return;
        }
        let has_tasks = night.rows[0].state != State::Absent;
        match night.tag {
            Tag::None => actions.push(Action::Begin(at)),
            Tag::Made => actions.extend([Action::Begin(at), Action::Abandon(at)]),
            Tag::Begun | Tag::Failed => actions.push(Action::Abandon(at)),
            Tag::Sealed | Tag::Dropped => {}
        }
        if has_tasks && matches!(night.tag, Tag::Made | Tag::Begun | Tag::Failed) {
            actions.push(Action::Resume(at));
        }
    }

    /// One task after another of the first `wanted`.
    fn tasks(&self, night: &Night, at: usize, wanted: usize, actions: &mut Vec<Action>) {
        let Process { seen, claim, session, .. } = night.processes[at];
        if seen.is_some() {
            actions.push(Action::Claim(at));
        } else if claim.is_some() {
            actions.push(Action::Finish(at));
            if night.faults > 0 && session {
                actions.extend([Action::Fail(at), Action::GiveBack(at)]);
            }
        } else {
            let ready = (0..wanted).filter(|task| night.is_ready(*task, self.flaw));
            actions.extend(ready.map(|task| Action::Next(at, task)));
            let is_busy =
                |task| night.is_ready(task, self.flaw) || night.listed(task) == State::Running;
            let is_over = night.tag == Tag::Dropped || !(0..wanted).any(is_busy);
            if is_over {
                let is_worker = at < self.workers;
                actions.push(if is_worker { Action::Leave(at) } else { Action::Seal(at) });
            }
        }
    }

    /// How a process or its sessions may end.
    pub(super) fn ends_of(&self, night: &Night, at: usize, actions: &mut Vec<Action>) {
        let Process { doing, lock, session, .. } = night.processes[at];
        if doing == Doing::Nothing || (doing != Doing::Killed && night.faults == 0) {
            return;
        }
        if doing != Doing::Killed {
            actions.push(Action::Kill(at));
        }
        if lock {
            actions.push(Action::LockEnds(at));
        }
        if session {
            actions.push(Action::ClaimEnds(at));
        }
    }

    /// Does a step.
    pub(super) fn act(&self, night: &mut Night, action: Action) {
        let begins = |night: &mut Night, at: usize, doing| {
            night.processes[at] = Process { doing, lock: true, ..IDLE };
        };
        match action {
            Action::Begin(at) => begins(night, at, Doing::Beginning(0)),
            Action::Work(at) => begins(night, at, Doing::Working),
            Action::Resume(at) => begins(night, at, Doing::Finishing(0)),
            Action::Abandon(at) => begins(night, at, Doing::Abandoning),
            Action::Create(at) => create(night, at),
            Action::NotePlan(at) if night.tag == Tag::Made => {
                night.rows = [Row { id: 0, attempt: 0, state: State::Waiting }; TASKS];
                night.processes[at].doing = Doing::Beginning(2);
            }
            Action::Retag(at) => {
                if night.processes[at].lock && night.tag == Tag::Made {
                    night.tag = Tag::Begun;
                }
                night.processes[at] = IDLE;
            }
            Action::Again(_) => {
                let failed = night.rows.iter_mut().filter(|row| row.state == State::Failed);
                failed.for_each(|row| row.state = State::Waiting);
            }
            Action::Next(at, task) => night.processes[at].seen = Some(task),
            Action::Claim(at) => self.claim(night, at),
            Action::Finish(at) => self.finish(night, at),
            Action::Fail(at) => self.gives_up_task(night, at, State::Failed),
            Action::GiveBack(at) => {
                self.gives_up_task(night, at, State::Waiting);
                night.processes[at] = IDLE;
            }
            Action::NotePlan(at) | Action::Leave(at) | Action::IsGone(at) => {
                night.processes[at] = IDLE;
            }
            Action::Write(at) => self.write(night, at),
            Action::Seal(at) => self.seal(night, at),
            Action::GiveUp(at) => {
                if night.processes[at].lock && matches!(night.tag, Tag::Made | Tag::Begun) {
                    night.tag = Tag::Failed;
                }
                night.processes[at] = IDLE;
            }
            Action::DropIt(at) => {
                if night.processes[at].lock {
                    rob(night, |_| true);
                    night.tag = Tag::Dropped;
                    night.processes.iter_mut().for_each(|process| process.session = false);
                }
                night.processes[at] = IDLE;
            }
            Action::Kill(_) | Action::LockEnds(_) | Action::ClaimEnds(_) | Action::Crash => {
                fault(night, action);
            }
        }
    }

    fn claim(&self, night: &mut Night, at: usize) {
        let Some(task) = night.processes[at].seen.take() else { return };
        if !night.can_be_written(self.flaw) {
            return self.ends(night, at);
        }
        let Row { id, attempt, state } = night.rows[task];
        let is_free = self.flaw == Some(Flaw::ClaimWithoutLock) || !night.is_held(task, id);
        if is_free && matches!(state, State::Waiting | State::Running) {
            let attempt = attempt + 1;
            night.rows[task] = Row { id, attempt, state: State::Running };
            night.processes[at].claim = Some(Claim { task, id, attempt, has_rows: false });
            night.processes[at].session = true;
        }
    }

    fn finish(&self, night: &mut Night, at: usize) {
        let Process { claim: Some(claim), session, .. } = night.processes[at] else { return };
        let by_name = self.flaw == Some(Flaw::EndByName);
        let is_mine = by_name || night.is_current(claim);
        if !(session && night.can_be_written(self.flaw) && is_mine) {
            return self.ends(night, at);
        }
        if !claim.has_rows {
            night.commits[claim.task] = night.commits[claim.task].saturating_add(1).min(2);
        }
        if self.flaw == Some(Flaw::RowsAndStateApart) && !claim.has_rows {
            night.processes[at].claim = Some(Claim { has_rows: true, ..claim });
            return;
        }
        night.done(at, claim.task);
        (night.processes[at].claim, night.processes[at].session) = (None, false);
    }

    /// What a process does whose session or task is lost: a worker ends, `kiln finish` notes it.
    fn ends(&self, night: &mut Night, at: usize) {
        let Process { doing, lock, .. } = night.processes[at];
        let doing = match doing {
            Doing::Finishing(_) => Doing::Failing,
            Doing::Killed => Doing::Killed,
            _ => return night.processes[at] = IDLE,
        };
        night.processes[at] = Process { doing, lock, ..IDLE };
    }

    fn gives_up_task(&self, night: &mut Night, at: usize, state: State) {
        night.faults -= 1;
        if let Some(claim) = night.processes[at].claim
            && night.is_current(claim)
            && night.can_be_written(self.flaw)
        {
            night.rows[claim.task].state = state;
        }
        self.ends(night, at);
    }

    fn write(&self, night: &mut Night, at: usize) {
        let Process { doing: Doing::Finishing(step), lock, .. } = night.processes[at] else {
            return;
        };
        if !night.can_be_written(self.flaw) {
            return self.ends(night, at);
        }
        if step == 0 {
            let is_anew =
                |night: &Night, task: usize| task == CHECK || night.rows[task].state != State::Done;
            if lock {
                let anew: Vec<bool> = (0..TASKS).map(|task| is_anew(night, task)).collect();
                rob(night, |task| anew[task]);
            }
            if night.tag == Tag::Failed {
                night.tag = Tag::Begun;
            }
            for task in 0..TASKS {
                if is_anew(night, task) {
                    night.rows[task].state = State::Absent;
                }
            }
        }
        let in_steps = self.flaw == Some(Flaw::WriteInSteps);
        let now = if in_steps { step..step + 1 } else { 1..WRITTEN };
        for step in now.filter(|step| *step > 0) {
            let row = &mut night.rows[step - 1];
            if row.state == State::Absent {
                *row = Row { id: row.id + 1, attempt: 0, state: State::Waiting };
            }
        }
        let next = if in_steps { step + 1 } else { WRITTEN };
        night.processes[at].doing = Doing::Finishing(next);
    }

    fn seal(&self, night: &mut Night, at: usize) {
        let is_asked = self.flaw != Some(Flaw::SealUnasked);
        // What is not there is not found undone.
        let is_undone = |task: usize| night.rows[task].state != State::Absent;
        let is_refused = is_asked && night.undone().any(is_undone);
        let can = night.tag != Tag::Sealed && night.can_be_written(self.flaw);
        if is_refused || !can {
            return self.ends(night, at);
        }
        night.tag = Tag::Sealed;
        night.processes[at] = IDLE;
    }
}

/// Drops what an earlier begin has left, and makes the database.
fn create(night: &mut Night, at: usize) {
    if !night.processes[at].lock {
        return night.processes[at] = IDLE;
    }
    // Whoever was in what is dropped, or wrote to it, finds no database of that name any more.
    let own = Process { doing: Doing::Beginning(1), ..night.processes[at] };
    night.processes = [IDLE; 3];
    night.processes[at] = own;
    night.rows = [Row { id: 0, attempt: 0, state: State::Absent }; TASKS];
    (night.commits, night.did) = ([0; TASKS], [false; 3]);
    night.tag = Tag::Made;
}

/// Notes who loses a task though its worker has its share.
fn rob(night: &mut Night, is_gone: impl Fn(usize) -> bool) {
    let has_share = |process: &&Process| process.doing == Doing::Working && process.lock;
    let claims = night.processes.iter().filter(has_share).filter(|p| p.session);
    let mut claims = claims.filter_map(|process| process.claim);
    let lost = claims.any(|claim| is_gone(claim.task) && night.is_current(claim));
    night.is_robbed |= lost;
}

fn fault(night: &mut Night, action: Action) {
    if let Action::Crash = action {
        night.faults -= 1;
        for process in &mut night.processes {
            (process.lock, process.session) = (false, false);
        }
        return;
    }
    let (Action::Kill(at) | Action::LockEnds(at) | Action::ClaimEnds(at)) = action else { return };
    let process = &mut night.processes[at];
    // Of what was killed the sessions end by themselves.
    night.faults -= u8::from(process.doing != Doing::Killed);
    match action {
        Action::Kill(_) => (process.doing, process.seen) = (Doing::Killed, None),
        Action::LockEnds(_) => process.lock = false,
        _ => process.session = false,
    }
    if process.doing == Doing::Killed && !process.session {
        process.claim = None;
    }
}
