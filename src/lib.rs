//! kiln bakes immutable Postgres databases from the files that CMS publishes.
//!
//! Each module is a room of the map in `docs/src/architecture.md`: what it owns, and which rooms it may use. A
//! plan is made of what has landed and what is kept ([`plan`]), its tasks make a build ([`build`], which loads
//! by [`load`]), and a sealed build goes live through the gate ([`release`]).

#![warn(unreachable_pub)]
// a folder's own file is mod.rs
#![warn(clippy::self_named_module_files)]

/// The version; of a release build with the commit and its day (`build.rs`).
pub(crate) const VERSION: &str = env!("PROGRAM_VERSION");

#[macro_use]
mod report;

mod build;
mod catalog;
mod command;
mod config;
mod dev;
mod error;
mod export;
mod fetch;
mod load;
mod plan;
mod postgres;
mod release;
mod spec;

pub use command::entry::main;

/// What tests, benches and fuzz targets name, by the paths that it has inside. No interface: whatever else is
/// in a room is used by the program, or the compiler says that it is not.
#[doc(hidden)]
pub mod testing {
    pub mod catalog {
        pub mod ledger {
            pub use crate::catalog::ledger::{Ledger, Reuse, StageEntry};
        }
        pub mod registry {
            pub use crate::catalog::registry::{Build, BuildState, Tag, Word, build_name};
            pub mod contract {
                pub use crate::catalog::registry::contract::Contract;
            }
            pub mod retention {
                pub use crate::catalog::registry::retention::droppable;
            }
        }
        pub mod stamp {
            pub use crate::catalog::stamp::{Stamp, Touched};
        }
    }
    pub mod command {
        pub mod cli {
            pub use crate::command::cli::Cli;
        }
    }
    pub mod config {
        pub use crate::config::{GONE, failpoint};
        pub mod personal {
            pub use crate::config::personal::HashKey;
        }
        pub mod settings {
            pub use crate::config::settings::{
                Fallback, SETTINGS, Setting, SettingForm, variables,
            };
        }
        pub mod strict {
            pub use crate::config::strict::Problems;
        }
    }
    #[cfg(feature = "dev")]
    pub mod dev {
        pub use crate::dev::{failures, fuzzed, servers, synth};
    }
    pub mod error {
        pub use crate::error::{Exit, exit_of, from_io, hint_of};
    }
    pub mod fetch {
        pub mod digest {
            pub use crate::fetch::digest::{hex, sha256};
        }
        pub mod location {
            pub use crate::fetch::location::S3Location;
        }
        pub mod object {
            pub use crate::fetch::object::Object;
        }
        pub mod store {
            pub use crate::fetch::store::{Access, Pin, Store};
        }
        pub mod verified {
            pub use crate::fetch::verified::{ExpectedStream, VerifiedReader};
        }
    }
    pub mod load {
        pub use crate::load::encode;
        pub mod bind {
            pub use crate::load::bind::{Binding, Layout, Tables, names_of};
        }
        pub mod copy {
            pub mod part {
                pub use crate::load::copy::part::{ChunkBuilder, CopyChunk, Siblings};
            }
        }
        pub mod decode {
            pub use crate::load::decode::Records;
        }
        pub mod validate {
            pub use crate::load::validate::{Counts, MatchedGroups, Outcome, Validator};
            pub mod dictionary {
                pub use crate::load::validate::dictionary::Shared;
            }
        }
    }
    pub mod plan {
        pub mod forecast {
            pub use crate::plan::forecast::{
                LoadMethod, LoadMethods, MadeFrom, Past, SourceSize, StorageKind,
            };
            pub mod seconds {
                pub use crate::plan::forecast::seconds::{Estimate, Tonight};
            }
        }
        pub mod graph {
            pub use crate::plan::graph::seconds_left;
        }
        pub mod manifest {
            pub mod rejected {
                pub use crate::plan::manifest::rejected::Refusal;
            }
        }
        pub mod task {
            pub use crate::plan::task::*;
        }
    }
    pub mod postgres {
        pub use crate::postgres::Ident;
    }
    pub mod release {
        pub mod swap {
            pub use crate::release::swap::{Manifests, candidate, previous};
            pub mod gate {
                pub use crate::release::swap::gate::{CandidateFacts, decide};
            }
            pub mod tags {
                pub use crate::release::swap::tags::{Change, after};
            }
        }
    }
    pub mod report {
        pub mod error {
            pub use crate::report::error::text;
        }
    }
    pub mod spec {
        pub use crate::spec::row_format;
        pub mod schema {
            pub mod catalog {
                pub use crate::spec::schema::catalog::TableColumn;
            }
        }
        pub mod source {
            pub use crate::spec::source::Source;
        }
    }
}
