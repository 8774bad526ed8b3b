//! `kiln plan`: what a run would load, copy or leave, and what a resume would do: known
//! without changing anything, and all that `--dry-run` says.

use std::collections::BTreeMap;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use serde_json::json;

use super::gates::{self, Stands};
use super::{Context, Start, without};
use crate::build::tasks;
use crate::catalog::ledger::{SourceEntry, SourceState};
use crate::catalog::manifest::{Input, Manifest};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::contract;
use crate::catalog::registry::waiver::{self, Waiver};
use crate::catalog::registry::{Build, Word, builds, control, database_of};
use crate::command::cli;
use crate::config::known_database;
use crate::config::strict::Problems;
use crate::error::{Exit, Failure, shell};
use crate::plan::manifest::rejected;
use crate::plan::reuse::{Action, Decision};
use crate::plan::{Request, RunPlan};
use crate::postgres::Session;
use crate::release::swap::gate;
use crate::report;
use crate::spec::Specs;
use crate::spec::schema::Schema;

/// A run that is asked about.
pub(super) struct Wanted<'a> {
    pub database: &'a str,
    pub without: &'a [String],
    pub full_refresh: bool,
    /// `run`, which may find nothing to do, or `build`, which makes a build in any case.
    pub command: &'a str,
}

/// `kiln plan DATABASE`.
///
/// # Errors
/// When a run could not begin.
pub(super) async fn run(start: Start, args: &cli::Plans) -> anyhow::Result<()> {
    if let Some(database) = database_of(&args.database) {
        known_database(&start.config, database)?;
        let context = Context::open(start, false).await?;
        let outcome = stored(&context, database, &args.database, args.json.json).await;
        return context.close_after(outcome).await;
    }
    known_database(&start.config, &args.database)?;
    if !start.config.has_project {
        let message = "a plan is made of sql/ and sources/, and there is neither here";
        return Err(Failure::new(Exit::Usage, message).hint("kiln --root FOLDER plan …").into());
    }
    let context = Context::open(start, true).await?;
    let outcome = async {
        let database = args.database.as_str();
        let without = &without::sources(&context.config, database, &args.without)?;
        let wanted = Wanted { database, without, full_refresh: args.anew.anew, command: "run" };
        plan(&context, &wanted, args.json.json).await
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
}

/// Says what a build was made by.
async fn stored(
    context: &Context,
    database: &str,
    build: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let all = match control::existing(context.server(database)).await? {
        Some(control) => builds(&control, database).await?,
        None => Vec::new(),
    };
    let found = all.iter().find(|known| known.own_name() == build).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{build} is not on this server"))
            .hint(format!("kiln status {}", shell::word(database)))
    })?;
    let place =
        BuildDatabase::new(context.server(database), &found.name, &context.config.owner_role)?;
    let session = place.session("plan").await?;
    let plan = RunPlan::stored(&session).await?.ok_or_else(|| {
        let message = format!("{build} has no plan: it is a part of a build, or of an older kiln");
        Failure::new(Exit::Usage, message).hint(format!("kiln plan {}", shell::word(database)))
    })?;
    let lines = lines(&plan, false);
    let tasks = match tasks::are_there(&session).await? {
        true => tasks::list(&session).await?,
        false => Vec::new(),
    };
    let RunPlan { manifest, live, why, estimate, .. } = &plan;
    if as_json {
        say!(
            "{}",
            json!({
                "build": build, "database": database, "live": live, "why": why, "sources": lines,
                "manifest": manifest, "forecast": estimate, "tasks": tasks,
            })
        );
        return Ok(());
    }
    let (version, made) = (manifest.schema_version, &manifest.created);
    say!("{build} (schema version {version}) was planned on {made}, from:");
    lines.iter().for_each(|line| say!("  {}", line.text()));
    report::tasks(&tasks);
    report::forecast(estimate);
    Ok(())
}

