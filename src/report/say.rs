//! Standard output for people and scripts. `println!` panics when the reader has gone, and `kiln
//! status | head` is no bug: what nobody reads any more is dropped, and the command ends as it would
//! have. Output that cannot be written for another reason (a full disk) is a failure: it is noted
//! here and said at the end, for by then a night may have gone live.

use std::io::{ErrorKind, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Exit, Failure};

/// Why standard output could not be written, the first time.
static BROKEN: OnceLock<std::io::Error> = OnceLock::new();

/// Whether anything was printed.
static IS_SAID: AtomicBool = AtomicBool::new(false);

/// Prints a line, as `println!` does.
macro_rules! say {
    () => { $crate::report::say::line(format_args!("")) };
    ($($text:tt)*) => { $crate::report::say::line(format_args!($($text)*)) };
}

/// Writes one line to standard output.
pub(crate) fn line(text: std::fmt::Arguments<'_>) {
    IS_SAID.store(true, Ordering::Relaxed);
    note(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Whether a line was written to standard output.
pub(crate) fn is_said() -> bool {
    IS_SAID.load(Ordering::Relaxed)
}

/// Notes how a writing to standard output went.
pub(crate) fn note(outcome: std::io::Result<()>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::BrokenPipe
    {
        // The first says why; a second says the same.
        let _ = BROKEN.set(error);
    }
}

/// Whether all that was said has been written.
///
/// # Errors
/// [`Exit::Usage`] with the reason when it could not be.
pub(crate) fn all_is_written() -> anyhow::Result<()> {
    note(std::io::stdout().lock().flush());
    match BROKEN.get() {
        None => Ok(()),
        Some(error) => Err(Failure::new(
            Exit::Usage,
            format!("cannot write to standard output: {error}; the command itself is done"),
        )
        .hint("kiln status shows what is true now")
        .into()),
    }
}

/// Writes a line to standard error. Where that cannot be written, there is no other place to say so.
pub(crate) fn error_line(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
