//! What kiln proposes works when it is pasted, and is what was asked: after a night that failed, at a
//! gate that refuses, for a plan that no app would take.

use kiln::testing::dev::synth::{Release, Tamper};

use crate::support::{Outcome, World, copy_tree, project};

/// The command of a hint: all of it, or what follows its last `then: `, `kiln run ` or the like.
fn command(outcome: &Outcome, after: &str) -> String {
    let hint = outcome.stderr.rsplit("hint: ").next().unwrap_or_default().trim();
    let command = hint.rsplit(after).next().unwrap_or_default();
    assert!(command.starts_with("kiln "), "{hint:?} has no command after {after:?}: {outcome}");
    command.to_owned()
}

fn paste(world: &World, command: &str) -> Outcome {
    world.kiln(&[]).pasting(command).run()
}

/// A release with a letter in the first price, and a field too many in the first plan.
fn broken() -> Tamper<'static> {
    Tamper::default().lines(|at, line| {
        if at.line == 2 && ["pricing", "plan_information"].contains(&at.source) {
            line.extend_from_slice(b"|x");
        }
    })
}

#[test]
fn a_night_that_failed_goes_on_by_what_it_proposes_and_leaves_out_what_it_left_out() {
    let mut world = World::ready();
    world.night();
    world.anew = false;
    world.land_with(&Release::small(2), broken());
    let night = ["run", "druginfo", "--without", "druginfo.indication_based_coverage"];
    let failed = world.kiln(&night).exits(11);
    let go_on = command(&failed, "then: ");
    let build = world.newest_build();
    assert!(go_on.contains(&format!("kiln load druginfo pricing --into {build} && ")), "{go_on}");
    world.land(&Release::small(3));
    let outcome = paste(&world, &go_on);
    assert_eq!(outcome.code, 0, "{outcome}");
    let stamp = "select build || ' without ' || array_to_string(without, ',') from kiln.stamp";
    let said = world.postgres.value("druginfo", stamp);
    assert_eq!(said, format!("{build} without indication_based_coverage"));

    // Nothing was loaded: there is nothing to go on with, and the whole night is proposed as it was asked.
    let failed = world.kiln(&night).env("KILN_FAILPOINT", "manifest=error").exits(1);
    assert!(!failed.stderr.contains("resume"), "{failed}");
    let status = world.kiln(&["status", "druginfo"]).succeeds();
    let next = "go on with: kiln run druginfo --without indication_based_coverage\n";
    assert!(status.stdout.contains(next), "{status}");
}

#[test]
fn after_a_check_that_failed_a_resume_is_not_proposed_for_it_would_fail_again() {
    let mut world = World::ready();
    world.own_root();
    world.anew = false;
    let table = "sql/druginfo/0009_pricing.sql";
    let sql = std::fs::read_to_string(world.root.join(table)).unwrap();
    let check = "-- check: the first plan is dear\nselect 1 from plan_information where premium < 1000000 limit 1;\n";
    std::fs::write(world.root.join(table), format!("{sql}\n{check}")).unwrap();
    let failed = world.kiln(&["run", "druginfo", "--without", "pricing"]).exits(14);
    let build = world.newest_build();
    failed.says(&[&format!(
        "look into the kept build: psql \"$(kiln url {build})\"; land the mended"
    )]);
    assert!(!failed.stderr.contains("resume"), "{failed}");
    assert_eq!(command(&failed, "then: "), "kiln run druginfo --without pricing");
    let url = paste(&world, &format!("kiln url {build}"));
    assert!(url.stdout.contains(&build), "{url}");
    std::fs::write(world.root.join(table), sql).unwrap();
    let outcome = paste(&world, &command(&failed, "then: "));
    assert_eq!(outcome.code, 0, "{outcome}");
}

