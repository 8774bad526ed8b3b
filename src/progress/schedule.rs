//! How long the load has left when its connections take their jobs in turn, as `copy::queue` gives
//! them out: what takes longest first; keys once their source's rows are in, and tables that are made
//! from others once all rows are.

use std::collections::BTreeMap;

/// A job that is left, or a part of it.
#[derive(Debug, Clone, Copy)]
struct Job<'a> {
    name: &'a str,
    seconds: f64,
    /// It goes on before all others.
    is_begun: bool,
    is_load: bool,
}

/// Seconds by the clock for what is left of these jobs. `loads` and `keys` are seconds on one
/// connection, and `keys` without a load are tables made from others; the shares say how much of each
/// is done.
pub fn makespan(
    loads: &BTreeMap<String, f64>,
    loaded: impl Fn(&str) -> f64,
    keys: &BTreeMap<String, f64>,
    keyed: impl Fn(&str) -> f64,
    connections: usize,
) -> f64 {
    let mut ready: Vec<Job<'_>> = left(loads, loaded, true);
    let mut behind: Vec<Job<'_>> = left(keys, keyed, false);
    let mut running: Vec<(f64, Job<'_>)> = Vec::new();
    let mut now = 0.0;
    loop {
        let under_way = running.iter().map(|(_, job)| job);
        let loading: Vec<&str> =
            ready.iter().chain(under_way).filter(|job| job.is_load).map(|job| job.name).collect();
        let is_ready = |key: &mut Job<'_>| match loads.contains_key(key.name) {
            true => !loading.contains(&key.name),
            false => loading.is_empty(),
        };
        let followed: Vec<Job<'_>> = behind.extract_if(.., is_ready).collect();
        ready.extend(followed);
        ready.sort_by(|a, b| {
            a.is_begun.cmp(&b.is_begun).then_with(|| a.seconds.total_cmp(&b.seconds))
        });
        while running.len() < connections.max(1)
            && let Some(job) = ready.pop()
        {
            running.push((now + job.seconds, job));
        }
        let first = (0..running.len()).min_by(|a, b| running[*a].0.total_cmp(&running[*b].0));
        let Some(first) = first else { return now };
        now = running.swap_remove(first).0;
    }
}

fn left<'a>(
    all: &'a BTreeMap<String, f64>,
    done: impl Fn(&str) -> f64,
    is_load: bool,
) -> Vec<Job<'a>> {
    let jobs = all.iter().map(|(name, seconds)| {
        let share = done(name).clamp(0.0, 1.0);
        let is_begun = share > 0.0;
        (share < 1.0).then_some(Job { name, seconds: seconds * (1.0 - share), is_begun, is_load })
    });
    jobs.flatten().collect()
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

    #[test]
    fn a_table_made_from_others_waits_for_all_rows_and_goes_beside_the_keys() {
        let loads = jobs(&[("network", 60.0), ("nppes", 30.0)]);
        let keys = jobs(&[("network", 40.0), ("nppes", 5.0), ("pharmacy", 30.0)]);
        let none = |_: &str| 0.0;
        assert_eq!(makespan(&loads, none, &keys, none, 2), 100.0);
        assert_eq!(makespan(&loads, none, &keys, none, 1), 165.0);
        let all = |_: &str| 1.0;
        let keyed = |name: &str| if name == "nppes" { 1.0 } else { 0.5 };
        assert_eq!(makespan(&loads, all, &keys, keyed, 2), 20.0);
    }
}
