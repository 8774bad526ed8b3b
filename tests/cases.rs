//! Every source on a release that a person can read: `tests/cases/<database>` holds one tiny,
//! hand-made release in CMS's own layout, and what each table must then hold, to the last field.
//!
//! - `input/OBJECT` is landed as it is, byte for byte; a folder named `*.zip` is packed into a zip
//!   of that name, nested likewise.
//! - `expected/TABLE.csv` is the table as COPY CSV gives it: header, every column, ordered by all
//!   of them; null is an empty field, the empty text is `""`. Every table needs one; a view may
//!   have one.
//! - `expected/_rejects.csv`: the refused rows. Absent: there must be none. Budgets are for files
//!   of real size, so here they let bad rows pass.
//! - `queries/NAME.sql` is run as an app, and must answer `queries/NAME.csv`.
//!
//! `KILN_TEST_BLESS=1` writes what came out into the files (read the diff before you commit it);
//! `KILN_TEST_CASE=druginfo` runs one database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use tokio_postgres::NoTls;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{World, project};

/// What was refused: the object by its file name, for its folder is the day of the test.
const REJECTS: &str = "select source, regexp_replace(object, '^.*/', '') as object, member, line,
        column_name as \"column\", reason
    from kiln.reject order by source, object, member, line, column_name, reason";

/// One database's case.
struct Case {
    database: String,
    /// Holds `input`, `expected` and `queries`.
    folder: PathBuf,
    /// Whether the files are to be written instead of compared.
    bless: bool,
}

