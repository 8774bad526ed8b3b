//! What follows the rows: what is made from tables, checks and the seal.

use std::time::Instant;

use super::build::Baking;
use crate::build::check;
use crate::build::index;
use crate::build::seal::{self, Sealing};
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::ident;
use crate::catalog::stamp::Sealed;
use crate::config::failpoint;
use crate::error::stopped;
use crate::load::copy::rejects::forget_stale as forget_stale_rejects;
use crate::plan::forecast::night::INDEX;

impl Baking<'_> {
    /// Post-data, derive, freeze, check, seal.
    pub(super) async fn finish(&mut self, manifest: &Manifest) -> anyhow::Result<Sealed> {
        self.hold_loaded_sections(manifest).await?;
        let (build, stop) = (&self.build, &self.context.stop);
        // Loads by hand that failed left their rejects for a look.
        let session = build.session("rejects").await?;
        forget_stale_rejects(&session).await?;
        build.give_back(session);
        let (schema, connections) = (&self.specs.schema, self.context.config.connections);
        let since = Instant::now();
        let progress = &self.context.progress;
        let shown = progress.begin(INDEX, "keys and indexes");
        let sources = &self.specs.sources.all;
        index::post_data(build, schema, sources, connections, stop).await?;
        failpoint::hit(failpoint::POST_DATA)?;
        self.ledger.stage("post-data", since);
        drop(shown);

        let since = Instant::now();
        let shown = progress.begin("derive", "derived tables");
        index::derive(build, schema, stop).await?;
        self.ledger.stage("derive", since);
        drop(shown);

        let since = Instant::now();
        let shown = progress.begin("freeze", "freezing and analysing");
        index::freeze(build, connections, stop).await?;
        failpoint::hit(failpoint::FREEZE)?;
        self.ledger.stage("freeze", since);
        drop(shown);

        let since = Instant::now();
        let shown = progress.begin("check", "checks");
        self.ledger.made = index::account(build, schema, manifest, stop).await?;
        self.ledger.checks = check::run(build, schema, sources, connections, stop).await?;
        build.end_idle();
        failpoint::hit(failpoint::CHECK)?;
        self.ledger.stage("check", since);
        drop(shown);

        if stop.is_cancelled() {
            return Err(stopped());
        }
        let since = Instant::now();
        let _shown = progress.begin("seal", "seal");
        self.ledger.used = self.used(manifest).await?;
        self.ledger.warnings.extend(progress.clock.take_warnings());
        self.ledger.sealed = true;
        let app = ident(&self.context.config.app_role)?;
        let lock = schema.locked()?;
        let mut readings = self.readings.clone();
        readings.extend(seal::readings(build, &self.specs.sources.all, &self.ledger).await?);
        let (ledger, connections) = (&self.ledger, self.context.config.connections);
        let sealing =
            Sealing { build, app: &app, lock, manifest, ledger, readings, connections, stop };
        let sealed = sealing.seal(&mut self.tag).await;
        self.ledger.sealed = sealed.is_ok();
        let sealed = sealed.map_err(|error| self.not_sealed(error))?;
        self.ledger.stage("seal", since);
        failpoint::hit(failpoint::SEALED)?;
        Ok(sealed)
    }
}
