//! A table or view on the page: what it is, where it comes from, its columns, and what a build
//! found in it.

use indicatif::{HumanBytes, HumanCount};
use maud::{Markup, html};

use super::described::{DescribedColumn, Index, plain};
use super::facts::{BuildFacts, ColumnFacts, TableStatistics};
use super::link::{Names, anchor};
use super::linked::linked;
use super::origin::{ColumnOrigin, TableOrigin};
use super::{DefiningSection, Relation, RelationKind};
use crate::catalog::ledger::SourceEntry;

/// The section of one table or view.
pub(super) fn section(relation: &Relation, facts: Option<&BuildFacts>, names: &Names) -> Markup {
    let described = &relation.described;
    let id = anchor(&[relation.name()]);
    let facts = facts.and_then(|facts| facts.tables.get(relation.name()));
    html! {
        section.relation #(id) aria-labelledby={ (id) ".title" } {
            h3 #{ (id) ".title" } {
                a.self href={ "#" (id) } { (relation.name()) }
                (badge(relation.kind))
                @if relation.is_personal { span.badge.personal { "about people" } }
            }
            p.comment { (linked(&described.comment, names)) }
            dl.facts {
                @if let Some(facts) = facts { (figures(facts)) }
                (place(relation.place.as_ref()))
                @if let Some(origin) = &relation.origin { (origin_of(origin, facts)) }
                (keys(relation, names))
                (linked_names("Reads", &relation.reads, names))
                (linked_names("Read by", &relation.read_by, names))
            }
            (columns(relation, facts, names))
            @if let Some(facts) = facts { (keys_of_documents(relation, facts)) }
            @if let Some(origin) = &relation.origin {
                (files(origin, facts.and_then(|facts| facts.source.as_ref())))
            }
            @if !relation.checks.is_empty() {
                details {
                    summary { "Checks: " (relation.checks.len()) }
                    ul { @for title in &relation.checks { li { (title) } } }
                }
            }
            @if let Some(recipe) = &relation.recipe {
                details { summary { "How it is made" } pre { code { (recipe.trim()) } } }
            }
        }
    }
}

/// The kind as a small label.
pub(super) fn badge(kind: RelationKind) -> Markup {
    html! { span class={ "badge " (kind.word()) } { (kind.word()) } }
}

fn figures(facts: &TableStatistics) -> Markup {
    let sign = if facts.source.is_none() && facts.is_sampled() { "≈ " } else { "" };
    // Of a handful of rows the page that they lie in is all that would be measured.
    let per_row = if facts.rows < 1000 { None } else { facts.bytes.checked_div(facts.rows) };
    html! {
        dt { "Rows" }
        dd {
            @if facts.is_left_out {
                "none: this build was made without the source"
            } @else {
                (sign) (HumanCount(facts.rows)) ", " (HumanBytes(facts.bytes)) " with indexes"
                @if let Some(bytes) = per_row { " (" (bytes) " bytes a row)" }
            }
            @if let Some(entry) = &facts.source { (left_aside(entry)) }
        }
        @if let Some(entry) = &facts.source {
            @if entry.period.is_some() || entry.posted.is_some() {
                dt { "Period" }
                dd {
                    (entry.period.as_deref().unwrap_or("not said"))
                    @if let Some(posted) = &entry.posted { ", posted " (day(posted)) }
                }
            }
        }
    }
}

/// Rows that the files have and the table has not.
fn left_aside(entry: &SourceEntry) -> Markup {
    let rejected = entry.sum(|file| file.rejected);
    let filtered = entry.sum(|file| file.filtered);
    let misfits = entry.sum(|file| file.misfits);
    html! {
        @if rejected > 0 { ", " (HumanCount(rejected)) " rejected" }
        @if filtered > 0 { ", " (HumanCount(filtered)) " filtered" }
        @if misfits > 0 { ", " (HumanCount(misfits)) " fields null, for they do not fit" }
    }
}

/// `20260701` as `2026-07-01`.
fn day(posted: &str) -> String {
    match (posted.get(..4), posted.get(4..6), posted.get(6..8)) {
        (Some(year), Some(month), Some(day)) if posted.len() == 8 => {
            format!("{year}-{month}-{day}")
        }
        _ => posted.to_owned(),
    }
}

