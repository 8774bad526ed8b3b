//! `kiln status` for people and for scripts.

use std::collections::BTreeMap;

use indicatif::HumanBytes;
use serde::Serialize;

use super::waiver::waived;
use crate::build::clock::human;
use crate::catalog::history::{DatabaseStatus, RunLine};
use crate::catalog::ledger::GateEntry;
use crate::catalog::registry::Build;
use crate::plan::task::{TaskKind, TaskState, TaskStatus};

/// A database as it stands, with the tasks of its builds that are being made.
#[derive(Debug, Serialize)]
pub(crate) struct StatusReport {
    /// What the server knows.
    #[serde(flatten)]
    pub database: DatabaseStatus,
    /// The builds that are not sealed and have tasks.
    pub work: Vec<BuildWork>,
    /// The databases of a swap of several servers that was begun and is not ended.
    pub unended_swap: Option<String>,
}

/// How far a build is.
#[derive(Debug, Serialize)]
pub(crate) struct BuildWork {
    /// The build.
    pub build: String,
    /// Until when workers may be at it, where it was begun for them.
    pub until: Option<String>,
    /// Its tasks.
    pub tasks: Vec<TaskStatus>,
    /// Why tasks failed, by their names.
    pub failed: BTreeMap<String, String>,
    /// Seconds that are left of the tasks on as many workers as are at it; `None` where nobody is.
    pub seconds_left: Option<f64>,
}

/// The outcome of `kiln status`.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn status(all: &[StatusReport], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    for said in all {
        print_status(said);
    }
    Ok(())
}

fn print_status(status: &StatusReport) {
    let StatusReport { database: said, work, unended_swap } = status;
    let database = &said.database;
    print_live(said);
    if let Some(databases) = unended_swap {
        say!("  a swap of {databases} was begun and is not ended: what is live may go back");
        say!("  if it does not end by itself: kiln prune {database}");
    }
    for build in &said.others {
        let detail = build.tag.as_ref().map_or(String::new(), |tag| {
            let part = tag.subset.as_ref().map_or(String::new(), |part| format!(" ({part})"));
            format!("{part}, version {}, begun {}", tag.version, tag.created)
        });
        say!("  {} is {}{detail}, {}", build.name, build.state().word(), size(build));
        if let Some(word) = build.rejected() {
            say!("    rejected ({word})");
        }
        if let Some(word) = build.held() {
            say!("    on hold ({word})");
        }
        work.iter().filter(|work| work.build == build.own_name()).for_each(print_work);
    }
    for gone in &said.rejected {
        say!("  {} was rejected and is gone ({})", gone.build, gone.word);
    }
    for entry in said.gates.iter().filter(|entry| entry.is_notable()) {
        say!("    {}", entry.text());
    }
    if let Some(next) = GateEntry::way_on(database, &said.gates) {
        say!("    a whole file mends it; or if that is meant: {next}");
    }
    let accepted: Vec<String> =
        said.contracts.iter().map(|c| format!("{} {}", c.app, c.words())).collect();
    match accepted.is_empty() {
        true => say!(
            "  no app has said what it accepts: kiln contract set {database} --app NAME --accepts MIN..MAX"
        ),
        false => say!("  accepted by {}", accepted.join(", ")),
    }
    for waiver in &said.waivers {
        say!("  {}", waived(waiver));
    }
    if let Some(run) = &said.running {
        say!("  running now: `kiln {}` since {} (run {})", run.command, run.started, run.run);
    }
    let idle = said.last.as_ref().and_then(|run| run.nothing_to_do.as_ref().map(|why| (run, why)));
    if let Some((run, why)) = idle {
        say!("  last run: `kiln {}` of {} had nothing to do: {why}", run.command, run.started);
    }
    if let Some(run) = &said.failed {
        print_failure(run);
    }
}

fn print_work(work: &BuildWork) {
    let count = |state| work.tasks.iter().filter(|status| status.state == state).count();
    let (done, failed) = (count(TaskState::Done), count(TaskState::Failed));
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let left = work.seconds_left.map_or_else(String::new, |left| format!(", {} left", human(left)));
    say!("    {done} of {} tasks done{failed}{left}", work.tasks.len());
    for status in work.tasks.iter().filter(|status| status.state == TaskState::Running) {
        say!("    running: {} for {}", status.task.name, human(status.took));
    }
    for (name, error) in &work.failed {
        say!("    failed: {name}: {}", error.lines().next().unwrap_or_default());
    }
    if let Some(until) = &work.until {
        let is_open = |status: &TaskStatus| {
            status.task.kind != TaskKind::Check && status.state != TaskState::Done
        };
        let command = if work.tasks.iter().any(is_open) { "work" } else { "finish" };
        say!("    workers may be at it until {until}; next: kiln {command} {}", work.build);
    }
}

fn print_live(said: &DatabaseStatus) {
    let database = &said.database;
    match said.live.as_ref().and_then(|build| build.tag.as_ref().map(|tag| (build, tag))) {
        Some((build, tag)) => {
            let since = tag.live_since.as_deref().unwrap_or("?");
            let age = said.age_seconds.map_or("?".to_owned(), age);
            say!(
                "{database}: {} live since {since}, version {}, {}, sealed {age} ago, {}",
                tag.build,
                tag.version,
                period(&tag.period),
                size(build)
            );
            if let Some(part) = &tag.subset {
                say!("  a subset: {part}");
            }
            if let Some(word) = &tag.held {
                say!("  on hold ({word})");
            }
            if !tag.without.is_empty() {
                say!("  without {}", tag.without.join(", "));
            }
        }
        None if said.is_private => say!(
            "{database}: nothing is live on this machine's private server (KILN_POSTGRES_URL is not set)"
        ),
        None => say!("{database}: nothing is live"),
    }
}

/// What time the data speak of; files of some databases do not name any.
fn period(said: &str) -> String {
    match said {
        "" => "no period in its files' names".to_owned(),
        said => format!("period {said}"),
    }
}

fn print_failure(run: &RunLine) {
    let code = run.exit_code.map_or("killed".to_owned(), |code| format!("exit code {code}"));
    say!("  last failure: `kiln {}` of {} ({code})", run.command, run.started);
    for line in run.error.as_deref().unwrap_or_default().lines() {
        say!("    {line}");
    }
    if let Some(next) = &run.next {
        say!("    go on with: {next}");
    }
}

fn size(build: &Build) -> String {
    build
        .bytes
        .map_or("size unknown".to_owned(), |bytes| HumanBytes(bytes.unsigned_abs()).to_string())
}

fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
