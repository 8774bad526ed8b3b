//! Reads a page as strictly as XML does, so that a tag that is not closed, an attribute that breaks
//! out of its quotes or a link to nowhere is seen. No browser would say.

use std::collections::BTreeSet;

/// Elements without content.
const VOID: [&str; 5] = ["meta", "input", "br", "hr", "link"];

/// A page that was read.
#[derive(Default)]
pub struct Html {
    /// All that a person reads, entities decoded, a single blank between words.
    pub words: String,
    /// The anchors.
    pub ids: BTreeSet<String>,
    /// What the script searches.
    pub index: String,
    tags: Vec<String>,
    attributes: Vec<(String, String)>,
    problems: Vec<String>,
}

impl Html {
    pub fn read(text: &str) -> Html {
        let mut html = Html::default();
        let mut rest = text.strip_prefix("<!DOCTYPE html>").expect("a doctype");
        let mut open: Vec<String> = Vec::new();
        while !rest.is_empty() {
            let at = rest.find('<').unwrap_or(rest.len());
            html.words.push_str(&decoded(&rest[..at]));
            rest = &rest[at..];
            if rest.is_empty() {
                break;
            }
            let end = end_of_tag(rest);
            let (tag, behind) = rest.split_at(end);
            rest = behind;
            if let Some(name) = tag.strip_prefix("</") {
                let name = name.trim_end_matches('>');
                let last = open.pop();
                if last.as_deref() != Some(name) {
                    html.problems.push(format!("</{name}> closes {last:?}"));
                }
                html.words.push(' ');
                continue;
            }
            let name = html.begin(tag);
            if ["script", "style"].contains(&name.as_str()) {
                // Raw text: ends at its own end tag and nowhere else.
                let end = rest.find(&format!("</{name}")).expect("an end tag");
                if tag.contains("application/json") {
                    html.index = rest[..end].to_owned();
                }
                rest = &rest[end..];
            }
            if !VOID.contains(&name.as_str()) {
                open.push(name);
            }
        }
        html.words = html.words.split_whitespace().collect::<Vec<_>>().join(" ");
        html.problems.extend(open.iter().map(|name| format!("<{name}> is not closed")));
        html
    }

    fn begin(&mut self, tag: &str) -> String {
        let inside = tag.strip_prefix('<').and_then(|tag| tag.strip_suffix('>')).unwrap();
        let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            self.problems.push(format!("{tag} is no tag"));
        }
        self.tags.push(name.to_owned());
        while !rest.trim().is_empty() {
            rest = rest.trim_start();
            let ends = rest.find(['=', ' ']).unwrap_or(rest.len());
            let (key, value) = rest.split_at(ends);
            let Some(quoted) = value.strip_prefix("=\"") else {
                // An attribute without a value.
                self.attributes.push((key.to_owned(), String::new()));
                rest = value;
                continue;
            };
            let Some((value, behind)) = quoted.split_once('"') else {
                self.problems.push(format!("{tag} has an open quote"));
                break;
            };
            if value.contains('<') || !key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') {
                self.problems.push(format!("{tag} has a broken attribute"));
            }
            if key == "id" && !self.ids.insert(decoded(value)) {
                self.problems.push(format!("{value} names two places"));
            }
            self.attributes.push((key.to_owned(), decoded(value)));
            rest = behind;
        }
        name.to_owned()
    }

    /// What is not well formed, and links that lead nowhere.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.clone();
        for key in ["href", "aria-labelledby", "aria-controls", "for"] {
            for value in self.attributes(key) {
                let anchor = if key == "href" { value.strip_prefix('#') } else { Some(value) };
                if anchor.is_some_and(|anchor| !self.ids.contains(anchor)) {
                    problems.push(format!("{key} {value} leads nowhere"));
                }
            }
        }
        problems
    }

    pub fn count(&self, tag: &str) -> usize {
        self.tags.iter().filter(|name| *name == tag).count()
    }

    pub fn attributes(&self, key: &str) -> impl Iterator<Item = &str> {
        let of_key = self.attributes.iter().filter(move |(name, _)| name == key);
        of_key.map(|(_, value)| value.as_str())
    }
}

/// Behind the `>` that is not within quotes.
fn end_of_tag(text: &str) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
