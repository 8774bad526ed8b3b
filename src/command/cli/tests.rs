//! The command line is well formed, and every command has examples.

use super::*;
use clap::CommandFactory as _;

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn ranges_have_both_ends() {
    assert_eq!(Range::parse("3"), Ok(Range { min: 3, max: 3 }));
    assert_eq!(Range::parse("1..3"), Ok(Range { min: 1, max: 3 }));
    for wrong in ["", "3..1", "a..b", "-1", "1.."] {
        assert!(Range::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_command_has_examples() {
    fn visit(command: &clap::Command, path: &str) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(sub.has_subcommands() || help.contains("Examples:"), "{path} has no examples");
            visit(sub, &path);
        }
    }
    visit(&Cli::command(), "kiln");
}
