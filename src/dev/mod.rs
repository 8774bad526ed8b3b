//! For developers and first days: private servers, generated CMS files, drafts of sources, the bodies of
//! the fuzz targets.
//!
//! Servers and generator are packages of their own, which know nothing of kiln; a build without the
//! feature `dev` has neither.

#[cfg(feature = "dev")]
pub mod failures;
#[cfg(feature = "dev")]
#[doc(hidden)]
pub mod fuzzed;
pub(crate) mod local;
pub(crate) mod sniff;

#[cfg(feature = "dev")]
pub use kiln_servers as servers;
#[cfg(feature = "dev")]
pub use kiln_synth as synth;
