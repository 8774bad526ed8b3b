//! The settings that come from the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::settings::{
    CONNECTIONS_MAX, GONE, PREVIOUS_MAX, STALL_MAX, SWAP_MAX, URL_OF, variables,
};
use super::{Config, RunDeadline, databases, deadline, may_name_a_database, size};
use crate::config::strict::{Problems, TomlTable, suggest};
use crate::fetch::location::S3Location;

impl Config {
    /// Takes what the environment says over what the file does.
    pub(super) fn take_environment(
        &mut self,
        environment: &BTreeMap<String, String>,
        problems: &Problems,
    ) {
        let place = Path::new("environment");
        for (name, value) in environment {
            let number = |most: u64| {
                let parsed = value.parse::<u64>().ok().filter(|n| (1..=most).contains(n));
                if parsed.is_none() {
                    let form = whole_number(most);
                    problems.add(place, 0, format!("{name} must be {form}, found {value:?}"));
                }
                parsed
            };
            match name.as_str() {
                "KILN_POSTGRES_URL" => self.postgres_url = Some(value.clone()),
                "KILN_POSTGRES_CA" => self.postgres_ca = Some(value.into()),
                "KILN_PG_BIN" => self.postgres_bin = Some(value.into()),
                "KILN_HOME" => self.home = absolute(value),
                "KILN_HASH_KEY_FILE" => self.hash_key_file = Some(absolute(value)),
                "KILN_LOG" => self.log = value.clone(),
                "KILN_S3_URL" => {
                    self.s3 = S3Location::parse(value);
                    if self.s3.is_none() {
                        // Whoever writes keys into it must not find them in a log.
                        let message = "KILN_S3_URL must be s3://bucket or s3://bucket/prefix";
                        problems.add(place, 0, message);
                    }
                }
                "KILN_S3_STALL" => {
                    let seconds = number(STALL_MAX);
                    self.s3_stall = seconds.map_or(self.s3_stall, Duration::from_secs);
                }
                "KILN_CONNECTIONS" => {
                    let count = number(CONNECTIONS_MAX);
                    self.connections = count.map_or(self.connections, |n| n as usize);
                }
                "KILN_KEEP_PREVIOUS" => {
                    let count = number(PREVIOUS_MAX);
                    self.keep_previous = count.map_or(self.keep_previous, |n| n as usize);
                }
                "KILN_SWAP_DEADLINE" => {
                    let seconds = number(SWAP_MAX);
                    self.swap_deadline = seconds.map_or(self.swap_deadline, Duration::from_secs);
                }
                "KILN_RUN_DEADLINE" => {
                    self.run_deadline = RunDeadline::parse(value);
                    if self.run_deadline.is_none() {
                        let message = format!("{name} must be {}", deadline::FORM);
                        problems.add(place, 0, format!("{message}, found {value:?}"));
                    }
                }
                "KILN_DISK_FREE" => {
                    self.disk_free = size::bytes(value);
                    if self.disk_free.is_none() {
                        let message = format!("{name} must be like \"200 GiB\"");
                        problems.add(place, 0, format!("{message}, found {value:?}"));
                    }
                }
                "KILN_FAILPOINT" => {}
                name if self.takes_url_of(name, value) => {}
                name if GONE.contains(&name) || name.starts_with("KILN_TEST_") => {}
                name => {
                    let mean = suggest(name, variables());
                    problems.add(place, 0, format!("unknown variable {name}{mean}"));
                }
            }
        }
    }
}

impl Config {
    /// `KILN_POSTGRES_URL_DRUGINFO`. A host without a project knows no databases, and takes any that may be
    /// one.
    fn takes_url_of(&mut self, variable: &str, value: &str) -> bool {
        let Some(database) = variable.strip_prefix(URL_OF).map(str::to_lowercase) else {
            return false;
        };
        let is_known = match databases(self) {
            Ok(known) => known.contains(&database),
            Err(_) => may_name_a_database(&database).is_ok(),
        };
        if is_known {
            self.postgres_urls.insert(database, value.to_owned());
        }
        is_known
    }
}

/// The `KILN_*` variables. One whose bytes are no text is not as good as absent: another server would
/// be asked than was meant.
pub(super) fn environment(problems: &Problems) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        match value.into_string() {
            Ok(value) if name.starts_with("KILN_") => {
                environment.insert(name, value);
            }
            // The SDK would put it into a header, and panic; and what it is stays unsaid.
            Ok(value) if name.starts_with("AWS_") && value.contains(char::is_control) => {
                let message = format!("{name} holds a line end or another control character");
                problems.add(Path::new("environment"), 0, message);
            }
            Err(_) if name.starts_with("KILN_") || name.starts_with("AWS_") => {
                problems.add(Path::new("environment"), 0, format!("{name} is not UTF-8"));
            }
            _ => {}
        }
    }
    environment
}

/// Whether this process was started with `--json`. Asked of the words themselves, for a command line that
/// clap refuses has no values.
pub(crate) fn asks_for_json() -> bool {
    std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json")
}

/// A number of a table, from 1 to the most that makes sense.
pub(super) fn within(table: &TomlTable<'_>, key: &'static str, most: u64) -> Option<u64> {
    let said = table.count(key)?;
    if (1..=most).contains(&said.value) {
        return Some(said.value);
    }
    table.problem(
        said.line,
        format!("`{key}` must be {}, found {}", whole_number(most), said.value),
    );
    None
}

fn whole_number(most: u64) -> String {
    match most {
        u64::MAX => "a whole number from 1".to_owned(),
        most => format!("a whole number from 1 to {most}"),
    }
}

fn absolute(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}
