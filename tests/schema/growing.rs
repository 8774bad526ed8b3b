//! A new source is one TOML and one SQL file; a new database is two folders. No Rust: the
//! binary that these tests run was built before they were written to disk.

use kiln::testing::dev::synth::Release;

use crate::support::{World, project};

const PLACE_SQL: &str = "-- pre-data
create table place (
    code    text not null,
    name    text,
    state   text not null,
    people  integer,
    founded date,
    capital boolean
);
comment on table place is 'One row a place.';
comment on column place.code is 'Code, leading zeros count.';
comment on column place.name is 'Name.';
comment on column place.state is 'State, two letters.';
comment on column place.people is 'Inhabitants.';
comment on column place.founded is 'Day of the charter.';
comment on column place.capital is 'Whether it is the capital.';

-- post-data
alter table place add primary key (code);

-- check: a state is two letters
select code from place where state !~ '^[A-Z]{2}$';
";

const DERIVED_SQL: &str = "-- pre-data
create table state_people (state text not null, places bigint not null, people bigint);
comment on table state_people is 'One row a state, from place.';
comment on column state_people.state is 'State, two letters.';
comment on column state_people.places is 'Its places.';
comment on column state_people.people is 'Inhabitants of its places.';

-- post-data
alter table state_people add primary key (state);

-- derive
insert into state_people
select state, count(*), sum(people) from place group by state;

-- check: every place is counted
select 1 from (select sum(places) as places from state_people) s
where s.places <> (select count(*) from place);
";

const PLACE_TOML: &str = r#"description = "Places of a country that is not."
object = '^places_(?<posted>\d{8})\.csv$'
columns = [
    { from = "Code" },
    { from = "Name" },
    { from = "State", transforms = ["upper"] },
    { from = "People" },
    { from = "Founded", transforms = [{ date = "%m/%d/%Y" }] },
    { from = "Capital", transforms = ["yes_no"] },
    { from = "Remark", drop = true },
]

[format]
delimiter = ","
quoting   = "double"
multiline = true
encoding  = "utf-8"

[[filter]]
column = "State"
drop   = ["XX"]
"#;

const CSV: &str = "Code,Name,State,People,Founded,Capital,Remark\r\n\
    00017,\"Ébène, Lower\",CA,1200,07/04/1850,Y,\"said \"\"no\"\"\r\ntwice\"\r\n\
    00018,,ca,34,,N,\r\n\
    00019,Nowhere,XX,1,,N,\r\n\
    00020,Third,WA,,12/31/1999,N,x\r\n";

