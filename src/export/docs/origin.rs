//! Where a table's columns come from: the spec's words, as people read them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::load::bind;
use crate::spec::source::{
    Column, Dictionary, Filter, FilterTest, From, Header, Others, Pack, Source, Sources, Transform,
};

/// The file family that feeds a table.
#[derive(Debug, Clone)]
pub(crate) struct TableOrigin {
    /// The spec, relative to the root.
    pub spec: PathBuf,
    /// sha256 of the spec's text: what a build's manifest keeps of it.
    pub spec_sha256: String,
    /// One sentence: what the file is.
    pub description: String,
    /// What the object, the archives in it and the member are called: label and pattern.
    pub patterns: Vec<(&'static str, String)>,
    /// What else the spec decides: nulls, rows left out, columns not stored.
    pub notes: Vec<String>,
    /// What feeds each column of the table, by the column's name.
    pub columns: BTreeMap<String, ColumnOrigin>,
}

/// What feeds a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnOrigin {
    /// Names in the file's header; the first one that a file has counts. None where the content is
    /// not of the file's text.
    pub fields: Vec<String>,
    /// What is done on the way, in order.
    pub steps: Vec<String>,
}

impl TableOrigin {
    /// What a spec says of a table that it fills: its own, or a dictionary's.
    pub(crate) fn of(source: &Source, table: &str) -> TableOrigin {
        let mut patterns = vec![("object", source.object.as_str().to_owned())];
        let archive = source.archive.as_ref().map(|regex| ("archive", regex.as_str().to_owned()));
        let member = source.member.as_ref().map(|regex| ("member", regex.as_str().to_owned()));
        patterns.extend(archive);
        patterns.extend(member);
        TableOrigin {
            spec: source.path.clone(),
            spec_sha256: source.digest(),
            description: source.description.clone(),
            patterns,
            notes: notes(source),
            columns: columns(source, table),
        }
    }
}

/// The source that fills a table, as its own or as a dictionary's.
pub(crate) fn source_of<'a>(sources: &'a Sources, table: &str) -> Option<&'a Source> {
    let fills = |source: &&Source| source.tables().any(|name| name.as_str() == table);
    sources.all.iter().find(fills)
}

fn columns(source: &Source, table: &str) -> BTreeMap<String, ColumnOrigin> {
    let mut columns = of_the_file(source);
    let spoken = |step: String| ColumnOrigin { fields: Vec::new(), steps: vec![step] };
    let its_own = source.dictionaries.iter().find(|known| known.table.as_str() == table);
    if let Some(dictionary) = its_own {
        columns.retain(|name, _| dictionary.columns.iter().any(|column| column.as_str() == name));
        let number = format!("the number that {} has of a row of this table", source.name.as_str());
        columns.insert("id".to_owned(), spoken(number));
        return columns;
    }
    let number = |dictionary: &Dictionary| {
        let names: Vec<&str> = dictionary.columns.iter().map(|column| column.as_str()).collect();
        format!("the number in {} of {}", dictionary.table.as_str(), names.join(", "))
    };
    for dictionary in &source.dictionaries {
        columns.retain(|name, _| !dictionary.columns.iter().any(|column| column.as_str() == name));
        columns.insert(dictionary.to.as_str().to_owned(), spoken(number(dictionary)));
    }
    if let Some(pack) = &source.pack {
        let [at, of] = [pack.at, pack.of].map(|index| &source.dictionaries[index]);
        columns.retain(|name, _| ![&at.to, &of.to].into_iter().any(|to| to.as_str() == name));
        let block = Pack::BLOCK;
        let spoken_of = [
            (
                pack.to.as_str(),
                format!("{}, in the place of {}; 0 where there is none", number(of), number(at)),
            ),
            (bind::pack::BLOCK, format!("the array's places, divided by {block}")),
            (bind::pack::PIECE, "counted by the loader".to_owned()),
        ];
        columns.extend(spoken_of.map(|(name, said)| (name.to_owned(), spoken(said))));
    }
    columns
}

