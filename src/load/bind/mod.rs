//! Binds a spec to its table as the live catalog has it, and a file's header to the spec.
//!
//! Both are contracts by name. Whatever does not fit is said before the first row loads: all
//! problems of all specs at once, or the whole difference between a header and its spec.

mod fit;
mod header;
pub(crate) mod pack;

use std::collections::BTreeMap;
use std::sync::Arc;

use fit::{leads_to, misfit};
pub(crate) use header::{COLUMNS_MAX, HeaderRow, joined, too_wide};
pub use header::{Layout, names_of};

use crate::config::personal::HashKey;
use crate::config::strict::{Problems, suggest};
use crate::load::encode::line::Null;
use crate::load::encode::{ColumnType, SUPPORTED};
use crate::postgres::{Ident, Session};
use crate::spec::schema::catalog::{self, TableColumn};
use crate::spec::source::{Column, Dictionary, Others, Shape, Source, Transform};

/// The column of a dictionary's table that has its entries' numbers.
pub(crate) const ID: &str = "id";

/// The columns of the tables that a source fills, by table.
pub type Tables = BTreeMap<String, Vec<TableColumn>>;

/// Reads the columns of the tables that a source fills.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn tables(session: &Session, source: &Source) -> anyhow::Result<Tables> {
    let mut tables = Tables::new();
    for table in source.tables() {
        tables.insert(table.as_str().to_owned(), catalog::columns(session, table).await?);
    }
    Ok(tables)
}

/// A spec whose columns are known to be in its tables.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The spec.
    pub source: Source,
    /// What each table column is fed from, in the order that COPY sends them, behind the
    /// dictionaries' numbers.
    pub targets: Vec<Target>,
    /// The dictionaries, in the order that COPY sends their numbers.
    pub dictionaries: Vec<DictionaryBinding>,
    /// How a null is written where rows are sent as lines; `None` where they are sent in binary.
    pub lines: Option<Null>,
    /// The key that hashes identifiers. Without it such a spec can be held against its table,
    /// and every row of it is refused.
    pub hash_key: Option<Arc<HashKey>>,
}

/// A dictionary whose columns are known to be in its table.
#[derive(Debug, Clone)]
pub struct DictionaryBinding {
    /// Its table.
    pub table: Ident,
    /// The type of `id`, and of the column that takes the number.
    pub key: ColumnType,
    /// What the other columns are fed from.
    pub targets: Vec<Target>,
}

impl DictionaryBinding {
    /// The COPY statement of its own table.
    pub fn copy_sql(&self) -> String {
        copy_sql(&self.table, self.columns())
    }

    /// Its table's columns, in the order that COPY sends them.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        [ID].into_iter().chain(names(&self.targets))
    }

    /// The query that gives its rows back as they were sent.
    pub fn select_sql(&self) -> String {
        select_sql(self.table.as_str(), self.columns())
    }
}

/// One table column and how its value is made.
#[derive(Debug, Clone)]
pub struct Target {
    /// The table column's name.
    pub name: String,
    /// What feeds it.
    pub feed: Feed,
    /// Its type.
    pub kind: ColumnType,
    /// Whether null is refused.
    pub not_null: bool,
    /// Whether a row that does not say otherwise has something there.
    pub has_default: bool,
    /// Contents that mean null.
    pub nulls: Vec<Vec<u8>>,
    /// What is done before the type is read.
    pub transforms: Vec<Transform>,
    /// What the content must look like then.
    pub shape: Option<Shape>,
    /// Whether a content that does not is null.
    pub misfit_is_null: bool,
}

/// What feeds a table column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// The spec's column of this index.
    Column(usize),
    /// The same, hashed.
    Hash(usize),
    /// The same, where it holds a digit: its words go elsewhere.
    Number(usize),
    /// The same, where it holds no digit.
    Words(usize),
    /// All columns of the header that the spec does not name.
    Gathered,
}

impl Feed {
    /// The spec's column, unless all others feed it.
    pub fn column(self) -> Option<usize> {
        match self {
            Feed::Column(index) | Feed::Hash(index) => Some(index),
            Feed::Number(index) | Feed::Words(index) => Some(index),
            Feed::Gathered => None,
        }
    }
}

