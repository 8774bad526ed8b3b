//! `kiln demo`: the main job from nothing. Private servers are started and left up, a Part D
//! release in CMS's shape is generated and landed over HTTP, and then the night runs on it, by
//! the same code as in production.

use std::time::Instant;

use super::{Context, Start, land, run};
use crate::cli;
use crate::ledger::StageEntry;
use crate::local;
use crate::registry::control;
use crate::report;
use crate::schema::Schema;
use crate::strict::Problems;
use crate::synth::Release;

const DATABASE: &str = "druginfo";

/// `kiln demo`.
///
/// # Errors
/// What keeps the demo from going live.
pub async fn run(start: Start, args: &cli::Demo) -> anyhow::Result<()> {
    let began = Instant::now();
    let Start { mut config, who, quiet, stop } = start;
    // A demo never touches configured servers.
    config.postgres_url = None;
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
        report::demo(DATABASE, &root, &stages, began.elapsed());
    }
    Ok(())
}

async fn demo(
    context: &Context,
    args: &cli::Demo,
    stages: &mut Vec<StageEntry>,
) -> anyhow::Result<()> {
    let since = Instant::now();
    let shown = context.progress.stage("generating a Part D release");
    let folder = tempfile::tempdir_in(context.config.folder("scratch")?)?;
    let release = release(args);
    let path = folder.path().join(release.file_name());
    let write = {
        let path = path.clone();
        move || {
            let file = std::io::BufWriter::new(std::fs::File::create(&path)?);
            release.write(file)
        }
    };
    tokio::task::spawn_blocking(write).await??;
    drop(shown);
    stages.push(stage("release generated", since));

    let since = Instant::now();
    let landed = land::land(context, DATABASE, &path.to_string_lossy(), false).await?;
    stages.push(stage("landed over HTTP", since));
    if !context.quiet {
        report::landed(&[landed], false, false)?;
    }
    register_app(context, DATABASE).await?;
    let night = cli::Run {
        databases: vec![DATABASE.to_owned()],
        without: cli::Without { without: Vec::new() },
        dry_run: cli::DryRun { dry_run: false },
        json: cli::Json { json: false },
    };
    let since = Instant::now();
    run::nights(context, &night).await?;
    stages.push(stage("the night", since));
    Ok(())
}

/// The demo's release; a larger network needs more pharmacies for its plans.
fn release(args: &cli::Demo) -> Release {
    let mut release = Release::demo(args.seed);
    release.network_rows = args.network_rows;
    let plans = u64::from(release.plans.max(1));
    let needed = args.network_rows.div_ceil(plans).saturating_mul(2);
    release.pharmacies = release.pharmacies.max(u32::try_from(needed).unwrap_or(u32::MAX));
    release
}

fn stage(name: &str, since: Instant) -> StageEntry {
    StageEntry { stage: name.to_owned(), seconds: since.elapsed().as_secs_f64() }
}

/// Says that an app named `demo` accepts the schema as it is locked.
async fn register_app(context: &Context, database: &str) -> anyhow::Result<()> {
    let mut session = control::open(&context.server).await?;
    let problems = Problems::default();
    let schema = Schema::read(&context.config.root, database, &problems)?;
    problems.into_result("kiln schema check")?;
    let version = schema.locked()?.version.cast_signed();
    let contract = control::Contract {
        database: database.to_owned(),
        app: "demo".to_owned(),
        accepts_min: version,
        accepts_max: version,
    };
    control::set_contract(&mut session, &context.who, &contract, "kiln demo").await
}
