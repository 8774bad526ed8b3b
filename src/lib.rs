//! kiln bakes immutable Postgres databases from the files that CMS publishes.
pub mod error;
pub mod local;
