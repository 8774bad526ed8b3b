//! Fields to typed rows or rejects, by a small spec that has every kind of column.

use std::path::Path;

use tokio_postgres::types::Type;

use super::*;
use crate::decode::Records;
use crate::schema::catalog::TableColumn;
use crate::source::Source;
use crate::strict::Problems;

const SPEC: &str = r#"
description = "d"
object = 'x'
columns = [
  { from = "ID" },
  { from = "NAME" },
  { from = "YN", transforms = ["yes_no"] },
  { from = "NEW", optional = true, nulls = [".", " "] },
]
[[filter]]
column = "ID"
drop = ["000"]
[format]
delimiter = "|"
quoting = "none"
encoding = "windows-1252"
nulls = [" "]
"#;

fn source(spec: &str) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let specs = folder.path().join("sources/d");
    std::fs::create_dir_all(&specs).unwrap();
    std::fs::write(specs.join("plans.toml"), spec).unwrap();
    let problems = Problems::default();
    let mut sources = crate::source::Sources::read(folder.path(), "d", &problems).unwrap();
    problems.into_result("").unwrap();
    sources.all.remove(0)
}

fn column(name: &str, kind: Type, not_null: bool) -> TableColumn {
    TableColumn {
        name: name.into(),
        type_oid: kind.oid(),
        type_name: kind.name().into(),
        type_modifier: -1,
        not_null,
        has_default: false,
    }
}

fn table() -> Vec<TableColumn> {
    vec![
        column("id", Type::TEXT, true),
        column("name", Type::TEXT, false),
        column("yn", Type::BOOL, false),
        column("new", Type::INT2, false),
    ]
}

fn binding() -> Binding {
    let problems = Problems::default();
    let bound = Binding::new(&source(SPEC), &table(), &problems);
    problems.into_result("").unwrap();
    bound.unwrap()
}

fn outcomes(text: &[u8]) -> (Vec<Outcome>, Counts) {
    let binding = binding();
    let mut records = Records::new(text, &binding.source.format);
    let header = records.next_record().unwrap().unwrap();
    let layout = Layout::from_header(&binding.source, &header).unwrap();
    let mut validator = Validator::new(&binding, layout, 1);
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    while let Some(record) = records.next_record().unwrap() {
        all.push(validator.take(&record, &mut rows));
    }
    (all, validator.counts)
}

fn rejection(text: &[u8]) -> (u64, u64, Option<String>, String) {
    match outcomes(text).0.pop().unwrap() {
        Outcome::Rejected(reject) => (reject.line, reject.byte, reject.column, reject.reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_line_is_accounted_for() {
    let text = b"ID|NAME|YN|NEW\r\n001|A| |.\r\n000|B|Y|1\r\n002|C|X|1\r\nshort\r\n\r\n";
    let (all, counts) = outcomes(text);
    assert!(matches!(all[0], Outcome::Row));
    assert!(matches!(all[1], Outcome::Filtered));
    assert_eq!(
        (counts.lines, counts.header, counts.loaded, counts.rejected, counts.filtered),
        (6, 1, 1, 3, 1)
    );
    assert!(counts.add_up());
}

#[test]
fn rejects_say_line_byte_column_and_reason_and_keep_the_bytes() {
    let header = b"ID|NAME|YN\n".to_vec();
    for (row, byte, column, reason) in [
        (&b"1|ab\x81|Y\n"[..], 15, Some("NAME"), "holds a byte that is no windows-1252 character"),
        (b"1|a\0b|Y\n", 13, Some("NAME"), "holds a NUL character"),
        (b" |a|Y\n", 11, Some("ID"), "is null, and its column may not be"),
        (b"1|a|y\n", 15, Some("YN"), "expected Y or N"),
        (b"1|a|Y|9\n", 11, None, "long row: expected 3 fields, found 4"),
    ] {
        let text = [header.as_slice(), row].concat();
        let found = rejection(&text);
        assert_eq!(found, (2, byte, column.map(str::to_owned), reason.to_owned()));
    }
}

#[test]
fn a_vintage_without_an_optional_column_loads_null() {
    let (all, counts) = outcomes(b"ID|NAME|YN\n1|a|Y\n");
    assert_eq!(all, [Outcome::Row]);
    assert_eq!(counts.loaded, 1);
}

#[test]
fn the_digest_does_not_depend_on_the_order_of_rows() {
    let one = outcomes(b"ID|NAME|YN|NEW\n1|a|Y|1\n2|b|N|2\n").1;
    let other = outcomes(b"ID|NAME|YN|NEW\n2|b|N|2\n1|a|Y|1\n").1;
    let third = outcomes(b"ID|NAME|YN|NEW\n2|b|N|2\n1|a|Y|3\n").1;
    assert_eq!(one.digest, other.digest);
    assert_ne!(one.digest, third.digest);
}

fn header_problem(header: &str) -> String {
    let binding = binding();
    let mut records = Records::new(header.as_bytes(), &binding.source.format);
    let record = records.next_record().unwrap().unwrap();
    Layout::from_header(&binding.source, &record).unwrap_err().to_string()
}

#[test]
fn a_header_that_is_not_the_declared_one_is_a_named_difference() {
    for (header, expected) in [
        ("ID|NAME|YN_FLAG", "renamed YN → YN_FLAG"),
        ("ID|NAME", "missing YN"),
        ("ID|NAME|YN|NEW|WIDTH", "extra WIDTH"),
        ("ID|NAME|YN|NAME", "repeated NAME"),
        ("NAME|ID|YN", "reordered: NAME stands before ID"),
    ] {
        let said = header_problem(header);
        assert!(said.contains(expected), "{header}: {said}");
    }
}

#[test]
fn a_spec_that_does_not_fit_its_table_is_refused_with_suggestions() {
    let spec = SPEC
        .replace("{ from = \"NAME\" }", "{ from = \"NAME\", to = \"nam\" }")
        .replace("from = \"ID\" }", "from = \"ID\", transforms = [\"one_zero\"] }");
    let mut columns = table();
    columns[3].type_oid = Type::POINT.oid();
    let problems = Problems::default();
    assert!(Binding::new(&source(&spec), &columns, &problems).is_none());
    let said = problems.into_result("").unwrap_err().to_string();
    for expected in [
        "has no column \"nam\"; did you mean `name`?",
        "nothing feeds column name",
        "transform OneZero does not lead to text",
        "column new is int2, which kiln cannot load",
    ] {
        assert!(said.contains(expected), "{expected} not in {said}");
    }
    assert!(
        Path::new("sources/d/plans.toml").is_relative() && said.contains("sources/d/plans.toml:6")
    );
}
