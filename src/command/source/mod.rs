//! `kiln source new` and `kiln source check`: a source's two files, drafted from a real file, and
//! tried on one.

mod place;
mod trial;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Start;
use crate::command::cli;
use crate::config::personal;
use crate::config::strict::{Problems, suggest};
use crate::config::{Config, known_database};
use crate::dev::sniff::{self, Draft, FileNames, Wish};
use crate::error::{Exit, Failure, failure, shell, stopped};
use crate::fetch::member::Member;
use crate::postgres::Ident;
use crate::report::{self, Drafted};
use crate::spec::schema::Schema;
use crate::spec::source::Source;

/// `kiln source new DATABASE FILE`.
///
/// # Errors
/// When the file cannot be read or is no delimited text, or the source is there already.
pub(super) async fn new(start: Start, args: &cli::SourceNew) -> anyhow::Result<()> {
    known_or_new(&start.config, &args.database)?;
    let since = Instant::now();
    let (quiet, stop) = (start.quiet, start.stop.clone());
    let mut drafted =
        place::with_object(start, &args.database, &args.file, async |config, object| {
            if args.personal {
                personal::keep_out_of_core_dumps();
            }
            let scratch = config.folder("scratch")?;
            let (wanted, shown) = (args.member.clone(), args.file.clone());
            let choose =
                move || place::members(&object, &scratch).and_then(|all| one(all, wanted, &shown));
            let member = blocking(choose, &stop).await?;
            let (wish, files) = wish(config, args, &member)?;
            let place = FileNames::of(&member);
            let sniffed = blocking(move || sniff::sniff(&member), &stop).await?;
            let draft = Draft::new(wish, place, sniffed);
            write(config, args, &draft, files)
        })
        .await?;
    drafted.seconds = since.elapsed().as_secs_f64();
    report::drafted(&drafted, args.json.json, quiet)
}

/// `kiln source check DATABASE SOURCE FILE`.
///
/// # Errors
/// When the file could not be loaded.
pub(super) async fn check(start: Start, args: &cli::SourceCheck) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let (quiet, stop) = (start.quiet, start.stop.clone());
    let tried = place::with_object(start, &args.database, &args.file, async |config, object| {
        trial::run(config, args, object, &stop).await
    })
    .await?;
    report::tried(&tried, args.json.json, quiet)?;
    trial::verdict(&tried)
}

/// Runs in a thread of its own until it ends or kiln is stopped.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    stop: &tokio_util::sync::CancellationToken,
) -> anyhow::Result<T> {
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => done?,
        () = stop.cancelled() => Err(stopped()),
    }
}

/// A database is two folders, and the first source makes them; a name that is nearly a known one
/// is a slip of the pen.
fn known_or_new(config: &Config, database: &str) -> anyhow::Result<()> {
    if Ident::parse(database).is_none() {
        let message = format!("{database:?} cannot name a database: use a-z, 0-9 and _");
        return Err(failure(Exit::Usage, message));
    }
    let known = crate::config::databases(config).unwrap_or_default();
    let mean = suggest(database, known.iter().map(String::as_str));
    if known.iter().any(|name| name == database) || mean.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("no database {database}{mean}"))
        .hint(format!("if it is to be a new one: mkdir sql/{database} sources/{database}"))
        .into())
}

/// The member that is meant: the only one, or the one that the wish names or matches.
fn one(all: Vec<Member>, wanted: Option<String>, file: &str) -> anyhow::Result<Member> {
    let names = |members: &[Member]| {
        members.iter().map(|member| format!("\n  {}", member.path)).collect::<String>()
    };
    let total = all.len();
    let listed = names(&all);
    let chosen: Vec<Member> = match &wanted {
        None => all.into_iter().filter(|m| sniff::is_text_name(&m.name)).collect(),
        Some(wanted) => {
            let (exact, rest): (Vec<Member>, Vec<Member>) =
                all.into_iter().partition(|m| m.name == *wanted || m.path == *wanted);
            if exact.is_empty() {
                let pattern = regex::Regex::new(wanted).map_err(|error| {
                    let message = format!("--member {wanted:?} is neither a name nor a pattern");
                    Failure::new(Exit::Usage, message).because(error)
                })?;
                rest.into_iter().filter(|member| pattern.is_match(&member.path)).collect()
            } else {
                exact
            }
        }
    };
    let ask = format!("say which: kiln source new DATABASE {} --member NAME", shell::word(file));
    let message = match (chosen.len(), &wanted) {
        (1, _) => {
            return chosen.into_iter().next().ok_or_else(|| anyhow::anyhow!("no member"));
        }
        (0, Some(wanted)) => format!("no member {wanted:?} among the {total} of {file}:{listed}"),
        (0, None) => format!("{file} holds no delimited text:{listed}"),
        (count, _) => format!("{file} holds {count} such files:{}", names(&chosen)),
    };
    Err(Failure::new(Exit::Usage, message).hint(ask).into())
}

