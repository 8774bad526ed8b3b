//! Out of sealed builds: the data dictionary, subsets and their files.

pub mod docs;
pub mod file;
pub mod subset;
