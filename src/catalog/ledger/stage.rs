//! A stage of a run, with its time.

use serde::{Deserialize, Serialize};

/// How long a stage took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageEntry {
    /// The stage's name.
    pub stage: String,
    /// Seconds by the wall clock.
    pub seconds: f64,
}