/// Where it is made.
pub(super) fn place(place: Option<&DefiningSection>) -> Markup {
    html! {
        @if let Some(place) = place {
            dt { "Made in" }
            dd {
                code { (place.path.display()) ":" (place.line) }
                span.muted { " -- " (place.section) }
            }
        }
    }
}

fn origin_of(origin: &TableOrigin, facts: Option<&TableStatistics>) -> Markup {
    let loaded_by = facts.and_then(|facts| facts.spec_sha256.as_ref());
    let spec_changed = loaded_by.is_some_and(|sha256| *sha256 != origin.spec_sha256);
    html! {
        dt { "Source" }
        dd {
            (origin.description) " " code { (origin.spec.display()) }
            @if spec_changed { " " strong { "The spec has changed since this build." } }
        }
        @for note in &origin.notes { dt {} dd.minor { (note) } }
    }
}

fn keys(relation: &Relation, names: &Names) -> Markup {
    let described = &relation.described;
    let word = |index: &Index| match (index.is_primary, index.is_unique) {
        (true, _) => "Primary key",
        (false, true) => "Unique",
        (false, false) => "Index",
    };
    html! {
        @for index in &described.indexes {
            dt { (word(index)) } dd { code { (index.tail()) } }
        }
        @for key in &described.foreign_keys {
            dt { "Refers to" }
            dd {
                @match names.anchor(&key.table) {
                    Some(anchor) => a href={ "#" (anchor) } { (key.table) },
                    None => (key.table),
                }
                " (" (key.referenced.join(", ")) ") by " code { (key.columns.join(", ")) }
            }
        }
        @for rule in &described.rules { dt { "Rule" } dd { code { (rule) } } }
    }
}

/// Names of tables and functions, each a link.
pub(super) fn linked_names(label: &str, names: &[String], known: &Names) -> Markup {
    html! {
        @if !names.is_empty() {
            dt { (label) }
            dd {
                @for (index, name) in names.iter().enumerate() {
                    @if index > 0 { ", " }
                    @match known.anchor(name) {
                        Some(anchor) => a href={ "#" (anchor) } { (name) },
                        None => (name),
                    }
                }
            }
        }
    }
}

fn columns(relation: &Relation, facts: Option<&TableStatistics>, names: &Names) -> Markup {
    let described = &relation.described;
    let has_facts = facts.is_some_and(|facts| !facts.columns.is_empty());
    html! {
        table.columns {
            caption.unseen { "Columns of " (relation.name()) }
            thead {
                tr {
                    th scope="col" { "Column" }
                    th scope="col" { "What" }
                    @if has_facts { th scope="col" { "In this build" } }
                }
            }
            tbody {
                @for column in &described.columns {
                    tr id=(anchor(&[relation.name(), &column.name])) {
                        th scope="row" { (column_head(relation, column)) }
                        td {
                            (linked(&column.comment, names))
                            @let from = relation.origin.as_ref()
                                .and_then(|origin| origin.columns.get(&column.name));
                            @if let Some(from) = from { (column_origin(from, names)) }
                        }
                        @if let Some(facts) = facts.filter(|_| has_facts) {
                            td.found { (found(column, facts, relation.is_personal)) }
                        }
                    }
                }
            }
        }
    }
}

fn column_head(relation: &Relation, column: &DescribedColumn) -> Markup {
    let id = anchor(&[relation.name(), &column.name]);
    // The catalog says of no column of a view that it cannot be null.
    let not_null = !column.nullable && relation.kind != RelationKind::View;
    html! {
        a.self href={ "#" (id) } { (column.name) }
        @if relation.key().contains(&column.name) { span.key title="part of the key" { "key" } }
        span.type {
            (column.type_name)
            @if not_null { " not null" }
            @if let Some(fallback) = &column.fallback { " default " (plain(fallback, &column.type_name)) }
        }
    }
}

fn column_origin(from: &ColumnOrigin, names: &Names) -> Markup {
    html! {
        span.origin {
            @for (index, field) in from.fields.iter().enumerate() {
                @if index > 0 { " or " }
                code { (field) }
            }
            @for (index, step) in from.steps.iter().enumerate() {
                @if index > 0 || !from.fields.is_empty() { "; " }
                (linked(step, names))
            }
        }
    }
}