impl Binding {
    /// Binds a spec to its tables' columns; `None` when there were problems.
    pub fn new(
        source: &Source,
        tables: &Tables,
        hash_key: Option<&Arc<HashKey>>,
        problems: &Problems,
    ) -> Option<Binding> {
        let before = problems.count();
        let name = &source.name;
        let table = tables.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        if table.is_empty() {
            problems.add(
                &source.path,
                0,
                format!("source {name} has no table of that name in sql/"),
            );
            return None;
        }
        let mut dictionaries = Vec::new();
        for dictionary in &source.dictionaries {
            dictionaries.extend(bind_dictionary(source, dictionary, tables, problems));
        }
        let of_dictionary =
            |to: &Ident| source.dictionaries.iter().any(|known| known.columns.contains(to));
        let mut binder = Binder { source, name, table, problems, targets: Vec::new() };
        for (index, column) in source.columns.iter().enumerate() {
            binder.column(index, column, |to| !of_dictionary(to));
        }
        if let Others::Gather { to, transforms, line } = &source.others {
            let nulls = source.format.nulls.as_slice();
            binder.target(to, *line, Feed::Gathered, nulls, transforms);
        }
        match &source.pack {
            None => binder.refuse_unfed(source.dictionaries.iter().map(|known| known.to.as_str())),
            Some(pack) => {
                binder.refuse_unfed(pack::columns(source, pack).into_iter());
                pack::check(source, pack, tables, &dictionaries, &binder.targets, problems);
            }
        }
        let targets = binder.targets;
        let lines = if dictionaries.is_empty() { lines(source, &targets) } else { None };
        let (source, hash_key) = (source.clone(), hash_key.cloned());
        let bound = Binding { source, targets, dictionaries, lines, hash_key };
        (problems.count() == before).then_some(bound)
    }

    /// The COPY statement, of binary rows.
    pub fn copy_sql(&self) -> String {
        copy_sql(&self.source.name, self.columns())
    }

    /// The COPY statement of lines that have these of the columns.
    pub fn lines_sql(&self, null: Null, columns: &[bool]) -> String {
        let named = self.columns().zip(columns).filter(|(_, is_named)| **is_named);
        copy_sql_as(&self.source.name, named.map(|(name, _)| name), null.options())
    }

    /// The query that gives its rows back as they were sent.
    pub fn select_sql(&self) -> String {
        select_sql(self.source.name.as_str(), self.columns())
    }

    /// The table's columns, in the order that COPY sends them.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let keys: Vec<&str> = match &self.source.pack {
            Some(pack) => pack::columns(&self.source, pack).to_vec(),
            None => self.source.dictionaries.iter().map(|known| known.to.as_str()).collect(),
        };
        keys.into_iter().chain(names(&self.targets))
    }

    /// The query of how many of the file's rows the table holds, and how many rows it has itself.
    pub fn count_sql(&self) -> String {
        let own = self.source.name.as_str();
        match &self.source.pack {
            Some(pack) => pack::count_sql(own, pack.to.as_str()),
            None => format!("select count(*), count(*) from \"{own}\""),
        }
    }
}

fn names(targets: &[Target]) -> impl Iterator<Item = &str> {
    targets.iter().map(|target| target.name.as_str())
}

fn select_sql<'a>(table: &str, columns: impl Iterator<Item = &'a str>) -> String {
    let columns: Vec<String> = columns.map(|name| format!("\"{name}\"")).collect();
    format!("select {} from \"{table}\"", columns.join(", "))
}

fn copy_sql<'a>(table: &Ident, columns: impl Iterator<Item = &'a str>) -> String {
    copy_sql_as(table, columns, "format binary")
}

fn copy_sql_as<'a>(table: &Ident, columns: impl Iterator<Item = &'a str>, options: &str) -> String {
    let columns: Vec<String> = columns.map(|name| format!("\"{name}\"")).collect();
    format!("copy {table} ({}) from stdin ({options})", columns.join(", "))
}

/// How nulls are written where rows are lines: of texts alone, and not of people, for a server that refuses
/// a line quotes it in its log.
fn lines(source: &Source, targets: &[Target]) -> Option<Null> {
    if source.personal || !targets.iter().all(|target| target.kind.is_text()) {
        return None;
    }
    // A transform may leave nothing of a text.
    let never_empty =
        |target: &Target| target.transforms.is_empty() && target.nulls.contains(&Vec::new());
    Some(if targets.iter().all(never_empty) { Null::Nothing } else { Null::Mark })
}

