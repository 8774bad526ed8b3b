//! An error as data: what `--json` prints, and what stands in `kiln.task.error` and `kiln.run.failure`.

use serde::{Deserialize, Serialize};

use super::{Exit, Failure, Position, exit_of, hint_of, message_of, position_of, sqlstate_of};

/// All that is known of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The exit code's word ([`Exit::kind`]).
    #[serde(default)]
    pub kind: String,
    /// The exit code that it asks for.
    pub exit_code: u8,
    /// For people: the chain on one line.
    pub message: String,
    /// The command that helps.
    #[serde(default)]
    pub hint: Option<String>,
    /// What the server answered.
    #[serde(default)]
    pub sqlstate: Option<String>,
    /// Where it has its place.
    #[serde(default)]
    pub position: Position,
}

impl ErrorRecord {
    /// Of an error.
    pub fn of(error: &anyhow::Error) -> ErrorRecord {
        let exit = exit_of(error);
        ErrorRecord {
            kind: exit.kind().to_owned(),
            exit_code: exit.code(),
            message: message_of(error),
            hint: hint_of(error).map(|hint| super::redacted(hint).into_owned()),
            sqlstate: sqlstate_of(error).map(str::to_owned),
            position: position_of(error),
        }
    }

    /// The same with another exit: a signal says how a process ends, whatever stopped first.
    #[must_use]
    pub fn ending(self, exit: Exit) -> ErrorRecord {
        ErrorRecord { kind: exit.kind().to_owned(), exit_code: exit.code(), ..self }
    }

    /// Whether another attempt may go better, without a person.
    pub fn is_again(&self) -> bool {
        Exit::of_code(self.exit_code).is_some_and(Exit::is_again)
    }

    /// It as an error.
    pub fn into_error(self) -> anyhow::Error {
        let exit = Exit::of_code(self.exit_code).unwrap_or(Exit::Bug);
        let mut failure = Failure::new(exit, self.message).at(self.position);
        (failure.hint, failure.sqlstate) = (self.hint, self.sqlstate);
        failure.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::at;

    #[test]
    fn a_record_gives_the_same_error_again() {
        let place = Position::at_line(7).column(Some("ndc"));
        let failure = Failure::new(Exit::InputRejected, "is short").hint("kiln status").at(place);
        let error = failure.sqlstate("22001").into();
        let error = at(error, Position::in_object("a.zip", "b.txt")).context("source x");
        let record = ErrorRecord::of(&error);
        assert_eq!((record.kind.as_str(), record.exit_code), ("input-rejected", 11));
        assert_eq!(record.position.object.as_deref(), Some("a.zip"));
        assert_eq!(
            (record.position.line, record.message.as_str()),
            (Some(7), "source x: is short")
        );
        assert_eq!(ErrorRecord::of(&record.clone().into_error()), record);
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json["position"]["column"], "ndc");
        assert_eq!(serde_json::from_value::<ErrorRecord>(json).unwrap(), record);
    }

    #[test]
    fn a_record_of_a_kiln_before_is_read() {
        let old = serde_json::json!({ "message": "m", "exit_code": 12 });
        let record: ErrorRecord = serde_json::from_value(old).unwrap();
        assert!(record.is_again() && record.position.is_empty());
    }
}
