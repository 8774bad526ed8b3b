//! What is known of one database, in the words of `kiln status`.

use serde::Serialize;

use super::Build;
use super::control::Contract;

/// What `kiln status` says of one database.
#[derive(Debug, Serialize)]
pub struct DatabaseStatus {
    /// The database.
    pub database: String,
    /// The build that apps read.
    pub live: Option<Build>,
    /// Seconds since it was sealed.
    pub age_seconds: Option<i64>,
    /// The other builds, oldest first.
    pub others: Vec<Build>,
    /// What apps accept.
    pub contracts: Vec<Contract>,
    /// The run that holds the lock now.
    pub running: Option<RunLine>,
    /// The last run that ended.
    pub last: Option<RunLine>,
    /// The last run that failed, if none has succeeded since.
    pub failed: Option<RunLine>,
}

/// A run, as the history has it.
#[derive(Debug, Serialize)]
pub struct RunLine {
    /// The run's id.
    pub run: String,
    /// Its command.
    pub command: String,
    /// Its build.
    pub build: Option<String>,
    /// When it began.
    pub started: String,
    /// Its exit code; `None` while it runs, or when it was killed.
    pub exit_code: Option<i32>,
    /// Its error.
    pub error: Option<String>,
    /// The command that goes on from there.
    pub next: Option<String>,
}
