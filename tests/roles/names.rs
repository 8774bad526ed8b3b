//! Hostile names: for database folders, sources, columns, apps and builds. Each is refused
//! where it is read, or made to the letter; nothing else comes into being.

use kiln::testing::postgres::Ident;
use proptest::prelude::*;

use crate::support::World;

/// Names that somebody might give, or plant.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "a\"; drop database druginfo; --",
        "a';drop table x;--",
        "x;--",
        "a b",
        "A",
        "ünï",
        "аdmin",
        "a\u{200b}b",
        "\u{1f980}",
        "-x",
        "1a",
        "a-b",
        "a.b",
        "$(id)",
        "`id`",
        "%s%n",
        "a\\b",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("a".repeat(64));
    names
}

/// All databases but kiln's own small one, which every night makes where it is missing.
fn databases(world: &World) -> Vec<String> {
    let sql = "select datname::text from pg_database where datname <> 'kiln' order by 1";
    world.postgres.rows("postgres", sql)
}

#[test]
fn a_database_folder_of_a_hostile_name_is_refused() {
    let mut world = World::new();
    world.own_root();
    let before = databases(&world);
    for name in hostile() {
        let folder = world.root.join("sql").join(&name);
        if std::fs::create_dir(&folder).is_err() {
            continue;
        }
        for arguments in [&["run", name.as_str()][..], &["build", &name], &["status", &name]] {
            if name.starts_with('-') {
                continue;
            }
            let outcome = world.kiln(arguments).run();
            assert_eq!(outcome.code, 2, "{outcome}");
        }
        let outcome = world.kiln(&["schema", "check"]).exits(2);
        outcome.says(&["cannot name a database"]);
        std::fs::remove_dir(&folder).unwrap();
    }
    assert_eq!(databases(&world), before);
}

#[test]
fn sources_columns_and_tables_of_hostile_names_are_refused_all_at_once() {
    let mut world = World::new();
    world.own_root();
    // The small database `kiln` is made at the first command; it is not what is looked for here.
    world.kiln(&["status"]).succeeds();
    let before = databases(&world);
    let spec = std::fs::read_to_string(world.root.join("sources/druginfo/geographic_locator.toml"));
    let spec = spec.unwrap();
    let mut columns = String::from("{ from = \"SNP\" }");
    for (index, name) in hostile().iter().enumerate() {
        std::fs::write(world.root.join(format!("sources/druginfo/{name}.toml")), &spec).unwrap();
        let sql = world.root.join(format!("sql/druginfo/0010_{name}.sql"));
        std::fs::write(sql, "-- pre-data\n").unwrap();
        columns.push_str(&format!(",\n{{ from = \"X{index}\", to = {} }}", toml_string(name)));
    }
    world.edit("sources/druginfo/plan_information.toml", "{ from = \"SNP\" }", &columns);
    let outcome = world.kiln(&["schema", "check"]).exits(2);
    for message in ["cannot name a table", "is not a column name", "a schema file is NNNN_"] {
        assert_eq!(
            outcome.stderr.matches(message).count(),
            hostile().len(),
            "{message}: {outcome}"
        );
    }
    world.kiln(&["run", "druginfo"]).exits(2);
    assert_eq!(databases(&world), before);
}

fn toml_string(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn apps_may_have_any_name_and_builds_may_not() {
    let world = World::ready();
    world.night();
    let (before, live) = (databases(&world), world.live());
    let mut apps = vec!["test".to_owned()];
    for name in hostile() {
        let app = format!("--app={name}");
        world.kiln(&["contract", "set", "druginfo", &app, "--accepts", "1"]).succeeds();
        apps.push(name.clone());
        for arguments in [
            vec!["resume", "--", name.as_str()],
            vec!["swap", "druginfo", "--", name.as_str()],
            vec!["load", "druginfo", "pricing", "--into", name.as_str()],
            vec!["guard", "--accepts", "1", "--", name.as_str()],
        ] {
            let outcome = world.kiln(&arguments).run();
            assert!([2, 13, 15].contains(&outcome.code), "{outcome}");
        }
    }
    let sql = "select app from kiln.contract order by app collate \"C\"";
    apps.sort();
    assert_eq!(world.postgres.rows("kiln", sql), apps);
    assert_eq!((databases(&world), world.live()), (before, live));
}

#[test]
fn reserved_words_are_names_like_any_other() {
    let mut world = World::new();
    world.own_root();
    let put = |file: &str, text: &str| {
        let path = world.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put(
        "sql/select/0001_table.sql",
        "-- pre-data\ncreate table \"table\" (\"user\" text, \"order\" integer);\n\
         comment on table \"table\" is 't';\ncomment on column \"table\".\"user\" is 'u';\n\
         comment on column \"table\".\"order\" is 'o';\n-- post-data\ncreate index on \"table\" (\"user\");\n",
    );
    put(
        "sources/select/table.toml",
        "description = \"d\"\nobject = '^a.csv$'\ncolumns = [{ from = \"user\" }, { from = \"order\" }]\n\
         [format]\ndelimiter = \",\"\n",
    );
    let file = world.folder.path().join("a.csv");
    std::fs::write(&file, "user,order\nx';--,1\n\"\"\"\",2\n").unwrap();
    world.kiln(&["schema", "lock", "select"]).succeeds();
    world.kiln(&["land", "select", &file.to_string_lossy()]).succeeds();
    world.kiln(&["contract", "set", "select", "--app", "a", "--accepts", "1"]).succeeds();
    world.kiln(&["run", "select"]).succeeds();
    let rows = world.postgres.rows("select", "select \"user\" from \"table\" order by \"order\"");
    assert_eq!(rows, ["x';--", "\""]);
    world.kiln(&["load", "select", "table"]).succeeds();
    world.kiln(&["prune", "select"]).succeeds();
}

proptest! {
    #[test]
    fn whatever_becomes_an_ident_postgres_keeps_to_the_letter(name in ".{0,70}") {
        if let Some(ident) = Ident::parse(&name) {
            prop_assert!(name.len() <= 63 && !name.is_empty());
            prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            prop_assert!(!name.as_bytes()[0].is_ascii_digit());
            prop_assert_eq!(ident.to_string(), format!("\"{name}\""));
        }
    }

    #[test]
    fn every_plain_name_is_an_ident(name in "[a-z_][a-z0-9_]{0,62}") {
        prop_assert!(Ident::parse(&name).is_some());
    }
}
