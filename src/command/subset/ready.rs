//! What is known before a subset is made: where the rows come from, and which they are.

use super::super::Context;
use super::super::load::stored_manifest;
use crate::catalog::manifest::{Manifest, SubsetOrigin, SubsetRequest};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::{Build, CONTROL, builds, live};
use crate::catalog::stamp;
use crate::catalog::stamp::Stamp;
use crate::command::cli;
use crate::config::strict::Problems;
use crate::error::{Exit, Failure, failure};
use crate::export::subset::{self, CatalogTable, Chosen, Rules, SetColumn};
use crate::load::bind::{self, Binding};
use crate::postgres::{Session, db};
use crate::spec::schema::{Schema, SectionKind};
use crate::spec::source::{Source, Sources};

/// What is known before anything is made: where the rows come from, and which.
pub(super) struct PreparedSubset {
    pub source: BuildDatabase,
    pub stamp: Stamp,
    pub manifest: Manifest,
    /// The specs, bound to the tables that rows are taken from.
    pub bindings: Vec<Binding>,
    /// Period and posting day of each source.
    times: Vec<(String, Option<String>, Option<String>)>,
    pub chosen: Chosen,
    pub words: String,
}

impl PreparedSubset {
    /// A source's period and posting day.
    pub(super) fn time_of(&self, table: &str) -> (Option<String>, Option<String>) {
        let found = self.times.iter().find(|(source, ..)| source == table);
        found.map(|(_, period, posted)| (period.clone(), posted.clone())).unwrap_or_default()
    }
}

/// Finds the build to read, holds it against `sql/`, and makes the queries.
pub(super) async fn prepare(
    context: &Context,
    control: &Session,
    args: &cli::Subset,
    asked: SubsetRequest,
    schema: &Schema,
) -> anyhow::Result<PreparedSubset> {
    let all = builds(control, &args.database).await?;
    let build = source(&all, args)?;
    let lock = schema.locked()?;
    let tag = build.tag.as_ref().ok_or_else(|| anyhow::anyhow!("a sealed build has a tag"))?;
    if (tag.version, &tag.fingerprint) != (lock.version, &lock.fingerprint) {
        let message = format!(
            "{} was made with schema version {}, sql/{} is at {}",
            tag.build, tag.version, args.database, lock.version
        );
        let hint = format!(
            "check out the version that it was made with, or make one of now: kiln run {}",
            args.database
        );
        return Err(Failure::new(Exit::SchemaRefused, message).hint(hint).into());
    }
    let owner = &context.config.owner_role;
    let source = BuildDatabase::new(context.server(&args.database), &build.name, owner)?;
    let session = reader(&source).await?;
    let stamp = stamp::read(&session)
        .await?
        .ok_or_else(|| failure(Exit::SchemaRefused, format!("{} carries no stamp", build.name)))?;
    let problems = Problems::default();
    let rules = Rules::read(&context.config.root, &args.database, &problems)?;
    let tables = loaded_tables(context, schema).await?;
    let mut facts = subset::facts(&session, &tables).await?;
    let bindings = bound(context, &session, &args.database, &problems).await?;
    facts.sets = sets_of(bindings.iter().map(|binding| &binding.source));
    for table in &mut facts.tables {
        in_order_sent(table, &bindings);
    }
    let chosen = subset::choose(&rules, &asked, &facts, &problems);
    subset::probe(&session, &rules, &chosen, &problems).await;
    problems.into_result("sql/README.md says what subset.toml may hold")?;
    refuse_personal(args, &bindings)?;
    refuse_empty(&session, &rules, &asked, &chosen).await?;
    let mut manifest = stored_manifest(&session, &tag.build).await?;
    let words = asked.in_words(&tag.build);
    let origin = SubsetOrigin { build: tag.build.clone(), asked, rules_sha256: rules.sha256 };
    manifest.subset = Some(origin);
    let times = times(&session).await?;
    Ok(PreparedSubset { source, stamp, manifest, bindings, times, chosen, words })
}

/// The specs, held against the build's tables; rows are read through them, none is loaded.
async fn bound(
    context: &Context,
    session: &Session,
    database: &str,
    problems: &Problems,
) -> anyhow::Result<Vec<Binding>> {
    let sources = Sources::read(&context.config.root, database, problems)?;
    let mut bindings = Vec::new();
    for source in &sources.all {
        let tables = bind::tables(session, source).await?;
        bindings.extend(Binding::new(source, &tables, None, problems));
    }
    Ok(bindings)
}

/// The columns that hold numbers of dictionaries' sets.
pub(crate) fn sets_of<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<SetColumn> {
    let of_source = |source: &'a Source| {
        source.dictionaries.iter().enumerate().map(|(index, dictionary)| SetColumn {
            table: source.name.as_str().to_owned(),
            column: bind::pack::numbers_sql(source, index),
            many: source.pack.as_ref().is_some_and(|pack| pack.by != index),
            dictionary: dictionary.table.as_str().to_owned(),
        })
    };
    sources.flat_map(of_source).collect()
}

