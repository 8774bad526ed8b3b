//! The manifest: a build's exact inputs, fixed before the first byte is read, and kept in the
//! build, so that the same build can be made again.

pub mod rejected;
mod stored;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::personal::HashKey;
use crate::error::{Exit, Failure};
use crate::export::subset::Origin;
use crate::fetch::store::{Listed, Pin, Store, file_name, withdrawn};
use crate::spec::schema::Schema;
use crate::spec::source::{Period, Source};

/// A build's inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this document; 1.
    pub kiln: u32,
    /// The product database.
    pub database: String,
    /// The schema's version.
    pub schema_version: u32,
    /// When it was fixed, RFC 3339.
    pub created: String,
    /// Sources that the build does without, by wish.
    pub without: Vec<String>,
    /// What each source reads.
    pub sources: BTreeMap<String, Input>,
    /// The version of kiln that fixed it; empty in manifests of kilns that did not say.
    #[serde(default)]
    pub tool: String,
    /// The form of the rows that it made; 0 where kilns did not say.
    #[serde(default)]
    pub row_format: u32,
    /// sha256 over the database's .sql files; empty where it is not known.
    #[serde(default)]
    pub sql_sha256: String,
    /// What tells the key that hashes identifiers from others; `None` where nothing is hashed, or
    /// where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_key: Option<String>,
    /// What had landed for these sources and was withdrawn by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<String>,
    /// What this build is a part of; `None` for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<Origin>,
}

/// What one source reads, and by which spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// sha256 of the spec's text.
    pub spec_sha256: String,
    /// sha256 of the .sql files of its tables; empty where it is not known.
    #[serde(default)]
    pub sql_sha256: String,
    /// The day that the newest object's name gives as the posting's, yyyymmdd, or what else it
    /// gives (`202605`).
    pub posted: Option<String>,
    /// The objects at their versions: one, or one an edition, the newest edition last.
    pub objects: Vec<Pin>,
}

impl Input {
    /// The objects' addresses, for people.
    pub fn urls(&self) -> String {
        self.objects.iter().map(Pin::url).collect::<Vec<_>>().join(", ")
    }

    /// Bytes of all objects.
    pub fn size(&self) -> u64 {
        self.objects.iter().map(|pin| pin.size).sum()
    }
}

impl Manifest {
    /// Fixes the inputs: for each source the newest landed object that its pattern matches, or the
    /// newest of each edition.
    ///
    /// # Errors
    /// [`Exit::InputUnavailable`] when nothing has landed, or nothing that a source wants; all
    /// such sources at once.
    pub async fn fix(
        store: &Store,
        schema: &Schema,
        sources: &[&Source],
        without: &[String],
        hash_key: Option<&HashKey>,
    ) -> anyhow::Result<Manifest> {
        let database = schema.database.as_str();
        let prefix = store.location.database_prefix(database);
        let (listed, gone) = withdrawn::apart(store.list(&prefix).await?);
        let bucket = &store.location.bucket;
        if listed.is_empty() {
            let message = format!("nothing has landed under s3://{bucket}/{prefix}");
            return Err(Failure::new(Exit::InputUnavailable, message)
                .hint(format!("kiln land {database} FILE"))
                .into());
        }
        let (mut missing, mut absent) =
            (Vec::new(), without.iter().map(String::as_str).collect::<Vec<_>>());
        let mut chosen = Vec::new();
        for source in sources {
            let newest = newest(source, &listed);
            if newest.is_empty() {
                missing.push(format!("{} (`{}`)", source.name.as_str(), source.object));
                absent.push(source.name.as_str());
            }
            chosen.push((source, newest));
        }
        if !missing.is_empty() {
            let among = format!("among {} under s3://{bucket}/{prefix}", listed.len());
            return Err(none_for(database, &missing, &absent, &among));
        }
        let mut pins: BTreeMap<&str, Pin> = BTreeMap::new();
        let mut inputs = BTreeMap::new();
        for (source, newest) in chosen {
            let mut input = Input {
                spec_sha256: source.digest(),
                sql_sha256: schema.digest_of(source.tables()),
                posted: None,
                objects: Vec::new(),
            };
            let last = newest.iter().filter_map(|c| c.named.posted).max_by_key(Period::order);
            input.posted = last.map(|posted| posted.digits());
            for Candidate { object, .. } in newest {
                let pin = match pins.get(object.key.as_str()) {
                    Some(pin) => pin.clone(),
                    None => store.pin(&object.key).await?,
                };
                pins.insert(&object.key, pin.clone());
                input.objects.push(pin);
            }
            inputs.insert(source.name.as_str().to_owned(), input);
        }
        Ok(Manifest {
            kiln: 1,
            database: database.to_owned(),
            schema_version: schema.locked()?.version,
            created: crate::catalog::registry::now(),
            without: without.to_vec(),
            sources: inputs,
            tool: crate::VERSION.to_owned(),
            row_format: crate::config::digest::ROW_FORMAT,
            sql_sha256: schema.digest(),
            hash_key: hash_key.map(HashKey::fingerprint),
            withdrawn: withdrawn_of(sources, &gone, bucket),
            subset: None,
        })
    }
}

