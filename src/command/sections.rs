//! Whether a release has the sections that are needed by what is made from its rows: asked of the
//! archives' directories before a row is loaded, and once more of what was loaded, by whichever way.

use std::collections::BTreeSet;

use super::build_run::BuildRun;
use crate::catalog::ledger::{SourceEntry, SourceState};
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::waiver::{Gate, Waiver, covers, standing};
use crate::error::{Exit, Failure};
use crate::fetch::archive;
use crate::plan::Objects;
use crate::plan::reuse::KeptBuild;
use crate::spec::source::{Sections, Source};

/// A source that says which sections are needed, and those that its members are.
struct SectionedSource<'a> {
    source: &'a Source,
    wanted: &'a Sections,
    has: BTreeSet<String>,
    /// The objects, for people.
    place: String,
}

impl BuildRun<'_> {
    /// Refuses releases that lack a section, before anything is loaded. A directory that cannot be read
    /// is the load's business.
    ///
    /// # Errors
    /// [`Exit::InputRejected`].
    pub(super) async fn hold_sections(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let store = self.context.store().await;
        let mut objects = Objects::new(&store, &self.context.stop);
        let mut asked = Vec::new();
        for (source, wanted) in self.with_sections() {
            let Some(input) = manifest.sources.get(source.name.as_str()) else { continue };
            let objects = objects.of(input);
            let of_it = source.patterns();
            let read = tokio::task::spawn_blocking(move || archive::contents(&of_it, &objects));
            let read =
                read.await.map_err(|panic| anyhow::anyhow!("reading an archive: {panic}"))?;
            let Ok(found) = read else { continue };
            // What lies in a deflated inner zip is not known yet: it is asked of what was loaded.
            let told = found.contents.iter().map(|leaf| wanted.of_known(&leaf.known));
            let Some(has) = told.collect() else { continue };
            asked.push(SectionedSource { source, wanted, has, place: input.urls() });
        }
        self.refuse_missing(asked).await
    }

    /// The same of what was loaded: by this run, by one before it, or by hand.
    ///
    /// # Errors
    /// [`Exit::InputRejected`].
    pub(super) async fn hold_loaded_sections(&self, manifest: &Manifest) -> anyhow::Result<()> {
        // A part of a build has what the build has.
        if manifest.subset.is_some() {
            return Ok(());
        }
        let mut asked = Vec::new();
        for (source, wanted) in self.with_sections() {
            let name = source.name.as_str();
            let loaded = self.ledger.sources.iter().find(|entry| entry.source == name);
            let Some(entry) = loaded.filter(|entry| entry.state == SourceState::Loaded) else {
                continue;
            };
            let place = manifest.sources.get(name).map(|input| input.urls()).unwrap_or_default();
            asked.push(SectionedSource {
                source,
                wanted,
                has: among(source, wanted, entry),
                place,
            });
        }
        self.refuse_missing(asked).await
    }

    fn with_sections(&self) -> impl Iterator<Item = (&Source, &Sections)> {
        let all = self.specs.sources.all.iter();
        all.filter_map(|source| Some((source, source.sections.as_ref()?)))
    }

    async fn refuse_missing(&self, asked: Vec<SectionedSource<'_>>) -> anyhow::Result<()> {
        if asked.is_empty() {
            return Ok(());
        }
        let database = self.tag.database.as_str();
        let (server, owner) =
            (self.context.server(&self.tag.database), &self.context.config.owner_role);
        let kept = KeptBuild::standing(server, owner, &self.lock, database).await?;
        let live = kept.iter().find(|kept| kept.database == database);
        let waivers = standing(&self.lock, database).await?;
        let refused: Vec<(String, String)> =
            asked.iter().filter_map(|asked| self.missed(asked, live, &waivers)).collect();
        if refused.is_empty() {
            return Ok(());
        }
        let (said, waive): (Vec<String>, Vec<String>) = refused.into_iter().unzip();
        let hint = format!(
            "land a whole release; or where the file is known to be a part: {} && {}",
            waive.join(" && "),
            self.once_more()
        );
        Err(Failure::new(Exit::InputRejected, said.join("\n")).hint(hint).into())
    }

    /// What a source lacks, and the command that waives it.
    fn missed(
        &self,
        asked: &SectionedSource<'_>,
        live: Option<&KeptBuild>,
        waivers: &[Waiver],
    ) -> Option<(String, String)> {
        let SectionedSource { source, wanted, has, place } = asked;
        let name = source.name.as_str();
        let of_live = live.and_then(|live| {
            let entry = live.ledger.sources.iter().find(|entry| entry.source == name)?;
            (entry.state == SourceState::Loaded).then(|| among(source, wanted, entry))
        });
        let missing = wanted.missing(has, of_live.as_ref());
        if missing.is_empty() {
            return None;
        }
        let who = match live.filter(|_| of_live.is_some()) {
            Some(live) => format!("the live build {} has", live.tag.build),
            None => format!("{} requires", source.path.display()),
        };
        let which = if missing.len() == 1 { "section" } else { "sections" };
        let said =
            format!("source {name}: {place} lacks {which} {}, which {who}", missing.join(", "));
        if let Some(waiver) = covers(waivers, Gate::Sections, Some(name), Some(&self.tag.build)) {
            tracing::warn!(source = name, why = waiver.why, "{said}; waived");
            return None;
        }
        let database = &self.tag.database;
        Some((said, format!("kiln waive {database} sections --source {name} --why 'WHY'")))
    }
}

/// The sections of the files that a source was loaded from.
fn among(source: &Source, wanted: &Sections, entry: &SourceEntry) -> BTreeSet<String> {
    let Some(pattern) = &source.member else { return BTreeSet::new() };
    let names = entry.files.iter().filter_map(|file| file.member.rsplit(" → ").next());
    names.filter_map(|name| wanted.of_name(pattern, name)).collect()
}
