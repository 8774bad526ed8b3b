//! What is looked at before the first row is sent: the directories of all archives, which tell periods and
//! sizes, and what no source reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt as _, stream};

use super::rows::{Prepared, RowsInput};
use super::workplace::Workplace;
use crate::config::failpoint;
use crate::error::{Exit, Failure};
use crate::fetch::archive::FoundMembers;
use crate::fetch::member::Member;
use crate::load::members;
use crate::load::meter::Meter;
use crate::plan::forecast::LoadMethods;
use crate::plan::unclaimed;
use crate::spec::source::Period;

/// What directories say.
pub(crate) struct Preflight {
    /// The sources, each with its members.
    pub prepared: Vec<Prepared>,
    /// The period of each source; `None` where no name tells it.
    pub periods: Vec<(String, Option<String>)>,
    /// Bytes of text of each source that is loaded from its files.
    pub text: Vec<(String, u64)>,
    /// How tables get their rows.
    pub methods: LoadMethods,
    /// Bytes of inner zips that lie in the scratch folder.
    pub spooled: u64,
    /// Outermost entries of objects that no source claims.
    pub unclaimed: Vec<String>,
}

impl Prepared {
    /// The source.
    pub(super) fn name(&self) -> &str {
        self.rows.binding.source.name.as_str()
    }

    fn members(&self) -> Option<&FoundMembers> {
        self.found.as_ref()?.as_ref().ok()
    }

    /// The period that the members' names tell, or the kept build's account.
    fn period(&self) -> Option<String> {
        match &self.rows.reusable {
            Some(reusable) => reusable.entry.period.as_deref().map(Period::canonical),
            None => self.members().and_then(members::period),
        }
    }

    /// The same as a kept build's account has it, letter by letter.
    fn told_period(&self) -> Option<String> {
        match &self.rows.reusable {
            Some(reusable) => reusable.entry.period.clone(),
            None => self.period(),
        }
    }
}

impl Workplace<'_> {
    /// Reads the directories of what is loaded from files.
    ///
    /// # Errors
    /// When the run is stopped; a source's own errors are in its `found`.
    pub(crate) async fn preflight(&self, inputs: Vec<RowsInput>) -> anyhow::Result<Preflight> {
        let reading = self.watch.begin("reading archives", Vec::new());
        let mut prepared: Vec<Prepared> = stream::iter(inputs)
            .map(|rows| self.prepare(rows))
            .buffer_unordered(self.connections)
            .collect()
            .await;
        drop(reading);
        failpoint::hit(failpoint::FETCH)?;
        one_period_an_object(&mut prepared);
        let entries = prepared.iter().flat_map(|prepared| match &prepared.rows.reusable {
            Some(reusable) => reusable.entries.iter(),
            None => prepared.members().map_or([].iter(), |found| found.entries.iter()),
        });
        let unclaimed = unclaimed(self.sources, entries);
        let read = prepared.iter().filter_map(|p| Some((p.name().to_owned(), p.members()?)));
        let size = |found: &FoundMembers| found.members.iter().map(Member::size).sum();
        let told = prepared.iter().filter(|p| p.rows.reusable.is_some() || p.members().is_some());
        Ok(Preflight {
            periods: told.map(|p| (p.name().to_owned(), p.told_period())).collect(),
            text: read.clone().map(|(name, found)| (name, size(found))).collect(),
            methods: self.methods(&prepared),
            spooled: read.map(|(_, found)| found.spooled).sum(),
            unclaimed,
            prepared,
        })
    }

    async fn prepare(&self, rows: RowsInput) -> Prepared {
        let found = match &rows.reusable {
            Some(_) => None,
            None => Some(self.find(&rows).await),
        };
        let meter = Arc::new(Meter::default());
        if let Some(Ok(found)) = &found {
            meter.total.store(found.members.iter().map(Member::size).sum(), Ordering::Relaxed);
        }
        if let Some(reusable) = &rows.reusable {
            meter.rows_total.store(reusable.entry.counted, Ordering::Relaxed);
        }
        Prepared { rows, found, meter }
    }

    /// How tables get their rows.
    fn methods(&self, prepared: &[Prepared]) -> LoadMethods {
        let copied = prepared.iter().filter_map(|Prepared { rows, .. }| {
            Some((&rows.binding.source, rows.reusable.as_ref()?.made.as_slice()))
        });
        LoadMethods::new(self.sources, copied, self.schema.early())
    }
}

/// A release holds one period: where an object's sources tell two, those that differ from most
/// of them fail.
fn one_period_an_object(all: &mut [Prepared]) {
    let mut told: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for prepared in all.iter() {
        if let Some(period) = prepared.period() {
            let periods = told.entry(prepared.rows.input.urls()).or_default();
            periods.entry(period).or_default().push(prepared.name().to_owned());
        }
    }
    for prepared in all.iter_mut().filter(|prepared| prepared.rows.reusable.is_none()) {
        let url = prepared.rows.input.urls();
        let Some(periods) = told.get(&url).filter(|periods| periods.len() > 1) else { continue };
        let most = periods.iter().max_by_key(|(_, names)| names.len()).map(|(period, _)| period);
        let own = prepared.period();
        if own.is_some() && own.as_ref() != most {
            let said: Vec<&str> = periods.keys().map(String::as_str).collect();
            let message = format!("{url} mixes the periods {}", said.join(" and "));
            let failure = Failure::new(Exit::InputRejected, message);
            prepared.found = Some(Err(failure.hint(members::MIXED_PERIODS).into()));
        }
    }
}
