//! `schema.lock`: what is a change and what is not, and the version that goes up by one.

use std::path::Path;

use super::Project;

const LOCK: &str = "sql/druginfo/schema.lock";
const TABLE: &str = "sql/druginfo/0001_geographic_locator.sql";

#[test]
fn a_changed_schema_without_a_new_version_is_shown_line_by_line() {
    let project = Project::new();
    project.edit(TABLE, "    county          text,", "    county          text not null,");
    project.edit(TABLE, "add primary key (county_code)", "add primary key (county_code, county)");
    let outcome = project.check();
    assert_eq!(outcome.code, 2, "{outcome}");
    outcome.says(&[
        "sql/druginfo/schema.lock: the schema changed and version 1 did not:",
        "\n      - column public.geographic_locator.county text\n",
        "\n      + column public.geographic_locator.county text not null\n",
        "- constraint public.geographic_locator geographic_locator_pkey PRIMARY KEY (county_code)\n",
        "+ constraint public.geographic_locator geographic_locator_pkey PRIMARY KEY (county_code, county)\n",
        "kiln schema lock",
    ]);
    assert!(!outcome.stderr.contains("plan_information"), "only what changed: {outcome}");
}

#[test]
fn comments_moved_lines_column_order_and_layout_need_no_new_version() {
    let project = Project::new();
    project.edit(TABLE, "SSA county code, five characters", "County by SSA, five characters");
    project.edit(TABLE, "-- 3,279 rows:", "\n\n-- some 3,279 rows:");
    project.edit(
        TABLE,
        "    statename       text,\n    county          text,\n",
        "    county TEXT,\n\n    STATENAME   text,\n",
    );
    project.edit(TABLE, "alter table geographic_locator add primary key (county_code);", "ALTER TABLE public.geographic_locator\n    ADD CONSTRAINT geographic_locator_pkey PRIMARY KEY\n    (county_code);");
    project.kiln(&["schema", "check"]).succeeds();
}

#[test]
fn the_lock_goes_up_by_one_once_and_a_dry_run_writes_nothing() {
    let project = Project::new();
    let first = project.read(LOCK);
    let outcome = project.kiln(&["schema", "lock", "druginfo"]).succeeds();
    assert_eq!(outcome.stdout, "druginfo: version 1, unchanged\n");
    assert_eq!(project.read(LOCK), first);

    project.edit(TABLE, "    county          text,", "    county          text not null,");
    let outcome = project.kiln(&["schema", "lock", "druginfo", "--dry-run"]).succeeds();
    assert!(outcome.stdout.starts_with("druginfo: would be locked as version 2\n"), "{outcome}");
    assert!(outcome.stdout.contains("+ column public.geographic_locator.county text not null"));
    assert_eq!(project.read(LOCK), first);

    let outcome = project.kiln(&["schema", "lock", "druginfo"]).succeeds();
    assert!(outcome.stdout.starts_with("druginfo: is locked as version 2\n"), "{outcome}");
    let second = project.read(LOCK);
    assert!(second.contains("\nversion = 2\n"), "{second}");
    project.kiln(&["schema", "lock"]).succeeds();
    assert_eq!(project.read(LOCK), second);
    project.kiln(&["schema", "check"]).succeeds();

    // Back to what it was is a change as well: apps have seen version 2 as something else.
    project.edit(TABLE, "county          text not null,", "county          text,");
    project.kiln(&["schema", "lock"]).succeeds();
    assert!(project.read(LOCK).contains("\nversion = 3\n"));
}

#[test]
fn the_lock_says_from_which_version_on_readers_are_still_served() {
    let project = Project::new();
    let version = |expected: &str| {
        let lock = project.read(LOCK);
        let said: Vec<&str> = lock.lines().skip(2).take(2).collect();
        assert_eq!(said.join(", "), expected);
    };
    let lock = || project.kiln(&["schema", "lock", "druginfo"]).succeeds();
    // As an older kiln wrote it: its own readers.
    project.edit(LOCK, "serves_from = 1\n", "");
    let function = "create function county_of(code text) returns table (county text) language sql\n\
        as $$ select county from geographic_locator where county_code = code $$;\n\
        comment on function county_of is 'The county of a code.';\n";
    let end = "comment on table geographic_locator is";
    project.edit(TABLE, end, &format!("{function}{end}"));
    let outcome = lock();
    assert!(outcome.stdout.contains("apps that accept version 1 or later need not be asked"));
    version("version = 2, serves_from = 1");

    // A body alone: whether it means something else, only its author knows.
    project.edit(TABLE, "returns table (county text)", "returns table (county text, code text)");
    project.edit(TABLE, "$$ select county from", "$$ select county, county_code from");
    let outcome = lock();
    assert!(outcome.stdout.contains("changed inside: public.county_of; where answers mean"));
    version("version = 3, serves_from = 1");
    project.edit(TABLE, "'The county of a code.'", "'The county of a code. [meaning 2]'");
    let outcome = lock();
    let said = "readers of the version before would miss:\n  \
                public.county_of means something else: [meaning 2]\n";
    assert!(outcome.stdout.contains(said), "{outcome}");
    version("version = 4, serves_from = 4");
    let line = project.edit(LOCK, "serves_from = 4", "serves_from = 5");
    project.check().says(&[&format!("schema.lock:{line}: `serves_from` must be from 1 to 4")]);
}

