//! Settings: `kiln.toml`, over it the environment. Read once, at the start; no other module
//! reads the environment (AWS's own `AWS_*` variables are read by the SDK).

pub mod failpoint;
pub(crate) mod personal;
pub(crate) mod stop;
pub(crate) mod strict;

mod deadline;
pub(crate) mod environment;
pub(crate) mod name;
pub(crate) mod settings;
mod size;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::config::strict::{Problems, TomlFile, TomlTable, suggest};
use crate::error::{Exit, Failure, failure};
use crate::fetch::location::S3Location;
use crate::fetch::plainfile;
use crate::postgres::Ident;
pub(crate) use deadline::{Deadline, RunDeadline};
use environment::{environment, within};
use name::NAME_MAX;
pub(crate) use name::may_name_a_database;
pub use settings::GONE;
pub(crate) use settings::SETTINGS;
use settings::{CONNECTIONS_MAX, PREVIOUS_MAX, STALL_MAX, SWAP_MAX};
pub(crate) use size::bytes;

/// The settings of one run of kiln.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The project's root: where `sql/` and `sources/` are.
    pub root: PathBuf,
    /// Whether there is a project at all: an app's host has none, and asks of the live database only.
    pub has_project: bool,
    /// The private servers' home; also holds logs and scratch files.
    pub home: PathBuf,
    /// Where builds are made, but those of databases with a server of their own; `None`: the private
    /// cluster.
    pub postgres_url: Option<String>,
    /// The servers of databases that have one of their own, by database.
    pub postgres_urls: BTreeMap<String, String>,
    /// PEM file with the roots to trust, besides the system's.
    pub postgres_ca: Option<PathBuf>,
    /// Where `initdb` and `postgres` are, for the private cluster.
    pub postgres_bin: Option<PathBuf>,
    /// A role without login that owns what kiln builds.
    pub owner_role: String,
    /// The role that apps read through.
    pub app_role: String,
    /// Where files land; `None`: the private endpoint.
    pub s3: Option<S3Location>,
    /// Without data for so long a transfer counts as broken, and is resumed; an answer may take
    /// three times as long to begin.
    pub s3_stall: Duration,
    /// COPY connections, and post-data statements, side by side.
    pub connections: usize,
    /// How many previous builds stay for rollback, at least 1.
    pub keep_previous: usize,
    /// After this a swap gives up and nothing has changed.
    pub swap_deadline: Duration,
    /// When a run is to be over; it warns when it will not be, and continues.
    pub run_deadline: Option<RunDeadline>,
    /// Bytes that a build may take of the server's disk, where kiln cannot look (RDS), or is not
    /// to believe what it sees.
    pub disk_free: Option<u64>,
    /// The file of the key that hashes personal identifiers; `None`: a private server's own.
    pub hash_key_file: Option<PathBuf>,
    /// The filter of the JSON log.
    pub log: String,
    /// Sources that are never built, by their database.
    without: BTreeMap<String, Vec<String>>,
}

impl Config {
    /// Reads `kiln.toml` below the root and the process's environment. All problems at once.
    ///
    /// Without a project it does where servers are named and `only_looks`.
    ///
    /// # Errors
    /// [`Exit::Usage`] when no root is found, or with every unknown key and bad value.
    pub(crate) fn load(root: Option<&Path>, only_looks: bool) -> anyhow::Result<Config> {
        let problems = Problems::default();
        let environment = environment(&problems);
        problems.into_result("set them anew, or unset them")?;
        let named = environment
            .keys()
            .any(|name| name == "KILN_HOME" || name.starts_with("KILN_POSTGRES_URL"));
        match root.map_or_else(find_root, |root| Ok(root.to_path_buf())) {
            Ok(root) => Config::read(root, &environment),
            Err(_) if only_looks && named => {
                let here = std::env::current_dir().unwrap_or_default();
                let mut config = Config::read(here, &environment)?;
                config.has_project = false;
                Ok(config)
            }
            Err(error) => Err(error),
        }
    }

