//! A failed night is mended by hand: the source that failed is loaded again, the rest stays.

use kiln::testing::dev::synth::{Release, Tamper};

use super::{Before, Druginfo, Kept, databases, line, set_field, state};
use crate::support::World;

const SOURCES: &str = "select source || ' ' || state || ' ' || attempt from kiln.source order by 1";
const LOADED_AT: &str = "select source || ' ' || loaded_at from kiln.source
                         where source <> 'plan_information' order by 1";

/// Breaks one field of plan information's fourth line.
fn broken() -> Tamper<'static> {
    line("plan_information", 4, |line| set_field(line, 6, b"12.345"))
}

/// A night that failed at one source; the build that it left.
fn failed_night() -> (Druginfo, String) {
    let druginfo = Druginfo::new();
    let outcome = druginfo.refuses(
        broken(),
        11,
        Kept::Yes,
        &[
            "source plan_information: 1 row rejected, the budget is 0: ",
            "plan information  PPUF_2026Q2.txt line 4, byte ",
            ", column PREMIUM: has more decimals than its column",
        ],
    );
    let build = druginfo.kept();
    outcome.says(&[&format!(
        "land the mended file, then: kiln load druginfo plan_information --into {build} && \
         kiln resume {build} && kiln swap druginfo"
    )]);
    (druginfo, build)
}

#[test]
fn a_source_is_mended_in_its_build_and_the_others_are_not_loaded_again() {
    let (druginfo, build) = failed_night();
    let world = &druginfo.world;
    let status = world.kiln(&["status", "--json"]).succeeds();
    assert!(status.stdout.contains(&format!("kiln resume {build}")), "{status}");
    let before = world.postgres.rows(&build, LOADED_AT);
    assert_eq!(before.len(), 8);
    // Without mending, the build stays what it is.
    world.kiln(&["resume", &build]).exits(11).says(&["line 4, byte ", "column PREMIUM"]);
    assert_eq!(world.postgres.rows(&build, LOADED_AT), before);

    world.land(&Release::small(2));
    let loaded = world.kiln(&["load", "druginfo", "plan_information", "--into", &build]).succeeds();
    assert!(loaded.stdout.contains(&format!("next: kiln resume {build}")), "{loaded}");
    assert_eq!(world.postgres.rows(&build, LOADED_AT), before);
    assert_eq!(world.postgres.rows(&build, "select source from kiln.reject"), [""; 0]);
    world.kiln(&["resume", &build]).succeeds();
    assert_eq!(world.postgres.rows(&build, LOADED_AT), before);
    assert_eq!(state(world, &build), "sealed");
    world.kiln(&["swap", "druginfo"]).succeeds();
    let stamp = world.postgres.value("druginfo", "select build from kiln.stamp");
    assert_eq!(stamp, build);
    let attempts = "select string_agg(distinct attempt::text, ',') from kiln.source
                    where source <> 'plan_information'";
    assert_eq!(world.postgres.value("druginfo", attempts), "1");
}

#[test]
fn a_trial_load_says_what_it_found_and_leaves_nothing() {
    let (druginfo, build) = failed_night();
    let world = &druginfo.world;
    let before = Before::of(world, "druginfo");
    world
        .kiln(&["load", "druginfo", "plan_information"])
        .exits(11)
        .says(&["line 4, byte ", ", column PREMIUM: has more decimals than its column"]);
    before.unchanged(world, Kept::No);
    assert_eq!(state(world, &build), "failed");
    let entry = world.kiln(&["load", "druginfo", "pricing", "--json"]).succeeds().json();
    assert_eq!((&entry["source"], &entry["counted"]), (&"pricing".into(), &60.into()));
    assert_eq!(entry["state"], "loaded");
    before.unchanged(world, Kept::No);
    let said = world.kiln(&["load", "druginfo", "pricing"]).succeeds();
    assert!(said.stdout.contains("pricing into a scratch build, dropped: 60 rows"), "{said}");
    before.unchanged(world, Kept::No);
}

