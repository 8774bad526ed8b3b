//! What the sections of a schema do, as Postgres's catalog and its locks show it when they run on empty tables:
//! it stands in `schema.lock`, and is never read out of the text.

use std::collections::{BTreeMap, BTreeSet};

use super::{Schema, SchemaFile, SectionKind};
use crate::error::{Exit, Failure};
use crate::postgres::{Session, db};

/// What sections were seen to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// The tables of files of lower numbers that the `-- post-data` section of a table's file touches: it may need
    /// their keys.
    pub refers: BTreeMap<String, BTreeSet<String>>,
    /// Tables whose `-- derive from` section makes them and does nothing else: such a table can be copied from
    /// a kept build.
    pub alone: BTreeSet<String>,
    /// What each section makes, in that order: tables, views, and functions with `()` behind their names. By
    /// [`section`]'s word for it.
    pub makes: BTreeMap<String, Vec<String>>,
    /// The tables and views that a `-- derive` section reads, itself or through views and functions, by the word
    /// for it; and those that a function of language SQL names, by the function with `()`.
    pub reads: BTreeMap<String, BTreeSet<String>>,
}

/// What a section is called in `makes` and `reads`: its file has one of each kind that makes something.
pub(crate) fn section(file: &SchemaFile, kind: &SectionKind) -> String {
    format!("{} {}", file.table, kind.word())
}

/// Reads a lock's lines: `plan_county: plan, state`.
fn by_name<T: FromIterator<String>>(lines: &[String]) -> BTreeMap<String, T> {
    let names = |names: &str| names.split(',').map(|name| name.trim().to_owned()).collect();
    let lines = lines.iter().filter_map(|line| line.split_once(':'));
    lines.map(|(name, all)| (name.trim().to_owned(), names(all))).collect()
}

/// Writes them.
fn to_lines<'a, T>(all: &'a BTreeMap<String, T>) -> Vec<String>
where
    &'a T: IntoIterator<Item = &'a String>,
{
    let line = |(name, all): (&String, &'a T)| {
        let all: Vec<&str> = all.into_iter().map(String::as_str).collect();
        format!("{name}: {}", all.join(", "))
    };
    all.iter().map(line).collect()
}

impl Learned {
    /// Reads it out of a lock's lists.
    pub(super) fn of_lines([refers, alone, makes, reads]: [&[String]; 4]) -> Learned {
        Learned {
            refers: by_name(refers),
            alone: alone.iter().cloned().collect(),
            makes: by_name(makes),
            reads: by_name(reads),
        }
    }

    /// Notes what is there now and was not before: the section has made it.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub async fn note_made(
        &mut self,
        session: &Session,
        file: &SchemaFile,
        kind: &SectionKind,
    ) -> anyhow::Result<()> {
        let rows = session.query(include_str!("made.sql"), &[]).await;
        let rows = rows.map_err(db("look at what a section has made"))?;
        let mut made: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        made.retain(|name| !self.makes.values().flatten().any(|known| known == name));
        made.dedup();
        if !made.is_empty() {
            self.makes.insert(section(file, kind), made);
        }
        Ok(())
    }

    /// Notes what the open transaction, in which a `-- derive` section has run, has read; without what its
    /// definitions of views and functions have looked up ([`watch_definitions`]).
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub async fn note_read(&mut self, session: &Session, file: &SchemaFile) -> anyhow::Result<()> {
        let section = section(file, &SectionKind::Derive);
        let made = self.makes.get(&section).cloned().unwrap_or_default();
        let mut read = locked_to_read(session).await?;
        read.retain(|name| *name != file.table && !made.contains(name));
        if !read.is_empty() {
            self.reads.insert(section, read);
        }
        Ok(())
    }

    /// Notes what the functions of language SQL name: their bodies are looked up once more, each in a transaction
    /// of its own, which is given up.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub async fn note_functions(&mut self, session: &Session) -> anyhow::Result<()> {
        let sql =
            "select p.oid, proname || '()' from pg_proc p join pg_language l on l.oid = p.prolang
                   where pronamespace = 'public'::regnamespace and lanname = 'sql' order by p.oid";
        let functions = session.query(sql, &[]).await.map_err(db("look for functions"))?;
        for row in functions {
            let (oid, name): (u32, String) = (row.get(0), row.get(1));
            session.batch_execute("begin").await.map_err(db("begin"))?;
            let looked = session.execute("select fmgr_sql_validator($1)", &[&oid]).await;
            looked.map_err(db(format!("look into function {name}")))?;
            let read = locked_to_read(session).await?;
            session.batch_execute("rollback").await.map_err(db("rollback"))?;
            if !read.is_empty() {
                self.reads.entry(name).or_default().extend(read);
            }
        }
        Ok(())
    }

    /// Keeps of what sections refer to the tables of files before theirs: a key needs nothing that comes later.
    pub fn only_before(&mut self, schema: &Schema) {
        let number = |table: &String| schema.files.iter().position(|file| file.table == *table);
        for (table, to) in &mut self.refers {
            let own = number(table);
            to.retain(|other| number(other).is_some_and(|other| Some(other) < own));
        }
        self.refers.retain(|_, to| !to.is_empty());
    }

    /// Its lists, by their keys in the lock.
    pub(super) fn lines(&self) -> [(&'static str, Vec<String>); 4] {
        [
            ("refers", to_lines(&self.refers)),
            ("alone", self.alone.iter().cloned().collect()),
            ("makes", to_lines(&self.makes)),
            ("reads", to_lines(&self.reads)),
        ]
    }
}

