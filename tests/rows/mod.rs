//! Does what shapes rows make the same of the same files as the kiln before? Files of every habit lie
//! beside this, with spec and table; what comes of them is digested and held against `kiln::testing::spec::row_format`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln::testing::config::personal::HashKey;
use kiln::testing::config::strict::Problems;
use kiln::testing::fetch::digest::sha256;
use kiln::testing::load::bind::{Binding, Layout, Tables, names_of};
use kiln::testing::load::copy::part::{ChunkBuilder, CopyChunk, Siblings};
use kiln::testing::load::decode::Records;
use kiln::testing::load::validate::dictionary::Shared;
use kiln::testing::load::validate::{MatchedGroups, Outcome, Validator};
use kiln::testing::spec::row_format::ROW_FORMATS;
use kiln::testing::spec::schema::catalog::TableColumn;
use kiln::testing::spec::source::Source;
use tokio_postgres::types::Type;

use crate::support::project;

#[test]
fn rows_are_made_as_their_format_says() {
    let mut all = String::new();
    for name in ["typed", "quoted", "lines", "sets", "people"] {
        all.push_str(&format!("{name} {}\n", made(name)));
    }
    let (format, known) = ROW_FORMATS.last().unwrap();
    let digest = sha256(all.as_bytes());
    assert_eq!(
        &digest,
        known,
        "rows are made otherwise than in row format {format}. If that is meant, a night must not copy what \
         former kilns made: add ({}, {digest:?}) to ROW_FORMATS in src/spec/row_format.rs, and change no line of it.\n{all}",
        format + 1
    );
}

#[test]
fn row_formats_only_go_up_and_none_is_like_another() {
    for pair in ROW_FORMATS.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{pair:?}");
    }
    let mut digests: Vec<&str> = ROW_FORMATS.iter().map(|(_, digest)| *digest).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), ROW_FORMATS.len());
}

/// What a file comes to: its counts, and a digest of all that COPY is sent and of every reject's place.
fn made(name: &str) -> String {
    let file = |ending: &str| project().join("tests/rows").join(format!("{name}.{ending}"));
    let binding = bind(&file("toml"), &std::fs::read_to_string(file("sql")).unwrap());
    let text = std::fs::read(file("txt")).unwrap();
    let source = &binding.source;
    let mut records = Records::new(text.as_slice(), &source.format);
    let header = records.next_record().unwrap().unwrap();
    let mut names = names_of(&header, source.format.encoding);
    names.truncate(names.iter().rposition(|name| !name.is_empty()).unwrap() + 1);
    let layout = Layout::from_names(source, &names).unwrap();
    let known = MatchedGroups::from([("year".to_owned(), "2026".to_owned())]);
    let shared: Vec<Shared> = binding.dictionaries.iter().map(|_| Shared::default()).collect();
    let mut validator = Validator::new(&binding, layout, &known, &shared, 1);
    let mut chunk = ChunkBuilder::new(&binding, &Siblings::default());
    let (mut sent, mut rejects) = (Vec::new(), String::new());
    let mut send = |rows: CopyChunk| sent.extend_from_slice(&rows.bytes);
    loop {
        let start = chunk.rows.len();
        match validator.take_next(&mut records, &mut chunk.rows).unwrap() {
            None => break,
            Some(Outcome::Row) => assert!(chunk.added(start), "{name}"),
            Some(Outcome::Filtered) => {}
            Some(Outcome::Rejected(reject)) => {
                rejects.push_str(&format!("{} {} {:?}\n", reject.line, reject.byte, reject.column));
            }
        }
        chunk.full().into_iter().for_each(&mut send);
    }
    chunk.rest().into_iter().for_each(&mut send);
    let counts = validator.finish();
    assert!(counts.add_up(), "{counts:?}");
    let kiln::testing::load::validate::Counts {
        lines,
        loaded,
        rejected,
        filtered,
        misfits,
        digest,
        ..
    } = counts;
    format!(
        "{lines} lines, {loaded} loaded, {rejected} rejected, {filtered} filtered, {misfits} misfits, digest \
         {digest:032x}, sent {}, rejects {}",
        &sha256(&sent)[..16],
        &sha256(rejects.as_bytes())[..16]
    )
}

fn bind(spec: &Path, sql: &str) -> Binding {
    let problems = Problems::default();
    let text = std::fs::read_to_string(spec).unwrap();
    let shown = PathBuf::from(spec.file_name().unwrap());
    let source = Source::parse(&shown, &text, &problems);
    let key = HashKey::new(b"0123456789abcdef0123456789abcdef").map(Arc::new);
    let bound =
        source.and_then(|source| Binding::new(&source, &tables(sql), key.as_ref(), &problems));
    problems.into_result("mend").unwrap();
    bound.unwrap()
}

/// The columns of every `create table`, a column a line.
fn tables(sql: &str) -> Tables {
    let mut tables = Tables::new();
    for made in sql.split("create table ").skip(1) {
        let (name, rest) = made.split_once(" (\n").unwrap();
        let (body, _) = rest.split_once("\n);").unwrap();
        tables.insert(name.to_owned(), body.lines().map(column).collect());
    }
    tables
}

fn column(line: &str) -> TableColumn {
    let line = line.trim().trim_end_matches(',');
    let (name, declared) = line.split_once(' ').unwrap();
    let declared = declared.trim_end_matches(" not null");
    let (kind, modifier) = match declared.trim_end_matches(')').split_once('(') {
        None => (declared, -1),
        Some((kind, sizes)) => {
            let sizes: Vec<i32> = sizes.split(',').map(|size| size.parse().unwrap()).collect();
            (kind, 4 + sizes.iter().fold(0, |all, size| (all << 16) | size))
        }
    };
    let kind = match kind {
        "smallint" => Type::INT2,
        "integer" => Type::INT4,
        "bigint" => Type::INT8,
        "integer[]" => Type::INT4_ARRAY,
        "text" => Type::TEXT,
        "varchar" => Type::VARCHAR,
        "boolean" => Type::BOOL,
        "date" => Type::DATE,
        "real" => Type::FLOAT4,
        "double precision" => Type::FLOAT8,
        "numeric" => Type::NUMERIC,
        "uuid" => Type::UUID,
        "jsonb" => Type::JSONB,
        other => panic!("{other} is new here: {line}"),
    };
    TableColumn {
        name: name.to_owned(),
        type_oid: kind.oid(),
        type_name: kind.name().to_owned(),
        type_modifier: modifier,
        not_null: line.ends_with(" not null"),
        has_default: false,
    }
}
