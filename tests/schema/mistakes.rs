//! The mistakes of sql/README.md's table, each made in a copy of the project.

use super::Project;
use crate::support::{Kiln, project};

/// `file:line: message`, as a problem is said.
fn at(file: &str, line: usize, message: &str) -> String {
    format!("  {file}:{line}: {message}")
}

fn of(file: &str, message: &str) -> String {
    format!("  {file}: {message}")
}

#[test]
fn the_project_itself_is_without_fault() {
    let home = tempfile::tempdir().unwrap();
    let mut kiln = Kiln::new(&["schema", "check"]);
    kiln.env("KILN_HOME", &home.path().to_string_lossy()).current_dir(project());
    let outcome = kiln.succeeds();
    for database in std::fs::read_dir(project().join("sources")).unwrap() {
        let database = database.unwrap();
        let line = format!("{}: version ", database.file_name().display());
        let is_checked = outcome.stdout.lines().any(|said| said.starts_with(&line));
        assert!(is_checked || database.path().is_file(), "{line}: {outcome}");
    }
}

#[test]
fn numbers_names_and_sections_are_all_said_at_once() {
    let project = Project::new();
    let sql = |name: &str| format!("sql/druginfo/{name}");
    // a gap, a repeat, two names that are none
    project.rename(&sql("0009_pricing.sql"), &sql("0011_pricing.sql"));
    project.rename(&sql("0003_basic_drugs_formulary.sql"), &sql("0002_basic_drugs_formulary.sql"));
    project.write(&sql("12_extra.sql"), "-- pre-data\n");
    project.write(&sql("0012_Extra.sql"), "-- pre-data\n");
    // sections
    let early = project.edit(
        &sql("0001_geographic_locator.sql"),
        "-- pre-data\n",
        "select 1;\n-- pre-data\n",
    );
    let near = project.edit(&sql("0004_beneficiary_cost.sql"), "-- post-data\n", "-- post data\n");
    let colon = project.edit(
        &sql("0005_insulin_beneficiary_cost.sql"),
        "-- post-data\n",
        "-- Post-data:\n",
    );
    let file = sql("0006_excluded_drugs_formulary.sql");
    let twice = project.read(&file).lines().count() + 1;
    let text =
        format!("{}-- pre-data\nselect 1;\n-- check\nselect 1 where false;\n", project.read(&file));
    project.write(&file, &text);
    let file = sql("0007_indication_based_coverage.sql");
    project.write(&file, "-- a table without a word of what it is\n\n");
    project.check_finds(&[
        of(
            &sql("0002_plan_information.sql"),
            "number 0002 is also that of sql/druginfo/0002_basic_drugs_formulary.sql",
        ),
        of(&sql("0004_beneficiary_cost.sql"), "number 0003 is missing before this file"),
        of(&sql("0011_pricing.sql"), "number 0009 is missing before this file"),
        of(&sql("0012_Extra.sql"), "a schema file is NNNN_table.sql"),
        of(&sql("12_extra.sql"), "a schema file is NNNN_table.sql"),
        at(&sql("0001_geographic_locator.sql"), early, "SQL before the first section marker"),
        at(
            &sql("0004_beneficiary_cost.sql"),
            near,
            "unknown section `post data`; did you mean `post-data`?",
        ),
        of(&sql("0004_beneficiary_cost.sql"), "no `-- post-data` section"),
        at(&sql("0005_insulin_beneficiary_cost.sql"), colon, "unknown section `Post-data"),
        of(&sql("0005_insulin_beneficiary_cost.sql"), "no `-- post-data` section"),
        at(&sql("0006_excluded_drugs_formulary.sql"), twice, "a second `-- pre-data` section"),
        at(
            &sql("0006_excluded_drugs_formulary.sql"),
            twice,
            "misplaced section; their order is pre-data, post-data, derive, check",
        ),
        at(&sql("0006_excluded_drugs_formulary.sql"), twice + 2, "a check has a title"),
        of(
            &sql("0007_indication_based_coverage.sql"),
            "neither a `-- pre-data` nor a `-- derive` section",
        ),
    ]);
}

#[test]
fn sql_that_does_not_run_is_named_by_file_and_line_in_every_file() {
    let project = Project::new();
    let sql = |name: &str| format!("sql/druginfo/{name}");
    let comma = project.edit(
        &sql("0001_geographic_locator.sql"),
        "    county          text,",
        "    county          text",
    );
    let class = project.edit(
        &sql("0002_plan_information.sql"),
        "    premium            numeric(10,2)",
        "    premium            numerik(10,2)",
    );
    // The server points to the end of `select`'s list, lines below the marker.
    let key = project.edit(
        &sql("0003_basic_drugs_formulary.sql"),
        "-- post-data\n",
        "-- post-data\n\ncreate index on\n    basic_drugs_formulary (ndcc);\n",
    );
    let check = project.edit(
        &sql("0004_beneficiary_cost.sql"),
        "-- check: ",
        "-- check: nothing holds\nselect 1 as\n    one\nfrom\n    nowhere;\n-- check: ",
    );
    let full = project.edit(
        &sql("0005_insulin_beneficiary_cost.sql"),
        "-- check: ",
        "-- check: there is one row, always\nselect 1;\n-- check: ",
    );
    project.check_finds(&[
        at(
            &sql("0001_geographic_locator.sql"),
            comma + 1,
            "syntax error at or near \"ma_region_code\" (SQLSTATE 42601)",
        ),
        at(
            &sql("0002_plan_information.sql"),
            class,
            "type \"numerik\" does not exist (SQLSTATE 42704)",
        ),
        at(
            &sql("0003_basic_drugs_formulary.sql"),
            key + 1,
            "column \"ndcc\" does not exist (SQLSTATE 42703)",
        ),
        at(
            &sql("0004_beneficiary_cost.sql"),
            check + 4,
            "relation \"nowhere\" does not exist (SQLSTATE 42P01)",
        ),
        at(
            &sql("0005_insulin_beneficiary_cost.sql"),
            full + 1,
            "check \"there is one row, always\" does not hold on empty tables",
        ),
    ]);
}

