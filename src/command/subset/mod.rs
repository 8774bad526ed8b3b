//! `kiln subset`: a part of a live build as a build of its own, and as a file. It is made like any
//! build: a new database, pre-data, rows by COPY out of the live one, post-data, derive, freeze,
//! check, seal. The live build is only read.

mod file;
mod ready;
mod tables;

use std::time::Instant;

use tracing::Instrument as _;

use super::build_run::BuildRun;
use super::ending::{SealedBuild, unless_stopped};
use super::opening::LockedRun;
use super::{Context, Start};
use crate::catalog::manifest::{Manifest, Percent, SubsetRequest};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control;
use crate::catalog::stamp::Sealed;
use crate::command::cli;
use crate::config::failpoint;
use crate::config::known_database;
use crate::config::strict::Problems;
use crate::error::{Exit, Failure, failure, shell};
use crate::export::file::SubsetFile;
use crate::export::subset::{self, KeptTable};
use crate::postgres::db;
use crate::report::{self, SubsetTable};
use crate::spec::schema::Schema;
pub(super) use ready::sets_of;
use ready::{PreparedSubset, prepare, reader};
use tables::Copied;
pub(super) use tables::{agree, entry};

/// `kiln subset DATABASE`.
///
/// # Errors
/// When the subset cannot be sealed, or its file cannot be written.
pub(super) async fn run(start: Start, args: &cli::Subset) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let conditions = subset::conditions(&args.rules).map_err(|said| failure(Exit::Usage, said))?;
    let asked = SubsetRequest { percent: args.percent.unwrap_or(Percent::HUNDRED), conditions };
    if let Some(path) = &args.to {
        file::may_write(path)?;
    }
    let context = Context::open(start, false).await?;
    let outcome = async {
        match args.dry_run.dry_run {
            true => dry(&context, args, asked).await,
            false => make(&context, args, asked).await,
        }
    };
    let outcome = outcome.await;
    context.close_after(outcome).await
}

async fn dry(context: &Context, args: &cli::Subset, asked: SubsetRequest) -> anyhow::Result<()> {
    let Some(control) = control::existing(context.server(&args.database)).await? else {
        let message =
            format!("{} is not live: nothing was ever built on this server", args.database);
        let hint = format!("kiln run {}", args.database);
        return Err(Failure::new(Exit::InputUnavailable, message).hint(hint).into());
    };
    let problems = Problems::default();
    let schema = Schema::read(&context.config.root, &args.database, &problems)?;
    problems.into_result("kiln schema check")?;
    let ready = prepare(context, &control, args, asked, &schema).await?;
    let session = reader(&ready.source).await?;
    let mut tables = Vec::new();
    for table in &ready.chosen.tables {
        let sql = format!("select count(*) from ({}) as kept", table.query());
        let rows: i64 = session.query_one(&sql, &[]).await.map_err(db("count rows"))?.get(0);
        tables.push(shown(table, rows.unsigned_abs(), &ready));
    }
    report::subset_plan(&args.database, &ready.words, &tables, args.json.json);
    Ok(())
}

async fn make(context: &Context, args: &cli::Subset, asked: SubsetRequest) -> anyhow::Result<()> {
    let locked = LockedRun::lock(context, "subset", &args.database, &[]).await?;
    let mut build_run = locked.begin().await?;
    build_run.asked = Some(command(args, args.to.as_deref()));
    let span = tracing::info_span!("build", build = build_run.tag.build);
    let (mut ready, mut all) = (None, Vec::new());
    let work = async {
        let found = prepare(context, &build_run.lock, args, asked, &build_run.specs.schema).await?;
        let found = ready.insert(found);
        run_build(&mut build_run, found).await
    };
    let outcome = unless_stopped(&context.stop, work.instrument(span)).await;
    let outcome = match outcome {
        Ok((sealed, copied)) => {
            all = copied;
            build_run.audit_seal().await.map(|()| sealed)
        }
        Err(error) => Err(error),
    };
    let sealed_build = build_run.sealed_or_failed(outcome).await?;
    let ready = ready.ok_or_else(|| anyhow::anyhow!("a subset was sealed without its rules"))?;
    let written = match &args.to {
        Some(path) => file::write(context, &sealed_build, &ready, &all, path).await.map(Some),
        None => Ok(None),
    };
    match written {
        Ok(file) => {
            report_made(context, args, &sealed_build, &ready, &all, file.as_ref());
            sealed_build.end(None).await
        }
        Err(error) => sealed_build.end(Some(error)).await,
    }
}

/// The command line that asks for it, with or without a file.
pub(super) fn command(args: &cli::Subset, to: Option<&std::path::Path>) -> String {
    let mut text = format!("kiln subset {}", args.database);
    if let Some(percent) = args.percent {
        text.push_str(&format!(" --percent {percent}"));
    }
    for rule in &args.rules {
        text.push_str(&format!(" --rule {}", shell::word(rule)));
    }
    if let Some(build) = &args.from {
        text.push_str(&format!(" --from {}", shell::word(build)));
    }
    if let Some(path) = to {
        text.push_str(&format!(" --to {}", shell::path(path)));
    }
    text
}

/// The pipeline, with the live build in the place of files.
async fn run_build(
    build_run: &mut BuildRun<'_>,
    ready: &PreparedSubset,
) -> anyhow::Result<(Sealed, Vec<Copied>)> {
    build_run.tag.subset = Some(ready.words.clone());
    build_run.without.clone_from(&ready.manifest.without);
    let since = Instant::now();
    let session = build_run.make_tables().await?;
    build_run.build.give_back(session);
    failpoint::hit(failpoint::PRE_DATA)?;
    build_run.ledger.stage("pre-data", since);
    note_manifest(&build_run.build, &ready.manifest).await?;
    failpoint::hit(failpoint::MANIFEST)?;
    let since = Instant::now();
    let copied = tables::copy(build_run, ready).await?;
    build_run.ledger.stage("copy", since);
    for table in &ready.chosen.undeclared {
        let said = format!("subset.toml has no rule for {table}: it is kept whole");
        build_run.ledger.warnings.push(said);
    }
    build_run.write_tasks().await?;
    let sealed = build_run.finish(&ready.manifest).await?;
    Ok((sealed, copied))
}

/// Writes the manifest to the build.
pub(super) async fn note_manifest(
    build: &BuildDatabase,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let session = build.session("manifest").await?;
    let document = serde_json::to_value(manifest)?;
    session
        .execute("insert into kiln.manifest (document) values ($1)", &[&document])
        .await
        .map_err(db("write the manifest"))?;
    Ok(())
}

fn report_made(
    context: &Context,
    args: &cli::Subset,
    sealed_build: &SealedBuild,
    ready: &PreparedSubset,
    all: &[Copied],
    file: Option<&SubsetFile>,
) {
    let rows = |table: &KeptTable| {
        let copied = all.iter().find(|copied| copied.table == table.name);
        copied.map_or(0, |copied| copied.stored.rows)
    };
    let shown = |table: &KeptTable| shown(table, rows(table), ready);
    let tables: Vec<SubsetTable> = ready.chosen.tables.iter().map(shown).collect();
    report::subset(
        &sealed_build.ledger,
        &ready.words,
        &tables,
        file,
        args.json.json,
        context.quiet,
    );
}

/// A table as it is reported.
fn shown(table: &KeptTable, rows: u64, ready: &PreparedSubset) -> SubsetTable {
    SubsetTable {
        table: table.name.clone(),
        rule: table.words.clone(),
        rows,
        of: ready.stamp.rows_of(&table.name),
    }
}
