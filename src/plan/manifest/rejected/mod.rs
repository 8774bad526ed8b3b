//! What was rolled away from stays away: a build that was rejected, and what only rejected builds
//! have read. Facts are gathered here, from the comments and stamps of the builds that are there and
//! from the database `kiln` for those that are gone; the decision is pure.

use std::collections::BTreeMap;

use crate::catalog::manifest::{Input, Manifest, SubsetOrigin};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::waiver::{self, Gate, Waiver, covers};
use crate::catalog::registry::{Build, Word, builds, number_of};
use crate::error::{Exit, Failure, message_of};
use crate::fetch::store::Pin;
use crate::postgres::{Server, Session, db, quoted};

/// A build that went live, and what it was made from.
#[derive(Debug, Clone)]
pub(crate) struct PromotedBuild {
    /// Its own name.
    pub build: String,
    /// Who rolled away from it, where somebody did.
    pub rejected: Option<Word>,
    /// What it was made from.
    pub manifest: Manifest,
    /// Whether it is live now.
    pub is_live: bool,
}

/// A reason why a build may not be made, or not go live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The source whose object it is; `None` where it is the whole build.
    pub source: Option<String>,
    /// What is wrong, up to who rejected it.
    what: String,
    /// The rejected builds, and the newest word about them.
    pub builds: Vec<String>,
    word: Word,
}

/// Marks an error that only a waiver or a newer posting mends: the same command would meet it again.
#[derive(Debug, thiserror::Error)]
#[error("what was rolled away from does not come back by itself")]
pub(crate) struct RejectedInput;

impl Refusal {
    /// That the candidate itself was rolled away from.
    pub fn itself(candidate: &Build) -> Option<Refusal> {
        let build = candidate.own_name().to_owned();
        let word = candidate.rejected()?.clone();
        Some(Refusal { source: None, what: "it".to_owned(), builds: vec![build], word })
    }

    /// Whether a waiver lifts it: one for the rejected build, or for the one to be promoted.
    fn is_covered(&self, waivers: &[Waiver], candidate: Option<&str>) -> bool {
        let source = self.source.as_deref();
        let mut names = self.builds.iter().map(|build| Some(build.as_str())).chain([candidate]);
        names.any(|build| covers(waivers, Gate::Rejected, source, build).is_some())
    }
}

/// Those that no waiver covers, in words; several sources may share an object.
pub(crate) fn uncovered(
    refusals: &[Refusal],
    waivers: &[Waiver],
    candidate: Option<&str>,
) -> Vec<String> {
    let mut grouped: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for refusal in refusals.iter().filter(|refusal| !refusal.is_covered(waivers, candidate)) {
        let sources = grouped.entry((&refusal.what, refusal.word.to_string())).or_default();
        sources.extend(refusal.source.as_deref());
    }
    let words = |((what, word), sources): (&(&str, String), &Vec<&str>)| {
        let read = match sources.as_slice() {
            [] => String::new(),
            [one] => format!("source {one} reads "),
            all => format!("sources {} read ", all.join(", ")),
        };
        format!("{read}{what} was rolled away from ({word})")
    };
    grouped.iter().map(words).collect()
}

/// What a person types when it was right after all.
pub(crate) fn hint(database: &str) -> String {
    format!("kiln waive {database} rejected --why \"REASON\"")
}

/// Why what this manifest would make may not be: it reads objects that only rejected builds have read,
/// or that a rejected one read last where the live one has others in their place; or it is a rejected
/// build again. Pure.
pub(crate) fn refusals(manifest: &Manifest, readers: &[PromotedBuild]) -> Vec<Refusal> {
    let mut found = Vec::new();
    if let Some(SubsetOrigin { build, .. }) = &manifest.subset {
        let by = readers.iter().filter(|reader| reader.build == *build).collect();
        let what = |builds: &str, _| format!("it is a part of {builds}, which");
        found.extend(refusal(None, what, by, false));
        return found;
    }
    let live = readers.iter().find(|reader| reader.is_live);
    for (source, input) in &manifest.sources {
        let has_another = live.is_some_and(|live| live.manifest.sources.contains_key(source));
        for pin in &input.objects {
            let by = readers.iter().filter(|reader| has_read(&reader.manifest, pin)).collect();
            let what = |builds: &str, only: bool| match only {
                true => format!("{}, which only {builds} read; that", pin.url()),
                false => format!("{}, which {builds} read last; that", pin.url()),
            };
            found.extend(refusal(Some(source), what, by, has_another));
        }
    }
    if found.is_empty() {
        let by = readers.iter().filter(|reader| is_again(&reader.manifest, manifest)).collect();
        let what = |builds: &str, _| {
            format!("it would be {builds} again, by the same objects, specs and SQL; that")
        };
        found.extend(refusal(None, what, by, true));
    }
    found
}

