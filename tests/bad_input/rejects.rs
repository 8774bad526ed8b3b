//! Rows that are refused: each kept with its place, reason and bytes, within the budget that the
//! source declares; and every line of every file is accounted for.

use kiln::testing::dev::synth::{Release, Tamper};

use super::tiny::{self, Tiny};
use super::{Druginfo, Kept, set_field, zips};
use crate::support::World;

const PRICING: &str = "sources/druginfo/pricing.toml";
const MEMBER: &str = "pricing file PPUF_2026Q2.zip → pricing file PPUF_2026Q2.txt";

/// Line, blamed column, reason, and how far into the record the blamed byte lies (from the
/// field's start where there is a column).
const BAD: [(u64, Option<usize>, &str, usize); 12] = [
    (3, Some(4), "is too large for smallint", 0),
    (5, Some(5), "is too large for its column", 0),
    (7, Some(5), "has more decimals than its column", 0),
    (9, Some(4), "is not a whole number", 0),
    (11, None, "short row: expected 6 fields, found 5", 0),
    (13, None, "long row: expected 6 fields, found 7", 0),
    (15, None, "blank line", 0),
    (17, Some(3), "holds a byte that is not ASCII", 4),
    (19, Some(3), "holds a NUL character", 0),
    (21, Some(4), "is null, and its column may not be", 0),
    (23, Some(5), "is not a decimal number", 0),
    (25, Some(4), "is too large for smallint", 0),
];

const HEADER: [&str; 6] =
    ["CONTRACT_ID", "PLAN_ID", "SEGMENT_ID", "NDC", "DAYS_SUPPLY", "UNIT_COST"];

/// Breaks the lines of [`BAD`].
fn broken() -> Tamper<'static> {
    Tamper::default().lines(|at, line| {
        if at.source != "pricing" {
            return;
        }
        match at.line {
            3 => set_field(line, 4, b"40000"),
            5 => set_field(line, 5, b"1234567.0"),
            7 => set_field(line, 5, b"1.0000001"),
            9 => set_field(line, 4, b"3O"),
            11 => line.truncate(line.iter().rposition(|byte| *byte == b'|').unwrap()),
            13 => line.extend_from_slice(b"|1"),
            15 => line.clear(),
            17 => set_field(line, 3, b"0000\xe9143380"),
            19 => set_field(line, 3, b"0000\x002143380"),
            21 => set_field(line, 4, b" "),
            23 => set_field(line, 5, b"1.2.3"),
            25 => set_field(line, 4, b"-99999999999999999999"),
            _ => {}
        }
    })
}

#[test]
fn a_bad_row_in_line_53100_is_not_a_full_disk() {
    // Postgres says 53100 of a full disk, on which a failed build is dropped at once.
    let tiny = Tiny::new(tiny::CSV);
    let mut text = String::from("code,name,amount,count\n");
    for number in 2..53_100 {
        text.push_str(&format!("c{number},n,1.00,1\n"));
    }
    text.push_str("c53100,n,much,1\n");
    let outcome =
        tiny.refuses("item_20260701.csv", text.as_bytes(), 11, &["line 53100, byte ", "amount"]);
    let kept = tiny.world.newest_build();
    outcome.says(&[&format!("--into {kept}")]);
    let rejects = tiny.world.postgres.value(&kept, "select count(*)::text from kiln.reject");
    assert_eq!(rejects, "1", "there is something to look at");
}

/// A druginfo whose pricing source has this budget.
fn with_budget(from: &str, to: &str) -> Druginfo {
    let mut world = World::new();
    world.own_root();
    world.edit(PRICING, from, to);
    Druginfo::in_world(world)
}

/// The pricing text of a landed release, in lines with their offsets.
fn lines(world: &World) -> Vec<(usize, Vec<u8>)> {
    let zip = std::fs::read(world.folder.path().join("SPUF_2026_20260701.zip")).unwrap();
    let (outer, inner) = MEMBER.split_once(" → ").unwrap();
    let text = zips::member(&zips::member(&zip, outer), inner);
    let mut offset = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        lines.push((offset, line.strip_suffix(b"\r\n").unwrap().to_vec()));
        offset += line.len();
    }
    lines
}

