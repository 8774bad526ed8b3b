//! The seal: the last write to a build. Readers get their rights, writers lose theirs, and the stamp is
//! written, in one durable transaction; before it is no build to promote, after it nothing to write.
//!
//! What is sealed is what is there: rows are counted after the last statement that may write, while
//! writers are kept out, and must be those that were loaded.

pub(crate) mod digests;
mod readings;

use tokio_util::sync::CancellationToken;

use crate::build::tasks;
use crate::catalog::ledger::Ledger;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::{BuildState, Tag, now};
use crate::catalog::stamp::rows::{self, Ask, Counted};
use crate::catalog::stamp::{
    self, Contents, DigestReading, Sealed, Standing, TableContents, contents, rights, stamped_rows,
};
use crate::config::failpoint;
use crate::error::{Exit, Failure};
use crate::postgres::{Ident, Session, db};
use crate::spec::schema::{SchemaLock, catalog};
use digests::DigestRequest;
pub(crate) use readings::readings;

/// A build about to be sealed.
pub(crate) struct Sealing<'a> {
    /// The build.
    pub build: &'a BuildDatabase,
    /// The role that apps read through.
    pub app: &'a Ident,
    /// What its catalog must be.
    pub lock: &'a SchemaLock,
    /// What it was made from.
    pub manifest: &'a Manifest,
    /// What became of that.
    pub ledger: &'a Ledger,
    /// How tables are read whose digests are known; the others' are read here.
    pub readings: Vec<DigestReading>,
    /// How many tables are counted side by side.
    pub connections: usize,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

impl Sealing<'_> {
    /// Seals it.
    ///
    /// # Errors
    /// [`Exit::ChecksFailed`] when the ledger does not agree, with itself or with what the tables
    /// hold, [`Exit::SchemaRefused`] when the catalog is not the locked one, [`Exit::Locked`] when a task is not
    /// done; the build is then not sealed.
    pub(crate) async fn seal(&self, tag: &mut Tag) -> anyhow::Result<Sealed> {
        let Sealing { build, lock, ledger, .. } = self;
        refuse(tag, ledger.problems())?;
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
        session
            .batch_execute("begin; set local synchronous_commit = on")
            .await
            .map_err(db("begin the seal"))?;
        refuse_undone(tag, &tasks::undone(&session).await?)?;
        let contents = self.contents(&session).await?;
        refuse(tag, disagreements(ledger, &contents.tables))?;
        tag.state = BuildState::Sealed;
        tag.sealed = Some(now());
        tag.fingerprint.clone_from(&found.digest);
        tag.period = ledger.period();
        tag.without = ledger.without();
        let written = self.write(&session, contents, tag).await;
        if let Err(error) = written {
            // The answer to COMMIT may be what was lost, and not the commit: ask the server.
            drop(session);
            let Ok(again) = build.session("seal").await else { return Err(error) };
            if !stamp::is_of_run(&again, &tag.run).await? {
                return Err(Failure::new(Exit::Database, "the seal was not committed")
                    .hint(format!("kiln resume {}", tag.build))
                    .because(error)
                    .into());
            }
        }
        Ok(Sealed::by_this_run())
    }

    /// What the tables hold, while nobody can write to them: their locks are held to the seal's end.
    async fn contents(&self, session: &Session) -> anyhow::Result<Contents> {
        let Sealing { build, connections, stop, .. } = *self;
        let tables = contents::standing(session).await?;
        let locked: Vec<String> = tables
            .iter()
            .filter(|standing| standing.can_lock)
            .map(|standing| format!("public.{}", standing.table))
            .collect();
        if !locked.is_empty() {
            let lock = format!("lock table {} in share mode", locked.join(", "));
            session.batch_execute(&lock).await.map_err(db("keep writers out of the build"))?;
        }
        let snapshot = "select pg_current_snapshot()::text";
        let snapshot = session.query_one(snapshot, &[]).await.map_err(db("take a snapshot"))?;
        let counted = rows::count(build, &tables, &Ask::Nothing, connections, stop).await?;
        let mut unread = Vec::new();
        for Standing { table, .. } in &tables {
            if !self.is_known(table.as_str()) {
                unread.push(DigestRequest::from(digests::plain(session, table).await?));
            }
        }
        let found = digests::read(build, &unread, connections, stop).await?;
        build.end_idle();
        let mut readings = self.readings.clone();
        for (asked, found) in unread.into_iter().zip(found) {
            let (rows, digest) = (found.stored.rows, found.stored.digest_hex());
            readings.push(DigestReading { rows, digest, ..asked.reading });
        }
        let table = |(table, counted): (Ident, Counted)| TableContents {
            reading: readings.iter().find(|known| known.table == table.as_str()).cloned(),
            table: table.as_str().to_owned(),
            rows: counted.rows,
            is_old: false,
        };
        Ok(Contents {
            kiln: contents::FORM,
            snapshot: snapshot.get(0),
            tables: counted.into_iter().map(table).collect(),
            rights: Vec::new(),
        })
    }

    /// Whether a table is read as its source, or one that has its numbers, is.
    fn is_known(&self, table: &str) -> bool {
        self.readings.iter().any(|reading| {
            reading.table == table || reading.sets.iter().any(|sets| sets.table == table)
        })
    }

    async fn write(
        &self,
        session: &Session,
        mut contents: Contents,
        tag: &Tag,
    ) -> anyhow::Result<()> {
        let Sealing { build, app, lock, manifest, ledger, .. } = self;
        let (name, owner) = (&build.name, &build.owner);
        // A build that an older kiln began has no place for whom it serves, and for what it holds.
        // A superuser is the only one left who could write, and would have to mean it.
        // Since Postgres 17 owners may lock tables and make them again by a right of its own.
        let version = "select current_setting('server_version_num')::integer >= 170000";
        let asked = session.query_one(version, &[]).await.map_err(db("ask the version"))?;
        let maintain = if asked.get(0) { ", maintain" } else { "" };
        let rights = format!(
            "alter table kiln.stamp add column if not exists serves_from integer,
                 add column if not exists contents jsonb;
             revoke all on schema public, kiln from public;
             revoke create on schema public from pg_database_owner;
             revoke create on schema kiln from {owner};
             grant usage on schema public, kiln to {app};
             grant select on all tables in schema public to {app};
             grant select on kiln.stamp, kiln.source, kiln.file to {app};
             grant connect on database {name} to {app};
             alter database {name} set default_transaction_read_only = on;
             revoke insert, update, delete, truncate, references, trigger{maintain}
                 on all tables in schema public, kiln from public, {owner}"
        );
        session.batch_execute(&rights).await.map_err(db("set the rights"))?;
        contents.rights = rights::read(session).await?;
        // For the one row that says so, and not a moment longer.
        let grant = format!("grant insert on kiln.stamp to {owner}");
        session.batch_execute(&grant).await.map_err(db("write the stamp"))?;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 12] = [
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
            &serde_json::to_value(&contents)?,
        ];
        session
            .execute(
                "insert into kiln.stamp (build, database, version, fingerprint, period, without,
                                         run, tool, manifest, ledger, serves_from,
                                         contents)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                &values,
            )
            .await
            .map_err(db("write the stamp"))?;
        let last = format!("revoke insert on kiln.stamp from {owner}; {}", tag.comment_sql(name));
        session.batch_execute(&last).await.map_err(db("close the build"))?;
        failpoint::hit(failpoint::SEAL)?;
        session.batch_execute("commit").await.map_err(db("commit the seal"))
    }
}

