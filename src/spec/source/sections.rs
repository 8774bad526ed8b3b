//! The sections of a family of members that are needed by what is made from the table: what a spec's
//! `[sections]` says. Members of a family come and go from year to year; some may not.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::config::strict::{Said, TomlTable};

/// Which members a release may not lack, by what a group of the pattern `member` calls them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sections {
    /// The group.
    pub of: String,
    /// Those that every release has.
    pub required: Vec<String>,
    /// Those that are missed only where the live build has them.
    pub expected: Vec<String>,
}

impl Sections {
    pub(super) fn parse(root: &TomlTable<'_>, member: Option<&Regex>) -> Option<Sections> {
        let table = root.table("sections")?;
        let of = table.required_text("of");
        let list =
            |said: Option<Said<Vec<String>>>| said.map_or(Vec::new(), |said| lower(&said.value));
        let (required, expected) = (list(table.texts("required")), list(table.texts("expected")));
        if required.is_empty() && expected.is_empty() {
            table.problem(table.line(), "`sections` names none: `required`, `expected` or both");
        }
        let mut seen = BTreeSet::new();
        for twice in required.iter().chain(&expected).filter(|name| !seen.insert(*name)) {
            table.problem(table.line(), format!("section {twice:?} is named twice"));
        }
        if let Some(said) = &of {
            let groups = member.map(|regex| regex.capture_names().flatten().collect::<Vec<_>>());
            if !groups.is_some_and(|groups| groups.contains(&said.value.as_str())) {
                let message = format!("`sections.of`: `member` has no group {:?}", said.value);
                table.problem(said.line, message);
            }
        }
        table.done();
        Some(Sections { of: of?.value, required, expected })
    }

    /// The section of a member of which this much is known.
    pub fn of_known(&self, known: &BTreeMap<String, String>) -> Option<String> {
        known.get(&self.of).map(|name| name.to_lowercase())
    }

    /// The section of a member of this name.
    pub fn of_name(&self, member: &Regex, name: &str) -> Option<String> {
        Some(member.captures(name)?.name(&self.of)?.as_str().to_lowercase())
    }

    /// What a release with these sections lacks. Where a build with the source is live, that is what
    /// it has: who let it go live without a section has said that the section may be missing.
    pub fn missing(&self, has: &BTreeSet<String>, live: Option<&BTreeSet<String>>) -> Vec<&str> {
        let all = self.required.iter().chain(&self.expected);
        let wanted: Vec<&String> = match live {
            Some(live) => all.filter(|name| live.contains(*name)).collect(),
            None => self.required.iter().collect(),
        };
        wanted.into_iter().filter(|name| !has.contains(*name)).map(String::as_str).collect()
    }
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_missed_follows_from_the_spec_and_from_what_is_live() {
        let sections = Sections {
            of: "section".to_owned(),
            required: vec!["a".to_owned(), "d".to_owned()],
            expected: vec!["c".to_owned()],
        };
        let nothing: &[&str] = &[];
        let whole = set(&["a", "c", "d"]);
        assert_eq!(sections.missing(&whole, None), nothing);
        assert_eq!(sections.missing(&whole, Some(&whole)), nothing);
        // Nothing is live: what every release has.
        assert_eq!(sections.missing(&set(&["c"]), None), ["a", "d"]);
        assert_eq!(sections.missing(&set(&["a", "d"]), None), nothing);
        // A whole one is live.
        assert_eq!(sections.missing(&set(&["a"]), Some(&whole)), ["d", "c"]);
        // One that lacks a section is live: that one was waived once.
        let live = set(&["a", "c"]);
        assert_eq!(sections.missing(&set(&["a", "c"]), Some(&live)), nothing);
        assert_eq!(sections.missing(&set(&["a"]), Some(&live)), ["c"]);
        // A section that nobody named comes and goes.
        assert_eq!(sections.missing(&whole, Some(&set(&["a", "c", "d", "x"]))), nothing);
    }

    #[test]
    fn a_spec_that_names_no_group_no_section_or_one_twice_is_told_so() {
        let spec = |sections: &str| {
            let text = format!(
                "description = \"d\"\nobject = 'x'\nmember = '(?<part>.*)'\n\
                 columns = [{{ from = \"A\" }}]\n[sections]\n{sections}\n[format]\ndelimiter = \"|\"\n"
            );
            let problems = crate::config::strict::Problems::default();
            crate::spec::source::Source::parse(std::path::Path::new("a/b.toml"), &text, &problems);
            problems.into_result("mend").err().map_or(String::new(), |error| error.to_string())
        };
        assert_eq!(spec("of = \"part\"\nrequired = [\"A\"]"), "");
        assert!(spec("of = \"prt\"\nrequired = [\"A\"]").contains("`member` has no group \"prt\""));
        assert!(spec("of = \"part\"").contains("`sections` names none"));
        let twice = spec("of = \"part\"\nrequired = [\"A\"]\nexpected = [\"a\"]");
        assert!(twice.contains("section \"a\" is named twice"), "{twice}");
        assert!(spec("of = \"part\"\nrequird = [\"A\"]").contains("did you mean `required`?"));
    }
}
