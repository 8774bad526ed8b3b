//! `kiln restore`: a file that `kiln subset --to` wrote becomes a build like any other: a new
//! database, the file's own schema and rows, every digest held against its header, checks, seal.
//! It goes live where nothing but a subset is live; on another machine only if told by its name.

use std::time::Instant;

use futures_util::SinkExt as _;
use tokio::sync::mpsc;
use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::build_run::BuildRun;
use super::ending::{SealedBuild, end_early, unless_stopped};
use super::subset::{agree, entry, note_manifest};
use super::{Context, Start, prune};
use crate::catalog::ledger::Ledger;
use crate::catalog::lock::RunLock;
use crate::catalog::registry::build::{BuildDatabase, ident};
use crate::catalog::registry::contract::{self, Contract};
use crate::catalog::registry::found::next_build;
use crate::catalog::registry::own::Closed;
use crate::catalog::registry::{Build, BuildState, Tag, builds, live, roles};
use crate::catalog::stamp::{DigestReading, Sealed};
use crate::command::cli;
use crate::config::failpoint;
use crate::dev::local;
use crate::error::{Exit, Failure, Position, failure, message_of, shell, stopped};
use crate::export::file::{
    self, FileEvent, FileHeader, PackedTable, SourceFacts, TableEntry, refuse_names,
};
use crate::load::bind;
use crate::load::copy::between::{self, Stored};
use crate::load::copy::{note_without, write_entry};
use crate::postgres::{Session, data_error, db, is_state};
use crate::release::swap::SwapPart;
use crate::report::{self, SubsetTable};
use crate::spec::Specs;
use crate::spec::schema::Schema;
use crate::spec::source::Sources;

/// Pieces of the file on their way from the thread that reads it; this bounds the memory.
const PIECES_IN_FLIGHT: usize = 4;

/// `kiln restore FILE`.
///
/// # Errors
/// When the file's rows cannot become a sealed build; nothing is then left of it.
pub(crate) async fn run(start: Start, args: &cli::Restore) -> anyhow::Result<()> {
    let path = args.file.clone();
    let header = tokio::task::spawn_blocking(move || file::header(&path)).await??;
    refuse_names(&header).map_err(|error| error.context(args.file.display().to_string()))?;
    if args.dry_run.dry_run {
        let tables: Vec<SubsetTable> = header.tables.iter().map(planned).collect();
        report::restore_plan(&header.database, &header.subset, &tables, args.json.json);
        return Ok(());
    }
    if start.config.server_of(&header.database).is_none() {
        // A database that ends with this command would help nobody.
        let home = start.config.folder(".")?;
        local::up(&home, start.config.postgres_bin.as_deref()).await?;
    }
    let context = Context::open(start, false).await?;
    let outcome = restore(&context, args, &header).await;
    context.close_after(outcome).await
}

fn planned(table: &TableEntry) -> SubsetTable {
    SubsetTable {
        table: table.table.clone(),
        rule: "as in the file".to_owned(),
        rows: table.rows,
        of: None,
    }
}

async fn restore(
    context: &Context,
    args: &cli::Restore,
    header: &FileHeader,
) -> anyhow::Result<()> {
    let database = &header.database;
    let doing = format!("{} would be restored", args.file.display());
    let command = format!("kiln restore {}", shell::path(&args.file));
    context.server(database).must_be_here_or(args.on.as_deref(), &doing, &command)?;
    let lock = context.lock("restore", database).await?;
    let mut build_run = match begin(context, lock, header).await {
        Ok(build_run) => build_run,
        Err((lock, error)) => return Err(end_early(&lock, error, Some(&command)).await),
    };
    build_run.asked = Some(command);
    let span = tracing::info_span!("build", build = build_run.tag.build);
    let work = run_build(&mut build_run, args, header).instrument(span);
    let outcome = unless_stopped(&context.stop, work).await;
    let outcome = match outcome {
        Ok(sealed) => build_run.audit_seal().await.map(|()| sealed),
        Err(error) => Err(error),
    };
    let mut sealed_build = build_run.sealed_or_failed(outcome).await?;
    let swapped = match args.no_swap {
        true => Ok(None),
        false => go_live(context, &mut sealed_build).await,
    };
    if sealed_build.lock.is_closed() {
        sealed_build.lock.renew(context.server(database)).await;
    }
    match swapped {
        Ok(stays) => {
            let stays = stays.as_deref();
            let (ledger, words) = (&sealed_build.ledger, &header.subset);
            report::restored(ledger, words, stays, args.json.json, context.quiet);
            sealed_build.end(None).await
        }
        Err(error) => sealed_build.end(Some(error)).await,
    }
}

