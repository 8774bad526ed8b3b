//! What goes wrong with the servers: a message for people, and a kind for whoever decides what to do.

use std::fmt;
use std::path::PathBuf;

/// What the functions here return.
pub type Result<T> = std::result::Result<T, Error>;

/// An error that caused another.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What went wrong, with what it takes to say what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The operating system refused something.
    System,
    /// This file of the home is not what was written there.
    Broken(PathBuf),
    /// Another process serves the home's S3 already.
    Served,
    /// What is to be stopped is used.
    InUse,
    /// Postgres is not installed; not in this major version, where only that one will do.
    NotInstalled(Option<String>),
    /// Postgres does not run as root, and there is no other user for it.
    NoUser,
    /// The cluster is another user's.
    Foreign,
    /// Something else lies where a directory of the cluster is to be.
    PlaceTaken,
    /// Postgres cannot be set up or started; its log says more, where there is one.
    Postgres(Option<PathBuf>),
    /// The Postgres of this process id does not stop.
    PostgresStays(i32),
    /// The S3 endpoint does not start; its log says more.
    S3(PathBuf),
    /// The S3 endpoint of this process id does not stop.
    S3Stays(i32),
}

/// An error of the servers.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    cause: Option<Cause>,
}

impl Error {
    /// One of this kind.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), cause: None }
    }

    /// Chains the error that caused this one.
    pub(crate) fn because(self, cause: impl Into<Cause>) -> Error {
        Error { cause: Some(cause.into()), ..self }
    }

    /// The error that caused this one.
    pub fn into_cause(self) -> Option<Cause> {
        self.cause
    }

    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// Says what was being done when the operating system refused.
pub(crate) trait Doing<T> {
    /// What was being done.
    fn doing(self, what: &str) -> Result<T>;
    /// The same, made up only when it is needed.
    fn doing_with(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Cause>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: &str) -> Result<T> {
        self.doing_with(|| what.to_owned())
    }

    fn doing_with(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error::new(Kind::System, what()).because(cause))
    }
}
