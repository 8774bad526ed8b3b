//! Anchors of the page, and the names in a comment that can be linked: `plan_information.state`
//! in a sentence is a way to that column.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::DataDictionary;

/// A piece of a comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CommentPiece<'a> {
    /// Words.
    Text(&'a str),
    /// A name and the anchor it leads to.
    Link(&'a str, String),
}

/// The anchor of a table, view or column: letters, digits, `_`, `.` and `-` only, whatever the
/// name holds, and a different one for every name.
pub(super) fn anchor(parts: &[&str]) -> String {
    let mut anchor = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            anchor.push('.');
        }
        for c in part.chars() {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => anchor.push(c),
                other => anchor.push_str(&format!("-{:x}-", u32::from(other))),
            }
        }
    }
    anchor
}

/// The anchor of a function; its arguments are in it, for names may repeat.
pub(super) fn function_anchor(signature: &str) -> String {
    format!("function.{}", anchor(&[signature]))
}

/// The names that can be linked to.
pub(crate) struct Names {
    columns: BTreeSet<(String, String)>,
    relations: BTreeSet<String>,
    functions: Vec<(String, String)>,
}

static NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?\b").ok());

impl Names {
    /// All of a dictionary's.
    pub(crate) fn of(dictionary: &DataDictionary) -> Names {
        let mut names =
            Names { columns: BTreeSet::new(), relations: BTreeSet::new(), functions: Vec::new() };
        for relation in &dictionary.relations {
            names.relations.insert(relation.name().to_owned());
            for column in &relation.described.columns {
                names.columns.insert((relation.name().to_owned(), column.name.clone()));
            }
        }
        for function in &dictionary.functions {
            let anchor = function_anchor(&function.signature());
            names.functions.push((function.described.name.clone(), anchor));
        }
        names
    }

    /// The anchor of a table, view or function by its bare name.
    pub(crate) fn anchor(&self, name: &str) -> Option<String> {
        if self.relations.contains(name) {
            return Some(anchor(&[name]));
        }
        self.functions.iter().find(|(known, _)| known == name).map(|(_, anchor)| anchor.clone())
    }

    /// Cuts a comment into words and links. A bare name counts only with an underscore in it:
    /// `plan` and `drug` are words of the language as well.
    pub(crate) fn pieces<'a>(&self, text: &'a str) -> Vec<CommentPiece<'a>> {
        let Some(pattern) = NAME.as_ref() else { return vec![CommentPiece::Text(text)] };
        let mut pieces = Vec::new();
        let mut done = 0;
        for found in pattern.find_iter(text) {
            let anchor = match found.as_str().split_once('.') {
                Some((table, column)) => {
                    let known = (table.to_owned(), column.to_owned());
                    self.columns.contains(&known).then(|| anchor(&[table, column]))
                }
                None if found.as_str().contains('_') => self.anchor(found.as_str()),
                None => None,
            };
            let Some(anchor) = anchor else { continue };
            if found.start() > done {
                pieces.push(CommentPiece::Text(&text[done..found.start()]));
            }
            pieces.push(CommentPiece::Link(found.as_str(), anchor));
            done = found.end();
        }
        if done < text.len() {
            pieces.push(CommentPiece::Text(&text[done..]));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_hold_no_character_that_means_something_and_never_meet() {
        assert_eq!(anchor(&["plan", "state"]), "plan.state");
        let odd = anchor(&["a\"><b", "ü x"]);
        assert!(odd.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)), "{odd}");
        assert_ne!(anchor(&["a b"]), anchor(&["a_b"]));
        assert_ne!(anchor(&["a.b"]), anchor(&["a", "b"]));
    }
}