fn put(world: &World, file: &str, text: &str) {
    let path = world.root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn land(world: &World, database: &str, name: &str, text: &str) {
    let path = world.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    world.kiln(&["land", database, &path.to_string_lossy()]).succeeds();
}

#[test]
fn a_second_database_is_two_folders_from_lock_to_live() {
    let mut world = World::new();
    world.own_root();
    put(&world, "sql/tinyinfo/0001_place.sql", PLACE_SQL);
    put(&world, "sql/tinyinfo/0002_state_people.sql", DERIVED_SQL);
    put(&world, "sources/tinyinfo/place.toml", PLACE_TOML);
    world.kiln(&["schema", "check", "tinyinfo"]).exits(2).says(&["schema.lock: is missing"]);
    world.kiln(&["schema", "lock", "tinyinfo"]).succeeds();
    world.kiln(&["schema", "check"]).succeeds();
    land(&world, "tinyinfo", "places_20260701.csv", CSV);
    world.kiln(&["contract", "set", "tinyinfo", "--app", "map", "--accepts", "1"]).succeeds();
    world.kiln(&["run", "tinyinfo"]).succeeds();

    let rows = |sql: &str| world.postgres.rows("tinyinfo", sql);
    assert_eq!(
        rows(
            "select concat_ws('|', code, name, state, people, founded, capital) from place order by 1"
        ),
        ["00017|Ébène, Lower|CA|1200|1850-07-04|t", "00018|CA|34|f", "00020|Third|WA|1999-12-31|f"]
    );
    assert_eq!(
        rows("select concat_ws('|', state, places, people) from state_people order by 1"),
        ["CA|2|1234", "WA|1"]
    );
    let counts = "select concat_ws('|', lines, header, loaded, rejected, filtered) from kiln.file";
    assert_eq!(rows(counts), ["5|1|3|0|1"]);
    assert_eq!(world.live(), None, "the other database is as it was");
    world.kiln(&["guard", "tinyinfo", "--accepts", "1"]).succeeds();
    let status = world.kiln(&["status", "--json"]).succeeds().json();
    let told = status.as_array().unwrap();
    assert!(told.iter().any(|one| one["database"] == "druginfo" && one["live"].is_null()));
    assert!(told.iter().any(|one| one["live"]["tag"]["database"] == "tinyinfo"));
    // The second night of it, and back.
    let first = world.postgres.contents("tinyinfo");
    land(&world, "tinyinfo", "places_20260801.csv", &CSV.replace("00018", "00021"));
    world.kiln(&["run", "tinyinfo"]).succeeds();
    assert_ne!(world.postgres.contents("tinyinfo"), first);
    world.kiln(&["rollback", "tinyinfo"]).succeeds();
    assert_eq!(world.postgres.contents("tinyinfo"), first);
}

#[test]
fn a_new_source_is_one_toml_and_one_sql_file() {
    let mut world = World::new();
    world.own_root();
    put(&world, "sql/druginfo/0010_place.sql", PLACE_SQL);
    put(&world, "sources/druginfo/place.toml", PLACE_TOML);
    world.land(&Release::small(1));
    // Not locked yet: no night runs with a schema that no version stands for.
    world.accept("1..2");
    land(&world, "druginfo", "places_20260701.csv", CSV);
    world.kiln(&["run", "druginfo"]).exits(13).says(&["+ table public.place", "kiln schema lock"]);
    assert_eq!(world.live(), None);
    world.kiln(&["schema", "lock"]).succeeds();
    world.night();
    assert_eq!(world.postgres.value("druginfo", "select count(*)::text from place"), "3");
    assert_eq!(world.postgres.value("druginfo", "select version::text from kiln.stamp"), "2");
}

/// Two sources of one shape, a view of the second, and a table that is made while keys are built.
fn made_early(world: &World, marker: &str) {
    let second = |text: &str| text.replace("place", "shire");
    put(world, "sql/tinyinfo/0001_place.sql", PLACE_SQL);
    let view = "\ncreate view shire_state as select state, people from shire;
        comment on view shire_state is 'States of shires.';
        comment on column shire_state.state is 'State.';
        comment on column shire_state.people is 'Inhabitants.';\n\n-- post-data";
    put(world, "sql/tinyinfo/0002_shire.sql", &second(PLACE_SQL).replace("\n-- post-data", view));
    put(world, "sources/tinyinfo/place.toml", PLACE_TOML);
    put(world, "sources/tinyinfo/shire.toml", &second(PLACE_TOML));
    let sql = "select state, sum(people)::bigint as people
        from (select state, people from place union all select state, people from shire_state) as both_of
        group by state";
    let made = format!(
        "{marker}\ncreate table state_people as {sql};
        comment on table state_people is 'One row a state.';
        comment on column state_people.state is 'State.';
        comment on column state_people.people is 'Inhabitants.';\n"
    );
    put(world, "sql/tinyinfo/0003_state_people.sql", &made);
}

#[test]
fn a_table_made_while_keys_are_built_names_every_table_that_it_reads() {
    let mut world = World::new();
    world.own_root();
    made_early(&world, "-- derive from place, shore");
    let check = ["schema", "check", "tinyinfo"];
    let file = "sql/tinyinfo/0003_state_people.sql:1: ";
    world.kiln(&check).exits(2).says(&[
        &format!("{file}no source fills shore, which its marker names; did you mean `shire`?"),
        &format!("{file}reads shire, which its marker does not name: `-- derive from place, shore, shire`"),
    ]);
    made_early(&world, "-- derive from place, shire");
    world.kiln(&["schema", "lock", "tinyinfo"]).succeeds();
    land(&world, "tinyinfo", "places_20260701.csv", CSV);
    land(&world, "tinyinfo", "shires_20260701.csv", &CSV.replace("1200", "1"));
    world.kiln(&["contract", "set", "tinyinfo", "--app", "map", "--accepts", "1"]).succeeds();
    let night = world.kiln(&["build", "tinyinfo", "--json"]).succeeds().json();
    assert!(night["used"]["keyed"]["state_people"].is_f64(), "not made behind rows: {night}");
    let build = night["build"].as_str().unwrap();
    let rows = |sql: &str| world.postgres.rows(build, sql);
    let all = rows("select concat_ws('|', state, people) from state_people order by 1");
    assert_eq!(all, ["CA|1269", "WA"]);
    let frozen =
        "select relname::text from pg_class where relkind = 'r' and relallvisible < relpages
        and relnamespace = 'public'::regnamespace";
    assert_eq!(rows(frozen), Vec::<String>::new());
}

#[test]
fn a_table_that_a_source_fills_is_not_made_from_tables() {
    let mut world = World::new();
    world.own_root();
    made_early(&world, "-- derive from place, shire");
    world.kiln(&["schema", "lock", "tinyinfo"]).succeeds();
    // The catalog is the same: nothing but the specs tell.
    let check = "-- check: a state";
    let made = "-- derive from shire\nupdate place set name = 'x';\n\n";
    world.edit("sql/tinyinfo/0001_place.sql", check, &format!("{made}{check}"));
    let said =
        "sql/tinyinfo/0001_place.sql:21: a source fills place: it is not made from tables, too";
    world.kiln(&["schema", "check", "tinyinfo"]).exits(2).says(&[said]);
    land(&world, "tinyinfo", "places_20260701.csv", CSV);
    land(&world, "tinyinfo", "shires_20260701.csv", CSV);
    world.kiln(&["build", "tinyinfo"]).exits(2).says(&[said, "hint: kiln schema check"]);
}

#[test]
fn a_build_refuses_a_table_that_was_made_before_what_it_reads_was_there() {
    let mut world = World::new();
    world.own_root();
    made_early(&world, "-- derive from place, shire");
    world.kiln(&["schema", "lock", "tinyinfo"]).succeeds();
    // The catalog is the same: nothing but the build itself can tell.
    made_early(&world, "-- derive from place");
    land(&world, "tinyinfo", "places_20260701.csv", CSV);
    land(&world, "tinyinfo", "shires_20260701.csv", CSV);
    world.kiln(&["build", "tinyinfo"]).exits(2).says(&[
        "sql/tinyinfo/0003_state_people.sql:1: reads shire, which its marker does not name",
        "hint: kiln schema check",
    ]);
}

#[test]
fn a_source_that_a_table_was_not_made_from_can_still_be_loaded_by_hand() {
    let mut world = World::new();
    world.own_root();
    made_early(&world, "-- derive from place, shire");
    let third = |text: &str| text.replace("place", "town");
    put(&world, "sql/tinyinfo/0004_town.sql", &third(PLACE_SQL));
    put(&world, "sources/tinyinfo/town.toml", &third(PLACE_TOML));
    world.kiln(&["schema", "lock", "tinyinfo"]).succeeds();
    for name in ["places", "shires"] {
        land(&world, "tinyinfo", &format!("{name}_20260701.csv"), CSV);
    }
    land(&world, "tinyinfo", "towns_20260701.csv", "Code,Name\r\n1,x\r\n");
    let failed = world.kiln(&["build", "tinyinfo"]).exits(11);
    assert!(failed.stderr.contains("tinyinfo_00001"), "{failed}");
    let build = "tinyinfo_00001";
    let made = "select subject from kiln.task where kind = 'derive' and state = 'done'";
    assert_eq!(world.postgres.rows(build, made), ["state_people"]);
    world.kiln(&["load", "tinyinfo", "shire", "--into", build]).exits(2).says(&[
        "tinyinfo_00001 already has state_people, made from the rows of shire as they are",
        "hint: land the mended file, then: kiln run tinyinfo",
    ]);
    land(&world, "tinyinfo", "towns_20260702.csv", CSV);
    world.kiln(&["load", "tinyinfo", "town", "--into", build]).succeeds();
    world.kiln(&["resume", build]).succeeds();
    let all = "select concat_ws('|', state, people) from state_people order by 1";
    assert_eq!(world.postgres.rows(build, all), ["CA|2468", "WA"]);
}

#[test]
fn keys_and_a_table_that_is_made_beside_them_never_wait_for_each_other_for_ever() {
    let mut world = World::new();
    world.root = project();
    world.own_root();
    // It begins with the dictionary whose key comes last, and takes its time before it reads the others.
    let slowly = "select 1 from network_terms limit 1;\nselect pg_sleep(0.5);\nset local work_mem";
    world.edit("sql/druginfo/0017_pharmacy.sql", "set local work_mem", slowly);
    world.land(&Release::small(1));
    let others = [
        "landscape",
        "ndc_product",
        "ndc_package",
        "nppes_pharmacy",
        "ssa_fips_county",
        "zip_county",
    ];
    let without: Vec<&str> = others.iter().flat_map(|source| ["--without", source]).collect();
    for _ in 0..4 {
        world.kiln(&[&["build", "druginfo"], without.as_slice()].concat()).succeeds();
    }
}

/// What is made while keys are built can rely on none, neither of its own nor of what it reads: a build
/// would be refused on some nights and not on others.
#[test]
fn a_table_that_is_made_early_and_needs_a_key_is_refused_by_the_check() {
    let mut world = World::new();
    world.own_root();
    let pre = "-- pre-data\ncreate table state_people (state text, people bigint);
        comment on table state_people is 'One row a state.';
        comment on column state_people.state is 'State.';
        comment on column state_people.people is 'Inhabitants.';
        -- post-data\nalter table state_people add primary key (state);\n"
        .replace("        --", "--");
    let sql =
        "insert into state_people select state, 1 from place on conflict (state) do nothing;\n";
    put(&world, "sql/tinyinfo/0001_place.sql", PLACE_SQL);
    put(&world, "sources/tinyinfo/place.toml", PLACE_TOML);
    for (marker, code) in [("-- derive from place", 2), ("-- derive", 0)] {
        put(&world, "sql/tinyinfo/0002_state_people.sql", &format!("{pre}{marker}\n{sql}"));
        let said = world.kiln(&["schema", "lock", "tinyinfo"]).exits(code);
        if code == 2 {
            said.says(&[
                "sql/tinyinfo/0002_state_people.sql:9: there is no unique or exclusion constraint",
            ]);
        }
    }
}
