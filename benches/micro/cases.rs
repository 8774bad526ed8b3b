//! What the hot loop is fed in benches: files of five shapes, made up and the same each time, bound
//! to the real specs and tables of this repository, without a server.

use std::path::{Path, PathBuf};

use kiln::testing::config::strict::Problems;
use kiln::testing::load::bind::{Binding, Layout, Tables, names_of};
use kiln::testing::load::copy::part::{ChunkBuilder, Siblings};
use kiln::testing::load::decode::Records;
use kiln::testing::load::encode;
use kiln::testing::load::validate::dictionary::Shared;
use kiln::testing::load::validate::{Counts, MatchedGroups, Outcome, Validator};
use kiln::testing::spec::schema::catalog::TableColumn;
use kiln::testing::spec::source::Source;
use tokio_postgres::types::Type;

/// The shapes: rows of dictionary keys, rows of typed columns, 840 columns gathered, the same as columns of
/// their own, quoted text.
pub(crate) const NAMES: [&str; 5] = ["network", "typed", "wide", "columns", "quoted"];

/// One file, and what it is to become.
pub(crate) struct Case {
    /// The file.
    pub text: Vec<u8>,
    /// Its rows, the header left out.
    pub rows: u64,
    binding: Binding,
    known: MatchedGroups,
}

impl Case {
    /// A case by its name, of so many rows.
    pub(crate) fn new(name: &str, rows: u64) -> Case {
        let (source, tables, line): (_, _, fn(u64) -> String) = match name {
            "network" => (
                "sources/druginfo/pharmacy_networks.toml",
                "sql/druginfo/0008_pharmacy_networks.sql",
                network,
            ),
            "typed" => (
                "sources/druginfo/basic_drugs_formulary.toml",
                "sql/druginfo/0003_basic_drugs_formulary.sql",
                typed,
            ),
            "wide" | "columns" => {
                ("sources/planinfo/pbp_section.toml", "sql/planinfo/0001_pbp_section.sql", wide)
            }
            "quoted" => (
                "benches/load/root/sources/quoted/plan_note.toml",
                "benches/load/root/sql/quoted/0001_plan_note.sql",
                quoted,
            ),
            other => panic!("no case {other:?}; there are {NAMES:?}"),
        };
        let text_of = |path: &str| std::fs::read_to_string(repository(path)).unwrap();
        let (spec, tables) = match name {
            "columns" => columns(),
            _ => (text_of(source), text_of(tables)),
        };
        let binding = bind(source, &spec, &tables);
        let mut text = header(name, &binding.source);
        // Growing would be counted, too.
        text.reserve(rows as usize * (line(0).len() + 512));
        for no in 0..rows {
            text.push_str(&line(no));
            text.push('\n');
        }
        let known = [("year", "2026"), ("section", "b19a_model_test_vbid_uf")];
        let known =
            known.into_iter().map(|(group, said)| (group.to_owned(), said.to_owned())).collect();
        Case { text: text.into_bytes(), rows, binding, known }
    }

    /// Cuts the file into records; how many fields it has in all.
    pub(crate) fn split(&self) -> usize {
        let mut records = Records::new(self.text.as_slice(), &self.binding.source.format);
        let mut fields = 0;
        while let Some(record) = records.next_record().unwrap() {
            fields += record.len();
        }
        fields
    }

