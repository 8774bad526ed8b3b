//! The numbered SQL files of one database: reading their sections, applying them, and the lock
//! file that says which version and which catalog they are.
//!
//! A file is one table's whole life, in pg_dump's words: `-- pre-data`, `-- post-data`,
//! `-- derive`, `-- check: TITLE`. The files run in psql as they are.

pub(crate) mod catalog;
mod early;
pub(crate) mod learned;
mod lockfile;
pub(crate) mod own_checks;
mod sections;
pub(crate) mod serves;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use tokio_postgres::error::{DbError, ErrorPosition};
use tokio_util::sync::CancellationToken;

pub(crate) use lockfile::SchemaLock;
#[cfg(feature = "dev")]
pub(crate) use sections::parse as parse_sections;
pub(crate) use sections::{Section, SectionKind};

use crate::config::strict::Problems;
use crate::error::{Exit, Failure, Position, at, stopped};
use crate::fetch::plainfile;
use crate::postgres::{self, Ident, Session};

/// The data dictionary's name beside the numbered files.
pub(crate) const DICTIONARY: &str = "DICTIONARY.md";
/// The rules of a subset, beside the numbered .sql files.
pub(crate) const SUBSET_RULES: &str = "subset.toml";

/// The schema of one database.
#[derive(Debug)]
pub struct Schema {
    /// The database's name.
    pub database: Ident,
    /// The files in number order.
    pub files: Vec<SchemaFile>,
    /// What `schema.lock` says; `None` when there is none yet.
    pub lock: Option<SchemaLock>,
    /// Where `schema.lock` lies.
    pub lock_path: PathBuf,
}

/// What a check found of one database.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    /// The database.
    pub database: String,
    /// Its schema's version, as locked.
    pub version: Option<u32>,
    /// The oldest version whose readers it serves.
    pub serves_from: Option<u32>,
    /// Its catalog's fingerprint, as built.
    pub fingerprint: String,
    /// Tables.
    pub tables: usize,
    /// Sources.
    pub sources: usize,
}

/// One numbered file.
#[derive(Debug, Clone)]
pub struct SchemaFile {
    /// The number in front of its name.
    pub number: u32,
    /// The table it is named for.
    pub table: String,
    /// Relative to the root, for messages.
    pub path: PathBuf,
    /// sha256 of its text, in hex.
    pub sha256: String,
    /// Its sections, in file order.
    pub sections: Vec<Section>,
    /// The tables whose keys its `-- post-data` section may need, as `schema.lock` has it; `None` where nobody has
    /// looked.
    pub refers: Option<BTreeSet<String>>,
    /// Whether its `-- derive from` section makes its table and does nothing else, as `schema.lock` has it.
    pub is_alone: bool,
}