#[test]
fn every_source_loads_its_case_to_the_last_field() {
    let only = std::env::var("KILN_TEST_CASE").ok();
    let bless = std::env::var_os("KILN_TEST_BLESS").is_some();
    let mut wrong = Vec::new();
    for database in listing(&project().join("sources")) {
        let folder = project().join("tests/cases").join(&database);
        if !project().join("sources").join(&database).is_dir()
            || only.as_ref().is_some_and(|only| *only != database)
        {
            continue;
        }
        let mut world = World::new();
        world.root = project();
        world.own_root();
        let case = Case { database, folder, bless };
        wrong.extend(case.run(&world).into_iter().map(|text| format!("{}: {text}", case.database)));
    }
    for database in listing(&project().join("tests/cases")) {
        let known = project().join("sources").join(&database).is_dir();
        if !known && project().join("tests/cases").join(&database).is_dir() {
            wrong.push(format!("tests/cases/{database}: there is no sources/{database}"));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n\n{}\n", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn what_a_caller_sends_to_rank_plans_is_bounded_and_must_be_known() {
    let world = live("druginfo");
    let basket = "(select jsonb_agg('{\"drug\": \"900005\"}'::jsonb) from generate_series(1, 101))";
    for arguments in [
        format!("{basket}, '99801'"),
        r#"'[{"drug": "900005"}]', '00000'"#.to_owned(),
        r#"'[{"drug": "900005"}]', '99801', county_fips => 'moon'"#.to_owned(),
    ] {
        let sql = format!("select from rank_plans({arguments})");
        let refusal = world.postgres.refusal("kiln", "druginfo", &sql);
        assert_eq!(refusal.as_deref(), Some("22023"), "{arguments}");
    }
}

/// A world in which a database's case is live, for tests that ask the same of every database.
pub fn live(database: &str) -> World {
    let mut world = World::new();
    world.root = project();
    world.own_root();
    let folder = project().join("tests/cases").join(database);
    let case = Case { database: database.to_owned(), folder, bless: false };
    case.loosen_budgets(&world);
    case.build(&world).unwrap();
    world
}

impl Case {
    /// Builds the database from the case; everything that is not as it says.
    fn run(&self, world: &World) -> Vec<String> {
        if !self.folder.join("input").is_dir() {
            let sources = self.sources(world).join(", ");
            return vec![format!("has no tests/cases/{}/input, for {sources}", self.database)];
        }
        self.loosen_budgets(world);
        if let Err(said) = self.build(world) {
            return vec![said];
        }
        let mut wrong = self.compare_tables(world);
        wrong.extend(self.compare_rejects(world));
        wrong.extend(self.compare_queries(world));
        wrong
    }

    fn sources(&self, world: &World) -> Vec<String> {
        let files = listing(&world.root.join("sources").join(&self.database));
        files.iter().filter_map(|file| Some(file.strip_suffix(".toml")?.to_owned())).collect()
    }

    /// In the test's own copy of the specs a case of three rows, two of them bad, is enough.
    fn loosen_budgets(&self, world: &World) {
        let mut personal = false;
        for source in self.sources(world) {
            let path = world.root.join(format!("sources/{}/{source}.toml", self.database));
            let mut spec: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
            let budget = spec.entry("budget").or_insert(toml::Table::new().into());
            let budget = budget.as_table_mut().unwrap();
            budget.insert("rejects".into(), 1_000.into());
            let rows = budget.get("rows_min").and_then(toml::Value::as_integer).unwrap_or(1);
            budget.insert("rows_min".into(), rows.min(1).into());
            personal |= spec.get("personal").is_some_and(|value| value.as_bool() == Some(true));
            fs::write(&path, spec.to_string()).unwrap();
        }
        if personal {
            // A key of the tests' own, so that the hashes can be written down.
            fs::write(key_file(world), "the tests' own key, which is of no other use\n").unwrap();
        }
    }

    fn kiln(&self, world: &World, arguments: &[&str]) -> Result<(), String> {
        let mut kiln = world.kiln(arguments);
        if key_file(world).exists() {
            kiln.env("KILN_HASH_KEY_FILE", &key_file(world).to_string_lossy());
        }
        // One connection: keys that are given out in order of arrival are then always the same.
        let outcome = kiln.env("KILN_CONNECTIONS", "1").run();
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    }

    fn build(&self, world: &World) -> Result<(), String> {
        let packed = world.folder.path().join("objects");
        fs::create_dir_all(&packed).unwrap();
        for name in listing(&self.folder.join("input")) {
            let (from, to) = (self.folder.join("input").join(&name), packed.join(&name));
            match from.is_dir() {
                true if !name.ends_with(".zip") => {
                    return Err(format!("input/{name} is a folder, and not named *.zip"));
                }
                true => drop(pack(&from, fs::File::create(&to).unwrap())),
                false => drop(fs::copy(&from, &to).unwrap()),
            }
            self.kiln(world, &["land", &self.database, &to.to_string_lossy()])?;
        }
        let lock = world.root.join(format!("sql/{}/schema.lock", self.database));
        let lock: toml::Table = fs::read_to_string(lock).unwrap().parse().unwrap();
        let version = lock["version"].to_string();
        let contract = ["contract", "set", &self.database, "--app", "test", "--accepts", &version];
        self.kiln(world, &contract)?;
        self.kiln(world, &["run", &self.database])
    }

    fn compare_tables(&self, world: &World) -> Vec<String> {
        let mut wrong = Vec::new();
        let relations = "select relname::text || ' ' || relkind::text from pg_class
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'm', 'v')
            order by 1";
        let relations: BTreeMap<String, bool> = world
            .postgres
            .rows(&self.database, relations)
            .iter()
            .map(|row| row.split_once(' ').unwrap())
            .map(|(name, kind)| (name.to_owned(), kind == "v"))
            .collect();
        for (table, is_view) in &relations {
            let file = self.folder.join(format!("expected/{table}.csv"));
            if *is_view && !file.exists() {
                continue;
            }
            let found = copy_out(world, "kiln", &self.database, &whole(world, self, table));
            wrong.extend(self.settle(&file, &found.unwrap()));
        }
        for file in listing(&self.folder.join("expected")) {
            let table = file.strip_suffix(".csv").unwrap_or(&file);
            if table != "_rejects" && !relations.contains_key(table) {
                wrong.push(format!("expected/{file}: there is no table {table}"));
            }
        }
        let is_source = |table: &String| relations.get(table) == Some(&false);
        let sources = self.sources(world).into_iter().filter(|source| !is_source(source));
        wrong.extend(sources.map(|source| format!("source {source} has no table")));
        wrong
    }

    fn compare_rejects(&self, world: &World) -> Option<String> {
        let found = copy_out(world, "kiln", &self.database, REJECTS).unwrap();
        let file = self.folder.join("expected/_rejects.csv");
        if found.lines().count() == 1 && (self.bless || !file.exists()) {
            let _ = fs::remove_file(&file);
            return None;
        }
        self.settle(&file, &found)
    }

    fn compare_queries(&self, world: &World) -> Vec<String> {
        let mut wrong = Vec::new();
        let folder = self.folder.join("queries");
        let files: BTreeSet<String> = listing(&folder).into_iter().collect();
        for file in &files {
            if let Some(name) = file.strip_suffix(".csv") {
                if !files.contains(&format!("{name}.sql")) {
                    wrong.push(format!("queries/{file}: there is no {name}.sql"));
                }
                continue;
            }
            let query = fs::read_to_string(folder.join(file)).unwrap();
            let query = query.trim_end().trim_end_matches(';');
            // As an app: a right that is lacking shows here.
            match copy_out(world, "app", &self.database, query) {
                Err(error) => wrong.push(format!("queries/{file}: {error}")),
                Ok(found) => {
                    wrong.extend(self.settle(&folder.join(file.replace(".sql", ".csv")), &found));
                }
            }
        }
        wrong
    }

    /// Compares with the file, or writes it.
    fn settle(&self, file: &Path, found: &str) -> Option<String> {
        if self.bless {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, found).unwrap();
            return None;
        }
        let shown = file.strip_prefix(&self.folder).unwrap().display().to_string();
        match fs::read_to_string(file) {
            Err(_) => Some(format!("{shown} is missing; it would be\n{found}")),
            Ok(expected) => difference(&expected, found).map(|text| format!("{shown}\n{text}")),
        }
    }
}

