//! What a run will do, decided once: its exact inputs, a decision with its reason for each source, and
//! the estimate. Nothing here writes.

pub(crate) mod forecast;
pub(crate) mod graph;
pub(crate) mod manifest;
pub(crate) mod reuse;
mod stored;
pub(crate) mod task;
pub(crate) mod tasks_of;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::Forecast;
use crate::catalog::manifest::{Input, Manifest};
use crate::config::personal::HashKey;
use crate::fetch::object::Object;
use crate::fetch::store::{Pin, Store};
use crate::postgres::{Server, Session};
use crate::spec::Specs;
use crate::spec::source::Source;
use forecast::seconds::{Estimate, Tonight};
use forecast::{LoadMethods, Past};
use reuse::{Action, Decision, KeptBuild, ReusableTable, ReuseCandidate};
use task::{Task, TaskKind};
use tasks_of::TaskInputs;

/// What a run will do: made once under the lock, stored in the build, and executed as it is. What
/// `kiln plan` prints is one that is made without the lock, and thrown away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunPlan {
    /// What the build is made from.
    pub manifest: Manifest,
    /// What is done for each source, by name.
    pub decisions: Vec<Decision>,
    /// The live build's own name, where it may be held against what has landed.
    pub live: Option<String>,
    /// Why there is something to do; `None` where the live build has all that has landed.
    pub why: Option<String>,
    /// What it will need.
    pub estimate: Forecast,
    /// What is to be done, and in which order it may be; none in plans of kilns that made none.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// The sentence that there is nothing to do, where that is so.
    #[serde(skip)]
    pub nothing_to_do: Option<String>,
    /// Entries of the objects that no spec's patterns match, of directories that were read.
    #[serde(skip)]
    pub unclaimed: Vec<String>,
}

/// What a plan is made by.
pub(crate) struct Planner<'a> {
    /// Where builds are kept.
    pub server: &'a Server,
    /// The role that owns them.
    pub owner: &'a str,
    /// A session in the database `kiln`; `None` where there is none yet.
    pub control: Option<&'a Session>,
    /// Where files land.
    pub store: &'a Store,
    /// The key that hashes identifiers, where a source does.
    pub hash_key: Option<&'a HashKey>,
    /// Workers side by side.
    pub connections: usize,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Request<'a> {
    /// Sources to do without.
    pub without: &'a [String],
    /// Whether nothing counts as kept.
    pub full_refresh: bool,
}

impl Planner<'_> {
    /// Looks at what has landed and at what is kept, and decides.
    ///
    /// # Errors
    /// When nothing has landed for a source, or a server cannot be asked.
    pub(crate) async fn make(
        &self,
        specs: &Specs,
        request: Request<'_>,
    ) -> anyhow::Result<RunPlan> {
        let Request { without, full_refresh } = request;
        let wanted = specs.wanted(without);
        let manifest =
            Manifest::fix(self.store, &specs.schema, &wanted, without, self.hash_key).await?;
        let kept = match self.control.filter(|_| !full_refresh) {
            Some(control) => {
                KeptBuild::standing(self.server, self.owner, control, &manifest.database).await?
            }
            None => Vec::new(),
        };
        let mut objects = Objects::new(self.store, self.stop);
        let asked = wanted.into_iter().filter_map(|source| {
            let input = manifest.sources.get(source.name.as_str())?;
            let objects = objects.of(input);
            Some(ReuseCandidate { source: source.clone(), input: input.clone(), objects })
        });
        let asked = asked.collect();
        let (kept, shared) = (Arc::new(kept), Arc::new(manifest));
        let mut decisions = reuse::decide_all(&kept, asked, &shared, self.connections).await?;
        if full_refresh {
            decisions.iter_mut().for_each(|decision| decision.why = "--full-refresh".to_owned());
        }
        let live = kept.iter().find(|kept| kept.database == shared.database);
        let why = match (live, full_refresh) {
            (_, true) => Some("--full-refresh".to_owned()),
            (None, false) => Some(format!("{} is not live", shared.database)),
            (Some(live), false) => live.lacks(&shared, specs.schema.locked()?, &decisions),
        };
        let (estimate, tasks) = self.estimate(specs, &shared, &decisions).await?;
        Ok(RunPlan {
            live: live.map(|live| live.tag.build.clone()),
            nothing_to_do: live.filter(|_| why.is_none()).map(nothing_to_do),
            why,
            estimate,
            tasks,
            unclaimed: unclaimed(
                &specs.sources.all,
                reusables(&decisions).flat_map(|k| &k.entries),
            ),
            manifest: Arc::unwrap_or_clone(shared),
            decisions,
        })
    }

    /// The tasks, with what each is expected to take, and what all of it needs.
    async fn estimate(
        &self,
        specs: &Specs,
        manifest: &Manifest,
        decisions: &[Decision],
    ) -> anyhow::Result<(Forecast, Vec<Task>)> {
        let past = match self.control {
            Some(control) => Past::read(control, &manifest.database).await?,
            None => Past::default(),
        };
        let session = self.server.connect("postgres").await?;
        let settings = forecast::server::settings(&session).await?;
        let source_sizes = forecast::source_sizes(&specs.sources.all, manifest);
        let (texts, methods) = (forecast::texts(&source_sizes, &past), methods(specs, decisions));
        let workers = self.connections;
        let night =
            Tonight { source_sizes: &source_sizes, texts: &texts, methods: &methods, workers };
        let expected = night.estimate(tasks(specs, manifest, decisions), &past);
        let seconds = expected.seconds(workers);
        let Estimate { tasks, .. } = expected;
        Ok((
            Forecast { seconds, ..forecast::sizes(&source_sizes, &past, &settings, workers) },
            tasks,
        ))
    }
}

