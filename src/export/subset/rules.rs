//! `sql/<database>/subset.toml`: which rows of each table a subset keeps.
//!
//! ```toml
//! [sample]                       # what the percentage is of
//! key = ["contract_id", "plan_id"]
//! table = "plan_information"     # only its rows' keys; absent: each table's own
//!
//! [table.geographic_locator]
//! keep = "all"                   # or "none"
//!
//! [table.basic_drugs_formulary]  # rows that a kept row of another table goes with
//! follows = "plan_information"
//! by = ["formulary_id"]          # or "own = theirs"
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::strict::{Problems, TomlFile, TomlTable, suggest};
use crate::error::{Exit, Failure};
use crate::fetch::digest::sha256;
use crate::fetch::plainfile;
use crate::spec::schema::SUBSET_RULES;

/// Which rows a table keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowChoice {
    /// All of them.
    All,
    /// None of its own accord; foreign keys may still ask for some.
    Nothing,
    /// Those whose key, made of these expressions, is in the percentage.
    Sample(Vec<String>),
    /// Those for which another table keeps a row with equal expressions.
    Follows {
        /// The other table.
        table: String,
        /// Pairs of expressions: this table's, the other's.
        by: Vec<(String, String)>,
    },
}

/// A table's declared rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Which rows.
    pub keep: RowChoice,
    /// And of those only the ones for which this SQL condition holds.
    pub condition: Option<String>,
    /// Where it stands, from 1.
    pub line: usize,
}

/// What the percentage is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleKey {
    /// The table whose rows are sampled, and which the other tables with its key follow. `None`:
    /// every table with the key is sampled on its own, for no table has all keys.
    pub table: Option<String>,
    /// The key's columns.
    pub key: Vec<String>,
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Relative to the root, for messages.
    pub path: PathBuf,
    /// What the percentage is of.
    pub sample: Option<SampleKey>,
    /// Rules by table.
    pub tables: BTreeMap<String, Rule>,
    /// sha256 of the text; empty where there is no file.
    pub sha256: String,
}

impl Rules {
    /// Reads the file; what is wrong with it goes to `problems`. Without a file there are no
    /// rules, and nothing to take a percentage of.
    ///
    /// # Errors
    /// Only when the file is there and cannot be read.
    pub(crate) fn read(root: &Path, database: &str, problems: &Problems) -> anyhow::Result<Rules> {
        let path = Path::new("sql").join(database).join(SUBSET_RULES);
        let text = match plainfile::text(&root.join(&path)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Rules { path, ..Rules::default() });
            }
            Err(error) => {
                let message = format!("cannot read {}", path.display());
                return Err(Failure::new(Exit::Usage, message).because(error).into());
            }
        };
        Ok(Rules::parse(&path, &text, problems))
    }

    /// Reads the file's text; what is wrong goes to `problems`.
    pub(crate) fn parse(path: &Path, text: &str, problems: &Problems) -> Rules {
        let mut rules =
            Rules { path: path.to_path_buf(), sha256: sha256(text.as_bytes()), ..Rules::default() };
        let file = TomlFile::new(path, text, problems);
        let Some(parsed) = file.parse() else { return rules };
        let root = TomlTable::root(&file, &parsed);
        if let Some(sample) = root.table("sample") {
            let (table, key) = (sample.text("table"), sample.texts("key"));
            match key {
                Some(key) if !key.value.is_empty() => {
                    let table = table.map(|said| said.value);
                    rules.sample = Some(SampleKey { table, key: key.value });
                }
                _ => sample.problem(sample.line(), "`sample` has a key, which is not empty"),
            }
            sample.done();
        }
        if let Some(tables) = root.table("table") {
            for (name, table) in tables.each_table() {
                rules.tables.extend(rule(&table).map(|rule| (name, rule)));
                table.done();
            }
        }
        root.done();
        rules
    }
}

fn rule(table: &TomlTable<'_>) -> Option<Rule> {
    let line = table.line();
    let condition = table.text("where").map(|said| said.value);
    let (keep, sample) = (table.text("keep"), table.texts("sample"));
    let (follows, by) = (table.text("follows"), table.texts("by"));
    let keep = match (keep, sample, follows, by) {
        (Some(word), None, None, None) => match word.value.as_str() {
            "all" => RowChoice::All,
            "none" => RowChoice::Nothing,
            other => {
                let mean = suggest(other, ["all", "none"]);
                let message = format!("`keep` is \"all\" or \"none\", found {other:?}{mean}");
                table.problem(word.line, message);
                return None;
            }
        },
        (None, Some(key), None, None) if !key.value.is_empty() => RowChoice::Sample(key.value),
        (None, None, Some(other), Some(by)) if !by.value.is_empty() => {
            let pair = |text: String| match text.split_once(" = ") {
                Some((own, theirs)) => (own.trim().to_owned(), theirs.trim().to_owned()),
                None => (text.clone(), text),
            };
            RowChoice::Follows { table: other.value, by: by.value.into_iter().map(pair).collect() }
        }
        // A condition alone is a rule as well.
        (None, None, None, None) if condition.is_some() => RowChoice::All,
        _ => {
            let said =
                "a table has one rule: `keep`, or `sample` with a key, or `follows` with `by`";
            table.problem(line, said);
            return None;
        }
    };
    Some(Rule { keep, condition, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Rules, String) {
        let problems = Problems::default();
        let rules = Rules::parse(Path::new("subset.toml"), text, &problems);
        (rules, problems.into_result("").err().map_or(String::new(), |e| e.to_string()))
    }

    #[test]
    fn every_form_of_rule_is_read() {
        let (rules, problems) = read(
            "[sample]\ntable = \"plan\"\nkey = [\"a\", \"lpad(b, 3, '0')\"]\n\
             [table.county]\nkeep = \"all\"\n[table.big]\nkeep = \"none\"\n\
             [table.other]\nsample = [\"a\", \"b\"]\nwhere = \"year = 2026\"\n\
             [table.child]\nfollows = \"plan\"\nby = [\"a\", \"left(x, 9) = y\"]\n",
        );
        assert_eq!(problems, "");
        assert_eq!(rules.sample.expect("a sample").key[1], "lpad(b, 3, '0')");
        assert_eq!(rules.tables["county"].keep, RowChoice::All);
        assert_eq!(rules.tables["big"].keep, RowChoice::Nothing);
        assert_eq!(rules.tables["other"].condition.as_deref(), Some("year = 2026"));
        let by = vec![("a".to_owned(), "a".to_owned()), ("left(x, 9)".to_owned(), "y".to_owned())];
        assert_eq!(rules.tables["child"].keep, RowChoice::Follows { table: "plan".into(), by });
    }

    #[test]
    fn slips_are_named_with_their_lines() {
        let (_, problems) = read(
            "[sampel]\n[table.a]\nkeep = \"al\"\n[table.b]\nfollows = \"a\"\n\
             [table.c]\nkeep = \"all\"\nsample = [\"x\"]\n[table.d]\nkeep = \"all\"\nwhen = \"x\"\n",
        );
        for said in [
            "1: unknown key `sampel`; did you mean `sample`?",
            "3: `keep` is \"all\" or \"none\", found \"al\"; did you mean `all`?",
            "4: a table has one rule",
            "6: a table has one rule",
            "11: unknown key `table.d.when`",
        ] {
            assert!(problems.contains(said), "{said}: {problems}");
        }
    }
}
