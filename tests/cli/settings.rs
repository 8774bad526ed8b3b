//! Settings that are wrong are refused by name, without a panic, another server or a word of what
//! they hold.

use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use crate::support::{Kiln, World};

/// The binary as another process would start it.
pub fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.args(arguments).env_clear().current_dir(&world.root);
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("AWS_EC2_METADATA_DISABLED", "true");
    command
        .env("KILN_POSTGRES_URL", world.postgres.url("postgres"))
        .env("KILN_S3_URL", "s3://kiln");
    command.env("KILN_HOME", world.folder.path().join("home")).envs(world.s3_environment());
    command
}

#[test]
fn numbers_beyond_sense_are_refused_and_not_multiplied() {
    let world = World::new();
    let most = u64::MAX.to_string();
    for (name, value, form) in [
        ("KILN_S3_STALL", most.as_str(), "from 1 to 3600"),
        ("KILN_S3_STALL", "0", "from 1 to 3600"),
        ("KILN_SWAP_DEADLINE", &most, "from 1 to 86400"),
        ("KILN_KEEP_PREVIOUS", &most, "from 1 to 1000"),
        ("KILN_CONNECTIONS", "0", "from 1 to 64"),
        ("KILN_CONNECTIONS", "65", "from 1 to 64"),
        ("KILN_RUN_DEADLINE", "9999999999h", "a time of day (06:00) or a duration"),
    ] {
        let outcome = world.kiln(&["run"]).env(name, value).exits(2);
        outcome.says(&[&format!("environment: {name} must be "), form]);
    }
    let root = world.folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    for (text, key, form) in [
        ("[postgres]\nconnections = 0\n", "connections", "from 1 to 64, found 0"),
        ("[s3]\nstall_seconds = 9223372036854775807\n", "stall_seconds", "from 1 to 3600"),
        ("[swap]\ndeadline_seconds = 0\n", "deadline_seconds", "from 1 to 86400"),
        ("[swap]\nkeep_previous = 1001\n", "keep_previous", "from 1 to 1000"),
    ] {
        std::fs::write(root.join("kiln.toml"), text).unwrap();
        let outcome = world.kiln(&["run"]).current_dir(&root).exits(2);
        outcome.says(&["kiln.toml:2: ", &format!("`{key}` must be a whole number "), form]);
    }
    let long = world.kiln(&["run", "--deadline", "9999999999h"]);
    long.exits(2).says(&["must be a time of day (06:00) or a duration"]);
}

#[test]
fn a_setting_that_is_no_text_is_not_as_good_as_none() {
    let world = World::new();
    let home = world.folder.path().join("other");
    for (name, value) in [
        ("KILN_POSTGRES_URL", &b"postgresql://kiln:\xff@127.0.0.1:1/x"[..]),
        ("KILN_S3_URL", b"s3://\xff"),
        ("AWS_SECRET_ACCESS_KEY", b"canary\xff"),
    ] {
        let mut kiln = command(&world, &["status"]);
        kiln.env("KILN_HOME", &home).env(name, std::ffi::OsStr::from_bytes(value));
        let output = kiln.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("environment: {name} is not UTF-8")), "{said}");
        assert!(!home.exists(), "no private server in the place of the one that is named");
    }
}

#[test]
fn a_credential_with_a_line_end_is_refused_by_its_name() {
    let world = World::new();
    let canary = "canary-of-a-key";
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"] {
        for value in [format!("{canary}\n"), format!("{canary}\r\nx"), format!("\u{1b}{canary}")] {
            let outcome = world.kiln(&["run", "druginfo"]).env(name, &value).exits(2);
            outcome.says(&[&format!("environment: {name} holds a line end")]);
            assert!(!outcome.stderr.contains(canary), "{outcome}");
        }
    }
    let outcome = world.kiln(&["run"]).env("KILN_S3_URL", "s3://key:canary@kiln/x").exits(2);
    outcome.says(&["KILN_S3_URL must be s3://bucket"]);
    assert!(!outcome.stderr.contains("canary"), "{outcome}");
}

