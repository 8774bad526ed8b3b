//! kiln: args → command → exit code.
fn main() {}
