//! The sealed subset as a file.

use std::path::Path;

use super::super::Context;
use super::super::ending::Baked;
use super::ready::{Ready, reader};
use crate::error::{Exit, Failure, failure};
use crate::export::{Header, Script, TableEntry, Written};
use crate::ledger::{Ledger, SourceState};
use crate::registry::build::BuildDatabase;
use crate::subset::KeptTable;

/// A file that cannot be written is said before the work and not after it.
pub fn may_write(path: &Path) -> anyhow::Result<()> {
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

/// The sealed subset as a file.
pub async fn write(
    context: &Context,
    baked: &Baked,
    ready: &Ready,
    path: &Path,
) -> anyhow::Result<Written> {
    let stage = context.progress.stage("writing the file");
    let owner = &context.config.owner_role;
    let build = BuildDatabase::new(&context.server, &baked.tag.build, owner)?;
    let session = reader(&build).await?;
    let in_file = |table: &&KeptTable| baked.ledger.sources.iter().any(|entry| {
        entry.source == table.name && entry.state == SourceState::Loaded
    });
    let tables: Vec<KeptTable> = ready.chosen.tables.iter().filter(in_file).cloned().collect();
    let header = Header {
        kiln_file: 1,
        tool: concat!("kiln ", env!("CARGO_PKG_VERSION")).to_owned(),
        database: baked.tag.database.clone(),
        subset: ready.words.clone(),
        version: baked.tag.version,
        fingerprint: baked.tag.fingerprint.clone(),
        catalog: baked.schema.locked()?.catalog.clone(),
        manifest: ready.manifest.clone(),
        tables: tables.iter().map(|table| table_entry(table, &baked.ledger)).collect(),
    };
    let script = Script {
        header: &header,
        schema: &baked.schema,
        tables: &tables,
        session: &session,
        stop: &context.stop,
    };
    let written = script.write(path).await;
    drop(stage);
    written
}

fn table_entry(table: &KeptTable, ledger: &Ledger) -> TableEntry {
    let entry = ledger.sources.iter().find(|entry| entry.source == table.name);
    TableEntry {
        table: table.name.clone(),
        columns: table.columns.clone(),
        rows: entry.map_or(0, |entry| entry.counted),
        digest: entry.map_or(String::new(), |entry| entry.digest.clone()),
        period: entry.and_then(|entry| entry.period.clone()),
        posted: entry.and_then(|entry| entry.posted.clone()),
    }
}