/// A refusal where only rejected builds, and at least one, are concerned; or where the newest of them
/// is rejected and something else is live: the newer word counts.
fn refusal(
    source: Option<&String>,
    what: impl Fn(&str, bool) -> String,
    by: Vec<&PromotedBuild>,
    has_another: bool,
) -> Option<Refusal> {
    let only = by.iter().all(|reader| reader.rejected.is_some());
    let newest = by.iter().max_by_key(|reader| number_of(&reader.build))?;
    let is_live = by.iter().any(|reader| reader.is_live);
    if !only && (newest.rejected.is_none() || is_live || !has_another) {
        return None;
    }
    let by: Vec<&PromotedBuild> =
        by.into_iter().filter(|reader| reader.rejected.is_some()).collect();
    let words = by.iter().filter_map(|reader| reader.rejected.as_ref());
    let word = words.max_by(|a, b| a.at.cmp(&b.at))?.clone();
    let builds: Vec<String> = by.iter().map(|reader| reader.build.clone()).collect();
    Some(Refusal { source: source.cloned(), what: what(&builds.join(", "), only), builds, word })
}

fn has_read(manifest: &Manifest, pin: &Pin) -> bool {
    let mut pins = manifest.sources.values().flat_map(|input| &input.objects);
    pins.any(|read| is_same(read, pin))
}

/// Whether both manifests make the same build; where that is not known they do not.
fn is_again(before: &Manifest, now: &Manifest) -> bool {
    let made_by = |manifest: &Manifest| {
        let mut without = manifest.without.clone();
        without.sort();
        let Manifest { schema_version, row_format, sql_sha256, hash_key, .. } = manifest.clone();
        (without, schema_version, row_format, sql_sha256, hash_key)
    };
    let same_input = |(a, b): ((&String, &Input), (&String, &Input))| {
        a.0 == b.0
            && a.1.spec_sha256 == b.1.spec_sha256
            && a.1.objects.len() == b.1.objects.len()
            && a.1.objects.iter().zip(&b.1.objects).all(|(a, b)| is_same(a, b))
    };
    !now.sql_sha256.is_empty()
        && made_by(before) == made_by(now)
        && before.sources.len() == now.sources.len()
        && before.sources.iter().zip(&now.sources).all(same_input)
}

/// Whether two objects are one: at the same place in the same version, or of the same bytes.
fn is_same(a: &Pin, b: &Pin) -> bool {
    if a.size != b.size {
        return false;
    }
    let same_place = (&a.bucket, &a.key, &a.version_id) == (&b.bucket, &b.key, &b.version_id);
    let same_etag = a.etag == b.etag;
    // An entity tag without parts is the MD5 of the bytes; others say nothing of another place.
    let digits = a.etag.trim_matches('"');
    let is_md5 = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let same_sha256 = a.sha256.is_some() && a.sha256 == b.sha256;
    same_sha256 || same_etag && (same_place || is_md5)
}

/// Whether anything of a database was rolled away from.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn is_any(control: &Session, database: &str) -> anyhow::Result<bool> {
    let all = builds(control, database).await?;
    let is_there = all.iter().any(|build| build.rejected().is_some());
    Ok(is_there || !recorded(control, database, true).await?.is_empty())
}

/// The builds that went live and matter to a manifest: all that were rejected, and those that were
/// not where an object of a rejected one is among its inputs. Empty where nothing was rejected.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn readers(
    server: &Server,
    owner: &str,
    control: &Session,
    manifest: &Manifest,
) -> anyhow::Result<Vec<PromotedBuild>> {
    let database = &manifest.database;
    let all = builds(control, database).await?;
    let mut readers = recorded(control, database, true).await?;
    let was_live = |build: &&Build| build.was_live() && !build.is_subset() && !build.invalid;
    let present: Vec<&Build> = all.iter().filter(was_live).collect();
    if readers.is_empty() && present.iter().all(|build| build.rejected().is_none()) {
        return Ok(readers);
    }
    for build in present {
        // Of a build that is there its comment tells, which survives the database `kiln`.
        let known = readers.iter().position(|reader| reader.build == build.own_name());
        let known = known.map(|at| readers.swap_remove(at).manifest);
        let rejected = build.rejected().cloned();
        let read = match (known, &rejected) {
            (Some(manifest), _) => Some(manifest),
            // One that was not rejected could only speak for an object, never against it.
            (None, None) => legible(server, owner, build).await,
            (None, Some(_)) => Some(of_rejected(server, owner, build).await?),
        };
        let is_live = build.name == *database;
        let build = build.own_name().to_owned();
        readers.extend(read.map(|manifest| PromotedBuild { build, rejected, manifest, is_live }));
    }
    if !refusals(manifest, &readers).is_empty() {
        // A good build that is gone may have read it before.
        let gone = recorded(control, database, false).await?;
        let is_new =
            |reader: &PromotedBuild| !all.iter().any(|build| build.own_name() == reader.build);
        readers.extend(gone.into_iter().filter(is_new));
    }
    Ok(readers)
}

