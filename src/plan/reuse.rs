//! Decides what need not be loaded again: a source whose content, spec and SQL are those of a
//! sealed build that kiln still has. Nothing is fetched for it but zips' directories; the table is
//! then copied, or, where all of them are live already, nothing is done at all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::ledger::{DerivedTable, Ledger, SourceEntry, SourceState, difference};
use crate::catalog::manifest::{Input, Manifest};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::{Build, BuildState, Tag, builds};
use crate::error::message_of;
use crate::fetch::archive::{self, FoundMembers};
use crate::fetch::contents::Leaf;
use crate::fetch::object::Object;
use crate::fetch::store::Pin;
use crate::postgres::{Server, Session, db};
use crate::spec::schema::SchemaLock;
use crate::spec::source::Source;

/// A sealed build that kiln still has, and its own account of how it was made.
#[derive(Debug, Clone)]
pub(crate) struct KeptBuild {
    /// The name of its database now.
    pub database: String,
    /// What it is.
    pub tag: Tag,
    /// What it was made from.
    pub manifest: Manifest,
    /// What became of that.
    pub ledger: Ledger,
}

/// A table that can be copied.
#[derive(Debug, Clone)]
pub(crate) struct ReusableTable {
    /// The name of the kept build's database now.
    pub database: String,
    /// The kept build's own name.
    pub build: String,
    /// What shows that the source is unchanged.
    pub evidence: String,
    /// What the kept build says of the source.
    pub entry: SourceEntry,
    /// What the kept build made from the rows of named tables, by the SQL of now.
    pub made: Vec<DerivedTable>,
    /// The names of its objects' outermost entries, where their directories were read.
    pub entries: Vec<String>,
}

/// A source whose table may be copied from a kept build.
pub(crate) struct ReuseCandidate {
    /// Its spec.
    pub source: Source,
    /// What the new manifest says it reads.
    pub input: Input,
    /// The objects, pinned.
    pub objects: Vec<Arc<Object>>,
}

/// What is done for a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// It is read and loaded.
    Load,
    /// Its table is copied.
    Reuse,
}

/// What is done for a source, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// The source.
    pub source: String,
    /// What is done.
    pub action: Action,
    /// The kept build in which it is the same.
    pub from: Option<String>,
    /// By what it is known to be the same, or why it is loaded.
    pub why: String,
    /// What is copied.
    #[serde(skip)]
    pub reusable: Option<ReusableTable>,
}

impl KeptBuild {
    /// The builds on a server whose tables may be copied.
    ///
    /// # Errors
    /// When the server cannot be asked for its builds.
    pub(crate) async fn standing(
        server: &Server,
        owner: &str,
        control: &Session,
        database: &str,
    ) -> anyhow::Result<Vec<KeptBuild>> {
        let all = builds(control, database).await?;
        let place = |build: &Build| BuildDatabase::new(server, &build.name, owner).ok();
        let places: Vec<BuildDatabase> = all.iter().filter_map(place).collect();
        Ok(KeptBuild::all(&places, &all, database).await)
    }

    /// The builds whose tables may be copied, the best first: the live one, then those
    /// before it. One that cannot be read is none.
    pub(crate) async fn all(
        from: &[BuildDatabase],
        builds: &[Build],
        database: &str,
    ) -> Vec<KeptBuild> {
        let mut kept = Vec::new();
        for build in eligible(builds, database) {
            let (Some(tag), Some(place)) =
                (&build.tag, from.iter().find(|known| known.name.as_str() == build.name))
            else {
                continue;
            };
            match read(place, tag).await {
                Ok(found) => kept.extend(found),
                Err(error) => {
                    let error = message_of(&error);
                    tracing::warn!(build = tag.build, error, "its account cannot be read");
                }
            }
        }
        kept
    }

    fn build(&self) -> &str {
        &self.tag.build
    }

    /// What a decision that was made earlier copies from this build; nothing where it is of another.
    pub(crate) fn reusable(
        &self,
        decision: &Decision,
        manifest: &Manifest,
    ) -> Option<ReusableTable> {
        let is_of_it = decision.from.as_deref() == Some(self.build());
        let entry = self.entry(&decision.source).filter(|_| is_of_it)?;
        (decision.action == Action::Reuse).then(|| ReusableTable {
            database: self.database.clone(),
            build: self.build().to_owned(),
            evidence: decision.why.clone(),
            entry: entry.clone(),
            made: self.made_by(&manifest.sql_sha256),
            entries: Vec::new(),
        })
    }

