//! Listings: keys, names and times as a store gives them. What a source reads does not hang on the order
//! of a listing, a time is read in one way and told in one, and nothing is withdrawn but what is marked.

use std::sync::LazyLock;

use super::shapes::source;
use super::stands;
use crate::dev::servers::After;
use crate::fetch::kind::FileKind;
use crate::fetch::store::{ListedObject, file_name, withdrawn};
use crate::plan::manifest::chosen;
use crate::spec::source::{Named, Period, Source};

/// Patterns as sources have them: by posting, by period, by edition.
const PATTERNS: [&str; 4] = [
    r"(?i)^SPUF_(?<year>\d{4})_(?<posted>\d{8})(\.[a-z]+)?\.zip$",
    r"(?i)^(?<edition>\d{4})[ _]Star[ _]Ratings.*\((?<posted>[a-z]+ \d+ \d+)\)\.(csv|zip)$",
    r"(?i)(?<period>.*?)[-_]?(?<posted>\d{6}([.-]\d+)?)?\.(csv|txt)$",
    r"(?<edition>.?)(?<period>.+)_(?<posted>.+)",
];

/// A line an object: its key, when it was put, and its entity tag, between tabs.
pub fn listings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let listed: Vec<ListedObject> = text.lines().map(listed).collect();
    is_taken_apart(&listed);
    stands(is_chosen(&listed));
    let words: Vec<&str> = text.split(['\t', '\n', '/']).collect();
    words.iter().for_each(|word| is_time(word));
    for pair in words.windows(2) {
        is_before(pair[0], pair[1]);
    }
    words.iter().for_each(|word| is_token(word));
    let _ = FileKind::of(data).words();
}

fn listed(line: &str) -> ListedObject {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or_default().to_owned();
    let (key, modified, etag) = (next(), next(), next());
    let modified = modified.parse().unwrap_or_default();
    ListedObject { key, size: line.len() as u64, modified, etag }
}

fn is_taken_apart(listed: &[ListedObject]) {
    let (standing, gone) = withdrawn::apart(listed.to_vec());
    let is_marker = |object: &&ListedObject| file_name(&object.key).contains(".withdrawn-");
    let markers: Vec<&ListedObject> = listed.iter().filter(is_marker).collect();
    assert_eq!(standing.len() + gone.len() + markers.len(), listed.len(), "none is lost");
    let is_marked = |object: &ListedObject| markers.iter().any(|m| m.key == object.withdrawal());
    assert!(gone.iter().all(is_marked) && !standing.iter().any(is_marked));
    assert!(!standing.iter().any(|object| is_marker(&object)), "a marker is read");
    for object in listed {
        let marker = object.withdrawal();
        assert!(marker.starts_with(&object.key), "it lies beside what it withdraws");
        let name = file_name(&marker);
        assert!(name.contains(".withdrawn-"), "{name:?} is no marker");
    }
}

fn of_pattern(pattern: &str) -> Result<Source, String> {
    source(&format!(
        "description = \"d\"\nobject = '{pattern}'\ncolumns = [{{ from = \"A\" }}]\n\
         [format]\ndelimiter = \",\"\n"
    ))
}

/// What a source reads: one object an edition, none of which is older than another of it.
fn is_chosen(listed: &[ListedObject]) -> anyhow::Result<()> {
    static SOURCES: LazyLock<Result<Vec<Source>, String>> =
        LazyLock::new(|| PATTERNS.iter().map(|pattern| of_pattern(pattern)).collect());
    for source in SOURCES.as_ref().map_err(|said| anyhow::anyhow!("{said}"))? {
        let keys = chosen(source, listed);
        let turned: Vec<ListedObject> = listed.iter().rev().cloned().collect();
        assert_eq!(keys, chosen(source, &turned), "another order, and another object is read");
        let mut editions = Vec::new();
        for key in &keys {
            let named = Named::of(source, key);
            assert!(named.is_some(), "{key:?} is none that the source reads");
            editions.extend(named.map(|named| named.edition));
        }
        let count = editions.len();
        editions.dedup();
        assert_eq!(editions.len(), count, "an edition is read twice: {editions:?}");
        let others = listed.iter().filter_map(|object| Named::of(source, &object.key));
        for other in others {
            let newest = keys.iter().filter_map(|key| Named::of(source, key));
            let newest = newest.into_iter().find(|named| named.edition == other.edition);
            let posted = newest.map(|named| named.posted.as_ref().map(Period::order));
            assert!(
                posted >= Some(other.posted.as_ref().map(Period::order)),
                "an older one is read"
            );
        }
    }
    Ok(())
}

/// A time is written in one form, which is read as the same time.
fn is_time(text: &str) {
    let canonical = Period::canonical(text);
    let Some(period) = Period::parse(text) else {
        assert_eq!(canonical, text);
        return;
    };
    assert_eq!(canonical, period.to_string());
    assert_eq!(Period::parse(&canonical), Some(period), "{text:?} is told as {canonical}");
    let digits = period.digits();
    assert_eq!(Period::parse(&digits), Some(period), "{text:?} has the digits {digits}");
    assert!((1900..=2199).contains(&period.year()));
    assert!(!period.is_before(&period));
    let upper = Period::parse(&text.to_ascii_uppercase());
    assert_eq!(upper, Some(period), "{text:?} in capitals");
}

fn is_before(one: &str, other: &str) {
    let (Some(one), Some(other)) = (Period::parse(one), Period::parse(other)) else { return };
    assert!(!(one.is_before(&other) && other.is_before(&one)), "{one} {other}");
    if one.is_before(&other) {
        assert!(one.order() < other.order(), "{one} is before {other}");
    }
}

/// A continuation token is read back as what it was made of, and none is taken that was not made.
fn is_token(text: &str) {
    for after in [After::Key(text.to_owned()), After::Prefix(text.to_owned())] {
        assert_eq!(After::from_token(&after.token()).ok(), Some(after));
    }
    if let Ok(after) = After::from_token(text) {
        let same = after.token().eq_ignore_ascii_case(text);
        assert!(same || after == After::Start, "{text:?} is {after:?}");
    }
}
