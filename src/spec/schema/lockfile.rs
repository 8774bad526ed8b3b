//! `schema.lock`: the version of a schema, and the catalog that this version stands for.

use std::path::Path;

use super::learned::Learned;
use crate::config::strict::{Problems, TomlFile, TomlTable};

/// What `schema.lock` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaLock {
    /// Grows by one with every semantic change.
    pub version: u32,
    /// The oldest version whose readers this one serves as well: additions leave it as it is.
    pub serves_from: u32,
    /// sha256 of the catalog's lines, in hex.
    pub fingerprint: String,
    /// The catalog's lines, so that a difference can be shown.
    pub catalog: Vec<String>,
    /// What its sections were seen to do; `None` in locks of kilns that did not look.
    pub learned: Option<Learned>,
}

impl SchemaLock {
    /// Reads the file's text.
    pub fn parse(path: &Path, text: &str, problems: &Problems) -> Option<SchemaLock> {
        let file = TomlFile::new(path, text, problems);
        let parsed = file.parse()?;
        let root = TomlTable::root(&file, &parsed);
        let version = root.count("version");
        let serves_from = root.count("serves_from");
        let fingerprint = root.required_text("fingerprint");
        let catalog = root.texts("catalog");
        let list = |key| root.texts(key).map(|said| said.value);
        let [refers, alone, makes, reads] = ["refers", "alone", "makes", "reads"].map(list);
        // A kiln before knew the first two alone; a check says what is missing.
        let learned = refers.zip(alone).map(|(refers, alone)| {
            let [makes, reads] = [makes, reads].map(Option::unwrap_or_default);
            Learned::of_lines([&refers, &alone, &makes, &reads])
        });
        if version.is_none() {
            root.problem(1, "`version` is missing");
        }
        let (from, own) = (serves_from.as_ref(), version.as_ref().map_or(u64::MAX, |v| v.value));
        if let Some(said) = from.filter(|said| said.value == 0 || said.value > own) {
            root.problem(said.line, format!("`serves_from` must be from 1 to {own}"));
        }
        let is_one = |version: u64| version > 0 && u32::try_from(version).is_ok();
        if let Some(said) = version.as_ref().filter(|said| !is_one(said.value)) {
            root.problem(said.line, format!("`version` must be from 1 to {}", u32::MAX));
        }
        root.done();
        let version = u32::try_from(version?.value).ok()?;
        Some(SchemaLock {
            version,
            // A lock of before this was said serves its own readers.
            serves_from: serves_from
                .map_or(Some(version), |said| u32::try_from(said.value).ok())?,
            fingerprint: fingerprint?.value,
            catalog: catalog.map(|said| said.value).unwrap_or_default(),
            learned,
        })
    }

    /// The file's text.
    pub fn render(&self) -> String {
        let mut text = String::from(
            "# Written by `kiln schema lock`; do not edit. Apps accept versions; the fingerprint is\n\
             # of the catalog below, so that comments and moved lines do not change it.\n",
        );
        text.push_str(&format!("version = {}\n", self.version));
        text.push_str(&format!("serves_from = {}\n", self.serves_from));
        let quoted = |text: &String| toml::Value::String(text.clone());
        text.push_str(&format!("fingerprint = {}\n", quoted(&self.fingerprint)));
        let mut list = |name: &str, lines: &[String]| {
            text.push_str(&format!("{name} = [\n"));
            lines.iter().for_each(|line| text.push_str(&format!("  {},\n", quoted(line))));
            text.push_str("]\n");
        };
        if let Some(learned) = &self.learned {
            learned.lines().iter().for_each(|(name, lines)| list(name, lines));
        }
        list("catalog", &self.catalog);
        text
    }

    /// Lines that were there and are gone (`-`), and lines that are new (`+`).
    pub fn difference(&self, catalog: &[String]) -> Vec<String> {
        let gone = self.catalog.iter().filter(|line| !catalog.contains(line));
        let new = catalog.iter().filter(|line| !self.catalog.contains(line));
        gone.map(|line| format!("- {line}")).chain(new.map(|line| format!("+ {line}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let lock = SchemaLock {
            version: 3,
            serves_from: 2,
            fingerprint: "ab".into(),
            catalog: vec!["column public.a.b text default 'x\"y'".into()],
            learned: Some(Learned::of_lines([
                &["b: a".into(), "d: a, c".into()],
                &["e".into()],
                &["e derive: e, f()".into()],
                &["e derive: a, b".into(), "f(): d".into()],
            ])),
        };
        let problems = Problems::default();
        let text = lock.render();
        assert_eq!(SchemaLock::parse(Path::new("schema.lock"), &text, &problems), Some(lock));
        assert_eq!(problems.count(), 0);
    }

    #[test]
    fn a_lock_that_does_not_say_whom_it_serves_serves_its_own_readers() {
        let problems = Problems::default();
        let old = "version = 3\nfingerprint = \"ab\"\ncatalog = []\n";
        let lock = SchemaLock::parse(Path::new("schema.lock"), old, &problems).expect("a lock");
        assert_eq!((lock.version, lock.serves_from, problems.count()), (3, 3, 0));
        for wrong in ["serves_from = 0\n", "serves_from = 4\n"].map(|line| format!("{line}{old}")) {
            let problems = Problems::default();
            SchemaLock::parse(Path::new("schema.lock"), &wrong, &problems);
            assert_eq!(problems.count(), 1, "{wrong}");
        }
        for wrong in ["0", "4294967296"].map(|version| old.replace('3', version)) {
            let problems = Problems::default();
            SchemaLock::parse(Path::new("schema.lock"), &wrong, &problems);
            let said = problems.into_result("").unwrap_err().to_string();
            assert!(said.contains("schema.lock:1: `version` must be from 1"), "{said}");
        }
    }
}
