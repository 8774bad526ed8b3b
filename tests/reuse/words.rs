//! Tables of texts alone are sent as lines, without the columns that hold nothing yet: what comes of that
//! is what the file says, and its digest, made of binary rows, is that of what Postgres stores.

use super::{digests, loaded};
use crate::support::World;

/// Rows of some 100 bytes: more than a chunk of them.
const ROWS: usize = 6000;
const AWKWARD: [&str; 7] = ["a\tb", "\\N", "\\.", "x\\", "one\ntwo\r\nthree", "\u{1}", "é ⛵"];

const SPEC: &str = "description = \"Words.\"
object = '^NAME\\.csv$'
columns = [
    { from = \"no\" },
    { from = \"said\" },
    { from = \"always\", transforms = [TRANSFORMS] },
    { from = \"late\" },
    { from = \"never\" },
]

[format]
delimiter = \",\"
quoting   = \"double\"
multiline = true
encoding  = \"utf-8\"
";

/// A table of words, and its spec.
fn put(world: &World, no: usize, name: &str, transforms: &str) {
    let column = |name: &str| format!("    {name} text");
    let columns = [
        "    no text not null".to_owned(),
        column("said"),
        column("always") + " default 'not said'",
        "    late varchar(8)".to_owned(),
        column("never"),
    ];
    let mut sql = format!("-- pre-data\ncreate table {name} (\n{}\n);\n", columns.join(",\n"));
    sql.push_str(&format!("comment on table {name} is 'Words. [test]';\n"));
    for column in ["no", "said", "always", "late", "never"] {
        sql.push_str(&format!("comment on column {name}.{column} is 'A word. [test]';\n"));
    }
    sql.push_str(&format!("-- post-data\nalter table {name} add primary key (no);\n"));
    let spec = SPEC.replace("NAME", name).replace("TRANSFORMS", transforms);
    let files =
        [("sql", "sql", format!("{no:04}_{name}"), sql), ("sources", "toml", name.into(), spec)];
    for (side, ending, file, text) in files {
        let path = world.root.join(format!("{side}/words/{file}.{ending}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn field(said: &str) -> String {
    format!("\"{}\"", said.replace('"', "\"\""))
}

/// A file of which the column `late` has a word in the last row only.
fn file(last: &str) -> String {
    let mut text = "no,said,always,late,never\n".to_owned();
    for no in 0..ROWS {
        let said = AWKWARD
            .get(no % 9)
            .map_or("plain, and long enough to fill chunks ".repeat(2), |said| (*said).to_owned());
        let always = if no % 2 == 0 { "" } else { "  " };
        let late = if no + 1 == ROWS { last } else { "" };
        text.push_str(&format!("{no},{},{always},{late},\n", field(&said)));
    }
    text
}

#[test]
fn what_lines_say_is_what_the_file_says() {
    let mut world = World::new();
    world.root = world.folder.path().join("root");
    put(&world, 1, "plain", "");
    put(&world, 2, "trimmed", "\"trim\"");
    world.kiln(&["schema", "lock", "words"]).succeeds();
    world.kiln(&["contract", "set", "words", "--app", "test", "--accepts", "1"]).succeeds();
    world.put("words", "plain.csv", file("ünd").as_bytes());
    world.put("words", "trimmed.csv", file("ünd").as_bytes());
    world.anew = false;
    world.kiln(&["run", "words"]).succeeds();
    for (table, blank) in [("plain", "  "), ("trimmed", "")] {
        for (no, said) in AWKWARD.iter().enumerate() {
            let found = format!("select said from {table} where no = '{}'", no + 9);
            assert_eq!(world.postgres.value("words", &found), *said, "{table} {no}");
        }
        let shapes = format!(
            "select format('%s %L %L %L', count(*), always, late, never) from {table}
             group by always, late, never order by 1"
        );
        let quoted = format!("'{blank}'");
        let expected = [
            format!("1 {quoted} 'ünd' NULL"),
            format!("2999 {quoted} NULL NULL"),
            "3000 NULL NULL NULL".to_owned(),
        ];
        assert_eq!(world.postgres.rows("words", &shapes), expected, "{table}");
    }
    // The other table is read out in binary, and must have the digest that its load came to.
    let before = digests(&world, "words");
    world.put("words", "plain.csv", file("end").as_bytes());
    world.kiln(&["run", "words"]).succeeds();
    assert_eq!(loaded(&world, "words"), ["plain"]);
    world.put("words", "trimmed.csv", file("end").as_bytes());
    world.kiln(&["run", "words"]).succeeds();
    assert_eq!(loaded(&world, "words"), ["trimmed"]);
    assert_ne!(digests(&world, "words"), before);
}
