//! What commands ask of the gates on data: before rows are loaded, at the swap, and of a sealed build
//! that waits.

use super::Context;
use super::build_run::BuildRun;
use crate::catalog::ledger::GateEntry;
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::builds;
use crate::catalog::registry::waiver;
use crate::catalog::stamp;
use crate::catalog::stamp::Account;
use crate::postgres::Session;
use crate::release::gates::{self, Live};
use crate::release::swap::candidate;
use crate::report;
use crate::spec::Specs;
use crate::spec::source::Source;

/// What a new build is held against.
///
/// # Errors
/// When a server cannot be asked.
async fn measure(
    context: &Context,
    control: &Session,
    database: &str,
    specs: &[Source],
) -> anyhow::Result<Option<Account>> {
    let all = builds(control, database).await?;
    gates::measure(context.server(database), &context.config.owner_role, &all, database, specs)
        .await
}

/// What the gates say of the sealed build that `kiln swap` would take, for whoever asks how things
/// stand. What cannot be read says nothing here: the swap will.
pub(super) async fn of_waiting(
    context: &Context,
    control: &Session,
    database: &str,
    specs: &[Source],
) -> Vec<GateEntry> {
    let judged = async {
        let all = builds(control, database).await?;
        let Some(waiting) = candidate(&all, database) else { return anyhow::Ok(Vec::new()) };
        let owner = &context.config.owner_role;
        let live = gates::measure(context.server(database), owner, &all, database, specs).await?;
        let new = stamp::account_of(context.server(database), waiting, owner).await?;
        let (Some(live), Some(new)) = (live, new) else { return Ok(Vec::new()) };
        let waivers = waiver::standing(control, database).await?;
        Ok(gates::judge(&live, &new, specs, &waivers))
    };
    match judged.await {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "the gates on data were not asked");
            Vec::new()
        }
    }
}

/// What gates would say of a run.
#[derive(Default)]
pub(super) struct Stands {
    /// What of the manifest's names goes back.
    pub refused: Vec<GateEntry>,
    /// What is said of the sealed build that waits.
    pub waiting: Vec<GateEntry>,
}

impl Stands {
    pub(super) fn print(&self, database: &str) {
        let run = format!("kiln run {database}");
        report::gates(database, "what has landed would be refused", &self.refused, &run);
        let swap = format!("kiln swap {database}");
        report::gates(database, "the sealed build that waits", &self.waiting, &swap);
    }
}

/// Gathers that; nothing is read but names and accounts.
///
/// # Errors
/// When a server cannot be asked.
pub(super) async fn stands(
    context: &Context,
    control: &Session,
    specs: &Specs,
    manifest: &Manifest,
) -> anyhow::Result<Stands> {
    let (database, specs) = (manifest.database.as_str(), specs.sources.all.as_slice());
    let waivers = waiver::standing(control, database).await?;
    let mut refused = match measure(context, control, database, specs).await? {
        Some(live) => gates::by_names(&live.manifest, manifest, specs),
        None => Vec::new(),
    };
    gates::waive(&mut refused, &waivers, None);
    let waiting = of_waiting(context, control, database, specs).await;
    Ok(Stands { refused, waiting })
}

impl BuildRun<'_> {
    /// Refuses inputs whose names go back in time, and remembers what is live for those whose
    /// members do.
    pub(super) async fn hold_older(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        let database = self.tag.database.clone();
        let specs = &self.specs.sources.all;
        let account = measure(self.context, &self.lock, &database, specs).await?;
        let Some(account) = account else { return Ok(()) };
        let waivers = waiver::standing(&self.lock, &database).await?;
        let again = self.once_more();
        let live = Live { account, waivers, build: self.tag.build.clone(), again };
        gates::hold_names(&live, manifest, specs)?;
        self.live = Some(live);
        Ok(())
    }
}
