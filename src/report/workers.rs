//! What `kiln begin`, `kiln work` and `kiln abandon` say.

use serde_json::json;

use crate::catalog::ledger::Ledger;
use crate::plan::task::{TaskKind, TaskState, TaskStatus};

/// A build that was begun.
pub(crate) struct BegunBuild {
    /// Its name.
    pub build: String,
    /// How many tasks it has.
    pub tasks: usize,
    /// Until when workers may be at it.
    pub until: String,
    /// Why there is none, where nothing is to be done.
    pub nothing_to_do: Option<String>,
}

impl BegunBuild {
    /// None was begun: all that has landed is live.
    pub(crate) fn nothing(ledger: &Ledger) -> BegunBuild {
        let nothing_to_do = ledger.nothing_to_do.clone();
        BegunBuild { build: ledger.build.clone(), tasks: 0, until: String::new(), nothing_to_do }
    }
}

/// Prints the build's name alone, for a script; and nothing where there is nothing to do.
pub(crate) fn begun(begun: &BegunBuild, as_json: bool) {
    let BegunBuild { build, tasks, until, nothing_to_do } = begun;
    match (as_json, nothing_to_do) {
        (true, None) => say!("{}", json!({ "build": build, "tasks": tasks, "until": until })),
        (true, Some(why)) => say!("{}", json!({ "build": null, "nothing_to_do": why })),
        (false, None) => say!("{build}"),
        (false, Some(why)) => eprintln!("nothing to do: {why}"),
    }
}

/// What a worker has done, and what is left of the build.
pub(crate) struct Worked {
    build: String,
    done: Vec<String>,
    /// Tasks that are done, that run, that wait, that failed; `None` where the build is sealed.
    states: Option<[usize; 4]>,
}

impl Worked {
    /// Of a build that is not sealed.
    pub(crate) fn of(build: &str, done: &[String], all: &[TaskStatus]) -> Worked {
        let all = all.iter().filter(|status| status.task.kind != TaskKind::Check);
        let count = |state| all.clone().filter(|status| status.state == state).count();
        use TaskState::{Done, Failed, Running, Waiting};
        let states = Some([Done, Running, Waiting, Failed].map(count));
        Worked { build: build.to_owned(), done: done.to_vec(), states }
    }

    /// Of one that is sealed: nothing is left.
    pub(crate) fn sealed(build: &str) -> Worked {
        Worked { build: build.to_owned(), done: Vec::new(), states: None }
    }
}

/// Says it; to a person who did not ask for quiet.
pub(crate) fn worked(worked: &Worked, as_json: bool, quiet: bool) {
    let Worked { build, done, states } = worked;
    let Some([all_done, running, waiting, failed]) = states else {
        match as_json {
            true => say!("{}", json!({ "build": build, "sealed": true, "done": [] })),
            false if !quiet => say!("{build} is sealed: nothing is left to do"),
            false => {}
        }
        return;
    };
    if as_json {
        let left =
            json!({ "done": all_done, "running": running, "waiting": waiting, "failed": failed });
        say!("{}", json!({ "build": build, "sealed": false, "done": done, "tasks": left }));
    } else if !quiet {
        let next = match running + waiting + failed {
            0 => format!("; next: kiln finish {build}"),
            _ => String::new(),
        };
        say!(
            "{build}: {} tasks done here; of all {all_done} done, {running} running, {waiting} waiting, \
             {failed} failed{next}",
            done.len()
        );
    }
}

/// Says that a build was dropped, or would be.
pub(crate) fn abandoned(build: &str, dry_run: bool, as_json: bool) {
    match (as_json, dry_run) {
        (true, _) => say!("{}", json!({ "build": build, "dropped": !dry_run, "dry_run": dry_run })),
        (false, true) => say!("{build} would be dropped"),
        (false, false) => say!("{build} is dropped"),
    }
}

/// Prints how many tasks of each kind there are and how many of them are done.
pub(crate) fn tasks(all: &[TaskStatus]) {
    let mut kinds: Vec<TaskKind> = all.iter().map(|status| status.task.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let said: Vec<String> = kinds
        .into_iter()
        .map(|kind| {
            let of_it = all.iter().filter(|status| status.task.kind == kind);
            let done = of_it.clone().filter(|status| status.state == TaskState::Done).count();
            format!("{} {done} of {}", kind.word(), of_it.count())
        })
        .collect();
    if !said.is_empty() {
        say!("tasks done: {}", said.join(", "));
    }
}
