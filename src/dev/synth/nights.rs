//! What changes from one night's release to the next: every row has a fixed place in a cycle of
//! nights and changes when its turn comes. So a release is a function of seed and nights, no
//! earlier release need be known, and the share that changes is known beforehand. A source has its
//! own count of the nights in which it changed: in those that leave it alone its cycle stands.

/// The nights after the first release, up to this one. The default is the first release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nights {
    /// So many in which all of [`CHANGING`] change.
    pub all: u32,
    /// Then one for each of these.
    pub then: Vec<Only>,
}

/// The names of the sources that change in a night; all others stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only(pub Vec<String>);

/// By database, the sources that change from night to night; the others have the same rows always.
pub const CHANGING: [(&str, &[&str]); 3] = [
    ("druginfo", &["basic_drugs_formulary", "nppes_pharmacy", "pharmacy_networks", "pricing"]),
    ("planinfo", &["enrollment_by_plan", "enrollment_cpsc"]),
    ("beneinfo", &["bene_enrollment"]),
];

/// How often a source has changed, and whether it has in the last night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    nth: u32,
    fresh: bool,
}

impl Only {
    /// Reads `pricing,pharmacy_networks`, or `nothing`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Only, String> {
        if text == "nothing" {
            return Ok(Only::default());
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.iter().any(String::is_empty) {
            true => Err("name sources, such as pricing,pharmacy_networks, or nothing".to_owned()),
            false => Ok(Only(names)),
        }
    }

    fn has(&self, source: &str) -> bool {
        self.0.iter().any(|name| name == source)
    }
}

impl Nights {
    /// How many there are; 0 is the first release.
    pub fn count(&self) -> u32 {
        self.all.saturating_add(self.then.len() as u32)
    }

    pub(super) fn turn(&self, source: &str) -> Turn {
        let later = self.then.iter().filter(|only| only.has(source)).count() as u32;
        let fresh = match self.then.last() {
            Some(only) => only.has(source),
            None => self.all > 0,
        };
        Turn { nth: self.all + later, fresh }
    }

    /// The last night in which one of these was posted with something new in it. Up to the nights
    /// that name what changes, that is every night, as its publisher puts a new date on a file.
    pub(super) fn last(&self, sources: &[&str]) -> u32 {
        let later = self.then.iter().rposition(|only| sources.iter().any(|name| only.has(name)));
        self.all + later.map_or(0, |nth| nth as u32 + 1)
    }
}

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
    /// How often a row has changed; `draw` is any number that is the row's own.
    #[inline]
    pub(super) fn generation(self, draw: u64, turn: Turn) -> u64 {
        (u64::from(turn.nth) + draw % self.0) / self.0
    }

    /// Whether the row is not what it was the night before.
    #[inline]
    pub(super) fn changes(self, draw: u64, turn: Turn) -> bool {
        let is_its_turn = (u64::from(turn.nth) + draw % self.0).is_multiple_of(self.0);
        turn.fresh && turn.nth > 0 && is_its_turn
    }

    /// The turn of its source at which the row changed last; 0 for one that never has.
    pub(super) fn since(self, draw: u64, turn: Turn) -> u64 {
        (self.generation(draw, turn) * self.0).saturating_sub(draw % self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(night: u32) -> Turn {
        Nights { all: night, then: Vec::new() }.turn("pricing")
    }

    #[test]
    fn a_row_changes_once_in_its_cycle() {
        for draw in [0, 1, 57, 99, 100, u64::MAX] {
            assert_eq!(PRICES.generation(draw, plain(0)), 0);
            let changes = (1..=300).filter(|night| PRICES.changes(draw, plain(*night))).count();
            assert_eq!(changes, 3, "{draw}");
            let mut since = 0;
            for night in 1..300 {
                let (before, now) = (plain(night - 1), plain(night));
                let grew = PRICES.generation(draw, now) - PRICES.generation(draw, before);
                assert_eq!(grew == 1, PRICES.changes(draw, now), "{draw} {night}");
                since = if grew == 1 { u64::from(night) } else { since };
                assert_eq!(PRICES.since(draw, now), since, "{draw} {night}");
            }
        }
    }

    #[test]
    fn a_source_has_its_turns_in_the_nights_that_name_it() {
        let only = |text| Only::parse(text).unwrap();
        let then = [only("pricing"), only("nothing"), only("pricing, nppes_pharmacy")];
        let nights = |count: usize| Nights { all: 2, then: then[..count].to_vec() };
        let turns = |source| [0, 1, 2, 3].map(|count| nights(count).turn(source));
        let turn = |nth, fresh| Turn { nth, fresh };
        assert_eq!(turns("pricing"), [turn(2, true), turn(3, true), turn(3, false), turn(4, true)]);
        assert_eq!(
            turns("nppes_pharmacy"),
            [turn(2, true), turn(2, false), turn(2, false), turn(3, true)]
        );
        assert_eq!(
            turns("bene_lis"),
            [turn(2, true), turn(2, false), turn(2, false), turn(2, false)]
        );
        assert_eq!(nights(3).count(), 5);
        assert_eq!(
            ["pricing", "nppes_pharmacy", "landscape"].map(|name| nights(2).last(&[name])),
            [3, 2, 2]
        );
        assert_eq!(nights(3).last(&["landscape", "nppes_pharmacy"]), 5);
        for wrong in ["", "pricing,", ","] {
            assert!(Only::parse(wrong).is_err(), "{wrong}");
        }
    }
}
