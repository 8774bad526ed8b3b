//! One source by hand: its table is emptied and loaded anew in one transaction, so that a
//! reader of the unsealed build, and a crash, find the old rows or the new ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::queue::{Loading, Task};
use super::rejects::RejectWriter;
use super::settle::{Open, entry, write_entry};
use super::{dictionary, send, truncate};
use crate::error::{Exit, Failure};
use crate::ledger::{SourceEntry, SourceState};
use crate::manifest::Manifest;
use crate::pg::{Session, db};
use crate::progress::Meter;

impl Loading<'_> {
    /// Replaces a source's table, its entry, its rejects and the manifest at once.
    ///
    /// # Errors
    /// The source's own failure; the build is then as it was (rejects of this attempt aside).
    pub async fn replace(&self, task: Task, manifest: &Manifest) -> anyhow::Result<SourceEntry> {
        let name = task.binding.source.name.as_str().to_owned();
        let (task, found) = self.find(task).await;
        let found = found.map_err(|error| error.context(format!("source {name}")))?;
        let session = self.build.session(&name).await?;
        refuse_derived(&session, self.build.name.as_str()).await?;
        let attempt = next_attempt(&session, &name).await?;
        let meter = Arc::new(Meter::default());
        let mut open = Open::new(task, attempt);
        open.began = Some(Instant::now());
        open.note(&found);
        let total: u64 = found.members.iter().map(|member| member.size()).sum();
        meter.total.store(total, Ordering::Relaxed);
        let watch = self.progress.watch("load", vec![(name.clone(), Arc::clone(&meter))]);
        session
            .batch_execute(&format!("begin; {}", truncate(&open.binding.source)))
            .await
            .map_err(db(format!("empty table {name}")))?;
        let mut rejects = RejectWriter::new(self.build);
        for member in found.members {
            let part = open.part(member, &meter);
            match send(&session, &part, &mut rejects, self.stop).await {
                Ok(file) => open.files.push(file),
                Err(error) => {
                    let _ = rejects.flush().await;
                    return Err(error.context(format!("source {name}")));
                }
            }
        }
        drop(watch);
        let entry = prove(&session, &name, open).await?;
        commit(&session, &entry, attempt, manifest).await?;
        Ok(entry)
    }
}

/// Tables made from tables would keep what they made of the old rows: a build that has them is past
/// mending.
async fn refuse_derived(session: &Session, build: &str) -> anyhow::Result<()> {
    let sql = "select exists (select from kiln.step where step like 'Derive %')";
    let row = session.query_one(sql, &[]).await.map_err(db("read the steps"))?;
    if !row.get::<_, bool>(0) {
        return Ok(());
    }
    let message = format!("{build} already has tables made from tables, of the rows as they are");
    Err(Failure::new(Exit::Usage, message)
        .hint("land the mended file, then: kiln run DATABASE")
        .into())
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

async fn prove(session: &Session, name: &str, open: Open) -> anyhow::Result<SourceEntry> {
    let counted: i64 = session
        .query_one(&format!("select count(*) from \"{name}\""), &[])
        .await
        .map_err(db("count rows"))?
        .get(0);
    let dictionaries = dictionary::write(session, &open).await?;
    let mut entry = entry(name, open, counted.unsigned_abs());
    entry.dictionaries = dictionaries;
    match (&entry.state, &entry.error) {
        (SourceState::Failed, Some(error)) => {
            Err(Failure::new(Exit::InputRejected, error.clone()).into())
        }
        _ => Ok(entry),
    }
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
    session
        .execute("update kiln.manifest set document = $1", &[&serde_json::to_value(manifest)?])
        .await
        .map_err(db("amend the manifest"))?;
    session.batch_execute("commit").await.map_err(db("commit the source"))
}
