//! The subcommands, one file each; here is what they share: the settings, the servers (the
//! configured ones, or the private ones), who is running, and the stop signal.

pub(crate) mod cli;

mod abandon;
mod begin;
pub(crate) mod build;
mod build_run;
mod built;
mod contract;
#[cfg(feature = "dev")]
mod demo;
mod docs;
mod ending;
pub(crate) mod entry;
mod finish;
mod forecast;
mod gates;
mod guard;
mod hold;
mod land;
mod load;
#[cfg(feature = "dev")]
mod local;
mod lock;
mod opening;
mod plan;
mod prune;
pub(crate) mod restore;
mod resume;
mod run;
mod schema;
mod scratch;
mod sections;
mod source;
mod status;
mod subset;
mod swap;
#[cfg(feature = "dev")]
mod synth;
mod url;
mod waive;
mod verify;
mod without;
mod work;

use std::io::IsTerminal as _;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::build::workplace::Workplace;
use crate::catalog::lock::RunLock;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control::Who;
use crate::command::cli::{Cli, Command, Contract, Schema, Source as SourceCommand};
use crate::config::Deadline;
use crate::config::personal::HashKey;
use crate::config::{Config, RunDeadline, known_database};
use crate::dev::local as private;
use crate::error::{Exit, Failure};
use crate::fetch::location::S3Location;
use crate::fetch::store::{Access, Store};
use crate::plan::Planner;
use crate::postgres::servers::Servers;
use crate::postgres::{Server, Session};
use crate::release::swap::SwapSession;
use crate::report::progress::Progress;
use crate::spec::Specs;
use crate::spec::source::Source;

/// Runs one command.
///
/// # Errors
/// When the command fails; `main` maps the error to an exit code.
pub(crate) async fn dispatch(cli: Cli, stop: CancellationToken) -> anyhow::Result<()> {
    #[cfg(feature = "dev")]
    if let Command::ServeS3 { home } = cli.command {
        return private::serve_s3(&home).await;
    }
    let only_looks = cli.command.only_looks();
    let config = Config::load(cli.root.as_deref(), only_looks)?;
    let who = who();
    crate::report::log_to_file(&config, &who.run, only_looks)?;
    let start = Start { config, who, quiet: cli.quiet, stop };
    match cli.command {
        #[cfg(feature = "dev")]
        Command::Demo(args) => demo::run(start, &args).await,
        #[cfg(feature = "dev")]
        Command::Up(args) => local::up(&start, args).await,
        #[cfg(feature = "dev")]
        Command::Down(args) => local::down(&start, args).await,
        Command::Land(args) => land::run(start, &args).await,
        #[cfg(feature = "dev")]
        Command::Synth(args) => synth::run(start, &args).await,
        Command::Run(args) => run::run(start, &args).await,
        Command::Build(args) => build::run(start, &args).await,
        Command::Plan(args) => plan::run(start, &args).await,
        Command::Load(args) => load::run(start, &args).await,
        Command::Resume(args) => resume::run(start, &args).await,
        Command::Begin(args) => begin::run(start, &args).await,
        Command::Work(args) => work::run(start, &args).await,
        Command::Finish(args) => resume::finish(start, &args).await,
        Command::Abandon(args) => abandon::run(start, &args).await,
        Command::Swap(args) => swap::run(start, &args).await,
        Command::Rollback(args) => swap::rollback(start, &args).await,
        Command::Hold(args) => hold::run(start, &args, true).await,
        Command::Unhold(args) => hold::run(start, &args, false).await,
        Command::Waive(args) => waive::run(start, &args).await,
        Command::Verify(args) => verify::run(start, &args).await,
        Command::Subset(args) => subset::run(start, &args).await,
        Command::Restore(args) => restore::run(start, &args).await,
        Command::Status(args) => status::run(start, &args).await,
        Command::Url(args) => url::run(&start, &args).await,
        Command::Contract(Contract::Set(args)) => contract::set(start, &args).await,
        Command::Contract(Contract::Remove(args)) => contract::remove(start, &args).await,
        Command::Contract(Contract::List(args)) => contract::list(start, args).await,
        Command::Guard(args) => guard::run(start, &args).await,
        Command::Schema(Schema::Check(args)) => schema::check(&start, &args).await,
        Command::Schema(Schema::Lock(args)) => schema::lock(&start, &args).await,
        Command::Docs(args) => docs::run(start, &args).await,
        Command::Source(SourceCommand::New(args)) => source::new(start, &args).await,
        Command::Source(SourceCommand::Check(args)) => source::check(start, &args).await,
        Command::Prune(args) => prune::run(start, &args).await,
        #[cfg(feature = "dev")]
        Command::ServeS3 { .. } => Ok(()),
    }
}