    fn read(root: PathBuf, environment: &BTreeMap<String, String>) -> anyhow::Result<Config> {
        let path = root.join("kiln.toml");
        let text = match plainfile::text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let message = format!("cannot read {}", path.display());
                return Err(Failure::new(Exit::Usage, message).because(error).into());
            }
        };
        let problems = Problems::default();
        let mut config = Config::defaults(root);
        let file = TomlFile::new(&path, &text, &problems);
        if let Some(parsed) = file.parse() {
            config.take_file(TomlTable::root(&file, &parsed));
        }
        config.take_environment(environment, &problems);
        problems.into_result("docs/src/configuration.md has every variable and key")?;
        Ok(config)
    }

    fn defaults(root: PathBuf) -> Config {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Config {
            home: root.join(".kiln"),
            root,
            has_project: true,
            postgres_url: None,
            postgres_urls: BTreeMap::new(),
            postgres_ca: None,
            postgres_bin: None,
            owner_role: "kiln_owner".into(),
            app_role: "kiln_app".into(),
            s3: None,
            s3_stall: Duration::from_secs(10),
            connections: cores.max(2),
            keep_previous: 1,
            swap_deadline: Duration::from_secs(30),
            run_deadline: None,
            disk_free: None,
            hash_key_file: None,
            log: "info".into(),
            without: BTreeMap::new(),
        }
    }

    fn take_file(&mut self, table: TomlTable<'_>) {
        if let Some(home) = table.text("home") {
            self.home = self.root.join(home.value);
        }
        if let Some(log) = table.text("log") {
            self.log = log.value;
        }
        if let Some(file) = table.text("hash_key_file") {
            self.hash_key_file = Some(self.root.join(file.value));
        }
        if let Some(said) = table.text("run_deadline") {
            self.run_deadline = RunDeadline::parse(&said.value);
            if self.run_deadline.is_none() {
                table.problem(said.line, format!("`run_deadline` must be {}", deadline::FORM));
            }
        }
        if let Some(postgres) = table.table("postgres") {
            self.take_postgres(&postgres);
            postgres.done();
        }
        if let Some(s3) = table.table("s3") {
            if let Some(said) = s3.text("url") {
                self.s3 = S3Location::parse(&said.value);
                if self.s3.is_none() {
                    s3.problem(said.line, "`s3.url` must be s3://bucket or s3://bucket/prefix");
                }
            }
            if let Some(seconds) = within(&s3, "stall_seconds", STALL_MAX) {
                self.s3_stall = Duration::from_secs(seconds);
            }
            s3.done();
        }
        if let Some(swap) = table.table("swap") {
            if let Some(seconds) = within(&swap, "deadline_seconds", SWAP_MAX) {
                self.swap_deadline = Duration::from_secs(seconds);
            }
            if let Some(count) = within(&swap, "keep_previous", PREVIOUS_MAX) {
                self.keep_previous = count as usize;
            }
            swap.done();
        }
        // An earlier kiln's: what stands there has no effect.
        let _ = table.table("reuse");
        self.take_databases(&table);
        table.done();
    }

    fn take_postgres(&mut self, postgres: &TomlTable<'_>) {
        if let Some(said) = postgres.text("disk_free") {
            self.disk_free = size::bytes(&said.value);
            if self.disk_free.is_none() {
                postgres.problem(said.line, "`postgres.disk_free` must be like \"200 GiB\"");
            }
        }
        self.postgres_url = postgres.text("url").map(|said| said.value);
        self.postgres_ca = postgres.text("ca").map(|said| self.root.join(said.value));
        self.postgres_bin = postgres.text("bin").map(|said| said.value.into());
        for (key, role) in [("owner_role", &mut self.owner_role), ("app_role", &mut self.app_role)]
        {
            if let Some(said) = postgres.text(key) {
                *role = said.value;
            }
        }
        if let Some(count) = within(postgres, "connections", CONNECTIONS_MAX) {
            self.connections = count as usize;
        }
        for database in databases(self).unwrap_or_default() {
            let Some(own) = postgres.table_named(&database) else { continue };
            if let Some(url) = own.text("url") {
                self.postgres_urls.insert(database, url.value);
            }
            own.done();
        }
    }

    /// `[planinfo] without = ["landscape"]`. A host of apps has no databases' folders, and builds none.
    fn take_databases(&mut self, table: &TomlTable<'_>) {
        for database in databases(self).unwrap_or_default() {
            let Some(own) = table.table_named(&database) else { continue };
            let without = own.texts("without").map(|said| said.value);
            own.done();
            self.without.insert(database, without.unwrap_or_default());
        }
    }

    /// The sources of a database that are left out of every build.
    pub(crate) fn without(&self, database: &str) -> &[String] {
        self.without.get(database).map_or(&[], Vec::as_slice)
    }

    /// The server that a database is on; `None`: the private cluster.
    pub(crate) fn server_of(&self, database: &str) -> Option<&str> {
        self.postgres_urls.get(database).or(self.postgres_url.as_ref()).map(String::as_str)
    }

    /// Whether there is no database that the private cluster would be for.
    pub(crate) fn each_has_a_server(&self) -> bool {
        let known = databases(self).unwrap_or_default();
        !self.postgres_urls.is_empty()
            && known.iter().all(|name| self.postgres_urls.contains_key(name))
    }

    /// Where scratch files and logs go, made when missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        // By its components: a path that ends in `.` can be made by nobody.
        let folder: PathBuf = self.home.join(name).components().collect();
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot make {}", folder.display()))
                .hint("set KILN_HOME to a folder that this user may write")
                .because(error)
        })?;
        Ok(folder)
    }
}

