//! A source's rows: from its files, or copied from a kept build that has them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::workplace::Workplace;
use crate::catalog::ledger::SourceEntry;
use crate::catalog::manifest::Input;
use crate::error::{Exit, exit_of, message_of};
use crate::fetch::archive::FoundMembers;
use crate::fetch::object::Object;
use crate::load::bind::Binding;
use crate::load::copy::rejects::{self, RejectWriter};
use crate::load::copy::settle::{Open, load_and_settle, settle_failed};
use crate::load::members;
use crate::load::meter::Meter;
use crate::plan::reuse::ReusableTable;
use crate::postgres::{Session, db};

/// What a source's rows come from.
pub(crate) struct RowsInput {
    /// The spec, bound to its table.
    pub binding: Arc<Binding>,
    /// What the manifest says it reads.
    pub input: Input,
    /// The objects, pinned.
    pub objects: Vec<Arc<Object>>,
    /// A build that has its table as it would be loaded.
    pub reusable: Option<ReusableTable>,
}

/// A source whose files have been looked for.
pub(crate) struct Prepared {
    /// What its rows come from.
    pub rows: RowsInput,
    /// Its members; nothing where it is copied.
    pub found: Option<anyhow::Result<FoundMembers>>,
    /// How far it is.
    pub meter: Arc<Meter>,
}

/// What became of a source.
pub(super) struct Settled {
    pub entry: SourceEntry,
    /// Why a kept build did not give it back, where it was to.
    pub not_copied: Option<String>,
}

impl Workplace<'_> {
    /// Permits for threads that read files, beyond the first of each source: with one connection,
    /// one file after another, in order.
    pub(super) fn cores(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(self.connections))
    }

    /// Finds a source's members; an error is its own.
    pub(super) async fn find(&self, rows: &RowsInput) -> anyhow::Result<FoundMembers> {
        let (binding, objects) = (Arc::clone(&rows.binding), rows.objects.clone());
        let scratch = self.scratch.clone();
        let span = tracing::info_span!("find", source = binding.source.name.as_str());
        let find = move || span.in_scope(|| members::find(&binding.source, &objects, &scratch));
        let found = tokio::task::spawn_blocking(find).await;
        found.unwrap_or_else(|panic| Err(anyhow::anyhow!("reading an archive: {panic}")))
    }

    /// Gets a source's rows, in a transaction of the session that is left open: its rows are committed with
    /// its task.
    ///
    /// # Errors
    /// When something concerns all sources, as a lost server or a stop; a source's own failure is in its entry.
    pub(super) async fn rows(
        &self,
        session: &Session,
        prepared: Prepared,
        cores: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Settled> {
        let Prepared { rows, mut found, meter } = prepared;
        let name = rows.binding.source.name.as_str().to_owned();
        let mut not_copied = None;
        if let Some(reusable) = &rows.reusable {
            let span = tracing::info_span!("reuse", source = name, from = reusable.build);
            let copied = self.copy(session, &rows, reusable, &meter, stop).instrument(span).await;
            let error = match copied {
                Ok(entry) => return Ok(Settled { entry, not_copied }),
                Err(error) if !matches!(exit_of(&error), Exit::ChecksFailed | Exit::Database) => {
                    return Err(error.context(format!("source {name}")));
                }
                Err(error) => error,
            };
            let said = format!(
                "{name} is loaded from its files, for {} does not give it back: {}",
                reusable.build,
                message_of(&error)
            );
            tracing::warn!(source = name, error = said, "not copied");
            not_copied = Some(said);
            session.batch_execute("rollback").await.map_err(db("forget the rows"))?;
            [&meter.bytes, &meter.rows, &meter.rows_total]
                .iter()
                .for_each(|counter| counter.store(0, Ordering::Relaxed));
            found = None;
        }
        let found = match found {
            Some(found) => found,
            None => self.find(&rows).await,
        };
        let entry = self.load(session, rows, found, &meter, cores, stop).await?;
        Ok(Settled { entry, not_copied })
    }

    async fn load(
        &self,
        session: &Session,
        rows: RowsInput,
        found: anyhow::Result<FoundMembers>,
        meter: &Arc<Meter>,
        cores: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> anyhow::Result<SourceEntry> {
        let name = rows.binding.source.name.as_str().to_owned();
        let attempt = begin_source(session, &name).await?;
        let open = Open::new(rows.binding, rows.input, attempt, found, meter);
        session.batch_execute("begin").await.map_err(db("begin"))?;
        if open.failed.is_some() {
            return settle_failed(session, open).await;
        }
        let span = tracing::info_span!("load", source = name);
        let mut rejects = RejectWriter::new(self.build);
        load_and_settle(session, open, cores, &mut rejects, stop).instrument(span).await
    }
}

/// Notes that a source's rows are on their way; gives the attempt's number.
pub(super) async fn begin_source(session: &Session, name: &str) -> anyhow::Result<i64> {
    let row = session
        .query_one(
            "insert into kiln.source as s (source, state, attempt, entry)
             values ($1, 'loading', 1, '{}')
             on conflict (source) do update set state = 'loading', attempt = s.attempt + 1
             returning attempt",
            &[&name],
        )
        .await
        .map_err(db("open a source"))?;
    let attempt: i64 = row.get(0);
    if attempt > 1 {
        rejects::forget_stale(session).await?;
    }
    Ok(attempt)
}
