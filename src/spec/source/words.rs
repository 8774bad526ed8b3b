//! Values of a spec that are patterns, or one of a closed set of words.

use regex::Regex;

use crate::config::strict::{Said, TomlTable, suggest};

/// A regular expression; what is wrong with it goes to the problems.
pub(super) fn pattern(table: &TomlTable<'_>, key: &str, said: &Said<String>) -> Option<Regex> {
    match Regex::new(&said.value) {
        Ok(regex) => Some(regex),
        Err(error) => {
            // The last line of a regex error is the reason; the lines before draw the place.
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().to_owned();
            table.problem(said.line, format!("`{key}` is not a regular expression: {reason}"));
            None
        }
    }
}

/// One of a closed set of words; an unknown one is answered with the nearest.
pub(super) fn word<T: Copy>(
    table: &TomlTable<'_>,
    key: &'static str,
    known: &[(&str, T)],
    default: T,
) -> T {
    let Some(said) = table.text(key) else { return default };
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == said.value) {
        return *value;
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let mean = suggest(&said.value, names.iter().copied());
    let listed = names.join(", ");
    table.problem(
        said.line,
        format!("`{key}` must be one of {listed}, found {:?}{mean}", said.value),
    );
    default
}
