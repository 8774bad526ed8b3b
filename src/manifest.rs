//! The manifest: a build's exact inputs, fixed before the first byte is read, and kept in the
//! build, so that the same build can be made again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Exit, Failure};
use crate::personal::HashKey;
use crate::schema::Schema;
use crate::source::Source;
use crate::store::{Listed, Pin, Store, file_name, withdrawn};
use crate::subset::Origin;

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
    /// The day that the newest object's name gives as the posting's, yyyymmdd.
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
        let mut missing = Vec::new();
        let mut chosen = Vec::new();
        for source in sources {
            let newest = newest(source, &listed);
            if newest.is_empty() {
                missing.push(format!("{} (`{}`)", source.name.as_str(), source.object));
            }
            chosen.push((source, newest));
        }
        if !missing.is_empty() {
            let message = format!(
                "no object for {}, among {} under s3://{bucket}/{prefix}",
                missing.join(", "),
                listed.len()
            );
            return Err(Failure::new(Exit::InputUnavailable, message)
                .hint(format!("kiln land {database} FILE, or leave them out with --without SOURCE"))
                .into());
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
            for Candidate { object, posted, .. } in newest {
                let pin = match pins.get(object.key.as_str()) {
                    Some(pin) => pin.clone(),
                    None => store.pin(&object.key).await?,
                };
                pins.insert(&object.key, pin.clone());
                input.posted = input.posted.max(posted);
                input.objects.push(pin);
            }
            inputs.insert(source.name.as_str().to_owned(), input);
        }
        Ok(Manifest {
            kiln: 1,
            database: database.to_owned(),
            schema_version: schema.locked()?.version,
            created: crate::registry::now(),
            without: without.to_vec(),
            sources: inputs,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
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

/// The addresses of those withdrawn that one of the sources would read.
fn withdrawn_of(sources: &[&Source], gone: &[Listed], bucket: &str) -> Vec<String> {
    let wanted = |object: &&Listed| {
        sources.iter().any(|source| source.object.is_match(file_name(&object.key)))
    };
    gone.iter().filter(wanted).map(|object| format!("s3://{bucket}/{}", object.key)).collect()
}

/// A landed object that a source's pattern matches.
struct Candidate<'a> {
    object: &'a Listed,
    edition: Option<String>,
    posted: Option<String>,
}

impl<'a> Candidate<'a> {
    fn of(source: &Source, object: &'a Listed) -> Option<Candidate<'a>> {
        let captured = source.object.captures(file_name(&object.key))?;
        let group = |name| captured.name(name).map(|found| found.as_str().to_owned());
        Some(Candidate { object, edition: group("edition"), posted: group("posted") })
    }

    /// What orders the candidates of an edition: the posting day in the name, then the folder it
    /// landed in (a day), then when it was put.
    fn age(&self) -> impl Ord + '_ {
        let folder = self.object.key.rsplit_once('/').map(|(folder, _)| folder);
        (&self.posted, folder, self.object.modified, &self.object.key)
    }
}

/// The newest object of each edition that a source's pattern matches, in the editions' order; of
/// a pattern without editions the newest object.
fn newest<'a>(source: &Source, listed: &'a [Listed]) -> Vec<Candidate<'a>> {
    let mut editions: BTreeMap<Option<String>, Candidate<'a>> = BTreeMap::new();
    for candidate in listed.iter().filter_map(|object| Candidate::of(source, object)) {
        match editions.get(&candidate.edition) {
            Some(known) if known.age() >= candidate.age() => {}
            _ => {
                editions.insert(candidate.edition.clone(), candidate);
            }
        }
    }
    editions.into_values().collect()
}
