//! From what was seen to what is written: which columns the table gets, of which type, and how
//! the spec leads there.

use std::collections::HashSet;

use super::column::{Notes, Seen};
use super::kind::{CODE_BY_NAME, CODE_BY_WIDTH, ColumnKind};
use super::name::{self, Person};
use super::pattern::{DraftPatterns, FileNames};
use super::{FileShape, KeyCandidate, KeyState, Sniffed, WIDE, comment};
use crate::spec::source::Quoting;

/// The column that takes what has no column of its own.
const GATHERED: &str = "fields";
/// Columns of a wide file that are typed where no key was found.
const LEADING: usize = 3;
/// The same, of a file that speaks of persons and whose others are dropped.
const LEADING_OF_PERSONS: usize = 12;
/// Fewer rows than these prove little.
const FEW: u64 = 100;

/// What a person asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The database.
    pub database: String,
    /// The source's and table's name.
    pub table: String,
    /// Whether it speaks of persons; otherwise its headings decide.
    pub personal: bool,
}

/// A spec and a table, decided.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What was asked for.
    pub wish: Wish,
    /// Where the file lies.
    pub place: FileNames,
    /// The same as patterns.
    pub patterns: DraftPatterns,
    /// How it is cut.
    pub shape: FileShape,
    /// What its rows were seen to be.
    pub notes: Notes,
    /// The columns that the spec names, in file order.
    pub columns: Vec<Planned>,
    /// What becomes of the others.
    pub others: DraftOthers,
    /// The key, by column names of the table.
    pub key: Vec<String>,
    /// Whether the key has nulls: then it is a unique index, and no primary key.
    pub key_has_nulls: bool,
    /// What could be a key as well, and what was too much to tell.
    pub other_keys: Vec<(Vec<String>, KeyState)>,
    /// Whether the source is personal.
    pub personal: bool,
    /// What a person should look at.
    pub doubts: Vec<String>,
}

/// A column of the spec and of the table.
#[derive(Debug)]
pub(crate) struct Planned {
    /// Its heading in the file.
    pub heading: String,
    /// Its name in the table.
    pub name: String,
    /// Its type in SQL.
    pub sql: String,
    /// Whether no row lacked it.
    pub not_null: bool,
    /// Transforms, as TOML.
    pub transforms: Vec<String>,
    /// The column that takes its words.
    pub words_to: Option<String>,
    /// Read and not stored.
    pub drop: bool,
    /// What was seen of it.
    pub comment: String,
    /// What was seen of its words.
    pub words_comment: String,
    /// Whether its digits are text though nothing in the file says that they are a code.
    pub guessed: bool,
}

/// What becomes of columns without one of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DraftOthers {
    /// There are none.
    None,
    /// They tell nothing, or too much of a person: read and not stored.
    Drop(String),
    /// They go into one jsonb column.
    Gather {
        /// Its name.
        to: &'static str,
        /// Whether blanks at ends are taken off.
        trim: bool,
        /// What was seen.
        comment: String,
    },
}

impl Draft {
    /// Decides.
    pub(crate) fn new(wish: Wish, place: FileNames, sniffed: Sniffed) -> Draft {
        let Sniffed { shape, notes, columns: seen, keys } = sniffed;
        let headings: Vec<&str> = seen.iter().map(|column| column.name.as_str()).collect();
        let personal = wish.personal || name::speaks_of_persons(headings.iter().copied());
        let best = keys.first().filter(|key| key.state == KeyState::Unique);
        let declared = declared(&seen, &shape, best, personal);
        let (mut taken, mut columns) = (HashSet::from([GATHERED.to_owned()]), Vec::new());
        let mut named: Vec<Option<String>> = vec![None; seen.len()];
        for column in seen.iter().filter(|column| declared.contains(&column.index)) {
            let heading = name::telling_part(&column.name, &headings);
            let name = name::column_name(heading, column.index, &mut taken);
            let planned = planned(column, name, &notes, personal);
            if !planned.drop {
                named[column.index] = Some(planned.name.clone());
            }
            columns.push(planned);
        }
        let names_of = |key: &KeyCandidate| -> Option<Vec<String>> {
            key.columns.iter().map(|index| named[*index].clone()).collect()
        };
        let key = best.and_then(names_of).unwrap_or_default();
        let has_nulls = |index: &usize| seen[*index].nulls > 0;
        let key_has_nulls = best.is_some_and(|key| key.columns.iter().any(has_nulls));
        let more = keys.iter().filter(|key| Some(*key) != best);
        let other_keys = more.filter_map(|key| Some((names_of(key)?, key.state))).collect();
        let others = others(&seen, &declared, personal);
        let doubts = doubts(&shape, &notes, &columns, &key, personal);
        let patterns = place.patterns();
        Draft {
            wish,
            place,
            patterns,
            shape,
            notes,
            columns,
            others,
            key,
            key_has_nulls,
            other_keys,
            personal,
            doubts,
        }
    }

