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
