//! What may be live: the gates on data, the gate, the swap.

pub(crate) mod gates;
pub(crate) mod several;
pub(crate) mod swap;
