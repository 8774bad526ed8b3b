//! `kiln swap` and `kiln rollback`: the same step through the same gate, forwards and backwards.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::ending::end_early;
use super::{Context, Start};
use crate::catalog::ledger::{GateEntry, Promotion};
use crate::catalog::lock::RunLock;
use crate::catalog::registry::control::{Contract, RunEnd, contracts, end_run, existing};
use crate::catalog::registry::waiver::{self, Gate, Waiver, covers};
use crate::catalog::registry::{Build, builds};
use crate::command::cli;
use crate::config::known_database;
use crate::config::strict::Problems;
use crate::error::{Exit, Failure, exit_of, shell};
use crate::plan::manifest;
use crate::release::swap::{Swap, candidate, gate, previous, rejected};
use crate::report;
use crate::spec::schema::Schema;
use crate::spec::source::Sources;

/// `kiln swap DATABASE [BUILD]`.
///
/// # Errors
/// When there is nothing to swap, the gate refuses, or the deadline passes.
pub async fn run(start: Start, args: &cli::Swap) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let order = Order {
        action: "swap",
        database: &args.database,
        build: args.build.as_deref(),
        on: args.on.as_deref(),
        why: &args.why.why,
        dry_run: args.dry_run.dry_run,
        json: args.json.json,
        has_chosen: AtomicBool::new(false),
    };
    order.carry_out(start).await
}

/// `kiln rollback DATABASE`.
///
/// # Errors
/// When there is nothing to go back to, the gate refuses, or the deadline passes.
pub async fn rollback(start: Start, args: &cli::Rollback) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let order = Order {
        action: "rollback",
        database: &args.database,
        build: None,
        on: None,
        why: &args.why.why,
        dry_run: args.dry_run.dry_run,
        json: args.json.json,
        has_chosen: AtomicBool::new(false),
    };
    order.carry_out(start).await
}

struct Order<'a> {
    action: &'a str,
    database: &'a str,
    build: Option<&'a str>,
    on: Option<&'a str>,
    why: &'a str,
    dry_run: bool,
    json: bool,
    /// Whether there is a build to swap to.
    has_chosen: AtomicBool,
}

