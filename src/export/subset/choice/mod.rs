//! Rules, catalog and command line to one query a table. Pure: what is asked of a server comes in
//! as [`CatalogFacts`], and what it is to run goes out as text.
//!
//! A table that follows another repeats that table's condition inside its own, down to the sample:
//! nothing is written to the build that is read, not even a temporary table.

use std::collections::BTreeMap;

use super::{RowChoice, Rules, SampleKey, quoted};
use crate::catalog::manifest::SubsetRequest;
use crate::config::strict::{Problems, suggest};

/// A dictionary's number of a set.
const ID: &str = "id";

/// A table as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogTable {
    /// Its name.
    pub name: String,
    /// Its columns in their order, computed ones left out.
    pub columns: Vec<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The table that refers.
    pub table: String,
    /// The table that is referred to.
    pub to: String,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The columns that are referred to.
    pub to_columns: Vec<String>,
}

/// What the catalog says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CatalogFacts {
    /// The tables that the loader fills.
    pub tables: Vec<CatalogTable>,
    /// The foreign keys between them.
    pub references: Vec<Reference>,
    /// Columns that hold numbers of sets: what the specs' dictionaries say.
    pub sets: Vec<SetColumn>,
}

/// A column that holds the numbers (`id`) of a dictionary's sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetColumn {
    /// The source's table.
    pub table: String,
    /// Its column, or the expression that gives the numbers that a row of it names.
    pub column: String,
    /// Whether a row names many: it cannot be kept for some of them.
    pub many: bool,
    /// The dictionary's table.
    pub dictionary: String,
}

/// One table and what a subset keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptTable {
    /// Its name.
    pub name: String,
    /// Whether the percentage is taken of its own rows.
    pub is_sampled: bool,
    /// Its columns, in the order that they are copied.
    pub columns: Vec<String>,
    /// The rule in words.
    pub words: String,
    /// The condition on its rows; `None` where all are kept.
    pub condition: Option<String>,
}

impl KeptTable {
    /// The columns as they stand in SQL.
    pub(crate) fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        names.join(", ")
    }

    /// The query of the kept rows.
    pub(crate) fn query(&self) -> String {
        select(&self.column_list(), &self.name, self.condition.as_deref())
    }

    /// The query of all its rows, in a build that holds the kept ones alone.
    pub(crate) fn all(&self) -> String {
        select(&self.column_list(), &self.name, None)
    }

    /// The query of all its rows in an order that is theirs alone, whatever order they came in.
    pub(crate) fn ordered(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|n| n.to_string()).collect();
        format!("{} order by {}", self.all(), places.join(", "))
    }
}

/// What is to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The tables, by name.
    pub tables: Vec<KeptTable>,
    /// Small queries that use every expression of the rules on its own table alone, so that a
    /// misspelt column is found, and is not taken for one of a query around it.
    pub probes: Vec<(String, String)>,
    /// Tables that are kept whole because nothing is said of them.
    pub undeclared: Vec<String>,
}

/// Makes the queries. What the rules say of tables that are not there, and rules that go round
/// in a circle, go to `problems`.
pub(crate) fn choose(
    rules: &Rules,
    asked: &SubsetRequest,
    facts: &CatalogFacts,
    problems: &Problems,
) -> Chosen {
    let chooser = Chooser { rules, asked, facts, problems };
    chooser.refuse_unknown_tables();
    let mut chosen = Chosen { tables: Vec::new(), probes: Vec::new(), undeclared: Vec::new() };
    for table in &facts.tables {
        let keep = chooser.keep(&table.name);
        if keep.is_none() {
            chosen.undeclared.push(table.name.clone());
        }
        chosen.probes.extend(chooser.probes(&table.name, keep.as_ref()));
        let condition = match asked.is_everything() {
            true => None,
            false => chooser.condition(&table.name, &mut Vec::new()),
        };
        chosen.tables.push(KeptTable {
            name: table.name.clone(),
            columns: table.columns.clone(),
            is_sampled: matches!(keep, Some(RowChoice::Sample(_))),
            words: chooser.words(&table.name, keep.as_ref()),
            condition,
        });
    }
    chosen
}

struct Chooser<'a> {
    rules: &'a Rules,
    asked: &'a SubsetRequest,
    facts: &'a CatalogFacts,
    problems: &'a Problems,
}

/// Why a dictionary does not say which rows are kept.
fn names_many(SetColumn { table, dictionary, .. }: &SetColumn) -> String {
    format!("a row of {table} names many of {dictionary}: what is kept cannot be chosen by those")
}