/// The two files of a source, relative to the root.
struct Files {
    spec: PathBuf,
    table: PathBuf,
}

/// What is to be drafted, and where it goes; a source that is there stays unless forced.
fn wish(config: &Config, args: &cli::SourceNew, member: &Member) -> anyhow::Result<(Wish, Files)> {
    let database = &args.database;
    let table = args.name.clone().unwrap_or_else(|| sniff::table_name(&member.name));
    if Ident::parse(&table).is_none() {
        let message = format!("{table:?} cannot name a table: use a-z, 0-9 and _");
        return Err(Failure::new(Exit::Usage, message).hint("give one with --name").into());
    }
    if sniff::is_reserved(&table) {
        let message = format!("{table:?} cannot name a table: Postgres reserves the word");
        return Err(Failure::new(Exit::Usage, message).hint("give another one with --name").into());
    }
    let problems = Problems::default();
    let schema = match config.root.join("sql").join(database).is_dir() {
        true => Schema::read(&config.root, database, &problems)?.files,
        false => Vec::new(),
    };
    let there = schema.iter().find(|file| file.table == table);
    let next = schema.iter().map(|file| file.number).max().unwrap_or(0) + 1;
    let number = there.map_or(next, |file| file.number);
    let spec = Path::new("sources").join(database).join(format!("{table}.toml"));
    let sql = Path::new("sql").join(database).join(format!("{number:04}_{table}.sql"));
    for file in [&spec, &sql] {
        if config.root.join(file).exists() && !args.force {
            let message = format!("{} is there already", file.display());
            return Err(Failure::new(Exit::Usage, message)
                .hint("give another name with --name, or write over it with --force")
                .into());
        }
    }
    let wish = Wish { database: database.clone(), table, personal: args.personal };
    Ok((wish, Files { spec, table: sql }))
}

/// Writes the two files, once the draft is known to be a spec that reads the file it is from.
fn write(
    config: &Config,
    args: &cli::SourceNew,
    draft: &Draft,
    files: Files,
) -> anyhow::Result<Drafted> {
    let (spec, table) = (draft.spec(), draft.table());
    let problems = Problems::default();
    let source = Source::parse(&files.spec, &spec, &problems);
    problems.into_result("this draft is wrong: please report it with the file's header")?;
    let reads = source.is_some_and(|source| source.object.is_match(&draft.place.object));
    anyhow::ensure!(reads, "the drafted patterns do not match {}", draft.place.object);
    if !args.dry_run.dry_run {
        for (file, text) in [(&files.spec, &spec), (&files.table, &table)] {
            let path = config.root.join(file);
            let folder = path.parent().unwrap_or(&config.root);
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text)).map_err(
                |error| {
                    let message = format!("cannot write {}", file.display());
                    Failure::new(Exit::Usage, message).because(error)
                },
            )?;
        }
    }
    Ok(Drafted {
        file: args.file.clone(),
        dry_run: args.dry_run.dry_run,
        spec_file: files.spec.display().to_string(),
        table_file: files.table.display().to_string(),
        spec,
        table,
        database: draft.wish.database.clone(),
        source: draft.wish.table.clone(),
        place: draft.place.shown(),
        rows: draft.rows(),
        columns: draft.shape.names.len(),
        kinds: draft.kinds(),
        text: draft.text(),
        key: draft.key.clone(),
        other_keys: draft.other_keys.iter().map(|(columns, _)| columns.clone()).collect(),
        doubts: draft.doubts.clone(),
        seconds: 0.0,
    })
}
