//! Binds a spec to its table as the live catalog has it, and a file's header to the spec.
//!
//! Both are contracts by name. Whatever does not fit is said before the first row loads: all
//! problems of all specs at once, or the whole difference between a header and its spec.

use crate::decode::Record;
use crate::encode::{ColumnType, SUPPORTED};
use crate::error::{Exit, Failure};
use crate::schema::catalog::TableColumn;
use crate::source::{Column, Encoding, Filter, Source, Transform};
use crate::strict::{Problems, suggest};

/// Characters of a header's field that a message shows.
const NAME_MAX: usize = 80;
/// Differences that a message shows.
const SHOWN_MAX: usize = 30;

/// A spec whose columns are known to be in the table.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The spec.
    pub source: Source,
    /// What each table column is fed from, in the order that COPY sends them.
    pub targets: Vec<Target>,
}

/// One table column and how its value is made.
#[derive(Debug, Clone)]
pub struct Target {
    /// The table column's name.
    pub name: String,
    /// Which of the spec's columns feeds it.
    pub column: usize,
    /// Its type.
    pub kind: ColumnType,
    /// Whether null is refused.
    pub not_null: bool,
    /// Contents that mean null.
    pub nulls: Vec<Vec<u8>>,
    /// What is done before the type is read.
    pub transforms: Vec<Transform>,
}

impl Binding {
    /// Binds a spec to its table's columns; `None` when there were problems.
    pub fn new(source: &Source, table: &[TableColumn], problems: &Problems) -> Option<Binding> {
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
        let mut targets = Vec::new();
        for (index, column) in source.columns.iter().enumerate() {
            let Some(to) = &column.to else { continue };
            match table.iter().find(|known| known.name == to.as_str()) {
                None => {
                    let mean = suggest(to.as_str(), table.iter().map(|c| c.name.as_str()));
                    let message = format!("table {name} has no column {to}{mean}");
                    problems.add(&source.path, column.line, message);
                }
                Some(known) => targets.extend(target(source, index, column, known, problems)),
            }
        }
        for known in table.iter().filter(|known| !known.has_default) {
            let fed = source
                .columns
                .iter()
                .any(|c| c.to.as_ref().is_some_and(|to| to.as_str() == known.name));
            if !fed {
                let message = format!("nothing feeds column {} of table {name}", known.name);
                problems.add(&source.path, 0, message);
            }
        }
        (problems.count() == before).then(|| Binding { source: source.clone(), targets })
    }

    /// The COPY statement.
    pub fn copy_sql(&self) -> String {
        let names: Vec<String> = self.targets.iter().map(|t| format!("\"{}\"", t.name)).collect();
        format!("copy {} ({}) from stdin (format binary)", self.source.name, names.join(", "))
    }
}

fn target(
    source: &Source,
    index: usize,
    column: &Column,
    known: &TableColumn,
    problems: &Problems,
) -> Option<Target> {
    let Some(kind) = ColumnType::from_postgres(known.type_oid, known.type_modifier) else {
        let message = format!(
            "column {} is {}, which kiln cannot load; it can: {SUPPORTED}",
            known.name, known.type_name
        );
        problems.add(&source.path, column.line, message);
        return None;
    };
    for transform in &column.transforms {
        let fits = match transform {
            Transform::YesNo | Transform::OneZero => kind == ColumnType::Bool,
            Transform::Date(_) => kind == ColumnType::Date,
            Transform::Money | Transform::Percent => !kind.is_text() && kind != ColumnType::Bool,
            _ => true,
        };
        if !fits {
            let message = format!("transform {transform:?} does not lead to {}", known.type_name);
            problems.add(&source.path, column.line, message);
        }
    }
    let nulls = column.nulls.as_ref().unwrap_or(&source.format.nulls);
    Some(Target {
        name: known.name.clone(),
        column: index,
        kind,
        not_null: known.not_null,
        nulls: nulls.iter().map(|text| text.clone().into_bytes()).collect(),
        transforms: column.transforms.clone(),
    })
}

/// Where each of the spec's columns stands in one file; `None` where the vintage lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Field index by spec column.
    pub fields: Vec<Option<usize>>,
    /// Fields that a row must have.
    pub width: usize,
}

