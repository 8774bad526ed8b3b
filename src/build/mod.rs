//! What is done to a build: its sources side by side, keys and indexes, derived tables, checks, the seal;
//! and the reading of a sealed build again (`kiln verify`).

pub mod check;
pub mod clock;
pub mod index;
pub mod queue;
pub mod replace;
pub mod seal;
pub mod verify;
