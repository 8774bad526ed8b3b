//! What tasks of a build are done with.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use crate::catalog::registry::build::BuildDatabase;
use crate::load::meter::Watch;
use crate::spec::schema::Schema;
use crate::spec::source::Source;

/// What tasks are done with.
pub(crate) struct Workplace<'a> {
    /// The build.
    pub build: &'a BuildDatabase,
    /// Its schema.
    pub schema: &'a Schema,
    /// All the database's specs.
    pub sources: &'a [Source],
    /// Tasks side by side.
    pub connections: usize,
    /// Where inner zips are spooled.
    pub scratch: PathBuf,
    /// What tells how far the build is.
    pub clock: &'a Clock,
    /// What is under way, for who shows it.
    pub watch: &'a Watch,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}