/// A source's columns in the order in which the loader sends them, which its digest is over.
fn in_order_sent(table: &mut CatalogTable, bindings: &[Binding]) {
    let bound = bindings.iter().find(|binding| binding.source.name.as_str() == table.name);
    let Some(bound) = bound else { return };
    let sent: Vec<String> = bound.columns().map(str::to_owned).collect();
    let all_sent = sent.len() == table.columns.len()
        && table.columns.iter().all(|column| sent.contains(column));
    if all_sent {
        table.columns = sent;
    }
}

/// Refuses a file of people's records: they stay on the server, keyed hash or not.
fn refuse_personal(args: &cli::Subset, bindings: &[Binding]) -> anyhow::Result<()> {
    let personal: Vec<&str> = bindings
        .iter()
        .filter(|binding| binding.source.personal)
        .map(|binding| binding.source.name.as_str())
        .collect();
    if args.to.is_none() || personal.is_empty() {
        return Ok(());
    }
    let database = &args.database;
    let message = format!(
        "{database} holds personal data ({}), which is not written to a file",
        personal.join(", ")
    );
    let hint =
        format!("without --to the subset stays on the server: {}", super::command(args, None));
    Err(Failure::new(Exit::Usage, message).hint(hint).into())
}

/// The build that rows are taken from: sealed, and whole.
fn source<'a>(all: &'a [Build], args: &cli::Subset) -> anyhow::Result<&'a Build> {
    let database = &args.database;
    let refuse = |message: String, hint: String| {
        Err(Failure::new(Exit::InputUnavailable, message).hint(hint).into())
    };
    let found = match &args.from {
        Some(name) => all.iter().find(|build| build.own_name() == name),
        None => live(all, database),
    };
    match (found, &args.from) {
        (None, Some(name)) => {
            refuse(format!("{database} has no build {name}"), format!("kiln status {database}"))
        }
        (None, None) => refuse(format!("{database} is not live"), format!("kiln run {database}")),
        (Some(build), _) if build.is_subset() => refuse(
            format!("{} is a subset itself", build.own_name()),
            "--from BUILD with a whole build".to_owned(),
        ),
        (Some(build), _) if build.invalid || !build.state().is_sealed() => refuse(
            format!("{} is {}, not sealed", build.own_name(), build.state().word()),
            format!("kiln status {database}"),
        ),
        (Some(build), _) => Ok(build),
    }
}

/// A session that only reads, and in which values turn to text in one way.
pub(super) async fn reader(build: &BuildDatabase) -> anyhow::Result<Session> {
    let session = build.session("subset").await?;
    session
        .batch_execute(
            "set timezone = 'UTC'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
             set bytea_output = 'hex'; set default_transaction_read_only = on",
        )
        .await
        .map_err(db("prepare to read"))?;
    Ok(session)
}

/// The tables that the loader fills. Asked of Postgres itself: pre-data is applied in a schema of
/// kiln's own database and rolled back, so that nothing is made before all is known.
async fn loaded_tables(context: &Context, schema: &Schema) -> anyhow::Result<Vec<String>> {
    let session = context.server(schema.database.as_str()).connect_as(CONTROL, "pre-data").await?;
    session
        .batch_execute(
            "begin; create schema kiln_look; set local search_path = kiln_look, pg_catalog",
        )
        .await
        .map_err(db("look at the schema"))?;
    schema.apply(&session, &SectionKind::PreData, &context.stop).await?;
    let rows = session
        .query(
            "select relname::text from pg_class
             where relnamespace = 'kiln_look'::regnamespace and relkind in ('r', 'p') order by 1",
            &[],
        )
        .await
        .map_err(db("look at the schema"))?;
    session.batch_execute("rollback").await.map_err(db("look at the schema"))?;
    Ok(schema.loaded(rows.iter().map(|row| row.get(0)).collect()))
}

/// A sample without a key in it would be an empty database that looks like a good one.
async fn refuse_empty(
    session: &Session,
    rules: &Rules,
    asked: &SubsetRequest,
    chosen: &Chosen,
) -> anyhow::Result<()> {
    let sampled: Vec<_> = chosen.tables.iter().filter(|table| table.is_sampled).collect();
    if sampled.is_empty() && !asked.percent.is_all() {
        let path = rules.path.display();
        let message = format!("{path} has no [sample]: nothing to take a percentage of");
        let hint = "name the key there; sql/README.md says how";
        return Err(Failure::new(Exit::Usage, message).hint(hint).into());
    }
    for table in &sampled {
        let sql = format!("select exists ({})", table.query());
        let some: bool = session.query_one(&sql, &[]).await.map_err(db("look for rows"))?.get(0);
        if some {
            return Ok(());
        }
    }
    let names: Vec<&str> = sampled.iter().map(|table| table.name.as_str()).collect();
    match names.as_slice() {
        [] => Ok(()),
        names => {
            let message = format!("no row of {} is kept: nothing would be left", names.join(", "));
            let hint = "a larger --percent, or another --rule";
            Err(Failure::new(Exit::Usage, message).hint(hint).into())
        }
    }
}

async fn times(session: &Session) -> anyhow::Result<Vec<(String, Option<String>, Option<String>)>> {
    let sql = "select source, period, posted from kiln.source where state = 'loaded'";
    let rows = session.query(sql, &[]).await.map_err(db("read the sources"))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}