fn key_file(world: &World) -> PathBuf {
    world.folder.path().join("hash.key")
}

/// Names in a folder, sorted; none where there is no folder.
fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder as a zip; folders in it named `*.zip` become zips in it.
fn pack<W: Write + Seek>(folder: &Path, out: W) -> W {
    let mut zip = ZipWriter::new(out);
    pack_into(folder, "", &mut zip);
    zip.finish().unwrap()
}

fn pack_into<W: Write + Seek>(folder: &Path, prefix: &str, zip: &mut ZipWriter<W>) {
    for name in listing(folder) {
        let (path, member) = (folder.join(&name), format!("{prefix}{name}"));
        if path.is_dir() && !name.ends_with(".zip") {
            pack_into(&path, &format!("{member}/"), zip);
            continue;
        }
        let bytes = match path.is_dir() {
            true => pack(&path, std::io::Cursor::new(Vec::new())).into_inner(),
            false => fs::read(&path).unwrap(),
        };
        zip.start_file(member, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
}

/// A query for a whole table, ordered by all columns whatever the server's locale.
fn whole(world: &World, case: &Case, table: &str) -> String {
    let order = format!(
        "select case when a.attcollation <> 0 then format('%I collate \"C\"', a.attname)
                     when not exists (select from pg_opclass c join pg_am m on m.oid = c.opcmethod
                                      where m.amname = 'btree' and c.opcdefault
                                        and c.opcintype = t.oid)
                          and t.typtype = 'b' and t.typelem = 0
                         then format('%I::text collate \"C\"', a.attname)
                     else format('%I', a.attname) end
         from pg_attribute a join pg_type t on t.oid = a.atttypid
         where a.attrelid = 'public.{table}'::regclass and a.attnum > 0 and not a.attisdropped
         order by a.attnum"
    );
    let order = world.postgres.rows(&case.database, &order).join(", ");
    format!("select * from public.\"{table}\" order by {order}")
}

/// What a query answers, as COPY CSV.
fn copy_out(world: &World, role: &str, database: &str, query: &str) -> Result<String, String> {
    let url = world.postgres.url_as(role, database);
    world.runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        // On lines of its own: the query may end in a comment.
        let copy = format!("copy (\n{query}\n) to stdout (format csv, header)");
        let stream = client.copy_out(&copy).await.map_err(said)?;
        let chunks: Vec<bytes::Bytes> = stream.try_collect().await.map_err(said)?;
        Ok(String::from_utf8(chunks.concat()).unwrap())
    })
}

fn said(error: tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

/// What differs between two CSVs of one table: fields by their column where rows can be paired,
/// else whole rows.
fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let (header, mut missing) = rows(expected);
    let (header_found, mut more) = rows(found);
    if header != header_found {
        return Some(format!(
            "  expected columns {}\n  found columns    {}",
            header.join(","),
            header_found.join(",")
        ));
    }
    missing.retain(|row| match more.iter().position(|other| other == row) {
        Some(at) => {
            more.remove(at);
            false
        }
        None => true,
    });
    let mut text = String::new();
    for row in missing {
        // The row that has most fields in common, if that is at least half of them.
        let alike = |other: &Vec<String>| row.iter().zip(other).filter(|(a, b)| a == b).count();
        let best = (0..more.len()).max_by_key(|at| alike(&more[*at]));
        match best.filter(|at| 2 * alike(&more[*at]) >= header.len()) {
            None => text.push_str(&format!("  - {}\n", row.join(","))),
            Some(at) => {
                let other = more.remove(at);
                text.push_str(&format!("  in {}\n", row.join(",")));
                for ((column, a), b) in header.iter().zip(&row).zip(&other) {
                    if a != b {
                        text.push_str(&format!("    {column}: expected {a}, found {b}\n"));
                    }
                }
            }
        }
    }
    more.iter().for_each(|row| text.push_str(&format!("  + {}\n", row.join(","))));
    if text.is_empty() {
        text.push_str("  the same rows in another order, or other line ends\n");
    }
    Some(text)
}