#[test]
fn what_tables_specs_and_comments_lack_is_all_said_at_once() {
    let project = Project::new();
    let (sql, sources) = (
        |name: &str| format!("sql/druginfo/{name}.sql"),
        |name: &str| format!("sources/druginfo/{name}.toml"),
    );
    // a table that nothing feeds, a source that feeds nothing
    project.remove(&sources("excluded_drugs_formulary"));
    project.write(&sources("orphans"), &project.read(&sources("geographic_locator")));
    // columns: misspelt, unfed, of a type that kiln does not load
    let spelt = project.edit(
        &sources("geographic_locator"),
        "{ from = \"STATENAME\" }",
        "{ from = \"STATENAME\", to = \"statname\" }",
    );
    let typed = project.edit(&sources("plan_information"), "{ from = \"SNP\"", "{ from = \"SNP\"");
    project.edit(
        &sql("0002_plan_information"),
        "    snp                text,",
        "    snp                inet,",
    );
    // comments
    let table = project.read(&sql("0004_beneficiary_cost"));
    let start = table.find("comment on table").unwrap();
    let end = start + table[start..].find(";\n").unwrap() + 2;
    project.write(&sql("0004_beneficiary_cost"), &format!("{}{}", &table[..start], &table[end..]));
    project.edit(
        &sql("0009_pricing"),
        "comment on column pricing.unit_cost is",
        "comment on column pricing.item_key is",
    );
    project.edit(
        &sql("0009_pricing"),
        "-- post-data\n",
        "create view cheap as select unit_cost from pricing;\n-- post-data\n",
    );
    let outcome = project.check();
    assert_eq!(outcome.code, 2, "{outcome}");
    outcome.says(&[
        &of(&sql("0006_excluded_drugs_formulary"), "table excluded_drugs_formulary has no source sources/druginfo/excluded_drugs_formulary.toml"),
        &of(&sources("orphans"), "source \"orphans\" has no table of that name in sql/"),
        &at(&sources("geographic_locator"), spelt, "table \"geographic_locator\" has no column \"statname\"; did you mean `statename`?"),
        &of(&sources("geographic_locator"), "nothing feeds column statename of table \"geographic_locator\""),
        &at(&sources("plan_information"), typed, "column snp is inet, which kiln cannot load; it can: text, varchar, char, smallint"),
        &of(&sql("0004_beneficiary_cost"), "beneficiary_cost has no comment"),
        &of(&sql("0009_pricing"), "pricing.unit_cost has no comment"),
        "cheap has no comment",
        "cheap.unit_cost has no comment",
        // and the lock, all in one
        "the schema changed and version 1 did not:",
        "- column public.plan_information.snp text",
        "+ column public.plan_information.snp inet",
    ]);
}

#[test]
fn a_table_of_another_name_and_a_database_of_one_folder_are_named() {
    let project = Project::new();
    project.write("sql/half/0001_a.sql", "-- pre-data\ncreate table b (x text);\ncomment on table b is 'b';\ncomment on column b.x is 'x';\n-- post-data\ncreate index on b (x);\n");
    project.write("sources/other/a.toml", "description = \"d\"\nobject = 'x'\ncolumns = [{ from = \"A\" }]\n[format]\ndelimiter = \"|\"\n");
    project.check_finds(&[
        of("sources/half", "no sources for database half"),
        of("sql/half/0001_a.sql", "makes no table a, which its name promises"),
        of("sql/half/0001_a.sql", "table a has no source sources/half/a.toml"),
        of("sql/half/schema.lock", "is missing: no version is locked"),
        of("sql/other", "no schema for database other"),
    ]);
}

#[test]
fn a_spec_with_keys_patterns_and_transforms_that_are_none_is_said_with_the_rest() {
    let project = Project::new();
    let spec = "sources/druginfo/geographic_locator.toml";
    let key = project.edit(spec, "parts   = 1", "prts    = 1");
    let pattern = project.edit(spec, "archive = '(?i)", "archive = '(");
    let word = project.edit(spec, "quoting       = \"none\"", "quoting       = \"non\"");
    let column = project.edit(
        spec,
        "{ from = \"COUNTY\" }",
        "{ from = \"COUNTY\", transforms = [\"uper\"] }",
    );
    project.check_finds(&[
        at(spec, key, "unknown key `prts`; did you mean `parts`?"),
        at(spec, pattern, "`archive` is not a regular expression"),
        at(
            spec,
            word,
            "`quoting` must be one of none, double, found \"non\"; did you mean `none`?",
        ),
        at(spec, column, "unknown transform `uper`; did you mean `upper`?"),
    ]);
}
