//! A model of kiln's night, and a search through every state that it can reach: workers and runners of a build,
//! commands on two databases, with a kill, a lost session or a crash between any two steps.
//!
//! [`build`] is one build and its tasks, [`release`] two databases and their swaps, [`server`] what a server has of
//! a database; its decisions (gate, tags, the way back, retention) are not modelled but asked of kiln itself. Each
//! `Action` names the functions that it stands for, so that one can be held against the other; [`named`] holds
//! that they exist. [`needed`] leaves out one rule at a time, and the search must find the harm.
//!
//! Measured in a debug build on two cores: 127,339 and 56,663 states of a build, 120,347 and 128,669 of two
//! servers, 61,428 of one, at most 41 steps from the first; 15 s in all, with others at work beside it.

mod build;
mod named;
mod needed;
mod release;
mod server;

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use build::Build;
use release::Release;
use stateright::{Checker as _, Model};

/// A model that can be had without one of its rules.
pub trait Rules: Model + Sized {
    type Flaw: Copy + Debug;

    /// The smallest that shows what the rule is for.
    fn without(flaw: Self::Flaw) -> Self;
}

/// Searches every reachable state. That there are `at_least` so many says that the model still does something.
#[track_caller]
fn holds<M>(name: &str, model: M, at_least: usize)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let began = Instant::now();
    let checked = model.checker().threads(2).spawn_bfs().join();
    let (states, took) = (checked.unique_state_count(), began.elapsed().as_secs_f64());
    eprintln!("{name}: {states} states, at most {} steps, {took:.1} s", checked.max_depth());
    checked.assert_properties();
    assert!(states >= at_least, "{name}: {states} states, and there were {at_least}");
}

#[test]
fn two_workers_make_one_build_whoever_of_them_dies() {
    holds("two workers and a runner", Build { workers: 2, faults: 2, flaw: None }, 120_000);
}

#[test]
fn a_late_runner_seals_nothing_that_another_has_begun_anew() {
    holds("a worker and two runners", Build { workers: 1, faults: 2, flaw: None }, 50_000);
}

#[test]
fn two_databases_on_two_servers_are_both_new_or_both_old() {
    let one_server = false;
    holds("two servers", Release { one_server, nights: 1, faults: 2, flaw: None }, 110_000);
    holds(
        "two servers, two nights",
        Release { one_server, nights: 2, faults: 1, flaw: None },
        120_000,
    );
}

#[test]
fn two_databases_on_one_server_are_swapped_by_one_transaction() {
    holds("one server", Release { one_server: true, nights: 1, faults: 2, flaw: None }, 55_000);
}
