//! A private Postgres cluster in a home, for work with nothing configured: made when it is
//! missing, started by the first user and stopped by the last, however many processes there are.
//!
//! Two lock files carry that, because the kernel drops them with their process, whatever kills it:
//! `postgres.lock`, held while somebody decides, starts or stops, and `postgres.users`, held
//! shared by every user for as long as it uses the server.

mod cluster;
mod programs;
mod server;

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{canonical, lock};
use crate::error::{Doing as _, Error, Kind, Result};
use cluster::Cluster;
use programs::Programs;
pub use server::Running;

const LOCK: &str = "postgres.lock";
const USERS: &str = "postgres.users";
/// Its presence says that `kiln up` wants the servers to stay.
const KEPT_UP: &str = "up";

/// The use of the private cluster. The last lease to be closed stops the server, unless
/// [`keep_up`] was called.
#[derive(Debug)]
pub struct Lease {
    home: PathBuf,
    running: Running,
    /// `None` once the lease was given up.
    users: Option<File>,
}

impl Lease {
    /// The superuser's URL of the database `postgres`, understood by psql, tokio-postgres and
    /// URL parsers (which refuse the spelling `kiln@/postgres`).
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The process id of the server.
    pub fn pid(&self) -> i32 {
        self.running.pid
    }

    /// Gives the lease up; stops the server when this was its last user and nobody wants it kept.
    /// Blocks until the server is down, up to 30 s.
    ///
    /// # Errors
    /// [`Kind::PostgresStays`] when the server does not stop, naming its process.
    pub fn close(mut self) -> Result<()> {
        let Some(users) = self.users.take() else { return Ok(()) };
        let _deciding = lock::exclusive(&self.home.join(LOCK))?;
        if last_user(&self.home, &users) {
            stop_running(&self.home)?;
        }
        Ok(())
    }
}

impl Drop for Lease {
    /// An error took the way past [`Lease::close`]: the server is told to stop, but not waited for.
    fn drop(&mut self) {
        let Some(users) = self.users.take() else { return };
        let Ok(Some(_deciding)) = lock::try_exclusive(&self.home.join(LOCK)) else { return };
        if last_user(&self.home, &users)
            && let Some(running) = server::probe(&Cluster::locate_existing(&self.home))
        {
            running.interrupt();
        }
    }
}

/// Whether nobody else uses the server and nobody wants it kept; call with `postgres.lock` held.
fn last_user(home: &Path, users: &File) -> bool {
    let others = users.unlock().is_err() || users.try_lock().is_err();
    !others && !home.join(KEPT_UP).exists()
}

/// Uses the private cluster of `home`: makes it when it is missing, starts it when it is down.
/// `pg_bin` is the directory of Postgres' programs; without it they are searched for. Blocks.
///
/// # Errors
/// [`Kind::NotInstalled`] or [`Kind::Postgres`] when Postgres is not installed, cannot make the cluster or does not start.
pub(crate) fn open(home: &Path, pg_bin: Option<&Path>) -> Result<Lease> {
    let home = canonical(home)?;
    let _deciding = lock::exclusive(&home.join(LOCK))?;
    let users = lock::open(&home.join(USERS))?;
    users.lock_shared().doing_with(|| format!("lock {}", home.join(USERS).display()))?;
    let cluster = Cluster::locate(&home)?;
    let running = match server::settled(&cluster.data)? {
        Some(running) => running,
        None => {
            let programs = Programs::find(pg_bin, cluster.version()?)?;
            cluster.init(&programs)?;
            server::start(&cluster, &programs)?
        }
    };
    Ok(Lease { home, running, users: Some(users) })
}

/// The server of `home`, if it runs.
///
/// # Errors
/// When the home directory cannot be read.
pub(crate) fn status(home: &Path) -> Result<Option<Running>> {
    if !home.exists() {
        return Ok(None);
    }
    Ok(server::probe(&Cluster::locate_existing(&canonical(home)?)))
}

/// Keeps the server running past its last user, until [`release`].
///
/// # Errors
/// When the marker cannot be written.
pub(crate) fn keep_up(home: &Path) -> Result<()> {
    let home = canonical(home)?;
    let _deciding = lock::exclusive(&home.join(LOCK))?;
    let marker = home.join(KEPT_UP);
    std::fs::write(&marker, "kiln up\n").doing_with(|| format!("write {}", marker.display()))
}

/// Undoes [`keep_up`], leaving it to the last user to stop the server.
///
/// # Errors
/// When the marker cannot be removed.
pub(crate) fn let_go(home: &Path) -> Result<()> {
    let home = canonical(home)?;
    let _deciding = lock::exclusive(&home.join(LOCK))?;
    unmark(&home)
}

fn unmark(home: &Path) -> Result<()> {
    let marker = home.join(KEPT_UP);
    match std::fs::remove_file(&marker) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing_with(|| format!("remove {}", marker.display()))
        }
        _ => Ok(()),
    }
}

/// Whether [`keep_up`] was called.
pub(crate) fn is_kept_up(home: &Path) -> bool {
    home.join(KEPT_UP).exists()
}

/// Undoes [`keep_up`] and stops the server at once. Answers whether one was running.
///
/// # Errors
/// [`Kind::InUse`], with nothing changed, while another kiln command uses the server;
/// [`Kind::PostgresStays`] when it does not stop within 30 s.
pub(crate) fn release(home: &Path) -> Result<bool> {
    let home = canonical(home)?;
    let _deciding = lock::exclusive(&home.join(LOCK))?;
    let users = lock::open(&home.join(USERS))?;
    if users.try_lock().is_err() {
        let message =
            format!("the private Postgres in {} is used by another kiln command", home.display());
        return Err(Error::new(Kind::InUse, message));
    }
    unmark(&home)?;
    stop_running(&home)
}

/// Stops the server whoever uses it. Answers whether one was running. Blocks up to 30 s.
///
/// # Errors
/// [`Kind::PostgresStays`] when it does not stop, naming its process.
pub(crate) fn stop(home: &Path) -> Result<bool> {
    let home = canonical(home)?;
    let _deciding = lock::exclusive(&home.join(LOCK))?;
    stop_running(&home)
}

fn stop_running(home: &Path) -> Result<bool> {
    match server::settled(&Cluster::locate_existing(home))? {
        Some(running) => running.stop().map(|()| true),
        None => Ok(false),
    }
}
