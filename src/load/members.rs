//! A source's members in the objects that were pinned for it: as many as its spec says, and of one
//! period.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Exit, Failure};
use crate::fetch::archive::{self, FoundMembers};
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::spec::source::{Parts, Period, Source};

/// What to do about a release of two periods.
pub(crate) const MIXED_PERIODS: &str =
    "a release holds one period: land one that CMS posted as a whole";

/// Finds the members of a source in all its objects; blocking.
///
/// # Errors
/// [`Exit::InputRejected`] when an archive is damaged or hostile, when there are more or fewer members
/// than the spec says, or when they are of several periods.
pub(crate) fn find(
    source: &Source,
    objects: &[Arc<Object>],
    scratch: &Path,
) -> anyhow::Result<FoundMembers> {
    let patterns = source.patterns();
    let mut all = FoundMembers::default();
    for object in objects {
        let found = archive::find(&patterns, object, scratch)?;
        if let Some(pattern) = &source.member {
            refuse_other_count(source, pattern.as_str(), &found, object)?;
            one_period(&found.members, object)?;
        }
        all.add(found);
    }
    Ok(all)
}

/// The period that the members' names tell, in kiln's own form; of several editions the newest.
pub(crate) fn period(found: &FoundMembers) -> Option<String> {
    found.members.iter().rev().find_map(period_of)
}

fn period_of(member: &Member) -> Option<String> {
    member.known.get("period").map(|text| Period::canonical(text))
}

fn one_period(members: &[Member], object: &Object) -> anyhow::Result<()> {
    let mut periods: Vec<String> = members.iter().filter_map(period_of).collect();
    periods.sort_unstable();
    periods.dedup();
    if periods.len() > 1 {
        let message = format!("{} mixes the periods {}", object.pin.url(), periods.join(" and "));
        return Err(Failure::new(Exit::InputRejected, message).hint(MIXED_PERIODS).into());
    }
    Ok(())
}

/// Refuses an object of which another number of members match.
fn refuse_other_count(
    source: &Source,
    pattern: &str,
    found: &FoundMembers,
    object: &Object,
) -> anyhow::Result<()> {
    let count = found.members.len();
    let fits = source.parts.compare(count);
    if fits.is_eq() {
        return Ok(());
    }
    let names: Vec<&str> = found.members.iter().map(|m| m.name.as_str()).collect();
    let listed = match names.is_empty() {
        true => format!("the archive has {}", list(&found.entries)),
        false => format!("found {}", names.join(", ")),
    };
    let what = if fits.is_lt() { "missing" } else { "extra" };
    let message = format!(
        "{what} member in {}: expected {} matching `{pattern}`, found {count}; {listed}",
        object.pin.url(),
        source.parts,
    );
    Err(Failure::new(Exit::InputRejected, message).hint(mend_parts(source, count)).into())
}

/// What is wrong where another number of members matches: the pattern where none does; the number
/// where more do than it says.
fn mend_parts(source: &Source, found: usize) -> String {
    let spec = source.path.display();
    let without = format!("or leave it out: kiln run {}", source.without());
    match (found, source.parts) {
        (0, _) => format!("land a whole release, mend `member` in {spec}, {without}"),
        (found, Parts::Exactly(parts)) if found > parts && parts > 1 => {
            format!("if CMS cuts it into {found} now: `parts = {found}` in {spec}; {without}")
        }
        (found, Parts::Exactly(parts)) if found > parts => format!(
            "if all of them belong to it: `parts = {found}` in {spec}, else mend `member` there; \
             {without}"
        ),
        (_, Parts::Exactly(_)) => format!(
            "land a whole release; if CMS cuts it into {found} now: `parts = {found}` in {spec}; \
             {without}"
        ),
        (_, Parts::AtLeast(_)) => {
            format!("land a whole release, lower `parts` in {spec}, {without}")
        }
    }
}

fn list(entries: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = entries.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match entries.len().checked_sub(SHOWN) {
        _ if entries.is_empty() => text.push_str("no entries"),
        Some(more) if more > 0 => text.push_str(&format!(" and {more} more")),
        _ => {}
    }
    text
}
