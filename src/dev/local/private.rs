//! The servers of the package, with errors that are kiln's.

use std::path::{Path, PathBuf};

use crate::dev::failures::of_servers;
use crate::dev::servers;
use crate::error::{Exit, Failure};
use crate::fetch::store::Access;

pub(crate) use crate::dev::servers::Lease;

/// The private S3 endpoint in use.
pub(crate) struct S3Lease(servers::S3Lease);

impl S3Lease {
    /// How to speak to it.
    pub(crate) fn access(&self) -> Access {
        let servers::S3Local { endpoint, region, credentials, .. } = self.0.s3.clone();
        let servers::Credentials { access_key, secret_key } = credentials;
        Access { endpoint, region, access_key, secret_key }
    }

    /// Ends the endpoint if it is of this process, once its requests are done.
    pub(crate) async fn close(self) {
        self.0.close().await;
    }
}

/// A Postgres of nobody else, in a folder that goes with it.
pub(crate) struct ThrowAway {
    lease: Lease,
    _folder: tempfile::TempDir,
}

impl ThrowAway {
    /// Starts it.
    ///
    /// # Errors
    /// [`Exit::Database`] when Postgres is not installed or does not start.
    pub(crate) async fn start(pg_bin: Option<&Path>) -> anyhow::Result<ThrowAway> {
        let folder = tempfile::tempdir().map_err(|error| {
            Failure::new(Exit::Usage, "cannot make a folder for a throw-away cluster")
                .because(error)
        })?;
        Ok(ThrowAway { lease: open_postgres(folder.path(), pg_bin).await?, _folder: folder })
    }

    /// The superuser's URL.
    pub(crate) fn url(&self) -> String {
        self.lease.url()
    }

    /// Stops it, and all that is in it is gone.
    ///
    /// # Errors
    /// [`Exit::Database`] when it does not stop.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        close_postgres(self.lease).await
    }
}

/// Uses the private Postgres of `home`; give it back with [`close_postgres`].
///
/// # Errors
/// [`Exit::Database`] when Postgres is not installed or does not start.
pub(crate) async fn open_postgres(home: &Path, pg_bin: Option<&Path>) -> anyhow::Result<Lease> {
    servers::open_postgres(home, pg_bin).await.map_err(of_servers)
}

/// Leaves the private Postgres as it was found.
///
/// # Errors
/// [`Exit::Database`] when it does not stop.
pub(crate) async fn close_postgres(lease: Lease) -> anyhow::Result<()> {
    servers::close_postgres(lease).await.map_err(of_servers)
}

/// Uses the private S3 endpoint of `home`.
///
/// # Errors
/// When the home cannot be used or no port is free.
pub(crate) async fn open_s3(home: &Path) -> anyhow::Result<S3Lease> {
    servers::open_s3(home).await.map(S3Lease).map_err(of_servers)
}

/// The file of the home's own hash key; makes it at the first call.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn hash_key(home: &Path) -> anyhow::Result<PathBuf> {
    servers::hash_key(home).map_err(of_servers)
}

/// The URL of the private Postgres of `home`, where it runs.
///
/// # Errors
/// [`Exit::Database`] where it does not.
pub(crate) async fn running_postgres(home: &Path) -> anyhow::Result<String> {
    let status = servers::status(home).await.map_err(of_servers)?;
    status.postgres.map(|running| running.url()).ok_or_else(|| {
        Failure::new(Exit::Database, "the private Postgres is not up").hint("kiln up").into()
    })
}

/// Starts both servers and leaves them up.
///
/// # Errors
/// [`Exit::Database`] when Postgres is not installed or does not start.
pub(crate) async fn up(home: &Path, pg_bin: Option<&Path>) -> anyhow::Result<servers::Up> {
    servers::up(home, pg_bin).await.map_err(of_servers)
}

/// Stops both servers.
///
/// # Errors
/// [`Exit::Locked`] while another kiln uses one, [`Exit::Database`] when one does not stop.
pub(crate) async fn down(home: &Path) -> anyhow::Result<servers::Down> {
    servers::down(home).await.map_err(of_servers)
}

/// Serves the S3 endpoint of `home` until a signal.
///
/// # Errors
/// [`Exit::Locked`] when another process serves it.
pub(crate) async fn serve_s3(home: &Path) -> anyhow::Result<()> {
    servers::serve_s3(home).await.map_err(of_servers)
}