#[test]
fn a_load_that_fails_leaves_the_build_as_it_was() {
    let (druginfo, build) = failed_night();
    let world = &druginfo.world;
    let before = Before::of(world, "druginfo");
    let contents = world.postgres.contents(&build);
    let sources = world.postgres.rows(&build, SOURCES);
    let manifest = world.postgres.rows(&build, "select document::text from kiln.manifest");
    // The same source, still broken; and one that was loaded, broken now.
    world
        .kiln(&["load", "druginfo", "plan_information", "--into", &build])
        .exits(11)
        .says(&["line 4, byte ", ", column PREMIUM: has more decimals than its column"]);
    let change = line("pricing", 60, |line| line.clear());
    world.land_with(&Release::small(3), change);
    world.kiln(&["load", "druginfo", "pricing", "--into", &build]).exits(11).says(&[
        "source pricing: ",
        "line 60, byte ",
        ": blank line",
    ]);
    before.unchanged(world, Kept::No);
    assert_eq!(world.postgres.contents(&build), contents);
    assert_eq!(world.postgres.rows(&build, SOURCES), sources);
    let now = world.postgres.rows(&build, "select document::text from kiln.manifest");
    assert_eq!(now, manifest);
    assert_eq!(state(world, &build), "failed");
    // Mended, it goes on.
    world.land(&Release::small(2));
    world.kiln(&["load", "druginfo", "plan_information", "--into", &build]).succeeds();
    world.kiln(&["resume", &build]).succeeds();
    assert_eq!(world.postgres.rows(&build, "select source from kiln.reject"), [""; 0]);
}

#[test]
fn a_sealed_build_takes_no_load_and_no_resume() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    world.kiln(&["build", "druginfo"]).succeeds();
    let sealed: Vec<String> =
        databases(world).into_iter().filter(|name| name.starts_with("druginfo_")).collect();
    let build = sealed.last().unwrap().clone();
    let contents = world.postgres.contents(&build);
    let before = Before::of(world, "druginfo");
    let live = world.postgres.value("druginfo", "select build from kiln.stamp");
    for (build, state, next) in [
        (
            build.as_str(),
            "sealed",
            "\nhint: kiln swap druginfo; or, for a new one: kiln run druginfo",
        ),
        (&live, "live", "\nhint: kiln run druginfo"),
    ] {
        let said = [&format!("is {state}: a sealed build is never changed"), next];
        world.kiln(&["load", "druginfo", "pricing", "--into", build]).exits(2).says(&said);
        world.kiln(&["resume", build]).exits(2).says(&said);
    }
    before.unchanged(world, Kept::No);
    assert_eq!(world.postgres.contents(&build), contents);
}

#[test]
fn a_killed_build_goes_on_with_what_it_had() {
    let world = World::ready();
    let mut kiln = world.kiln(&["build", "druginfo"]);
    kiln.env("KILN_FAILPOINT", "source=kill").env("KILN_CONNECTIONS", "1");
    assert_eq!(kiln.run().code, -9);
    let builds: Vec<String> =
        databases(&world).into_iter().filter(|name| name.starts_with("druginfo_")).collect();
    let [build] = builds.as_slice() else { panic!("{builds:?}") };
    assert_eq!(state(&world, build), "building");
    let loaded = "select source || ' ' || attempt || ' ' || loaded_at from kiln.source
                  where state = 'loaded'";
    let before = world.postgres.rows(build, loaded);
    assert_eq!(before.len(), 1, "{before:?}");
    // Postgres notices that the killed run is gone, and with it the run's lock.
    let sessions = "select count(*)::text from pg_stat_activity where usename = 'loader'";
    while world.postgres.value("postgres", sessions) != "0" {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    world.kiln(&["resume", build]).succeeds();
    let source = before[0].split(' ').next().unwrap();
    let of_source = format!("{loaded} and source = '{source}'");
    assert_eq!(world.postgres.rows(build, &of_source), before);
    let others = format!(
        "select string_agg(distinct state || ' ' || attempt, ',') from kiln.source
         where source <> '{source}'"
    );
    // The killed run had not begun them.
    assert_eq!(world.postgres.value(build, &others), "loaded 1");
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_eq!(world.postgres.value("druginfo", "select count(*)::text from pricing"), "60");
}