/// `kiln.reject` of a database is exactly [`BAD`].
fn rejects_are_kept(world: &World, database: &str) {
    let lines = lines(world);
    let sql = "select concat_ws('/', source, split_part(object, '/', 3), member, line, byte,
                   coalesce(column_name, '-'), reason, encode(bytes, 'hex'))
               from kiln.reject order by line";
    let found = world.postgres.rows(database, sql);
    let expected: Vec<String> = BAD
        .iter()
        .map(|(number, column, reason, within)| {
            let (offset, line) = &lines[*number as usize - 1];
            let fields = line.split(|byte| *byte == b'|');
            let before: usize = fields.take(column.unwrap_or(0)).map(|field| field.len() + 1).sum();
            let byte = offset + before + within;
            let column = column.map_or("-", |index| HEADER[index]);
            let object = "SPUF_2026_20260701.zip";
            let hex: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let place = format!("pricing/{object}/{MEMBER}/{number}/{byte}");
            // An empty text is a text to concat_ws.
            format!("{place}/{column}/{reason}/{hex}")
        })
        .collect();
    assert_eq!(found, expected);
}

/// Every line of every file is accounted for, in a database that kiln made.
fn every_line_is_accounted_for(world: &World, database: &str) {
    let files = "select source || ' ' || member from kiln.file
                 where lines is distinct from header + loaded + rejected + filtered
                    or loaded is distinct from copied or lines is null or header <> 1";
    assert_eq!(world.postgres.rows(database, files), [""; 0]);
    let sources = world.postgres.rows(database, "select source from kiln.source order by 1");
    assert_eq!(sources.len(), 9);
    for source in sources {
        // One that packs rows is seen through its view.
        let rows = if source == "pharmacy_networks" { "plan_pharmacy" } else { &source };
        let sql = format!(
            "select concat_ws(' ', (select count(*) from {rows}),
                 (select count(*) from kiln.reject where source = '{source}'), s.rows, s.rejected,
                 sum(f.loaded), sum(f.rejected))
             from kiln.source s join kiln.file f using (source) where source = '{source}'
             group by s.rows, s.rejected"
        );
        let said = world.postgres.value(database, &sql);
        let numbers: Vec<&str> = said.split(' ').collect();
        let [table, kept, rows, rejected, loaded, refused] = numbers[..] else { panic!("{said}") };
        assert_eq!([table, table, kept, kept], [rows, loaded, rejected, refused], "{source}");
    }
}

#[test]
fn as_many_bad_rows_as_the_budget_allows_are_kept_beside_the_good_ones() {
    let druginfo = with_budget("rejects      = 0", "rejects      = 12");
    let world = &druginfo.world;
    world.land_with(&Release::small(2), broken());
    world.night();
    rejects_are_kept(world, "druginfo");
    every_line_is_accounted_for(world, "druginfo");
    let file = "select concat_ws(' ', lines, header, loaded, rejected, filtered, copied)
                from kiln.file where source = 'pricing'";
    assert_eq!(world.postgres.value("druginfo", file), "61 1 48 12 0 48");
    // The app's role reads the data; rejected bytes are there for the engineer.
    let status = world.kiln(&["status", "--json"]).succeeds();
    assert!(status.stdout.contains("druginfo"), "{status}");
}

