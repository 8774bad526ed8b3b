//! TOML read strictly: unknown keys, wrong kinds and missing keys are all collected, each with
//! its file, line and a suggestion, so that a person mends a file once and not five times.
//!
//! serde stops at the first error and knows no suggestion, so specs and `kiln.toml` are walked
//! by hand over the spanned table of the `toml` crate.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::error::{Exit, Failure, Position};

/// One thing that is wrong in a file that people write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was opened.
    pub file: PathBuf,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong, and where known what was expected.
    pub message: String,
}

/// Everything that is wrong, found in one reading.
#[derive(Debug, Default)]
pub struct Problems {
    found: Mutex<Vec<Problem>>,
}

impl Problems {
    /// Notes one problem.
    pub fn add(&self, file: &Path, line: usize, message: impl Into<String>) {
        let problem = Problem { file: file.to_path_buf(), line, message: message.into() };
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// Takes over what another reading found.
    pub fn take(&self, other: Problems) {
        let found = other.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All of them, in file and line order.
    pub fn found(self) -> Vec<Problem> {
        let mut found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        found
    }

    /// Ok when nothing is wrong; else one failure that lists all, in file and line order.
    pub fn into_result(self, hint: &str) -> anyhow::Result<()> {
        let found = self.found();
        if found.is_empty() {
            return Ok(());
        }
        let mut text = match found.len() {
            1 => String::from("1 problem:"),
            count => format!("{count} problems:"),
        };
        for problem in &found {
            let Problem { file, line, message } = problem;
            let _ = match line {
                0 => write!(text, "\n  {}: {message}", file.display()),
                line => write!(text, "\n  {}:{line}: {message}", file.display()),
            };
        }
        let first = Position::in_file(&found[0].file, found[0].line);
        Err(Failure::new(Exit::Usage, text).hint(hint).at(first).into())
    }
}

/// "; did you mean `x`?" when one of the known words is near enough.
pub(crate) fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map_or(String::new(), |(_, candidate)| format!("; did you mean `{candidate}`?"))
}

/// A whole number from 0, as TOML writes it: `1_000`, `0x10`.
fn whole(number: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

/// A file's text with what is needed to say where in it something stands.
pub(crate) struct TomlFile<'a> {
    path: &'a Path,
    text: &'a str,
    problems: &'a Problems,
}

impl<'a> TomlFile<'a> {
    /// Wraps a text that was read from `path`.
    pub(crate) fn new(path: &'a Path, text: &'a str, problems: &'a Problems) -> Self {
        TomlFile { path, text, problems }
    }

    /// Parses the text; syntax errors become problems and give `None`.
    pub(crate) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = error.span().map_or(0, |span| self.line(span.start));
            self.problems.add(self.path, line, format!("not TOML: {}", error.message()));
        }
        errors.is_empty().then_some(table)
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
    }
}

/// A value with the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said<T> {
    /// What the file says.
    pub value: T,
    /// Line, from 1.
    pub line: usize,
}

/// One table of a file. Every getter remembers its key; [`TomlTable::done`] names the keys that
/// nobody asked for.
pub(crate) struct TomlTable<'a> {
    file: &'a TomlFile<'a>,
    name: String,
    line: usize,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<String>>,
}

impl<'a> TomlTable<'a> {
    /// The file's outermost table.
    pub(crate) fn root(file: &'a TomlFile<'a>, parsed: &'a Spanned<DeTable<'a>>) -> Self {
        TomlTable::named(file, String::new(), 1, parsed.get_ref())
    }

    fn named(file: &'a TomlFile<'a>, name: String, line: usize, entries: &'a DeTable<'a>) -> Self {
        TomlTable { file, name, line, entries, asked: RefCell::default() }
    }

    /// The line the table begins on.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// Notes a problem at a line of this file.
    pub(crate) fn problem(&self, line: usize, message: impl Into<String>) {
        self.file.problems.add(self.file.path, line, message);
    }

    fn get(&self, key: &'static str) -> Option<(&'a DeValue<'a>, usize)> {
        self.asked.borrow_mut().push(key.to_owned());
        let value = self.entries.get(key)?;
        Some((value.get_ref(), self.file.line(value.span().start)))
    }

