//! Fields to typed rows or rejects, by a small spec that has every kind of column.

use std::path::Path;
use std::sync::Arc;

use tokio_postgres::types::Type;

mod line;

use super::*;
use crate::config::personal::HashKey;
use crate::config::strict::Problems;
use crate::load::bind::{Tables, names_of};
use crate::load::decode::Records;
use crate::spec::schema::catalog::TableColumn;
use crate::spec::source::Source;

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
    let mut sources = crate::spec::source::Sources::read(folder.path(), "d", &problems).unwrap();
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

fn of_plans(table: Vec<TableColumn>) -> Tables {
    Tables::from([("plans".to_owned(), table)])
}

fn binding() -> Binding {
    let problems = Problems::default();
    let bound = Binding::new(&source(SPEC), &of_plans(table()), None, &problems);
    problems.into_result("").unwrap();
    bound.unwrap()
}

fn outcomes(text: &[u8]) -> (Vec<Outcome>, Counts) {
    let binding = binding();
    let mut records = Records::new(text, &binding.source.format);
    let header = records.next_record().unwrap().unwrap();
    let names = names_of(&header, binding.source.format.encoding);
    let layout = Layout::from_names(&binding.source, &names).unwrap();
    let known = MatchedGroups::new();
    let mut validator = Validator::new(&binding, layout, &known, &[], 1);
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
    let names = names_of(&record, binding.source.format.encoding);
    Layout::from_names(&binding.source, &names).unwrap_err().to_string()
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
    assert!(Binding::new(&source(&spec), &of_plans(columns), None, &problems).is_none());
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

const WIDE: &str = r#"
description = "d"
object = '^(?P<edition>[0-9]{4}) stars\.csv$'
personal = false
columns = [
  { of = "edition", to = "year" },
  { of = "line" },
  { from = ["ID", "Contract Number"], to = "person", transforms = ["keyed_hash"] },
  { from = "Stars", words_to = "words" },
]
[others]
to = "fields"
transforms = ["trim"]
[format]
delimiter = ","
header = '^(ID|Contract Number)$'
encoding = "utf-8-or-windows-1252"
[[filter]]
columns = ["ID", "Stars"]
matches = '^[^-]'
"#;

fn wide() -> Binding {
    let table = vec![
        column("year", Type::INT2, true),
        column("line", Type::INT4, true),
        column("person", Type::UUID, true),
        column("stars", Type::FLOAT4, false),
        column("words", Type::TEXT, false),
        column("fields", Type::JSONB, true),
    ];
    let problems = Problems::default();
    let key = HashKey::new(&[1; 32]).map(Arc::new);
    // No spec may gather what is personal; a reject would still keep quiet.
    let source = Source { personal: true, ..source(WIDE) };
    let bound = Binding::new(&source, &of_plans(table), key.as_ref(), &problems);
    problems.into_result("").unwrap();
    bound.unwrap()
}

type RowFields = Vec<Option<Vec<u8>>>;

/// The rows of a file of `WIDE`, as Postgres would read them back, and what was refused.
fn wide_rows(text: &[u8]) -> (Vec<RowFields>, Vec<Reject>) {
    let binding = wide();
    let mut records = Records::new(text, &binding.source.format);
    let header = records.next_record().unwrap().unwrap();
    let names = names_of(&header, binding.source.format.encoding);
    let layout = Layout::from_names(&binding.source, &names).unwrap();
    let known = MatchedGroups::from([("edition".to_owned(), "2024".to_owned())]);
    let mut validator = Validator::new(&binding, layout, &known, &[], 1);
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    while let Some(record) = records.next_record().unwrap() {
        let mut row = Vec::new();
        match validator.take(&record, &mut row) {
            Outcome::Row => rows.push(fields(&row)),
            Outcome::Filtered => {}
            Outcome::Rejected(reject) => rejects.push(reject),
        }
    }
    assert!(validator.counts.add_up());
    (rows, rejects)
}

fn fields(mut row: &[u8]) -> RowFields {
    let mut fields = Vec::new();
    row = &row[2..];
    while !row.is_empty() {
        let length = i32::from_be_bytes(row[..4].try_into().unwrap());
        row = &row[4..];
        let (field, rest) = row.split_at(usize::try_from(length).unwrap_or(0));
        fields.push((length >= 0).then(|| field.to_vec()));
        row = rest;
    }
    fields
}

#[test]
fn words_stand_apart_from_numbers_and_from_what_is_missing() {
    let text = b"ID,Stars\n1,4.5 \n2,Not Applicable \n3,\n";
    let (rows, _) = wide_rows(text);
    let told: Vec<(bool, Option<Vec<u8>>)> =
        rows.iter().map(|row| (row[3].is_some(), row[4].clone())).collect();
    assert_eq!(told, [(true, None), (false, Some(b"Not Applicable".to_vec())), (false, None)]);
}

#[test]
fn other_columns_are_gathered_by_name_in_either_encoding() {
    let text = b"Contract Number,C01: \x96,Stars,C01: \x96,Empty\n1,Caf\xe9 ,1,Caf\xc3\xa9,\n";
    let (rows, _) = wide_rows(text);
    let json = "\u{1}{\"C01: –\": \"Café\", \"C01: – (2)\": \"Café\"}";
    assert_eq!(rows[0][5].as_deref(), Some(json.as_bytes()));
}

#[test]
fn what_is_known_of_a_row_feeds_columns_and_identifiers_are_hashed() {
    let (rows, _) = wide_rows(b"ID,Stars\n1S00EU8FA10 ,1\n1S00EU8FA10,2\n-,-\n");
    assert_eq!(rows.len(), 2); // the third begins with a hyphen in both columns of the filter
    assert_eq!(rows[0][0].as_deref(), Some(&2024_i16.to_be_bytes()[..]));
    assert_eq!(rows[1][1].as_deref(), Some(&3_i32.to_be_bytes()[..]));
    assert_eq!(rows[0][2], rows[1][2]);
    assert_eq!(rows[0][2].as_ref().map(Vec::len), Some(16));
}

#[test]
fn a_personal_reject_keeps_no_bytes_and_names_no_column_of_the_file() {
    let (_, rejects) = wide_rows(b"ID,Stars,Jane Doe\n1,x1,\n2,1\n3,1,a\0b\n");
    assert_eq!(rejects.len(), 3);
    assert!(rejects.iter().all(|reject| reject.bytes.is_empty()));
    let columns: Vec<Option<&str>> = rejects.iter().map(|r| r.column.as_deref()).collect();
    assert_eq!(columns, [Some("Stars"), None, None]);
}

#[test]
fn a_personal_header_difference_shows_nothing_of_the_file() {
    let names = ["ID".to_owned(), "Starz".to_owned(), "Jane Doe".to_owned()];
    let said = Layout::from_names(&wide().source, &names).unwrap_err().to_string();
    assert!(said.contains("missing Stars") && !said.contains("Starz") && !said.contains("Jane"));
}

const SETS: &str = r#"
description = "d"
object = 'x'
columns = [
  { from = "PLAN" },
  { from = "PHARMACY" },
  { from = "FEE" },
]
[[dictionary]]
table = "network_plan"
columns = ["plan"]
to = "plan_key"
[[dictionary]]
table = "network_terms"
columns = ["fee"]
to = "terms_key"
[format]
delimiter = "|"
"#;

#[test]
fn sets_get_numbers_once_and_only_for_rows_that_are_good() {
    let tables = Tables::from([
        (
            "plans".to_owned(),
            vec![
                column("pharmacy", Type::INT4, true),
                column("plan_key", Type::INT2, true),
                column("terms_key", Type::INT4, true),
            ],
        ),
        (
            "network_plan".to_owned(),
            vec![column("id", Type::INT2, true), column("plan", Type::TEXT, true)],
        ),
        (
            "network_terms".to_owned(),
            vec![column("id", Type::INT4, true), column("fee", Type::NUMERIC, false)],
        ),
    ]);
    let problems = Problems::default();
    let binding = Binding::new(&source(SETS), &tables, None, &problems);
    problems.into_result("").unwrap();
    let binding = binding.unwrap();
    assert_eq!(
        binding.copy_sql(),
        "copy \"plans\" (\"plan_key\", \"terms_key\", \"pharmacy\") from stdin (format binary)"
    );
    let dictionaries = [dictionary::Shared::default(), dictionary::Shared::default()];
    let numbers = |text: &[u8]| {
        let mut records = Records::new(text, &binding.source.format);
        let names = names_of(&records.next_record().unwrap().unwrap(), Encoding::Utf8);
        let layout = Layout::from_names(&binding.source, &names).unwrap();
        let known = MatchedGroups::new();
        let mut validator = Validator::new(&binding, layout, &known, &dictionaries, 1);
        let mut numbers = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            let mut row = Vec::new();
            if let Outcome::Row = validator.take(&record, &mut row) {
                let row = fields(&row);
                let [plan, terms, _] = &row[..] else { panic!("{row:?}") };
                let number = |field: &Option<Vec<u8>>| field.as_ref().unwrap().last().copied();
                numbers.push((number(plan).unwrap(), number(terms).unwrap()));
            }
        }
        (numbers, validator.counts)
    };
    // The bad pharmacy's plan C and the bad fee's plan D are in no row.
    let (first, counts) = numbers(b"PLAN|PHARMACY|FEE\nA|1|0.5\nC|x|0.7\nD|2|y\nB|3|0.5\nA|4|\n");
    assert_eq!(first, [(1, 1), (2, 1), (1, 2)]);
    assert_eq!((counts.loaded, counts.rejected), (3, 2));
    assert_eq!((dictionaries[0].len(), dictionaries[1].len()), (2, 2));
    // Another part has the same sets by the same numbers, and what it says is the same.
    let (second, other) = numbers(b"PLAN|PHARMACY|FEE\nA|4|\nB|3|0.5\nA|1|0.5\n");
    assert_eq!(second, [(1, 2), (2, 1), (1, 1)]);
    assert_eq!(other.digest, counts.digest);
}
