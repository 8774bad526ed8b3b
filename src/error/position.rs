//! Where an error has its place: in an input, or in a file that people write.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// A place, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// A spec, a schema file, `kiln.toml`, or a file of a subset.
    pub file: Option<String>,
    /// The object's key.
    pub object: Option<String>,
    /// The archives on the way and the member in them, joined by ` → `.
    pub member: Option<String>,
    /// From 1.
    pub line: Option<u64>,
    /// The column's name.
    pub column: Option<String>,
}

impl Position {
    /// A line of a file that people write; 0 is the file as a whole.
    pub fn in_file(path: &Path, line: usize) -> Position {
        let line = Some(line as u64).filter(|line| *line > 0);
        Position { file: Some(path.display().to_string()), line, ..Position::default() }
    }

    /// A line of an input, whose object and member are said by who knows them ([`super::at`]).
    pub fn at_line(line: u64) -> Position {
        Position { line: Some(line), ..Position::default() }
    }

    /// A member of an object; an empty one means the object itself.
    pub fn in_object(object: &str, member: &str) -> Position {
        let member = Some(member.to_owned()).filter(|member| !member.is_empty());
        Position { object: Some(object.to_owned()), member, ..Position::default() }
    }

    /// The same place, and the column.
    #[must_use]
    pub fn column(self, column: Option<impl Into<String>>) -> Position {
        Position { column: column.map(Into::into), ..self }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Position::default()
    }

    /// Takes from what is around it what it does not know itself.
    pub fn fill(&mut self, around: &Position) {
        let texts = |inner: &mut Option<String>, outer: &Option<String>| {
            if inner.is_none() {
                inner.clone_from(outer);
            }
        };
        texts(&mut self.file, &around.file);
        texts(&mut self.object, &around.object);
        texts(&mut self.member, &around.member);
        texts(&mut self.column, &around.column);
        self.line = self.line.or(around.line);
    }
}