/// What feeds each column, without regard to which table has it.
fn of_the_file(source: &Source) -> BTreeMap<String, ColumnOrigin> {
    let mut columns = BTreeMap::new();
    for column in &source.columns {
        if let Some(to) = &column.to {
            columns.insert(to.as_str().to_owned(), ColumnOrigin::of(column));
        }
        if let Some(words) = &column.words_to {
            let steps = vec!["the words of a field that holds no digit".to_owned()];
            let fields = column.headings().to_vec();
            columns.insert(words.as_str().to_owned(), ColumnOrigin { fields, steps });
        }
    }
    if let Others::Gather { to, transforms, .. } = &source.others {
        let mut steps =
            vec!["every other column that is not null, by its name in the header".to_owned()];
        steps.extend(transforms.iter().map(step));
        columns.insert(to.as_str().to_owned(), ColumnOrigin { fields: Vec::new(), steps });
    }
    columns
}

impl ColumnOrigin {
    fn of(column: &Column) -> ColumnOrigin {
        let mut steps = Vec::new();
        match &column.from {
            From::Header(_) => {}
            From::Line => steps.push("the line in the file".to_owned()),
            From::Group(group) => steps.push(format!("“{group}” in the file's name")),
        }
        steps.extend(column.transforms.iter().map(step));
        if let Some(shape) = &column.shape {
            let what = if column.misfit_is_null { "null" } else { "rejected" };
            steps.push(format!("{what} where it {}", shape.reason()));
        }
        if column.hashed {
            steps.push("a keyed hash in place of the content".to_owned());
        }
        if let Some(words) = &column.words_to {
            steps.push(format!("null where it is words, which go to {}", words.as_str()));
        }
        if let Some(nulls) = &column.nulls {
            steps.push(null_where(nulls));
        }
        if column.optional {
            steps.push("null in files that lack it".to_owned());
        }
        ColumnOrigin { fields: column.headings().to_vec(), steps }
    }
}

fn notes(source: &Source) -> Vec<String> {
    let mut notes = vec![null_where(&source.format.nulls)];
    let dropped: Vec<&str> =
        source.columns.iter().filter(|c| c.to.is_none()).map(Column::name).collect();
    if !dropped.is_empty() {
        notes.push(format!("read and not stored: {}", dropped.join(", ")));
    }
    if source.others == Others::Drop {
        notes.push("columns that are not named here are not stored".to_owned());
    }
    if matches!(source.format.header, Header::Begins(_)) {
        notes.push("columns are named by several header rows, joined by “ | ”".to_owned());
    }
    notes.extend(source.filters.iter().map(|said| filter(source, said)));
    notes
}

fn filter(source: &Source, filter: &Filter) -> String {
    let verb = if filter.keep { "only rows" } else { "no rows" };
    let names = filter.columns.iter().filter_map(|at| source.columns.get(*at)).map(Column::name);
    let names: Vec<&str> = names.collect();
    let test = match &filter.test {
        FilterTest::Values(values) => format!("is {}", listed(values)),
        FilterTest::Matches(regex) => format!("matches {}", regex.as_str()),
    };
    format!("{verb} where {} {test}", names.join(" or "))
}

fn null_where(contents: &[String]) -> String {
    match contents {
        [] => "no field means null".to_owned(),
        _ => format!("null where the field is {}", listed(contents)),
    }
}

/// Field contents as people can see them: blanks have no look of their own.
fn listed(contents: &[String]) -> String {
    let shown = contents.iter().map(|content| match content.as_str() {
        "" => "empty".to_owned(),
        " " => "one space".to_owned(),
        text if text.trim().is_empty() => format!("{} blanks", text.chars().count()),
        text => format!("“{text}”"),
    });
    let shown: Vec<String> = shown.collect();
    match shown.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => shown.join(""),
    }
}

/// What a transform does, in the words of sources/README.md.
fn step(transform: &Transform) -> String {
    match transform {
        Transform::Trim => "blanks removed at both ends".to_owned(),
        Transform::Upper => "upper case".to_owned(),
        Transform::Lower => "lower case".to_owned(),
        Transform::Prefix(width) => format!("the first {width} characters"),
        Transform::Money => "“$” and commas removed, parentheses below zero".to_owned(),
        Transform::Percent => "a percentage as a share".to_owned(),
        Transform::StripHyphens => "hyphens removed".to_owned(),
        Transform::YesNo => "Y is true, N false".to_owned(),
        Transform::OneZero => "1 is true, 0 false".to_owned(),
        Transform::Ndc11 => "as an NDC of 11 digits".to_owned(),
        Transform::ZeroPad(width) => format!("leading zeros to {width} characters"),
        Transform::Zip5 => "the first 5 digits of a ZIP code of 5 or 9".to_owned(),
        Transform::Date(formats) => format!("a date read as {}", formats.join(" or ")),
    }
}
