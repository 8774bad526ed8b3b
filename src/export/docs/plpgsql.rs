//! Which tables and views a function in PL/pgSQL names, for the dictionary alone: no decision rests on it.
//!
//! This is read out of the text, because nobody else knows it. The catalog keeps such a body as a text without
//! dependencies; its validator looks at the syntax, and names are looked up when a statement is first executed. To
//! call it on empty tables would show those of the branch that it then takes, by arguments that nobody knows here.
//! What a section or a function in SQL reads is learned from Postgres (`spec/schema/learned.rs`).

use std::sync::LazyLock;

use regex::Regex;

/// A table that is read: what follows FROM or JOIN. Compiled once; the pattern is constant, and one that did not
/// compile would find nothing.
static READS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(?:from|join)\s+(?:only\s+|lateral\s+)?(?:public\.)?"?([a-z_][a-z0-9_]*)"#)
        .ok()
});

/// Which of the known tables and views the definition names; sorted.
pub(super) fn reads(definition: &str, known: &[String]) -> Vec<String> {
    let Some(reads) = READS.as_ref() else { return Vec::new() };
    let code: Vec<&str> =
        definition.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let found = reads.captures_iter(&code).filter_map(|found| found.get(1));
    let mut names: Vec<String> = found
        .map(|name| name.as_str().to_ascii_lowercase())
        .filter(|name| known.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_follows_from_and_join_and_is_no_comment() {
        let known = ["plan", "county", "drug", "price"].map(str::to_owned);
        let sql = "for row in select extract(year from d) -- from price\n\
                   from county c join lateral drug on true left join public.\"plan\" p on true";
        assert_eq!(reads(sql, &known), ["county", "drug", "plan"]);
    }
}