#[test]
fn one_bad_row_more_refuses_the_source_and_the_failed_build_keeps_them_all() {
    let druginfo = with_budget("rejects      = 0", "rejects      = 11");
    let shown = |line: u64, byte: usize, column: &str, reason: &str| {
        format!("pricing file PPUF_2026Q2.txt line {line}, byte {byte}, column {column}: {reason}")
    };
    druginfo.world.land_with(&Release::small(2), broken());
    let lines = lines(&druginfo.world);
    let byte = |line: u64, field: usize| {
        let (offset, text) = &lines[line as usize - 1];
        let fields = text.split(|byte| *byte == b'|').take(field);
        offset + fields.map(|field| field.len() + 1).sum::<usize>()
    };
    druginfo.refuses_landed(
        11,
        Kept::Yes,
        &[
            "source pricing: 12 rows rejected, the budget is 11: ",
            &shown(3, byte(3, 4), "DAYS_SUPPLY", "is too large for smallint; "),
            &shown(5, byte(5, 5), "UNIT_COST", "is too large for its column; "),
            &shown(7, byte(7, 5), "UNIT_COST", "has more decimals than its column"),
            "`select * from kiln.reject` in the kept build shows them all",
            "kiln load druginfo pricing --into druginfo_",
        ],
    );
    let build = druginfo.kept();
    rejects_are_kept(&druginfo.world, &build);
    every_line_is_accounted_for(&druginfo.world, &build);

    // The budget is raised in the spec, and the build goes on: one row of each, not two.
    druginfo.world.edit(PRICING, "rejects      = 11", "rejects      = 12");
    druginfo.world.kiln(&["resume", &build]).succeeds();
    druginfo.world.kiln(&["swap", "druginfo", &build]).succeeds();
    rejects_are_kept(&druginfo.world, "druginfo");
    every_line_is_accounted_for(&druginfo.world, "druginfo");
}

#[test]
fn a_file_of_bad_rows_is_given_up_soon_after_its_budget() {
    let druginfo = Druginfo::new();
    let change = Tamper::default().lines(|at, line| {
        if at.source == "pricing" && at.line > 1 {
            set_field(line, 4, b"many");
        }
    });
    let said = ["at least 21 rows rejected, the budget is 0: ", "line 2, byte ", "line 4, byte "];
    let outcome = druginfo.refuses(change, 11, Kept::Yes, &said);
    assert!(!outcome.stderr.contains("line 5,"), "{outcome}");
    assert_eq!(druginfo.kept_value("select count(*)::text from kiln.reject"), "21");
    assert_eq!(druginfo.kept_value("select count(*)::text from pricing"), "0");
}

#[test]
fn a_budget_may_be_a_share_of_the_rows() {
    // 12 of 60 rows.
    let druginfo = with_budget("reject_ratio = 0.0", "reject_ratio = 0.2");
    druginfo.world.land_with(&Release::small(2), broken());
    druginfo.world.night();
    rejects_are_kept(&druginfo.world, "druginfo");
    let druginfo = with_budget("reject_ratio = 0.0", "reject_ratio = 0.199");
    let said = ["source pricing: 12 rows rejected, the budget is 11: ", "line 3, byte "];
    druginfo.refuses(broken(), 11, Kept::Yes, &said);
    rejects_are_kept(&druginfo.world, &druginfo.kept());
}

#[test]
fn rows_that_a_filter_leaves_out_are_counted() {
    let mut world = World::new();
    world.own_root();
    let spec = world.root.join(PRICING);
    let text = std::fs::read_to_string(&spec).unwrap();
    let filter = "\n[[filter]]\ncolumn = \"DAYS_SUPPLY\"\ndrop = [\"60\"]\n";
    std::fs::write(&spec, text + filter).unwrap();
    world.edit(PRICING, "rejects      = 0", "rejects      = 12");
    let druginfo = Druginfo::in_world(world);
    let world = &druginfo.world;
    world.land_with(&Release::small(2), broken());
    world.night();
    let sixty = |(_, line): &&(usize, Vec<u8>)| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b'|').collect();
        fields.len() == 6 && fields[4] == b"60"
    };
    let filtered = lines(world).iter().filter(sixty).count();
    assert!(filtered > 0);
    let value = |sql: &str| world.postgres.value("druginfo", sql);
    let counted = "select filtered::text from kiln.file where source = 'pricing'";
    assert_eq!(value(counted), filtered.to_string());
    assert_eq!(value("select count(*)::text from price where days_supply = 60"), "0");
    every_line_is_accounted_for(world, "druginfo");
}
