//! What people write in TOML, specs first: read or refused with lines that are in the text; and what is
//! read, is read as the same however it is written.

use std::borrow::Cow;
use std::path::Path;

use super::stands;
use crate::config::strict::Problems;
use crate::export::subset::Rules;
use crate::load::bind::{Binding, Tables};
use crate::spec::schema::SchemaLock;
use crate::spec::schema::catalog::TableColumn;
use crate::spec::source::{Column, Others, Source};

/// The first byte says which file the rest is.
pub fn specs(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    // Other texts are refused where they are read.
    let Ok(text) = std::str::from_utf8(text) else { return };
    match kind {
        b'l' => is_lock(text),
        b'r' => stands(is_rules(text)),
        _ => stands(is_spec(text)),
    }
}

/// What is read of a text, where nothing is wrong with it; what is wrong has a line of it.
fn read<T>(
    name: &str,
    text: &str,
    parse: impl Fn(&Path, &str, &Problems) -> Option<T>,
) -> Option<T> {
    let problems = Problems::default();
    let read = parse(Path::new(name), text, &problems);
    let found = problems.found();
    let lines = 1 + text.bytes().filter(|byte| *byte == b'\n').count();
    for problem in &found {
        assert!(problem.line <= lines, "{problem:?} of {lines}");
        assert!(!problem.message.is_empty());
    }
    assert!(read.is_some() || !found.is_empty(), "nothing is read, and nothing is said");
    read.filter(|_| found.is_empty())
}

fn is_lock(text: &str) {
    let Some(lock) = read("schema.lock", text, SchemaLock::parse) else { return };
    let again = read("schema.lock", &lock.render(), SchemaLock::parse);
    assert_eq!(again, Some(lock), "what is written is read back");
}

fn is_rules(text: &str) -> anyhow::Result<()> {
    let parse =
        |path: &Path, text: &str, problems: &Problems| Some(Rules::parse(path, text, problems));
    let Some(mut rules) = read("subset.toml", text, parse) else { return Ok(()) };
    let Some(anew) = written_anew(text)? else { return Ok(()) };
    let again = read("subset.toml", &anew, parse);
    let Some(mut again) = again else { anyhow::bail!("what is written anew is refused") };
    for rules in [&mut rules, &mut again] {
        rules.sha256.clear();
        rules.tables.values_mut().for_each(|rule| rule.line = 0);
    }
    assert_eq!(rules, again);
    Ok(())
}

/// The same by the toml crate's own writer, which has no numbers beyond 64 bits and a sign.
fn written_anew(text: &str) -> anyhow::Result<Option<String>> {
    let Ok(table) = toml::from_str::<toml::Table>(text) else { return Ok(None) };
    Ok(Some(toml::to_string(&table)?))
}

fn is_spec(text: &str) -> anyhow::Result<()> {
    let name = "sources/fuzzed/plans.toml";
    let Some(source) = read(name, text, Source::parse) else { return Ok(()) };
    assert_eq!(source.text, text);
    let Some(anew) = written_anew(text)? else { return Ok(()) };
    let again = read(name, &anew, Source::parse);
    let Some(again) = again else { anyhow::bail!("what is written anew is refused") };
    assert_eq!(without_lines(&source), without_lines(&again));
    is_whole(&source);
    is_bound(&source);
    for column in &source.columns {
        is_applied(column, text);
    }
    Ok(())
}

/// All that a spec says, without where it says so.
fn without_lines(source: &Source) -> String {
    let mut source = source.clone();
    source.text.clear();
    source.columns.iter_mut().for_each(|column| column.line = 0);
    source.dictionaries.iter_mut().for_each(|dictionary| dictionary.line = 0);
    source.pack.iter_mut().for_each(|pack| pack.line = 0);
    if let Others::Gather { line, .. } = &mut source.others {
        *line = 0;
    }
    format!("{source:?}")
}

/// What later stages take for granted.
fn is_whole(source: &Source) {
    let format = &source.format;
    assert!(!matches!(format.delimiter, b'"' | b'\n' | b'\r'));
    assert!(format.delimiter.is_ascii(), "a byte of a character between fields");
    assert!((0.0..=1.0).contains(&source.budget.reject_ratio));
    assert!(source.rejects_allowed(u64::MAX) >= source.budget.rejects);
    let count = source.dictionaries.len();
    if let Some(pack) = &source.pack {
        assert!([pack.by, pack.at, pack.of].iter().all(|index| *index < count));
    }
    let columns = source.filters.iter().flat_map(|filter| &filter.columns);
    columns.for_each(|index| assert!(*index < source.columns.len()));
    for from in source.columns.iter().flat_map(Column::headings) {
        let named = source.columns.iter().filter(|column| column.headings().contains(from));
        assert_eq!(named.count(), 1, "{from:?} is two columns'");
    }
}

/// It is held against tables of its columns, in one type after another; what does not fit is said.
fn is_bound(source: &Source) {
    /// Postgres's numbers of smallint, integer, text, date and integer[].
    const OIDS: [u32; 5] = [21, 23, 25, 1082, 1007];
    let mut tables = Tables::new();
    for (nth, table) in source.tables().enumerate() {
        let fed = source.columns.iter().flat_map(|column| [&column.to, &column.words_to]);
        let names = fed.flatten().chain(source.dictionaries.iter().map(|known| &known.to));
        let names = names.map(|name| name.as_str()).chain([crate::load::bind::ID]);
        let columns = names.enumerate().map(|(at, name)| {
            let oid = OIDS[if at % 3 == 0 { (nth + at) % OIDS.len() } else { 2 }];
            TableColumn {
                name: name.to_owned(),
                type_oid: oid,
                type_name: oid.to_string(),
                type_modifier: -1,
                not_null: at % 2 == 0,
                has_default: false,
            }
        });
        tables.insert(table.as_str().to_owned(), columns.collect());
    }
    let problems = Problems::default();
    let bound = Binding::new(source, &tables, None, &problems);
    assert_eq!(bound.is_none(), problems.count() > 0);
    if let Some(bound) = bound {
        is_quoted(&bound.copy_sql());
        is_quoted(&bound.select_sql());
    }
}

/// Names in SQL are in quotes, and hold none.
fn is_quoted(sql: &str) {
    let words = sql.split('"').enumerate();
    for (_, name) in words.filter(|(at, _)| at % 2 == 1) {
        assert!(crate::postgres::Ident::parse(name).is_some(), "{sql}");
    }
}

/// Its transforms and its shape take any content; the words of the spec itself are some.
fn is_applied(column: &Column, text: &str) {
    for word in text.split(['"', '\'']).take(64) {
        let mut field = Cow::Borrowed(word.as_bytes());
        for transform in &column.transforms {
            match transform.apply(field) {
                Ok(done) => field = done,
                Err(reason) => {
                    assert!(!reason.is_empty());
                    break;
                }
            }
            if let Some(shape) = &column.shape {
                let _ = shape.fits(&field);
            }
        }
    }
}
