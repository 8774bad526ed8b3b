//! What a build would read, and what a resume would do: known without changing anything, and
//! all that `--dry-run` says.

use indicatif::{HumanBytes, HumanCount};
use serde_json::json;

use super::Context;
use super::forecast::of_plan;
use crate::error::{Exit, failure};
use crate::forecast::Forecast;
use crate::ledger::{SourceEntry, SourceState};
use crate::manifest::Manifest;
use crate::report;
use crate::schema::Schema;
use crate::source::{Source, Sources};
use crate::strict::{Problems, suggest};

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
        for name in without {
            if !sources.stems.contains(name) {
                let mean = suggest(name, sources.stems.iter().map(String::as_str));
                let message = format!("--without {name}: {database} has no such source{mean}");
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

/// Says what a build would read, and changes nothing.
pub(super) async fn plan(
    context: &Context,
    database: &str,
    without: &[String],
    as_json: bool,
) -> anyhow::Result<()> {
    let problems = Problems::default();
    let specs = Specs::read(context, database, without, &problems)?;
    problems.into_result("kiln schema check")?;
    let version = specs.schema.locked()?.version;
    let store = context.store().await;
    let manifest =
        Manifest::fix(&store, database, version, &specs.wanted(without), without).await?;
    let forecast = of_plan(context, &specs, &manifest).await?;
    print(&manifest, Some(&forecast), as_json);
    Ok(())
}

/// A manifest, as what would be built from, and what that would need.
pub(super) fn print(manifest: &Manifest, forecast: Option<&Forecast>, as_json: bool) {
    if as_json {
        say!("{}", json!({ "dry_run": true, "manifest": manifest, "forecast": forecast }));
        return;
    }
    say!("{} (schema version {}) would be built from:", manifest.database, manifest.schema_version);
    for (source, input) in &manifest.sources {
        say!("  {source}  {} ({})", input.urls(), HumanBytes(input.size()));
    }
    for source in &manifest.without {
        say!("  {source}  left out");
    }
    if let Some(forecast) = forecast {
        report::forecast(forecast);
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