/// What every command starts with.
pub(crate) struct Start {
    /// The settings.
    pub config: Config,
    /// Who is running.
    pub who: Who,
    /// Errors only.
    pub quiet: bool,
    /// The stop signal.
    pub stop: CancellationToken,
}

/// The servers, and who speaks to them. Close it at the end: the private servers are then left
/// as they were found.
pub(crate) struct Context {
    /// The settings.
    pub config: Config,
    /// Who is running.
    pub who: Who,
    /// The servers that databases are on.
    pub servers: Servers,
    /// The stop signal.
    pub stop: CancellationToken,
    /// Bars or lines.
    pub progress: Progress,
    /// When the run is to be over.
    pub deadline: Option<Deadline>,
    /// Errors only.
    pub quiet: bool,
    /// Whether a night's account is printed: to a person at a terminal, not to cron.
    pub summary: bool,
    location: S3Location,
    access: Option<Access>,
    postgres: Option<private::Lease>,
    s3: Option<private::S3Lease>,
}

impl Context {
    /// Opens Postgres, and the store where the command needs it.
    ///
    /// # Errors
    /// When a server cannot be reached or started.
    pub(crate) async fn open(start: Start, with_store: bool) -> anyhow::Result<Context> {
        Context::open_both(start, true, with_store).await
    }

    /// Opens the store alone: landing files needs no Postgres.
    ///
    /// # Errors
    /// When the private endpoint cannot be started.
    pub(crate) async fn open_store(start: Start) -> anyhow::Result<Context> {
        Context::open_both(start, false, true).await
    }

    async fn open_both(
        start: Start,
        with_postgres: bool,
        with_store: bool,
    ) -> anyhow::Result<Context> {
        let Start { config, who, quiet, stop } = start;
        let (url, postgres) = match &config.postgres_url {
            Some(url) => (url.clone(), None),
            None if !with_postgres || config.each_has_a_server() => (String::new(), None),
            None => {
                let home = config.folder(".")?;
                let lease = private::open_postgres(&home, config.postgres_bin.as_deref()).await?;
                (lease.url(), Some(lease))
            }
        };
        let ca = config.postgres_ca.as_deref();
        let servers = Servers::new(&url, &config.postgres_urls, ca, &who.run)?;
        let private_bucket = || S3Location { bucket: "kiln".into(), prefix: String::new() };
        let (location, s3) = match &config.s3 {
            Some(location) => (location.clone(), None),
            None if with_store => {
                let lease = private::open_s3(&config.folder(".")?).await?;
                (private_bucket(), Some(lease))
            }
            None => (private_bucket(), None),
        };
        let access = s3.as_ref().map(private::S3Lease::access);
        let progress = Progress::new(quiet);
        let deadline = config.run_deadline.as_ref().map(RunDeadline::starting_now);
        tracing::info!(host = who.host, login = who.login, "begin");
        let summary = !quiet && std::io::stdout().is_terminal();
        Ok(Context {
            config,
            who,
            servers,
            stop,
            progress,
            deadline,
            quiet,
            summary,
            location,
            access,
            postgres,
            s3,
        })
    }

    /// The server that a database is on.
    pub(crate) fn server(&self, database: &str) -> &Server {
        self.servers.of(database)
    }

