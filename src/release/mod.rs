//! What may be live: the gates on data, the gate, the swap.

pub mod gates;
pub mod several;
pub mod swap;
