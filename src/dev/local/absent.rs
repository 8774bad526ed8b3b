//! No servers: what takes the place of the package in a build without it. The types have no values, so
//! that commands read the same in both builds.

#![expect(clippy::unused_async, reason = "commands read the same with and without private servers")]

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use crate::error::{Exit, Failure};
use crate::fetch::store::Access;

/// The use of a private Postgres that is not there.
pub(crate) struct Lease(Infallible);

impl Lease {
    /// Its URL.
    pub(crate) fn url(&self) -> String {
        match self.0 {}
    }
}

/// The use of a private S3 endpoint that is not there.
pub(crate) struct S3Lease(Infallible);

impl S3Lease {
    /// How to speak to it.
    pub(crate) fn access(&self) -> Access {
        match self.0 {}
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        match self.0 {}
    }
}

/// A throw-away Postgres that is not there.
pub(crate) struct ThrowAway(Infallible);

impl ThrowAway {
    /// Refuses.
    ///
    /// # Errors
    /// [`Exit::Usage`] with the argument that is missing.
    pub(crate) async fn start(_pg_bin: Option<&Path>) -> anyhow::Result<ThrowAway> {
        Err(Failure::new(Exit::Usage, "there is no server to make a scratch database on")
            .hint(
                "--server postgresql://USER@HOST:5432/postgres; the database is dropped at the end",
            )
            .into())
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        match self.0 {}
    }

    /// Stops it.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self.0 {}
    }
}

/// Refuses.
///
/// # Errors
/// [`Exit::Usage`] with the setting that is missing.
pub(crate) async fn open_postgres(_home: &Path, _pg_bin: Option<&Path>) -> anyhow::Result<Lease> {
    Err(no_postgres())
}

/// Gives nothing back.
pub(crate) async fn close_postgres(lease: Lease) -> anyhow::Result<()> {
    match lease.0 {}
}

/// Refuses.
///
/// # Errors
/// [`Exit::Usage`] with the setting that is missing.
pub(crate) async fn open_s3(_home: &Path) -> anyhow::Result<S3Lease> {
    Err(Failure::new(Exit::Usage, "no S3 bucket is configured")
        .hint("KILN_S3_URL=s3://bucket/prefix, or `url` under [s3] in kiln.toml")
        .into())
}

/// Refuses: only a private server has a key of its own.
///
/// # Errors
/// [`Exit::Usage`] with the setting that is missing.
pub(crate) fn hash_key(_home: &Path) -> anyhow::Result<PathBuf> {
    Err(no_postgres())
}

/// Refuses.
///
/// # Errors
/// [`Exit::Usage`] with the setting that is missing.
pub(crate) async fn running_postgres(_home: &Path) -> anyhow::Result<String> {
    Err(no_postgres())
}

/// Refuses.
///
/// # Errors
/// [`Exit::Usage`] with the setting that is missing.
pub(crate) async fn up(_home: &Path, _pg_bin: Option<&Path>) -> anyhow::Result<Lease> {
    Err(no_postgres())
}

fn no_postgres() -> anyhow::Error {
    Failure::new(Exit::Usage, "no Postgres server is configured")
        .hint("KILN_POSTGRES_URL=postgresql://USER@HOST:5432/postgres, or `url` under [postgres] in kiln.toml")
        .into()
}
