//! Waivers, for people and for scripts.

use serde_json::json;

use crate::catalog::registry::waiver::{NewWaiver, Waiver};

/// A waiver that stands, on one line.
pub(crate) fn waived(waiver: &Waiver) -> String {
    let Waiver { why, login, host, at, .. } = waiver;
    format!("waived: {} ({why}; {login} on {host}, {at})", waiver.scope())
}

/// The outcome of `kiln waive`.
pub(crate) fn waiver(new: &NewWaiver<'_>, id: Option<i64>, as_json: bool, quiet: bool) {
    if as_json {
        say!("{}", json!({ "dry_run": id.is_none(), "id": id, "waiver": new }));
    } else if !quiet {
        let verb = if id.is_some() { "is" } else { "would be" };
        say!("{}: {verb} waived: {}", new.database, new.scope());
    }
}
