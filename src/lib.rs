//! kiln bakes immutable Postgres databases from the files that CMS publishes.
//!
//! Each module is a room of the map in `docs/src/architecture.md`: what it owns, and which rooms it may use. A
//! plan is made of what has landed and what is kept ([`plan`]), its tasks make a build ([`build`], which loads
//! by [`load`]), and a sealed build goes live through the gate ([`release`]).

#![warn(missing_docs)]

/// The version; of a release build with the commit and its day (`build.rs`).
pub const VERSION: &str = env!("PROGRAM_VERSION");

#[macro_use]
pub mod report;

pub mod build;
pub mod catalog;
pub mod command;
pub mod config;
pub mod dev;
pub mod error;
pub mod export;
pub mod fetch;
pub mod load;
pub mod plan;
pub mod postgres;
pub mod release;
pub mod spec;
