//! The stop signal: SIGTERM and SIGINT ask every stage to stop and clean up; the second one,
//! or ten seconds, ends the process at once.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::Exit;

/// Clean-up takes at most this long; a crash is safe, a hang is not.
const PATIENCE: Duration = Duration::from_millis(9500);

static EXIT_CODE: AtomicU8 = AtomicU8::new(0);

/// Listens for the signals; the token is cancelled by the first.
///
/// # Errors
/// When the handlers cannot be set.
pub(crate) fn listen() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    let stop = token.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let first = tokio::select! {
            _ = terminate.recv() => Exit::Terminated,
            _ = interrupt.recv() => Exit::Interrupted,
        };
        EXIT_CODE.store(first.code(), Ordering::SeqCst);
        stop.cancel();
        tracing::warn!(signal = first.meaning(), "stopping");
        let second = tokio::select! {
            _ = terminate.recv() => Exit::Terminated,
            _ = interrupt.recv() => Exit::Interrupted,
            () = tokio::time::sleep(PATIENCE) => first,
        };
        std::process::exit(second.code().into());
    });
    Ok(token)
}

/// The exit code of the signal that came; `None` when none came.
pub(crate) fn exit_code() -> Option<u8> {
    Some(EXIT_CODE.load(Ordering::SeqCst)).filter(|code| *code != 0)
}
