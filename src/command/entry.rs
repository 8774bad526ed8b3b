//! The process: arguments, command, exit code. A plain function, so that the program is compiled once, into
//! the library, and not a second time into its entry.

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser as _;
use futures_util::FutureExt as _;

use crate::command::cli::Cli;
use crate::command::dispatch;
use crate::config::environment::asks_for_json;
use crate::error::{Exit, Failure};
use crate::report;
use crate::report::say::{all_is_written, error_line};

/// Does what the command line says, and gives the process's exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) => return help_or_usage(&asked),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            error_line(format_args!("kiln: cannot start: {error}"));
            return ExitCode::from(Exit::Bug.code());
        }
    };
    let code = runtime.block_on(async {
        let outcome = match crate::config::stop::listen() {
            // A panic is a bug, and is reported as one; what it left behind the next run clears.
            Ok(stop) => AssertUnwindSafe(dispatch(cli, stop))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(anyhow::anyhow!("kiln panicked; this is a bug"))),
            Err(error) => Err(error),
        };
        match outcome.and_then(|()| all_is_written()) {
            Ok(()) => {
                tracing::info!(code = 0, "end");
                0
            }
            Err(error) => {
                let code = report::error::failed(&error, asks_for_json());
                tracing::error!(code, error = report::error::text(&error), "end");
                code
            }
        }
    });
    // Threads that still read a body must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Help and version are output like any other; a wrong command line ends with clap's own exit code,
/// 2, which is what kiln's is.
fn help_or_usage(asked: &clap::Error) -> ExitCode {
    let printed = asked.print();
    if asked.use_stderr() {
        if asks_for_json() {
            let message = asked.render().to_string();
            let failure = Failure::new(Exit::Usage, message.trim_start_matches("error: ").trim());
            report::error::in_json(&failure.into());
        }
        return ExitCode::from(Exit::Usage.code());
    }
    report::say::note(printed);
    match all_is_written() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(report::error::failed(&error, false)),
    }
}
