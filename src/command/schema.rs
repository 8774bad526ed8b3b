//! `kiln schema check` and `kiln schema lock`: every schema from zero on a throw-away cluster.

use tokio_util::sync::CancellationToken;

use super::Start;
use crate::bind::Binding;
use crate::cli;
use crate::error::{Exit, Failure};
use crate::local;
use crate::pg::{Server, Session, db};
use crate::report;
use crate::schema::catalog::{self, Fingerprint};
use crate::schema::{Checked, Kind, Schema, SchemaLock};
use crate::source::Sources;
use crate::strict::Problems;

/// `kiln schema check [DATABASE…]`.
///
/// # Errors
/// [`Exit::Usage`] with everything that is wrong, in all databases.
pub async fn check(start: &Start, args: &cli::SchemaCheck) -> anyhow::Result<()> {
    let databases = super::databases(&start.config, &args.databases)?;
    let problems = Problems::default();
    let built = build_all(start, &databases, &problems).await?;
    let mut checked = Vec::new();
    for (schema, sources, fingerprint) in &built {
        hold_against_lock(schema, fingerprint, &problems);
        checked.push(Checked {
            database: schema.database.as_str().to_owned(),
            version: schema.lock.as_ref().map(|lock| lock.version),
            fingerprint: fingerprint.digest.clone(),
            tables: schema.files.len(),
            sources: sources.stems.len(),
        });
    }
    problems.into_result("sql/README.md says how to change a schema; then kiln schema lock")?;
    report::schemas(&checked, args.json.json, start.quiet)
}

/// `kiln schema lock [DATABASE…]`.
///
/// # Errors
/// [`Exit::Usage`] when a schema cannot be built; nothing is then written.
pub async fn lock(start: &Start, args: &cli::SchemaLock) -> anyhow::Result<()> {
    let databases = super::databases(&start.config, &args.databases)?;
    let problems = Problems::default();
    let built = build_all(start, &databases, &problems).await?;
    problems.into_result("mend these, then kiln schema lock")?;
    for (schema, _, fingerprint) in built {
        let before = schema.lock.as_ref();
        let unchanged = before.is_some_and(|lock| lock.fingerprint == fingerprint.digest);
        let version = match before {
            Some(lock) if unchanged => lock.version,
            Some(lock) => lock.version + 1,
            None => 1,
        };
        let difference = before.map(|lock| lock.difference(&fingerprint.lines)).unwrap_or_default();
        let lock =
            SchemaLock { version, fingerprint: fingerprint.digest, catalog: fingerprint.lines };
        if !unchanged && !args.dry_run.dry_run {
            std::fs::write(&schema.lock_path, lock.render()).map_err(|error| {
                let path = schema.lock_path.display();
                Failure::new(Exit::Usage, format!("cannot write {path}")).because(error)
            })?;
        }
        let database = schema.database.as_str();
        report::locked(database, version, unchanged, &difference, args.dry_run.dry_run);
    }
    Ok(())
}

/// Builds each database from zero, empty; what is wrong goes to `problems`.
async fn build_all(
    start: &Start,
    databases: &[String],
    problems: &Problems,
) -> anyhow::Result<Vec<(Schema, Sources, Fingerprint)>> {
    let scratch = tempfile::tempdir().map_err(|error| {
        Failure::new(Exit::Usage, "cannot make a folder for a throw-away cluster").because(error)
    })?;
    let lease = local::open_postgres(scratch.path(), start.config.postgres_bin.as_deref()).await?;
    let built = async {
        let server = Server::new(&lease.url(), None, "schema check")?;
        let mut built = Vec::new();
        for database in databases {
            built.extend(build_one(start, &server, database, problems).await?);
        }
        anyhow::Ok(built)
    };
    let built = built.await;
    local::close_postgres(lease).await?;
    built
}

async fn build_one(
    start: &Start,
    server: &Server,
    database: &str,
    problems: &Problems,
) -> anyhow::Result<Option<(Schema, Sources, Fingerprint)>> {
    let root = &start.config.root;
    let own = Problems::default();
    let schema = Schema::read(root, database, &own)?;
    let sources = Sources::read(root, database, problems)?;
    if own.count() > 0 {
        problems.take(own);
        return Ok(None);
    }
    let maintenance = server.connect("postgres").await?;
    let create = format!("create database {} template template0 locale 'C'", schema.database);
    maintenance.batch_execute(&create).await.map_err(db("create a scratch database"))?;
    let session = server.connect(database).await?;
    let mut applied = schema.apply(&session, &Kind::PreData, &start.stop).await;
    if applied.is_ok() {
        hold_against_catalog(&schema, &sources, &session, problems).await?;
        applied = apply_rest(&schema, &session, &start.stop).await;
    }
    if let Err(error) = applied {
        problems.add(std::path::Path::new("sql").join(database).as_path(), 0, format!("{error:#}"));
        return Ok(None);
    }
    let fingerprint = catalog::fingerprint(&session).await?;
    Ok(Some((schema, sources, fingerprint)))
}

async fn apply_rest(
    schema: &Schema,
    session: &Session,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    for kind in [Kind::PostData, Kind::Derive, Kind::Check] {
        schema.apply(session, &kind, stop).await?;
    }
    Ok(())
}

/// Specs and comments against the live catalog.
async fn hold_against_catalog(
    schema: &Schema,
    sources: &Sources,
    session: &Session,
    problems: &Problems,
) -> anyhow::Result<()> {
    let tables = catalog::tables(session).await?;
    for source in &sources.all {
        let columns = catalog::columns(session, &source.name).await?;
        Binding::new(source, &columns, problems);
    }
    for file in &schema.files {
        let is_derived = file.of_kind(&Kind::Derive).next().is_some();
        if !tables.contains(&file.table) && !is_derived {
            let message = format!("makes no table {}, which its name promises", file.table);
            problems.add(&file.path, 0, message);
        } else if !is_derived && !sources.stems.contains(&file.table) {
            let database = schema.database.as_str();
            let message =
                format!("table {0} has no source sources/{database}/{0}.toml", file.table);
            problems.add(&file.path, 0, message);
        }
    }
    for name in catalog::uncommented(session).await? {
        let table = name.split('.').next().unwrap_or_default();
        let place = schema.files.iter().find(|file| file.table == table);
        let path = place.map_or(&schema.lock_path, |file| &file.path);
        problems.add(path, 0, format!("{name} has no comment"));
    }
    Ok(())
}

fn hold_against_lock(schema: &Schema, fingerprint: &Fingerprint, problems: &Problems) {
    let folder = std::path::Path::new("sql").join(schema.database.as_str());
    let path = folder.join("schema.lock");
    let Some(lock) = &schema.lock else {
        problems.add(&path, 0, "is missing: no version is locked");
        return;
    };
    if lock.fingerprint != fingerprint.digest {
        let difference = lock.difference(&fingerprint.lines).join("\n      ");
        let message =
            format!("the schema changed and version {} did not:\n      {difference}", lock.version);
        problems.add(&path, 0, message);
    }
}