#[test]
fn a_schema_that_is_broken_is_not_locked() {
    let project = Project::new();
    let before = project.read(LOCK);
    project.edit(
        TABLE,
        "comment on table geographic_locator is",
        "comment on table geographic_locater is",
    );
    let outcome = project.kiln(&["schema", "lock"]).exits(2);
    outcome
        .says(&["0001_geographic_locator.sql:", "relation \"geographic_locater\" does not exist"]);
    assert_eq!(project.read(LOCK), before);
}

#[test]
fn a_missing_lock_is_said_and_made_as_version_1() {
    let project = Project::new();
    project.remove(LOCK);
    project
        .check_finds(&["  sql/druginfo/schema.lock: is missing: no version is locked".to_owned()]);
    project.kiln(&["schema", "lock"]).succeeds();
    assert!(project.read(LOCK).contains("\nversion = 1\n"));
    project.kiln(&["schema", "check"]).succeeds();
}

#[test]
fn a_lock_edited_by_hand_is_refused_with_its_line() {
    let project = Project::new();
    let line = project.edit(LOCK, "version = 1", "versoin = 1");
    let outcome = project.check();
    assert_eq!(outcome.code, 2, "{outcome}");
    outcome.says(&[&format!("schema.lock:{line}: unknown key `versoin`; did you mean `version`?")]);
}

#[test]
fn the_fingerprint_is_the_same_on_every_postgres_that_is_installed() {
    let mut seen = Vec::new();
    let packaged = (15..=18)
        .map(|version| (version.to_string(), format!("/usr/lib/postgresql/{version}/bin")));
    let other = crate::support::pg_bin().map(|bin| ("other".to_owned(), bin.display().to_string()));
    for (version, bin) in packaged.chain(other) {
        if !Path::new(&bin).join("initdb").exists() {
            eprintln!(
                "SKIPPED: Postgres {version} is not installed, so its fingerprint is not compared"
            );
            continue;
        }
        let project = Project::new();
        let outcome =
            project.kiln(&["schema", "check", "--json"]).env("KILN_PG_BIN", &bin).succeeds();
        seen.push((version, outcome.json()[0]["fingerprint"].as_str().unwrap().to_owned()));
    }
    assert!(!seen.is_empty(), "no Postgres is installed");
    assert!(seen.iter().all(|(_, digest)| *digest == seen[0].1), "{seen:?}");
}

/// What a section does beside its table is seen by what it does, and never read out of its text.
#[test]
fn only_a_table_that_its_section_makes_and_nothing_else_is_locked_as_alone() {
    const MORE: [(&str, bool); 14] = [
        ("analyze TABLE;", true),
        ("comment on table TABLE is 'a; b -- c';", true),
        ("create unique index on TABLE (parts);", true),
        (
            "create view seen_TABLE as select contract_id from plan_information;
          comment on view seen_TABLE is 'x'; comment on column seen_TABLE.contract_id is 'x';",
            false,
        ),
        (
            "do $$ begin execute 'create table second_TABLE (code text)'; end $$;
          comment on table second_TABLE is 'x'; comment on column second_TABLE.code is 'x';",
            false,
        ),
        ("create statistics s_TABLE on contract_id, plan_id from plan_information;", false),
        ("alter table plan_information alter column plan_id set statistics 500;", false),
        ("grant select on plan_information to public;", false),
        (
            "create function f_TABLE() returns integer language sql as 'select 1';
          comment on function f_TABLE() is 'x';",
            false,
        ),
        ("create index i_TABLE on plan_information (contract_id);", false),
        ("delete from plan_information where false;", false),
        ("analyze plan_information;", false),
        ("comment on table plan_information is 'Other.';", false),
        (
            "alter table TABLE add column twice integer generated always as (parts * 2) stored;
          comment on column TABLE.twice is 'x';",
            false,
        ),
    ];
    let project = Project::new();
    let folder = std::fs::read_dir(project.path("sql/druginfo")).unwrap();
    let names = folder.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    let first = names.filter(|name| name.starts_with("00")).count() + 1;
    let mut alone: Vec<String> = Vec::new();
    for (at, (more, is_alone)) in MORE.iter().enumerate() {
        let table = format!("tally{at:02}");
        let made = format!(
            "-- derive from plan_information\nset local work_mem = '64MB';
             create table TABLE as select count(*)::integer as parts from plan_information;
             alter table TABLE add primary key (parts);
             comment on table TABLE is 'How many.'; comment on column TABLE.parts is 'Parts.';
             {more}\n"
        );
        let file = format!("sql/druginfo/{:04}_{table}.sql", first + at);
        project.write(&file, &made.replace("TABLE", &table));
        alone.extend(is_alone.then_some(table));
    }
    project.kiln(&["schema", "lock", "druginfo"]).succeeds();
    let lock = project.read("sql/druginfo/schema.lock");
    let said = lock.split("alone = [").nth(1).unwrap().split(']').next().unwrap();
    let mut found: Vec<&str> = said.split('"').skip(1).step_by(2).collect();
    found.sort_unstable();
    alone.sort();
    assert_eq!(found, alone);
}

