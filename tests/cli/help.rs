//! Help, and what a wrong command line comes to.

use std::process::Command;

use clap::CommandFactory as _;
use kiln::testing::config::settings::variables;
use kiln::testing::error::Exit;

use crate::support::{Kiln, project};

/// Every command a person can type, as words.
fn commands() -> Vec<Vec<String>> {
    fn visit(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let mut words = words.to_vec();
            words.push(sub.get_name().to_owned());
            match sub.has_subcommands() {
                true => visit(sub, &words, all),
                false => all.push(words),
            }
        }
    }
    let mut all = Vec::new();
    visit(&kiln::testing::command::cli::Cli::command(), &[], &mut all);
    all
}

#[test]
fn a_build_for_production_lacks_demo_up_down_and_synth_alone() {
    let code = std::fs::read_to_string(project().join("src/command/cli/mod.rs")).unwrap();
    let (_, commands) = code.split_once("pub enum Command {").unwrap();
    let lines: Vec<&str> = commands.lines().map(str::trim).collect();
    let left_out = lines.windows(2).filter(|pair| pair[0].starts_with("#[cfg("));
    let left_out: Vec<&str> = left_out.map(|pair| pair[1]).collect();
    // The last is what `kiln up` starts, and nobody types.
    assert_eq!(left_out, ["Demo(Demo),", "Up(Json),", "Down(Json),", "Synth(Synth),", "ServeS3 {"]);
}

#[test]
fn every_command_of_the_contract_is_there_and_shows_examples() {
    let found: Vec<String> = commands().iter().map(|words| words.join(" ")).collect();
    let expected = [
        "abandon",
        "begin",
        "build",
        "contract list",
        "contract remove",
        "contract set",
        "demo",
        "docs",
        "down",
        "finish",
        "guard",
        "hold",
        "land",
        "load",
        "plan",
        "prune",
        "restore",
        "resume",
        "rollback",
        "run",
        "schema check",
        "schema lock",
        "source check",
        "source new",
        "status",
        "subset",
        "swap",
        "synth",
        "unhold",
        "up",
        "url",
        "verify",
        "waive",
        "work",
    ];
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    for words in commands() {
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let outcome = Kiln::new(&arguments).succeeds();
        let called = format!("kiln {}", words.join(" "));
        let examples = outcome.stdout.split("Examples:").nth(1).unwrap_or_default();
        assert!(examples.contains(&called), "{called} has no example of itself: {outcome}");
        assert!(outcome.stdout.contains("Usage:"), "{outcome}");
    }
}

#[test]
fn help_lists_every_exit_code_and_variable() {
    let outcome = Kiln::new(&["--help"]).succeeds();
    for (exit, meaning) in Exit::ALL {
        let line = format!("{:6}  {meaning}", exit.code());
        assert!(outcome.stdout.contains(&line), "{line}: {outcome}");
    }
    for name in variables() {
        assert!(outcome.stdout.contains(&format!("  {name} ")), "{name}: {outcome}");
    }
    let version = Kiln::new(&["--version"]).succeeds();
    assert!(version.stdout.starts_with("kiln "), "{version}");
}

#[test]
fn the_version_says_commit_and_day_and_needs_no_git() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let build = Command::new(rustc)
        .args(["--edition", "2024", "-o"])
        .args([&script, &project().join("build.rs")])
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let version = |profile: &str, path: &str| {
        let mut command = Command::new(&script);
        command.env("PROFILE", profile).env("CARGO_PKG_VERSION", "0.1.0").env("PATH", path);
        command.env("CARGO_MANIFEST_DIR", &root).env_remove("BUILD_COMMIT").current_dir(&root);
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let line = said.lines().find_map(|line| line.strip_prefix("cargo::rustc-env="));
        line.unwrap().trim_start_matches("PROGRAM_VERSION=").to_owned()
    };
    let path = std::env::var("PATH").unwrap();
    assert_eq!(version("release", ""), "0.1.0", "without git");
    assert_eq!(version("release", &path), "0.1.0", "without a repository");
    let git = |words: &[&str]| {
        let day = "2026-07-01T12:00:00Z";
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(words);
        command.env("GIT_COMMITTER_DATE", day).env("GIT_AUTHOR_DATE", day).current_dir(&root);
        assert!(command.output().unwrap().status.success(), "git {words:?}");
    };
    std::fs::write(root.join("file"), "a").unwrap();
    git(&["init", "-q"]);
    git(&["add", "file"]);
    git(&["commit", "-q", "-m", "first"]);
    let said = version("release", &path);
    assert!(said.starts_with("0.1.0 (") && said.ends_with(" 2026-07-01)"), "{said}");
    assert_eq!(version("release", &path), said, "the same again");
    std::fs::write(root.join("file"), "b").unwrap();
    assert_eq!(version("release", &path), said.replace(')', ", changed since)"));
    assert_eq!(version("debug", &path), "0.1.0 (debug build)");
}

#[test]
fn what_changes_something_can_be_tried_dry_and_what_scripts_read_has_json() {
    let has = |command: &str, flag: &str| {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let outcome = Kiln::new(&words).succeeds();
        assert!(outcome.stdout.contains(flag), "{command} has no {flag}: {outcome}");
    };
    for command in [
        "land",
        "run",
        "build",
        "load",
        "resume",
        "swap",
        "synth",
        "rollback",
        "contract set",
        "contract remove",
        "schema lock",
        "source new",
        "prune",
        "subset",
        "restore",
        "waive",
        "hold",
        "unhold",
    ] {
        has(command, "--dry-run");
    }
    for command in [
        "up",
        "down",
        "land",
        "run",
        "build",
        "load",
        "resume",
        "swap",
        "synth",
        "rollback",
        "status",
        "contract list",
        "guard",
        "schema check",
        "source new",
        "source check",
        "docs",
        "plan",
        "prune",
        "subset",
        "restore",
        "waive",
        "hold",
        "unhold",
    ] {
        has(command, "--json");
    }
}

#[test]
fn a_wrong_command_line_exits_2_and_says_what_is_meant() {
    for (arguments, said) in [
        (&["rum"][..], "'run'"),
        (&["run", "--dryrun"], "'--dry-run'"),
        (&["swap"], "<DATABASE>"),
        (&["contract", "set", "druginfo", "--app", "a", "--accepts", "3..1"], "1..3"),
        (&["waive", "druginfo", "row", "--why", "x"], "rejected, rows, nulls, older, sections"),
        (
            &["contract", "set", "d", "--app", "a", "--accepts", "1", "--until", "May"],
            "--until <YYYY-MM-DD>",
        ),
        (&[], "Usage:"),
    ] {
        Kiln::new(arguments).exits(2).says(&[said]);
    }
}

#[test]
fn outside_a_project_and_with_unknown_settings_kiln_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut kiln = Kiln::new(&["status"]);
    kiln.current_dir(folder.path());
    kiln.exits(2).says(&["no kiln.toml, and no sql/ with sources/", "hint: kiln --root FOLDER"]);
    std::fs::write(folder.path().join("kiln.toml"), "[swop]\nx = 1\n").unwrap();
    let mut kiln = Kiln::new(&["status"]);
    kiln.current_dir(folder.path()).env("KILN_CONECTIONS", "2").env("KILN_KEEP_PREVIOUS", "none");
    kiln.exits(2).says(&[
        "3 problems",
        "kiln.toml:1: unknown key `swop`; did you mean `swap`?",
        "unknown variable KILN_CONECTIONS; did you mean `KILN_CONNECTIONS`?",
        "KILN_KEEP_PREVIOUS must be a whole number from 1 to 1000, found \"none\"",
    ]);
}