impl Chooser<'_> {
    fn table(&self, name: &str) -> Option<&CatalogTable> {
        self.facts.tables.iter().find(|table| table.name == name)
    }

    fn refuse_unknown_tables(&self) {
        let known = || self.facts.tables.iter().map(|table| table.name.as_str());
        let unknown = |name: &str| {
            let is_unknown = self.table(name).is_none();
            is_unknown
                .then(|| format!("no table {name} that the loader fills{}", suggest(name, known())))
        };
        let path = &self.rules.path;
        if let Some(said) = self.sampled().and_then(unknown) {
            self.problems.add(path, 0, format!("`sample.table`: {said}"));
        }
        for (name, rule) in &self.rules.tables {
            if let Some(said) = unknown(name) {
                self.problems.add(path, rule.line, said);
            }
            if let RowChoice::Follows { table, .. } = &rule.keep
                && let Some(said) = unknown(table)
            {
                self.problems.add(path, rule.line, format!("`follows`: {said}"));
            }
        }
        for name in self.asked.conditions.keys() {
            if let Some(said) = unknown(name) {
                self.problems.add(path, 0, format!("--rule: {said}"));
            }
            let many = self.facts.sets.iter().find(|set| set.many && set.dictionary == *name);
            if let Some(said) = many.map(names_many) {
                self.problems.add(path, 0, format!("--rule: {said}"));
            }
        }
    }

    /// A table's rule: the declared one; else a table with the sampled key's columns goes with the
    /// sample, a table whose key is in a dictionary goes with that, and a dictionary goes with the
    /// table that has its numbers. `None`: nothing is said of it.
    fn keep(&self, name: &str) -> Option<RowChoice> {
        if let Some(rule) = self.rules.tables.get(name) {
            return Some(rule.keep.clone());
        }
        let follows = |table: &str, by: Vec<(&str, &str)>| RowChoice::Follows {
            table: table.to_owned(),
            by: by.into_iter().map(|(own, theirs)| (own.to_owned(), theirs.to_owned())).collect(),
        };
        let set = self.facts.sets.iter().find(|set| set.dictionary == name);
        let has_own_rule = |set: &SetColumn| self.rules.tables.contains_key(&set.table);
        if let Some(set) = set.filter(|set| has_own_rule(set) || !self.has_key(name)) {
            return Some(follows(&set.table, vec![(ID, &set.column)]));
        }
        let SampleKey { table, key } = self.rules.sample.as_ref()?;
        match table {
            Some(sampled) if sampled == name => return Some(RowChoice::Sample(key.clone())),
            Some(sampled) if self.has_key(name) => {
                let same = key.iter().map(|column| (column.as_str(), column.as_str()));
                return Some(follows(sampled, same.collect()));
            }
            None if self.has_key(name) => return Some(RowChoice::Sample(key.clone())),
            _ => {}
        }
        let mut own_sets = self.facts.sets.iter().filter(|set| set.table == name);
        let keyed = own_sets.find(|set| self.has_key(&set.dictionary))?;
        if keyed.many {
            self.problems.add(&self.rules.path, 0, names_many(keyed));
            return None;
        }
        Some(follows(&keyed.dictionary, vec![(&keyed.column, ID)]))
    }

    /// Whether a table has the sampled key's columns.
    fn has_key(&self, name: &str) -> bool {
        let (Some(table), Some(sample)) = (self.table(name), &self.rules.sample) else {
            return false;
        };
        sample.key.iter().all(|column| table.columns.contains(column))
    }

    /// The table whose rows are sampled, where it is one alone.
    fn sampled(&self) -> Option<&str> {
        self.rules.sample.as_ref()?.table.as_deref()
    }

    /// The condition on a table's rows, foreign keys included; `None` where all are kept. `path`
    /// holds the tables that ask for this one.
    fn condition(&self, name: &str, path: &mut Vec<String>) -> Option<String> {
        if path.iter().any(|before| before == name) {
            let circle = format!("{} → {name}", path.join(" → "));
            let message = format!("rules and foreign keys go in a circle: {circle}");
            self.problems.add(
                &self.rules.path,
                self.rules.tables.get(name).map_or(0, |rule| rule.line),
                format!("{message}; keep = \"all\" for one of them ends it"),
            );
            return None;
        }
        path.push(name.to_owned());
        let own = self.own_condition(name, path);
        let condition = own.map(|own| {
            let mut any = vec![own];
            any.extend(self.referred(name, path));
            match any.as_slice() {
                [one] => one.clone(),
                all => format!("({})", all.join(" or ")),
            }
        });
        path.pop();
        condition
    }

    /// What a table's own rule and the conditions say.
    fn own_condition(&self, name: &str, path: &mut Vec<String>) -> Option<String> {
        let by_rule = match self.keep(name).unwrap_or(RowChoice::All) {
            RowChoice::All => None,
            RowChoice::Nothing => Some("false".to_owned()),
            RowChoice::Sample(key) => self.asked.percent.condition(&key),
            RowChoice::Follows { table, by } => {
                let (own, theirs): (Vec<String>, Vec<String>) = by.into_iter().unzip();
                let inner = self.condition(&table, path);
                let kept = select(&theirs.join(", "), &table, inner.as_deref());
                Some(format!("({}) in ({kept})", own.join(", ")))
            }
        };
        let declared = self.rules.tables.get(name).and_then(|rule| rule.condition.clone());
        let asked = self.asked.conditions.get(name).cloned();
        let conditions = declared.into_iter().chain(asked).map(|sql| format!("({sql})"));
        let all: Vec<String> = by_rule.into_iter().chain(conditions).collect();
        (!all.is_empty()).then(|| all.join(" and "))
    }

    /// One condition a foreign key: rows that kept rows of other tables refer to.
    fn referred(&self, name: &str, path: &mut Vec<String>) -> Vec<String> {
        let to_here = self.facts.references.iter().filter(|reference| reference.to == name);
        to_here
            .map(|reference| {
                let list = |columns: &[String]| {
                    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
                };
                let inner = self.condition(&reference.table, path);
                let kept = select(&list(&reference.columns), &reference.table, inner.as_deref());
                format!("({}) in ({kept})", list(&reference.to_columns))
            })
            .collect()
    }

    fn words(&self, name: &str, keep: Option<&RowChoice>) -> String {
        if self.asked.is_everything() {
            return "all".to_owned();
        }
        let mut words = match keep {
            None => "all (no rule)".to_owned(),
            Some(RowChoice::All) => "all".to_owned(),
            Some(RowChoice::Nothing) => "none".to_owned(),
            Some(RowChoice::Sample(_)) if self.asked.percent.is_all() => "all".to_owned(),
            Some(RowChoice::Sample(key)) => {
                format!("{} % by {}", self.asked.percent, key.join(", "))
            }
            Some(RowChoice::Follows { table, by }) => {
                let columns: Vec<&str> = by.iter().map(|(own, _)| own.as_str()).collect();
                format!("with {table} by {}", columns.join(", "))
            }
        };
        let declared = self.rules.tables.get(name).and_then(|rule| rule.condition.as_ref());
        if declared.is_some() || self.asked.conditions.contains_key(name) {
            words.push_str(", narrowed");
        }
        if self.facts.references.iter().any(|reference| reference.to == name) {
            words.push_str(", and what is referred to");
        }
        words
    }

    /// The table, and a query that uses what is said of it.
    fn probes(&self, name: &str, keep: Option<&RowChoice>) -> Vec<(String, String)> {
        let mut probes = Vec::new();
        let mut probe = |table: &str, expressions: &str, condition: &str| {
            let sql = format!("select {expressions} from {} where {condition}", quoted(table));
            probes.push((name.to_owned(), sql));
        };
        match keep {
            Some(RowChoice::Sample(key)) => probe(name, &key.join(", "), "false"),
            Some(RowChoice::Follows { table, by }) => {
                let (own, theirs): (Vec<&str>, Vec<&str>) =
                    by.iter().map(|(own, theirs)| (own.as_str(), theirs.as_str())).unzip();
                probe(name, &own.join(", "), "false");
                probe(table, &theirs.join(", "), "false");
            }
            _ => {}
        }
        let declared = self.rules.tables.get(name).and_then(|rule| rule.condition.as_ref());
        for condition in declared.into_iter().chain(self.asked.conditions.get(name)) {
            probe(name, "1", &format!("({condition})"));
        }
        probes
    }
}

fn select(expressions: &str, table: &str, condition: Option<&str>) -> String {
    let table = quoted(table);
    match condition {
        Some(condition) => format!("select {expressions} from {table} where {condition}"),
        None => format!("select {expressions} from {table}"),
    }
}

/// The conditions of the command line, `TABLE=CONDITION` each.
///
/// # Errors
/// When one is not of this form, or names a table twice: that one.
pub(crate) fn conditions(said: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut conditions = BTreeMap::new();
    for text in said {
        let (table, condition) = text
            .split_once('=')
            .filter(|(table, condition)| !table.trim().is_empty() && !condition.trim().is_empty())
            .ok_or_else(|| format!("--rule is TABLE='SQL CONDITION', found {text:?}"))?;
        let (table, condition) = (table.trim().to_owned(), condition.trim().to_owned());
        if conditions.insert(table.clone(), condition).is_some() {
            return Err(format!("--rule: {table} is named twice; join the two with `and`"));
        }
    }
    Ok(conditions)
}

#[cfg(test)]
mod tests;
