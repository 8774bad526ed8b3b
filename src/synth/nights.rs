//! What changes from one night's release to the next: every row has a fixed place in a cycle of
//! nights and changes when its turn comes. So a release is a function of seed and night, no
//! earlier night need be known, and the share that changes is known beforehand.

/// How many nights pass until a row changes again; its inverse is the share of rows a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cycle(u64);

/// Prices: one in a hundred rows a night.
pub(super) const PRICES: Cycle = Cycle(100);
/// The pharmacy network: one in a thousand rows a night has other terms; of these every fourth
/// is another pharmacy in place of one that left, where there is one that the plan lacks.
pub(super) const NETWORK: Cycle = Cycle(1_000);
/// The formulary: one in a thousand rows a night begins or ceases to need prior authorisation.
pub(super) const FORMULARY: Cycle = Cycle(1_000);
/// Slow registers, such as NPPES and people's enrolment: one in a thousand rows a night.
pub(super) const REGISTER: Cycle = Cycle(1_000);
/// Enrolment counts: one in a hundred rows a night.
pub(super) const ENROLLMENT: Cycle = Cycle(100);

impl Cycle {
    /// How often a row has changed up to this night; `draw` is any number that is the row's own.
    #[inline]
    pub(super) fn generation(self, draw: u64, night: u32) -> u64 {
        (u64::from(night) + draw % self.0) / self.0
    }

    /// Whether the row is not what it was the night before.
    #[inline]
    pub(super) fn changes(self, draw: u64, night: u32) -> bool {
        night > 0 && (u64::from(night) + draw % self.0).is_multiple_of(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_changes_once_in_its_cycle() {
        for draw in [0, 1, 57, 99, 100, u64::MAX] {
            assert_eq!(PRICES.generation(draw, 0), 0);
            let changes = (1..=300).filter(|night| PRICES.changes(draw, *night)).count();
            assert_eq!(changes, 3, "{draw}");
            for night in 1..300 {
                let grew = PRICES.generation(draw, night) - PRICES.generation(draw, night - 1);
                assert_eq!(grew == 1, PRICES.changes(draw, night), "{draw} {night}");
            }
        }
    }
}