/// Neither is what a section makes and reads: what a view or a function of it looks up is not what its table is
/// made from, and a view that it reads through hides nothing.
#[test]
fn what_sections_make_and_read_is_locked() {
    let project = Project::new();
    let names = std::fs::read_dir(project.path("sql/druginfo")).unwrap();
    let names = names.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    let first = names.filter(|name| name.starts_with("00")).count() + 1;
    for (at, (table, sql)) in [
        (
            "area",
            "create function looks() returns bigint language sql as 'select count(*) from pricing';
             comment on function looks is 'x';
             create table area as select county_code as code from geographic_locator;
             create view seen as select contract_id from plan_information;
             comment on view seen is 'x'; comment on column seen.contract_id is 'x';",
        ),
        (
            "tally",
            "do $$ begin execute 'create table tally as select ' || 'contract_id as code from se' || 'en'; end $$;",
        ),
    ]
    .iter()
    .enumerate()
    {
        let text = format!(
            "-- derive\n{sql}\nalter table {table} add primary key (code); comment on table {table} is 'x';
             comment on column {table}.code is 'x';\n"
        );
        project.write(&format!("sql/druginfo/{:04}_{table}.sql", first + at), &text);
    }
    let lock = || {
        project.kiln(&["schema", "lock", "druginfo"]).succeeds();
        project.read("sql/druginfo/schema.lock")
    };
    let locked = lock();
    for line in [
        "area derive: looks(), area, seen",
        "tally derive: tally",
        "geographic_locator pre-data: geographic_locator",
        "area derive: geographic_locator",
        "looks(): pricing",
        "tally derive: plan_information, seen",
    ] {
        assert!(locked.contains(&format!("\n  \"{line}\",\n")), "{line}: {locked}");
    }
    // A lock of a kiln before says only what that one looked for; it keeps its version.
    let begin = locked.find("makes = [").unwrap();
    let end = locked.find("catalog = [").unwrap();
    let old = format!("{}{}", &locked[..begin], &locked[end..]);
    project.write("sql/druginfo/schema.lock", &old);
    let outcome = project.kiln(&["schema", "check", "druginfo"]).exits(2);
    outcome.says(&["(`refers`, `alone`, `makes`, `reads`)", "kiln schema lock druginfo"]);
    assert_eq!(lock(), locked);
    // The dictionary says the same.
    project.kiln(&["docs", "druginfo", "--build", "none"]).succeeds();
    let dictionary = project.read("sql/druginfo/DICTIONARY.md");
    for said in ["- reads `geographic_locator`\n", ", `looks`\n", "- reads `pricing`\n"] {
        assert!(dictionary.contains(said), "{said}: {dictionary}");
    }
}

#[test]
fn an_index_that_refers_to_another_table_is_locked_with_it() {
    let project = Project::new();
    let names: Vec<String> = std::fs::read_dir(project.path("sql/druginfo"))
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let number = names.iter().filter(|name| name.starts_with("00")).count();
    for (at, (table, more)) in [
        ("town", "alter table town add primary key (code);"),
        ("street", "alter table street add foreign key (code) references town;"),
    ]
    .iter()
    .enumerate()
    {
        let text = format!(
            "-- pre-data\ncreate table {table} (code text); comment on table {table} is 'x';
             comment on column {table}.code is 'x';\n-- post-data\n{more}
-- derive\ninsert into {table} select null where false;\n"
        );
        project.write(&format!("sql/druginfo/{:04}_{table}.sql", number + 1 + at), &text);
    }
    project.kiln(&["schema", "lock", "druginfo"]).succeeds();
    let lock = project.read("sql/druginfo/schema.lock");
    assert!(lock.contains("refers = [\n  \"street: town\",\n]"), "{lock}");
    // A lock of before this was learned is refused by the check, with what to type, and keeps its version.
    let before: Vec<&str> = lock.lines().filter(|line| line.starts_with("version")).collect();
    let old = lock.replace("refers = [\n  \"street: town\",\n]\n", "");
    project.write("sql/druginfo/schema.lock", &old);
    let outcome = project.kiln(&["schema", "check", "druginfo"]).exits(2);
    outcome.says(&["does not say what the sections do", "kiln schema lock druginfo"]);
    project.kiln(&["schema", "lock", "druginfo"]).succeeds();
    let again = project.read("sql/druginfo/schema.lock");
    assert!(before.iter().all(|line| again.contains(line)), "{again}");
    project.kiln(&["schema", "check", "druginfo"]).succeeds();
}
