//! What could be a table's key: columns whose contents together occur once.
//!
//! Single columns are judged by the first reading; pairs and triples of columns that look like
//! codes by one more. Where none of them is a key, all together are tried, columns with nulls
//! too, and what is not needed is left out, one column a reading. Each trial is given up at its
//! first repetition, and all share a bounded number of hashes: where that is not enough, it is
//! said.

use std::collections::HashSet;

use xxhash_rust::xxh3::Xxh3;

use super::column::{Notes, Seen, is_row};
use super::kind::ColumnKind;
use super::name;
use crate::load::decode::Record;
use crate::spec::source::trim;

/// Columns that combinations are made of.
const CANDIDATES: usize = 9;
/// Hashes over all combinations, some 16 bytes each.
const HASHES_MAX: usize = 8 << 20;
/// Longest content that a key is made of.
const LONGEST: usize = 64;

/// Columns that could be a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyCandidate {
    /// Their places, from 0.
    pub columns: Vec<usize>,
    /// Whether they are.
    pub state: KeyState,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// No two rows have the same in them.
    Unique,
    /// No repetition was seen before there were too many rows to tell.
    TooMany,
}

struct KeyTrial {
    columns: Vec<usize>,
    seen: HashSet<u64>,
    state: Option<KeyState>,
}

/// Hands all rows to what it is given, once more.
type RowReader<'a> = &'a dyn Fn(&mut dyn FnMut(&Record<'_>)) -> anyhow::Result<()>;

/// Finds them, the best first.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn find(
    columns: &[Seen],
    notes: &Notes,
    read: RowReader<'_>,
) -> anyhow::Result<Vec<KeyCandidate>> {
    let rows = notes.rows - notes.odd_rows;
    if rows < 2 {
        return Ok(Vec::new());
    }
    let mut keys: Vec<KeyCandidate> = Vec::new();
    for column in columns.iter().filter(|column| column.nulls == 0 && serves(column)) {
        let key = |state| KeyCandidate { columns: vec![column.index], state };
        if column.is_unique() {
            keys.push(key(KeyState::Unique));
        } else if column.distinct.is_unknown() {
            keys.push(key(KeyState::TooMany));
        }
    }
    let few = combinations(&candidates(columns, &keys, false));
    let few = few.into_iter().filter(|few| can_be(columns, few, rows)).collect();
    keys.extend(tried(columns, few, read)?);
    if !keys.iter().any(|key| key.state == KeyState::Unique) {
        keys.extend(longer(columns, rows, read)?);
    }
    Ok(best_first(keys))
}

/// Whether a column can be in a key: not too long, and no number with decimals.
fn serves(column: &Seen) -> bool {
    let (kind, has_words) = ColumnKind::of(column);
    column.filled > 0
        && column.longest <= LONGEST
        && column.repeats.is_none()
        && !has_words
        && !matches!(kind, ColumnKind::Decimal(..))
        && name::person(&column.name) != name::Person::Private
}

/// The columns that combinations are made of: the leading ones are likelier than any that follow;
/// of these, those that tell more rows apart.
fn candidates(columns: &[Seen], keys: &[KeyCandidate], with_nulls: bool) -> Vec<usize> {
    let alone = |column: &Seen| keys.iter().any(|key| key.columns == [column.index]);
    let mut serving: Vec<&Seen> = columns
        .iter()
        .filter(|column| serves(column) && !alone(column))
        .filter(|column| column.distinct.count().0 + usize::from(column.nulls > 0) > 1)
        .filter(|column| column.nulls == 0 || (with_nulls && column.nulls <= column.filled))
        .collect();
    if serving.len() > CANDIDATES {
        let (_, rest) = serving.split_at_mut(CANDIDATES / 2);
        rest.sort_by_key(|column| std::cmp::Reverse(column.distinct.count().0));
        serving.truncate(CANDIDATES);
        serving.sort_by_key(|column| column.index);
    }
    serving.iter().map(|column| column.index).collect()
}

/// Pairs and triples.
fn combinations(places: &[usize]) -> Vec<Vec<usize>> {
    let mut combinations = Vec::new();
    for (first, a) in places.iter().enumerate() {
        for (second, b) in places.iter().enumerate().skip(first + 1) {
            combinations.push(vec![*a, *b]);
            combinations.extend(places[second + 1..].iter().map(|c| vec![*a, *b, *c]));
        }
    }
    combinations.sort_by_key(Vec::len);
    combinations
}

/// Fewer combinations of contents than rows: some must repeat.
fn can_be(columns: &[Seen], combination: &[usize], rows: u64) -> bool {
    let most = combination.iter().try_fold(1_u64, |product, index| {
        let (count, exact) = columns[*index].distinct.count();
        let null = u64::from(columns[*index].nulls > 0);
        exact.then(|| product.saturating_mul(count as u64 + null))
    });
    most.is_none_or(|most| most >= rows)
}

/// Reads all rows once more for these combinations.
fn tried(
    columns: &[Seen],
    combinations: Vec<Vec<usize>>,
    read: RowReader<'_>,
) -> anyhow::Result<Vec<KeyCandidate>> {
    if combinations.is_empty() {
        return Ok(Vec::new());
    }
    let trial = |columns| KeyTrial { columns, seen: HashSet::new(), state: Some(KeyState::Unique) };
    let mut trials: Vec<KeyTrial> = combinations.into_iter().map(trial).collect();
    let mut room = HASHES_MAX;
    read(&mut |record: &Record<'_>| {
        if is_row(record, columns.len()) {
            for trial in &mut trials {
                trial.note(record, &mut room);
            }
        }
    })?;
    let known =
        |trial: KeyTrial| Some(KeyCandidate { columns: trial.columns, state: trial.state? });
    Ok(trials.into_iter().filter_map(known).collect())
}

