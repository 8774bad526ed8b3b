//! Random numbers that are the same on every machine and in every version: splitmix64, one
//! independent stream for every purpose, named by a label.

/// A stream of random numbers (splitmix64, public domain, Sebastiano Vigna 2015).
pub(super) struct Stream(u64);

impl Stream {
    /// The stream of this seed, purpose and number (of a plan, a formulary, …).
    pub(super) fn new(seed: u64, label: &str, number: u64) -> Self {
        // FNV-1a keeps streams of different labels apart.
        let label = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Stream(mix(mix(seed ^ label).wrapping_add(number)))
    }

    /// The next 64 bits.
    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from 0 to `bound` - 1; `bound` is at least 1.
    #[inline]
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// The `k`th of `picks` distinct numbers below `bound`, ascending with `k`: one from each of
    /// `picks` equal slices, so that nothing needs to be remembered.
    #[inline]
    pub(super) fn spread(&mut self, k: u64, picks: u64, bound: u64) -> u64 {
        self.spread_turned(k, picks, bound, 0)
    }

    /// As [`Stream::spread`], but the choice moves on by `turns` within its slice: another
    /// number where the slice has more than one, and still none twice.
    #[inline]
    pub(super) fn spread_turned(&mut self, k: u64, picks: u64, bound: u64, turns: u64) -> u64 {
        let (from, to) = (k * bound / picks, (k + 1) * bound / picks);
        let chosen = self.below(to - from);
        from + if turns == 0 { chosen } else { (chosen + turns) % (to - from) }
    }
}

#[inline]
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Shares `total` out by weight, nobody above their cap: all of it, or as much as the caps allow.
pub(super) fn share_out(total: u64, weights_and_caps: &[(u64, u64)]) -> Vec<u64> {
    let total = total.min(weights_and_caps.iter().map(|(_, cap)| cap).sum());
    let weight: u64 = weights_and_caps.iter().map(|(weight, _)| weight).sum();
    let mut shares: Vec<u64> = weights_and_caps
        .iter()
        .map(|&(own, cap)| {
            cap.min((u128::from(total) * u128::from(own) / u128::from(weight.max(1))) as u64)
        })
        .collect();
    let mut left = total - shares.iter().sum::<u64>();
    while left > 0 {
        let open = shares.iter().zip(weights_and_caps).filter(|(s, (_, cap))| *s < cap).count();
        let each = (left / open as u64).max(1);
        for (share, (_, cap)) in shares.iter_mut().zip(weights_and_caps) {
            let more = each.min(cap - *share).min(left);
            *share += more;
            left -= more;
        }
    }
    shares
}

/// Chooses who has all of theirs and who has nothing, evenly over the list, so that the sum is
/// `total` (or all there is); one may have a part.
pub(super) fn choose_whole(total: u64, all: &[u64]) -> Vec<u64> {
    let sum: u64 = all.iter().sum();
    let total = total.min(sum);
    let mut due = 0_u128;
    let mut shares: Vec<u64> = all
        .iter()
        .map(|&own| {
            due += u128::from(own) * u128::from(total);
            let price = u128::from(own) * u128::from(sum);
            if price > due {
                return 0;
            }
            due -= price;
            own
        })
        .collect();
    let mut left = total - shares.iter().sum::<u64>();
    for (share, own) in shares.iter_mut().zip(all) {
        let more = (own - *share).min(left);
        *share += more;
        left -= more;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_numbers() {
        let mut stream = Stream(1_234_567);
        let published = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!([stream.next(), stream.next()], published);
    }

    #[test]
    fn shares_add_up_and_respect_caps() {
        assert_eq!(share_out(10, &[(1, 10), (1, 10)]), [5, 5]);
        assert_eq!(share_out(10, &[(9, 4), (1, 10)]), [4, 6]);
        assert_eq!(share_out(7, &[(1, 3), (1, 3), (1, 1)]), [3, 3, 1]);
        assert_eq!(share_out(0, &[(1, 3)]), [0]);
        assert_eq!(share_out(9, &[(1, 3), (1, 2)]), [3, 2]);
    }

    #[test]
    fn a_choice_of_wholes_adds_up() {
        assert_eq!(choose_whole(10, &[5, 5, 5, 5]), [0, 5, 0, 5]);
        assert_eq!(choose_whole(7, &[5, 5, 5, 5]), [2, 0, 5, 0]);
        assert_eq!(choose_whole(50, &[5, 0, 5]), [5, 0, 5]);
    }

    #[test]
    fn a_spread_is_distinct_and_ascending() {
        let mut stream = Stream::new(1, "test", 0);
        for (picks, bound) in [(1, 1), (7, 7), (5, 100), (99, 100)] {
            let all: Vec<u64> = (0..picks).map(|k| stream.spread(k, picks, bound)).collect();
            assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
            assert!(all.iter().all(|&number| number < bound));
        }
    }
}
