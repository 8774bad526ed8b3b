//! The style rules as tests. Each names the offending lines, and says the rule in one sentence.

mod circles;
mod errors;
mod sql;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::support::project;

/// The folders in src that are packages of their own.
const PACKAGES: [&str; 2] = ["src/dev/servers/", "src/dev/synth/"];

/// A line of a tracked source file.
struct Line {
    file: String,
    number: usize,
    text: String,
    /// Whether it belongs to a test: `tests/`, a `tests.rs` or what is below it, or below `#[cfg(test)]`.
    in_test: bool,
}

impl Line {
    /// The room that the line belongs to: `src/load/copy/mod.rs` → `load`.
    fn room(&self) -> &str {
        self.file.strip_prefix("src/").map_or("tests", first_of)
    }

    /// Whether it is of a package of its own, whose `crate` is not kiln.
    fn is_of_a_package(&self) -> bool {
        PACKAGES.iter().any(|package| self.file.starts_with(package))
    }

    /// The code, without its comment.
    fn code(&self) -> &str {
        let text = self.text.trim();
        if text.starts_with("//") { "" } else { text.split(" // ").next().unwrap_or(text) }
    }

    fn place(&self) -> String {
        format!("{}:{}: {}", self.file, self.number, self.text.trim())
    }
}

/// The first name of a path of files or modules.
fn first_of(path: &str) -> &str {
    let end = path.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(path.len());
    &path[..end]
}

/// The files that git tracks (or would: new ones count before they are committed).
pub(crate) fn tracked() -> Vec<String> {
    let asked = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(project())
        .output();
    let said = asked.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let listed = said.map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default();
    let mut files: Vec<String> = listed.lines().map(str::to_owned).collect();
    if files.is_empty() {
        // An unpacked archive has no git: then every file counts but what building makes.
        walk(&project(), "", &mut files);
    }
    files.retain(|file| project().join(file).is_file());
    assert!(files.iter().any(|file| file == "src/main.rs"), "no sources found: {files:?}");
    files
}

fn walk(root: &Path, below: &str, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        match entry.path().is_dir() {
            true if ["target", ".git", ".kiln"].contains(&name.as_str()) => {}
            true => walk(root, &path, files),
            false => files.push(path),
        }
    }
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for file in tracked().into_iter().filter(|file| file.ends_with(".rs")) {
        let text = std::fs::read_to_string(project().join(&file)).unwrap();
        let in_tests = file.ends_with("/tests.rs") || file.contains("/tests/");
        let mut in_test = !file.starts_with("src/") || in_tests;
        for (index, text) in text.lines().enumerate() {
            in_test |= text.trim() == "#[cfg(test)]" && !text.starts_with("mod");
            let next_is_file = text.trim() == "mod tests;";
            lines.push(Line {
                file: file.clone(),
                number: index + 1,
                text: text.to_owned(),
                in_test,
            });
            // `#[cfg(test)] mod tests;` puts its code into another file.
            if next_is_file && file.starts_with("src/") && !in_tests {
                in_test = false;
            }
        }
    }
    lines
}

#[track_caller]
pub(crate) fn none(rule: &str, offending: Vec<String>) {
    assert!(offending.is_empty(), "{rule}:\n  {}\n", offending.join("\n  "));
}

#[test]
fn every_file_opens_with_what_it_is_and_why() {
    let first = lines().into_iter().filter(|line| line.number == 1);
    let bare = first.filter(|line| !line.text.starts_with("//! "));
    none("a file opens with `//!`: what it is, and why", bare.map(|line| line.place()).collect());
}

#[test]
fn files_and_functions_fit_on_a_screen_or_two() {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    let all = lines();
    for line in all.iter().filter(|line| line.file.starts_with("src/")) {
        *sizes.entry(line.file.clone()).or_default() += 1;
    }
    let long = sizes.iter().filter(|(_, count)| **count > 400);
    let mut said: Vec<String> =
        long.map(|(file, count)| format!("{file}: {count} lines")).collect();
    for (index, line) in all.iter().enumerate() {
        let code = line.code();
        let begins = code.starts_with("fn ") || code.contains(" fn ");
        if !begins || code.starts_with('"') || code.contains("= \"") {
            continue;
        }
        let length = function_length(&all[index..]);
        if length > 70 {
            said.push(format!("{} ({length} lines)", line.place()));
        }
    }
    none("a file in src has at most 400 lines, a function at most 70", said);
}