impl Schema {
    /// Reads `sql/<database>/NNNN_<table>.sql` and `schema.lock`; gaps, repeats, misplaced
    /// sections and strange files go to `problems`.
    ///
    /// # Errors
    /// Only when a file cannot be read.
    pub fn read(root: &Path, database: &str, problems: &Problems) -> anyhow::Result<Schema> {
        let folder = root.join("sql").join(database);
        let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
        let name = Ident::parse(database).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{database:?} cannot name a database"))
        })?;
        let lock_path = folder.join("schema.lock");
        let mut schema = Schema { database: name, files: Vec::new(), lock: None, lock_path };
        if !folder.is_dir() {
            problems.add(&shown(&folder), 0, format!("no schema for database {database}"));
            return Ok(schema);
        }
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            paths.push(entry.with_context(|| format!("{}", folder.display()))?.path());
        }
        paths.sort();
        for path in paths {
            let file_name = path.file_name().unwrap_or_default().to_string_lossy();
            let short = shown(&path);
            let text = match plainfile::text(&path) {
                Ok(text) => text,
                Err(error) => {
                    problems.add(&short, 0, format!("cannot read it: {error}"));
                    continue;
                }
            };
            if file_name == "schema.lock" {
                schema.lock = SchemaLock::parse(&short, &text, problems);
            } else if file_name == DICTIONARY {
                // Written from the others; `kiln docs --check` holds it against them.
            } else if file_name == SUBSET_RULES {
                // Rules of a subset; read where they are wanted.
            } else if let Some((number, table)) = numbered(&file_name) {
                let sections = sections::parse(&short, &text, problems);
                let sha256 = crate::fetch::digest::sha256(text.as_bytes());
                let (refers, is_alone) = (None, false);
                schema.files.push(SchemaFile {
                    number,
                    table,
                    path: short,
                    sha256,
                    sections,
                    refers,
                    is_alone,
                });
            } else {
                let form = "a schema file is NNNN_table.sql (a-z, 0-9, _), schema.lock, \
                            subset.toml or DICTIONARY.md";
                problems.add(&short, 0, form);
            }
        }
        schema.check_numbers(problems);
        schema.tell_learned();
        Ok(schema)
    }

    /// Tells the files what `schema.lock` has learned of them.
    fn tell_learned(&mut self) {
        let Some(learned) = self.lock.as_ref().and_then(|lock| lock.learned.clone()) else {
            return;
        };
        for file in &mut self.files {
            file.refers = Some(learned.refers.get(&file.table).cloned().unwrap_or_default());
            file.is_alone = learned.alone.contains(&file.table);
        }
    }

    fn check_numbers(&self, problems: &Problems) {
        let mut expected = 1;
        for (index, file) in self.files.iter().enumerate() {
            let before = index.checked_sub(1).map(|previous| &self.files[previous]);
            match before {
                Some(previous) if previous.number == file.number => {
                    let other = previous.path.display();
                    let message = format!("number {:04} is also that of {other}", file.number);
                    problems.add(&file.path, 0, message);
                }
                _ if file.number != expected => {
                    let message = format!("number {expected:04} is missing before this file");
                    problems.add(&file.path, 0, message);
                }
                _ => {}
            }
            if let Some(twin) = self.files[..index].iter().find(|f| f.table == file.table) {
                let other = twin.path.display();
                problems.add(
                    &file.path,
                    0,
                    format!("table {} is also that of {other}", file.table),
                );
            }
            expected = file.number + 1;
        }
        if self.files.is_empty() {
            problems.add(&self.lock_path, 0, "no numbered .sql file beside it");
        }
    }

    /// sha256 over all its files, their order and their names, in hex.
    pub fn digest(&self) -> String {
        let line =
            |file: &SchemaFile| format!("{:04} {} {}\n", file.number, file.table, file.sha256);
        crate::fetch::digest::sha256(self.files.iter().map(line).collect::<String>().as_bytes())
    }

    /// sha256 of the files that are named for these tables, in hex.
    pub fn digest_of<'a>(&self, tables: impl Iterator<Item = &'a Ident>) -> String {
        let tables: Vec<&str> = tables.map(Ident::as_str).collect();
        let own = self.files.iter().filter(|file| tables.contains(&file.table.as_str()));
        let text: String = own.map(|file| format!("{} {}\n", file.table, file.sha256)).collect();
        crate::fetch::digest::sha256(text.as_bytes())
    }

    /// Of these tables, as pre-data has made them, those that the loader fills: the others are
    /// made from tables, by a `-- derive` section of their own.
    pub fn loaded(&self, tables: Vec<String>) -> Vec<String> {
        let derived = |table: &String| {
            let file = self.files.iter().find(|file| file.table == *table);
            file.is_some_and(|file| file.of_kind(&SectionKind::Derive).next().is_some())
        };
        tables.into_iter().filter(|table| !derived(table)).collect()
    }

    /// Tables that are made as soon as others have their rows, and those others.
    pub fn early(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.files.iter().flat_map(|file| {
            let own = file.sections.iter().filter(|section| section.is_early());
            own.map(move |section| (file.table.as_str(), section.from.as_slice()))
        })
    }

    /// Those of them whose sections do nothing else: what a kept build may give back.
    pub fn made_alone(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|file| file.is_alone).map(|file| file.table.as_str())
    }

    /// Says which of these tables, that sources fill, are made from tables as well: rows of one would be
    /// taken for the other's.
    pub fn refuse_twofold<'a>(&self, filled: impl Iterator<Item = &'a str>, problems: &Problems) {
        for table in filled {
            let file = self.files.iter().find(|file| file.table == table);
            for (file, section) in file.into_iter().flat_map(|file| {
                file.of_kind(&SectionKind::Derive).map(move |section| (file, section))
            }) {
                let message = format!("a source fills {table}: it is not made from tables, too");
                problems.add(&file.path, section.line - 1, message);
            }
        }
    }

    /// The files with a derive section in the order in which these run: tables that are made while keys
    /// are being built before the others, each by number.
    pub fn derived(&self) -> Vec<&SchemaFile> {
        let files = self.files.iter();
        let mut files: Vec<_> =
            files.filter(|file| file.of_kind(&SectionKind::Derive).next().is_some()).collect();
        files.sort_by_key(|file| !file.sections.iter().any(Section::is_early));
        files
    }

    /// The version that `schema.lock` gives.
    ///
    /// # Errors
    /// [`Exit::Usage`] when there is no lock file.
    pub fn locked(&self) -> anyhow::Result<&SchemaLock> {
        self.lock.as_ref().ok_or_else(|| {
            let database = self.database.as_str();
            Failure::new(Exit::Usage, format!("sql/{database}/schema.lock is missing"))
                .hint(format!("kiln schema lock {database}"))
                .into()
        })
    }

    /// Runs every section of one kind, file by file in number order.
    ///
    /// # Errors
    /// When Postgres refuses a statement: the first one, with file and line.
    pub async fn apply(
        &self,
        session: &Session,
        kind: &SectionKind,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        for file in &self.files {
            file.apply(session, kind, stop).await?;
        }
        Ok(())
    }
}

