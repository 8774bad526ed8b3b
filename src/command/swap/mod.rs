//! `kiln swap` and `kiln rollback`: the same step through the same gate, forwards and backwards; of several
//! databases together or not at all.

mod choose;

use std::cell::Cell;

use super::ending::end_early_of;
use super::{Context, Start};
use crate::catalog::ledger::{GateEntry, Promotion};
use crate::catalog::lock::RunLock;
use crate::catalog::registry::control::{RunEnd, end_run, existing};
use crate::catalog::registry::joint;
use crate::catalog::registry::{Build, builds, live, waiver};
use crate::command::cli;
use crate::config::strict::Problems;
use crate::config::{Config, known_database};
use crate::error::{Exit, Failure, exit_of, shell};
use crate::release::several::{self, Group};
use crate::release::swap::SwapPart;
use crate::report;
use crate::spec::schema::Schema;
use crate::spec::source::Sources;

/// `kiln swap DATABASE [BUILD]…`.
///
/// # Errors
/// When there is nothing to swap, the gate refuses, or the deadline passes.
pub(super) async fn run(start: Start, args: &cli::Swap) -> anyhow::Result<()> {
    let order = SwapOrder {
        action: "swap",
        targets: targets(&start.config, &args.names)?,
        on: args.on.as_deref(),
        why: &args.why.why,
        dry_run: args.dry_run.dry_run,
        json: args.json.json,
        has_chosen: Cell::new(false),
    };
    order.carry_out(start).await
}

/// `kiln rollback DATABASE`.
///
/// # Errors
/// When there is nothing to go back to, the gate refuses, or the deadline passes.
pub(super) async fn rollback(start: Start, args: &cli::Rollback) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let order = SwapOrder {
        action: "rollback",
        targets: vec![SwapTarget { database: args.database.clone(), build: None }],
        on: None,
        why: &args.why.why,
        dry_run: args.dry_run.dry_run,
        json: args.json.json,
        has_chosen: Cell::new(false),
    };
    order.carry_out(start).await
}

/// A database, and the build that was named for it.
struct SwapTarget {
    database: String,
    build: Option<String>,
}

/// The words of the command line: each database, and after it the build that is meant, if one is. In the
/// order of their names, so that two that ask for the same ask in the same order.
fn targets(config: &Config, names: &[String]) -> anyhow::Result<Vec<SwapTarget>> {
    let mut targets: Vec<SwapTarget> = Vec::new();
    for name in names {
        match targets.last_mut() {
            Some(last) if last.build.is_none() && known_database(config, name).is_err() => {
                last.build = Some(name.clone());
            }
            _ => {
                known_database(config, name)?;
                targets.push(SwapTarget { database: name.clone(), build: None });
            }
        }
    }
    targets.sort_by(|a, b| a.database.cmp(&b.database));
    if let Some(pair) = targets.windows(2).find(|pair| pair[0].database == pair[1].database) {
        let message = format!("{} is named twice", pair[0].database);
        return Err(Failure::new(Exit::Usage, message).into());
    }
    Ok(targets)
}

struct SwapOrder<'a> {
    action: &'a str,
    targets: Vec<SwapTarget>,
    on: Option<&'a str>,
    why: &'a str,
    dry_run: bool,
    json: bool,
    /// Whether there are builds to swap to.
    has_chosen: Cell<bool>,
}

/// What is read of a database before its swap.
struct SwapInputs {
    schema: Schema,
    sources: Sources,
    builds: Vec<Build>,
    /// Which of them goes live.
    chosen: usize,
}

/// What came of one database's swap.
type Swapped = (String, Option<Promotion>, Vec<GateEntry>);

