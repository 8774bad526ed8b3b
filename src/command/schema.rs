//! `kiln schema check` and `kiln schema lock`: every schema from zero in a scratch database.

use tokio_util::sync::CancellationToken;

use super::Start;
use super::built::Built;
use super::scratch::{self, ScratchServer};
use crate::build::check::{self, CheckTrial};
use crate::catalog::manifest::{Percent, SubsetRequest};
use crate::command::cli;
use crate::config::strict::{Problems, suggest};
use crate::error::{Exit, Failure};
use crate::export::docs::described;
use crate::export::subset::{self, Rules};
use crate::load::bind::{self, Binding};
use crate::postgres::{Ident, Session, db};
use crate::report;
use crate::spec::schema::catalog::{self, Fingerprint};
use crate::spec::schema::learned::{self, Learned};
use crate::spec::schema::{Checked, Schema, SchemaFile, SchemaLock, Section, SectionKind, serves};
use crate::spec::source::{Source, Sources};

/// `kiln schema check [DATABASE…]`.
///
/// # Errors
/// [`Exit::Usage`] with everything that is wrong, in all databases.
pub(super) async fn check(start: &Start, args: &cli::SchemaCheck) -> anyhow::Result<()> {
    let databases = super::databases(&start.config, &args.databases)?;
    let problems = Problems::default();
    let built = build_all(start, &args.scratch, &databases, &problems).await?;
    let mut checked = Vec::new();
    for Built { schema, sources, fingerprint, learned, checks, .. } in built {
        problems.take(checks);
        hold_against_lock(&schema, &fingerprint, &learned, &problems);
        checked.push(Checked {
            database: schema.database.as_str().to_owned(),
            version: schema.lock.as_ref().map(|lock| lock.version),
            serves_from: schema.lock.as_ref().map(|lock| lock.serves_from),
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
pub(super) async fn lock(start: &Start, args: &cli::SchemaLock) -> anyhow::Result<()> {
    let databases = super::databases(&start.config, &args.databases)?;
    let problems = Problems::default();
    let built = build_all(start, &args.scratch, &databases, &problems).await?;
    problems.into_result("mend these, then kiln schema lock")?;
    for Built { schema, fingerprint, learned, is_watched, .. } in built {
        learned::must_be_watched(is_watched)?;
        let before = schema.lock.as_ref();
        let unchanged = before.is_some_and(|lock| lock.fingerprint == fingerprint.digest);
        let lines = &fingerprint.lines;
        let lost = before.map(|lock| serves::lost(&lock.catalog, lines)).unwrap_or_default();
        let (version, serves_from) = match before {
            Some(lock) if unchanged => (lock.version, lock.serves_from),
            Some(lock) if lost.is_empty() => (lock.version + 1, lock.serves_from),
            Some(lock) => (lock.version + 1, lock.version + 1),
            None => (1, 1),
        };
        let difference = before.map(|lock| lock.difference(lines)).unwrap_or_default();
        let rewritten = before.map(|lock| serves::rewritten(&lock.catalog, lines));
        let rewritten = rewritten.filter(|_| lost.is_empty()).unwrap_or_default();
        let Fingerprint { digest: fingerprint, lines: catalog } = fingerprint;
        let is_known = before.is_some_and(|lock| lock.learned.as_ref() == Some(&learned));
        let learned = Some(learned);
        let lock = SchemaLock { version, serves_from, fingerprint, catalog, learned };
        let is_written = unchanged && is_known;
        if !is_written && !args.dry_run.dry_run {
            std::fs::write(&schema.lock_path, lock.render()).map_err(|error| {
                let path = schema.lock_path.display();
                Failure::new(Exit::Usage, format!("cannot write {path}")).because(error)
            })?;
        }
        let database = schema.database.as_str();
        let dry_run = args.dry_run.dry_run;
        let said = report::Locked { lock, unchanged, difference, lost, rewritten, dry_run };
        report::locked(database, &said);
    }
    Ok(())
}

/// Builds each database from zero, empty; what is wrong goes to `problems`.
pub(super) async fn build_all(
    start: &Start,
    on: &cli::Scratch,
    databases: &[String],
    problems: &Problems,
) -> anyhow::Result<Vec<Built>> {
    let Start { config, stop, .. } = start;
    scratch::with(config, on.server.as_deref(), "schema check", stop, async |scratch| {
        let mut built = Vec::new();
        for database in databases {
            built.extend(build_one(start, scratch, database, problems).await?);
        }
        Ok(built)
    })
    .await
}

async fn build_one(
    start: &Start,
    scratch: &mut ScratchServer,
    database: &str,
    problems: &Problems,
) -> anyhow::Result<Option<Built>> {
    let root = &start.config.root;
    let own = Problems::default();
    let schema = Schema::read(root, database, &own)?;
    let sources = Sources::read(root, database, problems)?;
    if own.count() > 0 {
        problems.take(own);
        return Ok(None);
    }
    let session = scratch.database().await?;
    let is_watched = learned::watch_definitions(&session).await?;
    let files = || schema.files.iter();
    let mut learned = Learned::default();
    let mut refused =
        apply(files(), &session, &SectionKind::PreData, &[], &mut learned, problems).await?;
    hold_against_specs(&schema, &sources, &refused, &session, problems).await?;
    let loaded = schema.loaded(catalog::tables(&session).await?);
    let mut runs = refused.is_empty();
    // What is made while keys are being built can rely on none.
    let (early, late): (Vec<_>, Vec<_>) =
        files().partition(|file| file.sections.iter().any(Section::is_early));
    let all = files().collect();
    for (files, kind) in
        [(early, SectionKind::Derive), (all, SectionKind::PostData), (late, SectionKind::Derive)]
    {
        let failed =
            apply(files.into_iter(), &session, &kind, &refused, &mut learned, problems).await?;
        runs &= failed.is_empty();
        refused.extend(failed);
    }
    let tables = catalog::tables(&session).await?;
    for file in schema.files.iter().filter(|file| !refused.contains(&file.table)) {
        if !tables.contains(&file.table) {
            let message = format!("makes no table {}, which its name promises", file.table);
            problems.add(&file.path, 0, message);
        }
    }
    let checks = hold_checks(&schema, &refused, &session, problems).await?;
    hold_comments(&schema, &session, problems).await?;
    if runs {
        hold_subset(start, &schema, &sources, &session, &loaded, problems).await?;
    }
    learned.only_before(&schema);
    if runs {
        learned.note_functions(&session).await?;
    }
    if is_watched {
        learned::forget_definitions(&session).await?;
    } else if let Some(known) = schema.lock.as_ref().and_then(|lock| lock.learned.clone()) {
        learned = known;
    }
    let fingerprint = catalog::fingerprint(&session).await?;
    let described = described::read(&session).await?;
    // With SQL that does not run, the catalog is not what the files mean.
    Ok(runs.then_some(Built {
        schema,
        sources,
        fingerprint,
        is_watched,
        learned,
        described,
        checks,
    }))
}

/// Runs the sections of one kind of these files, as a build does; a file that is refused does not hide
/// what is wrong in the next. Gives the tables of the refused ones; the rest of a file that was refused
/// `before` would only say once more that its table is not there.
async fn apply<'a>(
    files: impl Iterator<Item = &'a SchemaFile>,
    session: &Session,
    kind: &SectionKind,
    before: &[String],
    learned: &mut Learned,
    problems: &Problems,
) -> anyhow::Result<Vec<String>> {
    let mut refused = Vec::new();
    for file in files.filter(|file| !before.contains(&file.table)) {
        session.batch_execute("begin").await.map_err(db("begin"))?;
        let early = match kind {
            SectionKind::Derive => file.begin_early(session, &CancellationToken::new()).await?,
            _ => None,
        };
        let since = learned::begin(session).await?;
        let mut end = "commit";
        for section in file.of_kind(kind) {
            if let Err(error) = session.batch_execute(&section.sql).await {
                note(file, section, error, problems)?;
                refused.push(file.table.clone());
                end = "rollback";
            }
        }
        if let Some(early) = early.filter(|_| end == "commit")
            && let Some((line, message)) = early.reads_unnamed(session).await?
        {
            problems.add(&file.path, line, message);
        }
        if end == "commit" {
            learn(file, session, kind, since, learned).await?;
        }
        session.batch_execute(end).await.map_err(db(end))?;
    }
    Ok(refused)
}

/// Learns what a file's sections have done in the open transaction.
async fn learn(
    file: &SchemaFile,
    session: &Session,
    kind: &SectionKind,
    since: i64,
    learned: &mut Learned,
) -> anyhow::Result<()> {
    let is_early = file.of_kind(kind).any(Section::is_early);
    learned.note_made(session, file, kind).await?;
    if *kind == SectionKind::Derive {
        learned.note_read(session, file).await?;
    }
    match kind {
        SectionKind::PostData if file.of_kind(kind).next().is_some() => {
            let touched = learned::touched(session, file).await?;
            learned.refers.insert(file.table.clone(), touched);
        }
        SectionKind::Derive
            if is_early && learned::is_alone(session, &file.table, since).await? =>
        {
            learned.alone.insert(file.table.clone());
        }
        _ => {}
    }
    Ok(())
}

/// What the server says of a section, at its line; a lost server is no fault of the file's.
fn note(
    file: &SchemaFile,
    section: &Section,
    error: tokio_postgres::Error,
    problems: &Problems,
) -> anyhow::Result<()> {
    let Some(said) = error.as_db_error() else {
        return Err(file.explain(section, error));
    };
    let message = format!("{} (SQLSTATE {})", said.message(), said.code().code());
    problems.add(&file.path, file.line_of(section, &error), message);
    Ok(())
}

/// A check must run, and hold on empty tables: a build may be made without a source. Gives those that
/// do more than to read.
async fn hold_checks(
    schema: &Schema,
    refused: &[String],
    session: &Session,
    problems: &Problems,
) -> anyhow::Result<Problems> {
    let no_checks = Problems::default();
    for file in schema.files.iter().filter(|file| !refused.contains(&file.table)) {
        for section in file.of_kind(&SectionKind::Check) {
            let title = &section.title;
            match check::try_on(session, &section.sql).await {
                Ok(CheckTrial::Rows(0)) => {}
                Ok(CheckTrial::Rows(_)) => {
                    let message = format!("check \"{title}\" does not hold on empty tables");
                    problems.add(&file.path, section.line, message);
                }
                Ok(CheckTrial::NoQuery) => {
                    let message = format!("check \"{title}\" is no query");
                    no_checks.add(&file.path, section.line, message);
                }
                Err(error) => match section.no_check(&error) {
                    Some(why) => {
                        let message = format!("check \"{title}\" {why}");
                        no_checks.add(&file.path, section.line, message);
                    }
                    None => note(file, section, error, problems)?,
                },
            }
        }
    }
    Ok(no_checks)
}

/// Specs against the tables of pre-data.
async fn hold_against_specs(
    schema: &Schema,
    sources: &Sources,
    refused: &[String],
    session: &Session,
    problems: &Problems,
) -> anyhow::Result<()> {
    for source in &sources.all {
        if refused.iter().any(|table| table == source.name.as_str()) {
            continue;
        }
        let tables = bind::tables(session, source).await?;
        Binding::new(source, &tables, None, problems);
    }
    let filled: Vec<&str> =
        sources.all.iter().flat_map(Source::tables).map(Ident::as_str).collect();
    schema.refuse_twofold(filled.iter().copied(), problems);
    for file in &schema.files {
        for section in &file.sections {
            for name in section.from.iter().filter(|name| !filled.contains(&name.as_str())) {
                let mean = suggest(name, filled.iter().copied());
                let message = format!("no source fills {name}, which its marker names{mean}");
                problems.add(&file.path, section.line - 1, message);
            }
        }
        let is_derived = file.of_kind(&SectionKind::Derive).next().is_some();
        if !is_derived && !sources.stems.contains(&file.table) {
            let database = schema.database.as_str();
            let message =
                format!("table {0} has no source sources/{database}/{0}.toml", file.table);
            problems.add(&file.path, 0, message);
        }
    }
    Ok(())
}

/// Every table, view, column and function, derived ones too, says what it is.
async fn hold_comments(
    schema: &Schema,
    session: &Session,
    problems: &Problems,
) -> anyhow::Result<()> {
    for name in catalog::uncommented(session).await? {
        let table = name.split('.').next().unwrap_or_default();
        let folder = std::path::Path::new("sql").join(schema.database.as_str());
        let place = schema.files.iter().find(|file| file.table == table);
        let path = place.map_or(&folder, |file| &file.path);
        problems.add(path, 0, format!("{name} has no comment"));
    }
    Ok(())
}

/// What `subset.toml` says of tables and columns is true of them.
async fn hold_subset(
    start: &Start,
    schema: &Schema,
    sources: &Sources,
    session: &Session,
    loaded: &[String],
    problems: &Problems,
) -> anyhow::Result<()> {
    let rules = Rules::read(&start.config.root, schema.database.as_str(), problems)?;
    let asked =
        SubsetRequest { percent: Percent::HALF, conditions: std::collections::BTreeMap::new() };
    let mut facts = subset::facts(session, loaded).await?;
    facts.sets = super::subset::sets_of(sources.all.iter());
    let chosen = subset::choose(&rules, &asked, &facts, problems);
    subset::probe(session, &rules, &chosen, problems).await;
    Ok(())
}

fn hold_against_lock(
    schema: &Schema,
    fingerprint: &Fingerprint,
    learned: &Learned,
    problems: &Problems,
) {
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
    } else if lock.learned.as_ref() != Some(learned) {
        let database = schema.database.as_str();
        let message = format!(
            "does not say what the sections do (`refers`, `alone`, `makes`, `reads`): kiln schema lock {database}, which \
             leaves the version as it is"
        );
        problems.add(&path, 0, message);
    }
}
