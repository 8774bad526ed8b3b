//! The seal: the last write to a build. Readers get their rights, writers lose theirs, and the
//! stamp is written, in one durable transaction; before it there is no build to promote, after
//! it there is nothing to write.

use serde::{Deserialize, Serialize};

use crate::error::{Exit, Failure};
use crate::failpoint;
use crate::ledger::Ledger;
use crate::manifest::Manifest;
use crate::pg::{Ident, Session, db};
use crate::registry::build::BuildDatabase;
use crate::registry::{State, Tag, now};
use crate::schema::{SchemaLock, catalog};

/// What the stamp says, as far as the gate needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The build's own name.
    pub build: String,
    /// The product database.
    pub database: String,
    /// The schema's version.
    pub version: u32,
    /// The oldest version whose readers it serves.
    pub serves_from: u32,
    /// The catalog's fingerprint.
    pub fingerprint: String,
    /// Rows by table.
    pub rows: Vec<(String, u64)>,
}

impl Stamp {
    /// The rows of one table; `None` where it is not one that was loaded.
    pub fn rows_of(&self, table: &str) -> Option<u64> {
        self.rows.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows)
    }
}

/// Proof that the seal was committed; only [`seal`] makes one. A build that was sealed by this
/// very run need not be counted again before the swap.
#[derive(Debug)]
pub struct Sealed {
    _private: (),
}

/// Seals a build.
///
/// # Errors
/// [`Exit::ChecksFailed`] when the ledger does not agree, [`Exit::SchemaRefused`] when the
/// catalog is not the locked one; the build is then not sealed.
pub async fn seal(
    build: &BuildDatabase,
    app: &Ident,
    lock: &SchemaLock,
    manifest: &Manifest,
    ledger: &Ledger,
    tag: &mut Tag,
) -> anyhow::Result<Sealed> {
    let problems = ledger.problems();
    if !problems.is_empty() {
        let message = format!("not sealed: {}", problems.join("; "));
        return Err(Failure::new(Exit::ChecksFailed, message)
            .hint(format!(
                "look into the kept build {}, land the mended file, then kiln run {}",
                tag.build, tag.database
            ))
            .into());
    }
    let session = build.session("seal").await?;
    let found = catalog::fingerprint(&session).await?;
    if found.digest != lock.fingerprint {
        let difference = lock.difference(&found.lines).join("\n  ");
        let database = &tag.database;
        let message = format!("not sealed: the catalog is not the locked one:\n  {difference}");
        return Err(Failure::new(Exit::SchemaRefused, message)
            .hint(format!("kiln schema check {database}; kiln schema lock {database}"))
            .into());
    }
    tag.state = State::Sealed;
    tag.sealed = Some(now());
    tag.fingerprint.clone_from(&found.digest);
    tag.period = ledger.period();
    tag.without = ledger.without();
    let written = write(&session, build, app, lock, manifest, ledger, tag).await;
    if let Err(error) = written {
        // The answer to COMMIT may be what was lost, and not the commit: ask the server.
        drop(session);
        let Ok(again) = build.session("seal").await else { return Err(error) };
        if read(&again).await?.is_none() {
            return Err(Failure::new(Exit::Database, "the seal was not committed")
                .hint(format!("kiln resume {}", tag.build))
                .because(error)
                .into());
        }
    }
    Ok(Sealed { _private: () })
}

