//! `kiln begin`: the first of three steps in which many hosts make one build: plan, create, write the tasks.
//! `kiln work` on any host does them, `kiln finish` checks and seals.

use std::time::Duration;

use tracing::Instrument as _;

use super::build_run::BuildRun;
use super::ending::unless_stopped;
use super::opening::{LockedRun, Opening};
use super::{Context, Start, without};
use crate::build::tasks;
use crate::build::worker::Worker;
use crate::catalog::registry::control::{self, RunEnd};
use crate::command::cli;
use crate::config::known_database;
use crate::plan::task::Task;
use crate::report::{self, BegunBuild};

/// How long workers may be at it where nobody says.
const LONGEST: Duration = Duration::from_secs(86_400);

/// `kiln begin DATABASE`.
///
/// # Errors
/// When the build cannot be begun; nothing is left of it then.
pub(super) async fn run(mut start: Start, args: &cli::Begin) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    if let Some(deadline) = &args.deadline {
        start.config.run_deadline = Some(deadline.clone());
    }
    let context = Context::open(start, true).await?;
    let outcome = begin(&context, args).await;
    context.close_after(outcome).await
}

async fn begin(context: &Context, args: &cli::Begin) -> anyhow::Result<()> {
    let without = without::sources(&context.config, &args.database, &args.without)?;
    let mut locked = LockedRun::lock(context, "begin", &args.database, &without).await?;
    locked.plan(args.anew.anew).await?;
    if !args.anew.anew {
        locked = match locked.check_for_work().await? {
            Opening::Proceed(locked) => *locked,
            Opening::NothingToDo(ledger) => {
                report::begun(&BegunBuild::nothing(&ledger), args.json.json);
                return Ok(());
            }
        };
    }
    let mut build_run = locked.begin().await?;
    let span = tracing::info_span!("build", build = build_run.tag.build);
    let work = async {
        let count = build_run.write_all().await?;
        // From here on it is no leftover: what a killed begin leaves is one.
        build_run.tag.until = Some(until(context));
        build_run.build.retag(&build_run.lock, &build_run.tag).await?;
        Ok(count)
    };
    let outcome = unless_stopped(&context.stop, work.instrument(span)).await;
    let count = match outcome {
        Ok(count) => count,
        Err(error) => {
            // Nothing is loaded: there is nothing to keep.
            (build_run.worth_keeping, build_run.tag.until) = (false, None);
            return Err(build_run.fail(error).await);
        }
    };
    let build = build_run.tag.build.clone();
    let next = format!("kiln work {build}");
    let end = RunEnd { build: Some(&build), next: Some(&next), ..RunEnd::default() };
    control::end_run(&build_run.lock, &context.who, &args.database, &end).await?;
    let until = build_run.tag.until.clone().unwrap_or_default();
    report::begun(&BegunBuild { build, tasks: count, until, nothing_to_do: None }, args.json.json);
    Ok(())
}

/// The moment after which a build that was begun is a leftover.
fn until(context: &Context) -> String {
    let long = match &context.deadline {
        Some(deadline) => deadline.at.saturating_duration_since(std::time::Instant::now()),
        None => LONGEST,
    };
    let now = jiff::Timestamp::now();
    let until = now.checked_add(long).unwrap_or(now);
    until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl BuildRun<'_> {
    /// The database, the plan and the tasks; what can be refused before the first row is refused here. Gives
    /// the number of tasks.
    async fn write_all(&mut self) -> anyhow::Result<usize> {
        let bindings = self.create().await?;
        let plan = self.note_plan().await?;
        self.hold_older(&plan.manifest).await?;
        self.estimate(&plan.manifest).await?;
        self.hold_sections(&plan.manifest).await?;
        let inputs = self.inputs(&plan.manifest, &plan.decisions, bindings).await;
        let _shown = self.context.progress.follow();
        let workplace = self.workplace()?;
        let preflight = workplace.preflight(inputs).await?;
        self.before_rows(&preflight).await?;
        for name in &preflight.unclaimed {
            self.context.progress.warn(&format!("no source reads {name}"));
        }
        // What cannot be read fails here, once, and not on every worker; the others are loaded all the same.
        let prepared = preflight.prepared.into_iter();
        let broken: Vec<_> = prepared.filter(|one| matches!(one.found, Some(Err(_)))).collect();
        let names: Vec<String> =
            broken.iter().map(|one| one.rows.binding.source.name.as_str().to_owned()).collect();
        if !names.is_empty() {
            let worker = Worker::new(&workplace, &self.context.who.run, broken);
            let is_broken = |task: &Task| task.kind.is_rows() && names.contains(&task.subject);
            worker.run("load", is_broken).await?;
        }
        let session = self.build.session("tasks").await?;
        let count = tasks::list(&session).await?.len();
        self.build.give_back(session);
        self.build.end_idle();
        Ok(count)
    }
}
