//! `kiln schema check` and `lock`: every mistake that sql/README.md lists has its own message,
//! with file and line, and all of one run are said at once.

mod locking;
mod growing;
mod mistakes;
mod scratch;

use std::path::PathBuf;

use crate::support::{Kiln, Outcome, copy_tree, part_d};

/// A copy of `sql/` and `sources/`, and nothing else: schema commands need no servers.
pub struct Project {
    root: tempfile::TempDir,
}

impl Project {
    pub fn new() -> Project {
        let root = tempfile::tempdir().unwrap();
        for folder in ["sql", "sources"] {
            copy_tree(&part_d().join(folder), &root.path().join(folder));
        }
        Project { root }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.root.path().join(file)
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    pub fn write(&self, file: &str, text: &str) {
        std::fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        std::fs::write(self.path(file), text).unwrap();
    }

    pub fn remove(&self, file: &str) {
        std::fs::remove_file(self.path(file)).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Changes the first occurrence, which there must be; gives its line's number.
    pub fn edit(&self, file: &str, from: &str, to: &str) -> usize {
        let text = self.read(file);
        let at = text.find(from).unwrap_or_else(|| panic!("{file} has no {from:?}"));
        self.write(file, &text.replacen(from, to, 1));
        1 + text[..at].matches('\n').count()
    }

    pub fn kiln(&self, arguments: &[&str]) -> Kiln {
        let mut kiln = Kiln::new(arguments);
        kiln.env("KILN_HOME", &self.path("home").to_string_lossy());
        kiln.current_dir(self.root.path());
        kiln
    }

    pub fn check(&self) -> Outcome {
        self.kiln(&["schema", "check"]).run()
    }

    /// The check must find exactly these problems, each a part of one line, in any order.
    pub fn check_finds(&self, expected: &[String]) {
        let outcome = self.check();
        assert_eq!(outcome.code, 2, "{outcome}");
        let lines: Vec<&str> =
            outcome.stderr.lines().filter(|line| line.starts_with("  s")).collect();
        for text in expected {
            assert!(lines.iter().any(|line| line.contains(text)), "{text:?} is not in\n{outcome}");
        }
        assert_eq!(lines.len(), expected.len(), "{expected:#?}\n{outcome}");
        outcome.says(&["hint: sql/README.md"]);
    }
}
