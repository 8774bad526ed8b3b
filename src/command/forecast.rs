//! A night's forecast: gathered before the load, held against what is free, and at the seal
//! written beside what was really used.

use super::Context;
use super::build_run::BuildRun;
use crate::build::tasks;
use crate::catalog::ledger::used::{Used, measure, wal_end};
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::{BuildState, control};
use crate::error::{Exit, exit_of};
use crate::plan::forecast::capacity::{CapacityCheck, DiskTooSmall, Site};
use crate::plan::forecast::{self, FROM_FILES, Past};
use crate::plan::task::TaskState;
use crate::postgres::db;

/// Seconds that the nights of these databases are expected to take; those that nothing is known
/// of take none.
pub(super) async fn seconds_of(context: &Context, databases: &[String]) -> anyhow::Result<f64> {
    let mut seconds = 0.0;
    for database in databases {
        let Some(control) = control::existing(context.server(database)).await? else { continue };
        seconds += Past::read(&control, database).await?.seconds().unwrap_or(0.0);
    }
    Ok(seconds)
}

impl BuildRun<'_> {
    /// Forecasts the night, and refuses one that there is no room for. A build with nothing in it
    /// is then not worth keeping.
    ///
    /// # Errors
    /// [`DiskTooSmall`], or when the server cannot be asked.
    pub(super) async fn estimate(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        let outcome = self.look_ahead(manifest).await;
        if outcome.is_err() {
            self.worth_keeping = self.has_something().await;
        }
        outcome
    }

    async fn look_ahead(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        // A trial is one source, and dropped.
        if self.tag.state == BuildState::Scratch {
            return Ok(());
        }
        // Not as the owner: this role may know where the server's files are.
        let session = self.build.server.connect_as(self.build.name.as_str(), "forecast").await?;
        self.wal_before = wal_end(&session).await?;
        let present: i64 = session
            .query_one("select pg_database_size(current_database())", &[])
            .await
            .map_err(db("measure the build"))?
            .get(0);
        let site = Site {
            session: &session,
            is_here: self.context.server(self.lock.database()).elsewhere().is_none(),
            disk_free: self.context.config.disk_free,
            scratch: &self.context.config.folder("scratch")?,
            side_by_side: self.context.config.connections,
        };
        let past = Past::read(&self.lock, &self.tag.database).await?;
        let source_sizes = forecast::source_sizes(&self.specs.sources.all, manifest);
        let left = tasks::list(&session).await?.into_iter();
        let left = left.filter(|status| status.state != TaskState::Done).map(|status| status.task);
        let capacity =
            CapacityCheck::new(&site, &self.tag.database, source_sizes, past, left.collect())
                .await?;
        let capacity = capacity.present(present.cast_unsigned());
        let workers = self.context.config.connections;
        self.context.progress.clock.set_expected(capacity.expected(&[], &FROM_FILES), workers);
        let held = capacity.before_fetch();
        self.capacity = Some(capacity);
        self.note_forecast();
        held
    }

    /// Writes the forecast, as it stands, into the ledger.
    fn note_forecast(&mut self) {
        let Some(capacity) = &self.capacity else { return };
        self.ledger.forecast = Some(capacity.forecast());
        capacity.renew_warnings(&mut self.ledger.warnings);
    }

    /// Notes the forecast that the load rested on. A night that was refused because the disk is too small keeps
    /// what was loaded before, if anything was.
    ///
    /// # Errors
    /// When `outcome` is an error.
    pub(super) async fn had_room<T>(&mut self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        self.note_forecast();
        // Refused before a row was loaded: because the disk is too small, or by a gate.
        let before = |error: &anyhow::Error| {
            error.is::<DiskTooSmall>() || exit_of(error) == Exit::ChecksFailed
        };
        if outcome.as_ref().is_err_and(before) {
            self.worth_keeping = self.has_something().await;
        }
        outcome
    }

    /// What the night has used so far; `None` where nothing was forecast.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(super) async fn used(&self, manifest: &Manifest) -> anyhow::Result<Option<Used>> {
        let Some(capacity) = &self.capacity else { return Ok(None) };
        let measured = measure(&self.build.session("sizes").await?, self.wal_before).await?;
        let loaded = manifest.sources.iter();
        Ok(Some(Used {
            text: self.ledger.sources.iter().map(|entry| entry.sum(|file| file.bytes)).sum(),
            scratch: capacity.scratch_used(),
            seconds: self.context.progress.clock.elapsed(),
            keyed: self.keyed.clone(),
            objects: loaded.map(|(name, input)| (name.clone(), input.size())).collect(),
            ..measured
        }))
    }
}
