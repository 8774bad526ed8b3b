//! The named points at which a test may make kiln fail, stall or die.
//!
//! Every stage has at least one; `tests/faults.rs` loops over [`ALL`], so that a new point is
//! covered the moment it is named. They are alive in debug builds and with the `failpoints`
//! feature; in a release build [`hit`] is an empty function.
//!
//! `KILN_FAILPOINT=name=action`, with the actions `error`, `panic`, `term` (SIGTERM to
//! itself), `kill` (SIGKILL to itself) and `pause:FILE` (writes FILE and waits until it is
//! removed, so that a test can do something from outside at this very moment). A point that
//! is met several times (by every file, say) acts at the first: a second SIGTERM would be
//! another order, and a second pause would have nobody to end it.

/// After the run's lock is held, before anything else.
pub const LOCKED: &str = "locked";
/// After the build's name is seen free and noted, before CREATE DATABASE.
pub const NAMED: &str = "named";
/// After CREATE DATABASE, before any table.
pub const CREATED: &str = "created";
/// After the tables are made and every spec is bound to them.
pub const PRE_DATA: &str = "pre-data";
/// After the manifest is written to the build.
pub const MANIFEST: &str = "manifest";
/// After an archive's directory is read.
pub const FETCH: &str = "fetch";
/// After the first chunk of rows is on its way.
pub const COPY: &str = "copy";
/// After all rows are sent, before COPY is finished.
pub const COPY_FINISH: &str = "copy-finish";
/// After a source is proved and noted as loaded.
pub const SOURCE: &str = "source";
/// After keys and indexes are built.
pub const POST_DATA: &str = "post-data";
/// After VACUUM and ANALYZE.
pub const FREEZE: &str = "freeze";
/// After the checks passed.
pub const CHECK: &str = "check";
/// After grants and the stamp, before the seal is committed.
pub const SEAL: &str = "seal";
/// After the seal.
pub const SEALED: &str = "sealed";
/// Inside the swap's transaction, after the gate, before the renames.
pub const GATE: &str = "gate";
/// Inside the swap's transaction, after both renames, before COMMIT.
pub const RENAMED: &str = "renamed";
/// After the swap is committed.
pub const SWAPPED: &str = "swapped";
/// Before the first leftover is dropped.
pub const PRUNE: &str = "prune";

/// After a build's file is written, before it takes its name; met by `kiln subset --to`, and by
/// no night.
pub const EXPORT: &str = "export";

/// After a swap of databases on several servers is noted, before the first rename; met by no night.
pub const JOINT_NOTED: &str = "joint-noted";
/// After the databases of one server are renamed, before the next server's; met by no night.
pub const JOINT_RENAMED: &str = "joint-renamed";
/// After the last is renamed, before the note is ended; met by no night.
pub const JOINT_DONE: &str = "joint-done";
/// After one database is swapped back, before the next; met by no night.
pub const JOINT_BACK: &str = "joint-back";

/// Every point, in the order that a night meets them.
pub const ALL: [&str; 18] = [
    LOCKED,
    NAMED,
    CREATED,
    PRE_DATA,
    MANIFEST,
    FETCH,
    COPY,
    COPY_FINISH,
    SOURCE,
    POST_DATA,
    FREEZE,
    CHECK,
    SEAL,
    SEALED,
    GATE,
    RENAMED,
    SWAPPED,
    PRUNE,
];

/// Whether the point was met before.
#[cfg(any(debug_assertions, feature = "failpoints"))]
static HIT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Does what `KILN_FAILPOINT` says for this point.
///
/// # Errors
/// When the failpoint's action is `error`.
#[cfg(any(debug_assertions, feature = "failpoints"))]
pub fn hit(name: &str) -> anyhow::Result<()> {
    use std::sync::atomic::Ordering;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let Some(said) = crate::config::failpoint() else { return Ok(()) };
    let Some((point, action)) = said.split_once('=') else { return Ok(()) };
    if point != name || HIT.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let signal_self = |signal: Signal| {
        kill(Pid::this(), signal).expect("a process may signal itself");
        // The signal's effect arrives through the runtime; nothing may overtake it.
        let began = std::time::Instant::now();
        while crate::config::stop::exit_code().is_none() && began.elapsed().as_secs() < 5 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    match action {
        "error" => anyhow::bail!("failpoint {name}"),
        "panic" => panic!("failpoint {name}"),
        "term" => signal_self(Signal::SIGTERM),
        "kill" => signal_self(Signal::SIGKILL),
        other => {
            // Once: sources meet a point side by side, and a pause is to end when FILE goes.
            static PAUSED: std::sync::atomic::AtomicBool =
                std::sync::atomic::AtomicBool::new(false);
            if let Some(file) = other.strip_prefix("pause:")
                && !PAUSED.swap(true, std::sync::atomic::Ordering::SeqCst)
            {
                let _ = std::fs::write(file, name);
                while std::path::Path::new(file).exists() {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
            }
        }
    }
    Ok(())
}

/// Nothing, in a release build.
#[cfg(not(any(debug_assertions, feature = "failpoints")))]
#[inline]
pub fn hit(_name: &str) -> anyhow::Result<()> {
    Ok(())
}