#[test]
fn what_no_app_would_take_is_said_before_it_is_built_and_the_gates_word_can_be_pasted() {
    let world = World::new();
    world.land(&Release::small(1));
    let said = "it would not go live: no app has said which versions of druginfo it accepts\n  \
                kiln contract set druginfo --app NAME --accepts 1\n";
    for look in [&["plan", "druginfo"][..], &["run", "druginfo", "--dry-run"]] {
        let outcome = world.kiln(look).succeeds();
        assert!(outcome.stdout.contains(said), "{outcome}");
    }
    let app = ["contract", "set", "druginfo", "--app", "plan $(finder)", "--accepts", "998"];
    world.kiln(&app).succeeds();
    let plan = world.kiln(&["plan", "druginfo", "--json"]).succeeds().json();
    let reason = "it has schema version 1, app plan $(finder) accepts 998..998";
    assert_eq!(plan["not_accepted"][0], reason);
    let refused = world.kiln(&["run", "druginfo"]).exits(13);
    let command = command(&refused, "then: ");
    assert!(command.contains("--app 'plan $(finder)' --accepts 1..998 && kiln swap"), "{command}");
    assert_eq!(world.databases().len(), 1, "built, and not live");
    let outcome = paste(&world, &command);
    assert_eq!(outcome.code, 0, "{outcome}");
    let plan = world.kiln(&["plan", "druginfo"]).succeeds();
    assert!(!plan.stdout.contains("would not go live"), "{plan}");
}

#[test]
fn what_will_never_land_is_said_once_and_for_each_database_by_its_name() {
    let mut world = World::ready();
    world.own_root();
    copy_tree(&project().join("sql/beneinfo"), &world.root.join("sql/beneinfo"));
    copy_tree(&project().join("sources/beneinfo"), &world.root.join("sources/beneinfo"));
    let set = |text: &str| std::fs::write(world.root.join("kiln.toml"), text).unwrap();
    set("[druginfo]\nwithout = [\"pricing\"]\n");
    let plan = |more: &[&str]| {
        let words = [&["plan", "druginfo"], more].concat();
        world.kiln(&words).succeeds().stdout
    };
    assert!(plan(&[]).contains("pricing  left out"));
    // Another database's source is none of this one's business; an unknown name is.
    let more = plan(&["--without", "druginfo.pharmacy_networks", "--without", "beneinfo.bene_lis"]);
    assert!(more.contains("pricing  left out") && more.contains("pharmacy_networks  left out"));
    assert!(!more.contains("bene_lis"), "{more}");
    world.kiln(&["run", "druginfo"]).succeeds();
    let stamp = "select array_to_string(without, ',') from kiln.stamp";
    assert_eq!(world.postgres.value("druginfo", stamp), "pricing");
    let refused = |words: &[&str], says: &str| {
        let before = world.live();
        world.kiln(words).exits(2).says(&[says]);
        assert_eq!(world.live(), before);
    };
    refused(&["run", "--without", "drugino.pricing"], "did you mean `druginfo`?");
    refused(
        &["run", "druginfo", "--without", "druginfo.prices"],
        "--without prices: druginfo has no",
    );
    set("[druginfo]\nwithout = [\"prices\"]\n");
    refused(
        &["run", "druginfo"],
        "kiln.toml, `druginfo.without`: prices: druginfo has no such source",
    );
    set("[druginfo]\nwithuot = []\n");
    refused(
        &["run", "druginfo"],
        "kiln.toml:2: unknown key `druginfo.withuot`; did you mean `without`?",
    );
    set("[drugino]\nwithout = []\n");
    refused(&["run", "druginfo"], "kiln.toml:1: unknown key `drugino`; did you mean `druginfo`?");
}

#[test]
fn of_a_killed_run_a_resume_is_proposed_only_where_something_was_loaded() {
    let world = World::ready();
    for (point, resumes) in [("pre-data=kill", false), ("source=kill", true)] {
        let killed = world.kiln(&["run", "druginfo"]).env("KILN_FAILPOINT", point).run();
        assert_eq!(killed.code, -9, "{killed}");
        let build = world.newest_build();
        crate::support::wait_until("the run is known to be gone", || {
            let sql = "select count(*)::text from pg_stat_activity where usename = 'loader'";
            world.postgres.value("postgres", sql) == "0"
        });
        let status = world.kiln(&["status", "druginfo", "--json"]).succeeds().json();
        let next = status[0]["failed"]["next"].as_str().unwrap().to_owned();
        match resumes {
            false => assert_eq!(next, "kiln run druginfo"),
            true => assert_eq!(next, format!("kiln resume {build} && kiln swap druginfo")),
        }
        let outcome = paste(&world, &next);
        assert_eq!(outcome.code, 0, "{outcome}");
    }
}
