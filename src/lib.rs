//! kiln bakes immutable Postgres databases from the files that CMS publishes.
pub mod config;
pub mod error;
pub mod failpoint;
pub mod pg;
pub mod source;
pub mod strict;