#[test]
fn what_is_no_file_in_the_place_of_one_is_named_and_not_waited_for() {
    let mut world = World::new();
    world.own_root();
    let pipe = |path: &std::path::Path| {
        std::fs::remove_file(path).unwrap_or_default();
        nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    };
    for file in ["sources/druginfo/pricing.toml", "sql/druginfo/0009_pricing.sql"] {
        let path = world.root.join(file);
        let text = std::fs::read(&path).unwrap();
        pipe(&path);
        let outcome = world.kiln(&["run", "druginfo"]).exits(2);
        outcome.says(&[&format!("{file}: cannot read it: it is a named pipe, not a file")]);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let outcome = world.kiln(&["run", "druginfo"]).exits(2);
        outcome.says(&[&format!("{file}: cannot read it: it is a directory, not a file")]);
        std::fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let outcome = world.kiln(&["run", "druginfo"]).exits(2);
        outcome.says(&[&format!("{file}: cannot read it: it is a device, not a file")]);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    pipe(&world.root.join("kiln.toml"));
    world.kiln(&["status"]).exits(2).says(&["kiln.toml: it is a named pipe, not a file"]);
    std::fs::remove_file(world.root.join("kiln.toml")).unwrap();
    pipe(&world.folder.path().join("part.sql.gz"));
    let file = world.folder.path().join("part.sql.gz").to_string_lossy().into_owned();
    world.kiln(&["restore", &file]).exits(10).says(&["it is a named pipe, not a file"]);
    assert_eq!(world.databases(), Vec::<String>::new());
}

#[test]
fn an_apps_host_has_neither_project_nor_home_and_asks_all_the_same() {
    let world = World::ready();
    world.night();
    let empty = tempfile::tempdir().unwrap();
    let on_host = |arguments: &[&str]| {
        let mut kiln = Kiln::new(arguments);
        kiln.env("KILN_POSTGRES_URL", &world.postgres.url("postgres")).current_dir(empty.path());
        kiln
    };
    on_host(&["guard", "druginfo", "--accepts", "1"]).succeeds();
    on_host(&["guard", "druginfo", "--accepts", "2"]).exits(13);
    assert!(on_host(&["url", "druginfo"]).succeeds().stdout.contains("druginfo"));
    assert!(on_host(&["status"]).succeeds().stdout.contains("druginfo: druginfo_00001 live"));
    assert!(on_host(&["status", "druginfo"]).succeeds().stdout.contains("live since"));
    on_host(&["plan", "druginfo"]).exits(2).says(&["there is neither here", "hint: kiln --root"]);
    on_host(&["run"]).exits(2).says(&["no kiln.toml, and no sql/ with sources/"]);
    let mut nothing = Kiln::new(&["status"]);
    nothing.current_dir(empty.path()).exits(2).says(&["no kiln.toml, and no sql/ with sources/"]);
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "nothing is left on the host");
    // A home that nobody may write to: root may everywhere but where there is no place at all.
    for arguments in [
        &["guard", "druginfo", "--accepts", "1"][..],
        &["url", "druginfo"],
        &["status"],
        &["plan", "druginfo"],
        &["contract", "list"],
    ] {
        world.kiln(arguments).env("KILN_HOME", "/proc/kiln").succeeds();
    }
    let outcome = world.kiln(&["run", "druginfo"]).env("KILN_HOME", "/proc/kiln").exits(2);
    outcome.says(&["/proc/kiln/log", "hint: set KILN_HOME to a folder that this user may write"]);
}

#[test]
fn a_name_that_would_write_on_a_terminal_is_refused() {
    let world = World::new();
    for name in ["a\nb", "\u{1b}[31mred", "a\u{7}", "  "] {
        world.kiln(&["contract", "set", "druginfo", "--app", name, "--accepts", "1"]).exits(2);
    }
    world.accept("1");
    let listed = world.kiln(&["contract", "list", "--json"]).succeeds();
    assert_eq!(listed.json().as_array().map(Vec::len), Some(1), "{listed}");
}
