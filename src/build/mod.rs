//! What is done to a build: its tasks, by workers side by side; the seal;
//! and the reading of a sealed build again (`kiln verify`).

pub(crate) mod check;
pub(crate) mod clock;
pub(crate) mod index;
pub(crate) mod preflight;
pub(crate) mod replace;
mod reuse;
pub(crate) mod rows;
pub(crate) mod seal;
pub(crate) mod tasks;
pub(crate) mod verify;
pub(crate) mod worker;
pub(crate) mod workplace;
