//! The dictionary as one HTML file: no server, nothing from outside, searched in the browser, and
//! whole without its script. What comes from comments, specs and data is escaped by maud.

use indicatif::HumanCount;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::facts::{BuildFacts, ROWS_SAMPLED};
use super::link::{Names, anchor, function_anchor};
use super::markdown::first_sentence;
use super::{DataDictionary, Relation, RelationKind, function, relation};

/// Nothing may be loaded or sent, whatever a comment holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page and the pages beside it.
pub(crate) struct Page<'a> {
    /// What is described.
    pub dictionary: &'a DataDictionary,
    /// What a build found; `None`: the page says nothing of rows.
    pub facts: Option<&'a BuildFacts>,
    /// All databases that have a page in the same folder, this one among them.
    pub siblings: &'a [String],
}

/// The file's name in its folder.
pub(crate) fn file_name(database: &str) -> String {
    format!("{database}.html")
}

/// The whole file.
pub(crate) fn render(page: &Page<'_>) -> String {
    let names = Names::of(page.dictionary);
    let title = format!("{}: data dictionary", page.dictionary.database);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                a.skip href="#content" { "Skip to the tables" }
                (header(page))
                div.frame {
                    (navigation(page.dictionary))
                    main #content {
                        (opening(page))
                        @for kind in RelationKind::ALL {
                            @if kind == RelationKind::Raw { (functions(page.dictionary, &names)) }
                            @let of_kind: Vec<_> = page.dictionary.of_kind(kind).collect();
                            @if !of_kind.is_empty() {
                                div.group {
                                    h2 { (kind.heading()) }
                                    p { (kind.meaning()) }
                                }
                                @for relation in of_kind {
                                    (relation::section(relation, page.facts, &names))
                                }
                            }
                        }
                    }
                }
                script type="application/json" #index { (PreEscaped(index(page))) }
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    };
    markup.into_string()
}

/// What apps call stands before what CMS says.
fn functions(dictionary: &DataDictionary, names: &Names) -> Markup {
    html! {
        @if !dictionary.functions.is_empty() {
            div.group { h2 { "Functions" } p { "For apps: questions that have their answer's rules in them." } }
            @for function in &dictionary.functions { (function::section(function, names)) }
        }
    }
}

fn header(page: &Page<'_>) -> Markup {
    html! {
        header {
            div.title {
                span.database { (page.dictionary.database) }
                span.muted { "data dictionary" }
            }
            @if page.siblings.len() > 1 {
                nav.siblings aria-label="Databases" {
                    @for sibling in page.siblings {
                        @if *sibling == page.dictionary.database {
                            a aria-current="page" href=(file_name(sibling)) { (sibling) }
                        } @else {
                            a href=(file_name(sibling)) { (sibling) }
                        }
                    }
                }
            }
            div.search role="search" hidden {
                label.unseen for="query" { "Search tables, columns and comments" }
                input #query type="search" autocomplete="off" spellcheck="false"
                    placeholder="Search tables, columns, comments  ( / )" aria-controls="results";
                div #results hidden {
                    p #count role="status" {}
                    ol {}
                }
            }
        }
    }
}

