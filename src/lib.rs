//! kiln bakes immutable Postgres databases from the files that CMS publishes.
//!
//! The directory listing is the pipeline; data moves to the right, imports go to the left only:
//!
//! ```text
//! sources/*.toml → source → manifest → fetch → decode → validate → encode → copy → index → check → seal → swap
//!    what to load   spec    pinned     bytes   records    rows     COPY    rows   post-   facts   stamp   live
//!                           objects                                bytes   in PG  data
//! ```
//!
//! [`cli`] is clap and help; [`command`] has a file for each subcommand, and
//! [`command::build`] reads as the line above; then come the stages; then leaves that all use.

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
