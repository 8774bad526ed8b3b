//! What the packages say went wrong, as failures of kiln: with an exit code, and the command that helps.

use crate::dev::{servers, synth};
use crate::error::{Exit, Failure, shell};

/// An error of the private servers.
pub fn of_servers(error: servers::Error) -> anyhow::Error {
    use servers::Kind;
    let another_home = "use another home: KILN_HOME=… kiln up";
    let (exit, hint) = match error.kind() {
        // Nothing that kiln expects of the system that it runs on.
        Kind::System => return error.into(),
        Kind::Broken(file) => (Exit::Usage, Some(format!("rm {}", shell::path(file)))),
        Kind::Served => (Exit::Locked, Some("kiln down".to_owned())),
        Kind::InUse => (Exit::Locked, Some("wait until it is done, then: kiln down".to_owned())),
        Kind::NotInstalled(version) => {
            let suffix = version.as_ref().map(|version| format!("-{version}")).unwrap_or_default();
            let hint = format!(
                "apt-get install postgresql{suffix}, or set KILN_PG_BIN to its bin directory"
            );
            (Exit::Database, Some(hint))
        }
        Kind::NoUser => (Exit::Database, Some("useradd --system postgres".to_owned())),
        Kind::Foreign => {
            (Exit::Database, Some(format!("it belongs to another user; {another_home}")))
        }
        Kind::PlaceTaken => (Exit::Database, Some(format!("remove it, or {another_home}"))),
        Kind::Postgres(log) => {
            (Exit::Database, log.as_ref().map(|log| format!("see {}", log.display())))
        }
        Kind::PostgresStays(pid) => (Exit::Database, Some(format!("kill -QUIT {pid}"))),
        Kind::S3(log) => (Exit::InputUnavailable, Some(format!("see {}", log.display()))),
        Kind::S3Stays(pid) => (Exit::InputUnavailable, Some(format!("kill -KILL {pid}"))),
    };
    let mut failure = Failure::new(exit, error.to_string());
    failure.hint = hint;
    match error.into_cause() {
        Some(cause) => failure.because(cause).into(),
        None => failure.into(),
    }
}

/// An error of the generator.
pub fn of_synth(error: synth::Error) -> anyhow::Error {
    use synth::Error::{Night, Scale, Sizes, Write};
    let failure = Failure::new(Exit::Usage, error.to_string());
    match error {
        Scale(_) => failure.hint("kiln synth --scale 0.01, a hundredth of CMS's release").into(),
        Night(_) | Sizes(_) => failure.into(),
        // What is written to knows what it means: a disk, an upload that ended.
        Write(error) => error.into(),
    }
}
