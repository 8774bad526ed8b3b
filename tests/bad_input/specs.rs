//! What people write wrongly: specs, schema files, kiln.toml, variables and names. All of it is
//! said at once, with file, line and a suggestion, and no database is left.

use kiln::testing::dev::synth::Release;

use super::{Before, Druginfo, Kept};
use crate::support::World;

/// A world with an own root, in which a release has landed and nothing is live: without one there is nothing
/// to plan, and that is said first.
fn own_root() -> World {
    let mut world = World::new();
    world.own_root();
    world.accept("1");
    world.land(&Release::small(1));
    world
}

/// The line on which a text stands in a file of the root.
fn line_of(world: &World, file: &str, text: &str) -> usize {
    let all = std::fs::read_to_string(world.root.join(file)).unwrap();
    1 + all.lines().position(|line| line.contains(text)).unwrap()
}

#[test]
fn all_that_is_wrong_in_all_specs_is_said_in_one_run() {
    let mut world = World::new();
    world.own_root();
    let druginfo = Druginfo::in_world(world);
    let world = &druginfo.world;
    let spec = |source: &str| format!("sources/druginfo/{source}.toml");
    world.edit(&spec("beneficiary_cost"), "encoding ", "encodng ");
    world.edit(&spec("pricing"), "(?i)(^|/)pricing[", "(?i)((^|/)pricing[");
    world.edit(&spec("plan_information"), "\"SNP\"", "\"SNIP\", to = \"snpp\"");
    world.edit(&spec("pharmacy_networks"), "[\"one_zero\"]", "[\"onezero\"]");
    let at = |source: &str, text: &str| {
        format!("{}:{}: ", spec(source), line_of(world, &spec(source), text))
    };
    let said = [
        "6 problems:".to_owned(),
        "nothing feeds column snp of table \"plan_information\"".to_owned(),
        at("beneficiary_cost", "encodng")
            + "unknown key `format.encodng`; did you mean `encoding`?",
        at("pricing", "archive = ") + "`archive` is not a regular expression: ",
        at("pricing", "member  = ") + "`member` is not a regular expression: ",
        at("plan_information", "snpp")
            + "table \"plan_information\" has no column \"snpp\"; did you mean `snp`?",
        at("pharmacy_networks", "onezero")
            + "unknown transform `onezero`; did you mean `one_zero`?",
    ];
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let before = Before::of(world, "druginfo");
    for command in [["build", "druginfo"], ["run", "druginfo"]] {
        world.kiln(&command).exits(2).says(&said).says(&["\nhint: kiln schema check"]);
        before.unchanged(world, Kept::No);
    }
    let checked = world.kiln(&["schema", "check", "druginfo"]).exits(2);
    checked.says(&said[1..]);
    before.unchanged(world, Kept::No);
}