    /// What it made by this SQL.
    fn made_by(&self, sql_sha256: &str) -> Vec<DerivedTable> {
        let made = self.ledger.made.iter().filter(|made| made.schema_sha256 == sql_sha256);
        made.cloned().collect()
    }

    /// Whether a source is in it as it would be loaded now; by which evidence, or why not.
    fn has(
        &self,
        asked: &ReuseCandidate,
        manifest: &Manifest,
        now: &mut Directory,
    ) -> Result<String, String> {
        let (name, build) = (asked.source.name.as_str(), self.build());
        let entry = self.entry(name).ok_or_else(|| format!("new: {build} is without it"))?;
        let Some(input) = self.manifest.sources.get(name) else {
            return Err(format!("new: {build} is without it"));
        };
        if self.manifest.row_format != manifest.row_format {
            let (before, now) = (self.manifest.row_format, manifest.row_format);
            return Err(format!(
                "rows of format {before} were loaded, this kiln makes those of {now}"
            ));
        }
        if input.spec_sha256 != asked.input.spec_sha256 {
            return Err("its spec changed".to_owned());
        }
        if input.sql_sha256 != asked.input.sql_sha256 {
            return Err("its table's SQL changed".to_owned());
        }
        let keys = (&self.manifest.hash_key, &manifest.hash_key);
        if asked.source.hashes() && (keys.0.is_none() || keys.0 != keys.1) {
            return Err("the key that hashes identifiers changed".to_owned());
        }
        if is_same(&input.objects, &asked.input.objects) {
            let objects = if input.objects.len() == 1 { "object" } else { "objects" };
            return Ok(format!("the same {objects}"));
        }
        if entry.contents.is_empty() {
            return Err(format!("another object, and {build} does not say what the last one held"));
        }
        let contents = now.read(asked).map_err(str::to_owned)?;
        match difference(&entry.contents, contents) {
            Some(what) => Err(what),
            None => Ok(match contents.len() {
                1 => "another object; its file has the same name, size and checksum".to_owned(),
                count => format!(
                    "another object; its {count} files have the same names, sizes and checksums"
                ),
            }),
        }
    }

    fn entry(&self, source: &str) -> Option<&SourceEntry> {
        let found = self.ledger.sources.iter().find(|entry| entry.source == source);
        found.filter(|entry| entry.state == SourceState::Loaded)
    }

    /// Why a run would have something to do although this build is live; `None` where it has all
    /// that has landed, as it would be made now.
    pub(crate) fn lacks(
        &self,
        manifest: &Manifest,
        lock: &SchemaLock,
        decisions: &[Decision],
    ) -> Option<String> {
        let build = self.build();
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names
        };
        if self.tag.state != BuildState::Live {
            return Some(format!("{build} is {}, not live", self.tag.state.word()));
        }
        if let Some(new) = decisions.iter().find(|decision| decision.from.as_deref() != Some(build))
        {
            return Some(match &new.from {
                Some(other) => format!("{}: {other} has it as it landed, {build} not", new.source),
                None => format!("{}: {}", new.source, new.why),
            });
        }
        if (self.manifest.kiln, self.manifest.row_format) != (manifest.kiln, manifest.row_format) {
            return Some(format!("another kiln made {build}"));
        }
        if (self.tag.version, &self.tag.fingerprint) != (lock.version, &lock.fingerprint) {
            return Some("schema.lock changed".to_owned());
        }
        if self.manifest.sql_sha256 != manifest.sql_sha256 {
            return Some("the database's SQL changed".to_owned());
        }
        if sorted(&self.manifest.without) != sorted(&manifest.without)
            || !self.manifest.sources.keys().eq(manifest.sources.keys())
        {
            return Some(format!("{build} has other sources"));
        }
        None
    }
}

/// The builds that may be read, best first.
fn eligible<'a>(builds: &'a [Build], database: &str) -> Vec<&'a Build> {
    let whole = |build: &&Build| {
        let state = build.state();
        !build.invalid
            && !build.is_subset()
            && matches!(state, BuildState::Live | BuildState::Previous)
    };
    let mut found: Vec<&Build> = builds.iter().rev().filter(whole).collect();
    found.sort_by_key(|build| build.name != database);
    found
}

