//! Every database that there is, on its case: the rules are data, and a new database brings its own.

use std::collections::BTreeSet;

use super::digests;
use crate::cases;
use crate::support::{World, project};

fn databases() -> Vec<String> {
    let folders = std::fs::read_dir(project().join("tests/cases")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert!(names.len() >= 3, "{names:?}");
    names
}

fn subset(world: &World, database: &str, arguments: &[&str]) -> String {
    let words = [&["subset", database, "--json"], arguments].concat();
    let outcome = world.kiln(&words).succeeds();
    outcome.json()["build"].as_str().unwrap().to_owned()
}

/// The tables' contents, one line a table.
fn contents(world: &World, database: &str) -> BTreeSet<String> {
    world.postgres.contents(database).unwrap().1.lines().map(str::to_owned).collect()
}

/// Whether files of this database are refused: a source of it is about people.
fn is_personal(database: &str) -> bool {
    let specs = std::fs::read_dir(project().join("sources").join(database)).unwrap();
    let text = |spec: std::fs::DirEntry| std::fs::read_to_string(spec.path()).unwrap();
    specs.into_iter().any(|spec| text(spec.unwrap()).contains("\npersonal = true"))
}

#[test]
fn of_every_database_a_hundred_percent_is_the_whole_and_less_is_a_part_that_passes_its_checks() {
    for database in databases() {
        let world = cases::live(&database);
        let whole = contents(&world, &database);
        let all = subset(&world, &database, &["--percent", "100"]);
        let copied = contents(&world, &all);
        let differ: Vec<_> = whole.symmetric_difference(&copied).collect();
        assert!(differ.is_empty(), "{database}: {differ:#?}");
        assert_eq!(as_sent(&world, &all), as_sent(&world, &database), "{database}");
        let rules = project().join("sql").join(&database).join("subset.toml");
        assert!(rules.is_file(), "{database} declares no rules: {}", rules.display());
        let half =
            world.kiln(&["subset", &database, "--percent", "50", "--json"]).succeeds().json();
        assert_eq!(half["ledger"]["warnings"].as_array().unwrap().len(), 0, "{half}");
        let half = half["build"].as_str().unwrap();
        assert_eq!(subset_rows(&world, half, &database), Vec::<String>::new());
        assert_ne!(contents(&world, half), whole, "{database}: half of it is all of it");
        assert_eq!(contents(&world, &database), whole);
    }
}

/// The digests of tables that hold what was sent to them: jsonb is kept in a form of Postgres's
/// own, so that a digest over what is stored is not the loader's.
fn as_sent(world: &World, build: &str) -> Vec<String> {
    let sql = "select source || ' ' || rows || ' ' || digest from kiln.source
        where not exists (select from information_schema.columns c
                          where c.table_name = source and c.data_type = 'jsonb') order by 1";
    world.postgres.rows(build, sql)
}

/// Tables that have more rows in the part than in the whole.
fn subset_rows(world: &World, part: &str, whole: &str) -> Vec<String> {
    let sql = "select source || ' ' || rows from kiln.source order by 1";
    let rows = |database: &str| world.postgres.rows(database, sql);
    let number = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    let pairs = rows(part).into_iter().zip(rows(whole));
    pairs.filter(|(part, whole)| number(part) > number(whole)).map(|(part, _)| part).collect()
}

#[test]
fn every_database_goes_through_a_file_but_people_stay_where_they_are() {
    for database in databases() {
        let world = cases::live(&database);
        let file = world.folder.path().join("part.sql.gz");
        let file = file.to_string_lossy().into_owned();
        let words = ["subset", database.as_str(), "--percent", "50", "--to", &file, "--json"];
        if is_personal(&database) {
            let outcome = world.kiln(&words).exits(2);
            outcome.says(&["holds personal data", "is not written to a file"]);
            assert!(!std::path::Path::new(&file).exists());
            continue;
        }
        let build = world.kiln(&words).succeeds().json()["build"].as_str().unwrap().to_owned();
        let laptop = World::new();
        laptop.kiln(&["restore", &file]).succeeds();
        let (here, there) = (contents(&world, &build), contents(&laptop, &database));
        let differ: Vec<_> = here.symmetric_difference(&there).collect();
        assert!(differ.is_empty(), "{database}: {differ:#?}");
        assert_eq!(digests(&laptop, &database), digests(&world, &build), "{database}");
    }
}
