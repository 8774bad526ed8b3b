//! Tells the program which commit it is made of, and of which day: `kiln --version`, the stamp, manifests.
//!
//! Only in release builds: in others every commit would compile everything anew. The day is the
//! commit's, not today's, so that the same commit gives the same program. Where there is no git, or no
//! repository (an unpacked archive), BUILD_COMMIT says it, or nothing does.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BUILD_COMMIT");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if is_release { commit() } else { Some("debug build".to_owned()) };
    let version = match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo::rustc-env=PROGRAM_VERSION={version}");
}

/// The commit and its day.
fn commit() -> Option<String> {
    if let Some(said) = std::env::var("BUILD_COMMIT").ok().filter(|said| !said.trim().is_empty()) {
        return Some(said.trim().to_owned());
    }
    // Unpacked within somebody else's repository it is not of that one's commit.
    let top = std::fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()?;
    let own = std::fs::canonicalize(std::env::var_os("CARGO_MANIFEST_DIR")?).ok()?;
    if top != own {
        return None;
    }
    let commit = git(&["log", "-1", "--format=%h %cs", "--abbrev=9"])?;
    for what in ["HEAD", "packed-refs", "index"] {
        watch(&["rev-parse", "--git-path", what]);
    }
    if let Some(branch) = git(&["symbolic-ref", "-q", "HEAD"]) {
        watch(&["rev-parse", "--git-path", &branch]);
    }
    println!("cargo::rerun-if-changed=src");
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let mark = if changed.is_some() { ", changed since" } else { "" };
    Some(format!("{commit}{mark}"))
}

/// Runs this again when a file of git's changes; cargo would run it always for one that is not there.
fn watch(arguments: &[&str]) {
    if let Some(path) = git(arguments).filter(|path| std::path::Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
}

/// What git says, if it says anything.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    Some(said.trim().to_owned()).filter(|said| output.status.success() && !said.is_empty())
}
