//! `kiln contract`: what apps accept. The gate refuses where no app has said anything.

use super::{Context, Start};
use crate::catalog::registry::contract::{self, Contract};
use crate::catalog::registry::control;
use crate::catalog::registry::{builds, live};
use crate::catalog::stamp;
use crate::command::cli;
use crate::config::known_database;
use crate::config::strict::suggest;
use crate::error::{Exit, Failure, shell};
use crate::postgres::Session;
use crate::report;

/// `kiln contract set DATABASE --app NAME --accepts MIN..MAX`.
///
/// # Errors
/// [`Exit::Usage`] where no night could ever go live again, or the day is over; when the server
/// cannot be asked.
pub(super) async fn set(start: Start, args: &cli::ContractSet) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let contract = Contract {
        database: args.database.clone(),
        app: args.app.clone(),
        accepts_min: args.accepts.min.cast_signed(),
        accepts_max: args.accepts.max.cast_signed(),
        until: args.until.map(|day| day.to_string()),
    };
    let context = Context::open(start, false).await?;
    let database = &args.database;
    let outcome = async {
        if args.dry_run.dry_run {
            return match control::existing(context.server(database)).await? {
                Some(session) => refuse_nothing(&session, &contract).await.map(|()| None),
                None => Ok(None),
            };
        }
        let session = control::open(context.server(database)).await?;
        refuse_nothing(&session, &contract).await?;
        contract::set_contract(&session, &context.who, &contract, &args.why.why).await?;
        // For a note only: what is live may serve readers of older versions, and its stamp says so.
        let stamp = match context.server(database).connect(&contract.database).await {
            Ok(live) => stamp::version(&live).await.unwrap_or_default(),
            Err(_) => None,
        };
        Ok(stamp.filter(|stamp| !contract.meets(stamp.serves_from, stamp.version)))
    };
    let (outcome, quiet) = (outcome.await, context.quiet);
    let unmet = context.close_after(outcome).await?;
    if !quiet {
        report::contract_set(&contract, unmet.as_ref(), args.dry_run.dry_run);
    }
    Ok(())
}

/// An app that accepts no version there is keeps every night from going live.
async fn refuse_nothing(session: &Session, contract: &Contract) -> anyhow::Result<()> {
    let Contract { database, app, accepts_max, until, .. } = contract;
    if let Some(day) = until {
        let sql = "select $1::text::date < current_date";
        let row =
            session.query_one(sql, &[day]).await.map_err(crate::postgres::db("ask for the day"))?;
        if row.get(0) {
            let message = format!("--until {day} is over already: the contract would not count");
            return Err(Failure::new(Exit::Usage, message)
                .hint(format!("kiln contract remove {database} --app {}", shell::word(app)))
                .into());
        }
    }
    let all = builds(session, database).await?;
    let tag = live(&all, database).and_then(|build| build.tag.as_ref());
    let Some(tag) = tag.filter(|_| *accepts_max == 0) else { return Ok(()) };
    let message = format!(
        "--accepts 0: versions begin at 1, and {} is live with version {}: no build could go live \
         again",
        tag.build, tag.version
    );
    Err(Failure::new(Exit::Usage, message)
        .hint(format!(
            "to ask {app} no more: kiln contract remove {database} --app {}",
            shell::word(app)
        ))
        .into())
}

/// `kiln contract remove DATABASE --app NAME`.
///
/// # Errors
/// [`Exit::Usage`] where the app has said nothing; when the server cannot be asked.
pub(super) async fn remove(start: Start, args: &cli::ContractRemove) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let context = Context::open(start, false).await?;
    let outcome = taken_back(&context, args).await;
    let quiet = context.quiet;
    let is_last = context.close_after(outcome).await?;
    if !quiet {
        report::contract_removed(&args.database, &args.app, is_last, args.dry_run.dry_run);
    }
    Ok(())
}

/// Whether no app has said anything then.
async fn taken_back(context: &Context, args: &cli::ContractRemove) -> anyhow::Result<bool> {
    let cli::ContractRemove { database, app, why, dry_run } = args;
    let session = match dry_run.dry_run {
        true => control::existing(context.server(database)).await?,
        false => Some(control::open(context.server(database)).await?),
    };
    let said = match &session {
        Some(session) => contract::contracts(session, Some(database)).await?,
        None => Vec::new(),
    };
    let is_there = said.iter().any(|contract| contract.app == *app);
    let removed = match &session {
        Some(session) if !dry_run.dry_run => {
            contract::remove_contract(session, &context.who, database, app, &why.why).await?
        }
        _ => is_there,
    };
    if removed {
        return Ok(said.iter().all(|contract| contract.app == *app));
    }
    let mean = suggest(app, said.iter().map(|contract| contract.app.as_str()));
    let message = format!("no app {app:?} has said what of {database} it accepts{mean}");
    Err(Failure::new(Exit::Usage, message).hint("kiln contract list").into())
}

/// `kiln contract list`.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn list(start: Start, json: cli::Json) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = async {
        let mut all = Vec::new();
        for server in context.servers.each() {
            if let Some(session) = control::existing(server).await? {
                all.extend(contract::contracts(&session, None).await?);
            }
        }
        Ok(all)
    };
    let outcome = outcome.await;
    let contracts = context.close_after(outcome).await?;
    report::contracts(&contracts, json.json)
}
