//! `kiln verify` for people and for scripts.

use indicatif::HumanCount;

use super::{TextTable, seconds};
use crate::build::verify::VerifiedBuild;

/// The outcome of `kiln verify`.
///
/// # Errors
/// When JSON cannot be written.
pub(crate) fn verified(all: &[VerifiedBuild], as_json: bool, quiet: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(all)?);
        return Ok(());
    }
    for said in all.iter().filter(|_| !quiet) {
        let (read, of) = (said.tables.len(), said.tables_in_all);
        let verdict = if said.differs.is_empty() { "as sealed" } else { "NOT as sealed" };
        let took = seconds(said.seconds);
        say!("{} is {verdict}: {read} of {of} tables read, {took}", said.build);
        let mut table = TextTable::new(&["table", "rows", "digest", ""]);
        for read in &said.tables {
            let verdict = if read.same { "same" } else { "differs" };
            let rows = HumanCount(read.rows).to_string();
            table.row(vec![read.table.clone(), rows, read.digest.clone(), verdict.to_owned()]);
        }
        table.print();
        said.notes.iter().for_each(|note| say!("  note: {note}"));
    }
    Ok(())
}
