//! What `sql/` and `sources/` say: specs, numbered SQL files cut into sections, `schema.lock`.

pub mod row_format;
pub mod schema;
pub mod source;