/// Lines from `fn` to its closing brace: the first brace at the function's own indentation.
fn function_length(rest: &[Line]) -> usize {
    let indent = |text: &str| text.len() - text.trim_start().len();
    let own = indent(&rest[0].text);
    let first = &rest[0].text;
    if first.trim_end().ends_with(';') || first.trim_end().ends_with('}') {
        return 1;
    }
    let ends = rest.iter().skip(1).position(|line| {
        line.file != rest[0].file
            || (indent(&line.text) == own
                && (line.text.trim() == "}" || line.text.trim_end().ends_with(';')))
    });
    ends.map_or(rest.len(), |at| at + 2)
}

#[test]
fn files_are_named_by_the_domain() {
    let buckets = ["utils", "util", "common", "helpers", "helper", "misc", "types"];
    let named = |file: &String| {
        let path = Path::new(file.as_str());
        path.iter().any(|part| {
            let stem = Path::new(part).file_stem().unwrap_or_default().to_string_lossy();
            buckets.contains(&stem.as_ref())
        })
    };
    let offending = tracked().into_iter().filter(named).collect();
    none("a file is named for its subject, not for a bucket", offending);
}

/// The only places that may panic, each because it cannot happen or because it is asked to.
const MAY_PANIC: [(&str, &str); 3] = [
    ("src/config/failpoint.rs", "a process may signal itself"),
    ("src/config/failpoint.rs", "panic!(\"failpoint {name}\")"),
    ("src/catalog/registry/mod.rs", "a tag is plain data"),
];

#[test]
fn nothing_outside_tests_panics_on_what_it_reads() {
    let words = [
        ".unwrap()",
        ".expect(",
        ".unwrap_err()",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
        "FIXME",
        "TODO",
    ];
    let offends = |line: &Line| {
        let allowed = |(file, text): &(&str, &str)| line.file == *file && line.text.contains(text);
        !line.in_test
            && words.iter().any(|word| line.code().contains(word))
            && !MAY_PANIC.iter().any(allowed)
    };
    let offending = lines().iter().filter(|line| offends(line)).map(Line::place).collect();
    none("errors are values: no unwrap, expect or panic outside tests", offending);
    let all = lines();
    for (file, text) in MAY_PANIC {
        let used = all.iter().any(|line| line.file == file && line.text.contains(text));
        assert!(used, "{file} has no {text:?} any more: take it off the list");
    }
}

/// Rooms that a line names by `crate::`.
fn imports(code: &str) -> impl Iterator<Item = &str> {
    code.match_indices("crate::").map(|(at, word)| first_of(&code[at + word.len()..]))
}

/// The rooms of docs/src/architecture.md from the top down, and what each may use.
pub(crate) fn rooms() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(project().join("docs/src/architecture.md")).unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| **")?.split(" | ");
        let room = cells.next()?.trim_end_matches("**").to_owned();
        let used = cells.last()?.trim_end_matches(" |");
        let used = used.split(", ").map(|name| name.trim_matches('`').to_owned());
        Some((room, used.filter(|name| name != "nothing").collect()))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn rooms_use_only_rooms_below_them() {
    let rooms = rooms();
    let mut offending = Vec::new();
    for (place, (room, used)) in rooms.iter().enumerate() {
        let below: Vec<&String> = rooms[place + 1..].iter().map(|(name, _)| name).collect();
        let above = used.iter().filter(|name| !below.contains(name));
        offending.extend(above.map(|name| format!("{room} may use {name}")));
    }
    none("in the table of docs/src/architecture.md a room uses those below it alone", offending);
}

#[test]
fn rooms_use_what_the_map_says() {
    let rooms: BTreeMap<String, Vec<String>> = rooms().into_iter().collect();
    let (mut offending, mut strangers) = (Vec::new(), Vec::new());
    let is_meant =
        |line: &&Line| !line.in_test && line.file.starts_with("src/") && !line.is_of_a_package();
    for line in lines().iter().filter(is_meant) {
        let from = line.room();
        if ["main", "lib"].contains(&from) {
            continue;
        }
        let Some(used) = rooms.get(from) else {
            strangers.push(line.file.clone());
            continue;
        };
        for to in imports(line.code()) {
            if to != from && rooms.contains_key(to) && !used.iter().any(|known| known == to) {
                offending.push(format!("{from} uses {to}: {}", line.place()));
            }
        }
    }
    strangers.dedup();
    none("every entry of src is a room of docs/src/architecture.md", strangers);
    none("a room uses those that its row in docs/src/architecture.md names", offending);
}