async fn read(place: &BuildDatabase, tag: &Tag) -> anyhow::Result<Option<KeptBuild>> {
    let session = place.session("account").await?;
    let row = session
        .query_opt("select manifest, ledger from kiln.stamp", &[])
        .await
        .map_err(db("read the stamp"))?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(KeptBuild {
        database: place.name.as_str().to_owned(),
        tag: tag.clone(),
        manifest: serde_json::from_value(row.get(0))?,
        ledger: serde_json::from_value(row.get(1))?,
    }))
}

/// Whether these are the same objects at the same versions.
fn is_same(before: &[Pin], now: &[Pin]) -> bool {
    before.len() == now.len()
        && before.iter().zip(now).all(|(before, now)| {
            (&before.bucket, &before.key, &before.version_id, &before.etag, before.size)
                == (&now.bucket, &now.key, &now.version_id, &now.etag, now.size)
        })
}

/// What the objects' directories say now; read once, and only where it is needed.
#[derive(Default)]
struct Directory {
    found: Option<Result<FoundMembers, String>>,
}

impl Directory {
    fn entries(&self) -> Vec<String> {
        let found = self.found.as_ref().and_then(|found| found.as_ref().ok());
        found.map(|found| found.entries.clone()).unwrap_or_default()
    }

    fn read(&mut self, asked: &ReuseCandidate) -> Result<&[Leaf], &str> {
        let found = self.found.get_or_insert_with(|| {
            archive::contents(&asked.source.patterns(), &asked.objects)
                .map_err(|error| format!("its object's directory cannot be read: {error:#}"))
        });
        found.as_ref().map(|found| found.contents.as_slice()).map_err(String::as_str)
    }
}

/// Why a table cannot be copied, whatever is known of its content.
fn unfit(entry: &SourceEntry) -> Option<String> {
    // Its own problems kept it from being sealed; here they are only what cannot be copied.
    let problems = entry.problems();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Decides about one source; blocking, for it may read directories.
pub(crate) fn decide(kept: &[KeptBuild], asked: &ReuseCandidate, manifest: &Manifest) -> Decision {
    let mut now = Directory::default();
    let mut first = None;
    let mut decision = Decision {
        source: asked.source.name.as_str().to_owned(),
        action: Action::Load,
        from: None,
        why: String::new(),
        reusable: None,
    };
    for known in kept {
        match known.has(asked, manifest, &mut now) {
            Ok(evidence) => {
                decision.from = Some(known.build().to_owned());
                decision.why.clone_from(&evidence);
                let Some(entry) = known.entry(&decision.source) else { continue };
                if let Some(why) = unfit(entry) {
                    decision.why = why;
                    break;
                }
                decision.action = Action::Reuse;
                decision.reusable = Some(ReusableTable {
                    database: known.database.clone(),
                    build: known.build().to_owned(),
                    evidence,
                    entry: entry.clone(),
                    made: known.made_by(&manifest.sql_sha256),
                    entries: now.entries(),
                });
                break;
            }
            Err(why) => drop(first.get_or_insert(why)),
        }
    }
    if decision.from.is_none() {
        decision.why = first.unwrap_or_else(|| "no build is kept that has it".to_owned());
    }
    decision
}

/// Decides about all sources, `side_by_side` of them at a time.
pub(crate) async fn decide_all(
    kept: &Arc<Vec<KeptBuild>>,
    asked: Vec<ReuseCandidate>,
    manifest: &Arc<Manifest>,
    side_by_side: usize,
) -> anyhow::Result<Vec<Decision>> {
    use futures_util::{StreamExt as _, TryStreamExt as _, stream};
    let mut decisions: Vec<Decision> = stream::iter(asked)
        .map(|asked| {
            let (kept, manifest) = (Arc::clone(kept), Arc::clone(manifest));
            async move {
                let decide = move || decide(&kept, &asked, &manifest);
                tokio::task::spawn_blocking(decide)
                    .await
                    .map_err(|panic| anyhow::anyhow!("recognising a source: {panic}"))
            }
        })
        .buffer_unordered(side_by_side)
        .try_collect()
        .await?;
    decisions.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(decisions)
}