#[test]
fn a_table_column_that_nothing_feeds_is_named() {
    let world = own_root();
    world.edit("sources/druginfo/pricing.toml", "    { from = \"UNIT_COST\" },\n", "");
    let before = Before::of(&world, "druginfo");
    world.kiln(&["build", "druginfo"]).exits(2).says(&[
        "1 problem:",
        "sources/druginfo/pricing.toml: nothing feeds column unit_cost of table \"pricing\"",
    ]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn a_source_without_a_table_is_named_and_a_table_without_a_source() {
    let world = own_root();
    let folder = world.root.join("sources/druginfo");
    std::fs::rename(folder.join("pricing.toml"), folder.join("prices.toml")).unwrap();
    let before = Before::of(&world, "druginfo");
    world.kiln(&["build", "druginfo"]).exits(2).says(&[
        "sources/druginfo/prices.toml: source \"prices\" has no table of that name in sql/",
    ]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn a_spec_that_is_not_toml_is_named_with_its_line() {
    let world = own_root();
    world.edit("sources/druginfo/pricing.toml", "parts   = 1", "parts   = = 1");
    let line = line_of(&world, "sources/druginfo/pricing.toml", "= = 1");
    let before = Before::of(&world, "druginfo");
    world
        .kiln(&["build", "druginfo"])
        .exits(2)
        .says(&[&format!("sources/druginfo/pricing.toml:{line}: not TOML: ")]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn schema_files_with_gaps_repeats_and_strange_names_are_all_named() {
    let world = own_root();
    let folder = world.root.join("sql/druginfo");
    let rename = |from: &str, to: &str| {
        std::fs::rename(folder.join(from), folder.join(to)).unwrap();
    };
    rename("0003_basic_drugs_formulary.sql", "0013_basic_drugs_formulary.sql");
    rename("0005_insulin_beneficiary_cost.sql", "0004_insulin_beneficiary_cost.sql");
    rename("0009_pricing.sql", "9_pricing.sql");
    std::fs::copy(folder.join("0001_geographic_locator.sql"), folder.join("0008_Plans.sql"))
        .unwrap();
    let before = Before::of(&world, "druginfo");
    world.kiln(&["build", "druginfo"]).exits(2).says(&[
        "sql/druginfo/0004_beneficiary_cost.sql: number 0003 is missing before this file",
        "sql/druginfo/0004_insulin_beneficiary_cost.sql: number 0004 is also that of \
         sql/druginfo/0004_beneficiary_cost.sql",
        "sql/druginfo/0006_excluded_drugs_formulary.sql: number 0005 is missing before this file",
        "sql/druginfo/0013_basic_drugs_formulary.sql: number 0009 is missing before this file",
        "sql/druginfo/9_pricing.sql: a schema file is NNNN_table.sql (a-z, 0-9, _), schema.lock, subset.toml or DICTIONARY.md",
        "sql/druginfo/0008_Plans.sql: a schema file is NNNN_table.sql",
        "hint: kiln schema check",
    ]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn a_statement_that_postgres_refuses_is_named_with_file_and_line() {
    let world = own_root();
    world.edit("sql/druginfo/0009_pricing.sql", "smallint not null", "smalint not null");
    let line = line_of(&world, "sql/druginfo/0009_pricing.sql", "smalint");
    let before = Before::of(&world, "druginfo");
    world.kiln(&["build", "druginfo"]).exits(2).says(&[
        &format!("sql/druginfo/0009_pricing.sql:{line}: type \"smalint\" does not exist"),
        "(SQLSTATE 42704)",
        "hint: kiln schema check",
    ]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn a_missing_lock_file_is_refused_before_any_database_is_made() {
    let world = own_root();
    std::fs::remove_file(world.root.join("sql/druginfo/schema.lock")).unwrap();
    let before = Before::of(&world, "druginfo");
    world
        .kiln(&["build", "druginfo"])
        .exits(2)
        .says(&["sql/druginfo/schema.lock is missing", "hint: kiln schema lock druginfo"]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn unknown_keys_and_variables_are_named_with_what_was_meant() {
    let world = own_root();
    let toml = "[postgres]\nowner_rol = \"x\"\n\n[swap]\ndeadline_seconds = \"soon\"\n";
    std::fs::write(world.root.join("kiln.toml"), toml).unwrap();
    let before = Before::of(&world, "druginfo");
    world
        .kiln(&["run"])
        .env("KILN_CONECTIONS", "3")
        .env("KILN_SWAP_DEADLINE", "soon")
        .exits(2)
        .says(&[
            "4 problems:",
            "kiln.toml:2: unknown key `postgres.owner_rol`; did you mean `owner_role`?",
            "kiln.toml:5: `swap.deadline_seconds` must be a whole number from 0, found string",
            "unknown variable KILN_CONECTIONS; did you mean `KILN_CONNECTIONS`?",
            "KILN_SWAP_DEADLINE must be a whole number from 1 to 86400, found \"soon\"",
            "hint: docs/src/configuration.md has every variable and key",
        ]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn unknown_databases_sources_and_builds_are_answered_with_the_nearest() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let before = Before::of(world, "druginfo");
    let no_database = "no database \"druginf\" (sql/ has: druginfo); did you mean `druginfo`?";
    let no_source = "--without pricin: druginfo has no such source; did you mean `pricing`?";
    for (arguments, said) in [
        (&["run", "druginf"][..], no_database),
        (&["build", "druginf"], no_database),
        (&["land", "druginf", "/x.zip"], no_database),
        (&["swap", "druginf"], no_database),
        (&["run", "druginfo", "--without", "pricin"], no_source),
        (&["build", "druginfo", "--without", "pricin"], no_source),
        (
            &["load", "druginfo", "pricin"],
            "druginfo has no source \"pricin\"; did you mean `pricing`?",
        ),
        (
            &["load", "druginfo", "pricing", "--into", "druginfo_99999"],
            "druginfo has no build druginfo_99999",
        ),
        (&["resume", "druginfo_99999"], "druginfo has no build druginfo_99999"),
        (&["resume", "drug"], "\"drug\" is not a build's name (druginfo_00007, say)"),
    ] {
        world.kiln(arguments).exits(2).says(&["kiln: ", said]);
        before.unchanged(world, Kept::No);
    }
}