#[test]
fn the_packages_import_nothing_of_kiln_and_only_dev_knows_them() {
    let all = lines();
    let of_kiln =
        all.iter().filter(|line| line.is_of_a_package() && line.code().contains("kiln::"));
    none("a package imports nothing of kiln", of_kiln.map(Line::place).collect());
    let named = ["kiln_servers", "kiln_synth"];
    only("only src/dev/mod.rs names the packages", &named, &["src/dev/mod.rs"]);
    for package in PACKAGES {
        let read = |file: &str| std::fs::read_to_string(project().join(file)).unwrap();
        let manifest = read(&format!("{package}Cargo.toml"));
        let asks =
            manifest.lines().filter(|line| line.starts_with("kiln") || line.contains("path = \"."));
        assert_eq!(asks.count(), 0, "{package} depends on kiln");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{package} keeps the lints");
        let member = format!("{:?}", package.trim_end_matches('/'));
        let root = read("Cargo.toml");
        let members = root.lines().find(|line| line.starts_with("default-members")).unwrap();
        assert!(members.contains(&member), "README's test line leaves out the tests of {package}");
    }
}

/// Words that only files below these paths may have.
fn only(rule: &str, words: &[&str], paths: &[&str]) {
    let offends = |line: &&Line| {
        let allowed = paths.iter().any(|path| line.file.starts_with(path));
        !line.in_test && !allowed && words.iter().any(|word| line.code().contains(word))
    };
    none(rule, lines().iter().filter(offends).map(Line::place).collect());
}

#[test]
fn only_the_seal_says_that_it_is_committed() {
    only(
        "the swap takes the seal's word, and nobody else's",
        &["by_this_run("],
        &["src/build/seal/mod.rs", "src/catalog/stamp/mod.rs"],
    );
}

#[test]
fn few_files_speak_to_postgres() {
    let paths = [
        "src/postgres/",
        "src/catalog/",
        "src/spec/schema/",
        "src/load/copy/",
        "src/build/",
        "src/release/swap/",
        "src/command/",
        "src/plan/forecast/",
    ];
    let offends = |line: &&Line| {
        let code = line.code();
        let is_type =
            line.file.starts_with("src/load/encode") && code == "use tokio_postgres::types::Type;";
        let allowed =
            line.in_test || is_type || paths.iter().any(|path| line.file.starts_with(path));
        code.contains("tokio_postgres::") && !allowed
    };
    let offending = lines().iter().filter(offends).map(Line::place).collect();
    none("tokio_postgres is for those that speak to the server (encode has its Type)", offending);
}

#[test]
fn only_fetch_speaks_to_s3() {
    only(
        "the AWS SDK is for fetch and command/land",
        &["aws_sdk_s3", "aws_config"],
        &["src/fetch/", "src/command/land/mod.rs"],
    );
}

#[test]
fn only_config_reads_the_environment() {
    let words = ["env::var", "env::vars", "env::set_var", "env::current_dir", "env::args"];
    only("only config reads the environment", &words, &["src/config/"]);
}

#[test]
fn only_reports_progress_and_commands_print() {
    // `println!` panics where a reader has gone.
    only("what is printed is said", &[" println!(", " print!(", "dbg!("], &["src/report/say.rs"]);
    let words = ["say!(", "eprintln!(", "eprint!(", "io::stdout()."];
    only(
        "only main, report, progress and command/* print",
        &words,
        &["src/main.rs", "src/report/", "src/command/"],
    );
}

#[test]
fn what_another_file_may_name_has_docs() {
    let item = Regex::new(
        r"^\s*pub(\(crate\))? (async |const )?(fn|struct|enum|trait|const|static|type) ",
    )
    .unwrap();
    let all = lines();
    let mut offending = Vec::new();
    for (at, line) in all.iter().enumerate() {
        if line.in_test || !line.file.starts_with("src/") || !item.is_match(&line.text) {
            continue;
        }
        let above = all[..at].iter().rev().take_while(|above| above.file == line.file);
        let is_attribute = |above: &&Line| {
            let text = above.text.trim_start();
            text.starts_with("#[") || text.starts_with(")]")
        };
        let said = above.clone().find(|above| !is_attribute(above));
        if !said.is_some_and(|said| said.text.trim_start().starts_with("///")) {
            offending.push(line.place());
        }
    }
    none("an item that another file may name has docs", offending);
}

#[test]
fn no_file_knows_a_machine_or_a_workplace() {
    let roots = ["work", "root", "home"].map(|name| format!("/{name}/"));
    let mut offending = Vec::new();
    for file in tracked() {
        let Ok(text) = std::fs::read_to_string(project().join(&file)) else { continue };
        for (index, line) in text.lines().enumerate() {
            let found = roots.iter().any(|root| {
                line.match_indices(root.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before
                        .is_none_or(|c| !c.is_alphanumeric() && !['_', '-', '.', '}'].contains(&c))
                })
            });
            if found {
                offending.push(format!("{file}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    none("no path of one machine in the project", offending);
}
