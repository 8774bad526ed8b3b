//! How an error is reported: the one function that makes text of it, and the one that makes JSON of it. Rooms below
//! carry it as a value.

use serde_json::{Value, json};

use super::say::{error_line, is_said};
use crate::config::stop;
use crate::error::{ErrorRecord, Exit, hint_of, message_of, redacted};

/// An error as people read it: the chain on one line, then the innermost hint.
pub fn text(error: &anyhow::Error) -> String {
    match hint_of(error) {
        Some(hint) => format!("{}\nhint: {}", message_of(error), redacted(hint)),
        None => message_of(error),
    }
}

/// All that is known of an error, and how the process ends by it: a signal has the last word.
pub(crate) fn record(error: &anyhow::Error) -> ErrorRecord {
    let record = ErrorRecord::of(error);
    match stop::exit_code().and_then(Exit::of_code) {
        Some(exit) => record.ending(exit),
        None => record,
    }
}

/// An error as scripts and the history read it.
pub(crate) fn json(record: &ErrorRecord) -> Value {
    json!(record)
}

/// Tells how the process fails: people on standard error, and with `--json` scripts as well. Gives the exit code.
pub(crate) fn failed(error: &anyhow::Error, as_json: bool) -> u8 {
    error_line(format_args!("kiln: {}", text(error)));
    if as_json {
        in_json(error);
    }
    record(error).exit_code
}

/// Tells scripts alone: what clap refuses it has told people itself. A command prints one document: the error is
/// it where there is no other, and the last line of standard error where there is.
pub(crate) fn in_json(error: &anyhow::Error) {
    let document = json!({ "error": json(&record(error)) });
    match is_said() {
        true => error_line(format_args!("{document}")),
        false => say!("{document}"),
    }
}
