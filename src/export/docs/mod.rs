//! The data dictionary: what every table, view, column and function is, where it comes from and
//! what a build found in it.
//!
//! Its contract part ([`markdown`]) depends on `sql/` and `sources/` alone, so that it can be
//! committed, and CI can say that it is stale. The page ([`page`]) adds a build's facts.

pub(crate) mod described;
pub(crate) mod facts;
mod function;
mod link;
mod linked;
pub(crate) mod markdown;
pub(crate) mod origin;
pub(crate) mod page;
mod plpgsql;
mod relation;

use std::collections::BTreeMap;
use std::path::PathBuf;

use described::{Argument, Described, DescribedFunction, DescribedRelation};
use origin::TableOrigin;

use crate::spec::schema::learned::{self, Learned};
use crate::spec::schema::{Schema, SectionKind};
use crate::spec::source::Sources;

/// A section of a numbered file that makes something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DefiningSection {
    /// The file, relative to the root.
    pub path: PathBuf,
    /// The line of the section's first statement, from 1.
    pub line: usize,
    /// The how many-th of what the section makes.
    pub nth: usize,
    /// Its kind: `pre-data`, `derive`.
    pub section: &'static str,
}

/// All that is to be told of one database, but for what a build found.
#[derive(Debug)]
pub(crate) struct DataDictionary {
    /// The database.
    pub database: String,
    /// Its schema's version, as locked.
    pub version: Option<u32>,
    /// Views, then derived tables, then raw ones, each in the order of their files.
    pub relations: Vec<Relation>,
    /// Functions, by name.
    pub functions: Vec<FunctionDoc>,
}

/// What a reader may expect of a table or view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RelationKind {
    /// Computed when it is read: what apps are given to read.
    View,
    /// Made from other tables while the build is made.
    Derived,
    /// Loaded, and as CMS says it.
    Raw,
}

impl RelationKind {
    /// All, in the order of the dictionary.
    pub(crate) const ALL: [RelationKind; 3] =
        [RelationKind::View, RelationKind::Derived, RelationKind::Raw];

    /// One word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            RelationKind::View => "view",
            RelationKind::Derived => "derived",
            RelationKind::Raw => "raw",
        }
    }

    /// The heading over those of this kind.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            RelationKind::View => "Views",
            RelationKind::Derived => "Derived tables",
            RelationKind::Raw => "Raw tables",
        }
    }

    /// What a reader may expect of them.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            RelationKind::View => {
                "For apps: their names and columns stay while the tables below change."
            }
            RelationKind::Derived => {
                "For apps: made from other tables once a night, before the seal."
            }
            RelationKind::Raw => "As CMS says it, from its files; the others are made of these.",
        }
    }
}

/// A table or a view.
#[derive(Debug)]
pub(crate) struct Relation {
    /// What the catalog says.
    pub described: DescribedRelation,
    /// What a reader may expect.
    pub kind: RelationKind,
    /// The section that makes it.
    pub place: Option<DefiningSection>,
    /// The file family that feeds it.
    pub origin: Option<TableOrigin>,
    /// The tables and views that it is made of.
    pub reads: Vec<String>,
    /// The tables, views and functions that read it.
    pub read_by: Vec<String>,
    /// What its checks say must hold.
    pub checks: Vec<String>,
    /// How it is made, where it is made from tables: the section's text.
    pub recipe: Option<String>,
    /// It holds, or may hold, what is known of people: no value of it is ever shown.
    pub is_personal: bool,
}

impl Relation {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.described.name
    }

    /// The columns of its key: the primary key, else a unique index over whole rows.
    pub(crate) fn key(&self) -> &[String] {
        let unique = |index: &&described::Index| index.is_unique && !index.is_partial;
        let indexes = &self.described.indexes;
        let key =
            indexes.iter().find(|index| index.is_primary).or_else(|| indexes.iter().find(unique));
        key.map_or(&[], |index| &index.columns)
    }
}

/// A function or procedure.
#[derive(Debug)]
pub(crate) struct FunctionDoc {
    /// What the catalog says.
    pub described: DescribedFunction,
    /// The section that makes it.
    pub place: Option<DefiningSection>,
    /// The tables and views that it reads.
    pub reads: Vec<String>,
}

impl FunctionDoc {
    /// Its name with what goes in: `drug_cost(plan text, ndc text)`.
    pub(crate) fn signature(&self) -> String {
        format!("{}({})", self.described.name, self.described.identity)
    }

