//! A table whose rows hold many of the file's: its columns, and how COPY sends and gives them.

use super::{DictionaryBinding, Tables, Target, names};
use crate::config::strict::Problems;
use crate::load::encode::{ColumnType, slots};
use crate::spec::source::{Pack, Source};

/// Postgres's word for a type without a modifier.
const NO_MODIFIER: i32 = -1;

/// The column that says which numbers a row has places for: those from this many times [`Pack::BLOCK`] on.
pub(crate) const BLOCK: &str = "block";
/// The column that distinguishes rows of one set and block.
pub(crate) const PIECE: &str = "piece";

/// The column that has the set which the rows of an array share.
fn by<'a>(source: &'a Source, pack: &Pack) -> &'a str {
    source.dictionaries[pack.by].to.as_str()
}

/// The table's columns, in the order that COPY sends them.
pub(super) fn columns<'a>(source: &'a Source, pack: &'a Pack) -> [&'a str; 4] {
    [BLOCK, PIECE, by(source, pack), pack.to.as_str()]
}

/// What a query says for a dictionary's number in a row of the file, where `place` is the row's place in
/// the array.
pub(crate) fn number_sql(source: &Source, dictionary: usize, place: &str) -> String {
    let own = source.name.as_str();
    match &source.pack {
        Some(pack) if pack.at == dictionary => place.to_owned(),
        Some(pack) if pack.of == dictionary => {
            format!("\"{own}\".\"{}\"[{place}]", pack.to.as_str())
        }
        _ => format!("\"{own}\".\"{}\"", source.dictionaries[dictionary].to.as_str()),
    }
}

/// The numbers of a dictionary that a row of the table names: a column, or an expression that gives a
/// set.
pub(crate) fn numbers_sql(source: &Source, dictionary: usize) -> String {
    match &source.pack {
        Some(pack) if pack.at == dictionary => {
            let to = pack.to.as_str();
            format!(
                "unnest(array(select place from generate_subscripts({to}, 1) as place \
                 where {to}[place] <> 0))"
            )
        }
        Some(pack) if pack.of == dictionary => format!("unnest({})", pack.to.as_str()),
        _ => source.dictionaries[dictionary].to.as_str().to_owned(),
    }
}

/// The query of how many of the file's rows the table holds, and how many it has itself.
pub(crate) fn count_sql(table: &str, array: &str) -> String {
    format!(
        "select coalesce(sum(cardinality(array_remove(\"{array}\", 0))), 0)::int8, count(*) from \"{table}\""
    )
}

/// Says what of the table does not fit.
pub(super) fn check(
    source: &Source,
    pack: &Pack,
    tables: &Tables,
    dictionaries: &[DictionaryBinding],
    targets: &[Target],
    problems: &Problems,
) {
    let name = source.name.as_str();
    let wrong = |message: String| problems.add(&source.path, pack.line, message);
    let table = tables.get(name).map_or(&[][..], Vec::as_slice);
    let is_integer =
        |oid: u32| ColumnType::from_postgres(oid, NO_MODIFIER) == Some(ColumnType::Int4);
    let needs = |column: &str, kind: &str, fits: &dyn Fn(u32) -> bool| {
        let known = table.iter().find(|known| known.name == column);
        if !known.is_some_and(|known| fits(known.type_oid)) {
            let found = known.map_or("not there", |known| &known.type_name);
            wrong(format!(
                "packed rows need column {column} {kind} in table {name}; it is {found}"
            ));
        }
    };
    let by = by(source, pack);
    if [BLOCK, PIECE, pack.to.as_str()].contains(&by) {
        wrong(format!(
            "packed rows need column {by} for themselves: another `to` for that dictionary"
        ));
    }
    needs(BLOCK, "integer", &is_integer);
    needs(PIECE, "integer", &is_integer);
    needs(pack.to.as_str(), "integer[]", &slots::is_type);
    for dictionary in [pack.at, pack.of].into_iter().filter_map(|index| dictionaries.get(index)) {
        if dictionary.key != ColumnType::Int4 {
            wrong(format!("{}.id must be integer: an array has its numbers", dictionary.table));
        }
    }
    for apart in names(targets) {
        wrong(format!("rows are packed where dictionaries have all columns; none has {apart}"));
    }
}
