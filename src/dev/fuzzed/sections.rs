//! Sections of SQL, and what else of SQL kiln reads as text: no line is lost or moved to another
//! section, the catalog's lines are read whatever they hold, and names and texts stay such in SQL.

use std::path::Path;

use crate::config::strict::Problems;
use crate::postgres;
use crate::spec::schema::{Section, SectionKind, parse_sections, serves};

/// Any text as a numbered .sql file, and as a catalog.
pub fn sections(data: &[u8]) {
    // Other texts are refused where they are read.
    let Ok(text) = std::str::from_utf8(data) else { return };
    let problems = Problems::default();
    let sections = parse_sections(Path::new("sql/fuzzed/0001_a.sql"), text, &problems);
    let found = problems.found();
    let lines: Vec<&str> = text.lines().collect();
    for problem in &found {
        assert!(problem.line <= lines.len(), "{problem:?} of {}", lines.len());
    }
    every_line_is_somewhere(&lines, &sections, &|line| {
        let said = |problem: &&crate::config::strict::Problem| problem.line == line;
        found.iter().any(|problem| said(&problem) && problem.message.starts_with("unknown section"))
    });
    if found.is_empty() {
        are_in_order(&sections);
    }
    for section in &sections {
        assert!(!section.is_early() || section.kind == SectionKind::Derive);
        for table in &section.from {
            assert!(postgres::Ident::parse(table).is_some(), "{table:?} goes into SQL");
        }
    }
    is_catalog(&lines);
    lines.iter().for_each(|line| is_text_in_sql(line));
}

/// The markers, the sections' lines, and what stands before the first one, make the text.
fn every_line_is_somewhere(
    lines: &[&str],
    sections: &[Section],
    is_unknown_marker: &dyn Fn(usize) -> bool,
) {
    let mut ends: Vec<usize> = sections.iter().skip(1).map(|section| section.line - 1).collect();
    ends.push(lines.len() + 1);
    for (section, end) in sections.iter().zip(ends) {
        let marker = lines.get(section.line - 2).copied().unwrap_or_default();
        assert!(marker.starts_with(&format!("-- {}", section.kind.word())), "{marker:?}");
        assert!(marker.contains(&section.title) && section.title == section.title.trim());
        let numbers = section.line..end;
        let own = numbers.filter(|number| !is_unknown_marker(*number)).map(|n| lines[n - 1]);
        let own: String = own.flat_map(|line| [line, "\n"]).collect();
        assert_eq!(section.sql, own, "the lines of a section from line {}", section.line);
    }
    let before = sections.first().map_or(lines.len(), |first| first.line - 2);
    let is_marker = |line: &&str| {
        ["-- pre-data", "-- post-data", "-- derive"].contains(line)
            || line
                .strip_prefix("-- check: ")
                .is_some_and(|title| title.trim() == title && !title.is_empty())
    };
    assert!(!lines[..before].iter().any(is_marker), "a marker is overlooked");
}

fn are_in_order(sections: &[Section]) {
    for pair in sections.windows(2) {
        assert!(pair[0].kind <= pair[1].kind && pair[0].line < pair[1].line);
    }
    for section in sections {
        let alike = sections.iter().filter(|other| other.kind == section.kind).count();
        assert!(alike == 1 || section.kind == SectionKind::Check);
        assert_eq!(section.title.is_empty(), section.kind != SectionKind::Check);
    }
}

/// A catalog serves its own readers, whatever its lines are.
fn is_catalog(lines: &[&str]) {
    let (first, second) = lines.split_at(lines.len() / 2);
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let (all, first, second) = (owned(lines), owned(first), owned(second));
    assert_eq!(serves::lost(&all, &all), [""; 0]);
    assert_eq!(serves::rewritten(&all, &all), [""; 0]);
    for line in serves::lost(&first, &second) {
        assert!(!line.contains('\n'));
    }
    let _ = serves::rewritten(&first, &second);
}

/// A text as SQL's literal, and as a name, is read back as that text by the rules of Postgres's lexer.
fn is_text_in_sql(text: &str) {
    let literal = postgres::literal(text);
    let (escapes, inner) = match literal.strip_prefix('E') {
        Some(rest) => (true, rest),
        None => (false, literal.as_str()),
    };
    let inner = inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\''));
    let mut read = String::new();
    let mut characters = inner.unwrap_or_default().chars();
    while let Some(c) = characters.next() {
        let doubled = c == '\'' || escapes && c == '\\';
        assert!(!doubled || characters.next() == Some(c), "{literal}");
        assert!(escapes || c != '\\', "{literal}");
        read.push(c);
    }
    assert_eq!(read, text);
    let name = postgres::quoted(text);
    match name.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => {
            assert_eq!(inner.replace("\"\"", "\""), text);
            assert!(!inner.replace("\"\"", "").contains('"'), "{name}");
        }
        None => assert!(name == text && postgres::Ident::parse(text).is_some(), "{name}"),
    }
}