impl SwapOrder<'_> {
    async fn carry_out(&self, start: Start) -> anyhow::Result<()> {
        let context = Context::open(start, false).await?;
        if self.is_live(&context).await? {
            let live = self
                .targets
                .iter()
                .filter_map(|target| Some((target.database.as_str(), target.build.as_deref()?)));
            report::are_live_already(&live.collect::<Vec<_>>(), self.json);
            return context.close().await;
        }
        let outcome = self.locked(&context).await;
        let swapped = context.close_after(outcome).await?;
        report::promotions(&swapped, self.dry_run, self.json);
        Ok(())
    }

    /// Whether all builds were named and are live: whoever asks once more, because the answer was lost, gets it so.
    async fn is_live(&self, context: &Context) -> anyhow::Result<bool> {
        for SwapTarget { database, build } in &self.targets {
            let Some(name) = build else { return Ok(false) };
            let Some(control) = existing(context.server(database)).await? else {
                return Ok(false);
            };
            let all = builds(&control, database).await?;
            let is_left_begun = joint::unended(&control, database).await?.is_some();
            let is_other = live(&all, database).is_none_or(|live| live.own_name() != name);
            if is_left_begun || is_other {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn locked(&self, context: &Context) -> anyhow::Result<Vec<Swapped>> {
        let mut locks = Vec::new();
        let promoted = match self.take_locks(context, &mut locks).await {
            Ok(()) => self.promote(context, &mut locks).await,
            Err(error) => Err(error),
        };
        if self.dry_run {
            return promoted;
        }
        for lock in locks.iter_mut().filter(|lock| lock.is_closed()) {
            lock.renew(context.server(lock.database())).await;
        }
        match promoted {
            Ok(swapped) => {
                for (database, promotion, _) in &swapped {
                    let Some(lock) = locks.iter().find(|lock| lock.holds(database)) else {
                        continue;
                    };
                    let build = promotion.as_ref().map(|promotion| promotion.to.as_str());
                    let end = RunEnd { build, ..RunEnd::default() };
                    end_run(lock, &context.who, database, &end).await?;
                }
                Ok(swapped)
            }
            Err(error) => Err(self.ended(&locks, error).await),
        }
    }

    async fn take_locks(&self, context: &Context, locks: &mut Vec<RunLock>) -> anyhow::Result<()> {
        if !self.dry_run {
            for SwapTarget { database, build } in &self.targets {
                let Some(ended) = context.settle_left(database).await? else { continue };
                // Whoever goes back has looked at what was live a moment ago.
                if self.action == "rollback" || (build.is_none() && self.targets.len() == 1) {
                    let message = format!("{ended}; nothing else was done");
                    let hint =
                        format!("kiln status {database}; if it is still meant: {}", self.again());
                    return Err(Failure::new(Exit::SwapNotPossible, message).hint(hint).into());
                }
            }
        }
        for SwapTarget { database, .. } in &self.targets {
            let lock = match self.dry_run {
                true => {
                    RunLock::for_dry_run(context.server(database), &context.who, database).await?
                }
                false => context.lock(self.action, database).await?,
            };
            context.add(locks, lock).await?;
        }
        Ok(())
    }

    /// Notes how it failed, for every database.
    async fn ended(&self, locks: &[RunLock], error: anyhow::Error) -> anyhow::Error {
        // What a gate refuses, and what is not there, is so the next time as well.
        let passes = [Exit::Database, Exit::SwapNotPossible, Exit::Terminated];
        let passes = passes.contains(&exit_of(&error)) && self.has_chosen.get();
        let again = passes.then(|| self.again());
        let mut error = error;
        for SwapTarget { database, .. } in &self.targets {
            if let Some(lock) = locks.iter().find(|lock| lock.holds(database)) {
                error = end_early_of(lock, database, error, again.as_deref()).await;
            }
        }
        error
    }

    /// The command that gives it once more.
    fn again(&self) -> String {
        let mut words = vec![String::from("kiln"), self.action.to_owned()];
        for SwapTarget { database, build } in &self.targets {
            words.push(database.clone());
            words.extend(build.clone());
        }
        if self.action == "rollback" {
            words.extend([String::from("--why"), shell::word(self.why).into_owned()]);
        }
        words.join(" ")
    }

    async fn promote(
        &self,
        context: &Context,
        locks: &mut [RunLock],
    ) -> anyhow::Result<Vec<Swapped>> {
        let mut ready = Vec::new();
        for target in &self.targets {
            let lock = locks.iter().find(|lock| lock.holds(&target.database));
            let lock = lock.ok_or_else(|| anyhow::anyhow!("a lock is missing"))?;
            ready.push(self.ready(context, lock, target).await?);
        }
        self.has_chosen.set(true);
        let mut groups = self.groups(context, locks, &ready);
        let promoted = match (self.dry_run, groups.as_mut_slice()) {
            (true, groups) => preview(groups).await,
            (false, [one]) => one.swap.promote(&mut one.parts).await,
            (false, several) => several::swap(several).await,
        };
        let mut judged: Vec<(String, Vec<GateEntry>)> = Vec::new();
        for part in groups.into_iter().flat_map(|group| group.parts) {
            judged.push((part.database.to_owned(), part.judged));
        }
        match promoted {
            Ok(promotions) => Ok(judged
                .into_iter()
                .zip(promotions)
                .map(|((database, gates), promotion)| (database, Some(promotion), gates))
                .collect()),
            Err(error) => {
                if self.json && judged.iter().any(|(_, gates)| !gates.is_empty()) {
                    let refused =
                        judged.into_iter().map(|(database, gates)| (database, None, gates));
                    report::promotions(&refused.collect::<Vec<_>>(), self.dry_run, true);
                }
                Err(error)
            }
        }
    }

    /// Reads what the gate needs of one database, and chooses its build.
    async fn ready(
        &self,
        context: &Context,
        lock: &RunLock,
        target: &SwapTarget,
    ) -> anyhow::Result<SwapInputs> {
        let SwapTarget { database, build } = target;
        let problems = Problems::default();
        let root = &context.config.root;
        let schema = Schema::read(root, database, &problems)?;
        let sources = Sources::read(root, database, &problems)?;
        problems.into_result("kiln schema check")?;
        let all = builds(lock, database).await?;
        let waivers = waiver::standing(lock, database).await?;
        let chosen = match (self.action, build) {
            ("rollback", _) => choose::previous_of(database, &all)?,
            (_, Some(name)) => choose::named(database, &all, name)?,
            (_, None) => choose::newest(database, &all, &waivers)?,
        };
        if chosen.is_subset() {
            let name = chosen.own_name();
            let doing = format!("the subset {name} would take the place of what is live");
            let command = format!("kiln swap {database} {name}");
            context.server(database).must_be_here_or(self.on, &doing, &command)?;
        }
        let chosen = all.iter().position(|build| build.oid == chosen.oid).unwrap_or_default();
        Ok(SwapInputs { schema, sources, builds: all, chosen })
    }

    /// What is swapped on each server.
    fn groups<'b>(
        &'b self,
        context: &'b Context,
        locks: &'b mut [RunLock],
        ready: &'b [SwapInputs],
    ) -> Vec<Group<'b>> {
        let part = |(target, ready): (&'b SwapTarget, &'b SwapInputs)| SwapPart {
            database: &target.database,
            candidate: &ready.builds[ready.chosen],
            builds: &ready.builds,
            schema_lock: ready.schema.lock.as_ref(),
            specs: &ready.sources.all,
            named: target.build.is_some(),
            sealed: None,
            judged: Vec::new(),
        };
        let group = |lock: &'b mut RunLock| {
            let own = self.targets.iter().zip(ready);
            let own = own.filter(|(target, _)| lock.holds(&target.database));
            let parts = own.map(part).collect();
            Group { swap: context.swap(lock, self.action, self.why, self.again()), parts }
        };
        locks.iter_mut().map(group).collect()
    }
}

/// What a swap would do, held against the gates.
async fn preview(groups: &mut [Group<'_>]) -> anyhow::Result<Vec<Promotion>> {
    let mut promotions = Vec::new();
    for group in groups {
        promotions.extend(group.swap.preview(&mut group.parts).await?);
    }
    Ok(promotions)
}