fn navigation(dictionary: &DataDictionary) -> Markup {
    html! {
        nav.tables aria-label="Tables" {
            details open {
                summary { "Tables" }
                @for kind in RelationKind::ALL {
                    @if kind == RelationKind::Raw && !dictionary.functions.is_empty() {
                        p.label { "Functions" }
                        ul {
                            @for function in &dictionary.functions {
                                li {
                                    a href={ "#" (function_anchor(&function.signature())) } {
                                        (function.described.name)
                                    }
                                }
                            }
                        }
                    }
                    @let of_kind: Vec<_> = dictionary.of_kind(kind).collect();
                    @if !of_kind.is_empty() {
                        p.label { (kind.heading()) }
                        ul {
                            @for relation in of_kind {
                                li { a href={ "#" (anchor(&[relation.name()])) } { (relation.name()) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is described, and how far to believe it.
fn opening(page: &Page<'_>) -> Markup {
    let dictionary = page.dictionary;
    let version = dictionary.version.map_or("not locked".to_owned(), |v| v.to_string());
    html! {
        div.opening {
            h1 { (dictionary.database) }
            dl.figures {
                div { dt { "Schema version" } dd { (version) } }
                div { dt { "Tables and views" } dd { (dictionary.relations.len()) } }
                div { dt { "Columns" } dd { (HumanCount(dictionary.column_count() as u64)) } }
                @if let Some(facts) = page.facts {
                    div { dt { "Build" } dd { (facts.build) } }
                    div { dt { "Period" } dd { (facts.period) } }
                    div { dt { "Sealed" } dd { (facts.sealed) } }
                }
            }
            @match page.facts {
                None => p.notice { "No build is shown: rows, null shares and examples are missing." },
                Some(facts) => {
                    @if Some(facts.version) != dictionary.version {
                        p.notice {
                            "The figures are of a build with schema version " (facts.version)
                            "; what is described is version " (version) "."
                        }
                    }
                    p.muted {
                        "Null shares, different values and examples are exact up to "
                        (HumanCount(ROWS_SAMPLED)) " rows; of a longer table (≈) they come from a sample."
                    }
                }
            }
            (legend(dictionary))
            (overview(page))
        }
    }
}

/// All that there is, with one sentence for each.
fn overview(page: &Page<'_>) -> Markup {
    let dictionary = page.dictionary;
    html! {
        table.overview {
            caption.unseen { "All tables, views and functions" }
            thead {
                tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Kind" }
                    @if page.facts.is_some() { th.number scope="col" { "Rows" } }
                    th scope="col" { "What" }
                }
            }
            tbody {
                @for relation in dictionary.relations.iter().filter(|one| one.kind != RelationKind::Raw) {
                    (overview_row(page, relation))
                }
                @for function in &dictionary.functions {
                    tr {
                        th scope="row" {
                            a href={ "#" (function_anchor(&function.signature())) } {
                                (function.described.name)
                            }
                        }
                        td { (function::badge()) }
                        @if page.facts.is_some() { td.number {} }
                        td { (first_sentence(&function.described.comment)) }
                    }
                }
                @for relation in dictionary.of_kind(RelationKind::Raw) { (overview_row(page, relation)) }
            }
        }
    }
}

fn overview_row(page: &Page<'_>, relation: &Relation) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "#" (anchor(&[relation.name()])) } { (relation.name()) } }
            td { (relation::badge(relation.kind)) }
            @if let Some(facts) = page.facts {
                td.number {
                    @if let Some(table) = facts.tables.get(relation.name()) {
                        @if table.is_left_out { "left out" } @else {
                            span.rows { (HumanCount(table.rows)) }
                        }
                    }
                }
            }
            td { (first_sentence(&relation.described.comment)) }
        }
    }
}

/// What the marks mean, as sql/README.md has it.
fn legend(dictionary: &DataDictionary) -> Markup {
    let columns = dictionary.relations.iter().flat_map(|relation| &relation.described.columns);
    let has_marks = columns.into_iter().any(|column| column.comment.ends_with("[layout]"));
    html! {
        @if has_marks {
            p.muted {
                "[file]: seen in the rows that CMS posts. [layout]: as CMS's record layout has it, "
                "or as complete releases are reported; not seen."
            }
        }
    }
}

/// What is searched, as JSON that cannot end its element: anchor, name, what it belongs to, kind,
/// and the words about it.
fn index(page: &Page<'_>) -> String {
    let dictionary = page.dictionary;
    let mut entries: Vec<[String; 5]> = Vec::new();
    for relation in &dictionary.relations {
        let name = relation.name();
        let entry = |id, name: &str, parent: &str, kind: &str, words| {
            [id, name.to_owned(), parent.to_owned(), kind.to_owned(), words]
        };
        let words = relation.described.comment.clone();
        entries.push(entry(anchor(&[name]), name, "", relation.kind.word(), words));
        for column in &relation.described.columns {
            let from = relation.origin.as_ref().and_then(|o| o.columns.get(&column.name));
            let from = from.map(|from| format!(" [{}]", from.fields.join(", ")));
            let words = format!("{}{}", column.comment, from.unwrap_or_default());
            entries.push(entry(anchor(&[name, &column.name]), &column.name, name, "column", words));
        }
        let facts = page.facts.and_then(|facts| facts.tables.get(name));
        for (column, keys) in facts.iter().flat_map(|facts| &facts.keys) {
            for key in &keys.keys {
                let id = anchor(&[name, column, &key.name]);
                let parent = format!("{name}.{column}");
                entries.push(entry(id, &key.name, &parent, "key", String::new()));
            }
        }
    }
    for function in &dictionary.functions {
        let arguments = function.described.arguments.iter().map(|argument| argument.name.as_str());
        let words: Vec<&str> =
            std::iter::once(function.described.comment.as_str()).chain(arguments).collect();
        let id = function_anchor(&function.signature());
        let name = function.described.name.clone();
        entries.push([id, name, String::new(), "function".to_owned(), words.join(" ")]);
    }
    let json = serde_json::to_string(&entries).unwrap_or_else(|_| "[]".to_owned());
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
