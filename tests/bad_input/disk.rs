//! A full disk, where the forecast did not see it (a setting says that there is room): the build is
//! dropped at once, for a rollback frees nothing, and whoever shares
//! the disk can write again.

use kiln::testing::dev::synth::Release;

use super::{Before, Druginfo, Kept};

/// A release with so many prices, of 44 bytes each in the table and 20 in its key.
fn release(rows: u64) -> Release {
    let formulary = Release { formularies: 3, drugs_per_formulary: 1_000, ..Release::small(2) };
    Release { plans: 200, network_rows: 2_000, pricing_rows: rows, ..formulary }
}

#[test]
fn a_full_disk_drops_the_build_and_leaves_room_for_others() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let Some(disk) = world.postgres.small_disk(16) else { return };
    world.postgres.execute("postgres", "create table neighbour (n int) tablespace small");
    world.postgres.execute("postgres", "insert into neighbour select generate_series(1, 1000)");
    let used = disk.used();
    let before = Before::of(world, "druginfo");
    world.land(&release(450_000));
    let outcome = world.kiln(&["run", "druginfo"]).env("KILN_DISK_FREE", "1 TiB").exits(12);
    outcome.says(&[
        // Whichever source is on its way when the disk is full says so.
        "kiln: druginfo is as it was: source ",
        ": COPY: ",
        "No space left on device (SQLSTATE 53100)",
        "\nhint: the server's disk is full: free space there, then `kiln run` again",
    ]);
    before.unchanged(world, Kept::No);
    // What the server unlinks it truncates first; the catalogs' last pages may remain.
    assert!(disk.used() <= used + (1 << 20), "{} of {used} bytes", disk.used());
    world.postgres.execute("postgres", "insert into neighbour select generate_series(1, 50000)");
    // With less to load, the next night fits.
    world.land(&Release::small(3));
    world.waive_data("druginfo", "a release of another seed");
    world.night();
}

#[test]
fn a_disk_that_fills_while_indexes_are_built_drops_the_build_too() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let Some(disk) = world.postgres.small_disk(16) else { return };
    let used = disk.used();
    let before = Before::of(world, "druginfo");
    world.land(&release(290_000));
    world.kiln(&["run", "druginfo"]).env("KILN_DISK_FREE", "1 TiB").exits(12).says(&[
        "kiln: druginfo is as it was: sql/druginfo/",
        "No space left on device (SQLSTATE 53100)",
        "\nhint: the server's disk is full: free space there, then `kiln run` again",
    ]);
    before.unchanged(world, Kept::No);
    assert!(disk.used() <= used + (1 << 20), "{} of {used} bytes", disk.used());
}