    /// All of the hot loop: cuts, validates, digests, encodes and packs, a chunk after the other; the counts,
    /// and how many bytes COPY would be sent.
    pub(crate) fn encode(&self) -> (Counts, usize) {
        let source = &self.binding.source;
        let mut records = Records::new(self.text.as_slice(), &source.format);
        let header = records.next_record().unwrap().unwrap();
        let layout =
            Layout::from_names(source, &names_of(&header, source.format.encoding)).unwrap();
        let shared: Vec<Shared> =
            self.binding.dictionaries.iter().map(|_| Shared::default()).collect();
        let mut validator = Validator::new(&self.binding, layout, &self.known, &shared, 1);
        let (mut chunk, mut bytes) =
            (ChunkBuilder::new(&self.binding, &Siblings::default()), encode::HEADER.len());
        loop {
            let start = chunk.rows.len();
            match validator.take_next(&mut records, &mut chunk.rows).unwrap() {
                None => break,
                Some(Outcome::Rejected(reject)) => {
                    panic!("line {}, column {:?}: {}", reject.line, reject.column, reject.reason)
                }
                Some(_) => assert!(chunk.added(start), "line {}", validator.counts.lines),
            }
            bytes += chunk.full().map_or(0, |rows| rows.bytes.len());
        }
        (validator.finish(), bytes + chunk.rest().map_or(0, |rows| rows.bytes.len()))
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Binds a spec to the tables that a numbered .sql file makes.
fn bind(path: &str, spec: &str, sql: &str) -> Binding {
    let problems = Problems::default();
    let source = Source::parse(Path::new(path), spec, &problems).unwrap();
    let bound = Binding::new(&source, &tables(sql), None, &problems);
    problems.into_result("").unwrap();
    bound.unwrap()
}

/// The columns of every `create table` of a .sql file of this repository: a column a line.
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
    let mut words = line.trim().trim_end_matches(',').split_whitespace();
    let (name, declared) = (words.next().unwrap(), words.next().unwrap());
    let (kind, modifier) = match declared.split_once('(') {
        None => (declared, -1),
        Some((kind, rest)) => {
            let numbers: Vec<i32> =
                rest.trim_end_matches(')').split(',').map(|n| n.parse().unwrap()).collect();
            (kind, ((numbers[0] << 16) | numbers[1]) + 4)
        }
    };
    let kind = match kind {
        "smallint" => Type::INT2,
        "integer" => Type::INT4,
        "integer[]" => Type::INT4_ARRAY,
        "text" => Type::TEXT,
        "boolean" => Type::BOOL,
        "numeric" => Type::NUMERIC,
        "jsonb" => Type::JSONB,
        other => panic!("{other} is new here: {line}"),
    };
    TableColumn {
        name: name.to_owned(),
        type_oid: kind.oid(),
        type_name: kind.name().to_owned(),
        type_modifier: modifier,
        not_null: line.contains("not null"),
        has_default: line.contains(" generated "),
    }
}

fn header(name: &str, source: &Source) -> String {
    let mut names: Vec<String> =
        source.columns.iter().map(|column| column.name().to_owned()).collect();
    if name == "wide" {
        names = wide_names();
    }
    names.join(std::str::from_utf8(&[source.format.delimiter]).unwrap()) + "\n"
}

fn wide_names() -> Vec<String> {
    let mut names =
        ["pbp_a_hnumber", "pbp_a_plan_identifier", "segment_id"].map(str::to_owned).to_vec();
    names.extend((0..837).map(|no| format!("pbp_b{}_field_{no}_yn", no / 40 + 1)));
    names
}

/// A spec and a table that have a column of text for each of a wide file's.
fn columns() -> (String, String) {
    let column = |name: &String| format!("    {{ from = \"{name}\" }},\n");
    let columns: String = wide_names().iter().map(column).collect();
    let spec = format!(
        "description = \"A wide file.\"\nobject = '^wide\\.txt$'\ncolumns = [\n{columns}]\n\n\
         [format]\ndelimiter = \"\\t\"\nquoting = \"none\"\nencoding = \"windows-1252\"\n"
    );
    let columns: Vec<String> = wide_names().iter().map(|name| format!("    {name} text")).collect();
    (spec, format!("create table pbp_section (\n{}\n);\n", columns.join(",\n")))
}

/// A number that looks drawn: the same for the same arguments.
fn drawn(no: u64, salt: u64) -> u64 {
    let mixed = (no ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

/// A plan's pharmacies follow each other, and most of them share a few sets of terms.
fn network(no: u64) -> String {
    let (plan, pharmacy) = (no / 1000, no % 1000);
    let terms = if drawn(no, 1).is_multiple_of(4) { drawn(no, 2) % 40 } else { plan % 8 };
    let selected = if terms % 3 == 0 {
        ".|.|.".to_owned()
    } else {
        format!("{terms}|{}|{}", 2 * terms, 3 * terms)
    };
    let area = u64::from(!drawn(pharmacy, 3).is_multiple_of(5));
    format!(
        "H{:04}|{:03}|000|10{:010}|{:05}|N|N|Y|N|{area}|0|1.{terms:02}|0|1.{terms:02}|1.15|1.15|1.15|{selected}",
        1000 + plan,
        plan % 900,
        1_000_000_000 + pharmacy * 7919,
        (pharmacy * 131) % 99_999,
    )
}

fn typed(no: u64) -> String {
    let limit = if drawn(no, 4).is_multiple_of(5) {
        format!("Y|{}.5|30", no % 400)
    } else {
        "N| | ".to_owned()
    };
    format!(
        "{:08}|11|2026|{}|{:011}|{}|{limit}|{}|N|N",
        26_000 + no / 3000,
        90_000 + drawn(no, 5) % 900_000,
        no * 37,
        1 + no % 6,
        if drawn(no, 6).is_multiple_of(3) { 'Y' } else { 'N' },
    )
}

/// As CMS's widest table: 840 columns, one in 27 of them filled.
fn wide(no: u64) -> String {
    let mut line = format!("H{:04}\t{:03}\t0", no % 7000, no % 900);
    for column in 0..837 {
        line.push('\t');
        line.push_str(match drawn(no * 1000 + column, 7) % 108 {
            0 | 1 => "1",
            2 => "250.00",
            3 => "00000000001000",
            _ => "",
        });
    }
    line
}

fn quoted(no: u64) -> String {
    let note = [
        "",
        "none",
        "\"in network, see note\"",
        "\"deductible \"\"waived\"\"\"",
        "\"two lines\nof it\"",
    ];
    format!(
        "H{:04},{:03},\"Plan {}, \"\"Gold\"\" (HMO)\",CA,{},{}.{:02},{},{}",
        no % 7000,
        no % 900,
        no % 977,
        no % 5,
        no % 200,
        no % 100,
        if no.is_multiple_of(3) { 'Y' } else { 'N' },
        note[(drawn(no, 8) % 5) as usize],
    )
}
