//! The file that `kiln source` is about: a path of this machine, or an object that has landed;
//! and what lies in it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use regex::Regex;

use super::super::{Context, Start};
use crate::config::Config;
use crate::error::{Exit, Failure};
use crate::fetch::archive;
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::fetch::patterns::Patterns;
use crate::fetch::store::file_name;
use crate::spec::source::BYTES_MAX;

/// Hands the file to `use_it` as an object; the store is opened only where no local file has the
/// name.
pub(super) async fn with_object<T>(
    start: Start,
    database: &str,
    file: &str,
    use_it: impl AsyncFnOnce(&Config, Arc<Object>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let path = Path::new(file);
    if path.is_file() {
        return use_it(&start.config, Object::local(path)?).await;
    }
    let context = Context::open_store(start).await?;
    let outcome = async {
        let object = landed(&context, database, file).await?;
        use_it(&context.config, object).await
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
}

/// The newest landed object of this name, or the one of this URL.
async fn landed(context: &Context, database: &str, file: &str) -> anyhow::Result<Arc<Object>> {
    let store = context.store().await;
    let prefix = store.location.database_prefix(database);
    let listed = store.list(&prefix).await?;
    let bucket = &store.location.bucket;
    let is_meant = |key: &str| match file.strip_prefix("s3://") {
        Some(place) => place == format!("{bucket}/{key}"),
        None => key == file || file_name(key) == file,
    };
    let found = listed
        .iter()
        .filter(|object| is_meant(&object.key))
        .max_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
    let Some(found) = found else {
        let message = format!(
            "there is neither a file {file} nor an object of it under s3://{bucket}/{prefix}"
        );
        return Err(Failure::new(Exit::InputUnavailable, message)
            .hint("give a path, an s3:// URL, or the name of an object that has landed")
            .into());
    };
    let pin = store.pin(&found.key).await?;
    Ok(Object::new(&store, pin, &context.stop))
}

/// All files in an object, inner zips opened; an object that is no zip is its own only file.
pub(super) fn members(object: &Arc<Object>, scratch: &Path) -> anyhow::Result<Vec<Member>> {
    let is_zip = object.pin.file_name().to_ascii_lowercase().ends_with(".zip");
    // No look-ahead in these patterns: a name ends in other letters than `.zip`.
    let other = r"(?i)([^p]|[^i]p|[^z]ip|[^.]zip|^.{0,3})$";
    let any = Patterns {
        object: Regex::new("")?,
        archive: is_zip.then(|| Regex::new(r"(?i)\.zip$")).transpose()?,
        member: is_zip.then(|| Regex::new(other)).transpose()?,
        kept: BTreeSet::new(),
        bytes_max: BYTES_MAX,
    };
    Ok(archive::find(&any, object, scratch)?.members)
}
