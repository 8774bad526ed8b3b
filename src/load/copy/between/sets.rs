//! The digests of a dictionary's sets, by their numbers.

use std::collections::HashMap;
use std::num::NonZeroU128;

/// How far beyond what is known a number may lie to have a place of its own.
const AHEAD: usize = 1024;

/// Digests by number. The loader counts sets from 1, so that most have a place in one run of memory: three
/// of them are looked up a row of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SetDigests {
    places: Vec<Option<NonZeroU128>>,
    /// Of numbers that lie far apart, as in a subset.
    others: HashMap<i32, u128>,
    count: usize,
}

impl SetDigests {
    /// Keeps the digest of a set.
    pub(crate) fn insert(&mut self, number: i32, digest: u128) {
        let near = 2 * self.count + AHEAD;
        self.count += 1;
        match (usize::try_from(number), NonZeroU128::new(digest)) {
            (Ok(place), Some(digest)) if place < near => {
                if place >= self.places.len() {
                    self.places.resize(place + 1, None);
                }
                self.places[place] = Some(digest);
            }
            _ => {
                self.others.insert(number, digest);
            }
        }
    }

    /// The digest of the set with this number.
    #[inline]
    pub(crate) fn get(&self, number: i32) -> Option<u128> {
        let place = usize::try_from(number).ok().and_then(|place| self.places.get(place));
        match place {
            Some(Some(digest)) => Some(digest.get()),
            _ => self.others.get(&number).copied(),
        }
    }
}

impl FromIterator<(i32, u128)> for SetDigests {
    fn from_iter<I: IntoIterator<Item = (i32, u128)>>(all: I) -> SetDigests {
        let mut sets = SetDigests::default();
        all.into_iter().for_each(|(number, digest)| sets.insert(number, digest));
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_numbers_are_found_and_no_others() {
        let numbers = [1, 2, 3, 900, i32::MAX, -1, 50_000_000];
        let sets: SetDigests = numbers.iter().map(|no| (*no, *no as u128)).collect();
        assert_eq!(sets.count, numbers.len());
        for number in numbers {
            assert_eq!(sets.get(number), Some(number as u128));
        }
        for number in [0, 4, 899, 901, i32::MIN] {
            assert_eq!(sets.get(number), None, "{number}");
        }
        assert_eq!(SetDigests::from_iter([(7, 0)]).get(7), Some(0));
        assert!(sets.places.len() < 4096, "far numbers took memory");
    }
}
