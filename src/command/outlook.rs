//! What a run would do about each source, and whether it would have anything to do: known before
//! a build is made, for `kiln plan`, for every dry run, and for the run itself.

use std::sync::Arc;

use super::Context;
use super::plan::Specs;
use crate::build::queue::{self, Task};
use crate::catalog::manifest::{Input, Manifest};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::builds;
use crate::fetch::object::Object;
use crate::fetch::store::Store;
use crate::plan::reuse::{self, Asked, Decision, Kept};
use crate::postgres::Session;
use crate::spec::source::Source;

/// What a run would do.
pub(super) struct Outlook {
    /// What it would be made from.
    pub manifest: Manifest,
    /// What would be done for each source, by name.
    pub decisions: Vec<Decision>,
    /// The live build's own name, where it may be held against what has landed.
    pub live: Option<String>,
    /// Why there is something to do; `None` where the live build has all that has landed.
    pub lacks: Option<String>,
    /// What the live build is, for the sentence that there is nothing to do.
    words: String,
}

impl Outlook {
    /// Looks at what has landed and at what is kept; with `anew` nothing counts as kept.
    ///
    /// # Errors
    /// When nothing has landed for a source, or a server cannot be asked.
    pub(super) async fn new(
        context: &Context,
        control: Option<&Session>,
        specs: &Specs,
        without: &[String],
        anew: bool,
    ) -> anyhow::Result<Outlook> {
        let manifest = fix(context, specs, without).await?;
        let kept = match control.filter(|_| !anew) {
            Some(control) => kept(context, control, specs.schema.database.as_str()).await?,
            None => Vec::new(),
        };
        let store = context.store().await;
        let mut known = Vec::new();
        let mut asked = Vec::new();
        for source in specs.wanted(without) {
            let Some(input) = manifest.sources.get(source.name.as_str()) else { continue };
            let objects = objects(context, &store, input, &mut known);
            asked.push(Asked { source: source.clone(), input: input.clone(), objects });
        }
        let (kept, shared) = (Arc::new(kept), Arc::new(manifest));
        let side_by_side = context.config.connections;
        let mut decisions = reuse::decide_all(&kept, asked, &shared, side_by_side).await?;
        if anew {
            decisions.iter_mut().for_each(|decision| decision.why = "--anew".to_owned());
        }
        let live = kept.iter().find(|kept| kept.database == shared.database);
        let lacks = match (live, anew) {
            (_, true) => Some("--anew".to_owned()),
            (None, false) => Some(format!("{} is not live", shared.database)),
            (Some(live), false) => live.lacks(&shared, specs.schema.locked()?, &decisions),
        };
        Ok(Outlook {
            live: live.map(|live| live.tag.build.clone()),
            words: live.map(in_words).unwrap_or_default(),
            lacks,
            manifest: Arc::unwrap_or_clone(shared),
            decisions,
        })
    }

    /// The sentence that there is nothing to do, where that is so.
    pub(super) fn nothing_to_do(&self) -> Option<String> {
        let live = self.live.as_ref().filter(|_| self.lacks.is_none())?;
        Some(format!("{live} is live and has all that has landed ({})", self.words))
    }
}

fn in_words(live: &Kept) -> String {
    let count = live.manifest.sources.len();
    let sources = if count == 1 { "source" } else { "sources" };
    let period = match live.tag.period.as_str() {
        "" => String::new(),
        period => format!(", period {period}"),
    };
    let sealed = live.tag.sealed.as_deref().unwrap_or("?");
    format!("{count} {sources}{period}, sealed {sealed}; no content, spec or SQL changed since")
}

/// Fixes the inputs of the wanted sources.
///
/// # Errors
/// When nothing has landed for one, or there is no key to hash identifiers with.
pub(super) async fn fix(
    context: &Context,
    specs: &Specs,
    without: &[String],
) -> anyhow::Result<Manifest> {
    let wanted = specs.wanted(without);
    let hash_key = context.hash_key(&specs.sources.all)?;
    let store = context.store().await;
    Manifest::fix(&store, &specs.schema, &wanted, without, hash_key.as_deref()).await
}

/// The builds whose tables may be brought over.
///
/// # Errors
/// When the server cannot be asked for its builds.
pub(super) async fn kept(
    context: &Context,
    control: &Session,
    database: &str,
) -> anyhow::Result<Vec<Kept>> {
    let all = builds(control, database).await?;
    let owner = &context.config.owner_role;
    let places: Vec<BuildDatabase> = all
        .iter()
        .filter_map(|build| BuildDatabase::new(&context.server, &build.name, owner).ok())
        .collect();
    Ok(Kept::all(&places, &all, database).await)
}

/// A source's objects; one object for all that share it.
pub(super) fn objects(
    context: &Context,
    store: &Store,
    input: &Input,
    known: &mut Vec<Arc<Object>>,
) -> Vec<Arc<Object>> {
    let mut own = Vec::new();
    for pin in &input.objects {
        let shared = known.iter().find(|object| object.pin == *pin).cloned();
        let object = shared.unwrap_or_else(|| Object::new(store, pin.clone(), &context.stop));
        known.push(Arc::clone(&object));
        own.push(object);
    }
    own
}

/// Finds the sources that a kept build has as they would be loaded.
///
/// # Errors
/// When the server cannot be asked for its builds.
pub(super) async fn recognise(
    context: &Context,
    control: &Session,
    manifest: &Manifest,
    tasks: &mut [Task],
) -> anyhow::Result<()> {
    let kept = Arc::new(kept(context, control, &manifest.database).await?);
    let manifest = Arc::new(manifest.clone());
    let side_by_side = context.config.connections;
    let asked = |task: &Task| Asked {
        source: task.binding.source.clone(),
        input: task.input.clone(),
        objects: task.objects.clone(),
    };
    let asked: Vec<Asked> = tasks.iter().map(asked).collect();
    for decision in reuse::decide_all(&kept, asked, &manifest, side_by_side).await? {
        let Decision { source, action, from, why, keep } = decision;
        tracing::info!(source, ?action, from, why, "decided");
        let task = tasks.iter_mut().find(|task| task.binding.source.name.as_str() == source);
        if let Some(task) = task {
            task.keep = keep;
        }
    }
    Ok(())
}

/// Entries of these sources' objects that no spec's patterns match: a new file of CMS's, perhaps.
pub(super) fn unclaimed(specs: &[Source], decisions: &[Decision]) -> Vec<String> {
    let kept = decisions.iter().filter_map(|decision| decision.keep.as_ref());
    queue::unclaimed(specs, kept.flat_map(|keep| &keep.entries))
}