/// Refuses the seal for these reasons, where there are any.
fn refuse(tag: &Tag, problems: Vec<String>) -> anyhow::Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!("not sealed: {}", problems.join("; "));
    Err(Failure::new(Exit::ChecksFailed, message)
        .hint(format!(
            "look into the kept build {}, land the mended file, then kiln run {}",
            tag.build, tag.database
        ))
        .into())
}

/// Refuses the seal where somebody else was at the build: a worker or a run that had lost its lock and woke up
/// late has failed a task, or written the tasks again. Asked in the seal's own transaction, for whoever seals may
/// have lost its lock as well.
fn refuse_undone(tag: &Tag, undone: &[String]) -> anyhow::Result<()> {
    let Some(first) = undone.first() else { return Ok(()) };
    let build = &tag.build;
    let others = match undone.len() {
        1 => String::new(),
        count => format!(", nor are {} other tasks", count - 1),
    };
    let message =
        format!("not sealed: somebody else was at {build}: task {first} is not done{others}");
    Err(Failure::new(Exit::Locked, message).hint(format!("kiln resume {build}")).into())
}

/// Where tables hold other rows than were loaded into them.
fn disagreements(ledger: &Ledger, tables: &[TableContents]) -> Vec<String> {
    let loaded = stamped_rows(ledger).into_iter();
    let none = ledger.without().into_iter().map(|source| (source, 0));
    let of = |table: &str| tables.iter().find(|known| known.table == table);
    loaded
        .chain(none)
        .filter_map(|(table, expected)| match of(&table) {
            Some(found) if found.rows == expected => None,
            Some(found) => Some(format!(
                "table {table} has {} rows after all that `sql/` does to it, {expected} were loaded",
                found.rows
            )),
            None => Some(format!("table {table} was loaded and is not there")),
        })
        .collect()
}
