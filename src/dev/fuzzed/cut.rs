//! What a text is cut into, kept.

use crate::load::decode::{Flaw, RecordPosition};

/// A record, kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub position: RecordPosition,
    pub raw: Vec<u8>,
    pub fields: Vec<Vec<u8>>,
    /// Where each byte of each field stands in the file.
    pub places: Vec<Vec<u64>>,
    pub flaw: Option<Flaw>,
}

/// All of a text's records, and why there are no more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AllCut {
    pub records: Vec<Cut>,
    pub error: Option<String>,
    pub ended_in_newline: bool,
}
