//! Rows out of the live build into the subset, table by table.

use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::super::build::Baking;
use super::ready::{Ready, reader};
use crate::copy::between::{self, Stored};
use crate::copy::{note_without, write_entry};
use crate::error::{Exit, exit_of, failure};
use crate::failpoint;
use crate::ledger::{FileEntry, SourceEntry, SourceState};
use crate::pg::db;
use crate::progress::Meter;
use crate::registry::build::BuildDatabase;
use crate::subset::KeptTable;

/// All tables side by side, the largest first.
pub async fn copy(baking: &mut Baking<'_>, ready: &Ready) -> anyhow::Result<()> {
    let context = baking.context;
    let ledger = &mut baking.ledger;
    ledger.expected = ready.manifest.sources.keys().cloned().collect();
    ledger.expected.extend(ready.manifest.without.iter().cloned());
    let session = baking.build.session("without").await?;
    for name in &ready.manifest.without {
        ledger.sources.push(note_without(&session, name).await?);
    }
    drop(session);
    let rows_in_all = |table: &KeptTable| ready.stamp.rows_of(&table.name).unwrap_or(0);
    let left_out = |table: &&KeptTable| !ready.manifest.without.contains(&table.name);
    let mut tables: Vec<&KeptTable> = ready.chosen.tables.iter().filter(left_out).collect();
    tables.sort_by_key(|table| std::cmp::Reverse(rows_in_all(table)));
    let meters: Vec<(String, Arc<Meter>)> =
        tables.iter().map(|table| (table.name.clone(), Arc::default())).collect();
    let watch = context.progress.watch("subset", meters.clone());
    let abort = context.stop.child_token();
    let build = &baking.build;
    let outcomes: Vec<anyhow::Result<SourceEntry>> = stream::iter(tables.iter().zip(&meters))
        .map(async |(table, (_, meter))| {
            let span = tracing::info_span!("subset", table = table.name);
            let copied = copy_one(build, ready, table, meter, &abort).instrument(span).await;
            if copied.is_err() {
                abort.cancel();
            }
            copied
        })
        .buffer_unordered(context.config.connections)
        .collect()
        .await;
    drop(watch);
    let mut errors = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(entry) => ledger.sources.push(entry),
            Err(error) => errors.push(error),
        }
    }
    // One table's error stops the others; theirs only say that they were stopped.
    errors.sort_by_key(|error| exit_of(error) == Exit::Terminated);
    ledger.sources.sort_by(|a, b| a.source.cmp(&b.source));
    errors.into_iter().next().map_or(Ok(()), Err)
}

/// One table: copied, read back, and noted when both agree.
async fn copy_one(
    build: &BuildDatabase,
    ready: &Ready,
    table: &KeptTable,
    meter: &Meter,
    stop: &CancellationToken,
) -> anyhow::Result<SourceEntry> {
    let since = Instant::now();
    let name = &table.name;
    let (from, into) = (reader(&ready.source).await?, build.session(name).await?);
    into.batch_execute("begin").await.map_err(db("begin"))?;
    let place = format!("\"{name}\" ({})", table.column_list());
    let sent = between::rows(&from, &table.query(), &into, &place, meter, stop)
        .await
        .map_err(|error| error.context(format!("table {name}")))?;
    into.batch_execute("commit").await.map_err(db("commit rows"))?;
    let stored = between::read(&into, &table.all(), stop).await?;
    if stored != sent {
        let message = format!(
            "table {name}: sent {} rows with digest {}, it holds {} with digest {}",
            sent.rows,
            sent.digest_hex(),
            stored.rows,
            stored.digest_hex()
        );
        return Err(failure(Exit::ChecksFailed, message));
    }
    let (period, posted) = ready.time_of(name);
    let mut entry = entry(name, &ready.stamp.build, stored, (period, posted));
    entry.seconds = since.elapsed().as_secs_f64();
    write_entry(&into, &entry, None).await?;
    failpoint::hit(failpoint::SOURCE)?;
    Ok(entry)
}

/// The account of a table whose rows came out of another build, or out of its file.
pub fn entry(
    table: &str,
    origin: &str,
    stored: Stored,
    (period, posted): (Option<String>, Option<String>),
) -> SourceEntry {
    let mut entry = SourceEntry::empty(table, SourceState::Loaded);
    entry.period = period;
    entry.posted = posted;
    entry.counted = stored.rows;
    entry.digest = stored.digest_hex();
    entry.files.push(FileEntry {
        object: origin.to_owned(),
        version: stored.digest_hex(),
        member: table.to_owned(),
        bytes: stored.bytes,
        sha256: String::new(),
        evidence: "read back from the table, row by row".to_owned(),
        lines: stored.rows,
        header: 0,
        loaded: stored.rows,
        rejected: 0,
        filtered: 0,
        copied: stored.rows,
        digest: stored.digest_hex(),
    });
    entry
}

