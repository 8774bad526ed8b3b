//! What is to be done: a build's exact inputs, what is the same in a kept build, and the estimate.

pub mod forecast;
pub mod manifest;
pub mod reuse;
