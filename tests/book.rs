//! The docs: every link leads somewhere, every page is in the book, every command parses, every file and
//! variable that is named exists, and what is generated is what the code says.
//!
//! `KILN_TEST_BLESS=1` writes the generated tables (see [`generated`]).

mod generated;
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use kiln::testing::command::cli::Cli;
use kiln::testing::config::settings::variables;
use regex::Regex;

use crate::support::project;
use crate::tidy::{none, rooms};

/// Most lines of the README: two minutes.
const README_LINES_MAX: usize = 120;

/// A page, relative to the project, and its text.
struct Page {
    path: String,
    text: String,
}

impl Page {
    fn read(path: &str) -> Page {
        let text = std::fs::read_to_string(project().join(path));
        Page { path: path.to_owned(), text: text.unwrap_or_else(|error| panic!("{path}: {error}")) }
    }

    /// Its lines with their number and the language of the fenced block that they stand in.
    fn lines(&self) -> impl Iterator<Item = (usize, Option<&str>, &str)> {
        let mut fence: Option<&str> = None;
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                fence = if fence.is_some() { None } else { Some(language.trim()) };
                return None;
            }
            Some((index + 1, fence, line))
        })
    }

    /// Its lines that are prose.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, fence, _)| fence.is_none()).map(|(number, _, line)| (number, line))
    }

    fn place(&self, number: usize, what: &str) -> String {
        format!("{}:{number}: {what}", self.path)
    }
}

/// All pages: the book's, and those that stand beside what they are about.
fn pages() -> Vec<Page> {
    let beside = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "sources/README.md",
        "sql/README.md",
        "cron/README.md",
        "benches/README.md",
    ];
    let book = book().into_iter().map(|name| format!("docs/src/{name}"));
    beside.into_iter().map(str::to_owned).chain(book).map(|path| Page::read(&path)).collect()
}

/// The book's files, relative to `docs/src`.
fn book() -> Vec<String> {
    let entries = std::fs::read_dir(project().join("docs/src")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert!(names.iter().all(|name| name.ends_with(".md")), "docs/src is pages alone: {names:?}");
    names
}

/// What a heading is called in a link, on GitHub and in mdBook alike.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

fn anchors(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let page = Page { path: String::new(), text };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for (_, line) in page.prose().filter(|(_, line)| line.starts_with('#')) {
        let name = anchor(line.trim_start_matches('#').trim());
        let times = seen.entry(name.clone()).or_default();
        all.insert(if *times == 0 { name } else { format!("{name}-{times}") });
        *times += 1;
    }
    all
}

/// A text without its code spans, and the spans.
fn spans(line: &str) -> (String, Vec<&str>) {
    let mut prose = String::new();
    let mut code = Vec::new();
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 0 { prose.push_str(part) } else { code.push(part) }
    }
    (prose, code)
}

/// The folder of a page, and what a relative path from there is.
fn from_page(page: &Page, target: &str) -> PathBuf {
    let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
    project().join(folder).join(target)
}

#[test]
fn every_link_leads_to_something_that_exists() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut offending = Vec::new();
    for page in pages() {
        for (number, line) in page.prose() {
            let (prose, _) = spans(line);
            for target in link.captures_iter(&prose).map(|found| found[1].to_owned()) {
                if target.starts_with("https://") || target.starts_with("http://") {
                    continue;
                }
                let (file, name) = target.split_once('#').unwrap_or((&target, ""));
                let path = match file {
                    "" => project().join(&page.path),
                    file => from_page(&page, file),
                };
                let is_there = path.exists() && (name.is_empty() || anchors(&path).contains(name));
                if !is_there {
                    offending.push(page.place(number, &target));
                }
            }
        }
    }
    none("a link leads to a file that is there, and to a heading of it", offending);
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = Page::read("docs/src/SUMMARY.md").text;
    let missing = book()
        .into_iter()
        .filter(|name| name != "SUMMARY.md" && summary.matches(&format!("]({name})")).count() != 1);
    none("docs/src/SUMMARY.md names every page once", missing.collect());
}

#[test]
fn the_readme_takes_two_minutes_and_has_the_two_commands() {
    let readme = Page::read("README.md");
    let count = readme.text.lines().count();
    assert!(count <= README_LINES_MAX, "README.md has {count} lines, at most {README_LINES_MAX}");
    // as .ci/run reads them
    let lines: Vec<&str> = readme.text.lines().collect();
    for (name, begins) in [("install", "ls /usr/lib/postgresql"), ("test", "cargo test --locked")] {
        let mark = format!("<!-- {name} -->");
        let at = lines.iter().position(|line| *line == mark).unwrap_or_else(|| panic!("{mark}"));
        let block = (lines[at + 1], lines[at + 3]);
        assert_eq!(block, ("```sh", "```"), "a block of one line stands right after {mark}");
        assert!(lines[at + 2].starts_with(begins), "{}", lines[at + 2]);
    }
}

#[test]
fn every_command_line_parses() {
    let mut offending = Vec::new();
    for page in pages() {
        for (number, fence, line) in page.lines() {
            let typed = match fence {
                Some("sh") => line,
                Some("console") => line.strip_prefix("$ ").unwrap_or_default(),
                _ => continue,
            };
            for command in shell::kiln_commands(typed) {
                if let Err(error) = Cli::command().try_get_matches_from(&command) {
                    let why = error.to_string();
                    let why = why.lines().next().unwrap_or_default();
                    offending.push(page.place(number, &format!("{}: {why}", command.join(" "))));
                }
            }
        }
    }
    none("a command in the docs is one that kiln has", offending);
}

