//! Fixes a build's inputs: which landed objects its sources read, each pinned before its first byte is
//! read.

pub(crate) mod rejected;

use std::collections::BTreeMap;

use crate::catalog::manifest::{Input, Manifest};
use crate::config::personal::HashKey;
use crate::error::{Exit, Failure};
use crate::fetch::store::{ListedObject, Pin, Store, file_name, withdrawn};
use crate::spec::schema::Schema;
use crate::spec::source::{Named, Period, Source};

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
            row_format: crate::spec::row_format::ROW_FORMAT,
            sql_sha256: schema.digest(),
            hash_key: hash_key.map(HashKey::fingerprint),
            withdrawn: withdrawn_of(sources, &gone, bucket),
            subset: None,
        })
    }
}

impl Manifest {
    /// What of specs, SQL and key is another now than when the build was begun; nothing where all is the same.
    pub fn differs(
        &self,
        schema: &Schema,
        sources: &[Source],
        hash_key: Option<&HashKey>,
    ) -> Option<String> {
        let database = &self.database;
        if self.sql_sha256 != schema.digest() {
            return Some(format!("sql/{database}"));
        }
        let spec = |source: &&Source| {
            let input = self.sources.get(source.name.as_str());
            input.is_some_and(|input| input.spec_sha256 != source.digest())
        };
        if let Some(source) = sources.iter().find(spec) {
            return Some(format!("sources/{database}/{}.toml", source.name.as_str()));
        }
        let is_other = self.hash_key != hash_key.map(HashKey::fingerprint);
        is_other.then(|| "key that hashes identifiers".to_owned())
    }

    /// Notes that a build is resumed with specs, SQL and key as they are now: what they were when its
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
fn withdrawn_of(sources: &[&Source], gone: &[ListedObject], bucket: &str) -> Vec<String> {
    let wanted = |object: &&ListedObject| {
        sources.iter().any(|source| source.object.is_match(file_name(&object.key)))
    };
    gone.iter().filter(wanted).map(|object| format!("s3://{bucket}/{}", object.key)).collect()
}

/// A landed object that a source's pattern matches.
struct Candidate<'a> {
    object: &'a ListedObject,
    named: Named,
}

impl<'a> Candidate<'a> {
    fn of(source: &Source, object: &'a ListedObject) -> Option<Candidate<'a>> {
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

/// The keys of the objects that a source would read of these, for the fuzz target.
#[cfg(feature = "dev")]
pub(crate) fn chosen<'a>(source: &Source, listed: &'a [ListedObject]) -> Vec<&'a str> {
    newest(source, listed).into_iter().map(|candidate| candidate.object.key.as_str()).collect()
}

/// The newest object of each edition that a source's pattern matches, in the editions' order; of
/// a pattern without editions the newest object.
fn newest<'a>(source: &Source, listed: &'a [ListedObject]) -> Vec<Candidate<'a>> {
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
