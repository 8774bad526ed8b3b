//! What is done to a build beside its rows: keys and indexes, derived tables, checks, the seal; and the
//! reading of a sealed build again (`kiln verify`).

pub mod check;
pub mod index;
pub mod seal;
pub mod verify;