async fn write(
    session: &Session,
    build: &BuildDatabase,
    app: &Ident,
    lock: &SchemaLock,
    manifest: &Manifest,
    ledger: &Ledger,
    tag: &Tag,
) -> anyhow::Result<()> {
    let (name, owner) = (&build.name, &build.owner);
    // A build that an older kiln began has no place for whom it serves.
    // A superuser is the only one left who could write, and would have to mean it.
    let rights = format!(
        "begin; set local synchronous_commit = on;
         alter table kiln.stamp add column if not exists serves_from integer;
         revoke all on schema public, kiln from public;
         revoke create on schema public from pg_database_owner;
         revoke create on schema kiln from {owner};
         grant usage on schema public, kiln to {app};
         grant select on all tables in schema public to {app};
         grant select on kiln.stamp, kiln.source, kiln.file to {app};
         grant connect on database {name} to {app};
         alter database {name} set default_transaction_read_only = on"
    );
    session.batch_execute(&rights).await.map_err(db("set the rights"))?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 11] = [
        &tag.build,
        &tag.database,
        &tag.version.cast_signed(),
        &tag.fingerprint,
        &tag.period,
        &tag.without,
        &tag.run,
        &format!("kiln {}", crate::VERSION),
        &serde_json::to_value(manifest)?,
        &serde_json::to_value(ledger)?,
        &lock.serves_from.cast_signed(),
    ];
    session
        .execute(
            "insert into kiln.stamp (build, database, version, fingerprint, period, without, run,
                                     tool, manifest, ledger, serves_from)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            &values,
        )
        .await
        .map_err(db("write the stamp"))?;
    let last = format!(
        "revoke insert, update, delete, truncate, references, trigger
             on all tables in schema public, kiln from public, {owner}; {}",
        tag.comment_sql(name)
    );
    session.batch_execute(&last).await.map_err(db("close the build"))?;
    failpoint::hit(failpoint::SEAL)?;
    session.batch_execute("commit").await.map_err(db("commit the seal"))
}

/// Reads a build's stamp; `None` when it is not sealed.
///
/// # Errors
/// When the server cannot be asked.
pub async fn read(session: &Session) -> anyhow::Result<Option<Stamp>> {
    let exists: bool = session
        .query_one("select to_regclass('kiln.stamp') is not null", &[])
        .await
        .map_err(db("look for the stamp"))?
        .get(0);
    if !exists {
        return Ok(None);
    }
    let row = session
        .query_opt(
            "select build, database, version, fingerprint, ledger,
                    (to_jsonb(s) ->> 'serves_from')::integer
             from kiln.stamp s",
            &[],
        )
        .await
        .map_err(db("read the stamp"))?;
    let Some(row) = row else { return Ok(None) };
    let version = row.get::<_, i32>(2);
    let ledger: Ledger = serde_json::from_value(row.get(4))?;
    let own = ledger.sources.iter().map(|entry| {
        let rows = entry.stored.unwrap_or(entry.counted);
        (entry.source.clone(), rows)
    });
    let sets = ledger.sources.iter().flat_map(|entry| entry.dictionaries.clone());
    Ok(Some(Stamp {
        build: row.get(0),
        database: row.get(1),
        version: version.cast_unsigned(),
        serves_from: row.get::<_, Option<i32>>(5).unwrap_or(version).cast_unsigned(),
        fingerprint: row.get(3),
        rows: own.chain(sets).collect(),
    }))
}

/// What an app may ask of the stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampVersion {
    /// The build's own name.
    pub build: String,
    /// The schema's version.
    pub version: u32,
    /// The oldest version whose readers it serves.
    pub serves_from: u32,
    /// The data's period.
    pub period: String,
}

/// Reads the version from the stamp, with an app's rights; `None` when there is no stamp.
///
/// # Errors
/// When the server cannot be asked.
pub async fn version(session: &Session) -> anyhow::Result<Option<StampVersion>> {
    let exists: bool = session
        .query_one("select to_regclass('kiln.stamp') is not null", &[])
        .await
        .map_err(db("look for the stamp"))?
        .get(0);
    if !exists {
        return Ok(None);
    }
    let row = session
        .query_opt(
            "select build, version, period, (to_jsonb(s) ->> 'serves_from')::integer
             from kiln.stamp s",
            &[],
        )
        .await
        .map_err(db("read the stamp"))?;
    Ok(row.map(|row| StampVersion {
        build: row.get(0),
        version: row.get::<_, i32>(1).cast_unsigned(),
        period: row.get(2),
        // A stamp of before this was said serves its own readers.
        serves_from: row.get::<_, Option<i32>>(3).unwrap_or(row.get(1)).cast_unsigned(),
    }))
}
