//! Pinned objects to bytes whose completeness is proved.
//!
//! [`object`] is one pinned object (and [`same`] no other) as a seekable reader that resumes, [`archive`] finds
//! [`member`]s in nested zips, [`container`] is where their bytes are, [`kind`] what they are by the
//! first of them, [`verified`] counts and hashes what is read and gives out the proof without which no
//! COPY is finished, [`ahead`] reads in a thread of its own. What directories alone tell of files is
//! [`contents`]; files on this machine are opened by [`plainfile`].

pub mod store;

pub mod ahead;
pub mod archive;
pub mod container;
pub mod contents;
pub mod digest;
pub mod kind;
pub mod location;
pub mod member;
pub mod object;
pub mod patterns;
pub mod plainfile;
mod same;
pub mod verified;
