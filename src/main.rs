//! kiln: args → command → exit code; nothing else.

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser as _;
use futures_util::FutureExt as _;
use kiln::cli::Cli;
use kiln::error::{Exit, exit_of, render};

fn main() -> ExitCode {
    // clap's own exit code for a wrong command line is 2, which is what kiln's is.
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("kiln: cannot start: {error}");
            return ExitCode::from(Exit::Bug.code());
        }
    };
    let code = runtime.block_on(async {
        let outcome = match kiln::stop::listen() {
            // A panic is a bug, and is told as one; what it left behind the next run clears.
            Ok(stop) => AssertUnwindSafe(kiln::command::dispatch(cli, stop))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(anyhow::anyhow!("kiln panicked; this is a bug"))),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => {
                tracing::info!(code = 0, "end");
                0
            }
            Err(error) => {
                let code = kiln::stop::exit_code().unwrap_or(exit_of(&error).code());
                eprintln!("kiln: {}", render(&error));
                tracing::error!(code, error = render(&error), "end");
                code
            }
        }
    });
    // Threads that still read a body must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}