    /// How the text is cut, for people.
    pub(crate) fn text(&self) -> String {
        let shape = &self.shape;
        let delimiter = match shape.delimiter {
            b'\t' => "tab".to_owned(),
            byte => format!("`{}`", char::from(byte)),
        };
        let quoting = match (shape.quoting, shape.quotes) {
            (Quoting::Double, _) => "quoted".to_owned(),
            (Quoting::None, 0) => "no quotes".to_owned(),
            (Quoting::None, count) => format!("{count} quotes that mean nothing"),
        };
        let bom = if shape.bom { " with a BOM" } else { "" };
        let titles = match shape.titles {
            0 => String::new(),
            count => format!(" ({count} of titles)"),
        };
        let nulls: Vec<String> = self.notes.nulls.keys().map(|null| format!("{null:?}")).collect();
        let nulls = if nulls.is_empty() { "none seen".to_owned() } else { nulls.join(", ") };
        format!(
            "{delimiter}, {quoting}, {}{bom}, header rows {}{titles}, null {nulls}",
            self.notes.encoding_word(shape.bom),
            shape.header_rows,
        )
    }

    /// Columns of the table by type, most frequent first: `12 text, 3 smallint`.
    pub(crate) fn kinds(&self) -> String {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for column in self.columns.iter().filter(|column| !column.drop) {
            let kind = column.sql.split('(').next().unwrap_or_default().to_owned();
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let said: Vec<String> =
            counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        said.join(", ")
    }
}

/// The places of the columns that the spec names.
fn declared(
    seen: &[Seen],
    shape: &FileShape,
    key: Option<&KeyCandidate>,
    personal: bool,
) -> HashSet<usize> {
    // Without a header every field needs its place in the spec.
    if shape.header_rows == 0 {
        return seen.iter().map(|column| column.index).collect();
    }
    let own = |column: &&Seen| column.repeats.is_none() && !column.name.is_empty();
    if seen.len() <= WIDE {
        return seen.iter().filter(own).map(|column| column.index).collect();
    }
    let in_key = |column: &&Seen| key.is_some_and(|key| key.columns.contains(&column.index));
    let mut places: HashSet<usize> =
        seen.iter().filter(own).filter(in_key).map(|column| column.index).collect();
    let harmless = |column: &&Seen| !personal || name::person(&column.name) != Person::Private;
    let leading = match (personal, places.is_empty()) {
        (true, _) => LEADING_OF_PERSONS,
        (false, true) => LEADING,
        (false, false) => 0,
    };
    let leading = seen.iter().filter(own).filter(harmless).take(leading);
    places.extend(leading.map(|column| column.index));
    if personal {
        let identifies = |column: &&Seen| name::person(&column.name) == Person::Identifier;
        places.extend(seen.iter().filter(own).filter(identifies).map(|column| column.index));
    }
    places
}

fn planned(column: &Seen, name: String, notes: &Notes, personal: bool) -> Planned {
    let person = if personal { name::person(&column.name) } else { Person::Neither };
    let (kind, has_words) = ColumnKind::of(column);
    let mut transforms = kind.transforms();
    if column.padded > 0 {
        transforms.insert(0, "\"trim\"".to_owned());
    }
    let (sql, has_words) = match person {
        Person::Identifier => {
            transforms = vec!["\"keyed_hash\"".to_owned()];
            ("uuid".to_owned(), false)
        }
        _ => (kind.sql(), has_words),
    };
    let drop = person == Person::Private;
    if drop {
        transforms.clear();
    }
    let words_to = (has_words && !drop).then(|| format!("{name}_words"));
    Planned {
        heading: column.name.clone(),
        sql,
        not_null: column.nulls == 0 && column.filled > 0 && !has_words,
        transforms,
        words_to,
        drop,
        comment: comment::column(column, &kind, person, notes, personal),
        words_comment: comment::words(column, personal),
        guessed: matches!(kind, ColumnKind::Text(Some(CODE_BY_NAME | CODE_BY_WIDTH))),
        name,
    }
}

fn others(seen: &[Seen], declared: &HashSet<usize>, personal: bool) -> DraftOthers {
    let left: Vec<&Seen> = seen.iter().filter(|c| !declared.contains(&c.index)).collect();
    if left.is_empty() {
        return DraftOthers::None;
    }
    let count = left.len();
    if personal {
        return DraftOthers::Drop(format!(
            "{count} columns about persons: name those that are needed"
        ));
    }
    let tells = left.iter().filter(|column| column.filled > 0 && !column.same).count();
    if tells == 0 {
        let said = match count {
            1 => "One column that is empty in every row, or the same as another".to_owned(),
            count => format!("{count} columns, empty in every row, or the same as another"),
        };
        // A wide file's empty columns are named, and may be filled in the next one.
        if left.iter().all(|column| column.name.is_empty() || column.repeats.is_some()) {
            return DraftOthers::Drop(said);
        }
    }
    let trim = left.iter().any(|column| column.padded > 0);
    let comment = format!(
        "Columns of the file without one here, {count} of them, by their headings, text as CMS writes it, only \
         those that are not null; {tells} are filled in some row. [file]"
    );
    DraftOthers::Gather { to: GATHERED, trim, comment }
}

/// What a person should look at, most urgent first.
fn doubts(
    shape: &FileShape,
    notes: &Notes,
    columns: &[Planned],
    key: &[String],
    personal: bool,
) -> Vec<String> {
    let mut doubts = Vec::new();
    if notes.odd_rows > 0 {
        let line = notes.odd_line.unwrap_or(0);
        doubts.push(format!(
            "{} rows are not as wide as the header (the first at line {line}), or their quotes are \
             not right: they will be rejected, and the budget allows as many",
            notes.odd_rows
        ));
    }
    if notes.undecodable > 0 {
        doubts.push(format!(
            "{} fields are in no encoding that kiln knows: their rows will be rejected",
            notes.undecodable
        ));
    }
    doubts.extend(shape.doubts.iter().cloned());
    if personal {
        let hashed = columns.iter().filter(|column| column.sql == "uuid" && !column.drop).count();
        let dropped = columns.iter().filter(|column| column.drop).count();
        doubts.push(format!(
            "it speaks of persons, hence personal = true: {hashed} identifiers hashed, \
             {dropped} columns dropped; look whether a person can be told by what is left"
        ));
    }
    let guessed: Vec<&str> = columns
        .iter()
        .filter(|column| column.guessed && !column.drop)
        .map(|column| column.name.as_str())
        .collect();
    if !guessed.is_empty() {
        doubts.push(format!(
            "text, for zeros may lead in another file, which this one cannot prove: {}; make those \
             numbers that are",
            guessed.join(", ")
        ));
    }
    match notes.rows {
        0 => doubts.push("no rows: every column is text until rows are seen".to_owned()),
        1 => doubts.push("one row proves no type and no key".to_owned()),
        2..FEW => {
            doubts.push("so few rows prove little: types and key may be accidents".to_owned());
        }
        _ if key.is_empty() => doubts.push("no key was found".to_owned()),
        _ => {}
    }
    doubts
}
