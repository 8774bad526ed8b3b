//! `kiln verify`: reads a sealed build to the last value and says which table is not what was sealed.

use super::{Context, Start};
use crate::build::verify::Verification;
use crate::build::verify::VerifiedBuild;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control::existing;
use crate::catalog::registry::{Build, builds, database_of, live};
use crate::command::cli;
use crate::error::{Exit, Failure};
use crate::report;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// `kiln verify [BUILD]`.
///
/// # Errors
/// [`Exit::SchemaRefused`] where a build is not what was sealed, or nothing is live; the server's.
pub(super) async fn run(start: Start, args: &cli::Verify) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = verify(&context, args).await;
    let verified = context.close_after(outcome).await?;
    let differing: Vec<String> = verified
        .iter()
        .filter(|said| !said.differs.is_empty())
        .map(|said| format!("{} is not what was sealed: {}", said.build, said.differs.join("; ")))
        .collect();
    match verified.iter().find(|said| !said.differs.is_empty()) {
        None => Ok(()),
        Some(VerifiedBuild { database, .. }) => {
            Err(Failure::new(Exit::SchemaRefused, differing.join("\n"))
                .hint(format!(
                    "kiln run {database} --full-refresh makes a new build; kiln status {database}"
                ))
                .into())
        }
    }
}

async fn verify(context: &Context, args: &cli::Verify) -> anyhow::Result<Vec<VerifiedBuild>> {
    let day = jiff::Timestamp::now().as_second().div_euclid(SECONDS_A_DAY).unsigned_abs();
    let verification = Verification {
        one_of: args.sample.one_of,
        day,
        connections: context.config.connections,
        watch: &context.progress.watch,
        stop: &context.stop,
    };
    let _shown = context.progress.follow();
    let mut all = Vec::new();
    for build in chosen(context, args.build.as_deref()).await? {
        let Some(tag) = &build.tag else { continue };
        let owner = &context.config.owner_role;
        let place = BuildDatabase::new(context.server(&tag.database), &build.name, owner)?;
        let verified = verification.read(&place, tag).await?;
        tracing::info!(
            build = verified.build,
            tables = verified.tables.len(),
            differs = verified.differs.len(),
            seconds = verified.seconds,
            "verified"
        );
        all.push(verified);
    }
    report::verified(&all, args.json.json, context.quiet)?;
    Ok(all)
}

/// The build of that name, or what is live of that database, or of every database.
async fn chosen(context: &Context, name: Option<&str>) -> anyhow::Result<Vec<Build>> {
    let databases = match name {
        None => context.databases(&[])?,
        Some(name) => vec![database_of(name).unwrap_or(name).to_owned()],
    };
    let mut found = Vec::new();
    for database in &databases {
        let Some(control) = existing(context.server(database)).await? else { continue };
        let all = builds(&control, database).await?;
        let wanted = match name {
            Some(name) if name != database => all.iter().find(|build| build.own_name() == name),
            _ => live(&all, database),
        };
        found.extend(wanted.cloned());
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let message = match name {
        Some(name) => format!("there is no build {name}, and no live database of that name"),
        None => "nothing is live".to_owned(),
    };
    Err(Failure::new(Exit::SchemaRefused, message)
        .hint("`kiln status` lists the builds; `kiln run` makes one")
        .into())
}