impl Order<'_> {
    async fn carry_out(&self, start: Start) -> anyhow::Result<()> {
        let context = Context::open(start, false).await?;
        if self.is_live(&context).await? {
            report::is_live_already(self.database, self.build.unwrap_or_default(), self.json);
            return context.close().await;
        }
        let outcome = self.locked(&context).await;
        let (promotion, gates) = context.close_after(outcome).await?;
        report::promotion(self.database, Some(&promotion), &gates, self.dry_run, self.json);
        Ok(())
    }

    /// Whether the build that was named is live: whoever asks once more, for the answer was lost, is told so.
    async fn is_live(&self, context: &Context) -> anyhow::Result<bool> {
        let (Some(name), Some(control)) = (self.build, existing(&context.server).await?) else {
            return Ok(false);
        };
        let all = builds(&control, self.database).await?;
        let live = crate::catalog::registry::live(&all, self.database);
        Ok(live.is_some_and(|live| live.own_name() == name))
    }

    async fn locked(&self, context: &Context) -> anyhow::Result<(Promotion, Vec<GateEntry>)> {
        let (who, database) = (&context.who, self.database);
        if self.dry_run {
            let mut lock = RunLock::for_dry_run(&context.server, who, database).await?;
            return self.promote(context, &mut lock).await;
        }
        let mut lock = RunLock::acquire(&context.server, who, self.action, database).await?;
        let promoted = self.promote(context, &mut lock).await;
        if lock.is_closed() {
            lock.renew(&context.server).await;
        }
        match promoted {
            Ok((promotion, gates)) => {
                let end = RunEnd { build: Some(&promotion.to), ..RunEnd::default() };
                end_run(&lock, who, database, &end).await?;
                Ok((promotion, gates))
            }
            Err(error) => {
                // What a gate refuses, and what is not there, is so the next time as well.
                let passes = [Exit::Database, Exit::SwapNotPossible, Exit::Terminated]
                    .contains(&exit_of(&error));
                let again = (passes && self.has_chosen.load(Relaxed)).then(|| self.again());
                Err(end_early(&lock, error, again.as_deref()).await)
            }
        }
    }

    /// The command that gives it once more.
    fn again(&self) -> String {
        let build = self.build.map_or(String::new(), |build| format!(" {build}"));
        let why = match self.action {
            "rollback" => format!(" --why {}", shell::word(self.why)),
            _ => String::new(),
        };
        format!("kiln {} {}{build}{why}", self.action, self.database)
    }

    async fn promote(
        &self,
        context: &Context,
        lock: &mut RunLock,
    ) -> anyhow::Result<(Promotion, Vec<GateEntry>)> {
        let problems = Problems::default();
        let root = &context.config.root;
        let schema = Schema::read(root, self.database, &problems)?;
        let sources = Sources::read(root, self.database, &problems)?;
        problems.into_result("kiln schema check")?;
        let all = builds(lock, self.database).await?;
        let waivers = waiver::standing(lock, self.database).await?;
        let chosen = self.choose(&all, &waivers)?;
        self.has_chosen.store(true, Relaxed);
        if chosen.is_subset() {
            let name = chosen.own_name();
            let doing = format!("the subset {name} would take the place of what is live");
            let command = format!("kiln swap {} {name}", self.database);
            context.server.must_be_here_or(self.on, &doing, &command)?;
        }
        let said = contracts(lock, Some(self.database)).await?;
        let mut swap = Swap {
            lock,
            server: &context.server,
            owner: &context.config.owner_role,
            schema_lock: schema.lock.as_ref(),
            connections: context.config.connections,
            deadline: context.config.swap_deadline,
            stop: &context.stop,
            action: self.action,
            why: self.why,
            again: self.again(),
            named: self.build.is_some(),
            specs: &sources.all,
            judged: Vec::new(),
        };
        let promoted = match self.dry_run {
            true => self.preview(&mut swap, chosen, &all, &said, &waivers).await,
            false => swap.promote(chosen, None).await,
        };
        let judged = swap.judged;
        if promoted.is_err() && !judged.is_empty() && self.json {
            report::promotion(self.database, None, &judged, self.dry_run, true);
        }
        Ok((promoted?, judged))
    }

    /// What a swap would do, held against the gates.
    async fn preview(
        &self,
        swap: &mut Swap<'_>,
        chosen: &Build,
        all: &[Build],
        said: &[Contract],
        waivers: &[Waiver],
    ) -> anyhow::Result<Promotion> {
        let facts = swap.facts(chosen, all, false).await?;
        gate::decide(&facts, said, waivers)?;
        let not_compared = swap.hold_against_live(chosen, all).await?;
        let live = crate::catalog::registry::live(all, self.database);
        Ok(Promotion {
            from: live.and_then(|build| build.tag.as_ref()).map(|tag| tag.build.clone()),
            to: facts.tag.build,
            milliseconds: 0,
            sessions_ended: 0,
            rejected: facts.change.rejects,
            notes: facts.touched.notes.into_iter().chain(not_compared).collect(),
        })
    }

    fn choose<'b>(&self, all: &'b [Build], waivers: &[Waiver]) -> anyhow::Result<&'b Build> {
        let database = self.database;
        let refuse = |message: String, hint: String| {
            Err(Failure::new(Exit::SwapNotPossible, message).hint(hint).into())
        };
        if self.action == "rollback" {
            return previous(all, database).map_or_else(
                || {
                    let message = format!("{database} has no previous build to go back to");
                    refuse(message, format!("kiln status {database}"))
                },
                Ok,
            );
        }
        let Some(name) = self.build else {
            return self.newest(all, waivers);
        };
        match all.iter().find(|build| build.own_name() == name) {
            Some(build) => Ok(build),
            None => {
                refuse(format!("{database} has no build {name}"), format!("kiln status {database}"))
            }
        }
    }
    /// What is meant where no build is named: the newest that is sealed and was not rolled away from,
    /// or of which a waiver says that this does not count.
    fn newest<'b>(&self, all: &'b [Build], waivers: &[Waiver]) -> anyhow::Result<&'b Build> {
        let database = self.database;
        let rejected = rejected(all, database);
        let is_waived = |build: &&&Build| {
            covers(waivers, Gate::Rejected, None, Some(build.own_name())).is_some()
        };
        let waived = rejected.iter().find(is_waived).copied();
        let found = candidate(all, database).into_iter().chain(waived);
        if let Some(newest) = found.max_by_key(|build| build.number()) {
            return Ok(newest);
        }
        let message = format!("{database} has no sealed build newer than the live one");
        let Some((build, word)) = rejected.first().and_then(|b| Some((b, b.rejected()?))) else {
            let hint = format!("kiln build {database}");
            return Err(Failure::new(Exit::SwapNotPossible, message).hint(hint).into());
        };
        let message =
            format!("{message} but {}, which was rolled away from ({word})", build.own_name());
        let hint = format!(
            "if it was right after all: {} && kiln swap {database}",
            manifest::rejected::hint(database)
        );
        Err(Failure::new(Exit::SchemaRefused, message).hint(hint).into())
    }
}
