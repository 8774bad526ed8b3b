//! Small graphs, by hand.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::plan::task::{Task, TaskKind};

fn task(name: &str, seconds: f64, needs: &[&str]) -> TaskStatus {
    let needs = needs.iter().map(|&need| need.to_owned()).collect();
    let task = Task { name: name.to_owned(), seconds, ..Task::new(TaskKind::Load, name, needs) };
    TaskStatus::waiting(task)
}

fn names(tasks: &[TaskStatus]) -> Vec<&str> {
    ready(tasks).into_iter().map(|status| status.task.name.as_str()).collect()
}

fn set(tasks: &mut [TaskStatus], name: &str, state: TaskState, took: f64) {
    for status in tasks.iter_mut().filter(|status| status.task.name == name) {
        (status.state, status.took) = (state, took);
    }
}

fn near(left: f64, expected: f64) {
    assert!((left - expected).abs() < 1e-6, "{left}, not {expected}");
}

#[test]
fn what_is_longest_with_all_that_waits_for_it_comes_first() {
    let mut all = vec![
        task("a", 1.0, &[]),
        task("b", 4.0, &[]),
        task("c", 5.0, &["a"]),
        task("d", 9.0, &["c"]),
    ];
    assert_eq!(names(&all), ["a", "b"]);
    set(&mut all, "a", TaskState::Running, 0.0);
    assert_eq!(names(&all), ["b"]);
    set(&mut all, "a", TaskState::Done, 1.0);
    assert_eq!(names(&all), ["c", "b"]);
}

#[test]
fn what_needs_a_task_that_failed_is_not_begun() {
    let mut all = vec![task("a", 1.0, &[]), task("b", 1.0, &["a"]), task("c", 1.0, &[])];
    set(&mut all, "a", TaskState::Failed, 1.0);
    assert_eq!(names(&all), ["c"]);
    // A need that is not among them is another build's affair.
    assert_eq!(names(&[task("x", 1.0, &["rows:none"])]), ["x"]);
}

#[test]
fn on_one_worker_tasks_take_what_they_take_together() {
    let all = vec![task("a", 5.0, &[]), task("b", 2.0, &[]), task("c", 3.0, &["a"])];
    near(seconds_left(&all, 1, true), 10.0);
    // On two a and b begin, and c behind a.
    near(seconds_left(&all, 2, true), 8.0);
}

#[test]
fn what_is_done_says_how_fast_the_rest_is() {
    let mut all = vec![task("a", 10.0, &[]), task("b", 10.0, &["a"])];
    set(&mut all, "a", TaskState::Done, 20.0);
    // Nobody knew better.
    near(seconds_left(&all, 1, false), 10.0 * 20.2 / 10.2);
    // The last build said 10 seconds.
    near(seconds_left(&all, 1, true), 10.0 * 32.0 / 22.0);
}

#[test]
fn rows_that_come_slowly_are_believed_more_the_more_of_them_are_in() {
    let left = |took, share| {
        let mut all = vec![task("a", 100.0, &[])];
        set(&mut all, "a", TaskState::Running, took);
        all[0].share = Some(share);
        left(&all[0], 1.0)
    };
    near(left(0.0, 0.0), 100.0);
    // They take twice as long as was expected.
    assert!((left(20.0, 0.1) - 90.0).abs() < 3.0, "{}", left(20.0, 0.1));
    assert!((left(160.0, 0.8) - 40.0).abs() < 6.0, "{}", left(160.0, 0.8));
}

#[test]
fn what_takes_longer_than_expected_is_nearly_done() {
    let left = |took| {
        let mut all = vec![task("a", 10.0, &[])];
        set(&mut all, "a", TaskState::Running, took);
        seconds_left(&all, 2, true)
    };
    near(left(4.0), 6.0);
    near(left(40.0), 0.5);
}

/// Graphs in which a task needs some of those before it.
fn graphs() -> impl Strategy<Value = Vec<TaskStatus>> {
    let one = (0.0..50.0, prop::collection::vec(any::<prop::sample::Index>(), 0..4));
    prop::collection::vec(one, 1..30).prop_map(|all| {
        let one = |(at, (seconds, needs)): (usize, (f64, Vec<prop::sample::Index>))| {
            let needs: BTreeSet<String> = match at {
                0 => BTreeSet::new(),
                _ => needs.iter().map(|need| format!("t{}", need.index(at))).collect(),
            };
            let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
            task(&format!("t{at}"), seconds, &needs)
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    /// More workers are never slower than the work on one, and never faster than the longest path.
    #[test]
    fn the_time_left_lies_between_the_longest_path_and_all_work(all in graphs(), workers in 1_usize..6) {
        let left = seconds_left(&all, workers, true);
        let work: f64 = all.iter().map(|status| status.task.seconds).sum();
        let path = TaskGraph::of(&all).paths.into_iter().fold(0.0, f64::max);
        prop_assert!(left <= work + 1e-6 && left >= path - 1e-6, "{path} {left} {work}");
        prop_assert!(left >= work / workers as f64 - 1e-6);
    }

    /// Whatever ends first, every task is begun once all that it needs is done, and all are in the end.
    #[test]
    fn every_task_is_done_after_what_it_needs(all in graphs(), picks in prop::collection::vec(any::<prop::sample::Index>(), 30)) {
        let mut all = all;
        for pick in picks.iter().take(all.len()) {
            let next = names(&all);
            let name = next[pick.index(next.len())].to_owned();
            let needs = all.iter().find(|s| s.task.name == name).unwrap().task.needs.clone();
            for need in needs {
                prop_assert_eq!(all.iter().find(|s| s.task.name == need).unwrap().state, TaskState::Done);
            }
            set(&mut all, &name, TaskState::Done, 1.0);
        }
        prop_assert!(all.iter().all(|status| status.state == TaskState::Done));
    }
}
