//! The private servers that let kiln run with nothing configured: a Postgres cluster and an S3
//! endpoint in a folder, the home.
//!
//! A command does [`open`] and [`Local::close`]; [`up`] keeps them running in between, until [`down`].

#![warn(unreachable_pub)]
// a folder's own file is mod.rs
#![warn(clippy::self_named_module_files)]

mod credentials;
mod endpoint;
mod error;
mod lock;
mod postgres;
mod served;

use std::fs::File;
use std::path::{Path, PathBuf};

pub use credentials::{Credentials, hash_key};
/// For the fuzz target of listings.
#[doc(hidden)]
pub use endpoint::list::After;
pub use endpoint::{Endpoint, REGION};
use error::Doing as _;
pub use error::{Error, Kind, Result};
pub use postgres::{Lease, Running};
pub use served::{Served, serve_s3};

/// The bucket that the private endpoint has from the start.
pub const BUCKET: &str = "kiln";
/// Locked shared by every user of an endpoint that [`up`] keeps.
const S3_USERS: &str = "s3.users";

/// How to speak to the private S3 endpoint. Buckets are addressed by path.
#[derive(Debug, Clone)]
pub struct S3Local {
    /// As in `AWS_ENDPOINT_URL`.
    pub endpoint: String,
    /// Exists.
    pub bucket: String,
    /// As in `AWS_REGION`.
    pub region: String,
    /// Access key and secret.
    pub credentials: Credentials,
}

/// The private S3 endpoint in use: the one that [`up`] keeps, else one in this process.
#[derive(Debug)]
pub struct S3Lease {
    /// How to speak to it.
    pub s3: S3Local,
    own: Option<Endpoint>,
    _users: File,
}

/// The private servers in use.
#[derive(Debug)]
pub struct Local {
    /// The superuser's URL of the database `postgres`.
    pub postgres_url: String,
    /// How to speak to the S3 endpoint.
    pub s3: S3Local,
    postgres: Lease,
    endpoint: S3Lease,
}

/// The servers that [`up`] left running.
#[derive(Debug)]
pub struct Up {
    /// The superuser's URL of the database `postgres`.
    pub postgres_url: String,
    /// The process id of the Postgres server.
    pub postgres_pid: i32,
    /// How to speak to the S3 endpoint.
    pub s3: S3Local,
    /// The process id of the S3 endpoint.
    pub s3_pid: i32,
}

/// What [`down`] stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Down {
    /// Whether a Postgres server was running.
    pub postgres: bool,
    /// Whether an S3 endpoint was running.
    pub s3: bool,
}

/// What runs in a home.
#[derive(Debug)]
pub struct Status {
    /// [`up`] was called, and [`down`] not since.
    pub kept_up: bool,
    /// The Postgres server.
    pub postgres: Option<Running>,
    /// The S3 endpoint in a process of its own.
    pub s3: Option<Served>,
}

/// Uses both private servers of `home`, starting what does not run. `pg_bin` is the directory of
/// Postgres' programs; without it they are searched for.
///
/// # Errors
/// [`Kind::NotInstalled`] or [`Kind::Postgres`] when Postgres is not installed or does not start.
pub async fn open(home: &Path, pg_bin: Option<&Path>) -> Result<Local> {
    let postgres = open_postgres(home, pg_bin).await?;
    let endpoint = open_s3(home).await?;
    Ok(Local { postgres_url: postgres.url(), s3: endpoint.s3.clone(), postgres, endpoint })
}

/// Uses the private Postgres of `home` alone; give it back with [`close_postgres`].
///
/// # Errors
/// [`Kind::NotInstalled`] or [`Kind::Postgres`] when Postgres is not installed or does not start.
pub async fn open_postgres(home: &Path, pg_bin: Option<&Path>) -> Result<Lease> {
    let (home, pg_bin) = (home.to_owned(), pg_bin.map(Path::to_owned));
    blocking(move || postgres::open(&home, pg_bin.as_deref())).await
}

/// [`Lease::close`] off the async threads.
///
/// # Errors
/// [`Kind::PostgresStays`] when the server does not stop.
pub async fn close_postgres(lease: Lease) -> Result<()> {
    blocking(move || lease.close()).await
}

