//! What can go wrong, as a typed value: exit code, message, hint, SQLSTATE and position. It is made text or
//! JSON in `report`, once, at the end.
//!
//! Errors travel as [`anyhow::Error`]; the innermost [`Failure`] in the chain decides the exit
//! code. An error without a [`Failure`] is a bug in kiln and exits with 1.

mod position;
mod record;
mod secret;
pub(crate) mod shell;

use std::fmt;

pub(crate) use position::Position;
pub(crate) use record::ErrorRecord;
pub(crate) use secret::redacted;

/// The exit codes of every kiln command. They are an interface: numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// A bug in kiln: please report it with the log.
    Bug = 1,
    /// The command line, `kiln.toml`, a source spec or a schema file is wrong.
    Usage = 2,
    /// An input cannot be had: S3, credentials, a missing object, a broken download.
    InputUnavailable = 10,
    /// An input was read and refused: format, header, truncation, too many rejects.
    InputRejected = 11,
    /// Postgres refused or is out of reach: connection, rights, disk.
    Database = 12,
    /// The gate refused: schema version, contract, seal, touched after it, or rolled away from.
    SchemaRefused = 13,
    /// The build's checks found rows that must not be there, counts do not agree, or a gate on data
    /// refused it: `rows`, `nulls`, `older`.
    ChecksFailed = 14,
    /// The swap could not be done in time; the live database is the old one.
    SwapNotPossible = 15,
    /// Another run holds this database's lock.
    Locked = 75,
    /// Interrupted by SIGINT, cleaned up.
    Interrupted = 130,
    /// Stopped by SIGTERM, cleaned up.
    Terminated = 143,
}

impl Exit {
    /// Every code with its meaning, in the order that `--help` prints them.
    pub const ALL: [(Exit, &'static str); 11] = [
        (Exit::Bug, "a bug in kiln"),
        (Exit::Usage, "command line, kiln.toml, source spec or schema file is wrong"),
        (Exit::InputUnavailable, "input unavailable (S3, credentials, missing object)"),
        (Exit::InputRejected, "input rejected (format, header, truncated, reject budget)"),
        (Exit::Database, "Postgres refused or is out of reach (rights, disk)"),
        (Exit::SchemaRefused, "the gate refused (version, contract, seal, touched, rejected)"),
        (Exit::ChecksFailed, "checks failed, counts do not agree, or a gate on data refused"),
        (Exit::SwapNotPossible, "swap not possible; the old build is still live"),
        (Exit::Locked, "another run holds the lock"),
        (Exit::Interrupted, "interrupted (SIGINT), cleaned up"),
        (Exit::Terminated, "terminated (SIGTERM), cleaned up"),
    ];

    /// The number the process exits with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit of a number; `None` where none has it.
    pub fn of_code(code: u8) -> Option<Exit> {
        Exit::ALL.iter().map(|(exit, _)| *exit).find(|exit| exit.code() == code)
    }

    /// Whether the same command may go well later without a person: what an engine that starts it may
    /// retry.
    pub fn is_again(self) -> bool {
        use Exit::{Database, InputUnavailable, Locked, SwapNotPossible};
        matches!(self, InputUnavailable | Database | SwapNotPossible | Locked)
    }

    /// The code's word in JSON. Like the numbers they are an interface.
    pub fn kind(self) -> &'static str {
        match self {
            Exit::Bug => "bug",
            Exit::Usage => "usage",
            Exit::InputUnavailable => "input-unavailable",
            Exit::InputRejected => "input-rejected",
            Exit::Database => "database",
            Exit::SchemaRefused => "gate-refused",
            Exit::ChecksFailed => "checks-failed",
            Exit::SwapNotPossible => "swap-not-possible",
            Exit::Locked => "locked",
            Exit::Interrupted => "interrupted",
            Exit::Terminated => "terminated",
        }
    }

    /// What the code means, in the words of `--help`.
    pub fn meaning(self) -> &'static str {
        Exit::ALL.iter().find(|(exit, _)| *exit == self).map_or("", |(_, meaning)| meaning)
    }
}

/// What came of work side by side: all of it, or the first error. One's error stops the others, and
/// theirs only say that they were stopped.
///
/// # Errors
/// When one of them failed: the first error that is not of the stopping, or else the first.
pub(crate) fn all_or_first_error<T>(
    outcomes: impl IntoIterator<Item = anyhow::Result<T>>,
) -> anyhow::Result<Vec<T>> {
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(done) => all.push(done),
            Err(error) => errors.push(error),
        }
    }
    errors.sort_by_key(|error| exit_of(error) == Exit::Terminated);
    errors.into_iter().next().map_or(Ok(all), Err)
}

/// Several errors as one: the first decides, and each is reported.
///
/// # Errors
/// When there is one at all.
pub(crate) fn together(mut errors: Vec<anyhow::Error>) -> anyhow::Result<()> {
    if errors.len() < 2 {
        return errors.pop().map_or(Ok(()), Err);
    }
    let said: Vec<String> = errors.iter().map(message_of).collect();
    let mut hints: Vec<&str> = errors.iter().filter_map(hint_of).collect();
    hints.dedup();
    let failure = Failure::new(exit_of(&errors[0]), said.join("\n"));
    Err(match hints.is_empty() {
        true => failure,
        false => failure.hint(hints.join("; ")),
    }
    .into())
}

/// An expected failure: it knows its exit code and, where there is one, the command that helps.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Decides the exit code.
    pub exit: Exit,
    /// Operation, object, where, expected and found; lowercase, no full stop.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
    /// Postgres's SQLSTATE, where it is the server that refused: what decisions go by.
    pub sqlstate: Option<String>,
    /// Where in an input or a file it is.
    pub position: Box<Position>,
    cause: Option<Box<dyn std::error::Error + Send + Sync + 'static>>,
}

