//! The order of a build's tasks, from their states alone; and what is left of it. Pure.
//!
//! One function says what may be begun and what comes first: `build::worker` asks it for the next task, and
//! the time left is the same order played through with the seconds that each task is expected to take.

use std::collections::BTreeMap;

use crate::plan::task::{TaskState, TaskStatus};

/// What tells nothing of its work counts as done up to this share, until it is over. Rows are no exception:
/// behind the last of them they are counted and committed.
const UNPROVEN_MAX: f64 = 0.95;
/// A task of less than this share of all work tells nothing of how fast the build is: to begin and to end it
/// is most of what it takes.
const SHORT: f64 = 0.02;
/// The speed seen is mixed with the speed expected as if this share of the work had gone as expected, where a
/// former build says what to expect.
const PRIOR_KNOWN: f64 = 0.6;
/// The same where only measured ratios do: another machine may be several times as fast.
const PRIOR_GUESSED: f64 = 0.01;

/// The tasks that may be begun now, what is longest with all that waits for it first.
pub(crate) fn ready(tasks: &[TaskStatus]) -> Vec<&TaskStatus> {
    let states: Vec<TaskState> = tasks.iter().map(|status| status.state).collect();
    TaskGraph::of(tasks).ready(&states).into_iter().filter_map(|at| tasks.get(at)).collect()
}

/// Tasks by their places.
struct TaskGraph {
    /// What each needs. A need that is not among the tasks holds nothing up: a part of a graph is one, too.
    needs: Vec<Vec<usize>>,
    /// Of each the expected seconds of the longest way from its begin to the end of the build.
    paths: Vec<f64>,
}

impl TaskGraph {
    fn of(tasks: &[TaskStatus]) -> TaskGraph {
        let places = tasks.iter().enumerate().map(|(at, status)| (status.task.name.as_str(), at));
        let places: BTreeMap<&str, usize> = places.collect();
        let needs = |status: &TaskStatus| -> Vec<usize> {
            let needs = status.task.needs.iter();
            needs.filter_map(|need| places.get(need.as_str()).copied()).collect()
        };
        let needs: Vec<Vec<usize>> = tasks.iter().map(needs).collect();
        let paths = tasks.iter().map(|status| status.task.seconds).collect();
        let mut graph = TaskGraph { needs, paths };
        graph.find_paths();
        graph
    }

    /// From the tasks that nothing waits for backwards.
    fn find_paths(&mut self) {
        let own = self.paths.clone();
        let mut waiting = vec![0_usize; own.len()];
        self.needs.iter().flatten().for_each(|need| waiting[*need] += 1);
        let mut last: Vec<usize> = (0..own.len()).filter(|at| waiting[*at] == 0).collect();
        while let Some(at) = last.pop() {
            for &need in &self.needs[at] {
                self.paths[need] = self.paths[need].max(own[need] + self.paths[at]);
                waiting[need] -= 1;
                if waiting[need] == 0 {
                    last.push(need);
                }
            }
        }
    }

    /// The places of the tasks that may be begun, the longest path first.
    fn ready(&self, states: &[TaskState]) -> Vec<usize> {
        let is_ready = |at: &usize| {
            states[*at] == TaskState::Waiting
                && self.needs[*at].iter().all(|need| states[*need] == TaskState::Done)
        };
        let mut ready: Vec<usize> = (0..states.len()).filter(is_ready).collect();
        ready.sort_by(|a, b| self.paths[*b].total_cmp(&self.paths[*a]));
        ready
    }
}

/// Seconds until this many workers are done with all tasks that can be done; `is_known` says that a former
/// build tells what to expect.
pub fn seconds_left(tasks: &[TaskStatus], workers: usize, is_known: bool) -> f64 {
    let (graph, speed) = (TaskGraph::of(tasks), speed(tasks, is_known));
    let mut states: Vec<TaskState> = tasks.iter().map(|status| status.state).collect();
    let mut lefts: Vec<f64> = tasks.iter().map(|status| left(status, speed)).collect();
    let mut at = 0.0;
    loop {
        let is_running = |states: &[TaskState], at: &usize| states[*at] == TaskState::Running;
        let running = (0..states.len()).filter(|at| is_running(&states, at)).count();
        for next in graph.ready(&states).into_iter().take(workers.max(1).saturating_sub(running)) {
            states[next] = TaskState::Running;
        }
        let running: Vec<usize> = (0..states.len()).filter(|at| is_running(&states, at)).collect();
        let Some(least) = running.iter().map(|at| lefts[*at]).reduce(f64::min) else { return at };
        at += least;
        for place in running {
            lefts[place] -= least;
            if lefts[place] <= f64::EPSILON {
                states[place] = TaskState::Done;
            }
        }
    }
}

/// Seconds that are left of a task, where a second of expected work takes `speed` seconds.
/// Of rows that come, how fast they have come is believed as far as they are in: they go faster once nothing else does.
fn left(status: &TaskStatus, speed: f64) -> f64 {
    let expected = status.task.seconds * speed;
    match (status.state, status.share) {
        (TaskState::Done, _) => 0.0,
        (TaskState::Running, Some(share)) => {
            let share = share.clamp(0.0, 1.0) * UNPROVEN_MAX;
            let by_share = if share > 0.0 { status.took * (1.0 - share) / share } else { expected };
            let by_expected = (expected - status.took).max(0.0);
            share * by_share + (1.0 - share) * by_expected
        }
        (TaskState::Running, None) => (expected - status.took).max(expected * (1.0 - UNPROVEN_MAX)),
        (TaskState::Waiting | TaskState::Failed, _) => expected,
    }
}

/// Seconds that a second of expected work takes, by what is done of the tasks that are long enough to tell.
fn speed(tasks: &[TaskStatus], is_known: bool) -> f64 {
    let work: f64 = tasks.iter().map(|status| status.task.seconds).sum();
    let prior = work * if is_known { PRIOR_KNOWN } else { PRIOR_GUESSED };
    let (mut expected, mut took) = (prior, prior);
    let is_told = |status: &&TaskStatus| {
        status.state == TaskState::Done && status.task.seconds >= SHORT * work
    };
    for status in tasks.iter().filter(is_told) {
        expected += status.task.seconds;
        took += status.took;
    }
    if expected > 0.0 { took / expected } else { 1.0 }
}

#[cfg(test)]
mod tests;
