//! How rows get into a table: object → bytes → records → rows → COPY, for one source. Knows nothing of
//! other tables' order, nor of what follows the rows.

pub mod bind;
pub mod copy;
pub mod decode;
pub mod encode;
pub mod members;
pub mod meter;
pub mod validate;
