//! `kiln subset` (D1, D2, D3): closed, the same on every machine, a build of its own, and never in
//! the place of the whole unless told so by name.

mod deaths;
mod every;
mod files;
mod places;

use kiln::testing::dev::synth::Release;
use serde_json::Value;

use crate::support::World;

/// Rules for the nine tables of a Part D release. Those of the project: `every`.
const RULES: &str = "[sample]
key = [\"contract_id\", \"plan_id\", \"segment_id\"]
table = \"plan_information\"
[table.geographic_locator]
keep = \"all\"
[table.basic_drugs_formulary]
follows = \"plan_information\"
by = [\"formulary_id\"]
[table.excluded_drugs_formulary]
follows = \"plan_information\"
by = [\"contract_id\", \"plan_id\"]
[table.indication_based_coverage]
follows = \"plan_information\"
by = [\"contract_id\", \"plan_id\"]
";

/// A world with rules, and nothing landed.
fn ruled() -> World {
    let mut world = World::new();
    std::fs::write(world.own_root().join("sql/druginfo/subset.toml"), RULES).unwrap();
    world
}

/// A world in which a whole build is live, of a release with enough plans to take a share of.
fn whole() -> World {
    let world = ruled();
    world.land(&release(1));
    world.accept("1");
    world.night();
    world
}

fn release(seed: u64) -> Release {
    Release { plans: 48, ..Release::small(seed) }
}

/// Makes a subset; its name.
#[track_caller]
fn subset(world: &World, arguments: &[&str]) -> String {
    let words = [&["subset", "druginfo", "--json"], arguments].concat();
    let outcome = world.kiln(&words).succeeds();
    assert_eq!(outcome.stderr, "", "{outcome}");
    outcome.json()["build"].as_str().unwrap().to_owned()
}

/// Every source's digest, as its build notes it.
fn digests(world: &World, build: &str) -> Vec<String> {
    world
        .postgres
        .rows(build, "select source || ' ' || rows || ' ' || digest from kiln.source order by 1")
}

fn count(world: &World, database: &str, sql: &str) -> i64 {
    world.postgres.value(database, &format!("select count(*)::text {sql}")).parse().unwrap()
}

/// Plans that a build has.
fn plans(world: &World, database: &str) -> Vec<String> {
    let sql = "select distinct concat_ws('-', contract_id, plan_id, segment_id)
               from plan_information order by 1";
    world.postgres.rows(database, sql)
}

#[test]
fn a_hundred_percent_is_the_whole_build_to_the_digest() {
    let world = whole();
    let live = world.live().unwrap();
    let build = subset(&world, &["--percent", "100"]);
    assert_eq!(world.postgres.contents(&build).unwrap().1, live.1);
    // Digests of what was read from files, and of what came out of tables, are the same.
    assert_eq!(digests(&world, &build), digests(&world, "druginfo"));
    assert_eq!(world.live().unwrap(), live);
}

#[test]
fn two_machines_keep_the_same_rows() {
    let (one, other) = (whole(), whole());
    // Another history, other connections, other build numbers, another time zone.
    other.night();
    let build = subset(&one, &["--percent", "20"]);
    let mut kiln = other.kiln(&["subset", "druginfo", "--percent", "20", "--json"]);
    kiln.env("KILN_CONNECTIONS", "1");
    other.postgres.execute("postgres", "alter role loader set timezone = 'Asia/Tokyo'");
    other.postgres.execute("postgres", "alter role loader set datestyle = 'SQL, DMY'");
    let twin = kiln.succeeds().json()["build"].as_str().unwrap().to_owned();
    assert_ne!(build, twin);
    assert_eq!(digests(&one, &build), digests(&other, &twin));
    let contents = |world: &World, build: &str| world.postgres.contents(build).unwrap().1;
    assert_eq!(contents(&one, &build), contents(&other, &twin));
    assert!(plans(&one, &build).len() > 3, "{:?}", plans(&one, &build));
    assert!(plans(&one, &build).len() < 20, "{:?}", plans(&one, &build));
}

#[test]
fn a_smaller_share_is_a_part_of_a_larger_one() {
    let world = whole();
    let larger = subset(&world, &["--percent", "40"]);
    let all = plans(&world, &larger);
    let smaller = subset(&world, &["--percent", "12.5"]);
    let some = plans(&world, &smaller);
    assert!(!some.is_empty() && some.len() < all.len(), "{some:?} of {all:?}");
    assert!(some.iter().all(|plan| all.contains(plan)), "{some:?} of {all:?}");
    // The newer subset has taken the older one's place on the server at the next clean-up.
    world.kiln(&["prune", "druginfo"]).succeeds();
    assert_eq!(world.states(), ["druginfo live".to_owned(), format!("{smaller} sealed")]);
}

/// Each relation of druginfo: rows of the one without a partner in the other, in a subset. What
/// the whole build lacks as well (CMS names formularies that it does not ship) is no fault.
const RELATIONS: [(&str, &str, &[&str]); 8] = [
    ("beneficiary_cost", "plan_information", &["contract_id", "plan_id", "segment_id"]),
    ("insulin_beneficiary_cost", "plan_information", &["contract_id", "plan_id", "segment_id"]),
    ("excluded_drugs_formulary", "plan_information", &["contract_id", "plan_id"]),
    ("indication_based_coverage", "plan_information", &["contract_id", "plan_id"]),
    ("basic_drugs_formulary", "plan_information", &["formulary_id"]),
    ("plan_information", "basic_drugs_formulary", &["formulary_id"]),
    ("plan_information", "geographic_locator", &["county_code"]),
    ("plan_information", "geographic_locator", &["pdp_region_code"]),
];

#[test]
fn every_kept_row_finds_its_partners_and_every_partner_of_a_kept_plan_is_kept() {
    let world = whole();
    let build = subset(&world, &["--percent", "40"]);
    let kept = plans(&world, &build);
    for (table, other, columns) in RELATIONS {
        let equal = |prefix: &str| {
            let pairs = columns.iter().map(|column| format!("o.{column} = t.{column}"));
            format!(
                "from {table} t where {prefix} (select from {other} o where {})",
                pairs.collect::<Vec<_>>().join(" and ")
            )
        };
        let set = columns.iter().map(|column| format!("t.{column} is not null"));
        let set = set.collect::<Vec<_>>().join(" and ");
        let orphans =
            |database| count(&world, database, &format!("{} and {set}", equal("not exists")));
        assert!(orphans(&build) <= orphans("druginfo"), "{table} without {other} by {columns:?}");
        assert!(count(&world, &build, &format!("from {table}")) > 0, "{table} is empty");
    }
    // Every row of a kept plan, and no other, is there.
    for table in ["plan_information", "beneficiary_cost", "insulin_beneficiary_cost"] {
        let of_kept = format!(
            "from {table} where concat_ws('-', contract_id, plan_id, segment_id) in ('{}')",
            kept.join("', '")
        );
        let all = format!("from {table}");
        assert_eq!(count(&world, &build, &all), count(&world, "druginfo", &of_kept), "{table}");
        assert_eq!(count(&world, &build, &all), count(&world, &build, &of_kept), "{table}");
    }
}

#[test]
fn a_subset_is_a_build_of_its_own_with_manifest_stamp_and_name() {
    let world = whole();
    let live = world.live();
    let outcome = world.kiln(&["subset", "druginfo", "--percent", "20"]).succeeds();
    assert!(outcome.stdout.contains("sealed; druginfo is as it was"), "{outcome}");
    assert!(outcome.stdout.contains("20 % by contract_id, plan_id, segment_id"), "{outcome}");
    assert_eq!(world.live(), live);
    let build = world.newest_build();
    assert_eq!(build, "druginfo_00002_subset");
    let value = |sql: &str| world.postgres.value(&build, sql);
    assert_eq!(value("select period from kiln.stamp"), "2026Q2");
    let origin =
        "select document->'subset'->>'build' || ' ' || (document->'subset'->'asked'->>'percent')
                  from kiln.manifest";
    assert_eq!(value(origin), "druginfo_00001 20");
    // The whole build's inputs are the subset's.
    assert_eq!(
        value("select (document->'sources')::text from kiln.manifest"),
        world.postgres.value("druginfo", "select (document->'sources')::text from kiln.manifest")
    );
    let status = world.kiln(&["status", "druginfo", "--json"]).succeeds().json();
    assert_eq!(status[0]["others"][0]["tag"]["subset"], "20 % of druginfo_00001");
    assert_eq!(status[0]["failed"], Value::Null);
    let said = world.kiln(&["status"]).succeeds();
    assert!(said.stdout.contains("druginfo_00002_subset is sealed (20 % of"), "{said}");
    // It is as closed to its readers as any build.
    let refused = world.postgres.refusal("app", &build, "delete from plan_information");
    assert_eq!(refused.as_deref(), Some("42501"));
    let audit =
        "select action || ' ' || to_build || ' ' || why from kiln.audit order by id desc limit 1";
    assert_eq!(world.postgres.value("kiln", audit), "seal druginfo_00002_subset subset");
}

#[test]
fn where_a_subset_is_live_the_whole_build_before_it_is_the_gates_measure() {
    let world = whole();
    let build = subset(&world, &["--percent", "20"]);
    world.kiln(&["swap", "druginfo", &build]).succeeds();
    world.land(&Release { plans: 4, ..Release::small(2) });
    let said = world.kiln(&["run", "druginfo", "--json"]).exits(14);
    let night: Value = serde_json::from_str(&said.stdout).unwrap();
    let refused = |entry: &&Value| entry["verdict"] == "refused";
    let first = night["gates"].as_array().unwrap().iter().find(refused).unwrap();
    assert_eq!(first["former"], "druginfo_00001");
}

#[test]
fn a_rule_of_ones_own_narrows_a_table_and_all_that_follows_it() {
    let world = whole();
    let contract = "select min(contract_id) from plan_information where contract_id like 'H%'";
    let contract = world.postgres.value("druginfo", contract);
    let rule = format!("plan_information=contract_id = '{contract}'");
    let build = subset(&world, &["--rule", &rule]);
    for table in ["plan_information", "beneficiary_cost", "pharmacy_networks", "pricing"] {
        if world
            .postgres
            .rows(
                &build,
                &format!(
                    "select 1::text from information_schema.columns
            where table_name = '{table}' and column_name = 'contract_id'"
                ),
            )
            .is_empty()
        {
            continue;
        }
        let of_contract = format!("from {table} where contract_id = '{contract}'");
        let all = count(&world, &build, &format!("from {table}"));
        assert!(all > 0, "{table}");
        assert_eq!(all, count(&world, "druginfo", &of_contract), "{table}");
    }
    let counties = "from geographic_locator";
    assert_eq!(count(&world, &build, counties), count(&world, "druginfo", counties));
}

#[test]
fn a_dry_run_counts_and_makes_nothing() {
    let world = whole();
    let before = (world.live(), world.databases());
    let outcome = world.kiln(&["subset", "druginfo", "--percent", "20", "--dry-run", "--json"]);
    let said = outcome.succeeds().json();
    assert_eq!((world.live(), world.databases()), before);
    let build = subset(&world, &["--percent", "20"]);
    for table in said["tables"].as_array().unwrap() {
        let name = table["table"].as_str().unwrap();
        let rows = count(&world, &build, &format!("from {name}"));
        assert_eq!(table["rows"].as_i64(), Some(rows), "{name}");
    }
    let text = world.kiln(&["subset", "druginfo", "--percent", "20", "--dry-run"]).succeeds();
    assert!(text.stdout.contains("druginfo: 20 % of druginfo_00001 would be"), "{text}");
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_made() {
    let world = whole();
    let before = (world.live(), world.databases());
    let refuse = |arguments: &[&str], code: i32, said: &[&str]| {
        let words = [&["subset", "druginfo"], arguments].concat();
        let outcome = world.kiln(&words).exits(code);
        outcome.says(said);
        assert_eq!((world.live(), world.databases()), before, "{outcome}");
    };
    refuse(&[], 2, &["--percent", "--rule"]);
    for percent in ["0", "100.5", "x", "5%", "1e1"] {
        refuse(&["--percent", percent], 2, &["more than 0 and at most 100", percent]);
    }
    refuse(
        &["--percent", "0.000001"],
        2,
        &["no row of plan_information is kept", "a larger --percent"],
    );
    refuse(&["--rule", "pricing"], 2, &["TABLE='SQL CONDITION'"]);
    refuse(&["--rule", "pricng=true"], 2, &["no table pricng", "did you mean `pricing`?"]);
    refuse(
        &["--rule", "pricing=nonsuch = 1"],
        2,
        &["rule of pricing: column \"nonsuch\" does not exist"],
    );
    let second = "pricing=true); drop table pricing; select (true";
    refuse(&["--rule", second], 2, &["rule of pricing"]);
    refuse(&["--percent", "5", "--from", "druginfo_00077"], 10, &["no build druginfo_00077"]);
    refuse(&["--percent", "5", "--to", "/nonsuch/x.gz"], 2, &["cannot write /nonsuch/x.gz"]);
    world
        .kiln(&["subset", "drginfo", "--percent", "5"])
        .exits(2)
        .says(&["did you mean `druginfo`?"]);
    let part = subset(&world, &["--percent", "50"]);
    let words = ["subset", "druginfo", "--percent", "5", "--from", &part];
    world.kiln(&words).exits(10).says(&["is a subset itself"]);
    let empty = World::new();
    let outcome = empty.kiln(&["subset", "druginfo", "--percent", "5"]).exits(10);
    outcome.says(&["druginfo is not live", "kiln run druginfo"]);
    empty.kiln(&["subset", "druginfo", "--percent", "5", "--dry-run"]).exits(10);
}

#[test]
fn rules_are_data_foreign_keys_are_kept_and_derived_tables_are_made_anew() {
    let world = ruled();
    // A table that keeps nothing of its own accord, and is referred to.
    world.edit("sql/druginfo/subset.toml", "keep = \"all\"", "keep = \"none\"");
    world.edit(
        "sql/druginfo/0002_plan_information.sql",
        "create index plan_information_county_code",
        "alter table plan_information add foreign key (county_code)\n    \
         references geographic_locator (county_code) not valid;\n\
         alter table plan_information validate constraint plan_information_county_code_fkey;\n\
         create index plan_information_county_code",
    );
    let derived = "-- derive\ncreate table plan_count as select contract_id, count(*) as plans\n\
        from plan_information group by 1;\ncomment on table plan_count is 'Plans of a contract.';\n\
        comment on column plan_count.contract_id is 'x';\ncomment on column plan_count.plans is 'x';\n";
    let folder = world.root.join("sql/druginfo");
    let next = std::fs::read_dir(&folder).unwrap().count() - 1;
    std::fs::write(folder.join(format!("{next:04}_plan_count.sql")), derived).unwrap();
    world.kiln(&["schema", "lock", "druginfo"]).succeeds();
    world.kiln(&["schema", "check", "druginfo"]).succeeds();
    world.land(&release(1));
    world.accept("1..9");
    // The key is added after the table it refers to has its own.
    world.kiln(&["run", "druginfo"]).env("KILN_CONNECTIONS", "1").succeeds();
    let mut kiln = world.kiln(&["subset", "druginfo", "--percent", "20", "--json"]);
    let build =
        kiln.env("KILN_CONNECTIONS", "1").succeeds().json()["build"].as_str().unwrap().to_owned();
    let referred =
        "select string_agg(distinct county_code, ',' order by county_code) from plan_information";
    let kept = "select string_agg(county_code, ',' order by county_code) from geographic_locator";
    assert_eq!(world.postgres.value(&build, kept), world.postgres.value(&build, referred));
    assert_ne!(world.postgres.value(&build, kept), world.postgres.value("druginfo", kept));
    let sum = "select sum(plans)::text from plan_count";
    assert_eq!(
        world.postgres.value(&build, sum),
        world.postgres.value(&build, "select count(*)::text from plan_information")
    );

    // What subset.toml says wrongly is named by the check, and by the command.
    world.edit("sql/druginfo/subset.toml", "by = [\"formulary_id\"]", "by = [\"formulary\"]");
    world.edit("sql/druginfo/subset.toml", "[table.geographic_locator]", "[table.geographic]");
    let wrong: [&str; 3] = [
        "sql/druginfo/subset.toml:",
        "no table geographic that the loader fills",
        "rule of basic_drugs_formulary: column \"formulary\" does not exist",
    ];
    world.kiln(&["schema", "check", "druginfo"]).exits(2).says(&wrong);
    world.kiln(&["subset", "druginfo", "--percent", "20"]).exits(2).says(&wrong);
    // Without the file there is nothing to take a share of, and still the whole and conditions.
    std::fs::remove_file(folder.join("subset.toml")).unwrap();
    world.kiln(&["schema", "check", "druginfo"]).succeeds();
    let outcome = world.kiln(&["subset", "druginfo", "--percent", "20"]).exits(2);
    outcome.says(&["subset.toml has no [sample]"]);
    world.kiln(&["subset", "druginfo", "--percent", "100"]).env("KILN_CONNECTIONS", "1").succeeds();
}

#[test]
fn a_live_build_of_another_schema_is_not_cut() {
    let world = ruled();
    world.land(&release(1));
    world.accept("1..2");
    world.night();
    world.edit("sql/druginfo/0009_pricing.sql", "smallint not null", "integer not null");
    world.kiln(&["schema", "lock", "druginfo"]).succeeds();
    let outcome = world.kiln(&["subset", "druginfo", "--percent", "20"]).exits(13);
    outcome.says(&["druginfo_00001 was made with schema version 1, sql/druginfo is at 2"]);
}
