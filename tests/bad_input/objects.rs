//! Objects that are not there, or not there any more, or another by now.

use kiln::testing::dev::synth::Release;

use super::{Before, Druginfo, Kept};
use crate::support::World;

/// Runs the night, does `act` at the moment when the manifest is fixed, and waits for the end.
fn night_with(world: &World, act: impl FnOnce()) -> crate::support::Outcome {
    let pause = world.folder.path().join("pause");
    let failpoint = format!("manifest=pause:{}", pause.display());
    let running = world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", &failpoint).start();
    while !pause.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    act();
    std::fs::remove_file(&pause).unwrap();
    running.wait()
}

#[test]
fn an_empty_listing_says_where_it_looked() {
    let world = World::new();
    world.accept("1");
    let before = Before::of(&world, "druginfo");
    world.kiln(&["run", "druginfo"]).exits(10).says(&[
        "kiln: druginfo is as it was: nothing has landed under s3://kiln/druginfo/",
        "\nhint: kiln land druginfo FILE",
    ]);
    before.unchanged(&world, Kept::No);
    world.kiln(&["build", "druginfo", "--dry-run"]).exits(10).says(&["nothing has landed under"]);
    world.kiln(&["load", "druginfo", "pricing"]).exits(10).says(&["nothing has landed under"]);
    before.unchanged(&world, Kept::No);
}

#[test]
fn a_source_that_finds_no_object_is_named_with_its_pattern() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    // A monthly release has no pricing file, and its name says so.
    let key = objects(world).remove(0);
    remove(world, &key);
    let zip = std::fs::read(world.folder.path().join("SPUF_2026_20260701.zip")).unwrap();
    world.put("druginfo", "2026_20260701.zip", &zip);
    druginfo.refuses_landed(
        10,
        Kept::No,
        &[
            "no object for pricing (`(?i)^SPUF_",
            "), among 1 under s3://kiln/druginfo/",
            "kiln land druginfo FILE, or leave out: kiln run druginfo --without pricing",
        ],
    );
    world.kiln(&["run", "druginfo", "--without", "pricing"]).succeeds();
}

#[test]
fn an_object_that_vanishes_after_the_manifest_is_named() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let key = objects(world).remove(0);
    let outcome = night_with(world, || remove(world, &key));
    assert_eq!(outcome.code, 10, "{outcome}");
    outcome.says(&[
        &format!("read s3://kiln/{key}: there is no such object"),
        "hint: kiln land DATABASE FILE; once S3 has it again: kiln run druginfo",
    ]);
    druginfo.before.unchanged(world, Kept::No);
}

#[test]
fn an_object_replaced_after_the_manifest_is_never_mixed_with_the_old_one() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let key = objects(world).remove(0);
    let outcome = night_with(world, || {
        let path = world.folder.path().join("other.zip");
        Release::small(9).write(std::fs::File::create(&path).unwrap()).unwrap();
        let target = world.folder.path().join("s3/kiln").join(&key);
        std::fs::rename(&path, target).unwrap();
    });
    assert_eq!(outcome.code, 10, "{outcome}");
    outcome.says(&[
        &format!("read s3://kiln/{key}: the object is not the pinned one any more"),
        "hint: run again: a new build pins the new object",
    ]);
    druginfo.before.unchanged(world, Kept::No);
    world.night();
}

#[test]
fn a_plain_object_replaced_after_the_manifest_is_named() {
    let tiny = super::tiny::Tiny::new(super::tiny::CSV);
    let world = &tiny.world;
    tiny.takes("item_20260701.csv", b"code,name,amount,count\na,A,1.00,1\n");
    let before = Before::of(world, "tiny");
    let pause = world.folder.path().join("pause");
    let failpoint = format!("manifest=pause:{}", pause.display());
    let running = world.kiln(&["run", "tiny"]).env("KILN_FAILPOINT", &failpoint).start();
    while !pause.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The same size: only the entity tag tells.
    let key = world.put("tiny", "item_20260701.csv", b"code,name,amount,count\nb,B,2.00,2\n");
    std::fs::remove_file(&pause).unwrap();
    let outcome = running.wait();
    assert_eq!(outcome.code, 10, "{outcome}");
    outcome.says(&[
        "source item: ",
        &format!("read s3://kiln/{key}: the object is not the pinned one any more"),
        "run again: a new build pins the new object",
    ]);
    before.unchanged(world, Kept::Yes);
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(tiny.value("select code from item"), "b");
}

/// All keys.
fn objects(world: &World) -> Vec<String> {
    let listed = world.runtime.block_on(async { world.store().await.list("").await.unwrap() });
    listed.into_iter().map(|object| object.key).collect()
}

fn remove(world: &World, key: &str) {
    world.runtime.block_on(async {
        let store = world.store().await;
        store.client.delete_object().bucket("kiln").key(key).send().await.unwrap();
    });
}
