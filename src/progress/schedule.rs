//! How long the load has left when its connections take their jobs in turn: sources, the longest
//! first, then the keys of those whose rows are in. A connection that finds nothing to do ends.

use std::collections::BTreeMap;

/// Seconds by the clock for what is left of these jobs. `loads` and `keys` are seconds on one
/// connection; the shares say how much of each is done.
pub fn makespan(
    loads: &BTreeMap<String, f64>,
    loaded: impl Fn(&str) -> f64,
    keys: &BTreeMap<String, f64>,
    keyed: impl Fn(&str) -> f64,
    connections: usize,
) -> f64 {
    let left = |seconds: &f64, share: f64| seconds * (1.0 - share.clamp(0.0, 1.0));
    let key = |name: &str| keys.get(name).map_or(0.0, |seconds| left(seconds, keyed(name)));
    // What is under way goes on, whatever its length.
    let is_begun = |share: f64| share > 0.0 && share < 1.0;
    let mut waiting: Vec<(bool, f64, &str)> = Vec::new();
    let mut ready: Vec<(f64, f64)> = Vec::new();
    let mut free: Vec<f64> = Vec::new();
    for (name, seconds) in loads {
        let share = loaded(name);
        if share < 1.0 {
            waiting.push((is_begun(share), left(seconds, share), name));
        } else if is_begun(keyed(name)) && free.len() < connections {
            free.push(key(name));
        } else {
            ready.push((0.0, key(name)));
        }
    }
    free.resize(connections.max(1), 0.0);
    waiting.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap_or(std::cmp::Ordering::Equal));
    let mut end = free.iter().copied().fold(0.0, f64::max);
    while let Some(at) = (0..free.len()).min_by(|a, b| free[*a].total_cmp(&free[*b])) {
        let now = free[at];
        if let Some((_, seconds, name)) = waiting.pop() {
            free[at] = now + seconds;
            ready.push((free[at], key(name)));
        } else if let Some(next) = ready.iter().position(|(since, _)| *since <= now) {
            free[at] = now + ready.swap_remove(next).1;
        } else {
            free.swap_remove(at);
            continue;
        }
        end = end.max(free[at]);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(all: &[(&str, f64)]) -> BTreeMap<String, f64> {
        all.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect()
    }

    #[test]
    fn the_longest_goes_first_and_its_key_is_the_last_to_be_built() {
        let loads = jobs(&[("network", 60.0), ("nppes", 30.0), ("plans", 20.0)]);
        let keys = jobs(&[("network", 40.0), ("nppes", 5.0), ("plans", 1.0)]);
        let none = |_: &str| 0.0;
        // The second connection is done at 56; the network's key follows its rows.
        assert_eq!(makespan(&loads, none, &keys, none, 2), 100.0);
        assert_eq!(makespan(&loads, none, &keys, none, 1), 156.0);
        let half = |name: &str| if name == "network" { 0.5 } else { 1.0 };
        let keyed = |name: &str| if name == "network" { 0.0 } else { 1.0 };
        assert_eq!(makespan(&loads, half, &keys, keyed, 2), 70.0);
        let all = |_: &str| 1.0;
        let half_keyed = |name: &str| if name == "network" { 0.5 } else { 1.0 };
        assert_eq!(makespan(&loads, all, &keys, half_keyed, 2), 20.0);
        assert_eq!(makespan(&loads, all, &keys, all, 2), 0.0);
    }
}
