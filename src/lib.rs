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
pub mod say;

pub mod cli;
pub mod command;

// the stages, in the order that data meets them
pub mod source;
pub mod manifest;
pub mod gates;
pub mod fetch;
pub mod reuse;
pub mod decode;
pub mod bind;
pub mod validate;
pub mod verify;
pub mod encode;
pub mod copy;
pub mod index;
pub mod check;
pub mod seal;
pub mod export;
pub mod swap;
pub mod docs;

// beside the stages: drafts what the first of them reads
pub mod sniff;

// beside them, too: what must hold of any input
#[doc(hidden)]
pub mod fuzzed;

// leaves
pub mod config;
pub mod digest;
pub mod error;
pub mod failpoint;
pub mod forecast;
pub mod history;
pub mod ledger;
pub mod local;
pub mod lock;
pub mod personal;
pub mod pg;
pub mod plainfile;
pub mod progress;
pub mod registry;
pub mod report;
pub mod schema;
pub mod stop;
pub mod store;
pub mod strict;
pub mod subset;
pub mod synth;