/// A key of more columns, nulls among them: all candidates, then without each that is not needed,
/// the last first.
fn longer(columns: &[Seen], rows: u64, read: RowReader<'_>) -> anyhow::Result<Vec<KeyCandidate>> {
    let all = candidates(columns, &[], true);
    if all.len() < 2 || !can_be(columns, &all, rows) {
        return Ok(Vec::new());
    }
    let mut found = tried(columns, vec![all], read)?;
    while let Some(key) = found.last().filter(|key| key.state == KeyState::Unique) {
        let places = &key.columns;
        let without = |left: usize| {
            let kept = places.iter().enumerate().filter(move |(place, _)| *place != left);
            kept.map(|(_, column)| *column).collect::<Vec<usize>>()
        };
        let fewer: Vec<Vec<usize>> = (0..places.len()).rev().map(without).collect();
        let still = tried(columns, fewer, read)?;
        match still.into_iter().find(|key| key.state == KeyState::Unique) {
            Some(fewer) => found = vec![fewer],
            None => break,
        }
    }
    Ok(found)
}

impl KeyTrial {
    fn note(&mut self, record: &Record<'_>, room: &mut usize) {
        if self.state != Some(KeyState::Unique) {
            return;
        }
        if *room == 0 {
            self.end(Some(KeyState::TooMany), room);
            return;
        }
        let mut hash = Xxh3::new();
        for index in &self.columns {
            let field = trim(record.field(*index).unwrap_or_default());
            // Lengths keep `ab`+`c` apart from `a`+`bc`.
            hash.update(&(field.len() as u32).to_le_bytes());
            hash.update(field);
        }
        match self.seen.insert(hash.digest()) {
            true => *room -= 1,
            false => self.end(None, room),
        }
    }

    fn end(&mut self, state: Option<KeyState>, room: &mut usize) {
        self.state = state;
        *room += self.seen.len();
        self.seen = HashSet::new();
    }
}

/// Keys that hold no smaller key: first what the leading columns make, for files are ordered by
/// their key; then by the number of columns.
fn best_first(keys: Vec<KeyCandidate>) -> Vec<KeyCandidate> {
    let within = |small: &KeyCandidate, large: &KeyCandidate| {
        small.columns.len() < large.columns.len()
            && small.state == KeyState::Unique
            && small.columns.iter().all(|column| large.columns.contains(column))
    };
    let mut minimal: Vec<KeyCandidate> =
        keys.iter().filter(|key| !keys.iter().any(|other| within(other, key))).cloned().collect();
    let lead = |key: &KeyCandidate| {
        let last = key.columns.last().copied().unwrap_or_default();
        (key.state == KeyState::TooMany, last.max(3), key.columns.len(), key.columns.clone())
    };
    minimal.sort_by_key(lead);
    minimal
}

#[cfg(test)]
mod tests {
    use super::super::column::SampledFile;
    use super::super::shape::FileShape;
    use super::*;
    use crate::load::decode::Records;

    fn keys(names: &[&str], text: &str) -> Vec<Vec<usize>> {
        let shape = FileShape::plain(b'|', names);
        let format = super::super::format(b'|', crate::spec::source::Quoting::None);
        let each = |use_it: &mut dyn FnMut(&Record<'_>)| {
            let mut records = Records::new(text.as_bytes(), &format);
            while let Some(record) = records.next_record()? {
                use_it(&record);
            }
            Ok(())
        };
        let mut file = SampledFile::new(&shape);
        each(&mut |record| file.note(record)).unwrap();
        let (notes, columns) = file.finish(true);
        find(&columns, &notes, &each).unwrap().into_iter().map(|key| key.columns).collect()
    }

    #[test]
    fn the_smallest_key_of_the_leading_columns_comes_first() {
        let text = "H1|001|0|H1_001_0|x\nH1|001|1|H1_001_1|x\nH1|002|0|H1_002_0|x\n\
                    H2|001|0|H2_001_0|x\nH2|001|1|H2_001_1|x\nH2|002|0|H2_002_0|x\n";
        let names = ["contract", "plan", "segment", "bid_id", "same"];
        // bid_id stands as near as the triple and is alone.
        assert_eq!(keys(&names, text), [vec![3], vec![0, 1, 2]]);
    }

    #[test]
    fn nulls_and_repetitions_are_no_key() {
        assert_eq!(keys(&["a", "b"], "1|x\n1|y\n2|x\n"), [[0, 1]]);
        assert!(keys(&["a", "b"], "1|x\n1|x\n2|x\n").is_empty());
        assert!(keys(&["a"], "1\n \n").is_empty());
        assert!(keys(&["a", "b"], "1| \n1| \n2|x\n").is_empty());
        assert!(keys(&["a"], "1\n").is_empty(), "one row proves nothing");
    }

    #[test]
    fn a_longer_key_has_what_it_needs_and_may_hold_nulls() {
        let mut text = String::new();
        for (contract, plan, tier, days) in
            (0..16).map(|n| (n & 1, n >> 1 & 1, n >> 2 & 1, n >> 3 & 1))
        {
            let days = if days == 0 { " ".to_owned() } else { days.to_string() };
            text.push_str(&format!("H{contract}|{plan}|same|{tier}|{days}|{}\n", contract ^ tier));
        }
        let names = ["contract", "plan", "constant", "tier", "days", "derived"];
        assert_eq!(keys(&names, &text), [[0, 1, 3, 4]]);
    }
}
