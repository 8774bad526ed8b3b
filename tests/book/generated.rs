//! The tables of the book that the code says: settings, commands and exit codes. Each stands between
//! `<!-- NAME -->` and `<!-- /NAME -->`.
//!
//! `KILN_TEST_BLESS=1 cargo test --test main -- book::generated` writes them.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use kiln::testing::command::cli::Cli;
use kiln::testing::config::settings::{Fallback, SETTINGS, Setting, SettingForm};
use kiln::testing::error::Exit;

use super::Page;
use crate::support::project;

#[test]
fn the_settings_are_those_of_the_code() {
    holds("docs/src/configuration.md", "settings", &settings());
}

#[test]
fn the_commands_are_those_of_the_code() {
    holds("docs/src/commands.md", "commands", &commands());
}

#[test]
fn the_exit_codes_are_those_of_the_code() {
    holds("docs/src/commands.md", "exit codes", &exit_codes());
}

/// Compares what stands between a page's marks with what the code says, or writes it.
fn holds(path: &str, name: &str, table: &str) {
    let page = Page::read(path);
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let (before, rest) = page.text.split_once(&begin).unwrap_or_else(|| panic!("{path}: {begin}"));
    let (found, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{path}: {end}"));
    let expected = format!("\n{table}\n");
    if std::env::var_os("KILN_TEST_BLESS").is_some() {
        // Tests of one page run side by side: whoever has nothing to write leaves it alone.
        if found != expected {
            let text = format!("{before}{begin}{expected}{end}{after}");
            std::fs::write(project().join(path), text).unwrap();
        }
        return;
    }
    assert!(
        found == expected,
        "{path}: the table of {name} is not what the code says; \
         KILN_TEST_BLESS=1 cargo test --test main -- book::generated --test-threads 1\n{expected}"
    );
}

fn settings() -> String {
    let mut table = String::from(
        "| variable | key of `kiln.toml` | value | default | what it is |\n|---|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let code = |name: Option<&str>| name.map_or("–".to_owned(), |name| format!("`{name}`"));
        let value = match setting.form {
            SettingForm::Like(example) => format!("like `{example}`"),
            SettingForm::ListLike(example) => format!("a list, like `[\"{example}\"]`"),
            SettingForm::Count { unit, most: u64::MAX } => format!("{unit}, from 1"),
            SettingForm::Count { unit, most } => format!("{unit}, 1 to {most}"),
        };
        let default = match setting.default {
            Fallback::Value(text) => format!("`{text}`"),
            Fallback::Words(text) => text.to_owned(),
            Fallback::Off => "none".to_owned(),
        };
        let (variable, key) = (code(setting.variable), code(setting.key));
        let meaning = meaning(&setting);
        let _ = writeln!(table, "| {variable} | {key} | {value} | {default} | {meaning} |");
    }
    table
}

/// What a setting is, as sentences.
fn meaning(setting: &Setting) -> String {
    let mut text = setting.help.replace('|', "\\|");
    text[..1].make_ascii_uppercase();
    if !setting.more.is_empty() {
        text.push_str(". ");
        text.push_str(&setting.more.replace('|', "\\|"));
    }
    text
}

fn commands() -> String {
    let mut table = String::from("| command | what it does |\n|---|---|\n");
    rows(&Cli::command(), "kiln", &mut table);
    table
}

fn rows(command: &clap::Command, path: &str, table: &mut String) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", sub.get_name());
        if sub.has_subcommands() {
            rows(sub, &path, table);
            continue;
        }
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(table, "| `{path}` | {about} |");
    }
}

fn exit_codes() -> String {
    let mut table = String::from("| code | `kind` | meaning |\n|---|---|---|\n");
    let _ = writeln!(table, "| 0 | | success: everything that was asked for is done and checked |");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(table, "| {} | `{}` | {meaning} |", exit.code(), exit.kind());
    }
    table
}
