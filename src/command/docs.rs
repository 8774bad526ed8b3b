//! `kiln docs`: the data dictionary. Markdown from `sql/` and `sources/` alone, to be committed
//! (`--check` says when it is stale), and a page with what a build found.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Context, Start};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::{builds, control};
use crate::command::cli;
use crate::config::strict::Problems;
use crate::error::{Exit, Failure};
use crate::export::docs::facts::{self, BuildFacts};
use crate::export::docs::page::Page;
use crate::export::docs::{DataDictionary, markdown, page};
use crate::fetch::plainfile;

/// The build that `--build` means when it is not said.
const LIVE: &str = "live";
/// `--build none`: no server is asked.
const NONE: &str = "none";

/// What was written, or compared, of one database.
#[derive(Debug, Serialize)]
struct WrittenDocs {
    /// The database.
    database: String,
    /// Its schema's version, as locked.
    version: Option<u32>,
    /// Tables and views.
    tables: usize,
    /// Their columns.
    columns: usize,
    /// Functions.
    functions: usize,
    /// The Markdown, relative to the root.
    markdown: PathBuf,
    /// Whether the Markdown was not what it must be.
    stale: bool,
    /// The page; `None` when only compared.
    html: Option<PathBuf>,
    /// The build that the page tells of.
    build: Option<String>,
}

/// `kiln docs [DATABASE…]`.
///
/// # Errors
/// [`Exit::Usage`] when the schema cannot be built, a comment is missing, or with `--check` the
/// Markdown is stale.
pub(super) async fn run(start: Start, args: &cli::Docs) -> anyhow::Result<()> {
    let databases = super::databases(&start.config, &args.databases)?;
    let dictionaries = describe(&start, &args.scratch, &databases).await?;
    let root = start.config.root.clone();
    let mut written = Vec::new();
    let mut stale = Vec::new();
    for dictionary in &dictionaries {
        let (entry, difference) = compare(&root, dictionary)?;
        stale.extend(difference);
        written.push(entry);
    }
    if args.check {
        print(&written, args.json.json, true)?;
        return match stale.is_empty() {
            true => Ok(()),
            false => Err(refuse(&written, &stale)),
        };
    }
    let quiet = start.quiet;
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => start.config.home.join("docs"),
    };
    let facts = gather(start, args, &dictionaries).await?;
    write(&root, &folder, &dictionaries, &facts, &mut written)?;
    print(&written, args.json.json, quiet)
}

/// Every schema from zero in a scratch database, and what its catalog says.
async fn describe(
    start: &Start,
    on: &cli::Scratch,
    databases: &[String],
) -> anyhow::Result<Vec<DataDictionary>> {
    let problems = Problems::default();
    let built = super::schema::build_all(start, on, databases, &problems).await?;
    problems.into_result("sql/README.md says what a schema must have; then kiln docs")?;
    let dictionary = |built: super::built::Built| {
        DataDictionary::new(&built.schema, &built.sources, &built.learned, built.described)
    };
    Ok(built.into_iter().map(dictionary).collect())
}

/// What the file says against what it must say; the difference where there is one.
fn compare(
    root: &Path,
    dictionary: &DataDictionary,
) -> anyhow::Result<(WrittenDocs, Option<String>)> {
    let path = markdown::path(&dictionary.database);
    let before = match plainfile::text(&root.join(&path)) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let message = format!("cannot read {}", path.display());
            return Err(Failure::new(Exit::Usage, message).because(error).into());
        }
    };
    let after = markdown::render(dictionary);
    let old = path.display().to_string();
    let difference = match before {
        None => Some(format!("{old} is not there\n")),
        Some(before) if before == after => None,
        Some(before) => {
            let difference = similar::TextDiff::from_lines(&before, &after);
            let mut unified = difference.unified_diff();
            Some(unified.context_radius(1).header(&old, "what kiln docs writes").to_string())
        }
    };
    let entry = WrittenDocs {
        database: dictionary.database.clone(),
        version: dictionary.version,
        tables: dictionary.relations.len(),
        columns: dictionary.column_count(),
        functions: dictionary.functions.len(),
        markdown: path,
        stale: difference.is_some(),
        html: None,
        build: None,
    };
    Ok((entry, difference))
}

/// Lines of a difference that are printed; who wants them all writes the file and asks git.
const LINES_SHOWN: usize = 60;

