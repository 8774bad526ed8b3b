//! Binds a spec to its table as the live catalog has it, and a file's header to the spec.
//!
//! Both are contracts by name. Whatever does not fit is said before the first row loads: all
//! problems of all specs at once, or the whole difference between a header and its spec.

mod header;

use std::sync::Arc;

pub use header::{HeaderRow, Layout, joined, names};

use crate::encode::{ColumnType, SUPPORTED};
use crate::personal::HashKey;
use crate::pg::Ident;
use crate::schema::catalog::TableColumn;
use crate::source::{Column, Others, Source, Transform};
use crate::strict::{Problems, suggest};

/// A spec whose columns are known to be in the table.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The spec.
    pub source: Source,
    /// What each table column is fed from, in the order that COPY sends them.
    pub targets: Vec<Target>,
    /// The key that hashes identifiers. Without it such a spec can be held against its table,
    /// and every row of it is refused.
    pub hash_key: Option<Arc<HashKey>>,
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
    /// Contents that mean null.
    pub nulls: Vec<Vec<u8>>,
    /// What is done before the type is read.
    pub transforms: Vec<Transform>,
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
    /// Binds a spec to its table's columns; `None` when there were problems.
    pub fn new(
        source: &Source,
        table: &[TableColumn],
        hash_key: Option<&Arc<HashKey>>,
        problems: &Problems,
    ) -> Option<Binding> {
        let before = problems.count();
        let name = &source.name;
        if table.is_empty() {
            problems.add(
                &source.path,
                0,
                format!("source {name} has no table of that name in sql/"),
            );
            return None;
        }
        let mut binder = Binder { source, table, problems, targets: Vec::new() };
        for (index, column) in source.columns.iter().enumerate() {
            binder.column(index, column);
        }
        if let Others::Gather { to, transforms, line } = &source.others {
            let nulls = source.format.nulls.as_slice();
            binder.target(to, *line, Feed::Gathered, nulls, transforms);
        }
        let targets = binder.targets;
        for known in table.iter().filter(|known| !known.has_default) {
            if !targets.iter().any(|target| target.name == known.name) {
                let message = format!("nothing feeds column {} of table {name}", known.name);
                problems.add(&source.path, 0, message);
            }
        }
        let hash_key = hash_key.cloned();
        let source = source.clone();
        (problems.count() == before).then_some(Binding { source, targets, hash_key })
    }

    /// The COPY statement.
    pub fn copy_sql(&self) -> String {
        let names: Vec<String> = self.targets.iter().map(|t| format!("\"{}\"", t.name)).collect();
        format!("copy {} ({}) from stdin (format binary)", self.source.name, names.join(", "))
    }
}

struct Binder<'a> {
    source: &'a Source,
    table: &'a [TableColumn],
    problems: &'a Problems,
    targets: Vec<Target>,
}

impl Binder<'_> {
    fn column(&mut self, index: usize, column: &Column) {
        let source = self.source;
        let nulls = column.nulls.as_ref().unwrap_or(&source.format.nulls);
        let feed = match (column.hashed, &column.words_to) {
            (true, _) => Feed::Hash(index),
            (false, Some(_)) => Feed::Number(index),
            (false, None) => Feed::Column(index),
        };
        if let Some(to) = &column.to {
            self.target(to, column.line, feed, nulls, &column.transforms);
        }
        if let Some(to) = &column.words_to {
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
        let (table, path) = (&self.source.name, &self.source.path);
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
            nulls: nulls.iter().map(|text| text.clone().into_bytes()).collect(),
            transforms: transforms.to_vec(),
        });
    }
}

/// The type that a feed needs, where it is not this one.
fn misfit(feed: Feed, kind: ColumnType) -> Option<&'static str> {
    match feed {
        Feed::Gathered => (kind != ColumnType::Jsonb).then_some("jsonb"),
        Feed::Hash(_) => (kind != ColumnType::Uuid).then_some("uuid"),
        Feed::Words(_) => (!kind.is_text()).then_some("text"),
        Feed::Column(_) | Feed::Number(_) => {
            (kind == ColumnType::Jsonb).then_some("of a type that one field can be")
        }
    }
}

fn leads_to(transform: &Transform, kind: ColumnType) -> bool {
    match transform {
        Transform::YesNo | Transform::OneZero => kind == ColumnType::Bool,
        Transform::Date(_) => kind == ColumnType::Date,
        Transform::Money | Transform::Percent => !kind.is_text() && kind != ColumnType::Bool,
        _ => true,
    }
}