    /// How what a lock holds is swapped.
    pub(crate) fn swap<'a>(
        &'a self,
        lock: &'a mut RunLock,
        action: &'a str,
        why: &'a str,
        again: String,
    ) -> SwapSession<'a> {
        SwapSession {
            server: self.server(lock.database()),
            lock,
            owner: &self.config.owner_role,
            connections: self.config.connections,
            deadline: self.config.swap_deadline,
            action,
            why,
            again,
            stop: &self.stop,
        }
    }

    /// The store that files land in.
    pub(crate) async fn store(&self) -> Store {
        Store::connect(&self.location, self.access.as_ref(), self.config.s3_stall).await
    }

    /// What plans are made by.
    pub(crate) fn planner<'a>(
        &'a self,
        database: &str,
        control: Option<&'a Session>,
        store: &'a Store,
        hash_key: Option<&'a HashKey>,
    ) -> Planner<'a> {
        Planner {
            server: self.server(database),
            owner: &self.config.owner_role,
            control,
            store,
            hash_key,
            connections: self.config.connections,
            stop: &self.stop,
        }
    }

    /// What tasks of a build are done with.
    ///
    /// # Errors
    /// When the scratch folder cannot be made.
    pub(crate) fn workplace<'a>(
        &'a self,
        build: &'a BuildDatabase,
        specs: &'a Specs,
    ) -> anyhow::Result<Workplace<'a>> {
        Ok(Workplace {
            build,
            schema: &specs.schema,
            sources: &specs.sources.all,
            connections: self.config.connections,
            scratch: self.config.folder("scratch")?,
            clock: &self.progress.clock,
            watch: &self.progress.watch,
            stop: &self.stop,
        })
    }

    /// The key that hashes personal identifiers, where one of these sources does.
    ///
    /// # Errors
    /// [`Exit::Usage`] when there is none, or it cannot be read.
    pub(crate) fn hash_key(&self, sources: &[Source]) -> anyhow::Result<Option<Arc<HashKey>>> {
        let Some(source) = sources.iter().find(|source| source.hashes()) else { return Ok(None) };
        let file = match (&self.config.hash_key_file, &self.postgres) {
            (Some(file), _) => file.clone(),
            (None, Some(_)) => private::hash_key(&self.config.folder(".")?)?,
            (None, None) => {
                let message =
                    format!("source {} hashes identifiers, and no key is set", source.name);
                return Err(Failure::new(Exit::Usage, message)
                    .hint("openssl rand -hex 32 > FILE, and KILN_HASH_KEY_FILE=FILE; keep it: with another key no person is the same")
                    .into());
            }
        };
        Ok(Some(Arc::new(HashKey::read(&file)?)))
    }

    /// The databases that a command is about: those named, or all.
    ///
    /// # Errors
    /// When one is not known.
    pub(crate) fn databases(&self, named: &[String]) -> anyhow::Result<Vec<String>> {
        databases(&self.config, named)
    }

    /// Leaves the private servers as they were found.
    ///
    /// # Errors
    /// When the private Postgres cannot be stopped.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if let Some(lease) = self.s3 {
            lease.close().await;
        }
        if let Some(lease) = self.postgres {
            private::close_postgres(lease).await?;
        }
        Ok(())
    }

    /// Closes, and keeps the outcome's error before one of closing.
    ///
    /// # Errors
    /// When `outcome` is an error, or the connections cannot be closed.
    pub(crate) async fn close_after<T>(self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        let closed = self.close().await;
        let value = outcome?;
        closed?;
        Ok(value)
    }
}

/// The named databases, or all that `sql/` and `sources/` have.
pub(crate) fn databases(config: &Config, named: &[String]) -> anyhow::Result<Vec<String>> {
    if named.is_empty() {
        return crate::config::databases(config);
    }
    for name in named {
        known_database(config, name)?;
    }
    Ok(named.to_vec())
}

/// A new run's identity.
fn who() -> Who {
    let run = uuid::Uuid::now_v7().simple().to_string();
    let host = nix::unistd::gethostname()
        .map_or_else(|_| "unknown".to_owned(), |name| name.to_string_lossy().into_owned());
    let uid = nix::unistd::geteuid();
    let login = match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    };
    // The first digits of a v7 id are the time, the last ones chance: both are wanted.
    Who { run: format!("{}{}", &run[4..12], &run[24..]), host, login }
}
