//! D3: a subset takes the place of a whole build by its name only, and on another machine only
//! where that is told by its name as well.

use super::{release, subset, whole};
use crate::support::World;

#[test]
fn only_its_name_makes_a_subset_live_and_nothing_goes_back_to_it() {
    let world = whole();
    let live = world.live();
    let build = subset(&world, &["--percent", "20"]);
    world.kiln(&["swap", "druginfo"]).exits(15).says(&["no sealed build newer than the live one"]);
    world.kiln(&["rollback", "druginfo"]).exits(15).says(&["no previous build"]);
    assert_eq!(world.live(), live);
    world.kiln(&["swap", "druginfo", &build]).succeeds();
    assert_ne!(world.live(), live);
    let said = world.kiln(&["status"]).succeeds();
    assert!(said.stdout.contains("a subset: 20 % of druginfo_00001"), "{said}");
    // Back to the whole one, and not forward to the subset again; a part of it says nothing of it.
    world.kiln(&["rollback", "druginfo"]).succeeds();
    assert_eq!(world.live(), live);
    let rejected = "select count(*)::text from kiln.promoted where rejected is not null";
    assert_eq!(world.postgres.value("kiln", rejected), "0");
    world.kiln(&["rollback", "druginfo"]).exits(15).says(&["no previous build"]);
    assert_eq!(world.live(), live);
}

#[test]
fn a_night_after_a_subset_is_a_whole_one_and_the_subset_takes_no_previous_builds_place() {
    let world = whole();
    let build = subset(&world, &["--percent", "20"]);
    world.night();
    let states = world.states();
    assert_eq!(states.len(), 3, "{states:?}");
    assert!(states.contains(&format!("{build} sealed")), "{states:?}");
    assert!(states.contains(&"druginfo_00001 previous".to_owned()), "{states:?}");
    world.kiln(&["swap", "druginfo", &build]).succeeds();
    world.land(&release(2));
    world.night();
    let whole_rows = world.postgres.value("druginfo", "select build from kiln.stamp");
    assert!(!whole_rows.ends_with("_subset"), "{whole_rows}");
    // What was live before the subset is what rollback goes back to, and not the subset's place.
    let states = world.states();
    assert!(states.iter().any(|state| state.ends_with(" previous")), "{states:?}");
    world.kiln(&["rollback", "druginfo", "--dry-run"]).succeeds();
    assert!(!world.databases().contains(&build), "{:?}", world.states());
}

/// The same server under a name that is not this machine's.
fn elsewhere(world: &mut World) -> String {
    let port = world.postgres.listen(&[]);
    format!("postgresql://loader@127.0.0.2:{port}/postgres?sslmode=disable")
}

#[test]
fn another_machine_must_be_told_by_its_name() {
    let mut world = whole();
    let file = world.folder.path().join("part.sql.gz");
    let file = file.to_string_lossy().into_owned();
    let build = subset(&world, &["--percent", "20", "--to", &file]);
    let url = elsewhere(&mut world);
    let live = world.live();
    let before = world.states();
    let on = |arguments: &[&str]| {
        let mut kiln = world.kiln(arguments);
        kiln.env("KILN_POSTGRES_URL", &url);
        kiln.run()
    };
    for arguments in [&["swap", "druginfo", &build][..], &["restore", &file]] {
        let outcome = on(arguments);
        assert_eq!(outcome.code, 2, "{outcome}");
        outcome.says(&["on 127.0.0.2, which is not this machine", "--on 127.0.0.2"]);
        let outcome = on(&[arguments, &["--on", "127.0.0.3"]].concat());
        assert_eq!(outcome.code, 2, "{outcome}");
    }
    assert_eq!((world.live(), world.states()), (live.clone(), before));
    let outcome = on(&["restore", &file, "--on", "127.0.0.2"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    // There too what is whole stays live.
    assert!(outcome.stdout.contains("druginfo_00001 stays live"), "{outcome}");
    assert_eq!(world.live(), live);
    let outcome = on(&["swap", "druginfo", &build, "--on", "127.0.0.2"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_ne!(world.live(), live);
}