    /// What goes in.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Argument> {
        self.described.arguments.iter().filter(|argument| !argument.is_output())
    }

    /// What it returns, in words; `None` of a procedure.
    pub(crate) fn returned(&self) -> Option<String> {
        let described = &self.described;
        match (described.returns.is_empty(), self.outputs().next(), described.returns_rows) {
            (true, ..) => None,
            (_, Some(_), true) => Some("rows".to_owned()),
            (_, Some(_), false) => Some("one row".to_owned()),
            (_, None, _) => Some(described.returns.clone()),
        }
    }

    /// The columns of the rows that come out; none where it returns one value.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &Argument> {
        self.described.arguments.iter().filter(|argument| argument.is_output())
    }
}

impl DataDictionary {
    /// Joins what catalog, files and specs say.
    pub(crate) fn new(
        schema: &Schema,
        sources: &Sources,
        learned: &Learned,
        described: Described,
    ) -> DataDictionary {
        let places = places(schema, learned);
        let names: Vec<String> = described.relations.iter().map(|r| r.name.clone()).collect();
        let any_personal = sources.all.iter().any(|source| source.personal);
        let mut relations: Vec<Relation> = Vec::new();
        for described in described.relations {
            let place = places.get(&described.name).cloned();
            relations.push(relation(schema, sources, learned, described, place, any_personal));
        }
        let mut functions = Vec::new();
        for described in described.functions {
            let called = format!("{}()", described.name);
            let place = places.get(&called).cloned();
            let reads = match described.language.as_str() {
                "sql" => reads_of(learned, &called),
                _ => plpgsql::reads(&described.text, &names),
            };
            functions.push(FunctionDoc { described, place, reads });
        }
        for at in 0..relations.len() {
            let name = relations[at].name().to_owned();
            let tables = relations.iter().filter(|other| other.reads.contains(&name));
            let mut read_by: Vec<String> = tables.map(|other| other.name().to_owned()).collect();
            let callers = functions.iter().filter(|function| function.reads.contains(&name));
            read_by.extend(callers.map(|function| function.described.name.clone()));
            read_by.dedup();
            relations[at].read_by = read_by;
        }
        relations.sort_by(|a, b| (a.kind, &a.place).cmp(&(b.kind, &b.place)));
        DataDictionary {
            database: schema.database.as_str().to_owned(),
            version: schema.lock.as_ref().map(|lock| lock.version),
            relations,
            functions,
        }
    }

    /// Those of one kind.
    pub(crate) fn of_kind(&self, kind: RelationKind) -> impl Iterator<Item = &Relation> {
        self.relations.iter().filter(move |relation| relation.kind == kind)
    }

    /// Columns in all.
    pub(crate) fn column_count(&self) -> usize {
        self.relations.iter().map(|relation| relation.described.columns.len()).sum()
    }
}

/// Where what has a name is made; functions have `()` behind theirs.
fn places(schema: &Schema, learned: &Learned) -> BTreeMap<String, DefiningSection> {
    let mut places = BTreeMap::new();
    for file in &schema.files {
        for section in &file.sections {
            let made = learned.makes.get(&learned::section(file, &section.kind));
            for (nth, name) in made.into_iter().flatten().enumerate() {
                let (path, line) = (file.path.clone(), section.line);
                let place = DefiningSection { path, line, nth, section: section.kind.word() };
                places.entry(name.clone()).or_insert(place);
            }
        }
    }
    places
}

/// What a section, or a function, was seen to read.
fn reads_of(learned: &Learned, of: &str) -> Vec<String> {
    learned.reads.get(of).into_iter().flatten().cloned().collect()
}

fn relation(
    schema: &Schema,
    sources: &Sources,
    learned: &Learned,
    described: DescribedRelation,
    place: Option<DefiningSection>,
    any_personal: bool,
) -> Relation {
    let file = place.as_ref().and_then(|place| schema.files.iter().find(|f| f.path == place.path));
    let own_file = file.filter(|file| file.table == described.name);
    let source = origin::source_of(sources, &described.name);
    let derive = file.and_then(|file| file.of_kind(&SectionKind::Derive).next());
    let kind = match (described.is_view, &source, derive) {
        (true, _, _) => RelationKind::View,
        (false, None, Some(_)) => RelationKind::Derived,
        _ => RelationKind::Raw,
    };
    let recipe =
        derive.filter(|_| kind == RelationKind::Derived).map(|section| section.sql.clone());
    let reads = match file.filter(|_| recipe.is_some()) {
        Some(file) => reads_of(learned, &learned::section(file, &SectionKind::Derive)),
        None => described.reads.clone(),
    };
    let checks = own_file.map(|file| file.of_kind(&SectionKind::Check));
    Relation {
        kind,
        origin: source.map(|source| TableOrigin::of(source, &described.name)),
        reads,
        read_by: Vec::new(),
        checks: checks.into_iter().flatten().map(|section| section.title.clone()).collect(),
        recipe,
        // Whatever is made in a database with people in it may be made of people.
        is_personal: source.map_or(any_personal, |source| source.personal),
        described,
        place,
    }
}
