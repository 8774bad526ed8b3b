//! What a source looks for in objects, and what their names tell.

use std::collections::BTreeSet;

use super::{From, Period, Source};
use crate::fetch::patterns::Patterns;
use crate::fetch::store::file_name;

impl Source {
    /// What is looked for in its objects. Of what names say, only what gives a column, the period, the
    /// edition or the section is kept.
    pub fn patterns(&self) -> Patterns {
        let fed = self.columns.iter().filter_map(|column| match &column.from {
            From::Group(group) => Some(group.clone()),
            _ => None,
        });
        let mut kept: BTreeSet<String> = fed.collect();
        kept.extend(["period", "edition"].map(str::to_owned));
        kept.extend(self.sections.as_ref().map(|sections| sections.of.clone()));
        Patterns {
            object: self.object.clone(),
            archive: self.archive.clone(),
            member: self.member.clone(),
            kept,
            bytes_max: self.budget.bytes_max,
        }
    }
}

/// What an object's name tells of it, by the pattern's groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Of which edition it is.
    pub edition: Option<String>,
    /// When it was posted.
    pub posted: Option<Period>,
    /// What time its data speak of; a year where it gives no more.
    pub period: Option<Period>,
}

impl Named {
    /// Reads the file name of a key; `None` where the source does not read such an object.
    pub(crate) fn of(source: &Source, key: &str) -> Option<Named> {
        let captured = source.object.captures(file_name(key))?;
        let group = |name| captured.name(name).map(|found| found.as_str());
        let time = |name| group(name).and_then(Period::parse);
        Some(Named {
            edition: group("edition").map(str::to_owned),
            posted: time("posted"),
            period: time("period").or_else(|| time("year")),
        })
    }
}
