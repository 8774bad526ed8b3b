//! What apps accept, as `kiln contract` says it.

use super::TextTable;
use crate::catalog::registry::contract::Contract;
use crate::catalog::stamp::StampVersion;

/// The outcome of `kiln contract set`.
pub(crate) fn contract_set(contract: &Contract, unmet: Option<&StampVersion>, dry_run: bool) {
    let verb = if dry_run { "would accept" } else { "accepts" };
    let Contract { database, app, .. } = contract;
    say!("{app} {verb} {database} {}", contract.words());
    if let Some(stamp) = unmet {
        say!(
            "  note: {} is live with version {}: no build of that version goes live until {app} accepts it",
            stamp.build,
            stamp.version
        );
    }
}

/// The outcome of `kiln contract remove`.
pub(crate) fn contract_removed(database: &str, app: &str, is_last: bool, dry_run: bool) {
    let verb = if dry_run { "would be asked" } else { "is asked" };
    say!("{app} {verb} no more about {database}");
    if is_last {
        say!("  note: no other app has said what it accepts: nothing goes live until one does");
    }
}

/// The outcome of `kiln contract list`.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn contracts(all: &[Contract], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    let mut table = TextTable::new(&["database", "app", "accepts"]);
    for contract in all {
        table.row(vec![contract.database.clone(), contract.app.clone(), contract.words()]);
    }
    table.print();
    Ok(())
}