/// Takes a name for the build; its schema is the file's.
async fn begin<'a>(
    context: &'a Context,
    lock: RunLock,
    header: &FileHeader,
) -> Result<BuildRun<'a>, (RunLock, anyhow::Error)> {
    let database = &header.database;
    let opened = async {
        failpoint::hit(failpoint::LOCKED)?;
        let left = prune::unfinished_subsets(context, &lock).await?.left;
        let (owner, app) = (ident(&context.config.owner_role)?, ident(&context.config.app_role)?);
        roles::ensure(&lock, &owner, &app).await?;
        let name = next_build(&lock, database, &context.who.run, true).await?;
        let called = context.server(database).called(format!("{} {name}", context.who.run));
        let build = BuildDatabase::new(&called, &name, &context.config.owner_role)?;
        let schema = Schema {
            database: ident(database)?,
            files: Vec::new(),
            lock: Some(header.lock()),
            lock_path: std::path::PathBuf::new(),
        };
        let specs = Specs { schema, sources: Sources { all: Vec::new(), stems: Vec::new() } };
        anyhow::Ok((name, build, specs, left))
    };
    let (name, build, specs, left) = match opened.await {
        Ok(opened) => opened,
        Err(error) => return Err((lock, error)),
    };
    let run = &context.who.run;
    let mut ledger = Ledger::open(run, "restore", database, &name, header.version);
    ledger.warnings = left;
    let mut tag = Tag::new(database, &name, run, header.version, BuildState::Building);
    tag.subset = Some(header.subset.clone());
    Ok(BuildRun::assemble(context, lock, build, specs, ledger, tag))
}

async fn run_build(
    build_run: &mut BuildRun<'_>,
    args: &cli::Restore,
    header: &FileHeader,
) -> anyhow::Result<Sealed> {
    drop(build_run.make_tables().await?);
    note_manifest(&build_run.build, &header.manifest).await?;
    failpoint::hit(failpoint::MANIFEST)?;
    let since = Instant::now();
    let shown = build_run.context.progress.stage("restoring the file");
    let (sender, pieces) = mpsc::channel(PIECES_IN_FLIGHT);
    let path = args.file.clone();
    let reader = tokio::task::spawn_blocking(move || file::read(&path, &sender));
    let fed = feed(build_run, header, pieces).await;
    let read = reader.await.map_err(|panic| anyhow::anyhow!("reading a file: {panic}"))?;
    // What is wrong with the file says more than what came of it; a reader that was left says
    // only that.
    match (read, fed) {
        (Err(error), Ok(())) => return Err(error),
        (Err(error), _) if crate::error::exit_of(&error) != Exit::Terminated => return Err(error),
        (_, fed) => fed?,
    }
    drop(shown);
    build_run.ledger.stage("restore", since);
    prove(build_run, header).await?;
    build_run.write_tasks().await?;
    build_run.finish(&header.manifest).await
}

/// Runs the file's sections and sends its rows, in file order.
async fn feed(
    build_run: &BuildRun<'_>,
    header: &FileHeader,
    mut pieces: mpsc::Receiver<FileEvent>,
) -> anyhow::Result<()> {
    let stop = &build_run.context.stop;
    let session = build_run.build.session("restore").await?;
    let closed = Closed::new(&session).await?;
    while let Some(piece) = pieces.recv().await {
        match piece {
            FileEvent::Sql(_, place, sql) => {
                section(&session, &closed, &place, &sql, stop).await?;
            }
            FileEvent::Table(name) => {
                let table = header.tables.iter().find(|table| table.table == name);
                let table = table.ok_or_else(|| anyhow::anyhow!("a table out of its place"))?;
                rows(build_run, &session, &closed, table, &mut pieces).await?;
            }
            FileEvent::Rows(_) | FileEvent::TableEnd(_) => {
                return Err(anyhow::anyhow!("rows without their table"));
            }
        }
        if stop.is_cancelled() {
            return Err(stopped());
        }
    }
    // Where it failed the build is dropped.
    closed.open(&session).await
}