    fn wrong(&self, key: &str, line: usize, expected: &str, found: &DeValue<'_>) {
        let path = self.path(key);
        let kind = found.type_str();
        self.problem(line, format!("`{path}` must be {expected}, found {kind}"));
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// A string.
    pub(crate) fn text(&self, key: &'static str) -> Option<Said<String>> {
        let (value, line) = self.get(key)?;
        let Some(text) = value.as_str() else {
            self.wrong(key, line, "a string", value);
            return None;
        };
        Some(Said { value: text.to_owned(), line })
    }

    /// A string that must be there.
    pub(crate) fn required_text(&self, key: &'static str) -> Option<Said<String>> {
        if !self.entries.contains_key(key) {
            self.asked.borrow_mut().push(key.to_owned());
            self.problem(self.line, format!("`{}` is missing", self.path(key)));
            return None;
        }
        self.text(key)
    }

    /// A whole number from 0.
    pub(crate) fn count(&self, key: &'static str) -> Option<Said<u64>> {
        let (value, line) = self.get(key)?;
        let parsed = value.as_integer().and_then(whole);
        if parsed.is_none() {
            self.wrong(key, line, "a whole number from 0", value);
        }
        parsed.map(|value| Said { value, line })
    }

    /// A share between 0 and 1.
    pub(crate) fn ratio(&self, key: &'static str) -> Option<f64> {
        self.float(key, 1.0, "a share from 0.0 to 1.0").map(|said| said.value)
    }

    /// A number from 0.
    pub(crate) fn number(&self, key: &'static str) -> Option<Said<f64>> {
        self.float(key, f64::MAX, "a number from 0.0")
    }

    fn float(&self, key: &'static str, max: f64, expected: &str) -> Option<Said<f64>> {
        let (value, line) = self.get(key)?;
        let parsed: Option<f64> = match value {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => whole(number).map(|number| number as f64),
            _ => None,
        };
        let number = parsed.filter(|number| (0.0..=max).contains(number));
        if number.is_none() {
            self.wrong(key, line, expected, value);
        }
        number.map(|value| Said { value, line })
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, key: &'static str) -> Option<bool> {
        let (value, line) = self.get(key)?;
        if value.as_bool().is_none() {
            self.wrong(key, line, "true or false", value);
        }
        value.as_bool()
    }

    /// A list of strings.
    pub(crate) fn texts(&self, key: &'static str) -> Option<Said<Vec<String>>> {
        let (value, line) = self.get(key)?;
        let all = value.as_array().and_then(|array| {
            array.iter().map(|v| v.get_ref().as_str().map(str::to_owned)).collect::<Option<_>>()
        });
        if all.is_none() {
            self.wrong(key, line, "a list of strings", value);
        }
        all.map(|value| Said { value, line })
    }

    /// A string or a list of strings.
    pub(crate) fn texts_or_text(&self, key: &'static str) -> Option<Said<Vec<String>>> {
        if self.entries.get(key).is_some_and(|value| value.get_ref().as_str().is_some()) {
            return self.text(key).map(|said| Said { value: vec![said.value], line: said.line });
        }
        self.texts(key)
    }

    /// A string or a list of strings that must be there, with at least one.
    pub(crate) fn required_text_or_texts(&self, key: &'static str) -> Option<Said<Vec<String>>> {
        let said = self.texts_or_text(key);
        if !self.entries.contains_key(key) || said.as_ref().is_some_and(|s| s.value.is_empty()) {
            self.problem(self.line, format!("`{}` is missing", self.path(key)));
            return None;
        }
        said
    }

    /// A list whose items are words (`"trim"`) or words with one argument (`{ zero_pad = 5 }`),
    /// the argument as text, a list's items a line each.
    pub(crate) fn words(&self, key: &'static str) -> Vec<Said<(String, Option<String>)>> {
        let Some((value, line)) = self.get(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            self.wrong(key, line, "a list", value);
            return Vec::new();
        };
        let mut words = Vec::new();
        for item in array {
            let line = self.file.line(item.span().start);
            let word = match item.get_ref() {
                DeValue::String(word) => Some((word.to_string(), None)),
                DeValue::Table(table) if table.len() == 1 => table.iter().next().map(|(k, v)| {
                    let argument = match v.get_ref() {
                        DeValue::String(text) => text.to_string(),
                        DeValue::Integer(number) => {
                            whole(number).map_or_else(|| number.to_string(), |n| n.to_string())
                        }
                        DeValue::Array(texts) => {
                            let texts = texts.iter().filter_map(|text| text.get_ref().as_str());
                            texts.collect::<Vec<_>>().join("\n")
                        }
                        other => other.type_str().to_owned(),
                    };
                    (k.get_ref().to_string(), Some(argument))
                }),
                _ => None,
            };
            match word {
                Some(value) => words.push(Said { value, line }),
                None => self.wrong(key, line, "words or { word = argument }", item.get_ref()),
            }
        }
        words
    }

    /// A table inside this one.
    pub(crate) fn table(&self, key: &'static str) -> Option<TomlTable<'a>> {
        let (value, line) = self.get(key)?;
        match value.as_table() {
            Some(entries) => Some(TomlTable::named(self.file, self.path(key), line, entries)),
            None => {
                self.wrong(key, line, "a table", value);
                None
            }
        }
    }

    /// The table inside this one of a name that is not known here.
    pub(crate) fn table_named(&self, name: &str) -> Option<TomlTable<'a>> {
        self.asked.borrow_mut().push(name.to_owned());
        let (key, value) = self.entries.get_key_value(name)?;
        let line = self.file.line(key.span().start);
        match value.get_ref().as_table() {
            Some(entries) => Some(TomlTable::named(self.file, self.path(name), line, entries)),
            None => {
                self.wrong(name, line, "a table", value.get_ref());
                None
            }
        }
    }

    /// Every table inside this one, by its name, where names are the writer's own.
    pub(crate) fn each_table(&self) -> Vec<(String, TomlTable<'a>)> {
        let mut all = Vec::new();
        for (key, value) in self.entries {
            let (name, line) = (key.get_ref().to_string(), self.file.line(key.span().start));
            match value.get_ref().as_table() {
                Some(entries) => {
                    all.push((
                        name.clone(),
                        TomlTable::named(self.file, self.path(&name), line, entries),
                    ));
                }
                None => self.wrong(&name, line, "a table", value.get_ref()),
            }
        }
        all
    }

    /// A list of tables inside this one.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<TomlTable<'a>> {
        let Some((value, line)) = self.get(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            self.wrong(key, line, "a list of tables", value);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array {
            let line = self.file.line(item.span().start);
            match item.get_ref().as_table() {
                Some(entries) => {
                    tables.push(TomlTable::named(self.file, self.path(key), line, entries));
                }
                None => self.wrong(key, line, "a table", item.get_ref()),
            }
        }
        tables
    }

    /// Names every key that no getter asked for.
    pub(crate) fn done(self) {
        let asked = self.asked.borrow();
        for key in self.entries.keys() {
            let word: &str = key.get_ref();
            if !asked.iter().any(|known| known == word) {
                let path = self.path(word);
                let mean = suggest(word, asked.iter().map(String::as_str));
                let line = self.file.line(key.span().start);
                self.problem(line, format!("unknown key `{path}`{mean}"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
