//! `kiln plan`: what a run would load, bring over or leave, and what a resume would do: known
//! without changing anything, and all that `--dry-run` says.

use std::collections::BTreeMap;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use serde_json::json;

use super::forecast::of_plan;
use super::gates::{self, Stands};
use super::outlook::Outlook;
use super::{Context, Start, without};
use crate::catalog::ledger::{SourceEntry, SourceState};
use crate::catalog::manifest::{Input, Manifest};
use crate::catalog::registry::waiver::{self, Waiver};
use crate::catalog::registry::{Build, Word, builds, control};
use crate::command::cli;
use crate::config::known_database;
use crate::config::personal;
use crate::config::strict::{Problems, suggest};
use crate::error::{Exit, Failure, failure, render};
use crate::plan::forecast::Ways;
use crate::plan::manifest::rejected;
use crate::plan::reuse::{self, Action, Decision};
use crate::postgres::Session;
use crate::release::swap::gate;
use crate::report;
use crate::spec::schema::Schema;
use crate::spec::source::{Source, Sources};

/// What is known before any server is spoken to.
pub(super) struct Specs {
    pub schema: Schema,
    pub sources: Sources,
}

impl Specs {
    pub(super) fn read(
        context: &Context,
        database: &str,
        without: &[String],
        problems: &Problems,
    ) -> anyhow::Result<Specs> {
        let root = &context.config.root;
        let schema = Schema::read(root, database, problems)?;
        let sources = Sources::read(root, database, problems)?;
        if sources.all.iter().any(|source| source.personal) {
            personal::keep_out_of_core_dumps();
        }
        for name in without {
            if !sources.stems.contains(name) {
                let mean = suggest(name, sources.stems.iter().map(String::as_str));
                let by = match context.config.without(database).contains(name) {
                    true => format!("kiln.toml, `{database}.without`: {name}"),
                    false => format!("--without {name}"),
                };
                let message = format!("{by}: {database} has no such source{mean}");
                return Err(failure(Exit::Usage, message));
            }
        }
        Ok(Specs { schema, sources })
    }

    /// The sources that are to be loaded.
    pub(super) fn wanted(&self, without: &[String]) -> Vec<&Source> {
        let wanted = |source: &&Source| !without.iter().any(|name| name == source.name.as_str());
        self.sources.all.iter().filter(wanted).collect()
    }
}

/// A run that is asked about.
pub(super) struct Wanted<'a> {
    pub database: &'a str,
    pub without: &'a [String],
    pub anew: bool,
    /// `run`, which may find nothing to do, or `build`, which makes a build in any case.
    pub command: &'a str,
}

/// `kiln plan DATABASE`.
///
/// # Errors
/// What would keep a run from beginning.
pub async fn run(start: Start, args: &cli::Plans) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    if !start.config.has_project {
        let message = "a plan is made of sql/ and sources/, and there is neither here";
        return Err(Failure::new(Exit::Usage, message).hint("kiln --root FOLDER plan …").into());
    }
    let context = Context::open(start, true).await?;
    let outcome = async {
        let database = args.database.as_str();
        let without = &without::sources(&context.config, database, &args.without)?;
        let wanted = Wanted { database, without, anew: args.anew.anew, command: "run" };
        plan(&context, &wanted, args.json.json).await
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
}

/// Says what a run would do, and changes nothing.
pub(super) async fn plan(
    context: &Context,
    wanted: &Wanted<'_>,
    as_json: bool,
) -> anyhow::Result<()> {
    let Wanted { database, without, anew, command } = *wanted;
    let problems = Problems::default();
    let specs = Specs::read(context, database, without, &problems)?;
    problems.into_result("kiln schema check")?;
    let control = control::existing(&context.server).await?;
    let outlook = Outlook::new(context, control.as_ref(), &specs, without, anew).await?;
    let idle = outlook.nothing_to_do().filter(|_| command == "run");
    let stands = match &control {
        Some(control) => gates::stands(context, control, &specs, &outlook.manifest).await?,
        None => Stands::default(),
    };
    let words = Words::read(control.as_ref(), database).await?;
    let asked = control.as_ref().filter(|_| idle.is_none());
    let refused = refused(context, asked, &outlook.manifest).await;
    let lines = lines(&outlook, idle.is_some());
    let unwelcome = unwelcome(control.as_ref(), &specs.schema).await?;
    let forecast = match idle {
        Some(_) => None,
        None => {
            let ways = ways(&specs, &outlook);
            Some(of_plan(context, &specs, &outlook.manifest, &ways).await?)
        }
    };
    if as_json {
        let said = json!({
            "dry_run": true, "database": database, "live": outlook.live,
            "nothing_to_do": idle.is_some(), "why": idle.as_ref().or(outlook.lacks.as_ref()),
            "sources": lines, "manifest": outlook.manifest, "forecast": forecast,
            "waivers": words.waivers, "gates": stands.refused, "waiting": stands.waiting,
            "rejected": words.rejected, "held": words.held,
            "refused": refused.as_ref().err().map(render),
            "not_accepted": unwelcome.as_ref().map(|(reasons, _)| reasons),
        });
        say!("{said}");
        return refused;
    }
    let version = outlook.manifest.schema_version;
    match &idle {
        Some(said) => say!("{database}: nothing to do: {said}"),
        None => say!("{database} (schema version {version}) would be built from:"),
    }
    for line in &lines {
        say!("  {}", line.text());
    }
    for location in &outlook.manifest.withdrawn {
        say!("  {location}  was withdrawn: not read");
    }
    words.print();
    stands.print(database);
    if let Some((reasons, help)) = &unwelcome {
        say!("it would not go live: {}", reasons.join("; "));
        say!("  {help}");
    }
    if let Some(forecast) = &forecast {
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
    rejected::refuse(&context.server, owner, control, manifest).await
}

/// Which apps the gate would find not to accept the version as it is locked, and what helps: known
/// before the build is made.
async fn unwelcome(
    control: Option<&Session>,
    schema: &Schema,
) -> anyhow::Result<Option<(Vec<String>, String)>> {
    let (database, lock) = (schema.database.as_str(), schema.locked()?);
    let said = match control {
        Some(control) => control::contracts(control, Some(database)).await?,
        None => Vec::new(),
    };
    Ok(gate::misfits(database, lock.serves_from, lock.version, &said))
}

/// What would be done for a source.
#[derive(Debug, Serialize)]
struct Line {
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

impl Line {
    fn text(&self) -> String {
        let Line { source, action, from, why, objects, bytes } = self;
        match (*action, from) {
            ("reuse", Some(from)) => format!("{source}  brought over from {from}: {why}"),
            ("load", _) => {
                format!("{source}  loaded from {objects} ({}): {why}", HumanBytes(*bytes))
            }
            (_, Some(from)) => format!("{source}  stays as it is in {from}: {why}"),
            (_, None) => format!("{source}  {why}"),
        }
    }
}

/// How tables would get their rows.
fn ways(specs: &Specs, outlook: &Outlook) -> Ways {
    let keeps = outlook.decisions.iter().filter_map(|decision| {
        Some((specs.sources.get(&decision.source)?, decision.keep.as_ref()?))
    });
    reuse::ways(&specs.sources.all, keeps, specs.schema.early())
}

fn lines(outlook: &Outlook, idle: bool) -> Vec<Line> {
    let line = |decision: &Decision| {
        let input = outlook.manifest.sources.get(&decision.source);
        Line {
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
    let mut lines: Vec<Line> = outlook.decisions.iter().map(line).collect();
    lines.extend(outlook.manifest.without.iter().map(|source| Line {
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
