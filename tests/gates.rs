//! The gates on data: a release that collapsed, a column that emptied, a file that goes back in time.
//! Each is refused with its numbers, nothing changes, and a person's word lets it through.

mod compared;
mod older;

use serde_json::Value;

use crate::support::{World, project};

/// Files that went wrong somewhere; says so when they are not there.
fn bugs(file: &str) -> Option<std::path::PathBuf> {
    let path = project().join("../shared/bugs").join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there, so that file is not tested", path.display());
    None
}

const ITEM_SQL: &str = "-- pre-data
create table item (code text not null, premium numeric(6,2), kind smallint not null);
comment on table item is 'Things under test. [test]';
comment on column item.code is 'Its key. [test]';
comment on column item.premium is 'Dollars. [test]';
comment on column item.kind is 'Its kind. [test]';
create table item_kind (id smallint not null, kind text, color text);
comment on table item_kind is 'Kinds. [test]';
comment on column item_kind.id is 'Its number. [test]';
comment on column item_kind.kind is 'Its name. [test]';
comment on column item_kind.color is 'Its color. [test]';
-- post-data
alter table item add primary key (code);
alter table item_kind add primary key (id);
";

const ITEM: &str = "description = \"Things under test.\"
object = '^item_(?<posted>\\d{8})\\.csv$'
columns = [
    { from = \"code\" },
    { from = \"premium\" },
    { from = \"kind\" },
    { from = \"color\", optional = true },
]

[[dictionary]]
table   = \"item_kind\"
columns = [\"kind\", \"color\"]
to      = \"kind\"

[format]
delimiter = \",\"
";

const PLAN_SQL: &str = "-- pre-data
create table plan (code text not null, note text);
comment on table plan is 'What is told apart by its period. [test]';
comment on column plan.code is 'Its key. [test]';
comment on column plan.note is 'A word. [test]';
-- post-data
alter table plan add primary key (code);
";

const PLAN: &str = "description = \"What is told apart by its period.\"
object = '^plan_\\d\\.zip$'
member = '^plan_(?<period>\\w+)\\.txt$'
columns = [{ from = \"code\" }, { from = \"note\" }]

[format]
delimiter = \"|\"
";

const STAR_SQL: &str = "-- pre-data
create table star (year smallint not null, code text not null);
comment on table star is 'Editions, with their posting in words. [test]';
comment on column star.year is 'The edition. [test]';
comment on column star.code is 'Its key. [test]';
-- post-data
alter table star add primary key (year, code);
";

const STAR: &str = "description = \"Editions, with their posting in words.\"
object = '^(?<edition>\\d{4}) Stars \\((?<posted>[A-Za-z]{3,9} \\d{1,2} \\d{4})\\)\\.csv$'
columns = [{ of = \"edition\", to = \"year\" }, { from = \"code\" }]

[format]
delimiter = \",\"
";

/// Three small sources and what landed of them, live.
fn tiny() -> World {
    let mut world = World::new();
    world.root = world.folder.path().join("root");
    for (file, text) in [
        ("sql/tiny/0001_item.sql", ITEM_SQL),
        ("sql/tiny/0002_plan.sql", PLAN_SQL),
        ("sql/tiny/0003_star.sql", STAR_SQL),
        ("sources/tiny/item.toml", ITEM),
        ("sources/tiny/plan.toml", PLAN),
        ("sources/tiny/star.toml", STAR),
    ] {
        let path = world.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    world.anew = false;
    world.kiln(&["schema", "lock", "tiny"]).succeeds();
    world.kiln(&["contract", "set", "tiny", "--app", "test", "--accepts", "1"]).succeeds();
    world.put("tiny", "item_20260101.csv", items(1000, |_| "1.50", |_| "a,red").as_bytes());
    world.put("tiny", "plan_1.zip", &plans("2026Q2"));
    world.put("tiny", "2024 Stars (Jul 2 2024).csv", b"code\nx\n");
    world.kiln(&["run", "tiny"]).succeeds();
    world
}

fn items(
    rows: u64,
    premium: impl Fn(u64) -> &'static str,
    kind: impl Fn(u64) -> &'static str,
) -> String {
    let row = |n: u64| format!("{n},{},{}\n", premium(n), kind(n));
    let rows: String = (0..rows).map(row).collect();
    format!("code,premium,kind,color\n{rows}")
}

fn plans(period: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(format!("plan_{period}.txt"), options).unwrap();
    zip.write_all(b"code|note\n1|\n").unwrap();
    zip.finish().unwrap().into_inner()
}

/// What must not change when a night is refused: what is live, and what it is called.
fn live(world: &World) -> (Option<(u32, String)>, String) {
    let sql = "select build from kiln.stamp";
    (world.postgres.contents("tiny"), world.postgres.value("tiny", sql))
}

/// The verdicts of a run or a swap, as `gate source[.column] verdict`.
fn verdicts(said: &Value) -> Vec<String> {
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let all = said["gates"].as_array().unwrap();
    let line = |entry: &Value| {
        let column = entry["column"].as_str().map_or(String::new(), |name| format!(".{name}"));
        let (gate, source) = (text(entry, "gate"), text(entry, "source"));
        format!("{gate} {source}{column} {}", text(entry, "verdict"))
    };
    all.iter().map(line).filter(|line| !line.ends_with("passed")).collect()
}

#[test]
fn a_release_that_collapsed_is_refused_and_goes_live_on_a_persons_word() {
    let Some(collapsed) = bugs("collapsed/SPUF_2026_20261003.zip") else { return };
    let mut world = World::new();
    world.anew = false;
    world.accept("1");
    world.kiln(&["synth", "druginfo", "--scale", "0.0005", "--to", "s3://kiln"]).succeeds();
    world.night();
    let before = world.live();
    world.kiln(&["land", "druginfo", &collapsed.to_string_lossy()]).succeeds();
    let refused = world.kiln(&["run", "druginfo"]).exits(14);
    refused.says(&[
        "druginfo is as it was",
        "gate rows: pricing: 1 row, live has 26,881 (limits: 21,505 to 33,601)",
        "gate rows: pharmacy_networks: 6 rows, live has 153,636",
        "gate rows: basic_drugs_formulary: 10 rows, live has 562",
        "kiln waive druginfo rows --why 'WHY'",
        "&& kiln swap druginfo",
    ]);
    assert_eq!(world.live(), before);
    assert_eq!(world.states(), ["druginfo live", "druginfo_00002 sealed"]);
    let status = world.kiln(&["status", "druginfo"]).succeeds().stdout;
    assert!(status.contains("gate rows: pricing: 1 row"), "{status}");
    assert!(status.contains("if that is meant: kiln waive druginfo"), "{status}");
}

#[test]
fn generated_nights_of_another_scale_say_that_they_mean_it() {
    let mut world = World::new();
    world.anew = false;
    world.accept("1");
    world.kiln(&["synth", "druginfo", "--scale", "0.0005", "--to", "s3://kiln"]).succeeds();
    world.night();
    let before = world.live();
    let smaller = ["synth", "druginfo", "--scale", "0.0001", "--night", "1", "--to", "s3://kiln"];
    world.kiln(&smaller).succeeds();
    let said = world.kiln(&["run", "druginfo", "--json"]).exits(14);
    let gates = verdicts(&serde_json::from_str(&said.stdout).unwrap());
    assert!(gates.contains(&"rows pricing refused".to_owned()), "{gates:?}");
    assert_eq!(world.live(), before);
    world.kiln(&["swap", "druginfo"]).exits(14).says(&["gate rows: pricing: "]);
    let dry = world.kiln(&["swap", "druginfo", "--dry-run", "--json"]).exits(14);
    let gates = verdicts(&serde_json::from_str(&dry.stdout).unwrap());
    assert!(gates.contains(&"rows pharmacy_networks refused".to_owned()), "{gates:?}");
    assert_eq!(world.live(), before);
    for gate in ["rows", "nulls"] {
        world.kiln(&["waive", "druginfo", gate, "--why", "another scale"]).succeeds();
    }
    let swapped = world.kiln(&["swap", "druginfo", "--json"]).succeeds().json();
    assert!(verdicts(&swapped).contains(&"rows pricing waived".to_owned()), "{swapped}");
    assert_ne!(world.live(), before);
    // A way back is asked nothing.
    world.kiln(&["rollback", "druginfo", "--why", "a test"]).succeeds();
    assert_eq!(world.live(), before);
}

#[test]
fn a_column_that_emptied_is_refused_in_a_table_and_in_a_dictionary() {
    let world = tiny();
    let before = live(&world);
    let most = |n: u64| if n < 200 { "" } else { "1.50" };
    let kinds = |n: u64| if n < 300 { "b," } else { "a,red" };
    world.put("tiny", "item_20260102.csv", items(1000, most, kinds).as_bytes());
    let said = world.kiln(&["run", "tiny", "--json"]).exits(14);
    let said: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(verdicts(&said), ["nulls item.color refused", "nulls item.premium refused"]);
    let entry = |column: &str| {
        let mut all = said["gates"].as_array().unwrap().iter();
        let found = all.find(|entry| entry["column"] == column).unwrap();
        ["live", "value", "limit"].map(|key| found[key].as_f64().unwrap())
    };
    assert_eq!(entry("premium"), [0.0, 0.2, 0.1]);
    assert_eq!(entry("color"), [0.0, 0.3, 0.1]);
    assert_eq!(live(&world), before);
    world.kiln(&["waive", "tiny", "nulls", "--source", "item", "--why", "free"]).succeeds();
    let swapped = world.kiln(&["swap", "tiny"]).succeeds().stdout;
    assert!(swapped.contains("gate nulls: item.premium: 20.0 %"), "{swapped}");
    assert!(swapped.contains("waived by "), "{swapped}");
    assert_ne!(live(&world), before);
}

#[test]
fn a_table_that_was_brought_over_keeps_what_was_counted_of_it() {
    let world = tiny();
    world.put("tiny", "2023 Stars (Oct 13 2023).csv", b"code\ny\n");
    world.kiln(&["run", "tiny"]).succeeds();
    let reused = "select entry #>> '{reused,build}' from kiln.source where source = 'item'";
    assert_eq!(world.postgres.value("tiny", reused), "tiny_00001");
    let before = live(&world);
    world.put("tiny", "item_20260102.csv", items(1000, |_| "", |_| "a,red").as_bytes());
    world.kiln(&["run", "tiny"]).exits(14).says(&["gate nulls: item.premium: 100.0 %"]);
    assert_eq!(live(&world), before);
}

#[test]
fn a_build_that_an_older_kiln_sealed_is_compared_by_its_rows_and_that_is_said() {
    let world = tiny();
    world.postgres.execute(
        "tiny",
        "set default_transaction_read_only = off; set transaction_read_only = off;
         update kiln.stamp set ledger =
             regexp_replace(ledger::text, '\"nulls\": \\{[^}]*\\}, ', '', 'g')::jsonb",
    );
    let before = live(&world);
    world.put("tiny", "item_20260102.csv", items(700, |_| "", |_| "a,red").as_bytes());
    let said = world.kiln(&["run", "tiny", "--json"]).exits(14);
    let gates = verdicts(&serde_json::from_str(&said.stdout).unwrap());
    assert!(gates.contains(&"rows item refused".to_owned()), "{gates:?}");
    assert!(gates.contains(&"nulls item not-compared".to_owned()), "{gates:?}");
    assert_eq!(live(&world), before);
    let status = world.kiln(&["status", "tiny"]).succeeds().stdout;
    assert!(status.contains("not compared: an older kiln"), "{status}");
}

#[test]
fn a_spec_widens_its_limits() {
    let world = tiny();
    let path = world.root.join("sources/tiny/item.toml");
    let wide = "\n[gates]\nrows_ratio_min = 0.1\nnulls_rise_max = 1.0\n";
    std::fs::write(&path, format!("{ITEM}{wide}")).unwrap();
    world.put("tiny", "item_20260102.csv", items(300, |_| "", |_| "a,red").as_bytes());
    world.kiln(&["run", "tiny"]).succeeds();
    let wrong = "\n[gates]\nrows_ratio_mim = 0.1\nexpect = \"summer\"\nrows_ratio_max = 0.5\n";
    std::fs::write(&path, format!("{ITEM}{wrong}")).unwrap();
    world.kiln(&["run", "tiny"]).exits(2).says(&[
        "unknown key `gates.rows_ratio_mim`; did you mean `rows_ratio_min`?",
        "`gates.expect` must be \"new-year\", found \"summer\"",
        "`gates.rows_ratio_max` must be 1.0 or more",
    ]);
}

#[test]
fn nulls_are_counted_as_the_table_has_them() {
    let world = World::ready();
    world.night();
    let entries = world.postgres.rows(
        "druginfo",
        "select source || ' ' || key || ' ' || sum(n::int)
         from kiln.source, jsonb_array_elements(entry::jsonb -> 'files') f(file),
              jsonb_each_text(file -> 'nulls') c(key, n)
         group by source, key order by source, key",
    );
    assert!(entries.len() > 60, "{entries:?}");
    let mut some = 0;
    for entry in &entries {
        let [source, column, nulls] = entry.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{entry}");
        };
        let from = match source {
            "pharmacy_networks" => "plan_pharmacy",
            "pricing" => "price",
            table => table,
        };
        let sql = format!("select (count(*) - count({column}))::text from {from}");
        assert_eq!(world.postgres.value("druginfo", &sql), nulls, "{source}.{column}");
        some += usize::from(nulls != "0");
    }
    assert!(some > 5, "{entries:?}");
}