/// The tasks of a build from this manifest; a source that nothing was decided for is loaded.
pub(crate) fn tasks(specs: &Specs, manifest: &Manifest, decisions: &[Decision]) -> Vec<Task> {
    let kind = |name: &str| {
        let decision = decisions.iter().find(|decision| decision.source == name);
        match decision.map(|decision| decision.action) {
            Some(Action::Reuse) => TaskKind::Copy,
            Some(Action::Load) | None => TaskKind::Load,
        }
    };
    let sources = specs.sources.all.iter().filter_map(|source| {
        let name = source.name.as_str();
        manifest.sources.contains_key(name).then(|| (source, kind(name)))
    });
    TaskInputs { schema: &specs.schema, sources: sources.collect() }.tasks()
}

fn reusables(decisions: &[Decision]) -> impl Iterator<Item = &ReusableTable> {
    decisions.iter().filter_map(|decision| decision.reusable.as_ref())
}

/// How tables get their rows.
fn methods(specs: &Specs, decisions: &[Decision]) -> LoadMethods {
    let copied = decisions.iter().filter_map(|decision| {
        let reusable = decision.reusable.as_ref()?;
        Some((specs.sources.get(&decision.source)?, reusable.made.as_slice()))
    });
    LoadMethods::new(&specs.sources.all, copied, specs.schema.early())
}

fn nothing_to_do(live: &KeptBuild) -> String {
    let count = live.manifest.sources.len();
    let sources = if count == 1 { "source" } else { "sources" };
    let period = match live.tag.period.as_str() {
        "" => String::new(),
        period => format!(", period {period}"),
    };
    let (build, sealed) = (&live.tag.build, live.tag.sealed.as_deref().unwrap_or("?"));
    format!(
        "{build} is live and has all that has landed ({count} {sources}{period}, sealed {sealed}; \
         no content, spec or SQL changed since)"
    )
}

/// Outermost entries of objects that no spec's patterns match: a new file of CMS's, perhaps.
pub(crate) fn unclaimed<'a>(
    specs: &[Source],
    entries: impl Iterator<Item = &'a String>,
) -> Vec<String> {
    let claimed = |name: &str| {
        specs.iter().any(|source| {
            [&source.archive, &source.member]
                .iter()
                .any(|pattern| pattern.as_ref().is_some_and(|regex| regex.is_match(name)))
        })
    };
    let mut names: Vec<String> = entries.filter(|name| !claimed(name)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// Pinned objects, one for all sources that share it.
pub(crate) struct Objects<'a> {
    store: &'a Store,
    stop: &'a CancellationToken,
    known: BTreeMap<(String, String), Arc<Object>>,
}

impl<'a> Objects<'a> {
    /// None yet.
    pub(crate) fn new(store: &'a Store, stop: &'a CancellationToken) -> Objects<'a> {
        Objects { store, stop, known: BTreeMap::new() }
    }

    /// A source's objects.
    pub(crate) fn of(&mut self, input: &Input) -> Vec<Arc<Object>> {
        let object = |pin: &Pin| {
            let place = (pin.url(), pin.version().to_owned());
            let known = self.known.entry(place);
            Arc::clone(known.or_insert_with(|| Object::new(self.store, pin.clone(), self.stop)))
        };
        input.objects.iter().map(object).collect()
    }
}