#[test]
fn every_command_that_is_named_exists() {
    let cli = Cli::command();
    let mut offending = Vec::new();
    for page in pages() {
        for (number, line) in page.prose() {
            for span in spans(line).1 {
                let mut words = span.split_whitespace();
                let Some(word) = words.next().filter(|w| *w == "kiln").and(words.next()) else {
                    continue;
                };
                let is_placeholder = word.chars().all(|c| c.is_ascii_uppercase() || c == '|');
                if !word.starts_with('-') && !is_placeholder && cli.find_subcommand(word).is_none()
                {
                    offending.push(page.place(number, span));
                }
            }
        }
    }
    none("a command that is named is one that kiln has", offending);
}

/// Words in paths that stand for others.
const PLACEHOLDERS: [&str; 6] = ["DATABASE", "NAME", "TABLE", "NNNN", "FILE", "DIR"];

#[test]
fn every_path_that_is_named_exists() {
    let roots = ["src/", "tests/", "sql/", "sources/", "benches/", "cron/", "docs/", ".ci/"];
    let mut offending = Vec::new();
    for page in pages() {
        for (number, line) in page.prose() {
            for word in spans(line).1.iter().flat_map(|span| span.split_whitespace()) {
                let path = word.split(':').next().unwrap_or(word).trim_end_matches([',', ';']);
                let is_ours = roots.iter().any(|root| path.starts_with(root) && path != *root);
                let is_pattern = path.contains(['*', '…', '<'])
                    || PLACEHOLDERS.iter().any(|placeholder| path.contains(placeholder));
                if is_ours && !is_pattern && !project().join(path).exists() {
                    offending.push(page.place(number, path));
                }
            }
        }
    }
    none("a path in backticks is one of the project", offending);
}

#[test]
fn every_variable_that_is_named_is_known() {
    let variable = Regex::new(r"KILN_[A-Z0-9_]*[A-Z0-9]").unwrap();
    let mut known: BTreeSet<String> = variables().map(str::to_owned).collect();
    known.extend(kiln::testing::config::GONE.map(str::to_owned));
    // In a variable's name DATABASE stands for each database's.
    for database in ["beneinfo", "druginfo", "planinfo"] {
        let of = |name: &str| name.replace("DATABASE", &database.to_uppercase());
        known.extend(variables().map(of));
    }
    // The script's own, and the tests'.
    let mut others = vec!["cron/nightly".to_owned(), ".ci/run".to_owned()];
    others.extend(crate::tidy::tracked().into_iter().filter(|file| {
        file.starts_with("tests/") && file.ends_with(".rs") && !file.starts_with("tests/book")
    }));
    for file in others {
        let text = Page::read(&file).text;
        let is_script = file == "cron/nightly";
        let names = variable.find_iter(&text).map(|found| found.as_str());
        let own = names.filter(|name| is_script || name.starts_with("KILN_TEST_"));
        known.extend(own.map(str::to_owned));
    }
    let mut offending = Vec::new();
    for page in pages() {
        for (number, _, line) in page.lines() {
            let names = variable.find_iter(line).map(|found| found.as_str());
            let unknown = names.filter(|name| !known.contains(*name));
            offending.extend(unknown.map(|name| page.place(number, name)));
        }
    }
    none("a KILN_ variable that is named is one that is read", offending);
}

#[test]
fn what_the_program_says_of_the_docs_is_there() {
    let named =
        Regex::new(r"\b(docs/src/[\w-]+\.md|(?:sql|sources|cron|benches)/README\.md)").unwrap();
    let mut offending = Vec::new();
    for file in crate::tidy::tracked() {
        let is_read =
            ["src/", "cron/", "sql/", "sources/"].iter().any(|root| file.starts_with(root));
        if !(is_read || file == "kiln.toml") || file.ends_with(".md") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(project().join(&file)) else { continue };
        for (index, line) in text.lines().enumerate() {
            let gone =
                named.find_iter(line).filter(|found| !project().join(found.as_str()).exists());
            offending.extend(gone.map(|found| format!("{file}:{}: {}", index + 1, found.as_str())));
        }
    }
    none("a page that a hint or a comment names is there", offending);
}

#[test]
fn the_architecture_page_has_every_part_of_every_room() {
    let page = Page::read("docs/src/architecture.md");
    let row = |line: &str| Some(line.strip_prefix("| `src/")?.split('`').next()?.to_owned());
    let rows: BTreeSet<String> = page.text.lines().filter_map(row).collect();
    let mut parts = BTreeSet::new();
    // A subcommand is named as its file, and reports as what they report.
    let told = ["command", "report"];
    for (room, _) in rooms().iter().filter(|(room, _)| !told.contains(&room.as_str())) {
        for entry in std::fs::read_dir(project().join("src").join(room)).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            if name.ends_with(".sql") || ["mod.rs", "tests.rs"].contains(&name.as_str()) {
                continue;
            }
            parts.insert(format!("{room}/{name}"));
        }
    }
    assert_eq!(rows, parts, "docs/src/architecture.md, Parts: the entries of the rooms' folders");
}
