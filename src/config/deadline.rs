//! When a run is to be over: at a time of day, or so long after its start.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, Zoned, civil};

/// How a deadline is written.
pub(super) const FORM: &str = "a time of day (06:00) or a duration (4h, 90m, 2h 30m)";

/// Longer than any night; what is added to a moment must still be one.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// When a run is to be over. (What a swap may take is `swap.deadline_seconds`.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDeadline {
    text: String,
    form: DeadlineForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeadlineForm {
    /// The next time that the clock on this machine's wall shows this.
    At(civil::Time),
    /// So long after the start.
    After(Duration),
}

/// The moment at which a run is to be over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// As a person said it.
    pub text: String,
    /// The moment.
    pub at: Instant,
}

impl RunDeadline {
    /// Reads one; `None` when it is neither a time of day nor a duration above zero.
    pub fn parse(text: &str) -> Option<RunDeadline> {
        let text = text.trim();
        let form = if text.contains(':') {
            DeadlineForm::At(text.parse().ok()?)
        } else {
            let long = Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()?;
            DeadlineForm::After(Some(long).filter(|long| !long.is_zero() && *long <= LONGEST)?)
        };
        Some(RunDeadline { text: text.to_owned(), form })
    }

    /// For the command line.
    ///
    /// # Errors
    /// When it has another form: the error names the right one.
    pub fn parse_argument(text: &str) -> Result<RunDeadline, String> {
        RunDeadline::parse(text).ok_or_else(|| format!("must be {FORM}"))
    }

    /// The moment, for a run that starts now.
    pub fn starting_now(&self) -> Deadline {
        let long = match self.form {
            DeadlineForm::After(long) => long,
            DeadlineForm::At(time) => until(&Zoned::now(), time),
        };
        Deadline { text: self.text.clone(), at: Instant::now() + long }
    }
}

/// How long it is from a moment until the clock next shows a time of day.
fn until(now: &Zoned, time: civil::Time) -> Duration {
    let today = now.with().time(time).build().map_or(now.timestamp(), |at| at.timestamp());
    let ahead = |at: Timestamp| Duration::try_from(at.duration_since(now.timestamp())).ok();
    let tomorrow = || {
        let day = now.tomorrow().ok()?.with().time(time).build().ok()?;
        ahead(day.timestamp())
    };
    ahead(today).filter(|long| !long.is_zero()).or_else(tomorrow).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_time_of_day_or_a_duration() {
        for (text, seconds) in [("4h", 14_400), ("90m", 5_400), ("2h 30m", 9_000), ("45s", 45)] {
            let form = RunDeadline::parse(text).map(|deadline| deadline.form);
            assert_eq!(form, Some(DeadlineForm::After(Duration::from_secs(seconds))), "{text}");
        }
        let six = RunDeadline::parse("06:00").map(|deadline| deadline.form);
        assert_eq!(six, Some(DeadlineForm::At(civil::time(6, 0, 0, 0))));
        for bad in ["", "0h", "999999999999h", "721h", "-4h", "25:00", "soon", "4", "6:0:0:0"] {
            assert_eq!(RunDeadline::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_next_one_over_a_change_of_clocks_too() {
        let at = |text: &str| text.parse::<Zoned>().expect("a moment");
        let six = civil::time(6, 0, 0, 0);
        let hours = |text: &str| until(&at(text), six).as_secs() / 3600;
        assert_eq!(hours("2026-11-22T01:00[UTC]"), 5);
        assert_eq!(hours("2026-11-22T06:00[UTC]"), 24);
        assert_eq!(hours("2026-11-22T22:00[UTC]"), 8);
        // The night is an hour shorter.
        assert_eq!(hours("2026-03-07T22:00[America/New_York]"), 7);
    }
}
