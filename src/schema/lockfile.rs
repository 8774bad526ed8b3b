//! `schema.lock`: the version of a schema, and the catalog that this version stands for.

use std::path::Path;

use crate::strict::{File, Problems, Table};

/// What `schema.lock` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaLock {
    /// Grows by one with every semantic change.
    pub version: u32,
    /// sha256 of the catalog's lines, in hex.
    pub fingerprint: String,
    /// The catalog's lines, so that a difference can be shown.
    pub catalog: Vec<String>,
}

impl SchemaLock {
    /// Reads the file's text.
    pub fn parse(path: &Path, text: &str, problems: &Problems) -> Option<SchemaLock> {
        let file = File::new(path, text, problems);
        let parsed = file.parse()?;
        let root = Table::root(&file, &parsed);
        let version = root.count("version");
        let fingerprint = root.required_text("fingerprint");
        let catalog = root.texts("catalog");
        if version.is_none() {
            root.problem(1, "`version` is missing");
        }
        root.done();
        Some(SchemaLock {
            version: u32::try_from(version?.value).ok()?,
            fingerprint: fingerprint?.value,
            catalog: catalog.map(|said| said.value).unwrap_or_default(),
        })
    }

    /// The file's text.
    pub fn render(&self) -> String {
        let mut text = String::from(
            "# Written by `kiln schema lock`; do not edit. Apps accept versions; the fingerprint is\n\
             # of the catalog below, so that comments and moved lines do not change it.\n",
        );
        text.push_str(&format!("version = {}\n", self.version));
        text.push_str(&format!("fingerprint = \"{}\"\ncatalog = [\n", self.fingerprint));
        for line in &self.catalog {
            text.push_str(&format!("  {},\n", toml::Value::String(line.clone())));
        }
        text.push_str("]\n");
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
            fingerprint: "ab".into(),
            catalog: vec!["column public.a.b text default 'x\"y'".into()],
        };
        let problems = Problems::default();
        let text = lock.render();
        assert_eq!(SchemaLock::parse(Path::new("schema.lock"), &text, &problems), Some(lock));
        assert_eq!(problems.count(), 0);
    }
}
