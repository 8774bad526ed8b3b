//! For developers and first days: private servers, generated CMS files, drafts of sources, the bodies of
//! the fuzz targets.

#[doc(hidden)]
pub mod fuzzed;
pub mod local;
pub mod sniff;
pub mod synth;
