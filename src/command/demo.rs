//! `kiln demo`: the main job from nothing. Private servers are started and left up, files in CMS's
//! shapes are generated for every database and landed over HTTP, and then the night runs on them,
//! by the same code as in production.

use std::time::Instant;

use super::{Context, Start, run, synth};
use crate::catalog::ledger::StageEntry;
use crate::catalog::registry::contract;
use crate::catalog::registry::waiver::{self, Gate, NewWaiver};
use crate::catalog::registry::{builds, control, live};
use crate::command::cli;
use crate::config::strict::Problems;
use crate::dev::failures::of_synth;
use crate::dev::local;
use crate::dev::synth::Plan;
use crate::report;
use crate::spec::schema::Schema;

/// `kiln demo`.
///
/// # Errors
/// When the demo cannot go live.
pub(super) async fn run(start: Start, args: &cli::Demo) -> anyhow::Result<()> {
    let began = Instant::now();
    let Start { mut config, who, quiet, stop } = start;
    // A demo never touches configured servers.
    config.postgres_url = None;
    config.postgres_urls.clear();
    config.s3 = None;
    let home = config.folder(".")?;
    local::up(&home, config.postgres_bin.as_deref()).await?;
    let mut stages = vec![stage("servers up", began)];
    let mut context = Context::open(Start { config, who, quiet, stop }, true).await?;
    context.summary = !quiet;
    let outcome = demo(&context, args, &mut stages).await;
    let root = context.config.root.clone();
    context.close_after(outcome).await?;
    if !quiet {
        report::demo(&root, &stages, began.elapsed());
    }
    Ok(())
}

async fn demo(
    context: &Context,
    args: &cli::Demo,
    stages: &mut Vec<StageEntry>,
) -> anyhow::Result<()> {
    let since = Instant::now();
    let plan = Plan { scale: args.scale, seed: args.seed, ..Plan::default() };
    plan.check().map_err(of_synth)?;
    let databases = synth::wanted(&context.config, &[])?;
    let made = synth::into_store(context, &databases, &plan).await?;
    stages.push(stage("generated and landed over HTTP", since));
    if !context.quiet {
        report::made(&made, 0, false)?;
    }
    for database in &databases {
        register_app(context, database).await?;
        expect_other_data(context, database, args).await?;
    }
    let night = cli::Run {
        databases: databases.iter().map(|name| (*name).to_owned()).collect(),
        without: cli::Without { without: Vec::new() },
        anew: cli::Anew { anew: false },
        deadline: None,
        dry_run: cli::DryRun { dry_run: false },
        json: cli::Json { json: false },
    };
    let since = Instant::now();
    run::nights(context, &night).await?;
    stages.push(stage("the night", since));
    Ok(())
}

fn stage(name: &str, since: Instant) -> StageEntry {
    StageEntry { stage: name.to_owned(), seconds: since.elapsed().as_secs_f64() }
}

/// A demo of another scale, or other seed, has other rows than what is live: that is meant, and stands in
/// the audit as any person's word does. The waivers end with the day, used or not.
async fn expect_other_data(
    context: &Context,
    database: &str,
    args: &cli::Demo,
) -> anyhow::Result<()> {
    let session = control::open(context.server("")).await?;
    if live(&builds(&session, database).await?, database).is_none() {
        return Ok(());
    }
    let why = format!("kiln demo --scale {} --seed {}: generated data", args.scale, args.seed);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    for gate in [Gate::Rows, Gate::Nulls, Gate::Older] {
        let (until, why) = (Some(today), why.as_str());
        let new = NewWaiver { database, gate, source: None, build: None, until, why };
        let id = waiver::grant(&session, &context.who, &new).await?;
        report::waiver(&new, Some(id), false, context.quiet);
    }
    Ok(())
}

/// Says that an app named `demo` accepts the schema as it is locked.
async fn register_app(context: &Context, database: &str) -> anyhow::Result<()> {
    let session = control::open(context.server("")).await?;
    let problems = Problems::default();
    let schema = Schema::read(&context.config.root, database, &problems)?;
    problems.into_result("kiln schema check")?;
    let version = schema.locked()?.version.cast_signed();
    let contract = contract::Contract {
        database: database.to_owned(),
        app: "demo".to_owned(),
        accepts_min: version,
        accepts_max: version,
        until: None,
    };
    contract::set_contract(&session, &context.who, &contract, "kiln demo").await
}