/// Header and rows of a CSV, each field as it is written (`""` is not an empty field).
fn rows(csv: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    for character in csv.strip_suffix('\n').unwrap_or(csv).chars() {
        quoted ^= character == '"';
        match character {
            '\n' if !quoted => rows.push(vec![String::new()]),
            ',' if !quoted => rows.last_mut().unwrap().push(String::new()),
            _ => rows.last_mut().unwrap().last_mut().unwrap().push(character),
        }
    }
    (rows.remove(0), rows)
}

// ---- the runner itself, on a database of two tables

const SPEC: &str = "description = \"Things.\"
object  = '^things_(?<posted>\\d{8})\\.zip$'
archive = '(^|/)inner\\.zip$'
member  = '(^|/)thing\\.txt$'
columns = [{ from = \"CODE\" }, { from = \"AMOUNT\" }]

[format]
delimiter = \"|\"
nulls = [\" \"]

[budget]
rows_min = 500
";

const THING: &str = "-- pre-data
create table thing (code text not null, amount numeric(4,2));
comment on table thing is 'Things. [test]';
comment on column thing.code is 'Key. [test]';
comment on column thing.amount is 'Dollars. [test]';
-- post-data
create unique index thing_code on thing (code);
";

const TOTAL: &str = "-- derive
create table total as select count(*) as things, sum(amount) as amount from thing;
comment on table total is 'Sums. [test]';
comment on column total.things is 'How many. [test]';
comment on column total.amount is 'Dollars. [test]';
";

/// A world with that database, and its case with these expectations; what the runner says.
fn judged(files: &[(&str, &str)], bless: bool) -> (World, Vec<String>) {
    let mut world = World::new();
    world.root = world.folder.path().join("root");
    let write = |folder: &Path, file: &str, text: &str| {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (file, text) in [
        ("sql/things/0001_thing.sql", THING),
        ("sql/things/0002_total.sql", TOTAL),
        ("sources/things/thing.toml", SPEC),
    ] {
        write(&world.root, file, text);
    }
    world.kiln(&["schema", "lock", "things"]).succeeds();
    let folder = world.folder.path().join("case");
    let rows = "CODE|AMOUNT\r\nb|1.50\r\na| \r\n|2.00\r\nc|1.5x\r\n";
    write(&folder, "input/things_20260702.zip/deep/inner.zip/thing.txt", rows);
    files.iter().for_each(|(file, text)| write(&folder, file, text));
    let said = Case { database: "things".into(), folder, bless }.run(&world);
    (world, said)
}

const RIGHT: [(&str, &str); 5] = [
    ("expected/thing.csv", "code,amount\n\"\",2.00\na,\nb,1.50\n"),
    ("expected/total.csv", "things,amount\n3,3.50\n"),
    (
        "expected/_rejects.csv",
        "source,object,member,line,column,reason\n\
         thing,things_20260702.zip,deep/inner.zip → thing.txt,5,AMOUNT,is not a decimal number\n",
    ),
    ("queries/dear.sql", "select code from thing\nwhere amount > 1.6;\n"),
    ("queries/dear.csv", "code\n\"\"\n"),
];

#[test]
fn a_case_that_is_right_passes_and_can_be_written_by_the_runner() {
    let (world, said) = judged(&[RIGHT[3]], true);
    assert_eq!(said, Vec::<String>::new());
    for (file, text) in RIGHT {
        let written = fs::read_to_string(world.folder.path().join("case").join(file));
        assert_eq!(written.unwrap(), text, "{file}");
    }
    let (_, said) = judged(&RIGHT, false);
    assert_eq!(said, Vec::<String>::new());
}

#[test]
fn whatever_is_not_as_the_case_says_is_named() {
    let (_, said) = judged(
        &[
            ("expected/thing.csv", "code,amount\n,2.00\na,\nb,1.51\n"),
            ("expected/stranger.csv", "a\n"),
            RIGHT[3],
            ("queries/dear.csv", "code\nb\n"),
            ("queries/lost.csv", "code\n"),
            ("queries/forbidden.sql", "delete from thing returning 1"),
        ],
        false,
    );
    let said = said.join("\n");
    for expected in [
        "expected/thing.csv\n  in ,2.00\n    code: expected , found \"\"\n",
        "  in b,1.51\n    amount: expected 1.51, found 1.50\n",
        "expected/total.csv is missing; it would be\nthings,amount\n3,3.50\n",
        "expected/stranger.csv: there is no table stranger",
        "expected/_rejects.csv is missing",
        "queries/dear.csv\n",
        "queries/lost.csv: there is no lost.sql",
        "queries/forbidden.sql: ",
    ] {
        assert!(said.contains(expected), "expected {expected:?} in\n{said}");
    }
}
