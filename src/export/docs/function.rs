//! A function on the page: what it is for, what goes in and what comes out.

use maud::{Markup, html};

use super::described::{Argument, plain};
use super::link::{Names, function_anchor};
use super::linked::linked;
use super::{FunctionDoc, relation};

/// The section of one function.
pub(super) fn section(function: &FunctionDoc, names: &Names) -> Markup {
    let described = &function.described;
    let anchor = function_anchor(&function.signature());
    html! {
        section.relation #(anchor) aria-labelledby={ (anchor) ".title" } {
            h3 #{ (anchor) ".title" } {
                a.self href={ "#" (anchor) } { (described.name) }
                (badge())
            }
            p.comment { (linked(&described.comment, names)) }
            dl.facts {
                @if let Some(returned) = function.returned() {
                    dt { "Returns" } dd { (returned) ", " (described.volatility) }
                }
                (relation::place(function.place.as_ref()))
                (relation::linked_names("Reads", &function.reads, names))
            }
            (arguments("Argument", function.inputs().collect()))
            (arguments("Returned column", function.outputs().collect()))
        }
    }
}

/// The kind as a small label.
pub(super) fn badge() -> Markup {
    html! { span.badge.function { "function" } }
}

fn arguments(label: &str, arguments: Vec<&Argument>) -> Markup {
    html! {
        @if !arguments.is_empty() {
            table.columns.narrow {
                thead { tr { th scope="col" { (label) } th scope="col" { "Type" } } }
                tbody {
                    @for argument in arguments {
                        tr {
                            th scope="row" { code { (argument.name) } }
                            td {
                                code.soft { (argument.type_name) }
                                @if let Some(fallback) = &argument.fallback {
                                    span.muted { " default " }
                                    code { (plain(fallback, &argument.type_name)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
