//! One generated file for each habit of CMS's files; all are drafted and loaded in one night.

use super::{Drafts, counts};

/// A file, what its draft must say, and how many rows it has.
struct Habit {
    name: &'static str,
    file: &'static str,
    bytes: Vec<u8>,
    spec: &'static [&'static str],
    table: &'static [&'static str],
    rows: u64,
}

fn wide() -> Vec<u8> {
    let mut text = String::from("hnumber\tplan");
    (0..240).for_each(|n| text.push_str(&format!("\tpbp_b{n}_amt")));
    for row in 0..30 {
        text.push_str(&format!("\r\nH{:04}\t{:03}", row / 3, row % 3));
        (0..240).for_each(|n| text.push_str(if n % 50 == row { "\t1.00 " } else { "\t" }));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn part_d() -> Vec<u8> {
    let mut text =
        String::from("CONTRACT_ID|PLAN_ID|TIER|NDC|COUNTY_CODE|AMT|FEE|PRIOR_AUTH_YN\r\n");
    for row in 0..120 {
        let fee = if row % 7 == 0 { ".".to_owned() } else { format!("{row}.5") };
        let flag = if row % 2 == 0 { "Y" } else { "N" };
        let amount = if row % 5 == 0 { " ".to_owned() } else { format!("-{row}") };
        text.push_str(&format!(
            "H{:04}|{:03}|{}|{:011}|05{:03}|{amount}|{fee}|{flag}\r\n",
            row / 10,
            row % 10,
            row % 6 + 1,
            row * 977,
            row
        ));
    }
    text.into_bytes()
}

fn habits() -> Vec<Habit> {
    [values(), texts(), headers(), keys()].into_iter().flatten().collect()
}

/// Types, nulls and transforms.
fn values() -> Vec<Habit> {
    let quoted = "\u{feff}\"Contract\",\"Premium\",\"Share\",\"Plan Name\",\"Stars\"\r\n\
        \"H1\",\"$1,234.00 \",\"74%\",\"Café, \"\"Gold\"\"\",\"Not Applicable\"\r\n\
        \"H2\",\"($20.80)\",\"100%\",\"two\r\nlines\",\"4.5\"\r\n";
    vec![
        Habit {
            name: "part_d",
            file: "SPUF_2026_20260701.txt",
            bytes: part_d(),
            spec: &[
                "delimiter     = \"|\"",
                "encoding      = \"ascii\"",
                "nulls         = [\" \", \".\"]",
                r"object  = '(?i)^SPUF[\s_]+(?<period>\d{4})[\s_]+(?<posted>\d{8})\.txt$'",
                "{ from = \"PRIOR_AUTH_YN\", transforms = [\"yes_no\"] }",
            ],
            table: &[
                "ndc           text not null",
                "county_code   text not null",
                "plan_id       text not null",
                "tier          smallint not null",
                "amt           smallint,",
                "fee           numeric(4,1),",
                "prior_auth_yn boolean not null",
                "add primary key (ndc)",
                "zeros lead: a code",
            ],
            rows: 120,
        },
        Habit {
            name: "quoted",
            file: "landscape.csv",
            bytes: quoted.into(),
            spec: &[
                "quoting       = \"double\"",
                "multiline     = true",
                "encoding      = \"utf-8\"",
                "{ from = \"Premium\", transforms = [\"trim\", \"money\"] }",
                "{ from = \"Share\", transforms = [\"percent\"] }",
                "{ from = \"Plan Name\", to = \"plan_name\" }",
                "{ from = \"Stars\", words_to = \"stars_words\" }",
            ],
            table: &["premium     numeric(6,2)", "share       numeric(3,2)", "stars_words text"],
            rows: 2,
        },
    ]
}

/// Quotes, encodings, and what stands around the rows.
fn texts() -> Vec<Habit> {
    vec![
        Habit {
            name: "stray_quotes",
            file: "product.txt",
            bytes: b"ID\tNAME\tDAY\n1\tTube 5\" wide\t20180625\n2\t\"open\t19991231\n3\tcaf\xe9\t\n"
                .to_vec(),
            spec: &[
                "quoting       = \"none\"",
                "encoding      = \"windows-1252\"",
                "{ from = \"DAY\", transforms = [{ date = \"%Y%m%d\" }] }",
                "# Look: quotes are taken for characters",
            ],
            table: &["day  date"],
            rows: 3,
        },
        Habit {
            name: "two_quotes",
            file: "two_quotes.csv",
            bytes: b"id,name,size\n1,\"A, B\",3\n2,\"Plan 2,3\n3,C,3\n4,D,3\n5,Plan 5\",3\n6,\"E, F\",4\n"
                .to_vec(),
            spec: &["quoting       = \"double\"", "rejects      = 2", "(the first at line 3)"],
            table: &[],
            rows: 4,
        },
        Habit {
            name: "extra_tab",
            file: "products.txt",
            bytes: b"appl\tno\tname\r\n206028\t003\tA\t\r\n206029\t001\t\t\r\n206030\t001\tB\r\n".to_vec(),
            spec: &["trailing      = \"ignore\""],
            table: &["add primary key (appl)"],
            rows: 3,
        },
        Habit {
            name: "trailing_header",
            file: "trailing_header.csv",
            bytes: b"a,b,\n1,x\n2,y,\n".to_vec(),
            spec: &["trailing      = \"ignore\""],
            table: &["b text not null\n"],
            rows: 2,
        },
        Habit {
            name: "one_column",
            file: "three.csv",
            bytes: b"c0\nv0\na;b\n".to_vec(),
            spec: &["delimiter     = \",\"", "header_rows   = 1"],
            table: &["c0 text not null"],
            rows: 2,
        },
        Habit {
            name: "bare",
            file: "bare_202605.txt",
            bytes: b"H1|001|17-MAR-1981|2020-01-24T00:00:00.000\nH1|002|17-Mar-1982|2020-01-25T00:00:00.000"
                .to_vec(),
            spec: &[
                "header_rows   = 0",
                "final_newline = \"optional\"",
                "transforms = [{ date = \"%d-%b-%Y\" }]",
                "transforms = [{ prefix = 10 }]",
                r"(?<period>\d{6})",
            ],
            table: &["column_3 date not null", "column_4 date not null"],
            rows: 2,
        },
    ]
}

/// Headers that are more, or less, than one row of names.
fn headers() -> Vec<Habit> {
    let stars = b"2023 Data View: Master Table,,\r\n\
        CONTRACT_ID,\"HD1: Staying Healthy, always\",\r\n\
        ,C01: Plan\x92s Screening,C02: Vaccine\r\n\
        ,01/01/2021 \xe2\x80\x93 12/31/2021,03/2022 \xe2\x80\x93 06/2022\r\n\
        H0028 ,74%,Not Applicable \r\nH0029 ,Plan too new ,4\r\nH0030 ,80%, \r\n";
    vec![
        Habit {
            name: "stars",
            file: "2023 Star Ratings (Oct 04 2022).csv",
            bytes: stars.to_vec(),
            spec: &[
                "header        = \"^CONTRACT_ID$\"",
                "encoding      = \"utf-8-or-windows-1252\"",
                "from = \"HD1: Staying Healthy, always | C01: Plan’s Screening | 01/01/2021 – 12/31/2021\"",
                "to = \"c01_plans_screening\", transforms = [\"trim\", \"percent\"]",
                r"object  = '(?i)^(?<period>\d{4})[\s_]+Star[\s_]+Ratings[\s_]+\([^)]*\)\.csv$'",
            ],
            table: &[
                "c02_vaccine_words",
                "says in words where it has no number",
                "Plan too new (1)",
            ],
            rows: 3,
        },
        Habit {
            name: "repeated_same",
            file: "repeated_same.txt",
            bytes: b"contract\tsegment_id\tsegment_id\nH1\t0\t0\nH2\t1\t1\n".to_vec(),
            spec: &["[others]\ndrop = true"],
            table: &["segment_id text not null\n"],
            rows: 2,
        },
        Habit {
            name: "repeated_other",
            file: "repeated_other.txt",
            bytes: b"contract\tname\tname\nH1\ta\tb\nH2\tc\t\n".to_vec(),
            spec: &["[others]\nto = \"fields\""],
            table: &["fields   jsonb not null"],
            rows: 2,
        },
        Habit {
            name: "header_only",
            file: "header_only.txt",
            bytes: b"a\tb\tselect\n".to_vec(),
            spec: &["header_only   = \"allow\"", "rows_min     = 0", "to = \"select_value\""],
            table: &["select_value text", "no row was seen"],
            rows: 0,
        },
    ]
}

/// Wide tables, and keys with nulls.
fn keys() -> Vec<Habit> {
    vec![
        Habit {
            name: "wide",
            file: "wide.txt",
            bytes: wide(),
            spec: &["[others]\nto = \"fields\"\ntransforms = [\"trim\"]"],
            table: &["add primary key (hnumber, plan)", "240 of them"],
            rows: 30,
        },
        Habit {
            name: "null_in_key",
            file: "null_in_key.csv",
            bytes: b"plan,tier,county\n1,1,A\n1,1,\n1,2,A\n1,2,\n2,1,A\n2,1,\n2,2,A\n2,2,\n"
                .to_vec(),
            spec: &[],
            table: &[
                "create unique index null_in_key_key on null_in_key (plan, tier, county) nulls",
            ],
            rows: 8,
        },
    ]
}

#[test]
fn a_draft_of_every_habit_loads_the_file_that_it_was_drafted_from() {
    let drafts = Drafts::new();
    let mut files = Vec::new();
    for habit in habits() {
        let file = drafts.file(habit.file, &habit.bytes);
        let said = drafts.draft(&["made", &file, "--name", habit.name]);
        let (spec, table) = (said["spec"].as_str().unwrap(), said["table"].as_str().unwrap());
        for text in habit.spec {
            assert!(spec.contains(text), "{}: {text:?} is not in\n{spec}", habit.name);
        }
        for text in habit.table {
            assert!(table.contains(text), "{}: {text:?} is not in\n{table}", habit.name);
        }
        assert_eq!(drafts.text(said["spec_file"].as_str().unwrap()), spec);
        assert_eq!(drafts.text(said["table_file"].as_str().unwrap()), table);
        files.push(file);
    }
    let ledger = drafts.build("made", &files);
    for habit in habits() {
        let rejected = if habit.name == "two_quotes" { 2 } else { 0 };
        assert_eq!(counts(&ledger, habit.name), (habit.rows, rejected), "{}", habit.name);
    }
    let build = ledger["build"].as_str().unwrap();
    let rows = |sql: &str| drafts.world.postgres.rows(build, sql);
    assert_eq!(
        rows(
            "select concat_ws('|', contract, premium, share, plan_name, stars, stars_words) \
              from quoted order by 1"
        ),
        ["H1|1234.00|0.74|Café, \"Gold\"|Not Applicable", "H2|-20.80|1.00|two\r\nlines|4.5"]
    );
    assert_eq!(
        rows(
            "select concat_ws('|', contract_id, c01_plans_screening, c01_plans_screening_words, \
              c02_vaccine, c02_vaccine_words) from stars order by 1"
        ),
        ["H0028|0.74|Not Applicable", "H0029|Plan too new|4", "H0030|0.80"]
    );
    assert_eq!(
        rows("select name || ' ' || id from stray_quotes order by id"),
        ["Tube 5\" wide 1", "\"open 2", "café 3"]
    );
    assert_eq!(
        rows("select fields::text from repeated_other order by contract"),
        ["{\"name (2)\": \"b\"}", "{}"]
    );
    let gathered = "select sum((select count(*) from jsonb_object_keys(fields)))::text from wide";
    assert_eq!(rows(gathered), ["150"], "30 rows, 5 fields in each");
}

#[test]
fn what_could_not_be_loaded_is_said_beforehand() {
    let drafts = Drafts::new();
    let file = drafts.file("odd.txt", b"a|b\n1|x\n2\n3|\x81\xff\n\n");
    let said = drafts.draft(&["made", &file]);
    let doubts: Vec<&str> =
        said["doubts"].as_array().unwrap().iter().map(|doubt| doubt.as_str().unwrap()).collect();
    assert!(doubts[0].starts_with("2 rows are not as wide as the header (the first at line 3)"));
    assert!(doubts[1].starts_with("1 fields are in no encoding that kiln knows"), "{doubts:?}");
    let outcome = drafts.check(&["made", "odd", &file]);
    assert_eq!(outcome.code, 0, "a draft loads the file that it was drafted from: {outcome}");
    assert!(outcome.stdout.contains("3 of 4 rows rejected"), "{outcome}");
    assert!(said["spec"].as_str().unwrap().contains("rejects      = 3"), "{said}");
}
