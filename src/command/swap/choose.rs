//! Which build a swap or a rollback means.

use crate::catalog::registry::Build;
use crate::catalog::registry::waiver::{Gate, Waiver, covers};
use crate::error::{Exit, Failure};
use crate::plan::manifest;
use crate::release::swap::{candidate, previous, rejected};

/// The build to go back to.
///
/// # Errors
/// [`Exit::SwapNotPossible`] where there is none.
pub(super) fn previous_of<'b>(database: &str, all: &'b [Build]) -> anyhow::Result<&'b Build> {
    previous(all, database).ok_or_else(|| {
        not_possible(database, format!("{database} has no previous build to go back to"))
    })
}

/// The build of this name.
///
/// # Errors
/// [`Exit::SwapNotPossible`] where there is none.
pub(super) fn named<'b>(database: &str, all: &'b [Build], name: &str) -> anyhow::Result<&'b Build> {
    let found = all.iter().find(|build| build.own_name() == name);
    found.ok_or_else(|| not_possible(database, format!("{database} has no build {name}")))
}

fn not_possible(database: &str, message: String) -> anyhow::Error {
    let hint = format!("kiln status {database}");
    Failure::new(Exit::SwapNotPossible, message).hint(hint).into()
}

/// What is meant where no build is named: the newest that is sealed and was not rolled away from,
/// or of which a waiver says that this does not count.
///
/// # Errors
/// [`Exit::SwapNotPossible`] where there is none; [`Exit::SchemaRefused`] where those that there are were
/// rolled away from.
pub(super) fn newest<'b>(
    database: &str,
    all: &'b [Build],
    waivers: &[Waiver],
) -> anyhow::Result<&'b Build> {
    let rejected = rejected(all, database);
    let is_waived =
        |build: &&&Build| covers(waivers, Gate::Rejected, None, Some(build.own_name())).is_some();
    let waived = rejected.iter().find(is_waived).copied();
    let found = candidate(all, database).into_iter().chain(waived);
    if let Some(newest) = found.max_by_key(|build| build.number()) {
        return Ok(newest);
    }
    let message = format!("{database} has no sealed build newer than the live one");
    let Some((build, word)) = rejected.first().and_then(|b| Some((b, b.rejected()?))) else {
        let hint = format!("kiln build {database}");
        return Err(Failure::new(Exit::SwapNotPossible, message).hint(hint).into());
    };
    let message =
        format!("{message} but {}, which was rolled away from ({word})", build.own_name());
    let hint = format!(
        "if it was right after all: {} && kiln swap {database}",
        manifest::rejected::hint(database)
    );
    Err(Failure::new(Exit::SchemaRefused, message).hint(hint).into())
}
