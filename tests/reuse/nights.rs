//! Successive nights of generated files, posted again each night under another day: where
//! `kiln synth --then` changed one source that source is loaded, and where it changed none nothing
//! is done. In every database.

use serde_json::Value;

use super::{came_true, digests, loaded, plan, planned, reused};
use crate::support::{World, project};

/// Lands a night's files of a database, `then` being the nights after the first release.
fn posted(world: &World, database: &str, then: &[&str]) {
    let mut arguments = vec!["synth", database, "--scale", "0.0003", "--to", "s3://kiln"];
    for only in then {
        arguments.extend(["--then", only]);
    }
    world.kiln(&arguments).succeeds();
}

#[test]
fn a_night_with_one_changed_source_loads_that_source_and_the_next_night_nothing() {
    let mut world = World::new();
    world.anew = false;
    world.accept("1");
    posted(&world, "druginfo", &[]);
    world.night();
    let first = digests(&world, "druginfo");

    posted(&world, "druginfo", &["pricing"]);
    let said = plan(&world);
    let to_load = planned(&said).into_iter().filter(|(_, action)| action == "load");
    assert_eq!(to_load.map(|(source, _)| source).collect::<Vec<_>>(), ["pricing"], "{said}");
    let anew = world.kiln(&["plan", "druginfo", "--full-refresh", "--json"]).succeeds().json();
    let seconds = |plan: &Value| plan["forecast"]["seconds"].as_f64().unwrap();
    // Which of them is less is told by nights that are long enough: tests/forecast/replay.rs.
    assert_ne!(seconds(&said), seconds(&anew));
    world.night();
    came_true(&world, &said, "druginfo");
    assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
    let from = reused(&world, "druginfo");
    assert!(from.values().flatten().all(|build| build == "druginfo_00001"), "{from:?}");
    let second = digests(&world, "druginfo");
    let differing = first.iter().zip(&second).filter(|(before, after)| before != after);
    let differing: Vec<&String> = differing.map(|(before, _)| before).collect();
    assert_eq!(differing.len(), 1, "{differing:?}");
    assert!(differing[0].starts_with("pricing "), "{differing:?}");

    posted(&world, "druginfo", &["pricing", "nothing"]);
    let (live, said) = (world.live(), plan(&world));
    assert!(planned(&said).values().all(|action| action == "skip"), "{said}");
    let ledger = world.kiln(&["run", "druginfo", "--json"]).succeeds().json();
    let words = ledger["nothing_to_do"].as_str().unwrap();
    assert!(words.ends_with("no content, spec or SQL changed since)"), "{words}");
    assert_eq!(world.live(), live);

    // All that can change does, and is loaded; all else is where it was.
    posted(&world, "druginfo", &["pricing", "basic_drugs_formulary,pharmacy_networks"]);
    world.night();
    assert_eq!(loaded(&world, "druginfo"), ["basic_drugs_formulary", "pharmacy_networks"]);
}

#[test]
fn what_was_posted_again_is_nothing_new_in_any_database() {
    let mut world = World::new();
    world.root = project();
    let key = world.folder.path().join("hash.key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    world.environment.push(("KILN_HASH_KEY_FILE".into(), key.to_string_lossy().into_owned()));
    world.anew = false;
    for (database, changed) in [("planinfo", None), ("beneinfo", Some("bene_enrollment"))] {
        world.kiln(&["contract", "set", database, "--app", "test", "--accepts", "1..2"]).succeeds();
        posted(&world, database, &[]);
        world.kiln(&["run", database]).succeeds();
        posted(&world, database, &["nothing"]);
        let ledger = world.kiln(&["run", database, "--json"]).succeeds().json();
        assert!(ledger["nothing_to_do"].is_string(), "{ledger}");
        let Some(changed) = changed else { continue };
        posted(&world, database, &["nothing", changed]);
        world.kiln(&["run", database]).succeeds();
        assert_eq!(loaded(&world, database), [changed]);
    }
}
