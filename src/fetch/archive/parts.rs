//! How many members of an object belong to a source.

use super::{Found, Object};
use crate::error::{Exit, Failure};
use crate::spec::source::{Parts, Source};

/// Refuses an object of which other than so many members match.
pub(super) fn refuse_other_count(
    source: &Source,
    pattern: &str,
    found: &Found,
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
