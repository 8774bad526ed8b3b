//! How rows get into a table: object → bytes → records → rows → COPY, for one source. Knows nothing of
//! other tables' order, nor of what follows the rows.

pub(crate) mod bind;
pub(crate) mod copy;
pub(crate) mod decode;
pub mod encode;
pub(crate) mod members;
pub(crate) mod meter;
pub(crate) mod validate;
