//! What the database `kiln` keeps of builds that went live: what they were made from, and who rolled
//! away from them. It outlives the builds; while they are there, it is made again from them.

use super::{Build, Tag, Word, builds};
use crate::catalog::manifest::Manifest;
use crate::postgres::{Session, always_quoted, db};

/// Notes that a build goes live, what it was made from, and that another was rolled away from; in
/// the swap's transaction.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn record(
    control: &Session,
    database: &str,
    build: &str,
    manifest: Option<&Manifest>,
    rejected: Option<&Word>,
) -> anyhow::Result<()> {
    let manifest = manifest.map(serde_json::to_value).transpose()?;
    let rejected = rejected.map(serde_json::to_value).transpose()?;
    control
        .execute(
            "insert into kiln.promoted (build, database, manifest, rejected)
             values ($1, $2, $3, $4)
             on conflict (build) do update
             set manifest = coalesce(excluded.manifest, promoted.manifest),
                 rejected = excluded.rejected",
            &[&build, &database, &manifest, &rejected],
        )
        .await
        .map_err(db("note what went live"))?;
    Ok(())
}

/// Says of a build what its tag says, where a swap is taken back: one that was not live before is not noted.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn as_it_was(control: &Session, tag: &Tag) -> anyhow::Result<()> {
    let rejected = tag.rejected.as_ref().map(serde_json::to_value).transpose()?;
    let doing = || db("note what went live");
    match tag.live_since {
        Some(_) => {
            let sql = "update kiln.promoted set rejected = $2 where build = $1";
            control.execute(sql, &[&tag.build, &rejected]).await.map_err(doing())?
        }
        None => {
            let sql = "delete from kiln.promoted where build = $1";
            control.execute(sql, &[&tag.build]).await.map_err(doing())?
        }
    };
    Ok(())
}

/// Writes down again what was lost: of builds that went live and are there, their comment and their stamp
/// say it.
///
/// # Errors
/// When the server refuses. What a build does not say is warned of.
pub(crate) async fn note_again(lock: &Session, database: &str) -> anyhow::Result<()> {
    let sql = "select build from kiln.promoted where database = $1";
    let known = lock.query(sql, &[&database]).await.map_err(db("read what went live"))?;
    let known: Vec<String> = known.iter().map(|row| row.get(0)).collect();
    let was_live = |build: &Build| build.was_live() && !build.is_subset() && !build.invalid;
    for build in builds(lock, database).await?.iter().filter(|build| was_live(build)) {
        let name = build.own_name();
        if known.iter().any(|known| known == name) {
            continue;
        }
        match stamped(lock, build).await {
            Ok(manifest) => {
                record(lock, database, name, manifest.as_ref(), build.rejected()).await?;
                tracing::warn!(build = name, "that it went live was lost, and is noted again");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(build = name, error, "what it was made from cannot be read");
            }
        }
    }
    Ok(())
}

/// What a build's stamp says that it was made from, read with its owner's rights.
async fn stamped(lock: &Session, build: &Build) -> anyhow::Result<Option<Manifest>> {
    let sql = "select pg_get_userbyid(datdba)::text from pg_database where datname = $1";
    let owner = lock.query_one(sql, &[&build.name]).await.map_err(db("ask for the owner"))?;
    let act = format!("set role {}", always_quoted(&owner.get::<_, String>(0)));
    let session = lock.server().connect_as(&build.name, "stamp").await?;
    session.batch_execute(&act).await.map_err(db("read the stamp"))?;
    Manifest::stamped(&session).await
}
