//! Out of sealed builds: the data dictionary, subsets and their files.

pub(crate) mod docs;
pub(crate) mod file;
pub(crate) mod subset;