impl SchemaFile {
    /// The sections of one kind.
    pub fn of_kind<'a>(&'a self, kind: &'a SectionKind) -> impl Iterator<Item = &'a Section> {
        self.sections.iter().filter(move |section| section.kind == *kind)
    }

    /// Runs this file's sections of one kind.
    ///
    /// # Errors
    /// When Postgres refuses a statement: the first one, with file and line.
    pub async fn apply(
        &self,
        session: &Session,
        kind: &SectionKind,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        for section in self.of_kind(kind) {
            tokio::select! {
                done = session.batch_execute(&section.sql) => {
                    done.map_err(|error| self.explain(section, error))?;
                }
                () = stop.cancelled() => {
                    session.canceller().cancel().await;
                    return Err(stopped());
                }
            }
        }
        Ok(())
    }

    /// The line of this file that the server's error is about: where it points to, else where
    /// the section begins.
    pub fn line_of(&self, section: &Section, error: &tokio_postgres::Error) -> usize {
        match error.as_db_error().and_then(|db_error| db_error.position()) {
            Some(ErrorPosition::Original(position)) => {
                // It counts characters from 1; those before it are what lies above.
                let before = (*position as usize).saturating_sub(1);
                section.line + section.sql.chars().take(before).filter(|c| *c == '\n').count()
            }
            _ => section.line,
        }
    }

    /// A section's error with file and line, and without values. A syntax error is the schema's
    /// fault; a duplicate key found by post-data is the data's.
    pub fn explain(&self, section: &Section, error: tokio_postgres::Error) -> anyhow::Error {
        let Some(db_error) = error.as_db_error() else {
            return postgres::db(format!("run {}", self.path.display()))(error);
        };
        let line = self.line_of(section, &error);
        let failed = self.failed_at(section, line, &error, db_error);
        at(failed, Position::in_file(&self.path, line))
    }

    fn failed_at(
        &self,
        section: &Section,
        line: usize,
        error: &tokio_postgres::Error,
        db_error: &DbError,
    ) -> anyhow::Error {
        let place = format!("{}:{line}", self.path.display());
        let code = db_error.code().code();
        if let Some(why) = section.no_check(error) {
            let message = format!("{place}: check \"{}\" {why}", section.title);
            return Failure::new(Exit::Usage, message).hint("kiln schema check").into();
        }
        let failure = match &code[..2] {
            // A value of the data that no type or function takes: the primary message quotes it.
            "22" if db_error.position().is_none() => Failure::new(
                Exit::ChecksFailed,
                format!(
                    "{place}: a value in the data is not what this SQL takes it for (SQLSTATE {code})"
                ),
            )
            .hint(KEPT),
            // Where the server points into the text, the fault and the value are the text's own.
            "22" | "42" if code != "42501" => Failure::new(
                Exit::Usage,
                format!("{place}: {} (SQLSTATE {code})", db_error.message()),
            )
            .hint("kiln schema check"),
            // Integrity: the primary message names the constraint, DETAIL the row's values.
            "23" => Failure::new(
                Exit::ChecksFailed,
                format!(
                    "{place}: the data breaks {} of table {} (SQLSTATE {code})",
                    db_error.constraint().unwrap_or("a constraint"),
                    db_error.table().unwrap_or(&self.table),
                ),
            )
            .hint(KEPT),
            _ => return postgres::data_error(&place, error),
        };
        failure.sqlstate(code).into()
    }
}

/// What to do about data that the schema does not take.
const KEPT: &str =
    "the build is kept for a look (`kiln status` names it); land the mended file and run again";

/// `0007_plan_information.sql` → (7, "plan_information").
fn numbered(file_name: &str) -> Option<(u32, String)> {
    let (number, table) = file_name.strip_suffix(".sql")?.split_once('_')?;
    let digits = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && Ident::parse(table).is_some()).then_some(())?;
    Some((number.parse().ok()?, table.to_owned()))
}
