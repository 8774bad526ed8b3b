//! What follows the tables: checks and the seal.

use std::collections::BTreeMap;
use std::time::Instant;

use super::build_run::BuildRun;
use crate::build::index;
use crate::build::seal::{self, Sealing};
use crate::build::tasks;
use crate::build::worker::Worker;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::ident;
use crate::catalog::stamp::Sealed;
use crate::config::failpoint;
use crate::error::stopped;
use crate::load::copy::rejects::forget_stale as forget_stale_rejects;
use crate::plan::task::{Task, TaskKind, TaskStatus};

impl BuildRun<'_> {
    /// Checks and the seal, once all other tasks are done.
    pub(super) async fn finish(&mut self, manifest: &Manifest) -> anyhow::Result<Sealed> {
        self.hold_loaded_sections(manifest).await?;
        let build = &self.build;
        // Loads by hand that failed left their rejects for a look.
        let session = build.session("rejects").await?;
        forget_stale_rejects(&session).await?;
        build.give_back(session);
        self.work("keys and indexes", |task| task.kind != TaskKind::Check).await?;
        failpoint::hit(failpoint::POST_DATA)?;
        failpoint::hit(failpoint::FREEZE)?;
        let (build, stop) = (&self.build, &self.context.stop);
        let since = Instant::now();
        let progress = &self.context.progress;
        self.ledger.made = {
            let _shown = progress.stage("derived tables");
            index::account(build, &self.specs.schema, manifest, stop).await?
        };
        self.check().await?;
        let (build, stop) = (&self.build, &self.context.stop);
        build.end_idle();
        failpoint::hit(failpoint::CHECK)?;
        self.ledger.stage("check", since);

        if stop.is_cancelled() {
            return Err(stopped());
        }
        let since = Instant::now();
        let _shown = progress.stage("seal");
        let schema = &self.specs.schema;
        self.ledger.used = self.used(manifest).await?;
        self.ledger.warnings.extend(progress.clock.take_warnings());
        let app = ident(&self.context.config.app_role)?;
        let lock = schema.locked()?;
        let mut readings = self.readings.clone();
        readings.extend(seal::readings(build, &self.specs.sources.all, &self.ledger).await?);
        // Only from here on: what fails before is no sealed build.
        self.ledger.sealed = true;
        let until = self.tag.until.take();
        let (ledger, connections) = (&self.ledger, self.context.config.connections);
        let sealing =
            Sealing { build, app: &app, lock, manifest, ledger, readings, connections, stop };
        let sealed = sealing.seal(&mut self.tag).await;
        self.ledger.sealed = sealed.is_ok();
        if sealed.is_err() {
            self.tag.until = until;
        }
        let sealed = sealed.map_err(|error| self.not_sealed(error))?;
        self.ledger.stage("seal", since);
        failpoint::hit(failpoint::SEALED)?;
        Ok(sealed)
    }

    /// Does what is left of these tasks.
    async fn work(&self, title: &str, is_wanted: fn(&Task) -> bool) -> anyhow::Result<()> {
        let session = self.build.session("tasks").await?;
        tasks::analyze_the_rest(&session).await?;
        self.build.give_back(session);
        let workplace = self.workplace()?;
        let _shown = self.context.progress.follow();
        Worker::new(&workplace, &self.context.who.run, Vec::new()).run(title, is_wanted).await
    }

    /// Does the checks, and takes their results into the ledger.
    async fn check(&mut self) -> anyhow::Result<()> {
        self.work("checks", |_| true).await?;
        let session = self.build.session("checks").await?;
        let found = tasks::results(&session, TaskKind::Check).await?;
        self.keyed = keyed(&tasks::list(&session).await?);
        self.build.give_back(session);
        let found = found.into_iter().map(|(_, result)| Ok(serde_json::from_value(result)?));
        self.ledger.checks = found.collect::<anyhow::Result<_>>()?;
        Ok(())
    }
}

/// Seconds that each table's index, derive and analyze tasks took.
fn keyed(tasks: &[TaskStatus]) -> BTreeMap<String, f64> {
    let mut keyed = BTreeMap::new();
    let kinds = [TaskKind::Index, TaskKind::Derive, TaskKind::Analyze];
    for status in tasks.iter().filter(|status| kinds.contains(&status.task.kind)) {
        *keyed.entry(status.task.subject.clone()).or_default() += status.took;
    }
    keyed
}
