//! Finds `initdb` and `postgres`. An existing cluster needs the major version that made it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::cluster::clean;
use crate::error::{Error, Kind, Result};

/// The two programs that a private cluster needs.
#[derive(Debug)]
pub(super) struct Programs {
    /// Makes a cluster.
    pub initdb: PathBuf,
    /// The server itself.
    pub postgres: PathBuf,
}

impl Programs {
    /// Searches `pg_bin`, else the directories of Debian's package for an existing cluster's
    /// version, else PATH, else the newest package.
    ///
    /// # Errors
    /// [`Kind::NotInstalled`] when Postgres is not there, or not in the cluster's version.
    pub(super) fn find(pg_bin: Option<&Path>, version: Option<String>) -> Result<Programs> {
        if let Some(directory) = pg_bin {
            return Programs::within(directory).ok_or_else(|| {
                missing(format!("no initdb and postgres in {}", directory.display()), None)
            });
        }
        let packaged = packaged();
        if let Some(version) = &version {
            let matching = packaged.iter().find(|(_, directory)| {
                directory.parent().and_then(Path::file_name) == Some(OsStr::new(version))
            });
            if let Some(found) = matching.and_then(|(_, directory)| Programs::within(directory)) {
                return Ok(found);
            }
        }
        let newest = || packaged.iter().find_map(|(_, directory)| Programs::within(directory));
        let found = Programs::by_name().or_else(newest);
        let found =
            found.ok_or_else(|| missing("Postgres is not installed (no initdb)".into(), None))?;
        match version {
            Some(version) if major(&found.postgres).as_ref() != Some(&version) => Err(missing(
                format!("the private cluster is of Postgres {version}, which is not installed"),
                Some(&version),
            )),
            _ => Ok(found),
        }
    }

    fn within(directory: &Path) -> Option<Programs> {
        let (initdb, postgres) = (directory.join("initdb"), directory.join("postgres"));
        let runs = |path: &Path| {
            path.metadata().is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
        };
        (runs(&initdb) && runs(&postgres)).then_some(Programs { initdb, postgres })
    }

    /// Bare names: the operating system searches PATH when it runs them.
    fn by_name() -> Option<Programs> {
        let (initdb, postgres) = (PathBuf::from("initdb"), PathBuf::from("postgres"));
        (major(&initdb).is_some() && major(&postgres).is_some())
            .then_some(Programs { initdb, postgres })
    }
}

/// The major version that a program of Postgres says it is of: `postgres (PostgreSQL) 15.18 (…)`.
fn major(program: &Path) -> Option<String> {
    let output = clean(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.split_whitespace();
    let number = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    Some(number.split(|c: char| !c.is_ascii_digit()).next()?.to_owned())
}

fn missing(message: String, version: Option<&str>) -> Error {
    Error::new(Kind::NotInstalled(version.map(str::to_owned)), message)
}

/// Debian's packages, newest first.
fn packaged() -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}