fn bind_dictionary(
    source: &Source,
    dictionary: &Dictionary,
    tables: &Tables,
    problems: &Problems,
) -> Option<DictionaryBinding> {
    let Dictionary { table: name, to, line, .. } = dictionary;
    let wrong = |message: String| problems.add(&source.path, *line, message);
    let own = tables.get(source.name.as_str())?;
    let table = tables.get(name.as_str()).filter(|columns| !columns.is_empty());
    let Some(table) = table else {
        wrong(format!("dictionary {name} has no table of that name in sql/"));
        return None;
    };
    let kind = |table: &[TableColumn], column: &str| {
        let known = table.iter().find(|known| known.name == column)?;
        let kind = ColumnType::from_postgres(known.type_oid, known.type_modifier)?;
        matches!(kind, ColumnType::Int2 | ColumnType::Int4).then_some(kind)
    };
    let id = kind(table, ID);
    // Of packed rows, an array has the numbers of two.
    let in_array = source.pack.as_ref().is_some_and(|pack| {
        let own = source.dictionaries.iter().position(|known| known.to == *to);
        own.is_some_and(|own| own != pack.by)
    });
    let key = if in_array { id } else { kind(own, to.as_str()) };
    if key.is_none() || key != id {
        let own = &source.name;
        wrong(format!("{name}.{ID} and {own}.{to} must both be smallint, or both integer"));
    }
    let mut binder = Binder { source, name, table, problems, targets: Vec::new() };
    for (index, column) in source.columns.iter().enumerate() {
        binder.column(index, column, |to| dictionary.columns.contains(to));
    }
    binder.refuse_unfed([ID].into_iter());
    Some(DictionaryBinding { table: name.clone(), key: key?, targets: binder.targets })
}

struct Binder<'a> {
    source: &'a Source,
    name: &'a Ident,
    table: &'a [TableColumn],
    problems: &'a Problems,
    targets: Vec<Target>,
}

impl Binder<'_> {
    /// What one of the spec's columns feeds, as far as it is this table's.
    fn column(&mut self, index: usize, column: &Column, is_own: impl Fn(&Ident) -> bool) {
        let source = self.source;
        let nulls = column.nulls.as_ref().unwrap_or(&source.format.nulls);
        let feed = match (column.hashed, &column.words_to) {
            (true, _) => Feed::Hash(index),
            (false, Some(_)) => Feed::Number(index),
            (false, None) => Feed::Column(index),
        };
        if let Some(to) = column.to.as_ref().filter(|to| is_own(to)) {
            let before = self.targets.len();
            self.target(to, column.line, feed, nulls, &column.transforms);
            if self.targets.len() > before {
                self.shaped(column);
            }
        }
        if let Some(to) = column.words_to.as_ref().filter(|to| is_own(to)) {
            self.target(to, column.line, Feed::Words(index), nulls, &[]);
        }
    }

    fn target(
        &mut self,
        to: &Ident,
        line: usize,
        feed: Feed,
        nulls: &[String],
        transforms: &[Transform],
    ) {
        let (table, path) = (self.name, &self.source.path);
        let Some(known) = self.table.iter().find(|known| known.name == to.as_str()) else {
            let mean = suggest(to.as_str(), self.table.iter().map(|c| c.name.as_str()));
            self.problems.add(path, line, format!("table {table} has no column {to}{mean}"));
            return;
        };
        let Some(kind) = ColumnType::from_postgres(known.type_oid, known.type_modifier) else {
            let message = format!(
                "column {} is {}, which kiln cannot load; it can: {SUPPORTED}",
                known.name, known.type_name
            );
            self.problems.add(path, line, message);
            return;
        };
        if let Some(wanted) = misfit(feed, kind) {
            let message = format!("column {} must be {wanted}, and is {}", to, known.type_name);
            self.problems.add(path, line, message);
        }
        for transform in transforms {
            if !leads_to(transform, kind) && feed != Feed::Gathered {
                let message =
                    format!("transform {transform:?} does not lead to {}", known.type_name);
                self.problems.add(path, line, message);
            }
        }
        self.targets.push(Target {
            name: known.name.clone(),
            feed,
            kind,
            not_null: known.not_null,
            has_default: known.has_default,
            nulls: nulls.iter().map(|text| text.clone().into_bytes()).collect(),
            transforms: transforms.to_vec(),
            shape: None,
            misfit_is_null: false,
        });
    }

    /// What the last target's contents must look like.
    fn shaped(&mut self, column: &Column) {
        let Some(target) = self.targets.last_mut() else { return };
        target.shape.clone_from(&column.shape);
        target.misfit_is_null = column.misfit_is_null;
        if column.misfit_is_null && target.not_null {
            let message = format!("column {} may not be null, and a misfit is to be", target.name);
            self.problems.add(&self.source.path, column.line, message);
        }
    }

    /// Every column of the table is fed, by a target or as one of `others`.
    fn refuse_unfed<'b>(&self, others: impl Iterator<Item = &'b str>) {
        let others: Vec<&str> = others.collect();
        for known in self.table.iter().filter(|known| !known.has_default) {
            let fed = names(&self.targets).chain(others.iter().copied()).any(|n| n == known.name);
            if !fed {
                let message = format!("nothing feeds column {} of table {}", known.name, self.name);
                self.problems.add(&self.source.path, 0, message);
            }
        }
    }
}
