//! What `sql/` and `sources/` say: specs, numbered SQL files cut into sections, `schema.lock`.

pub mod row_format;
pub(crate) mod schema;
pub(crate) mod source;

use crate::config::strict::{Problems, suggest};
use crate::config::{Config, personal};
use crate::error::{Exit, failure};
use schema::Schema;
use source::{Source, Sources};

/// What is known of a database before any server is spoken to.
#[derive(Debug)]
pub(crate) struct Specs {
    /// Its numbered SQL files.
    pub schema: Schema,
    /// Its sources.
    pub sources: Sources,
}

impl Specs {
    /// Reads both; what is wrong with them goes to `problems`.
    ///
    /// # Errors
    /// [`Exit::Usage`] where a source of `without` is none, or a folder cannot be read.
    pub(crate) fn read(
        config: &Config,
        database: &str,
        without: &[String],
        problems: &Problems,
    ) -> anyhow::Result<Specs> {
        let schema = Schema::read(&config.root, database, problems)?;
        let sources = Sources::read(&config.root, database, problems)?;
        if sources.all.iter().any(|source| source.personal) {
            personal::keep_out_of_core_dumps();
        }
        for name in without {
            if !sources.stems.contains(name) {
                let mean = suggest(name, sources.stems.iter().map(String::as_str));
                let by = match config.without(database).contains(name) {
                    true => format!("kiln.toml, `{database}.without`: {name}"),
                    false => format!("--without {name}"),
                };
                let message = format!("{by}: {database} has no such source{mean}");
                return Err(failure(Exit::Usage, message));
            }
        }
        Ok(Specs { schema, sources })
    }

    /// The sources that are to be loaded.
    pub(crate) fn wanted(&self, without: &[String]) -> Vec<&Source> {
        let wanted = |source: &&Source| !without.iter().any(|name| name == source.name.as_str());
        self.sources.all.iter().filter(wanted).collect()
    }
}
