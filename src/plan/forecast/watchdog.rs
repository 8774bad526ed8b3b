//! When to say that a deadline will be missed.

/// From this share of a run on, the time left is held against the deadline.
const FIRST_TENTH: f64 = 0.1;

/// Says once that a deadline will be missed, and again when it will be missed by twice as much.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Watchdog {
    warned_of: Option<f64>,
}

impl Watchdog {
    /// Seconds past the deadline that the run is expected to end at, when that is to be said now. `deadline`
    /// counts from where `elapsed` does; `left` is what is left of this build, `later` are the seconds of what
    /// comes after it.
    pub(crate) fn look(
        &mut self,
        elapsed: f64,
        left: f64,
        later: f64,
        deadline: f64,
    ) -> Option<f64> {
        let all = elapsed + left;
        if all <= 0.0 || elapsed / all < FIRST_TENTH {
            return None;
        }
        let over = all + later - deadline;
        let worth_saying = match self.warned_of {
            None => over > 0.0,
            Some(before) => over >= 2.0 * before,
        };
        worth_saying.then(|| {
            self.warned_of = Some(over);
            over
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_said_once_and_again_when_it_is_missed_by_twice_as_much() {
        let mut dog = Watchdog::default();
        let mut look = |elapsed, left| dog.look(elapsed, left, 0.0, 100.0);
        // Of the first tenth nothing is believed.
        assert_eq!(look(5.0, 200.0), None);
        assert_eq!(look(20.0, 60.0), None);
        assert_eq!(look(30.0, 80.0), Some(10.0));
        assert_eq!(look(40.0, 79.0), None);
        assert_eq!(look(50.0, 70.0), Some(20.0));
        // What comes after it counts, and a deadline that is past already.
        assert_eq!(Watchdog::default().look(20.0, 40.0, 50.0, 100.0), Some(10.0));
        assert_eq!(Watchdog::default().look(50.0, 1.0, 0.0, -5.0), Some(56.0));
    }
}
