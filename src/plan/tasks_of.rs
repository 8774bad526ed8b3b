//! The tasks of a build, from its schema and from what was decided for its sources. Pure.
//!
//! A table's index needs its rows; one with foreign keys the others' indexes as well. A table that is
//! derived from named tables needs their rows, any other derived table all indexes. A loaded table is
//! analyzed behind its index; a derived one when nothing else is under way, for rows that are younger than
//! the oldest open transaction cannot be frozen. A check needs them all.

use std::collections::BTreeSet;

use crate::plan::task::{self, Task, TaskKind};
use crate::spec::schema::own_checks::OWN_CHECKS;
use crate::spec::schema::{Schema, SchemaFile, Section, SectionKind};
use crate::spec::source::Source;

/// What a check of a schema's file is called as a task.
pub(crate) fn check_subject(file: &SchemaFile, section: &Section) -> String {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}:{}", section.line)
}

/// What tasks are made of.
pub(crate) struct TaskInputs<'a> {
    /// The database's tables.
    pub schema: &'a Schema,
    /// The sources whose rows come, and how.
    pub sources: Vec<(&'a Source, TaskKind)>,
}

impl TaskInputs<'_> {
    /// The tasks.
    pub(crate) fn tasks(&self) -> Vec<Task> {
        let mut all: Vec<Task> = self
            .sources
            .iter()
            .map(|(source, kind)| Task::new(*kind, source.name.as_str(), Vec::new()))
            .collect();
        let rows = names(&all, TaskKind::is_rows);
        self.index(&rows, &mut all);
        self.derive(&mut all);
        self.analyze(&mut all);
        self.check(&mut all);
        all
    }

    /// The task that gives a table its rows.
    fn rows_of(&self, table: &str) -> Option<String> {
        let is_of =
            |(source, _): &&(&Source, TaskKind)| source.tables().any(|t| t.as_str() == table);
        let (source, kind) = self.sources.iter().find(is_of)?;
        Some(task::name(*kind, source.name.as_str()))
    }

    fn index(&self, rows: &[String], all: &mut Vec<Task>) {
        let files = self.schema.files.iter();
        let files = files.filter(|file| file.of_kind(&SectionKind::PostData).next().is_some());
        let of_rows = |file: &SchemaFile| match self.rows_of(&file.table) {
            Some(rows) => vec![rows],
            None if is_early(file) => vec![task::name(TaskKind::Derive, &file.table)],
            None => rows.to_vec(),
        };
        let mut before: Vec<String> = Vec::new();
        for file in files {
            let mut needs = of_rows(file);
            match &file.refers {
                Some(none) if none.is_empty() => {}
                // One after another: two that touch the same tables would wait for each other's locks.
                Some(to) => {
                    let indexes = to.iter().map(|table| task::name(TaskKind::Index, table));
                    needs.extend(indexes.filter(|name| all.iter().any(|task| task.name == *name)));
                    needs.extend(before.clone());
                    before = vec![task::name(TaskKind::Index, &file.table)];
                }
                // Nobody has looked: it may need the keys of any.
                None => needs.extend(names(all, |kind| kind == TaskKind::Index)),
            }
            needs.sort();
            needs.dedup();
            all.push(Task::new(TaskKind::Index, &file.table, needs));
        }
    }

    fn derive(&self, all: &mut Vec<Task>) {
        for file in self.schema.derived() {
            let from = file.of_kind(&SectionKind::Derive).flat_map(|section| &section.from);
            let needs: BTreeSet<String> = if is_early(file) {
                from.filter_map(|table| self.rows_of(table)).collect()
            } else {
                // One after another, in number order: one may read what the one before it has made.
                names(all, |kind| matches!(kind, TaskKind::Index | TaskKind::Derive))
                    .into_iter()
                    .collect()
            };
            all.push(Task::new(TaskKind::Derive, &file.table, needs.into_iter().collect()));
        }
    }

    fn analyze(&self, all: &mut Vec<Task>) {
        let of_files = self.schema.files.iter().map(|file| file.table.as_str());
        let of_sources = self.sources.iter().flat_map(|(source, _)| source.tables());
        let tables: BTreeSet<&str> =
            of_files.chain(of_sources.map(crate::postgres::Ident::as_str)).collect();
        let (loaded, derived): (Vec<&str>, Vec<&str>) =
            tables.into_iter().partition(|table| self.rows_of(table).is_some());
        let before = names(all, |_| true);
        for table in loaded {
            let Some(rows) = self.rows_of(table) else { continue };
            // The index of a dictionary's table may stand in its source's file.
            let of_source = rows.replacen("rows:", "index:", 1);
            let indexes = [task::name(TaskKind::Index, table), of_source];
            let index = indexes.into_iter().find(|index| before.contains(index));
            all.push(Task::new(TaskKind::Analyze, table, vec![index.unwrap_or(rows)]));
        }
        // Whoever began before a table was made, to analyze another even, keeps its rows from being frozen.
        let before = names(all, |_| true);
        all.extend(derived.iter().map(|t| Task::new(TaskKind::Analyze, t, before.clone())));
    }

    fn check(&self, all: &mut Vec<Task>) {
        // What nothing is analyzed behind is no table: a check then waits for everything.
        let analyzed = names(all, |kind| kind == TaskKind::Analyze);
        let needs = if analyzed.is_empty() { names(all, |_| true) } else { analyzed };
        let own = OWN_CHECKS.iter().map(|(title, _)| (*title).to_owned());
        let of_files = self.schema.files.iter().flat_map(|file| {
            file.of_kind(&SectionKind::Check).map(|section| check_subject(file, section))
        });
        let places: Vec<String> = own.chain(of_files).collect();
        all.extend(places.iter().map(|at| Task::new(TaskKind::Check, at, needs.clone())));
    }
}

fn names(all: &[Task], is_wanted: impl Fn(TaskKind) -> bool) -> Vec<String> {
    all.iter().filter(|task| is_wanted(task.kind)).map(|task| task.name.clone()).collect()
}

/// Whether a table is derived from named others.
fn is_early(file: &SchemaFile) -> bool {
    file.of_kind(&SectionKind::Derive).any(Section::is_early)
}
