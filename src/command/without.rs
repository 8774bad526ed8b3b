//! The sources that a run does without: those that kiln.toml leaves out for good, and those that the
//! command line leaves out of this run.

use crate::command::cli;
use crate::config::{Config, known_database};

/// What one database's run does without; `DATABASE.SOURCE` is for that database alone.
///
/// # Errors
/// When a name is for a database that there is not.
pub(super) fn sources(
    config: &Config,
    database: &str,
    asked: &cli::Without,
) -> anyhow::Result<Vec<String>> {
    let mut all = config.without(database).to_vec();
    for name in &asked.without {
        let source = match name.split_once('.') {
            Some((of, source)) => {
                known_database(config, of)?;
                (of == database).then_some(source)
            }
            None => Some(name.as_str()),
        };
        if let Some(source) = source.filter(|source| !all.iter().any(|known| known == source)) {
            all.push(source.to_owned());
        }
    }
    Ok(all)
}

/// The arguments that ask for it once more; what kiln.toml leaves out needs none.
pub(super) fn arguments(config: &Config, database: &str, without: &[String]) -> String {
    let settled = config.without(database);
    let asked = without.iter().filter(|name| !settled.contains(name));
    asked.map(|name| format!(" --without {name}")).collect()
}
