//! The names in a file that `kiln subset --to` wrote, or that somebody changed since.

use super::FileHeader;
use crate::config::may_name_a_database;
use crate::error::{Exit, Failure, failure};
use crate::postgres::Ident;

/// Refuses names that are none, and those that kiln and Postgres use themselves: a file is text that
/// anybody may have changed.
pub(crate) fn refuse_names(header: &FileHeader) -> anyhow::Result<()> {
    let name = header.database.as_str();
    if let Err(why) = may_name_a_database(name) {
        let message = format!("{name:?} cannot name a database: {why}");
        return Err(Failure::new(Exit::InputRejected, message)
            .hint("kiln's own names, Postgres's and those of builds are not for databases")
            .into());
    }
    for table in &header.tables {
        let names = std::iter::once(&table.table).chain(&table.columns);
        let array = table.source.iter().flat_map(|facts| &facts.packed).map(|packed| &packed.array);
        if let Some(bad) = names.chain(array).find(|name| Ident::parse(name).is_none()) {
            let message = format!("table {:?}: {bad:?} is no name of kiln's", table.table);
            return Err(failure(Exit::InputRejected, message));
        }
    }
    Ok(())
}