fn refuse(written: &[WrittenDocs], differences: &[String]) -> anyhow::Error {
    let stale: Vec<&WrittenDocs> = written.iter().filter(|entry| entry.stale).collect();
    let names: Vec<String> = stale.iter().map(|e| e.markdown.display().to_string()).collect();
    let databases: Vec<&str> = stale.iter().map(|entry| entry.database.as_str()).collect();
    let all = differences.concat();
    let mut shown: Vec<&str> = all.lines().take(LINES_SHOWN).collect();
    let left = all.lines().count() - shown.len();
    let more = format!("… {left} more lines");
    if left > 0 {
        shown.push(&more);
    }
    let verb = if stale.len() == 1 { "is" } else { "are" };
    let message = format!("{} {verb} stale:\n{}", names.join(", "), shown.join("\n"));
    Failure::new(Exit::Usage, message).hint(format!("kiln docs {}", databases.join(" "))).into()
}

/// What the builds say, a database each; `None` where there is none to ask.
async fn gather(
    start: Start,
    args: &cli::Docs,
    dictionaries: &[DataDictionary],
) -> anyhow::Result<Vec<Option<BuildFacts>>> {
    let nothing = || dictionaries.iter().map(|_| None).collect();
    // A private cluster that was never made holds no build, and is not made to look for one.
    let asks_private =
        |dictionary: &DataDictionary| start.config.server_of(&dictionary.database).is_none();
    let is_private = dictionaries.iter().all(asks_private);
    let unmade = is_private && !start.config.home.join("postgres").exists();
    if args.build == NONE || (unmade && args.build == LIVE) {
        return Ok(nothing());
    }
    let context = Context::open(start, false).await?;
    let found = ask(&context, args, dictionaries).await;
    context.close_after(found).await
}

async fn ask(
    context: &Context,
    args: &cli::Docs,
    dictionaries: &[DataDictionary],
) -> anyhow::Result<Vec<Option<BuildFacts>>> {
    let mut found = Vec::new();
    for dictionary in dictionaries {
        let database = &dictionary.database;
        let known = match control::existing(context.server(database)).await? {
            Some(control) => builds(&control, database).await?,
            None => Vec::new(),
        };
        // The live build bears the database's name; its own is in its tag.
        let is_meant = |build: &&crate::catalog::registry::Build| match args.build.as_str() {
            LIVE => build.name == *database,
            own => build.name == own || build.tag.as_ref().is_some_and(|tag| tag.build == own),
        };
        let Some(build) = known.iter().find(is_meant) else {
            found.push(None);
            continue;
        };
        let owner = &context.config.owner_role;
        let session = BuildDatabase::new(context.server(database), &build.name, owner)?
            .session("docs")
            .await?;
        found.push(facts::read(&session, dictionary).await?);
    }
    if args.build != LIVE && found.iter().all(Option::is_none) {
        let message = format!("{:?} is not a sealed build", args.build);
        return Err(Failure::new(Exit::Usage, message).hint("kiln status").into());
    }
    Ok(found)
}

fn print(written: &[WrittenDocs], as_json: bool, quiet: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(written)?);
        return Ok(());
    }
    for entry in written.iter().filter(|_| !quiet) {
        let WrittenDocs { database, tables, columns, functions, .. } = entry;
        say!("{database}: {tables} tables and views, {columns} columns, {functions} functions");
        let verb = if entry.stale { "written" } else { "unchanged" };
        say!("  {} {verb}", entry.markdown.display());
        if let Some(html) = &entry.html {
            let build = entry.build.as_deref().unwrap_or("no build: without rows and examples");
            say!("  {} ({build})", html.display());
        }
    }
    Ok(())
}

fn write(
    root: &Path,
    folder: &Path,
    dictionaries: &[DataDictionary],
    facts: &[Option<BuildFacts>],
    written: &mut [WrittenDocs],
) -> anyhow::Result<()> {
    let unwritable = |path: &Path| {
        let message = format!("cannot write {}", path.display());
        move |error| anyhow::Error::from(Failure::new(Exit::Usage, message).because(error))
    };
    std::fs::create_dir_all(folder).map_err(unwritable(folder))?;
    let siblings: Vec<String> = dictionaries.iter().map(|d| d.database.clone()).collect();
    for ((dictionary, facts), entry) in dictionaries.iter().zip(facts).zip(written) {
        if entry.stale {
            let path = root.join(&entry.markdown);
            std::fs::write(&path, markdown::render(dictionary)).map_err(unwritable(&path))?;
        }
        let path = folder.join(page::file_name(&dictionary.database));
        let page = Page { dictionary, facts: facts.as_ref(), siblings: &siblings };
        std::fs::write(&path, page::render(&page)).map_err(unwritable(&path))?;
        entry.html = Some(path);
        entry.build = facts.as_ref().map(|facts| facts.build.clone());
    }
    Ok(())
}