/// Says what a run would do, and changes nothing.
pub(super) async fn plan(
    context: &Context,
    wanted: &Wanted<'_>,
    as_json: bool,
) -> anyhow::Result<()> {
    let Wanted { database, without, full_refresh, command } = *wanted;
    let problems = Problems::default();
    let specs = Specs::read(&context.config, database, without, &problems)?;
    problems.into_result("kiln schema check")?;
    let control = control::existing(context.server(database)).await?;
    let (store, hash_key) = (context.store().await, context.hash_key(&specs.sources.all)?);
    let planner = context.planner(database, control.as_ref(), &store, hash_key.as_deref());
    let plan = planner.make(&specs, Request { without, full_refresh }).await?;
    let idle = plan.nothing_to_do.as_ref().filter(|_| command == "run");
    let stands = match &control {
        Some(control) => gates::stands(context, control, &specs, &plan.manifest).await?,
        None => Stands::default(),
    };
    let words = Words::read(control.as_ref(), database).await?;
    let asked = control.as_ref().filter(|_| idle.is_none());
    let refused = refused(context, asked, &plan.manifest).await;
    let lines = lines(&plan, idle.is_some());
    let unwelcome = unwelcome(control.as_ref(), &specs.schema).await?;
    let forecast = idle.is_none().then_some(&plan.estimate);
    if as_json {
        let said = json!({
            "dry_run": true, "database": database, "live": plan.live,
            "nothing_to_do": idle.is_some(), "why": idle.or(plan.why.as_ref()),
            "sources": lines, "manifest": plan.manifest, "forecast": forecast, "tasks": plan.tasks,
            "waivers": words.waivers, "gates": stands.refused, "waiting": stands.waiting,
            "rejected": words.rejected, "held": words.held,
            "refused": refused.as_ref().err().map(report::error::text),
            "not_accepted": unwelcome.as_ref().map(|(reasons, _)| reasons),
        });
        say!("{said}");
        return refused;
    }
    let version = plan.manifest.schema_version;
    match idle {
        Some(said) => say!("{database}: nothing to do: {said}"),
        None => say!("{database} (schema version {version}) would be built from:"),
    }
    for line in &lines {
        say!("  {}", line.text());
    }
    for location in &plan.manifest.withdrawn {
        say!("  {location}  was withdrawn: not read");
    }
    words.print();
    stands.print(database);
    if let Some((reasons, help)) = &unwelcome {
        say!("it would not go live: {}", reasons.join("; "));
        say!("  {help}");
    }
    if let Some(forecast) = forecast {
        report::forecast(forecast);
    }
    refused
}

/// What people have said of builds and gates, as far as it stands.
#[derive(Default)]
struct Words {
    waivers: Vec<Waiver>,
    rejected: BTreeMap<String, Word>,
    held: BTreeMap<String, Word>,
}

impl Words {
    async fn read(control: Option<&Session>, database: &str) -> anyhow::Result<Words> {
        let Some(control) = control else { return Ok(Words::default()) };
        let all = builds(control, database).await?;
        let of = |word: fn(&Build) -> Option<&Word>| {
            let said = all.iter().filter_map(|build| Some((build, word(build)?)));
            said.map(|(build, word)| (build.own_name().to_owned(), word.clone())).collect()
        };
        let waivers = waiver::standing(control, database).await?;
        Ok(Words { waivers, rejected: of(Build::rejected), held: of(Build::held) })
    }

    fn print(&self) {
        for (build, word) in &self.rejected {
            say!("  rejected: {build} ({word})");
        }
        for (build, word) in &self.held {
            say!("  on hold: {build} ({word})");
        }
        for waiver in &self.waivers {
            say!("  {}", report::waived(waiver));
        }
    }
}

/// What keeps a run from being made of these inputs: they were rolled away from.
async fn refused(
    context: &Context,
    control: Option<&Session>,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let Some(control) = control else { return Ok(()) };
    let owner = &context.config.owner_role;
    rejected::refuse(context.server(&manifest.database), owner, control, manifest).await
}

