//! Lines whose sets are all known become the rows that they would become cut into fields.

use super::*;

const LINES: &str = r#"
description = "d"
object = 'x'
columns = [
  { from = "PLAN" },
  { from = "SEGMENT" },
  { from = "PHARMACY" },
  { from = "FEE" },
]
[[dictionary]]
table = "terms"
columns = ["fee"]
to = "terms_key"
[[dictionary]]
table = "plan"
columns = ["plan", "segment"]
to = "plan_key"
[[dictionary]]
table = "pharmacy"
columns = ["pharmacy"]
to = "pharmacy_key"
[format]
delimiter = "|"
quoting = "none"
"#;

fn bound() -> Binding {
    let plans = ["plan_key", "pharmacy_key", "terms_key"];
    let kind = |name: &str| if name == "plan_key" { Type::INT2 } else { Type::INT4 };
    let id = |kind| column("id", kind, true);
    let plan = vec![
        id(Type::INT2),
        column("plan", Type::TEXT, true),
        column("segment", Type::TEXT, false),
    ];
    let tables = Tables::from([
        ("plans".to_owned(), plans.map(|name| column(name, kind(name), true)).to_vec()),
        ("plan".to_owned(), plan),
        ("pharmacy".to_owned(), vec![id(Type::INT4), column("pharmacy", Type::INT4, true)]),
        ("terms".to_owned(), vec![id(Type::INT4), column("fee", Type::NUMERIC, false)]),
    ]);
    let problems = Problems::default();
    let bound = Binding::new(&source(LINES), &tables, None, &problems);
    problems.into_result("").unwrap();
    bound.unwrap()
}

/// Rows, outcomes and counts of a file; and how many lines were not cut.
fn read(binding: &Binding, text: &[u8], by_line: bool) -> (Vec<u8>, Vec<Outcome>, Counts, usize) {
    let shared = [(); 3].map(|()| dictionary::Shared::default());
    let mut records = Records::new(text, &binding.source.format);
    let names = names_of(&records.next_record().unwrap().unwrap(), Encoding::Utf8);
    let layout = Layout::from_names(&binding.source, &names).unwrap();
    let known = MatchedGroups::new();
    let mut validator = Validator::new(binding, layout, &known, &shared, 1);
    let (mut rows, mut outcomes) = (Vec::new(), Vec::new());
    if !by_line {
        validator.sets.line = None;
    }
    while let Some(outcome) = validator.take_next(&mut records, &mut rows).unwrap() {
        outcomes.push(outcome);
    }
    let uncut = validator.uncut;
    (rows, outcomes, validator.finish(), uncut)
}

#[test]
fn the_same_rows_rejects_counts_and_digest_as_cut_into_fields() {
    let mut text = b"PLAN|SEGMENT|PHARMACY|FEE\n".to_vec();
    let mut draw = 7_u64;
    let mut next = |below: u64| {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (draw >> 33) % below
    };
    for _ in 0..4000 {
        let (plan, segment, fee) = (next(3), next(2), next(4));
        let pharmacy = if next(5) == 0 { next(1000) } else { 1 + next(12) };
        let line = match next(40) {
            0 => format!("{plan}|{segment}|{pharmacy}"),
            1 => format!("{plan}|{segment}|{pharmacy}|{fee}|"),
            2 => format!("{plan}|{segment}|{pharmacy}|{fee}|{fee}"),
            3 => format!("{plan}|{segment}|x{pharmacy}|{fee}"),
            4 => format!("{plan}||{pharmacy}|{fee}"),
            5 => format!("{plan}|{segment}|{pharmacy}|"),
            6 => format!("{plan}{segment}|{pharmacy}|{fee}"),
            7 => String::new(),
            8 => format!("|||{fee}"),
            _ => format!("{plan}|{segment}|{pharmacy}|{fee}"),
        };
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(if next(9) == 0 { b"\r\n" } else { b"\n" });
    }
    let binding = bound();
    let (rows, outcomes, counts, uncut) = read(&binding, &text, true);
    assert!(uncut > 2000, "{uncut} lines were told by their bytes");
    assert!(counts.rejected > 100 && counts.add_up(), "{counts:?}");
    assert_eq!((rows, outcomes, counts, 0), read(&binding, &text, false));
}

#[test]
fn a_line_that_has_more_to_it_than_sets_is_cut() {
    let binding = bound();
    let text = b"PLAN|SEGMENT|PHARMACY|FEE\n1|0|5|1\n1|0|5|1\n";
    assert_eq!(read(&binding, text, true).3, 1);
    // A filter looks at fields.
    let mut filtered = bound();
    let filter = "[[filter]]\ncolumn = \"PLAN\"\ndrop = [\"2\"]\n[format]";
    filtered.source = source(&LINES.replace("[format]", filter));
    assert_eq!(read(&filtered, text, true).3, 0);
    // Where quotes may stand, a delimiter is not always one.
    let mut quoted = bound();
    quoted.source = source(&LINES.replace("quoting = \"none\"", ""));
    assert_eq!(read(&quoted, text, true).3, 0);
}
