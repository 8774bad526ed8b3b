//! The sealed subset as a file.

use std::path::Path;

use super::super::Context;
use super::super::ending::SealedBuild;
use super::ready::{PreparedSubset, reader};
use super::tables::Copied;
use crate::catalog::ledger::SourceState;
use crate::catalog::registry::build::BuildDatabase;
use crate::error::{Exit, Failure, failure};
use crate::export::file::SubsetFile;
use crate::export::file::{FileHeader, PackedTable, Script, SourceFacts, TableEntry};
use crate::export::subset::KeptTable;

/// A file that cannot be written is said before the work and not after it.
pub(super) fn may_write(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let tried = tempfile::Builder::new().prefix(".kiln-").tempfile_in(folder);
    match tried {
        Ok(_) if !path.is_dir() => Ok(()),
        Ok(_) => Err(failure(Exit::Usage, format!("{} is a folder", path.display()))),
        Err(error) => {
            let message = format!("cannot write {}", path.display());
            Err(Failure::new(Exit::Usage, message).because(error).into())
        }
    }
}

/// Writes it.
///
/// # Errors
/// [`Exit::Usage`] when the file cannot be written, else the server's.
pub(super) async fn write(
    context: &Context,
    sealed_build: &SealedBuild,
    ready: &PreparedSubset,
    all: &[Copied],
    path: &Path,
) -> anyhow::Result<SubsetFile> {
    let stage = context.progress.stage("writing the file");
    let owner = &context.config.owner_role;
    let build = BuildDatabase::new(
        context.server(&sealed_build.tag.database),
        &sealed_build.tag.build,
        owner,
    )?;
    let session = reader(&build).await?;
    let tables = &ready.chosen.tables;
    let header = FileHeader {
        kiln_file: 1,
        tool: format!("kiln {}", crate::VERSION),
        database: sealed_build.tag.database.clone(),
        subset: ready.words.clone(),
        version: sealed_build.tag.version,
        serves_from: Some(sealed_build.schema.locked()?.serves_from),
        fingerprint: sealed_build.tag.fingerprint.clone(),
        catalog: sealed_build.schema.locked()?.catalog.clone(),
        manifest: ready.manifest.clone(),
        tables: tables.iter().map(|table| table_entry(table, all, sealed_build, ready)).collect(),
    };
    let script = Script {
        header: &header,
        schema: &sealed_build.schema,
        tables,
        session: &session,
        stop: &context.stop,
    };
    let written = script.write(path).await;
    drop(stage);
    written
}

fn table_entry(
    table: &KeptTable,
    all: &[Copied],
    sealed_build: &SealedBuild,
    ready: &PreparedSubset,
) -> TableEntry {
    let copied = all.iter().find(|copied| copied.table == table.name);
    let stored = copied.map(|copied| copied.stored).unwrap_or_default();
    let own = ready.bindings.iter().find(|bound| bound.source.name.as_str() == table.name);
    let pack = own.and_then(|bound| bound.source.pack.as_ref());
    let mut loaded =
        sealed_build.ledger.sources.iter().filter(|entry| entry.state == SourceState::Loaded);
    let noted = loaded.find(|entry| entry.source == table.name);
    let source = noted.map(|entry| SourceFacts {
        period: entry.period.clone(),
        posted: entry.posted.clone(),
        packed: pack
            .map(|pack| PackedTable { array: pack.to.as_str().to_owned(), rows: entry.counted }),
        digest: entry.digest.clone(),
        dictionaries: entry.dictionaries.clone(),
    });
    TableEntry {
        table: table.name.clone(),
        columns: table.columns.clone(),
        rows: stored.rows,
        digest: stored.digest_hex(),
        source,
    }
}
