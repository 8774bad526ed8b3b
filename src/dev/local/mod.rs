//! The private servers as commands use them. A build without the feature `dev` has none: what would start
//! one says instead what to configure.

#[cfg(not(feature = "dev"))]
mod absent;
#[cfg(feature = "dev")]
mod private;

#[cfg(not(feature = "dev"))]
pub(crate) use absent::*;
#[cfg(feature = "dev")]
pub(crate) use private::*;
