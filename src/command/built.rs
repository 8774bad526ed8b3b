//! A schema that was built from its numbered files in a scratch database.

use crate::config::strict::Problems;
use crate::export::docs::described::Described;
use crate::spec::schema::Schema;
use crate::spec::schema::catalog::Fingerprint;
use crate::spec::schema::learned::Learned;
use crate::spec::source::Sources;

/// A database that was built from zero, empty, and what it then was.
pub(super) struct Built {
    /// Its numbered files.
    pub schema: Schema,
    /// Its specs.
    pub sources: Sources,
    /// Its catalog, for the lock.
    pub fingerprint: Fingerprint,
    /// What its sections were seen to do; else what the lock has of it.
    pub learned: Learned,
    /// Whether they were seen, which takes a superuser.
    pub is_watched: bool,
    /// Its catalog, for people.
    pub described: Described,
    /// What is wrong with its checks alone, which are no part of the catalog: one that does more than
    /// to read is refused here and by the build.
    pub checks: Problems,
}