/// What the build found in a column.
fn found(column: &DescribedColumn, facts: &TableStatistics, is_personal: bool) -> Markup {
    let Some(found) = facts.columns.get(&column.name) else { return html! {} };
    let about = if facts.is_sampled() { "≈ " } else { "" };
    html! {
        span.share {
            @match nulls(found.null_share) {
                Some(share) => { (about) (share) " null" },
                None => "no nulls",
            }
        }
        @if found.null_share < 1.0 {
            @if let Some(distinct) = found.distinct { (different(distinct, found, facts, about)) }
            @if is_personal {
                span.withheld { "values not shown" }
            } @else if !found.examples.is_empty() {
                span.examples {
                    @for (index, example) in found.examples.iter().enumerate() {
                        @if index > 0 { " " }
                        code { (example) }
                    }
                }
            } @else if let Some((low, high)) = &found.range {
                span.examples { code { (low) } " to " code { (high) } }
            }
        }
    }
}

fn different(distinct: u64, found: &ColumnFacts, facts: &TableStatistics, about: &str) -> Markup {
    let all = found.null_share == 0.0 && distinct == facts.rows && distinct > 1;
    html! {
        span.distinct {
            @match (all, distinct) {
                (true, _) => "all different",
                (false, 1) => "one value",
                _ => { (about) (HumanCount(distinct)) " different" },
            }
        }
    }
}

/// A share of nulls in words; `None` when there are none.
fn nulls(null_share: f64) -> Option<String> {
    match null_share {
        none if none <= 0.0 => None,
        all if all >= 1.0 => Some("always".to_owned()),
        some => Some(share(some)),
    }
}

/// A share in whole percent, and never nothing or all where it is some.
fn share(share: f64) -> String {
    match share * 100.0 {
        p if p < 1.0 => "under 1 %".to_owned(),
        p if p > 99.0 && p < 100.0 => "over 99 %".to_owned(),
        p => format!("{p:.0} %"),
    }
}

/// The keys of a column of documents: columns in all but name.
fn keys_of_documents(relation: &Relation, facts: &TableStatistics) -> Markup {
    html! {
        @for (column, keys) in &facts.keys {
            details {
                summary { "Keys of " (column) ": " (HumanCount(keys.keys.len() as u64)) }
                p.muted {
                    "Found in " (HumanCount(keys.rows)) " rows"
                    @if keys.rows < facts.rows { ", a sample" }
                    ", with the share of the rows that have it and a value."
                }
                ul.keys {
                    @for key in &keys.keys {
                        li id=(anchor(&[relation.name(), column, &key.name])) {
                            code { (key.name) }
                            span.muted { " " (share(key.share)) " " }
                            code.example { (key.example) }
                        }
                    }
                }
            }
        }
    }
}

/// What the files are called, and which ones were read.
fn files(origin: &TableOrigin, entry: Option<&SourceEntry>) -> Markup {
    html! {
        details {
            summary {
                "Files"
                @if let Some(entry) = entry { ": " (entry.files.len()) }
            }
            dl.facts {
                @for (label, pattern) in &origin.patterns {
                    dt { (label) } dd { code { (pattern) } }
                }
            }
            @if let Some(entry) = entry.filter(|entry| !entry.files.is_empty()) {
                div.wide { (files_read(entry)) }
                p.muted { "Digest of the rows: " code { (entry.digest) } }
            }
        }
    }
}

fn files_read(entry: &SourceEntry) -> Markup {
    html! {
        table.files {
            thead {
                tr {
                    th scope="col" { "Object and member" }
                    th.number scope="col" { "Text" }
                    th.number scope="col" { "Rows" }
                    th scope="col" { "sha256 of the text" }
                }
            }
            tbody {
                @for file in &entry.files {
                    tr {
                        th scope="row" {
                            code { (file.object) }
                            @if !file.member.is_empty() { " → " code { (file.member) } }
                            span.muted { " version " (file.version) }
                        }
                        td.number { (HumanBytes(file.bytes)) }
                        td.number { (HumanCount(file.loaded)) }
                        td { code { (file.sha256) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_said_without_false_exactness() {
        let said: Vec<_> = [0.0, 0.004, 0.5, 0.999, 1.0].map(nulls).into();
        let text = |words: &str| Some(words.to_owned());
        let expected = [None, text("under 1 %"), text("50 %"), text("over 99 %"), text("always")];
        assert_eq!(said, expected);
        assert_eq!((day("20260701"), day("2026")), ("2026-07-01".into(), "2026".into()));
    }
}
