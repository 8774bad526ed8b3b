//! What differs between a source's files and those that a build read, as its ledger keeps them; and
//! which build a table was copied from.

use serde::{Deserialize, Serialize};

use crate::fetch::contents::Leaf;

/// What differs between what was there and what is there now, in words; `None` where nothing does.
pub(crate) fn difference(before: &[Leaf], now: &[Leaf]) -> Option<String> {
    if let Some(vague) = now.iter().find(|leaf| !leaf.is_told()) {
        let name = vague.path();
        let what = if name.is_empty() { "the object".to_owned() } else { name };
        return Some(format!("no checksum tells whether {what} is the same"));
    }
    for leaf in now.iter().filter(|leaf| !before.contains(leaf)) {
        let path = leaf.path();
        let of_path = || before.iter().filter(|old| old.path() == path);
        // Of several that have one path, an edition each, the edition tells which it was.
        let Some(old) = of_path().find(|old| old.known == leaf.known).or(of_path().next()) else {
            return Some(format!("{path} is new"));
        };
        if let Some((was, is)) = old.links.iter().zip(&leaf.links).find(|(was, is)| was != is) {
            let what = if is.name.is_empty() { "the object" } else { is.name.as_str() };
            let how = match was.size == is.size {
                true => "other bytes of the same size".to_owned(),
                false => format!("{} bytes, was {}", is.size, was.size),
            };
            return Some(format!("{what} changed: {how}"));
        }
        if old.known != leaf.known {
            let what = if path.is_empty() { "the object" } else { path.as_str() };
            return Some(format!("the name of {what}, or of what it lies in, says something else"));
        }
    }
    let gone = before.iter().find(|old| !now.iter().any(|leaf| leaf.path() == old.path()));
    gone.map(|old| format!("{} is gone", old.path()))
        // Two leaves of one path: an edition each. What is equal one by one is in the same order.
        .or_else(|| (before != now).then(|| "its files changed".to_owned()))
}

/// Where a table came from that was not loaded again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reuse {
    /// The build's own name.
    pub build: String,
    /// What shows that the source is unchanged.
    pub evidence: String,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fetch::contents::Link;

    fn leaf(name: &str, size: u64, crc: u32) -> Leaf {
        let link = Link { name: name.into(), size, crc32: Some(crc), sha256: None };
        Leaf { links: vec![link], known: BTreeMap::from([("period".into(), "2026Q2".into())]) }
    }

    #[test]
    fn every_change_is_told_in_words_and_no_change_is_none() {
        let before = [leaf("a.zip", 1, 2), leaf("b.zip", 3, 4)];
        assert_eq!(difference(&before, &before), None);
        let said = |now: &[Leaf]| difference(&before, now).unwrap_or_default();
        assert_eq!(
            said(&[leaf("a.zip", 9, 2), leaf("b.zip", 3, 4)]),
            "a.zip changed: 9 bytes, was 1"
        );
        assert!(said(&[leaf("a.zip", 1, 9), leaf("b.zip", 3, 4)]).contains("of the same size"));
        assert_eq!(said(&before[..1]), "b.zip is gone");
        assert_eq!(said(&[leaf("a.zip", 1, 2), leaf("c.zip", 3, 4)]), "c.zip is new");
        let mut renamed = before.clone();
        renamed[1].known.insert("period".into(), "2026Q3".into());
        assert!(said(&renamed).contains("says something else"));
        let mut vague = before.clone();
        vague[0].links[0].crc32 = None;
        assert!(said(&vague).contains("no checksum tells"));
        let swapped = [before[1].clone(), before[0].clone()];
        assert_eq!(said(&swapped), "its files changed");
    }

    #[test]
    fn objects_of_several_editions_are_held_against_their_own() {
        let edition = |year: &str, size, crc| {
            let known = BTreeMap::from([("edition".into(), year.into())]);
            Leaf { known, ..leaf("", size, crc) }
        };
        let before = [edition("2024", 1, 2), edition("2025", 3, 4)];
        assert_eq!(difference(&before, &before), None);
        let now = [edition("2024", 1, 2), edition("2025", 5, 4)];
        assert_eq!(difference(&before, &now).unwrap(), "the object changed: 5 bytes, was 3");
        // One that is there twice is not the other one as well.
        let twice = [edition("2025", 3, 4), edition("2025", 3, 4)];
        assert_eq!(difference(&before, &twice).unwrap(), "its files changed");
    }
}