/// Uses the private S3 endpoint of `home` alone.
///
/// # Errors
/// When the home directory cannot be used or no port is free.
pub async fn open_s3(home: &Path) -> Result<S3Lease> {
    let home = home.to_owned();
    let (home, users, credentials) = blocking(move || {
        let home = canonical(&home)?;
        let users = lock::open(&home.join(S3_USERS))?;
        users.lock_shared().doing_with(|| format!("lock {}", home.join(S3_USERS).display()))?;
        let credentials = Credentials::of(&home)?;
        Ok((home, users, credentials))
    })
    .await?;
    let (url, own) = match served::find(&home).await? {
        Some(served) => (served.url, None),
        None => {
            let own = Endpoint::start(&home.join("s3"), BUCKET, credentials.clone()).await?;
            (own.url().to_owned(), Some(own))
        }
    };
    Ok(S3Lease { s3: s3_at(url, credentials), own, _users: users })
}

impl S3Lease {
    /// Ends the endpoint if it is of this process, once its requests are done (at most 5 s).
    pub async fn close(mut self) {
        if let Some(own) = self.own.take() {
            own.stop().await;
        }
    }
}

impl Local {
    /// Gives both back. What this process started is stopped, unless others use it.
    ///
    /// # Errors
    /// [`Kind::PostgresStays`] when Postgres does not stop within 30 s.
    pub async fn close(self) -> Result<()> {
        self.endpoint.close().await;
        close_postgres(self.postgres).await
    }
}

/// Starts both servers and leaves them running, until [`down`].
///
/// # Errors
/// [`Kind::NotInstalled`] or [`Kind::Postgres`] when Postgres is not installed or does not start; what was not running
/// before is not kept then.
pub async fn up(home: &Path, pg_bin: Option<&Path>) -> Result<Up> {
    let program = std::env::current_exe().doing("find the own program")?;
    up_by(home, pg_bin, &program).await
}

/// Like [`up`], with the program that `serve-s3 --home HOME` is asked of.
///
/// # Errors
/// As [`up`].
pub async fn up_by(home: &Path, pg_bin: Option<&Path>, program: &Path) -> Result<Up> {
    let lease = open_postgres(home, pg_bin).await?;
    let home = canonical(home)?;
    let was_kept = postgres::is_kept_up(&home);
    let here = home.clone();
    blocking(move || postgres::keep_up(&here)).await?;
    let served = kept_s3(&home, program).await;
    if served.is_err() && !was_kept {
        let here = home.clone();
        blocking(move || postgres::let_go(&here)).await?;
    }
    let (postgres_url, postgres_pid) = (lease.url(), lease.pid());
    close_postgres(lease).await?;
    let served = served?;
    let s3 = s3_at(served.url, Credentials::of(&home)?);
    Ok(Up { postgres_url, postgres_pid, s3, s3_pid: served.pid })
}

async fn kept_s3(home: &Path, program: &Path) -> Result<Served> {
    match served::find(home).await? {
        Some(served) => Ok(served),
        None => served::spawn(home, program).await,
    }
}

/// Stops both servers and keeps them no longer.
///
/// # Errors
/// [`Kind::InUse`], with nothing changed, while another process uses them;
/// [`Kind::PostgresStays`] or [`Kind::S3Stays`] when one does not stop, naming its process.
pub async fn down(home: &Path) -> Result<Down> {
    if !home.exists() {
        return Ok(Down { postgres: false, s3: false });
    }
    let home = canonical(home)?;
    let here = home.clone();
    let (postgres, _users) = blocking(move || {
        let Some(users) = lock::try_exclusive(&here.join(S3_USERS))? else {
            let message = format!("the private S3 in {} is used by another kiln", here.display());
            return Err(Error::new(Kind::InUse, message));
        };
        Ok((postgres::release(&here)?, users))
    })
    .await?;
    let s3 = served::stop(&home).await?;
    Ok(Down { postgres, s3 })
}

/// What runs in `home`. Starts nothing.
///
/// # Errors
/// When the home directory cannot be read.
pub async fn status(home: &Path) -> Result<Status> {
    if !home.exists() {
        return Ok(Status { kept_up: false, postgres: None, s3: None });
    }
    let home = canonical(home)?;
    Ok(Status {
        kept_up: postgres::is_kept_up(&home),
        postgres: postgres::status(&home)?,
        s3: served::find(&home).await?,
    })
}

/// Stops the private Postgres of `home` whoever uses it. Answers whether one was running.
///
/// # Errors
/// [`Kind::PostgresStays`] when it does not stop within 30 s.
pub async fn stop_postgres(home: &Path) -> Result<bool> {
    let home = home.to_owned();
    blocking(move || postgres::stop(&home)).await
}

fn s3_at(endpoint: String, credentials: Credentials) -> S3Local {
    S3Local { endpoint, bucket: BUCKET.to_owned(), region: REGION.to_owned(), credentials }
}

fn canonical(home: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(home).doing_with(|| format!("make {}", home.display()))?;
    home.canonicalize().doing_with(|| format!("find {}", home.display()))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.doing("a task of the private servers died")?
}
