//! What must hold of every input, whoever wrote it: one function a kind of input, for any bytes.
//!
//! The fuzz targets (`fuzz/fuzz_targets`) and the test that replays their corpus (`tests/fuzzed.rs`)
//! call these same functions. Each runs the code that a night runs and asserts more than that it does
//! not panic: nothing is lost, places are right, and how an input arrives makes no difference.

mod choices;
mod cut;
mod encodings;
mod listings;
mod loaded;
mod records;
mod rows;
mod sections;
mod shapes;
mod specs;
mod subsets;
mod zips;

pub use encodings::encodings;
pub use listings::listings;
pub use records::records;
pub use sections::sections;
pub use specs::specs;
pub use subsets::subsets;
pub use zips::zips;

/// What the machine and the code around the input say must be well: only the input is in question.
fn stands(outcome: anyhow::Result<()>) {
    assert!(outcome.is_ok(), "{outcome:?}");
}
