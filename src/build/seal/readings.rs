//! How the tables of sources are read again, so that what is stored can be held against what was loaded.

use crate::catalog::ledger::{Ledger, SourceState};
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::stamp::{DigestReading, PackReading, SetsReading};
use crate::config::strict::Problems;
use crate::load::bind::Binding;
use crate::spec::schema::catalog;
use crate::spec::source::Source;

/// How the table of a source is read that was loaded: as the loader's own digest is taken.
/// `None` for one that the ledger does not have.
fn reading(binding: &Binding, ledger: &Ledger) -> Option<DigestReading> {
    let source = &binding.source;
    let name = source.name.as_str();
    let entry = ledger.sources.iter().find(|entry| entry.source == name)?;
    let sets = binding.dictionaries.iter().map(|dictionary| SetsReading {
        table: dictionary.table.as_str().to_owned(),
        columns: dictionary.columns().map(str::to_owned).collect(),
    });
    let pack = source.pack.as_ref();
    (entry.state == SourceState::Loaded).then(|| DigestReading {
        table: name.to_owned(),
        source: Some(name.to_owned()),
        columns: binding.columns().map(str::to_owned).collect(),
        sets: sets.collect(),
        pack: pack.map(|pack| PackReading { by: pack.by, at: pack.at, of: pack.of }),
        rows: entry.counted,
        digest: entry.digest.clone(),
    })
}

/// How the tables of these sources are read again, of those that the ledger has as loaded.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn readings(
    build: &BuildDatabase,
    sources: &[Source],
    ledger: &Ledger,
) -> anyhow::Result<Vec<DigestReading>> {
    let session = build.session("readings").await?;
    let tables = catalog::all_columns(&session).await?;
    build.give_back(session);
    // What is wrong with a spec was said before anything was loaded by it.
    let problems = Problems::default();
    let bound = sources.iter().filter_map(|source| Binding::new(source, &tables, None, &problems));
    Ok(bound.filter_map(|binding| reading(&binding, ledger)).collect())
}
