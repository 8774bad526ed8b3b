//! Who is told how far the writing is.

/// Takes note while an object is written; called for every piece, so it must be cheap.
pub trait Progress {
    /// Bytes of text in all: an estimate at first, the truth at the end.
    fn total(&self, bytes: u64);
    /// This many bytes of text more are written.
    fn bytes(&self, more: u64);
    /// This many rows more are written.
    fn rows(&self, more: u64);
}

/// Nobody.
impl Progress for () {
    fn total(&self, _bytes: u64) {}
    fn bytes(&self, _more: u64) {}
    fn rows(&self, _more: u64) {}
}
