//! Output that cannot be written is a failure, whatever was said; a reader that has gone is none.

use super::settings::command;
use crate::support::World;

#[test]
fn a_full_disk_behind_standard_output_is_a_failure_of_every_command() {
    let world = World::ready();
    world.night();
    let live = world.live();
    for arguments in [
        &["status", "druginfo"][..],
        &["status", "--json"],
        &["url", "druginfo"],
        &["contract", "list"],
        &["plan", "druginfo", "--json"],
        &["guard", "druginfo", "--accepts", "1", "--json"],
        &["prune", "--dry-run"],
        &["schema", "check", "druginfo"],
        &["--version"],
        &["--help"],
        &["run", "--help"],
    ] {
        let outcome = world.kiln(arguments).stdout_to("/dev/full").exits(2);
        outcome.says(&["kiln: cannot write to standard output: No space left on device"]);
    }
    // What was asked is done all the same, and its own failure stands before this one.
    world.kiln(&["run", "druginfo", "--json"]).stdout_to("/dev/full").exits(2);
    assert_ne!(world.live(), live, "the night went live");
    world.kiln(&["url", "drugs"]).stdout_to("/dev/full").exits(2).says(&["no database \"drugs\""]);
}

#[test]
fn a_reader_that_has_gone_is_no_failure_and_a_full_standard_error_no_panic() {
    let world = World::ready();
    let gone = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut kiln = command(&world, arguments);
        kiln.stdout(writer).stderr(std::process::Stdio::piped());
        let output = kiln.spawn().unwrap().wait_with_output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        output.status.code()
    };
    assert_eq!(gone(&["status", "--json"]), Some(0));
    assert_eq!(gone(&["--help"]), Some(0));
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut kiln = command(&world, &["url", "druginfo"]);
    let status = kiln.stdout(full()).stderr(full()).status().unwrap();
    assert_ne!(status.code(), Some(101), "no panic where there is no place to say so");
    assert_ne!(status.code(), Some(0), "nothing is live");
}
