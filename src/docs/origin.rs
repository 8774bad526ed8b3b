//! Where a table's columns come from: the spec's words, as people read them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::source::{Column, Filter, Source, Transform};

/// The file family that feeds a table.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The spec, relative to the root.
    pub spec: PathBuf,
    /// sha256 of the spec's text: what a build's manifest keeps of it.
    pub spec_sha256: String,
    /// One sentence: what the file is.
    pub description: String,
    /// What the object, the archives in it and the member are called: label and pattern.
    pub patterns: Vec<(&'static str, String)>,
    /// What else the spec decides: nulls, rows left out, columns not stored.
    pub notes: Vec<String>,
    /// What feeds each column of the table, by the column's name.
    pub columns: BTreeMap<String, ColumnOrigin>,
}

/// What feeds a column.
#[derive(Debug, Clone, Default)]
pub struct ColumnOrigin {
    /// Names in the file's header; the first one that a file has counts.
    pub fields: Vec<String>,
    /// What is done on the way, in order.
    pub steps: Vec<String>,
}

/// Whether the source holds what is known of people.
pub fn is_personal(_source: &Source) -> bool {
    false
}

impl Origin {
    /// What the spec says.
    pub fn of(source: &Source) -> Origin {
        let mut patterns = vec![("object", source.object.as_str().to_owned())];
        let archive = source.archive.as_ref().map(|regex| ("archive", regex.as_str().to_owned()));
        let member = source.member.as_ref().map(|regex| ("member", regex.as_str().to_owned()));
        patterns.extend(archive);
        patterns.extend(member);
        let mut columns = BTreeMap::new();
        for column in &source.columns {
            if let Some(to) = &column.to {
                columns.insert(to.as_str().to_owned(), ColumnOrigin::of(column));
            }
        }
        Origin {
            spec: source.path.clone(),
            spec_sha256: source.digest(),
            description: source.description.clone(),
            patterns,
            notes: notes(source),
            columns,
        }
    }
}

impl ColumnOrigin {
    fn of(column: &Column) -> ColumnOrigin {
        let mut steps: Vec<String> = column.transforms.iter().map(step).collect();
        if let Some(nulls) = &column.nulls {
            steps.push(format!("null where the file has {}", listed(nulls)));
        }
        if column.optional {
            steps.push("null in files that lack it".to_owned());
        }
        ColumnOrigin { fields: vec![column.from.clone()], steps }
    }
}

fn notes(source: &Source) -> Vec<String> {
    let mut notes = vec![format!("null where the file has {}", listed(&source.format.nulls))];
    let dropped: Vec<&str> =
        source.columns.iter().filter(|c| c.to.is_none()).map(|c| c.from.as_str()).collect();
    if !dropped.is_empty() {
        notes.push(format!("read and not stored: {}", dropped.join(", ")));
    }
    notes.extend(source.filters.iter().map(filter));
    notes
}

fn filter(filter: &Filter) -> String {
    let verb = if filter.keep { "only rows" } else { "no rows" };
    format!("{verb} where {} is {}", filter.column, listed(&filter.values))
}

/// Field contents as people can see them: blanks have no look of their own.
fn listed(contents: &[String]) -> String {
    let shown = contents.iter().map(|content| match content.as_str() {
        "" => "nothing".to_owned(),
        " " => "one space".to_owned(),
        text if text.trim().is_empty() => format!("{} blanks", text.chars().count()),
        text => format!("“{text}”"),
    });
    let shown: Vec<String> = shown.collect();
    match shown.as_slice() {
        [] => "nothing that means null".to_owned(),
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => shown.join(""),
    }
}

/// What a transform does, in the words of sources/README.md.
fn step(transform: &Transform) -> String {
    match transform {
        Transform::Trim => "blanks removed at both ends".to_owned(),
        Transform::Upper => "upper case".to_owned(),
        Transform::Money => "“$” and commas removed, parentheses below zero".to_owned(),
        Transform::Percent => "a percentage as a share".to_owned(),
        Transform::StripHyphens => "hyphens removed".to_owned(),
        Transform::YesNo => "Y is true, N false".to_owned(),
        Transform::OneZero => "1 is true, 0 false".to_owned(),
        Transform::Ndc11 => "as an NDC of 11 digits".to_owned(),
        Transform::ZeroPad(width) => format!("leading zeros to {width} characters"),
        Transform::Date(format) => format!("a date read as {format}"),
    }
}
