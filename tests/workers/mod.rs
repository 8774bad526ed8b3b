//! Many processes, one build: `kiln begin`, any number of `kiln work`, `kiln finish`.

mod deaths;

use kiln::testing::dev::synth::{Release, Tamper};

use crate::support::{World, wait_until};

/// What the sources of a build amount to.
fn digests(world: &World, build: &str) -> String {
    let sql = "select string_agg(source || ' ' || rows || ' ' || digest, ', ' order by source)
               from kiln.source";
    world.postgres.value(build, sql)
}

/// The tasks of a build that are in this state, by name.
fn tasks(world: &World, build: &str, state: &str) -> Vec<String> {
    let sql = format!("select name from kiln.task where state = '{state}' order by id");
    world.postgres.rows(build, &sql)
}

/// Begins a build, and gives its name.
fn begin(world: &World) -> String {
    let begun = world.kiln(&["begin", "druginfo", "--full-refresh"]).succeeds();
    begun.stdout.trim().to_owned()
}

#[test]
fn many_workers_make_the_build_that_one_run_makes() {
    let world = World::ready();
    world.night();
    let whole = digests(&world, "druginfo");
    for workers in [1, 2, 4] {
        let build = begin(&world);
        assert_eq!(world.states().last().unwrap(), &format!("{build} building"));
        let work: Vec<_> = (0..workers)
            .map(|_| world.kiln(&["work", &build, "--json"]).env("KILN_CONNECTIONS", "1").start())
            .collect();
        let mut done = Vec::new();
        for worker in work {
            let outcome = worker.wait();
            assert_eq!(outcome.code, 0, "{outcome}");
            let said = outcome.json();
            let names = said["done"].as_array().unwrap().iter();
            done.extend(names.map(|name| name.as_str().unwrap().to_owned()));
        }
        // Every task was done once, by one of them.
        done.sort();
        let mut all = tasks(&world, &build, "done");
        all.sort();
        assert_eq!(done, all);
        let waiting = tasks(&world, &build, "waiting");
        assert!(waiting.iter().all(|name| name.starts_with("check:")), "{waiting:?}");
        world.kiln(&["finish", &build]).succeeds();
        world.kiln(&["swap", "druginfo"]).succeeds();
        assert_eq!(digests(&world, "druginfo"), whole, "{workers} workers");
        world.kiln(&["verify", "druginfo"]).succeeds();
    }
}

#[test]
fn what_is_unchanged_is_copied_by_workers_as_well() {
    let mut world = World::ready();
    world.own_root();
    world.night();
    let whole = digests(&world, "druginfo");
    let nothing = world.kiln(&["begin", "druginfo"]).succeeds();
    assert_eq!(nothing.stdout, "", "{nothing}");
    nothing.says(&["nothing to do"]);
    world.edit("sources/druginfo/pricing.toml", "parts   = 1", "parts   = 1\n");
    let build = world.kiln(&["begin", "druginfo", "--json"]).succeeds().json();
    let build = build["build"].as_str().unwrap().to_owned();
    world.kiln(&["work", &build]).succeeds();
    let kinds = "select kind || ' ' || count(*) from kiln.task
                 where name like 'rows:%' group by kind order by kind";
    let kinds = world.postgres.rows(&build, kinds);
    assert!(kinds[0].starts_with("copy "), "{kinds:?}");
    let copied = "select count(*)::text from kiln.source where entry -> 'reused' is not null";
    assert_ne!(world.postgres.value(&build, copied), "0");
    world.kiln(&["finish", &build]).succeeds();
    world.kiln(&["swap", "druginfo"]).succeeds();
    assert_eq!(digests(&world, "druginfo"), whole);
}

#[test]
fn finish_does_all_that_nobody_has_done() {
    let world = World::ready();
    let build = begin(&world);
    world.kiln(&["work", &build, "--task", "rows:pricing"]).succeeds();
    assert_eq!(tasks(&world, &build, "done"), ["rows:pricing"]);
    world.kiln(&["finish", &build]).succeeds();
    world.kiln(&["swap", "druginfo", &build]).succeeds();
    // Who comes too late, or once more, finds nothing to do.
    world.kiln(&["swap", "druginfo", &build]).succeeds();
    world.kiln(&["work", &build]).succeeds();
    world.kiln(&["finish", &build]).succeeds();
}

