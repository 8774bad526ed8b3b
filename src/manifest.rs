//! The manifest: a build's exact inputs, fixed before the first byte is read, and kept in the
//! build, so that the same build can be made again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Exit, Failure};
use crate::source::Source;
use crate::store::{Listed, Pin, Store, file_name};
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
    /// What this build is a part of; `None` for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<Origin>,
}

/// What one source reads, and by which spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// sha256 of the spec's text.
    pub spec_sha256: String,
    /// The day that the object's name gives as the posting's, yyyymmdd.
    pub posted: Option<String>,
    /// The object at its version.
    pub object: Pin,
}

impl Manifest {
    /// Fixes the inputs: for each source the newest landed object that its pattern matches.
    ///
    /// # Errors
    /// [`Exit::InputUnavailable`] when nothing has landed, or nothing that a source wants; all
    /// such sources at once.
    pub async fn fix(
        store: &Store,
        database: &str,
        schema_version: u32,
        sources: &[&Source],
        without: &[String],
    ) -> anyhow::Result<Manifest> {
        let prefix = store.location.database_prefix(database);
        let listed = store.list(&prefix).await?;
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
            match newest(source, &listed) {
                Some((object, posted)) => chosen.push((source, object, posted)),
                None => missing.push(format!("{} (`{}`)", source.name.as_str(), source.object)),
            }
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
        for (source, object, posted) in chosen {
            let pin = match pins.get(object.key.as_str()) {
                Some(pin) => pin.clone(),
                None => store.pin(&object.key).await?,
            };
            pins.insert(&object.key, pin.clone());
            let input = Input { spec_sha256: source.digest(), posted, object: pin };
            inputs.insert(source.name.as_str().to_owned(), input);
        }
        Ok(Manifest {
            kiln: 1,
            database: database.to_owned(),
            schema_version,
            created: crate::registry::now(),
            without: without.to_vec(),
            sources: inputs,
            subset: None,
        })
    }
}

/// The newest object that a source's pattern matches. Newest by the posting day in its name,
/// then by the folder it landed in (a day), then by when it was put.
fn newest<'a>(source: &Source, listed: &'a [Listed]) -> Option<(&'a Listed, Option<String>)> {
    listed
        .iter()
        .filter_map(|object| {
            let captured = source.object.captures(file_name(&object.key))?;
            let posted = captured.name("posted").map(|m| m.as_str().to_owned());
            Some((object, posted))
        })
        .max_by(|(a, a_posted), (b, b_posted)| {
            let folder = |object: &Listed| object.key.rsplit_once('/').map(|(f, _)| f.to_owned());
            (a_posted, folder(a), a.modified, &a.key).cmp(&(
                b_posted,
                folder(b),
                b.modified,
                &b.key,
            ))
        })
}
