//! What is done to a build: its tasks, by workers side by side; the seal;
//! and the reading of a sealed build again (`kiln verify`).

pub mod check;
pub mod clock;
pub mod index;
pub mod preflight;
pub mod replace;
mod reuse;
pub mod rows;
pub mod seal;
pub mod tasks;
pub mod verify;
pub mod worker;