#[test]
fn one_task_is_a_node_of_an_engine_and_may_be_started_twice() {
    let world = World::ready();
    let build = begin(&world);
    let node = |task: &str| world.kiln(&["work", &build, "--task", task]);
    node("index:pricing").exits(75).says(&["task index:pricing of", "waits for others"]);
    node("rows:prices").exits(2).says(&["has no task \"rows:prices\"", "hint: kiln plan"]);
    let (first, file) = world.paused(&["work", &build, "--task", "rows:pricing"], "copy");
    node("rows:pricing").exits(75).says(&["is done by another worker"]);
    std::fs::remove_file(file).unwrap();
    assert_eq!(first.wait().code, 0);
    node("rows:pricing").succeeds();
    node("index:pricing").succeeds();
    let attempts = "select attempt::text from kiln.task where name = 'rows:pricing'";
    assert_eq!(world.postgres.value(&build, attempts), "1");
}

#[test]
fn what_fails_by_its_input_ends_workers_with_its_code_and_stops_nobody() {
    let world = World::ready();
    // Every record of one member has a field too many.
    let release = Release::small(1);
    let tamper = Tamper::default().lines(|at, line| {
        if at.source == "excluded_drugs_formulary" && at.line > 1 {
            line.extend_from_slice(b"|1");
        }
    });
    world.land_with(&release, tamper);
    let build = begin(&world);
    let outcome = world.kiln(&["work", &build]).exits(11);
    outcome.says(&["source excluded_drugs_formulary"]);
    assert_eq!(tasks(&world, &build, "failed"), ["rows:excluded_drugs_formulary"]);
    assert!(tasks(&world, &build, "done").contains(&"index:pricing".to_owned()));
    // A second worker does not load it again: a person is needed.
    world.kiln(&["work", &build]).exits(11);
    world.kiln(&["finish", &build]).exits(11).says(&["excluded_drugs_formulary", "kiln resume"]);
}

#[test]
fn a_build_that_was_begun_is_no_leftover_until_its_time_is_over() {
    let world = World::ready();
    let build = begin(&world);
    world.night();
    assert!(world.states().contains(&format!("{build} building")), "{:?}", world.states());
    // While workers are at it nobody begins, finishes or drops a build.
    let (worker, file) = world.paused(&["work", &build], "copy");
    let status = world.kiln(&["status", "druginfo"]).succeeds();
    let said = |what: &str| assert!(status.stdout.contains(what), "{what:?} in {status}");
    said(" tasks done, ");
    said("    running: rows:");
    said(&format!("next: kiln work {build}"));
    let status = world.kiln(&["status", "druginfo", "--json"]).succeeds().json();
    let tasks = status[0]["work"][0]["tasks"].as_array().unwrap();
    assert!(tasks.iter().any(|task| task["state"] == "running"), "{status}");
    world.kiln(&["run", "druginfo"]).exits(75).says(&["druginfo is locked by", "work druginfo"]);
    world.kiln(&["abandon", &build]).exits(75);
    std::fs::remove_file(file).unwrap();
    assert_eq!(worker.wait().code, 0);
    world.kiln(&["abandon", &build, "--dry-run"]).succeeds();
    assert!(world.states().contains(&format!("{build} building")));
    world.kiln(&["abandon", &build, "--why", "a test"]).succeeds();
    assert!(!world.states().iter().any(|state| state.starts_with(&build)));
    let begun = world.kiln(&["begin", "druginfo", "--full-refresh", "--deadline", "1s"]).succeeds();
    let late = begun.stdout.trim().to_owned();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    world.night();
    assert!(!world.states().iter().any(|state| state.starts_with(&late)), "{:?}", world.states());
}

#[test]
fn a_host_with_other_files_does_not_work() {
    let mut world = World::ready();
    world.own_root();
    let build = begin(&world);
    world.edit("sources/druginfo/pricing.toml", "parts   = 1", "parts   = 1\n");
    let outcome = world.kiln(&["work", &build]).exits(2);
    outcome.says(&["was begun with another sources/druginfo/pricing.toml than this host has"]);
    assert_eq!(tasks(&world, &build, "done"), [] as [&str; 0]);
}

#[test]
fn a_worker_has_a_time_limit() {
    let world = World::ready();
    let build = begin(&world);
    world.postgres.with(&build, async |client| {
        client.batch_execute("begin; lock table pricing").await.unwrap();
        let late = world.kiln(&["work", &build, "--time-limit", "2s"]).exits(75);
        late.says(&["the time limit is over", "hint: kiln work"]);
        client.batch_execute("rollback").await.unwrap();
    });
    wait_until("its task waits again", || world.kiln(&["work", &build]).run().code == 0);
    world.kiln(&["finish", &build]).succeeds();
}