/// Runs a section, and refuses it where it writes to what kiln itself notes of a build: a file is SQL of people
/// who are trusted, but no schema has such a section, and a stamp that another wrote is none.
async fn section(
    session: &Session,
    closed: &Closed,
    place: &str,
    sql: &str,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let refused = |message: String| {
        let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
        let position = Position::in_file(file.as_ref(), line.parse().unwrap_or(0));
        anyhow::Error::from(Failure::new(Exit::InputRejected, message).at(position))
    };
    let watched = closed.begin(session).await?;
    let run = session.run(sql, place, stop).await;
    run.map_err(|error| match is_state(&error, &SqlState::INSUFFICIENT_PRIVILEGE) {
        true => refused(format!(
            "a section writes to kiln's own schema, or does what the owner of a build may not: {}",
            message_of(&error)
        )),
        false => error,
    })?;
    if closed.is_touched(session, &watched).await? {
        return Err(refused(format!("{place}: a section writes to kiln's own schema")));
    }
    session.batch_execute("commit").await.map_err(db(place))
}

/// One table's rows, which COPY reads as they stand in the file.
async fn rows(
    build_run: &BuildRun<'_>,
    session: &Session,
    closed: &Closed,
    table: &TableEntry,
    pieces: &mut mpsc::Receiver<FileEvent>,
) -> anyhow::Result<()> {
    let stop = &build_run.context.stop;
    let name = &table.table;
    let watched = closed.begin(session).await?;
    let sink =
        session.copy_in::<_, bytes::Bytes>(&table.copy_sql()).await.map_err(db("begin COPY"))?;
    let mut sink = std::pin::pin!(sink);
    loop {
        let piece = tokio::select! {
            piece = pieces.recv() => piece,
            () = stop.cancelled() => return Err(stopped()),
        };
        match piece {
            Some(FileEvent::Rows(bytes)) => {
                sink.send(bytes).await.map_err(|error| data_error("COPY", &error))?;
                failpoint::hit(failpoint::COPY)?;
            }
            Some(FileEvent::TableEnd(read)) => {
                let stored = sink.finish().await.map_err(|error| data_error("COPY", &error))?;
                if (read, stored) != (table.rows, table.rows) {
                    let message = format!(
                        "table {name}: the header says {} rows, the file has {read}, COPY stored \
                         {stored}",
                        table.rows
                    );
                    return Err(failure(Exit::InputRejected, message));
                }
                if closed.is_touched(session, &watched).await? {
                    let message = format!("table {name}: its rows write to kiln's own schema");
                    return Err(failure(Exit::InputRejected, message));
                }
                return session.batch_execute("commit").await.map_err(db("commit the rows"));
            }
            // The reader's own error says why.
            _ => return Err(failure(Exit::InputRejected, format!("table {name} is cut"))),
        }
    }
}

/// Reads every table back and holds it against the header; then notes the sources.
async fn prove(build_run: &mut BuildRun<'_>, header: &FileHeader) -> anyhow::Result<()> {
    let since = Instant::now();
    let session = build_run.build.session("prove").await?;
    let ledger = &mut build_run.ledger;
    ledger.expected = header.manifest.sources.keys().cloned().collect();
    ledger.expected.extend(header.manifest.without.iter().cloned());
    for name in &header.manifest.without {
        ledger.sources.push(note_without(&session, name).await?);
    }
    for table in &header.tables {
        let digest = u128::from_str_radix(&table.digest, 16).map_err(|_| {
            failure(Exit::InputRejected, format!("table {}: its digest is none", table.table))
        })?;
        let expected = Stored { rows: table.rows, bytes: 0, digest };
        let found = between::read(&session, &table.kept().all(), &build_run.context.stop).await?;
        agree(&table.table, "the file says", expected, found)?;
        build_run.readings.push(reading(table));
        if let Some(facts) = &table.source {
            agree_on_rows(&session, &table.table, facts).await?;
            let entry = entry(&table.table, &header.subset, found, facts.clone());
            write_entry(&session, &entry, None).await?;
            ledger.sources.push(entry);
        }
    }
    ledger.sources.sort_by(|a, b| a.source.cmp(&b.source));
    failpoint::hit(failpoint::SOURCE)?;
    build_run.ledger.stage("prove", since);
    Ok(())
}