/// What the database `kiln` knows of builds that went live.
async fn recorded(
    control: &Session,
    database: &str,
    is_rejected: bool,
) -> anyhow::Result<Vec<PromotedBuild>> {
    let doing = || db("read what went live");
    // Whoever only looks (a dry run) may meet a database `kiln` of an earlier kiln.
    let exists = control.query_one("select to_regclass('kiln.promoted') is not null", &[]).await;
    if !exists.map_err(doing())?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let sql = "select build, manifest, rejected from kiln.promoted
               where database = $1 and (rejected is not null) = $2 and manifest is not null";
    let rows = control.query(sql, &[&database, &is_rejected]).await.map_err(doing())?;
    let mut readers = Vec::new();
    for row in rows {
        let build: String = row.get(0);
        let word: Option<serde_json::Value> = row.get(2);
        let rejected = word.map(serde_json::from_value).transpose();
        match (serde_json::from_value(row.get(1)), rejected) {
            (Ok(manifest), Ok(rejected)) => {
                readers.push(PromotedBuild { build, rejected, manifest, is_live: false });
            }
            _ => tracing::warn!(build, "what it was made from cannot be read"),
        }
    }
    Ok(readers)
}

/// What a build was made from, as its stamp says; `None` where it has no stamp.
///
/// # Errors
/// When the stamp cannot be read.
pub(crate) async fn manifest_of(
    server: &Server,
    owner: &str,
    build: &Build,
) -> anyhow::Result<Option<Manifest>> {
    let database = BuildDatabase::new(server, &build.name, owner)?;
    Manifest::stamped(&database.session("account").await?).await
}

/// The same where a build that cannot be read is no reason to refuse: it is warned of.
pub(crate) async fn legible(server: &Server, owner: &str, build: &Build) -> Option<Manifest> {
    manifest_of(server, owner, build).await.unwrap_or_else(|error| {
        let error = message_of(&error);
        tracing::warn!(build = build.own_name(), error, "what it was made from cannot be read");
        None
    })
}

/// What a rejected build was made from: where that is not known, nobody can say that a night does
/// not bring it back.
async fn of_rejected(server: &Server, owner: &str, build: &Build) -> anyhow::Result<Manifest> {
    let reason = match manifest_of(server, owner, build).await {
        Ok(Some(manifest)) => return Ok(manifest),
        Ok(None) => "it has no stamp".to_owned(),
        Err(error) => message_of(&error),
    };
    let name = build.own_name();
    let message =
        format!("{name} was rolled away from, and what it was made from is not known: {reason}");
    // Without the build its rejection stands in the database `kiln` alone, and is judged by that.
    let hint = format!("once nobody needs it: drop database {}", quoted(&build.name));
    Err(Failure::new(Exit::SchemaRefused, message).hint(hint).into())
}

/// Refuses a manifest that would bring back what was rolled away from, unless a waiver says so.
///
/// # Errors
/// [`Exit::SchemaRefused`] with what was rejected, by whom and why, and what to type.
pub(crate) async fn refuse(
    server: &Server,
    owner: &str,
    control: &Session,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let found = refusals(manifest, &readers(server, owner, control, manifest).await?);
    let database = &manifest.database;
    let waivers = match found.is_empty() {
        true => Vec::new(),
        false => waiver::standing(control, database).await?,
    };
    let reasons = uncovered(&found, &waivers, None);
    if reasons.is_empty() {
        return Ok(());
    }
    let message = format!("{database} is not built: {}", reasons.join("; "));
    let hint = format!("land what is newer; or, if it was right after all: {}", hint(database));
    let error = Failure::new(Exit::SchemaRefused, message).hint(hint);
    Err(anyhow::Error::from(error).context(RejectedInput))
}

#[cfg(test)]
mod tests;