impl Failure {
    /// A failure with its exit code and message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let (message, position) = (message.into(), Box::default());
        Failure { exit, message, hint: None, sqlstate: None, position, cause: None }
    }

    /// Adds the command that helps.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what the server answered.
    #[must_use]
    pub(crate) fn sqlstate(mut self, code: impl Into<String>) -> Self {
        self.sqlstate = Some(code.into());
        self
    }

    /// Says where it is.
    #[must_use]
    pub(crate) fn at(mut self, position: Position) -> Self {
        *self.position = position;
        self
    }

    /// Chains the error that caused this one.
    #[must_use]
    pub(crate) fn because(
        mut self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// A shorthand used all over: a failure as an `anyhow` error.
pub(crate) fn failure(exit: Exit, message: impl Into<String>) -> anyhow::Error {
    Failure::new(exit, message).into()
}

/// The error of work that a signal stopped; `main` turns it into 130 or 143.
pub(crate) fn stopped() -> anyhow::Error {
    failure(Exit::Terminated, "stopped by a signal")
}

/// An error and its sources on one line.
pub(crate) fn source_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// What to do about a file that is not what it was.
pub(crate) const LAND_AGAIN: &str =
    "get the file again from where it was posted, then: kiln land DATABASE FILE";

/// Carries a failure through an interface that only knows `io::Error` (`Read`, the zip crate);
/// [`from_io`] takes it out again.
pub(crate) fn into_io(error: anyhow::Error) -> std::io::Error {
    match error.downcast::<Failure>() {
        Ok(failure) => std::io::Error::other(failure),
        Err(other) => std::io::Error::other(format!("{other:#}")),
    }
}

/// The failure that an `io::Error` carries; one that carries none means damaged input.
pub fn from_io(error: std::io::Error) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(failure) => failure.into(),
        Err(error) => {
            Failure::new(Exit::InputRejected, "is damaged").hint(LAND_AGAIN).because(error).into()
        }
    }
}

/// The [`Failure`] that decides about this error, if there is one anywhere in its chain.
pub(crate) fn decisive(error: &anyhow::Error) -> Option<&Failure> {
    error.chain().filter_map(|cause| cause.downcast_ref::<Failure>()).last()
}

/// The exit code of an error.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    decisive(error).map_or(Exit::Bug, |failure| failure.exit)
}

/// Postgres's SQLSTATE, where the server refused.
pub(crate) fn sqlstate_of(error: &anyhow::Error) -> Option<&str> {
    let failures = error.chain().filter_map(|cause| cause.downcast_ref::<Failure>());
    failures.filter_map(|failure| failure.sqlstate.as_deref()).last()
}

/// The command that helps: the innermost hint.
pub fn hint_of(error: &anyhow::Error) -> Option<&str> {
    let failures = error.chain().filter_map(|cause| cause.downcast_ref::<Failure>());
    failures.filter_map(|failure| failure.hint.as_deref()).last()
}

/// Where it is: what the innermost failure knows, and what those around it add.
pub(crate) fn position_of(error: &anyhow::Error) -> Position {
    let mut known = Position::default();
    let failures: Vec<&Failure> =
        error.chain().filter_map(|cause| cause.downcast_ref::<Failure>()).collect();
    failures.iter().rev().for_each(|failure| known.fill(&failure.position));
    known
}

/// Adds what is known of the place around an error; what it knows itself stays. An error without a
/// [`Failure`] is a bug, and has no place in an input.
pub(crate) fn at(mut error: anyhow::Error, around: Position) -> anyhow::Error {
    if let Some(failure) = error.downcast_mut::<Failure>() {
        failure.position.fill(&around);
    }
    error
}

/// The chain on one line, without the hint and without the secrets that a cause may repeat.
pub(crate) fn message_of(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let said = cause.to_string();
        if text.ends_with(&said) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&said);
    }
    redacted(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn the_innermost_failure_decides_and_its_hint_is_printed() {
        let error = anyhow::Error::from(
            Failure::new(Exit::InputRejected, "line 3 is short").hint("kiln load druginfo x"),
        )
        .context("source x");
        assert_eq!(exit_of(&error), Exit::InputRejected);
        assert_eq!(message_of(&error), "source x: line 3 is short");
        assert_eq!(hint_of(&error), Some("kiln load druginfo x"));
    }

    #[test]
    fn an_error_without_a_failure_is_a_bug() {
        let error = anyhow::anyhow!("index out of range").context("load");
        assert_eq!(exit_of(&error), Exit::Bug);
    }

    #[test]
    fn what_the_server_answered_is_not_read_out_of_a_text() {
        let full = Failure::new(Exit::Database, "COPY: no room").sqlstate("53100");
        let error = anyhow::Error::from(full).context("source x").context("druginfo is as it was");
        assert_eq!(sqlstate_of(&error), Some("53100"));
        let line = failure(Exit::InputRejected, "x.txt line 53100: has letters (SQLSTATE 53100)");
        assert_eq!(sqlstate_of(&line), None);
    }

    #[test]
    fn every_code_is_listed_once() {
        let codes: std::collections::HashSet<u8> =
            Exit::ALL.iter().map(|(e, _)| e.code()).collect();
        let kinds: std::collections::HashSet<&str> =
            Exit::ALL.iter().map(|(e, _)| e.kind()).collect();
        assert_eq!((codes.len(), kinds.len()), (Exit::ALL.len(), Exit::ALL.len()));
    }

    #[test]
    fn context_does_not_hide_the_exit_code() {
        let error = Err::<(), _>(failure(Exit::Locked, "held")).context("outer").unwrap_err();
        assert_eq!(exit_of(&error), Exit::Locked);
    }
}
