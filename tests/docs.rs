//! The data dictionary: the same bytes from the same files, stale when they change, refused when a
//! comment is missing; and a page that is well formed, finds every column, shows nothing of people
//! and is not taken over by what comments and values hold.

mod html;

use std::path::PathBuf;

use html::Html;

use crate::schema::Project;
use crate::support::World;

const MARKDOWN: &str = "sql/druginfo/DICTIONARY.md";

#[test]
fn the_markdown_is_the_same_every_time_and_stale_when_a_comment_changes() {
    let project = Project::new();
    let _ = std::fs::remove_file(project.path(MARKDOWN));
    let check = ["docs", "--check"];
    project.kiln(&check).exits(2).says(&[
        "sql/druginfo/DICTIONARY.md is stale:\nsql/druginfo/DICTIONARY.md is not there",
        "hint: kiln docs druginfo",
    ]);
    let write = || project.kiln(&["docs", "--build", "none"]).succeeds();
    assert!(write().stdout.contains("DICTIONARY.md written"));
    let first = project.read(MARKDOWN);
    assert!(write().stdout.contains("DICTIONARY.md unchanged"));
    assert_eq!(project.read(MARKDOWN), first);
    project.kiln(&check).succeeds();
    project.kiln(&["schema", "check"]).succeeds();

    let file = "sql/druginfo/0002_plan_information.sql";
    project.edit(file, "'Organisation that holds the contract. [file]'", "'Who holds it. [file]'");
    std::fs::remove_dir_all(project.path("home/docs")).unwrap();
    let outcome = project.kiln(&check).exits(2);
    outcome.says(&[
        "\n--- sql/druginfo/DICTIONARY.md\n+++ what kiln docs writes\n",
        "\n-| `contract_name` | text | `CONTRACT_NAME` | Organisation that holds the contract. [file] |\n",
        "\n+| `contract_name` | text | `CONTRACT_NAME` | Who holds it. [file] |\n",
        "\nhint: kiln docs druginfo\n",
    ]);
    let entry = &project.kiln(&["docs", "--check", "--json"]).exits(2).json()[0];
    assert_eq!((&entry["stale"], &entry["html"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(project.read(MARKDOWN), first, "a check writes nothing");
    assert!(!project.path("home/docs").exists(), "a check writes nothing");
    write();
    project.kiln(&check).succeeds();
    assert!(project.read(MARKDOWN).contains("Who holds it."));
}

#[test]
fn a_spec_that_feeds_a_column_otherwise_makes_the_markdown_stale() {
    let project = Project::new();
    project.kiln(&["docs", "--build", "none"]).succeeds();
    let spec = "sources/druginfo/geographic_locator.toml";
    project.edit(spec, "{ from = \"COUNTY\" }", "{ from = \"COUNTY\", transforms = [\"upper\"] }");
    project.kiln(&["docs", "--check"]).exits(2).says(&["| `COUNTY`; upper case |"]);
}

#[test]
fn a_missing_comment_is_named_and_nothing_is_written() {
    let project = Project::new();
    let file = "sql/druginfo/0002_plan_information.sql";
    project.edit(file, "comment on column plan_information.premium is", "select ");
    let text = project.read(file).replace(
        "-- post-data",
        "create function dear(p numeric) returns boolean language sql as 'select p > 100';\n-- post-data",
    );
    project.write(file, &text);
    let before = std::fs::read_to_string(project.path(MARKDOWN)).ok();
    for arguments in [&["docs", "--check"][..], &["docs", "--build", "none"]] {
        project.kiln(arguments).exits(2).says(&[
            "2 problems",
            "sql/druginfo/0002_plan_information.sql: plan_information.premium has no comment",
            "function dear(p numeric) has no comment",
        ]);
    }
    assert_eq!(std::fs::read_to_string(project.path(MARKDOWN)).ok(), before);
    assert!(!project.path("home/docs").exists());
}

/// What a comment or a value may try.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)> | `b` ]]> & \" [a](javascript:b)";

/// Occurs in the file about people, and must occur nowhere else.
const CANARY: &str = "Zyxwvutsson";

const PLACE_SQL: &str = "-- pre-data
create table place (code text not null, name text, state text, more jsonb);
comment on table place is 'One row a place. HOSTILE';
comment on column place.code is 'Code, leading zeros count. [file]';
comment on column place.name is 'HOSTILE';
comment on column place.state is 'State, two letters; joins person_state.state.';
comment on column place.more is 'What else there is.';
-- post-data
alter table place add primary key (code);
-- check: a state is two letters
select code from place where state !~ '^[A-Z]{2}$';
";

const PERSON_SQL: &str = "-- pre-data
create table person (id uuid not null, surname text, born date, state text);
comment on table person is 'One row a person.';
comment on column person.id is 'A keyed hash.';
comment on column person.surname is 'Surname.';
comment on column person.born is 'Birthday.';
comment on column person.state is 'State, two letters.';
-- post-data
alter table person add primary key (id);
";

const STATE_SQL: &str = "-- derive
create table person_state as
select state, count(*) as people, max(surname) as last,
       jsonb_build_object(max(surname), 1) as more from person group by state;
alter table person_state add primary key (state);
comment on table person_state is 'One row a state.';
comment on column person_state.state is 'State, two letters.';
comment on column person_state.people is 'Its people.';
comment on column person_state.last is 'The last of its surnames.';
comment on column person_state.more is 'Documents whose keys are surnames.';
create view place_of_app as select code, name from place;
comment on view place_of_app is 'What apps read of place.';
comment on column place_of_app.code is 'Code.';
comment on column place_of_app.name is 'Name.';
create function places_of(wanted text default 'CA') returns table (code text, name text)
language sql stable as 'select code, name from place where state = wanted';
comment on function places_of(text) is 'The places of a state. HOSTILE';
";

const PLACE_TOML: &str = r#"description = "Places."
object = '^places_(?<posted>\d{8})\.csv$'
columns = [{ from = "Code" }, { from = ["Name", "Place Name"] }, { from = "State", transforms = ["upper"] }]
format = { delimiter = "," }
others = { to = "more" }
"#;

const PERSON_TOML: &str = r#"description = "People."
object = '^people_(?<posted>\d{8})\.csv$'
personal = true
columns = [
    { from = "Id", transforms = ["keyed_hash"] },
    { from = "Surname" },
    { from = "Born", transforms = [{ date = "%Y-%m-%d" }] },
    { from = "State" },
]
format = { delimiter = "," }
"#;

/// A live build of a database with places, people, a derived table, a view and a function.
fn odd_world() -> World {
    let mut world = World::new();
    world.own_root();
    for (file, text) in [
        ("sql/oddinfo/0001_place.sql", PLACE_SQL),
        ("sql/oddinfo/0002_person.sql", PERSON_SQL),
        ("sql/oddinfo/0003_person_state.sql", STATE_SQL),
        ("sources/oddinfo/place.toml", PLACE_TOML),
        ("sources/oddinfo/person.toml", PERSON_TOML),
    ] {
        let path = world.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("HOSTILE", HOSTILE)).unwrap();
    }
    let key = world.folder.path().join("key");
    std::fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
    let key = key.to_string_lossy().into_owned();
    world.environment.push(("KILN_HASH_KEY_FILE".to_owned(), key));
    let quoted = HOSTILE.replace('"', "\"\"");
    let mut places = String::from("Code,Name,State,<b>Odd\n00017,,ca,17 pumps\n");
    let mut people = String::from("Id,Surname,Born,State\n");
    for number in 0..20 {
        places.push_str(&format!("{number:05}x,\"{quoted}\",wa,\n"));
        people.push_str(&format!("{number},{CANARY},1931-02-03,CA\n"));
    }
    world.put("oddinfo", "places_20260701.csv", places.as_bytes());
    world.put("oddinfo", "people_20260701.csv", people.as_bytes());
    world.kiln(&["schema", "lock", "oddinfo"]).succeeds();
    world.kiln(&["contract", "set", "oddinfo", "--app", "map", "--accepts", "1"]).succeeds();
    world.kiln(&["run", "oddinfo"]).succeeds();
    world
}

fn page(world: &World) -> (String, PathBuf) {
    let folder = world.folder.path().join("site");
    let outcome =
        world.kiln(&["docs", "oddinfo", "--out", &folder.to_string_lossy(), "--json"]).succeeds();
    let entry = &outcome.json()[0];
    assert_eq!(entry["build"], world.newest_build().as_str(), "{outcome}");
    let path = folder.join("oddinfo.html");
    assert_eq!(entry["html"], path.to_string_lossy().as_ref(), "{outcome}");
    assert!(!outcome.stdout.contains(CANARY) && !outcome.stderr.contains(CANARY), "{outcome}");
    (std::fs::read_to_string(&path).unwrap(), path)
}

#[test]
fn the_page_of_a_build_is_well_formed_finds_every_column_and_shows_nothing_of_people() {
    let world = odd_world();
    let (text, _) = page(&world);
    let html = Html::read(&text);

    // well formed, whole in itself, and nobody's but kiln's
    assert_eq!(html.problems(), Vec::<String>::new());
    assert_eq!(html.count("script"), 2);
    assert_eq!(html.count("img"), 0);
    let outward: Vec<&str> = html
        .attributes("href")
        .filter(|to| !to.starts_with('#') && !to.ends_with(".html"))
        .collect();
    assert_eq!(outward, Vec::<&str>::new());
    assert_eq!(html.attributes("src").count(), 0);
    assert!(html.words.contains(HOSTILE), "a comment is read as it was written");

    // every table and column has its place, and is found
    let index: Vec<[String; 5]> = serde_json::from_str(&html.index).unwrap();
    let columns = world.postgres.rows(
        "oddinfo",
        "select attrelid::regclass || '.' || attname from pg_attribute a
         join pg_class c on c.oid = a.attrelid
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') and attnum > 0",
    );
    assert_eq!(columns.len(), 14);
    for column in &columns {
        assert!(html.ids.contains(column), "{column} has no place");
        let entry = index.iter().find(|entry| entry[0] == *column);
        let entry = entry.unwrap_or_else(|| panic!("{column} is not found"));
        assert_eq!(format!("{}.{}", entry[2], entry[1]), *column);
    }
    assert!(index.iter().all(|entry| html.ids.contains(&entry[0])), "{index:?}");
    assert!(index.iter().any(|entry| entry[1] == "places_of" && entry[4].contains("wanted")));
    assert!(
        index
            .iter()
            .any(|entry| entry[0] == "place.name" && entry[4].contains("[Name, Place Name]"))
    );

    // a key of a document is as good as a column; one about people is not told
    let keys: Vec<&str> = index.iter().filter(|e| e[3] == "key").map(|e| e[1].as_str()).collect();
    assert_eq!(keys, ["<b>Odd"]);
    assert!(html.words.contains("<b>Odd 5 % 17 pumps"), "{}", html.words);

    // what the build found
    for said in [
        "21, ",
        "all different",
        "posted 2026-07-01",
        "5 % null",
        "00000x to 00019x",
        "Name or Place Name",
    ] {
        assert!(html.words.contains(said), "{said:?} is not in {}", html.words);
    }
    assert!(html.attributes("href").any(|to| to == "#person_state.state"), "comments are linked");

    // nothing of people: not the text, not the hash, not what was derived from it
    let hash = world.postgres.value("oddinfo", "select min(id::text) from person");
    for secret in [CANARY, "1931-02-03", &hash] {
        assert!(!text.contains(secret), "{secret} is on the page");
        let markdown =
            std::fs::read_to_string(world.root.join("sql/oddinfo/DICTIONARY.md")).unwrap();
        assert!(!markdown.contains(secret) && !world.log().contains(secret));
    }
    assert!(html.words.contains("values not shown"));
}

#[test]
fn the_markdown_tells_views_from_raw_tables_and_where_each_column_comes_from() {
    let world = odd_world();
    page(&world);
    let text = std::fs::read_to_string(world.root.join("sql/oddinfo/DICTIONARY.md")).unwrap();
    let order = [
        "\n## Views\n",
        "\n### place_of_app\n",
        "\n## Derived tables\n",
        "\n### person_state\n",
        "\n## Functions\n",
        "\n### places_of\n",
        "\n## Raw tables\n",
        "\n### place\n",
        "\n### person\n",
    ];
    let places: Vec<usize> = order.iter().map(|part| text.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{text}");
    for line in [
        "- made by `sql/oddinfo/0003_person_state.sql` (`-- derive`)",
        "- reads `person`",
        "- read by `place_of_app`, `places_of`",
        "- about people: no value of it is ever shown",
        "- checked: a state is two letters",
        "| **`code`** | text not null | `Code` | Code, leading zeros count. [file] |",
        "| `state` | text | `State`; upper case | State, two letters; joins person_state.state. |",
        "| **`id`** | uuid not null | `Id`; a keyed hash in place of the content | A keyed hash. |",
        "| `wanted` | text default `'CA'` |",
        "- returns rows, stable",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line:?} is not in\n{text}");
    }
    // Nothing hostile is markup: no tag begins, and no cell ends early.
    assert!(!text.contains("<img") && !text.contains("</script"), "{text}");
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let name = text.lines().find(|line| line.starts_with("| `name` | text | `Name`")).unwrap();
    assert_eq!(cells(name), 5, "{name}");
}

#[test]
fn a_build_is_asked_by_its_name_and_one_that_is_none_is_refused() {
    let world = odd_world();
    let build = world.newest_build();
    let folder = world.folder.path().join("site").to_string_lossy().into_owned();
    let ask = |build: &str| {
        let mut arguments = vec!["docs", "oddinfo", "--json", "--out", &folder, "--build"];
        arguments.push(build);
        world.kiln(&arguments).run()
    };
    let named = ask(&build);
    assert_eq!(named.json()[0]["build"], build.as_str(), "{named}");
    let none = ask("none");
    assert_eq!(none.json()[0]["build"], serde_json::Value::Null, "{none}");
    let text = std::fs::read_to_string(world.folder.path().join("site/oddinfo.html")).unwrap();
    assert!(Html::read(&text).words.contains("No build is shown"));
    let wrong = ask("oddinfo_99999");
    assert_eq!(wrong.code, 2, "{wrong}");
    wrong.says(&["\"oddinfo_99999\" is not a sealed build", "hint: kiln status"]);
}