/// How a table of the file is read again.
fn reading(table: &TableEntry) -> DigestReading {
    DigestReading {
        table: table.table.clone(),
        source: table.source.as_ref().map(|_| table.table.clone()),
        columns: table.columns.clone(),
        sets: Vec::new(),
        pack: None,
        rows: table.rows,
        digest: table.digest.clone(),
    }
}

/// Rows that hold many of the file's hold as many as the header says.
async fn agree_on_rows(session: &Session, table: &str, facts: &SourceFacts) -> anyhow::Result<()> {
    let Some(PackedTable { array, rows }) = &facts.packed else { return Ok(()) };
    let counted = session.query_one(&bind::pack::count_sql(table, array), &[]).await;
    let found: i64 = counted.map_err(db("count rows"))?.get(0);
    if found.unsigned_abs() == *rows {
        return Ok(());
    }
    let message =
        format!("table {table}: the file says that it holds {rows} rows, it holds {found}");
    Err(failure(Exit::ChecksFailed, message))
}

/// Makes the restored build live where nothing, or a subset, is; gives the whole build's name
/// that stays live otherwise.
async fn go_live(
    context: &Context,
    sealed_build: &mut SealedBuild,
) -> anyhow::Result<Option<String>> {
    let database = sealed_build.tag.database.clone();
    let all = builds(&sealed_build.lock, &database).await?;
    if let Some(live) = live(&all, &database).filter(|build| !build.is_subset()) {
        return Ok(Some(live.own_name().to_owned()));
    }
    accept(context, &mut sealed_build.lock, &sealed_build.tag).await?;
    let candidate: &Build =
        all.iter().find(|build| build.name == sealed_build.tag.build).ok_or_else(|| {
            anyhow::anyhow!("the build {} is not on the server any more", sealed_build.tag.build)
        })?;
    let since = Instant::now();
    let mut part = SwapPart {
        database: &database,
        candidate,
        builds: &all,
        schema_lock: sealed_build.schema.lock.as_ref(),
        specs: &[],
        named: true,
        sealed: Some(&sealed_build.sealed),
        judged: Vec::new(),
    };
    let again = format!("kiln swap {database} {}", sealed_build.tag.build);
    let mut swap = context.swap(&mut sealed_build.lock, "swap", "kiln restore", again);
    sealed_build.ledger.promoted = swap.promote(std::slice::from_mut(&mut part)).await?.pop();
    sealed_build.ledger.stage("swap", since);
    failpoint::hit(failpoint::SWAPPED)?;
    let cleared = prune::retention(context, &sealed_build.lock).await?;
    sealed_build.ledger.warnings.extend(cleared.left);
    Ok(None)
}

/// On a server of this machine where no app has said anything, the person at it accepts the
/// file's version; elsewhere the gate asks.
async fn accept(context: &Context, lock: &mut RunLock, tag: &Tag) -> anyhow::Result<()> {
    let said = contract::contracts(lock, Some(&tag.database)).await?;
    if context.server(&tag.database).elsewhere().is_some() || !said.is_empty() {
        return Ok(());
    }
    let version = i32::try_from(tag.version)
        .map_err(|_| Failure::new(Exit::InputRejected, format!("{} is no version", tag.version)))?;
    let contract = Contract {
        database: tag.database.clone(),
        app: "local".to_owned(),
        accepts_min: version,
        accepts_max: version,
        until: None,
    };
    contract::set_contract(lock, &context.who, &contract, "kiln restore").await
}
