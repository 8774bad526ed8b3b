//! The arguments of what a person says about builds and gates: waivers and holds.

use clap::Args;
use jiff::civil::Date;

use super::{DryRun, Json, Why};
use crate::catalog::registry::waiver::Gate;

/// Longest reason: it is shown on one line, and stands in a database's comment.
const LONGEST_WHY: usize = 500;

/// Arguments of `kiln waive`.
#[derive(Debug, Args)]
pub struct Waive {
    /// The database
    pub database: String,
    /// The gate: rejected, rows, nulls, older or sections
    #[arg(value_parser = Gate::parse)]
    pub gate: Gate,
    /// Waive the gate for this source only
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// For this build only, until it goes live [default: for the next promotion of any build]
    #[arg(long, value_name = "BUILD", conflicts_with = "until")]
    pub build: Option<String>,
    /// For every promotion until the end of this day (UTC)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub until: Option<Date>,
    /// The reason, which is kept in the audit
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub why: String,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// Arguments of `kiln hold` and `kiln unhold`.
#[derive(Debug, Args)]
pub struct Hold {
    /// The build
    pub build: String,
    /// Why, for the audit.
    #[command(flatten)]
    pub why: Why,
    /// Look, do not touch.
    #[command(flatten)]
    pub dry_run: DryRun,
    /// Output for a script.
    #[command(flatten)]
    pub json: Json,
}

/// A day that is not over.
fn day(text: &str) -> Result<Date, String> {
    let date: Date = text
        .parse()
        .map_err(|_| "expected a day like 2026-08-01, with all its digits".to_owned())?;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    if date < today {
        return Err(format!("that day is over; today is {today} (UTC)"));
    }
    Ok(date)
}

/// A reason on one line.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("say why: whoever finds it next month will ask".to_owned());
    }
    if text.chars().any(char::is_control) || text.chars().count() > LONGEST_WHY {
        return Err(format!(
            "expected one line of at most {LONGEST_WHY} characters, without control characters"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_a_day_is_not_over() {
        assert_eq!(reason(" a typo "), Ok("a typo".to_owned()));
        for wrong in ["", "  ", "two\nlines", "\u{1b}[2J", &"x".repeat(LONGEST_WHY + 1)] {
            assert!(reason(wrong).is_err(), "{wrong:?}");
        }
        assert!(day("2999-01-01").is_ok());
        for wrong in ["2020-01-01", "tomorrow", "2999-13-01", "1-1-2999"] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }
}
