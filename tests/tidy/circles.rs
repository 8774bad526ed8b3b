//! No circle of files: what two files need of each other belongs into a third. A parent and its own children
//! may know each other, for a folder is one concept.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{lines, none};

type Module = Vec<String>;

/// `src/load/copy/mod.rs` is `load::copy`.
fn module(file: &str) -> Module {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Module = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// The paths of a `use`, its braces multiplied out; `text` begins behind the first segment.
fn paths(before: &[String], text: &str, all: &mut Vec<Module>) {
    let (mut depth, mut piece) = (0, String::new());
    let mut pieces = Vec::new();
    for letter in text.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match letter {
            ',' if depth == 0 => pieces.push(std::mem::take(&mut piece)),
            _ => piece.push(letter),
        }
    }
    pieces.push(piece);
    for piece in pieces {
        let piece = piece.trim().split(" as ").next().unwrap_or_default().trim().to_owned();
        let (plain, braces) = match piece.split_once('{') {
            Some((plain, rest)) => (plain.to_owned(), Some(rest.trim_end_matches('}').to_owned())),
            None => (piece, None),
        };
        let mut path = before.to_vec();
        path.extend(
            plain.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned),
        );
        match braces {
            Some(braces) => paths(&path, &braces, all),
            None => all.push(path),
        }
    }
}

/// Which files a file names outside its tests.
fn named(own: &Module, text: &str) -> Vec<Module> {
    let mut all = Vec::new();
    let start = Regex::new(r"\b(crate|self|super)((?:::super)*)::((?:[\w:]+)?(?:\{[^;]*?\}\s*;)?)")
        .unwrap();
    for found in start.captures_iter(text) {
        let mut base: Module = match &found[1] {
            "crate" => Vec::new(),
            "self" => own.clone(),
            _ => own[..own.len() - 1].to_vec(),
        };
        base.truncate(base.len().saturating_sub(found[2].matches("super").count()));
        paths(&base, found[3].trim_end_matches(';').trim(), &mut all);
    }
    all
}

fn are_kin(one: &Module, other: &Module) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

#[test]
fn files_know_each_other_one_way() {
    let mut texts: BTreeMap<Module, String> = BTreeMap::new();
    for line in lines() {
        let is_outside = line.is_of_a_package() || line.file.contains("tests");
        if line.in_test || is_outside || !line.file.starts_with("src/") || line.file == "src/lib.rs"
        {
            continue;
        }
        let text = texts.entry(module(&line.file)).or_default();
        text.push_str(line.code());
        text.push('\n');
    }
    let longest = |path: &Module| {
        (1..=path.len())
            .rev()
            .map(|end| path[..end].to_vec())
            .find(|known| texts.contains_key(known))
    };
    let mut knows: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (own, text) in &texts {
        let all = named(own, text);
        let found = all.iter().filter_map(longest).filter(|other| !are_kin(own, other));
        knows.insert(own.clone(), found.collect());
    }
    assert!(knows.values().map(BTreeSet::len).sum::<usize>() > 1000, "hardly any import was found");
    // What reaches itself is in a circle.
    let mut offending = Vec::new();
    for own in knows.keys() {
        let (mut seen, mut open) = (BTreeSet::new(), vec![own]);
        while let Some(next) = open.pop() {
            open.extend(knows[next].iter().filter(|other| seen.insert((*other).clone())));
        }
        if seen.contains(own) {
            let back = knows[own].iter().filter(|other| knows[*other].contains(own));
            let back: Vec<String> = back.map(|other| other.join("::")).collect();
            offending.push(format!("{} (and {})", own.join("::"), back.join(", ")));
        }
    }
    none("no circle of files but a parent and its children", offending);
}