impl Layout {
    /// The layout of a file without a header: every column, in the spec's order.
    pub fn in_order(source: &Source) -> Layout {
        let width = source.columns.len();
        Layout { fields: (0..width).map(Some).collect(), width }
    }

    /// Holds a header against the spec.
    ///
    /// # Errors
    /// [`Exit::InputRejected`] with the whole difference: missing, extra, repeated, renamed and
    /// moved columns.
    pub fn from_header(source: &Source, header: &Record<'_>) -> anyhow::Result<Layout> {
        let encoding = source.format.encoding;
        let names: Vec<String> = (0..header.len())
            .map(|index| name(header.field(index).unwrap_or_default(), encoding))
            .collect();
        let position = |column: &Column| names.iter().position(|name| *name == column.from);
        let fields: Vec<Option<usize>> = source.columns.iter().map(position).collect();
        let mut said = difference(source, &names, &fields);
        if said.is_empty() {
            return Ok(Layout { fields, width: names.len() });
        }
        if said.len() > SHOWN_MAX {
            let more = said.len() - SHOWN_MAX;
            said.truncate(SHOWN_MAX);
            said.push(format!("and {more} more"));
        }
        let message = format!("the header is not the declared one: {}", said.join("; "));
        Err(Failure::new(Exit::InputRejected, message)
            .hint(format!("if CMS changed the layout, mend {}", source.path.display()))
            .into())
    }
}

/// A header's field as a name. What is no header may hold anything, and reaches messages,
/// terminals and the ledger (whose JSON cannot hold NUL): control characters are escaped, and a
/// name longer than any column's is cut.
fn name(field: &[u8], encoding: Encoding) -> String {
    let text = crate::decode::decode_text(field, encoding)
        .map_or_else(|_| String::from_utf8_lossy(field).into_owned(), |text| text.into_owned());
    if text.chars().count() <= NAME_MAX && !text.contains(char::is_control) {
        return text;
    }
    let mut shown: String = text.chars().take(NAME_MAX).flat_map(char::escape_debug).collect();
    shown.push('…');
    shown
}

fn difference(source: &Source, names: &[String], fields: &[Option<usize>]) -> Vec<String> {
    let columns = &source.columns;
    let mut said = Vec::new();
    let extra: Vec<&String> =
        names.iter().filter(|name| !columns.iter().any(|c| c.from == **name)).collect();
    let mut renamed = Vec::new();
    for (column, field) in columns.iter().zip(fields) {
        if field.is_some() || column.optional {
            continue;
        }
        // A missing column and a near name that is new are one thing: a renamed column.
        let mean = extra.iter().find(|name| {
            let (ours, theirs) = (column.from.to_ascii_lowercase(), name.to_ascii_lowercase());
            ours == theirs
                || theirs.starts_with(&ours)
                || ours.starts_with(&theirs)
                || strsim::damerau_levenshtein(&ours, &theirs) <= 2
        });
        match mean {
            Some(new) => {
                renamed.push((*new).clone());
                said.push(format!("renamed {} → {new}", column.from));
            }
            None => said.push(format!("missing {}", column.from)),
        }
    }
    for name in &extra {
        if !renamed.contains(name) {
            said.push(format!("extra {name}"));
        }
    }
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            said.push(format!("repeated {name}"));
        }
    }
    let present: Vec<usize> = fields.iter().flatten().copied().collect();
    if said.is_empty() && !source.format.any_order {
        for pair in present.windows(2) {
            if pair[0] > pair[1] {
                let (first, then) = (&names[pair[1]], &names[pair[0]]);
                said.push(format!("reordered: {first} stands before {then}"));
            }
        }
    }
    said
}

/// A filter with its column's index in the spec.
#[derive(Debug, Clone)]
pub struct BoundFilter {
    /// Index of the spec column.
    pub column: usize,
    /// The contents it looks for.
    pub values: Vec<Vec<u8>>,
    /// Whether they keep or drop the row.
    pub keep: bool,
}

/// The spec's filters, ready for rows.
pub fn filters(source: &Source) -> Vec<BoundFilter> {
    let bound = |filter: &Filter| {
        let column = source.columns.iter().position(|column| column.from == filter.column)?;
        let values = filter.values.iter().map(|value| value.clone().into_bytes()).collect();
        Some(BoundFilter { column, values, keep: filter.keep })
    };
    source.filters.iter().filter_map(bound).collect()
}
