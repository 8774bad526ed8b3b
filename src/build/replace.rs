//! One source by hand: its table is emptied and loaded again in one transaction, so that a
//! reader of the unsealed build, and a crash, find the old rows or the new ones.

use std::sync::Arc;

use super::rows::RowsInput;
use super::workplace::Workplace;
use crate::catalog::ledger::{SourceEntry, SourceState};
use crate::catalog::manifest::Manifest;
use crate::error::{Exit, Failure};
use crate::load::copy::rejects::RejectWriter;
use crate::load::copy::settle::{Open, write_entry};
use crate::load::meter::Meter;
use crate::postgres::{Session, db};
use crate::spec::schema::Schema;
use crate::spec::source::Source;

impl Workplace<'_> {
    /// Replaces a source's table, its entry, its rejects and the manifest at once.
    ///
    /// # Errors
    /// When the source cannot be loaded; the build is then as it was (rejects of this attempt aside).
    pub(crate) async fn replace(
        &self,
        rows: RowsInput,
        manifest: &Manifest,
    ) -> anyhow::Result<SourceEntry> {
        let name = rows.binding.source.name.as_str().to_owned();
        let found =
            self.find(&rows).await.map_err(|error| error.context(format!("source {name}")))?;
        let session = self.build.session(&name).await?;
        refuse_derived(&session, self.build.name.as_str(), &rows.binding.source, self.schema)
            .await?;
        let attempt = next_attempt(&session, &name).await?;
        let meter = Arc::new(Meter::default());
        let mut open = Open::new(rows.binding, rows.input, attempt, Ok(found), &meter);
        let watch = self.watch.begin("load", vec![(name.clone(), meter)]);
        session.batch_execute("begin").await.map_err(db("begin"))?;
        let mut rejects = RejectWriter::new(self.build);
        let loaded = open.load(&session, &self.cores(), &mut rejects, self.stop).await;
        loaded.map_err(|error| error.context(format!("source {name}")))?;
        drop(watch);
        let entry = open.prove(&session).await?;
        if let (SourceState::Failed, Some(error)) = (&entry.state, &entry.error) {
            let failure = Failure::new(Exit::InputRejected, error.clone());
            return Err(match entry.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
            .into());
        }
        commit(&session, &entry, attempt, manifest).await?;
        Ok(entry)
    }
}

/// Tables made from tables would keep what they made of the old rows: a build that has them is past
/// mending. One that was made early was made from some tables alone: the others can be mended.
async fn refuse_derived(
    session: &Session,
    build: &str,
    source: &Source,
    schema: &Schema,
) -> anyhow::Result<()> {
    let sql = "select subject from kiln.task where kind = 'derive' and state = 'done' order by id";
    let rows = session.query(sql, &[]).await.map_err(db("read the tasks"))?;
    for made in rows.iter().map(|row| row.get::<_, String>(0)) {
        let mut early = schema.early();
        let from = early.find(|(table, _)| *table == made).map(|(_, from)| from);
        let is_of_it = |from: &[String]| {
            source.tables().any(|table| from.iter().any(|name| name == table.as_str()))
        };
        if from.is_none_or(is_of_it) {
            let message = format!(
                "{build} already has {made}, made from the rows of {} as they are",
                source.name.as_str()
            );
            let hint = format!("land the mended file, then: kiln run {}", schema.database.as_str());
            return Err(Failure::new(Exit::Usage, message).hint(hint).into());
        }
    }
    Ok(())
}

async fn next_attempt(session: &Session, name: &str) -> anyhow::Result<i64> {
    let row = session
        .query_one(
            "select coalesce((select attempt from kiln.source where source = $1), 0) + 1",
            &[&name],
        )
        .await
        .map_err(db("read the source's state"))?;
    let attempt: i64 = row.get(0);
    session
        .execute("delete from kiln.reject where source = $1 and attempt >= $2", &[&name, &attempt])
        .await
        .map_err(db("forget an earlier attempt"))?;
    Ok(attempt)
}

async fn commit(
    session: &Session,
    entry: &SourceEntry,
    attempt: i64,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    write_entry(session, entry, Some(attempt)).await?;
    session
        .execute(
            "delete from kiln.reject where source = $1 and attempt <> $2",
            &[&entry.source, &attempt],
        )
        .await
        .map_err(db("forget the old rejects"))?;
    // Keys and indexes took the new rows in; the statistics are of the old ones.
    session
        .execute(
            "with rows as (
                 insert into kiln.task (name, kind, subject, needs, bytes, seconds, state, finished_at)
                 values ('rows:' || $1, 'load', $1, '{}', 0, 0, 'done', clock_timestamp())
                 on conflict (name) do update set kind = 'load', state = 'done', error = null,
                                                  finished_at = excluded.finished_at)
             update kiln.task set state = 'waiting'
             where name = 'analyze:' || $1 or kind = 'check'",
            &[&entry.source],
        )
        .await
        .map_err(db("note the task"))?;
    session
        .execute("update kiln.manifest set document = $1", &[&serde_json::to_value(manifest)?])
        .await
        .map_err(db("amend the manifest"))?;
    session.batch_execute("commit").await.map_err(db("commit the source"))
}
