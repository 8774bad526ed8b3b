//! `kiln demo`, `up` and `down`: from nothing, in a home of its own.

use std::path::Path;
use std::process::Command;

use crate::support::{Kiln, project};

fn kiln(home: &Path, arguments: &[&str]) -> Kiln {
    let mut kiln = Kiln::new(arguments);
    kiln.env("KILN_HOME", &home.to_string_lossy()).current_dir(project());
    kiln
}

/// Processes whose command line names this home.
fn processes(home: &Path) -> Vec<String> {
    let home = home.to_string_lossy();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(bytes) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
        if line.contains(home.as_ref()) {
            found.push(line);
        }
    }
    found
}

#[test]
fn the_demo_ends_live_within_a_minute_and_its_psql_line_works() {
    let home = tempfile::tempdir().unwrap();
    let outcome = kiln(home.path(), &["demo"]).succeeds();
    assert!(outcome.took.as_secs() < 60, "{outcome}");
    let line = outcome.stdout.lines().find(|line| line.trim_start().starts_with("psql "));
    let line = line.unwrap_or_else(|| panic!("no psql line: {outcome}"));
    let psql = Command::new("sh")
        .args(["-c", line])
        .env("KILN_HOME", home.path())
        .current_dir(project())
        .output()
        .unwrap();
    let table = String::from_utf8_lossy(&psql.stdout);
    assert!(psql.status.success() && table.contains("pharmacy_networks"), "{line}: {psql:?}");
    let status = kiln(home.path(), &["status", "--json"]).succeeds().json();
    assert_eq!(status[0]["live"]["tag"]["state"], "live");
    assert!(!processes(home.path()).is_empty());
    kiln(home.path(), &["down"]).succeeds();
    assert_eq!(processes(home.path()), Vec::<String>::new());
    kiln(home.path(), &["url", "druginfo"]).exits(12).says(&["is not up", "hint: kiln up"]);
    // Without servers a command starts them, and leaves them as it found them: down.
    kiln(home.path(), &["guard", "druginfo", "--accepts", "2"]).succeeds();
    assert_eq!(processes(home.path()), Vec::<String>::new());
}

#[test]
fn up_twice_is_up_once_and_down_twice_is_down() {
    let home = tempfile::tempdir().unwrap();
    let up = || kiln(home.path(), &["up", "--json"]).succeeds().json();
    let first = up();
    assert_eq!(up(), first);
    let down = || kiln(home.path(), &["down", "--json"]).succeeds().json();
    assert_eq!(down(), serde_json::json!({ "postgres": true, "s3": true }));
    assert_eq!(down(), serde_json::json!({ "postgres": false, "s3": false }));
    assert_eq!(processes(home.path()), Vec::<String>::new());
    for pid in [&first["postgres_pid"], &first["s3_pid"]] {
        let path = format!("/proc/{pid}/stat");
        let gone = std::fs::read_to_string(path).map_or(true, |stat| stat.contains(") Z "));
        assert!(gone, "process {pid} is still there");
    }
}
