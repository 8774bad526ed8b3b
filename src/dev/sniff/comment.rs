//! What a draft says of a column: what was seen in the file, and nothing that it may mean.

use indicatif::HumanCount;

use super::column::{Notes, Seen};
use super::kind::{Amount, ColumnKind};
use super::name::Person;

/// Fewer rows than these, and a column of few contents is a column of few rows.
const ROWS_FOR_VALUES: u64 = 50;
/// Longest list of values or words in a comment, in bytes.
const LIST_MAX: usize = 200;

/// The comment on a column. Where the file speaks of persons it holds no value.
pub(super) fn column(
    seen: &Seen,
    kind: &ColumnKind,
    person: Person,
    notes: &Notes,
    personal: bool,
) -> String {
    let heading = &seen.name;
    let rows = notes.rows - notes.odd_rows;
    let mut said = vec![format!("{heading} as the file names it")];
    match person {
        Person::Identifier => said.push("identifies a person by its name: a keyed hash".to_owned()),
        Person::Private => said.push("tells of a person by its name: dropped".to_owned()),
        Person::Neither => {}
    }
    if seen.filled == 0 {
        said.push(match rows {
            0 => "no row was seen".to_owned(),
            rows => format!("empty in all {} rows", HumanCount(rows)),
        });
        return finish(said);
    }
    said.extend(reading(kind));
    let (distinct, exact) = seen.distinct.count();
    let at_least = if exact { "" } else { "at least " };
    let filled = HumanCount(seen.filled);
    said.push(format!("{at_least}{} distinct of {filled}", HumanCount(distinct as u64)));
    if matches!(kind, ColumnKind::Text(_)) {
        said.push(match seen.shortest == seen.longest {
            true if seen.longest == 1 => "one character each".to_owned(),
            true => format!("{} characters each", seen.longest),
            false => format!("longest {} characters", seen.longest),
        });
    }
    if !personal {
        said.extend(values(seen, kind, rows));
    }
    if seen.nulls > 0 {
        said.push(format!("null in {}", HumanCount(seen.nulls)));
    }
    finish(said)
}

/// The comment on the column that takes another's words.
pub(super) fn words(seen: &Seen, personal: bool) -> String {
    let heading = &seen.name;
    let count = HumanCount(seen.evidence.words);
    let mut said =
        vec![format!("What {heading} says in words where it has no number, {count} times")];
    if !personal && let Some(words) = &seen.evidence.word_list {
        let listed = words.iter().map(|(word, count)| format!("{word} ({})", HumanCount(*count)));
        said.push(list(listed));
    }
    finish(said)
}

fn finish(said: Vec<String>) -> String {
    format!("{}. [file]", said.join("; "))
}

/// What was read how.
fn reading(kind: &ColumnKind) -> Option<String> {
    match kind {
        ColumnKind::Text(reason) => reason.map(str::to_owned),
        ColumnKind::YesNo => Some("Y is true, N false".to_owned()),
        ColumnKind::OneZero => Some("1 is true, 0 false".to_owned()),
        ColumnKind::Decimal(_, _, Amount::Percent) => {
            Some("percent as a share: 74% is 0.74".to_owned())
        }
        ColumnKind::Decimal(_, _, Amount::Money) => Some("an amount of dollars".to_owned()),
        ColumnKind::Whole(_) | ColumnKind::Decimal(..) | ColumnKind::Date(_) => None,
    }
}

/// Least and greatest number, or the contents where they are few and the rows many.
fn values(seen: &Seen, kind: &ColumnKind, rows: u64) -> Option<String> {
    if let Some(values) = seen.values.as_ref().filter(|_| rows >= ROWS_FOR_VALUES) {
        let listed =
            values.iter().map(|(value, count)| format!("{value} ({})", HumanCount(*count)));
        return Some(list(listed));
    }
    match (kind, seen.evidence.range()) {
        (ColumnKind::Whole(_), Some((least, most))) => Some(format!("{least} to {most}")),
        _ => None,
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for item in items {
        if text.len() + item.len() > LIST_MAX {
            text.push_str(" …");
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&item);
    }
    text
}
