//! kiln bakes immutable Postgres databases from the files that CMS publishes.
pub mod bind;
pub mod config;
pub mod decode;
pub mod encode;
pub mod error;
pub mod failpoint;
pub mod fetch;
pub mod lock;
pub mod manifest;
pub mod pg;
pub mod registry;
pub mod schema;
pub mod source;
pub mod strict;
pub mod validate;
