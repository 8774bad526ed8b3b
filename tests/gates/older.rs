//! What goes back in time is refused before a row is loaded, by the names of objects and members.

use super::{live, plans, tiny, verdicts};
use crate::support::World;

fn states(world: &World) -> Vec<String> {
    let sql = "select datname::text from pg_database where datname like 'tiny%' order by 1";
    world.postgres.rows("postgres", sql)
}

#[test]
fn an_older_period_is_refused_before_its_rows_and_goes_live_on_a_persons_word() {
    let world = tiny();
    let (before, databases) = (live(&world), states(&world));
    world.put("tiny", "plan_2.zip", &plans("2026Q1"));
    world.kiln(&["run", "tiny"]).exits(14).says(&[
        "tiny is as it was",
        "what has landed is older than what is live (tiny_00001)",
        "gate older: plan: 2026Q1 goes back, live has 2026Q2",
        "if that is meant: kiln waive tiny older --source plan --why 'WHY' && kiln run tiny",
    ]);
    assert_eq!((live(&world), states(&world)), (before.clone(), databases));
    world.kiln(&["waive", "tiny", "older", "--source", "star", "--why", "another"]).succeeds();
    world.kiln(&["run", "tiny"]).exits(14).says(&["gate older: plan"]);
    world.kiln(&["waive", "tiny", "older", "--source", "plan", "--why", "Q2 was wrong"]).succeeds();
    let said = world.kiln(&["run", "tiny", "--json"]).succeeds().json();
    assert_eq!(verdicts(&said), ["older plan waived"]);
    assert_ne!(live(&world), before);
}

#[test]
fn a_newer_period_in_other_words_goes_live() {
    let world = tiny();
    for (number, period) in [(2, "20260731"), (3, "2026Q3"), (4, "2026_11"), (5, "12312026")] {
        world.put("tiny", &format!("plan_{number}.zip"), &plans(period));
        world.kiln(&["run", "tiny"]).succeeds();
    }
    let period = "select period from kiln.stamp";
    assert_eq!(world.postgres.value("tiny", period), "2026-12-31");
}

#[test]
fn a_posting_in_words_orders_and_one_that_goes_back_is_refused_by_its_name() {
    let world = tiny();
    let before = live(&world);
    world.put("tiny", "2024 Stars (Oct 13 2023).csv", b"code\nold\n");
    let said = world.kiln(&["run", "tiny", "--json"]).succeeds().json();
    assert!(said["nothing_to_do"].is_string(), "the newer posting is read: {said}");
    assert_eq!(live(&world), before);
    // The newer one is taken away.
    let newer = world.folder.path().join("s3/kiln/tiny/2026-07-02/2024 Stars (Jul 2 2024).csv");
    std::fs::remove_file(newer).unwrap();
    let databases = states(&world);
    let plan = world.kiln(&["plan", "tiny"]).succeeds().stdout;
    assert!(plan.contains("gate older: star (edition 2024): 2023-10-13 goes back"), "{plan}");
    world.kiln(&["run", "tiny"]).exits(14).says(&[
        "gate older: star (edition 2024): 2023-10-13 goes back, live has 2024-07-02",
        "kiln waive tiny older --source star",
    ]);
    assert_eq!((live(&world), states(&world)), (before, databases));
}

#[test]
fn an_edition_of_a_year_before_is_no_way_back() {
    let world = tiny();
    world.put("tiny", "2023 Stars (Oct 4 2022).csv", b"code\ny\n");
    world.kiln(&["run", "tiny"]).succeeds();
    assert_eq!(world.postgres.value("tiny", "select count(*)::text from star"), "2");
}
