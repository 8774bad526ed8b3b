//! What a swap or a rollback did, or would do.

use serde_json::json;

use super::notable;
use crate::catalog::ledger::{GateEntry, Promotion};

/// One promotion on one line.
pub(super) fn promoted(database: &str, promotion: &Promotion) -> String {
    let Promotion { from, to, milliseconds, sessions_ended, .. } = promotion;
    let before = from.as_deref().unwrap_or("nothing");
    let sessions = if *sessions_ended == 1 { "session was" } else { "sessions were" };
    format!(
        "{database} is now {to} (before: {before}); readers waited {milliseconds} ms at most, \
         {sessions_ended} {sessions} ended"
    )
}

/// What it means to be rolled away from.
fn rejected(database: &str, promotion: &Promotion, dry_run: bool) {
    let Some(build) = &promotion.rejected else { return };
    let is = if dry_run { "would be" } else { "is" };
    say!(
        "{build} {is} rejected: what only it has read comes back by \
         `kiln waive {database} rejected --why \"REASON\"`"
    );
}

/// The outcome of `kiln swap` and `kiln rollback`, a database each; without a promotion the gates refused.
pub(crate) fn promotions(
    all: &[(String, Option<Promotion>, Vec<GateEntry>)],
    dry_run: bool,
    as_json: bool,
) {
    if as_json {
        let each = all.iter().map(|(database, promotion, gates)| {
            json!({
                "database": database, "dry_run": dry_run, "promotion": promotion, "gates": gates,
            })
        });
        return one_or_all(each.collect());
    }
    for (database, promotion, gates) in all {
        let Some(promotion) = promotion else { continue };
        if dry_run {
            let before = promotion.from.as_deref().unwrap_or("nothing");
            say!("{database} would go from {before} to {}; the gate agrees", promotion.to);
        } else {
            say!("{}", promoted(database, promotion));
        }
        rejected(database, promotion, dry_run);
        notable(gates);
        promotion.notes.iter().for_each(|note| say!("  note: {note}"));
    }
}

/// The outcome of `kiln swap` for builds that are live.
pub(crate) fn are_live_already(all: &[(&str, &str)], as_json: bool) {
    if as_json {
        let each = all.iter().map(
            |(database, build)| json!({ "database": database, "promotion": null, "live": build }),
        );
        return one_or_all(each.collect());
    }
    all.iter().for_each(|(database, build)| say!("{database} is {build} already"));
}

/// One document: that of the one database, or of several.
fn one_or_all(mut each: Vec<serde_json::Value>) {
    match each.len() {
        1 => each.pop().iter().for_each(|one| say!("{one}")),
        _ => say!("{}", json!({ "databases": each })),
    }
}
