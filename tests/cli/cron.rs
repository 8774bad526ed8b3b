//! `cron/nightly` as cron runs it: no terminal, next to no environment, cwd `/`, umask 077.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::{World, project};

/// A checkout with the script, the data and the binary, and a settings file.
fn checkout(world: &mut World, url: &str) -> PathBuf {
    let root = world.own_root().to_path_buf();
    std::fs::create_dir_all(root.join("cron")).unwrap();
    std::fs::copy(project().join("cron/nightly"), root.join("cron/nightly")).unwrap();
    std::fs::create_dir_all(root.join("target/release")).unwrap();
    symlink(env!("CARGO_BIN_EXE_kiln"), root.join("target/release/kiln")).unwrap();
    settings(world, &root, url);
    root
}

fn settings(world: &World, root: &std::path::Path, url: &str) {
    let mut text = format!("KILN_POSTGRES_URL='{url}'\nKILN_S3_URL=s3://kiln\n");
    for (name, value) in world.s3_environment() {
        text.push_str(&format!("{name}='{value}'\n"));
    }
    std::fs::write(root.join("env"), text).unwrap();
    std::fs::set_permissions(root.join("env"), PermissionsExt::from_mode(0o600)).unwrap();
}

fn cron(root: &std::path::Path, arguments: &str) -> Output {
    let root = root.display();
    Command::new("/usr/bin/env")
        .args(["-i", "HOME=/nonexistent", "LOGNAME=kiln", "PATH=/usr/bin:/bin", "SHELL=/bin/sh"])
        .arg(format!("KILN_ENV_FILE={root}/env"))
        .args(["/bin/sh", "-c", &format!("umask 077; cd /; {root}/cron/nightly {arguments}")])
        .output()
        .unwrap()
}

fn said(output: &Output) -> (i32, String) {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&both).into_owned())
}

#[test]
fn a_good_night_says_nothing_and_a_bad_one_says_one_line() {
    let mut world = World::ready();
    let url = world.postgres.url("postgres");
    let root = checkout(&mut world, &url);
    assert_eq!(said(&cron(&root, "")), (0, String::new()));
    let live = world.live();
    assert!(live.is_some());
    // Nothing that the night leaves behind is anybody else's to read.
    for folder in [".kiln/log", ".kiln"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
        }
    }

    world.accept("2");
    let (code, line) = said(&cron(&root, "druginfo"));
    assert_eq!(code, 13, "{line}");
    let (before, log) = line.trim_end().split_once(": log ").unwrap();
    assert!(before.ends_with("failed with exit code 13"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("app test accepts 2..2") && log.contains("hint: "), "{log}");
    assert_eq!(world.live(), live);

    settings(&world, &root, "postgresql://loader@127.0.0.1:1/postgres");
    let (code, line) = said(&cron(&root, ""));
    assert_eq!((code, line.lines().count()), (12, 1), "{line}");
}

#[test]
fn settings_that_are_missing_or_open_to_others_start_nothing() {
    let mut world = World::ready();
    let url = world.postgres.url("postgres");
    let root = checkout(&mut world, &url);
    std::fs::set_permissions(root.join("env"), PermissionsExt::from_mode(0o644)).unwrap();
    let (code, line) = said(&cron(&root, ""));
    assert_eq!((code, line.lines().count()), (78, 1), "{line}");
    assert!(line.contains("others may read"), "{line}");
    std::fs::remove_file(root.join("env")).unwrap();
    let (code, line) = said(&cron(&root, ""));
    assert_eq!((code, line.lines().count()), (78, 1), "{line}");
    assert_eq!(world.databases(), Vec::<String>::new());
}
