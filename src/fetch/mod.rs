//! Pinned objects to bytes whose completeness is proved.
//!
//! [`object`] is one pinned object (and [`same`] no other) as a seekable reader that resumes, [`archive`] finds
//! [`member`]s in nested zips, [`container`] is where their bytes are, [`kind`] what they are by the
//! first of them, [`verified`] counts and hashes what is read and gives out the proof without which no
//! COPY is finished, [`ahead`] reads in a thread of its own. What directories alone tell of files is
//! [`contents`]; files on this machine are opened by [`plainfile`].

pub(crate) mod store;

pub(crate) mod ahead;
pub(crate) mod archive;
pub(crate) mod container;
pub(crate) mod contents;
pub(crate) mod digest;
pub(crate) mod kind;
pub(crate) mod location;
pub(crate) mod member;
pub(crate) mod object;
pub(crate) mod patterns;
pub(crate) mod plainfile;
mod same;
pub(crate) mod verified;
