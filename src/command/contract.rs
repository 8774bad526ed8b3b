//! `kiln contract`: what apps accept. The gate refuses where no app has said anything.

use super::{Context, Start};
use crate::cli;
use crate::config::known_database;
use crate::registry::control::{self, Contract};
use crate::report;

/// `kiln contract set DATABASE --app NAME --accepts MIN..MAX`.
///
/// # Errors
/// When the server cannot be asked.
pub async fn set(start: Start, args: &cli::ContractSet) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let contract = Contract {
        database: args.database.clone(),
        app: args.app.clone(),
        accepts_min: args.accepts.min.cast_signed(),
        accepts_max: args.accepts.max.cast_signed(),
    };
    let context = Context::open(start, false).await?;
    let outcome = async {
        if !args.dry_run.dry_run {
            let mut session = control::open(&context.server).await?;
            control::set_contract(&mut session, &context.who, &contract, &args.why.why).await?;
        }
        Ok(())
    };
    let (outcome, quiet) = (outcome.await, context.quiet);
    context.close_after(outcome).await?;
    if !quiet {
        report::contract_set(&contract, args.dry_run.dry_run);
    }
    Ok(())
}

/// `kiln contract list`.
///
/// # Errors
/// When the server cannot be asked.
pub async fn list(start: Start, json: cli::Json) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = async {
        let session = control::open(&context.server).await?;
        control::contracts(&session, None).await
    };
    let outcome = outcome.await;
    let contracts = context.close_after(outcome).await?;
    report::contracts(&contracts, json.json)
}
