//! The draft as a spec: the TOML of `sources/<database>/<table>.toml`.

use std::fmt::Write as _;

use indicatif::HumanCount;

use super::draft::{Draft, DraftOthers};
use crate::spec::source::Quoting;

impl Draft {
    /// The spec's text.
    pub(crate) fn spec(&self) -> String {
        let mut text = String::new();
        self.heading(&mut text);
        self.columns(&mut text);
        self.others(&mut text);
        self.format(&mut text);
        self.budget(&mut text);
        text
    }

    fn heading(&self, text: &mut String) {
        let mut line = |said: String| {
            let _ = writeln!(text, "{said}");
        };
        line(format!("# Drafted by `kiln source new` from {}:", self.place.shown()));
        line(format!("# {} rows, {} columns.", HumanCount(self.rows()), self.shape.names.len()));
        for doubt in &self.doubts {
            line(format!("# Look: {doubt}."));
        }
        let described = format!(
            "{}; drafted from the file, not yet described by a person.",
            self.place.named()
        );
        line(format!("description = {}", quoted(&described)));
        line(format!("object  = {}", quoted(&self.patterns.object)));
        if let Some(archive) = &self.patterns.archive {
            line(format!("archive = {}", quoted(archive)));
        }
        if let Some(member) = &self.patterns.member {
            line(format!("member  = {}", quoted(member)));
            line("parts   = 1".to_owned());
        }
        if self.personal {
            line("personal = true".to_owned());
        }
    }

    fn columns(&self, text: &mut String) {
        text.push_str("\ncolumns = [\n");
        for column in &self.columns {
            let mut said = vec![format!("from = {}", quoted(&column.heading))];
            if column.drop {
                said.push("drop = true".to_owned());
            } else if column.name != column.heading.to_ascii_lowercase() {
                said.push(format!("to = {}", quoted(&column.name)));
            }
            if !column.transforms.is_empty() {
                said.push(format!("transforms = [{}]", column.transforms.join(", ")));
            }
            if let Some(words_to) = &column.words_to {
                said.push(format!("words_to = {}", quoted(words_to)));
            }
            let _ = writeln!(text, "    {{ {} }},", said.join(", "));
        }
        text.push_str("]\n");
    }

    fn others(&self, text: &mut String) {
        match &self.others {
            DraftOthers::None => {}
            DraftOthers::Drop(why) => {
                let _ = writeln!(text, "\n# {why}.\n[others]\ndrop = true");
            }
            DraftOthers::Gather { to, trim, .. } => {
                let _ = writeln!(text, "\n[others]\nto = \"{to}\"");
                if *trim {
                    text.push_str("transforms = [\"trim\"]\n");
                }
            }
        }
    }

    fn format(&self, text: &mut String) {
        let shape = &self.shape;
        let delimiter = char::from(shape.delimiter).to_string();
        let quoting = if shape.quoting == Quoting::Double { "double" } else { "none" };
        let nulls: Vec<String> = match self.notes.nulls.is_empty() {
            true => vec![quoted("")],
            false => self.notes.nulls.keys().map(|null| quoted(null)).collect(),
        };
        let end = self.notes.ended_in_newline || self.rows() == 0;
        text.push_str("\n[format]\n");
        let mut line = |key: &str, value: String| {
            let _ = writeln!(text, "{key:13} = {value}");
        };
        line("delimiter", quoted(&delimiter));
        line("quoting", quoted(quoting));
        if shape.multiline {
            line("multiline", "true".to_owned());
        }
        if shape.trailing || self.notes.trailing > 0 {
            line("trailing", quoted("ignore"));
        }
        line("encoding", quoted(self.notes.encoding_word(shape.bom)));
        match &shape.begins {
            Some(first) => line("header", quoted(&format!("^{}$", regex::escape(first)))),
            None => line("header_rows", shape.header_rows.to_string()),
        }
        line("nulls", format!("[{}]", nulls.join(", ")));
        line("final_newline", quoted(if end { "required" } else { "optional" }));
        line("header_only", quoted(if self.rows() == 0 { "allow" } else { "refuse" }));
    }

    fn budget(&self, text: &mut String) {
        let mebibytes = (self.shape.bytes >> 20) + 1;
        let most = (mebibytes * 8).max(64);
        let size = match most {
            1024.. => format!("{} GiB", most.div_ceil(1024)),
            _ => format!("{most} MiB"),
        };
        let _ = write!(
            text,
            "\n[budget]\nrejects      = {}\nreject_ratio = 0.0\nrows_min     = {}\nbytes_max    = \
             \"{size}\"\n",
            self.notes.odd_rows + self.notes.unreadable,
            u8::from(self.loadable() > 0),
        );
    }

    /// Rows that can be loaded.
    fn loadable(&self) -> u64 {
        self.rows() - self.notes.odd_rows - self.notes.unreadable
    }

    /// Rows behind the header.
    pub(crate) fn rows(&self) -> u64 {
        self.notes.rows
    }
}

/// A text as TOML: literal where that can be, for patterns are full of backslashes.
fn quoted(text: &str) -> String {
    let literal = text.contains('\\') && !text.contains('\'') && !text.contains(char::is_control);
    match literal {
        true => format!("'{text}'"),
        false => basic(text),
    }
}

fn basic(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_texts_are_what_toml_reads() {
        for text in ["a", "\t", "it's", r"^\d$", r"it's \d", "say \"x\"", "a\u{1}b", "’", "\\"] {
            let line = format!("x = {}\n", quoted(text));
            let table: toml::Table = line.parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(text), "{line}");
        }
    }
}
