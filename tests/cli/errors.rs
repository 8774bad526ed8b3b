//! `--json` of a command that fails: kind, exit code, message, hint, SQLSTATE and position, and the same in the
//! history and in the build's tasks.

use kiln::testing::dev::synth::{Release, Tamper};
use serde_json::{Value, json};

use crate::support::{Outcome, World};

/// What a failed command prints for scripts: one document, where it has no other.
fn error(outcome: &Outcome) -> Value {
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome}");
    let mut error = outcome.json()["error"].take();
    let keys: Vec<String> = error.as_object().unwrap().keys().cloned().collect();
    let expected = ["kind", "exit_code", "message", "hint", "sqlstate", "position"];
    assert_eq!(keys, expected, "{outcome}");
    assert_eq!(error["exit_code"], outcome.code, "{outcome}");
    // People read the same.
    let message = error["message"].take();
    outcome.says(&[&format!("kiln: {}", message.as_str().unwrap())]);
    if let Some(hint) = error["hint"].as_str() {
        outcome.says(&[&format!("\nhint: {hint}")]);
    }
    error["message"] = message;
    error
}

/// A release with a row that no budget allows, and one with a renamed column.
fn broken() -> Tamper<'static> {
    Tamper::default().lines(|at, line| match (at.source, at.line) {
        ("pricing", 5) => {
            let before = line.len();
            line.splice(..0, *b"TOO_LONG_AND_NO_CONTRACT");
            assert!(line.len() > before);
        }
        ("plan_information", 1) => line.splice(..1, *b"X_").for_each(drop),
        _ => {}
    })
}

#[test]
fn a_row_and_a_header_that_are_refused_have_object_member_and_line() {
    let world = World::new();
    world.accept("1");
    let release = Release::small(1);
    world.land_with(&release, broken());
    for (source, line) in [("pricing", 5), ("plan_information", 1)] {
        let outcome = world.kiln(&["load", "druginfo", source, "--json"]).exits(11);
        let error = error(&outcome);
        assert_eq!(error["kind"], "input-rejected", "{outcome}");
        let place = &error["position"];
        assert!(place["object"].as_str().unwrap().ends_with(&release.file_name()), "{outcome}");
        assert_eq!(place["line"], line, "{outcome}");
        let member = place["member"].as_str().unwrap();
        assert!(outcome.stderr.contains(member) && member.ends_with(".txt"), "{outcome}");
        assert_eq!((&place["file"], &error["sqlstate"]), (&Value::Null, &Value::Null), "{outcome}");
    }
    // A column that is blamed is named.
    let pricing = world.kiln(&["load", "druginfo", "pricing", "--json"]).exits(11);
    assert_eq!(error(&pricing)["position"]["column"], "CONTRACT_ID", "{pricing}");

    let outcome = world.kiln(&["run", "druginfo", "--json"]).exits(11);
    let told = error(&outcome);
    let noted = "select failure::text from kiln.run where command = 'run'";
    let noted: Value = serde_json::from_str(&world.postgres.value("kiln", noted)).unwrap();
    for key in ["kind", "exit_code", "sqlstate", "position"] {
        assert_eq!(noted[key], told[key], "{noted}");
    }
    let status = world.kiln(&["status", "--json"]).succeeds().json();
    assert_eq!(status[0]["failed"]["failure"], noted);
    let tasks = "select error::text from kiln.task where state = 'failed' and subject = 'pricing'";
    let task = world.postgres.value(&world.newest_build(), tasks);
    let task: Value = serde_json::from_str(&task).unwrap();
    let keys: Vec<&String> = task.as_object().unwrap().keys().collect();
    let all: Vec<&String> = noted.as_object().unwrap().keys().collect();
    assert!(keys.iter().all(|key| all.contains(key)) && keys.len() == all.len(), "{task}");
    assert_eq!((&task["kind"], &task["position"]["line"]), (&json!("input-rejected"), &json!(5)));
}

#[test]
fn a_spec_that_is_wrong_has_file_and_line() {
    let mut world = World::new();
    world.own_root();
    let spec = "sources/druginfo/pricing.toml";
    world.edit(spec, "description", "descripton");
    let text = std::fs::read_to_string(world.root.join(spec)).unwrap();
    let line = 1 + text.lines().position(|line| line.starts_with("descripton")).unwrap();
    let outcome = world.kiln(&["schema", "check", "druginfo", "--json"]).exits(2);
    let error = error(&outcome);
    assert_eq!((&error["kind"], &error["position"]["file"]), (&json!("usage"), &json!(spec)));
    let expected = [1, line].map(|line| json!(line));
    assert!(expected.contains(&error["position"]["line"]), "{outcome}");

    world.edit(spec, "descripton", "description");
    let sql = "sql/druginfo/0002_plan_information.sql";
    world.edit(sql, "comment on table plan_information is", "comment on table plan_infarmation is");
    let outcome = world.kiln(&["schema", "check", "druginfo", "--json"]).exits(2);
    let place = &self::error(&outcome)["position"];
    assert_eq!(place["file"], sql, "{outcome}");
    assert!(outcome.stderr.contains(&format!("{sql}:{}: ", place["line"])), "{outcome}");
}

#[test]
fn what_the_server_answers_is_told_by_its_sqlstate() {
    let world = World::new();
    let url = world.postgres.url("postgres").replace("user=loader", "user=nobody_is_called_so");
    let mut kiln = world.kiln(&["status", "--json"]);
    let outcome = kiln.env("KILN_POSTGRES_URL", &url).exits(12);
    let error = error(&outcome);
    assert_eq!((&error["kind"], &error["sqlstate"]), (&json!("database"), &json!("28000")));
}

#[test]
fn a_command_line_that_is_wrong_is_told_with_its_kind() {
    let world = World::new();
    for (arguments, said) in [
        (&["run", "--json", "--nonsense"][..], "--nonsense"),
        (&["status", "no database", "--json"], "no database"),
    ] {
        let outcome = world.kiln(arguments).exits(2);
        let error = &outcome.json()["error"];
        assert_eq!((&error["kind"], &error["exit_code"]), (&json!("usage"), &json!(2)));
        assert!(error["message"].as_str().unwrap().contains(said), "{outcome}");
        outcome.says(&[said]);
        // Without it nothing is printed for scripts.
        let words: Vec<&str> = arguments.iter().copied().filter(|word| *word != "--json").collect();
        assert_eq!(world.kiln(&words).exits(2).stdout, "");
    }
}

#[test]
fn where_a_command_has_a_document_of_its_own_the_error_is_the_last_line_of_standard_error() {
    let world = World::ready();
    world.night();
    let outcome = world.kiln(&["guard", "druginfo", "--accepts", "7", "--json"]).exits(13);
    assert_eq!(outcome.json()["fits"], false);
    let last: Value = serde_json::from_str(outcome.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["kind"], "gate-refused", "{outcome}");
}
