//! What `kiln prune` dropped and what stays, and why; and what is on hold.

use serde::Serialize;
use serde_json::json;

use crate::catalog::registry::Word;
use crate::catalog::registry::retention::Fate;

/// What became of one database's builds.
#[derive(Debug, Serialize)]
pub(crate) struct Pruned {
    database: String,
    dropped: Vec<String>,
    stays: Vec<Stays>,
}

/// A build that stays.
#[derive(Debug, Serialize)]
struct Stays {
    build: String,
    why: String,
    held: bool,
}

impl Pruned {
    /// These were dropped; what became of the others is their fate.
    pub(crate) fn new(database: &str, dropped: Vec<String>, fates: &[Fate<'_>]) -> Pruned {
        let stays = fates.iter().filter(|fate| fate.stays).map(|fate| Stays {
            build: fate.build.own_name().to_owned(),
            why: fate.why.clone(),
            held: fate.build.held().is_some(),
        });
        Pruned { database: database.to_owned(), dropped, stays: stays.collect() }
    }
}

/// The outcome of `kiln prune`.
pub(crate) fn pruned(all: &[Pruned], dry_run: bool, as_json: bool, quiet: bool) {
    if as_json {
        say!("{}", json!({ "dry_run": dry_run, "databases": all }));
        return;
    }
    let verb = if dry_run { "would drop" } else { "dropped" };
    for Pruned { database, dropped, stays } in all.iter().filter(|_| !quiet) {
        let said = if dropped.is_empty() { "nothing".to_owned() } else { dropped.join(", ") };
        say!("{database}: {verb} {said}");
        for Stays { build, why, .. } in stays {
            say!("  {build} stays: {why}");
        }
    }
}

/// The outcome of `kiln hold` and `kiln unhold`, with the word that stood before.
pub(crate) fn held(
    build: &str,
    holds: bool,
    before: Option<&Word>,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) {
    if as_json {
        let said = json!({ "dry_run": dry_run, "build": build, "held": holds, "before": before });
        say!("{said}");
        return;
    }
    if quiet {
        return;
    }
    let verb = if dry_run { "would be" } else { "is" };
    match (holds, before) {
        (true, None) => say!("{build} {verb} on hold"),
        (true, Some(word)) => say!("{build} {verb} on hold (before: {word})"),
        (false, Some(word)) => say!("{build} {verb} left to retention again (before: {word})"),
        (false, None) => say!("{build} was not on hold"),
    }
}