/// The named failpoint to act on, if this is a build that has them.
pub fn failpoint() -> Option<String> {
    std::env::var("KILN_FAILPOINT").ok()
}

/// The nearest folder upwards that has `kiln.toml`, or both `sql/` and `sources/`.
fn find_root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("read the current folder")?;
    let is_root = |folder: &&Path| {
        folder.join("kiln.toml").is_file()
            || (folder.join("sql").is_dir() && folder.join("sources").is_dir())
    };
    here.ancestors().find(is_root).map(Path::to_path_buf).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("no kiln.toml, and no sql/ with sources/, in or above {}", here.display()),
        )
        .hint("kiln --root FOLDER …")
        .into()
    })
}

/// Refuses a database name that no folder of `sql/` bears.
///
/// # Errors
/// [`Exit::Usage`] with the known names.
pub(crate) fn known_database(config: &Config, name: &str) -> anyhow::Result<()> {
    if !config.has_project && Ident::parse(name).is_some() {
        return Ok(());
    }
    let known = databases(config)?;
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    let mean = suggest(name, known.iter().map(String::as_str));
    Err(failure(
        Exit::Usage,
        format!("no database {name:?} (sql/ has: {}){mean}", known.join(", ")),
    ))
}

/// The databases: the folders of `sql/` and of `sources/`, sorted.
///
/// # Errors
/// [`Exit::Usage`] when a folder cannot be read.
pub(crate) fn databases(config: &Config) -> anyhow::Result<Vec<String>> {
    let mut names = std::collections::BTreeSet::new();
    for side in ["sql", "sources"] {
        let folder = config.root.join(side);
        let entries = std::fs::read_dir(&folder).map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot read {}", folder.display())).because(error)
        })?;
        for entry in entries {
            let entry = entry.with_context(|| format!("read {}", folder.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.path().is_dir() {
                continue;
            }
            if let Err(why) = may_name_a_database(&name) {
                let message = format!("{side}/{name}: {name:?} cannot name a database: {why}");
                return Err(Failure::new(Exit::Usage, message)
                    .hint(format!("rename the folder; a database's name has a-z, 0-9 and _, at most {NAME_MAX} of them"))
                    .into());
            }
            names.insert(name);
        }
    }
    Ok(names.into_iter().collect())
}

#[cfg(test)]
mod tests;
