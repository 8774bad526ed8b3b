//! `kiln source new` and `kiln source check`: a draft must load the file that it was drafted from,
//! every row of it, whatever the file's habits; a trial must say what would be rejected, and why.

mod persons;
mod real;
mod refusals;
mod traits;
mod trial;

use std::io::Write as _;
use std::path::PathBuf;

use crate::support::{Outcome, World};

/// A project without a table, in which sources are drafted.
pub struct Drafts {
    pub world: World,
}

impl Drafts {
    pub fn new() -> Drafts {
        let mut world = World::new();
        world.root = world.folder.path().join("root");
        for folder in ["sql", "sources"] {
            std::fs::create_dir_all(world.root.join(folder)).unwrap();
        }
        let key = world.folder.path().join("hash-key");
        std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
        world.environment.push(("KILN_HASH_KEY_FILE".into(), key.to_string_lossy().into_owned()));
        Drafts { world }
    }

    /// Writes a file to be drafted from.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.world.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Packs texts into a zip, each in a zip of its own where `nested`.
    pub fn zip(&self, name: &str, nested: bool, members: &[(&str, &[u8])]) -> String {
        let options = zip::write::SimpleFileOptions::default();
        let mut outer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (member, bytes) in members {
            let mut content = bytes.to_vec();
            let mut entry = (*member).to_owned();
            if nested {
                let mut inner = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
                inner.start_file(*member, options).unwrap();
                inner.write_all(bytes).unwrap();
                content = inner.finish().unwrap().into_inner();
                entry = format!("{}.zip", member.rsplit_once('.').unwrap().0);
            }
            outer.start_file(entry, options).unwrap();
            outer.write_all(&content).unwrap();
        }
        self.file(name, outer.finish().unwrap().into_inner())
    }

    /// `kiln source new`, which must go well; its JSON.
    pub fn draft(&self, arguments: &[&str]) -> serde_json::Value {
        let words: Vec<&str> =
            ["source", "new"].iter().chain(arguments).chain(&["--json"]).copied().collect();
        self.world.kiln(&words).succeeds().json()
    }

    /// `kiln source check`, with its outcome.
    pub fn check(&self, arguments: &[&str]) -> Outcome {
        let words: Vec<&str> = ["source", "check"].iter().chain(arguments).copied().collect();
        self.world.kiln(&words).run()
    }

    /// From the drafts of a database to a sealed build of these files; its ledger.
    pub fn build(&self, database: &str, files: &[String]) -> serde_json::Value {
        self.world.kiln(&["schema", "lock", database]).succeeds();
        self.world.kiln(&["schema", "check", database]).succeeds();
        let mut words = vec!["land", database];
        words.extend(files.iter().map(String::as_str));
        self.world.kiln(&words).succeeds();
        self.world.kiln(&["build", database, "--json"]).succeeds().json()
    }

    /// The text of a file below the root.
    pub fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    /// A path below the root.
    pub fn path(&self, file: &str) -> PathBuf {
        self.world.root.join(file)
    }
}

/// Loaded and rejected rows of a source in a ledger.
pub fn counts(ledger: &serde_json::Value, source: &str) -> (u64, u64) {
    let entries = ledger["sources"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["source"] == source).unwrap();
    let sum = |key: &str| {
        entry["files"].as_array().unwrap().iter().map(|file| file[key].as_u64().unwrap()).sum()
    };
    (sum("loaded"), sum("rejected"))
}
