//! The JSON log and `application_name`: who, in which run, on which build and source.

use kiln::testing::dev::synth::{Release, Tamper};
use serde_json::Value;

use crate::support::World;

fn lines(world: &World) -> Vec<Value> {
    let parse =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    world.log().lines().map(parse).collect()
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

#[test]
fn every_line_says_its_run_and_inside_of_them_build_and_source() {
    let world = World::ready();
    world.night();
    let cut = Tamper::default().lines(|at, line| {
        if at.source == "pricing" && at.line == 3 {
            line.extend_from_slice(b"|one field too many");
        }
    });
    world.land_with(&Release::small(2), cut);
    world.kiln(&["run", "druginfo"]).exits(11);
    let failed = world.newest_build();
    world.land(&Release::small(2));
    world.kiln(&["load", "druginfo", "pricing"]).succeeds();
    world.kiln(&["load", "druginfo", "pricing", "--into", &failed]).succeeds();
    world.kiln(&["resume", &failed]).succeeds();
    world.kiln(&["swap", "druginfo"]).succeeds();
    world.kiln(&["rollback", "druginfo"]).succeeds();
    world.kiln(&["prune"]).succeeds();

    let lines = lines(&world);
    let begun = lines.iter().filter(|line| line["message"] == "begin").count();
    let ended = lines.iter().filter(|line| line["message"] == "end").count();
    assert!(begun >= 9, "{begun} commands begun");
    assert_eq!(begun, ended);
    for line in &lines {
        assert_eq!(text(line, "run").len(), 16, "{line}");
        assert!(["INFO", "WARN", "ERROR"].contains(&text(line, "level")), "{line}");
        assert!(text(line, "time").ends_with('Z') && !text(line, "message").is_empty(), "{line}");
        let about_source = text(line, "message").starts_with("source ");
        let about_build = about_source || text(line, "message") == "stage done";
        assert!(!about_build || text(line, "build").starts_with("druginfo_"), "{line}");
        assert!(!about_source || !text(line, "source").is_empty(), "{line}");
    }
    let of = |message: &str| lines.iter().filter(|line| line["message"] == message).count();
    assert!(of("source loaded") >= 9 + 8 && of("source failed") >= 1);
    let end = lines.iter().find(|line| line["code"] == 11).unwrap();
    assert!(text(end, "error").contains("pricing"), "{end}");
    // The history knows the same runs.
    for run in world.postgres.rows("kiln", "select split_part(run, '/', 1) from kiln.run") {
        assert!(lines.iter().any(|line| text(line, "run") == run), "{run} is not in the log");
    }
}

#[test]
fn sessions_on_the_server_are_named_for_run_build_and_source() {
    let world = World::ready();
    let (running, pause) = world.paused(&["run", "druginfo"], "copy");
    let build = world.newest_build();
    let run = world.postgres.value("kiln", "select split_part(run, '/', 1) from kiln.run");
    let named = world.postgres.rows(
        "postgres",
        &format!("select application_name from pg_stat_activity where datname = '{build}'"),
    );
    let lock = "select application_name from pg_stat_activity where datname = 'kiln'
        and application_name like 'kiln %'";
    let lock = world.postgres.rows("postgres", lock);
    std::fs::remove_file(pause).unwrap();
    let outcome = running.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
    let prefix = format!("kiln {run} {build} ");
    let sources: Vec<&str> = named.iter().filter_map(|name| name.strip_prefix(&prefix)).collect();
    let specs = crate::support::project().join("sources/druginfo");
    let loading = sources.iter().filter(|source| specs.join(format!("{source}.toml")).exists());
    assert!(loading.count() >= 1, "{named:?}");
    assert_eq!(sources.len(), named.len(), "{named:?}");
    assert!(lock.contains(&format!("kiln {run} lock druginfo")), "{lock:?}");
}