/// Which apps the gate would find not to accept the version as it is locked, and what helps: known
/// before the build is made.
async fn unwelcome(
    control: Option<&Session>,
    schema: &Schema,
) -> anyhow::Result<Option<(Vec<String>, String)>> {
    let (database, lock) = (schema.database.as_str(), schema.locked()?);
    let said = match control {
        Some(control) => contract::contracts(control, Some(database)).await?,
        None => Vec::new(),
    };
    Ok(gate::misfits(database, lock.serves_from, lock.version, &said))
}

/// What would be done for a source.
#[derive(Debug, Serialize)]
struct PlannedSource {
    source: String,
    /// `load`, `reuse` or `skip`.
    action: &'static str,
    from: Option<String>,
    why: String,
    /// The objects' addresses.
    objects: String,
    /// Bytes of all objects: several sources may share one.
    bytes: u64,
}

impl PlannedSource {
    fn text(&self) -> String {
        let PlannedSource { source, action, from, why, objects, bytes } = self;
        match (*action, from) {
            ("reuse", Some(from)) => format!("{source}  copied from {from}: {why}"),
            ("load", _) => {
                format!("{source}  loaded from {objects} ({}): {why}", HumanBytes(*bytes))
            }
            (_, Some(from)) => format!("{source}  stays as it is in {from}: {why}"),
            (_, None) => format!("{source}  {why}"),
        }
    }
}

fn lines(plan: &RunPlan, idle: bool) -> Vec<PlannedSource> {
    let line = |decision: &Decision| {
        let input = plan.manifest.sources.get(&decision.source);
        PlannedSource {
            source: decision.source.clone(),
            action: match decision.action {
                _ if idle => "skip",
                Action::Reuse => "reuse",
                Action::Load => "load",
            },
            from: decision.from.clone(),
            why: decision.why.clone(),
            objects: input.map(Input::urls).unwrap_or_default(),
            bytes: input.map_or(0, Input::size),
        }
    };
    let mut lines: Vec<PlannedSource> = plan.decisions.iter().map(line).collect();
    lines.extend(plan.manifest.without.iter().map(|source| PlannedSource {
        source: source.clone(),
        action: "skip",
        from: None,
        why: "left out".to_owned(),
        objects: String::new(),
        bytes: 0,
    }));
    lines
}

/// A manifest, as what would be built from.
pub(super) fn print(manifest: &Manifest, as_json: bool) {
    if as_json {
        say!("{}", json!({ "dry_run": true, "manifest": manifest }));
        return;
    }
    say!("{} (schema version {}) would be built from:", manifest.database, manifest.schema_version);
    for (source, input) in &manifest.sources {
        say!("  {source}  {} ({})", input.urls(), HumanBytes(input.size()));
    }
    for source in &manifest.without {
        say!("  {source}  left out");
    }
    for location in &manifest.withdrawn {
        say!("  {location}  was withdrawn: not read");
    }
}

/// What a resume would do.
pub(super) fn print_resume(build: &str, manifest: &Manifest, done: &[SourceEntry], as_json: bool) {
    let is_done = |source: &str| done.iter().any(|entry| entry.source == source);
    let loads = manifest.sources.iter().filter(|(source, _)| !is_done(source));
    if as_json {
        let loads: Vec<&String> = loads.map(|(source, _)| source).collect();
        let stays: Vec<&String> = done.iter().map(|entry| &entry.source).collect();
        say!("{}", json!({ "dry_run": true, "build": build, "stays": stays, "loads": loads }));
        return;
    }
    say!("{build} would go on:");
    for entry in done {
        match entry.state {
            SourceState::Without => say!("  {}  left out", entry.source),
            _ => say!("  {}  stays ({} rows)", entry.source, HumanCount(entry.counted)),
        }
    }
    for (source, input) in loads {
        say!("  {source}  would be loaded from {}", input.urls());
    }
}
