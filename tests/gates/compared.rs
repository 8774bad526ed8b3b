//! Where there is nothing to hold a new build against, that is said. (Where a subset is live: `subset`.)

use super::{items, live, tiny};

#[test]
fn a_live_build_that_lost_its_stamp_is_no_measure_and_that_is_said() {
    let world = tiny();
    world.postgres.execute(
        "tiny",
        "set default_transaction_read_only = off; set transaction_read_only = off;
         delete from kiln.stamp",
    );
    world.put("tiny", "item_20260102.csv", items(300, |_| "", |_| "a,red").as_bytes());
    let night = world.kiln(&["run", "tiny", "--json"]).succeeds().json();
    let note = "the gates on data compared nothing: tiny_00001 has no stamp, and no whole build is kept that \
                was live before it";
    assert_eq!(night["promoted"]["notes"], serde_json::json!([note]));
    assert_eq!(live(&world).1, "tiny_00002");
    assert!(night["warnings"].as_array().unwrap().contains(&note.into()), "{night}");
    // The next has one to be held against.
    world.put("tiny", "item_20260103.csv", items(30, |_| "", |_| "a,red").as_bytes());
    world.kiln(&["run", "tiny"]).exits(14).says(&["gate rows: item: 30 rows, live has 300"]);
}

#[test]
fn a_source_that_live_is_without_is_held_against_the_build_before_it() {
    let world = tiny();
    world.kiln(&["run", "tiny", "--without", "item"]).succeeds();
    assert_eq!(live(&world).1, "tiny_00002");
    world.put("tiny", "item_20260102.csv", items(1, |_| "1.50", |_| "a,red").as_bytes());
    let refused = world.kiln(&["run", "tiny"]).exits(14);
    refused.says(&["gate rows: item: 1 row, tiny_00001 has 1,000"]);
    assert_eq!(live(&world).1, "tiny_00002");
}

#[test]
fn where_live_was_dropped_the_build_before_it_is_the_measure() {
    let world = tiny();
    world.put("tiny", "2023 Stars (Oct 13 2024).csv", b"code\ny\n");
    world.kiln(&["run", "tiny"]).succeeds();
    world.postgres.execute("postgres", "drop database tiny");
    world.put("tiny", "item_20260102.csv", items(1, |_| "1.50", |_| "a,red").as_bytes());
    world.kiln(&["run", "tiny"]).exits(14).says(&["gate rows: item: 1 row, tiny_00001 has 1,000"]);
}