impl Manifest {
    /// Notes that a build goes on with specs, SQL and key as they are now: what they were when its
    /// tables were made is no longer known where they differ, so that no later night takes
    /// it for something that it is not.
    pub fn goes_on(&mut self, schema: &Schema, loaded: &[&Source], hash_key: Option<&HashKey>) {
        if self.sql_sha256 != schema.digest() {
            self.sql_sha256.clear();
        }
        let hashes = loaded.iter().any(|source| source.hashes());
        if hashes && self.hash_key != hash_key.map(HashKey::fingerprint) {
            self.hash_key = None;
        }
        for source in loaded {
            let Some(input) = self.sources.get_mut(source.name.as_str()) else { continue };
            input.spec_sha256 = source.digest();
            if input.sql_sha256 != schema.digest_of(source.tables()) {
                input.sql_sha256.clear();
            }
        }
    }
}

/// Sources for which nothing has landed, and the run that does without them.
fn none_for(database: &str, missing: &[String], absent: &[&str], among: &str) -> anyhow::Error {
    let without: String = absent.iter().map(|name| format!(" --without {name}")).collect();
    let message = format!("no object for {}, {among}", missing.join(", "));
    Failure::new(Exit::InputUnavailable, message)
        .hint(format!("kiln land {database} FILE, or leave out: kiln run {database}{without}"))
        .into()
}

/// The addresses of those withdrawn that one of the sources would read.
fn withdrawn_of(sources: &[&Source], gone: &[Listed], bucket: &str) -> Vec<String> {
    let wanted = |object: &&Listed| {
        sources.iter().any(|source| source.object.is_match(file_name(&object.key)))
    };
    gone.iter().filter(wanted).map(|object| format!("s3://{bucket}/{}", object.key)).collect()
}

/// What an object's name tells of it, by the pattern's groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Of which edition it is.
    pub edition: Option<String>,
    /// When it was posted.
    pub posted: Option<Period>,
    /// What time its data speak of; a year where it gives no more.
    pub period: Option<Period>,
}

impl Named {
    /// Reads the file name of a key; `None` where the source does not read such an object.
    pub fn of(source: &Source, key: &str) -> Option<Named> {
        let captured = source.object.captures(file_name(key))?;
        let group = |name| captured.name(name).map(|found| found.as_str());
        let time = |name| group(name).and_then(Period::parse);
        Some(Named {
            edition: group("edition").map(str::to_owned),
            posted: time("posted"),
            period: time("period").or_else(|| time("year")),
        })
    }
}

/// A landed object that a source's pattern matches.
struct Candidate<'a> {
    object: &'a Listed,
    named: Named,
}

impl<'a> Candidate<'a> {
    fn of(source: &Source, object: &'a Listed) -> Option<Candidate<'a>> {
        Some(Candidate { object, named: Named::of(source, &object.key)? })
    }

    /// What orders the candidates of an edition: the posting in the name, then the period there,
    /// then the folder it landed in (a day), then when it was put.
    fn age(&self) -> impl Ord + '_ {
        let folder = self.object.key.rsplit_once('/').map(|(folder, _)| folder);
        let Named { posted, period, .. } = &self.named;
        let times = [posted, period].map(|time| time.as_ref().map(Period::order));
        (times, folder, self.object.modified, &self.object.key)
    }
}

/// The keys of the objects that a source would read of these.
pub(crate) fn chosen<'a>(source: &Source, listed: &'a [Listed]) -> Vec<&'a str> {
    newest(source, listed).into_iter().map(|candidate| candidate.object.key.as_str()).collect()
}

/// The newest object of each edition that a source's pattern matches, in the editions' order; of
/// a pattern without editions the newest object.
fn newest<'a>(source: &Source, listed: &'a [Listed]) -> Vec<Candidate<'a>> {
    let mut editions: BTreeMap<Option<String>, Candidate<'a>> = BTreeMap::new();
    for candidate in listed.iter().filter_map(|object| Candidate::of(source, object)) {
        match editions.get(&candidate.named.edition) {
            Some(known) if known.age() >= candidate.age() => {}
            _ => {
                editions.insert(candidate.named.edition.clone(), candidate);
            }
        }
    }
    editions.into_values().collect()
}