/// Lets the scratch database note, until [`forget_definitions`], what a statement that defines a view or a
/// function looks up: a section's table is not made of that.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn watch_definitions(session: &Session) -> anyhow::Result<bool> {
    // Event triggers are for superusers alone.
    let sql = "select rolsuper from pg_roles where rolname = current_user";
    let row = session.query_one(sql, &[]).await.map_err(db("ask for the role's rights"))?;
    if !row.get::<_, bool>(0) {
        return Ok(false);
    }
    let watch = session.batch_execute(include_str!("definitions.sql")).await;
    watch.map(|()| true).map_err(db("watch definitions"))
}

/// Refuses to lock what was not seen.
///
/// # Errors
/// [`Exit::Usage`] with the way to a superuser.
pub(crate) fn must_be_watched(is_watched: bool) -> anyhow::Result<()> {
    if is_watched {
        return Ok(());
    }
    let message =
        "what sections read is learned by event triggers, which only a superuser may create";
    Err(Failure::new(Exit::Usage, message)
        .hint("kiln schema lock without --server, or with the URL of a superuser")
        .into())
}

/// Takes it away again.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn forget_definitions(session: &Session) -> anyhow::Result<()> {
    // The event triggers go with their functions.
    let dropped = session.batch_execute("drop schema kiln cascade").await;
    dropped.map_err(db("forget definitions"))
}

/// The tables and views that the open transaction has locked to read them.
async fn locked_to_read(session: &Session) -> anyhow::Result<BTreeSet<String>> {
    let rows = session.query(include_str!("read.sql"), &[]).await;
    let rows = rows.map_err(db("read the locks"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Notes that a section is about to run in the open transaction, so that [`did`] can tell what is younger: no other
/// session may write meanwhile, which holds of a scratch database.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn begin(session: &Session) -> anyhow::Result<i64> {
    let sql = "select pg_current_xact_id()::text::int8";
    session.query_one(sql, &[]).await.map(|row| row.get(0)).map_err(db("begin to look"))
}

/// The tables that the open transaction has touched, beside the file's own.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn touched(
    session: &Session,
    file: &SchemaFile,
) -> anyhow::Result<BTreeSet<String>> {
    let locked = super::catalog::tables_locked(session).await?;
    Ok(locked.into_iter().filter(|table| *table != file.table).collect())
}

/// Whether all that the open transaction has done since [`begin`] is to make this table, with its keys, indexes
/// and comments, of values that COPY sends.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn is_alone(session: &Session, table: &str, since: i64) -> anyhow::Result<bool> {
    let row = session.query_one(include_str!("alone.sql"), &[&table, &since]).await;
    row.map(|row| row.get(0)).map_err(db("look at what a section has made"))
}
