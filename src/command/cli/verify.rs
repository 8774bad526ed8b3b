//! `kiln verify`'s arguments.

use clap::Args;

use super::Json;

/// Arguments of `kiln verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A build, or a database for its live build [default: the live build of each database]
    pub build: Option<String>,
    /// Read only a part of the tables, another one each day: all of them in N days
    #[arg(long, value_name = "1/N", default_value_t = Sample::ALL, value_parser = Sample::parse)]
    pub sample: Sample,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// A share of the tables, another one each day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// So many days for all of them.
    pub one_of: u64,
}

impl Sample {
    /// All tables at once.
    pub const ALL: Sample = Sample { one_of: 1 };

    pub(super) fn parse(text: &str) -> Result<Sample, String> {
        let days = text.strip_prefix("1/").and_then(|days| days.parse().ok());
        match days {
            Some(one_of) if (1..=366).contains(&one_of) => Ok(Sample { one_of }),
            _ => Err("expected 1/N: every table once in N days, at most 366".to_owned()),
        }
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1/{}", self.one_of)
    }
}
