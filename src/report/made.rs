//! What `kiln synth` wrote, member by member, or would write; and what `kiln demo` made.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::{TextTable, seconds};
use crate::catalog::ledger::StageEntry;
use crate::dev::synth::Member;

/// An object that was generated.
#[derive(Debug, Serialize)]
pub(crate) struct GeneratedObject {
    /// The database that it is for.
    pub database: &'static str,
    /// Its file name.
    pub name: String,
    /// Where it is.
    pub location: String,
    /// Its size in bytes; nothing on a dry run.
    pub bytes: Option<u64>,
    /// Its sha256, in hex; nothing on a dry run.
    pub sha256: Option<String>,
    /// Rows of each source that were planned.
    pub planned: Vec<(&'static str, u64)>,
    /// What was written.
    pub members: Vec<Member>,
}

/// The outcome of `kiln synth`, of the first release or a night after it.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn made(all: &[GeneratedObject], night: u32, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    for object in all {
        print(object);
    }
    if night > 0 {
        print_changes(all, night);
    }
    Ok(())
}

/// What each database's sources are against the night before.
fn print_changes(all: &[GeneratedObject], night: u32) {
    let mut databases: Vec<&str> =
        all.iter().filter(|made| made.bytes.is_some()).map(|made| made.database).collect();
    databases.dedup();
    for database in databases {
        let of_it = all.iter().filter(|made| made.database == database);
        let mut changed: BTreeMap<&str, u64> = BTreeMap::new();
        for member in of_it.flat_map(|made| &made.members) {
            if let Some(source) = member.source {
                *changed.entry(source).or_default() += member.changed;
            }
        }
        let named: Vec<String> = changed
            .iter()
            .filter(|(_, rows)| **rows > 0)
            .map(|(source, rows)| format!("{source} ({} rows)", HumanCount(*rows)))
            .collect();
        let what = match named.as_slice() {
            [] => "nothing changed".to_owned(),
            named => format!("{} changed", named.join(", ")),
        };
        let same = changed.len() - named.len();
        say!(
            "\n{database}, night {night}: {what}; {same} sources have the rows of the night before"
        );
    }
}

fn print(object: &GeneratedObject) {
    let GeneratedObject { database, location, .. } = object;
    let (Some(bytes), Some(sha256)) = (object.bytes, &object.sha256) else {
        say!("\n{database}: would write {location}\n");
        let mut table = TextTable::new(&["source", "rows"]);
        for (source, rows) in &object.planned {
            table.row(vec![(*source).to_owned(), HumanCount(*rows).to_string()]);
        }
        table.print();
        return;
    };
    say!("\n{database}: {location} ({}, sha256 {sha256})\n", HumanBytes(bytes));
    let mut table = TextTable::new(&["member", "rows", "text", "changed this night"]);
    for member in &object.members {
        table.row(vec![
            member.name.clone(),
            HumanCount(member.rows).to_string(),
            HumanBytes(member.bytes).to_string(),
            HumanCount(member.changed).to_string(),
        ]);
    }
    table.print();
}

/// What the demo made, and what to type next.
pub(crate) fn demo(root: &Path, stages: &[StageEntry], whole: Duration) {
    say!();
    let mut table = TextTable::new(&["demo", "time"]);
    for StageEntry { stage, seconds: time } in stages {
        table.row(vec![stage.clone(), seconds(*time)]);
    }
    table.row(vec!["in all".to_owned(), seconds(whole.as_secs_f64())]);
    table.print();
    let kiln = std::env::current_exe().map_or("kiln".to_owned(), |path| {
        path.strip_prefix(root)
            .map_or_else(|_| path.clone(), Path::to_path_buf)
            .display()
            .to_string()
    });
    say!("\nlook at it:");
    say!("  {kiln} status");
    say!(
        "  psql \"$({kiln} url druginfo)\" -c 'select source, period, posted, rows from kiln.source'"
    );
    say!("  psql \"$({kiln} url planinfo)\" -c 'select search_plans(page_size => 3)'");
    say!("  {kiln} down");
}
