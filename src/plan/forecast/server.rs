//! What the server says of itself as far as space goes: settings that any role may read, and
//! where its files are, where this role may know it and this machine has them.

use std::path::PathBuf;

use crate::postgres::{Session, db};

/// Settings that decide about temporary files and WAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpaceSettings {
    /// Whether `wal_level` is `minimal`.
    pub wal_is_minimal: bool,
    /// Whether whole pages are compressed in the WAL.
    pub wal_is_compressed: bool,
    /// Bytes of WAL after which a checkpoint comes, and lets go of it.
    pub max_wal_size: u64,
    /// Whether a replication slot that nobody reads keeps all of it.
    pub wal_is_kept: bool,
}

/// Where a build's files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataLocation {
    /// The data directory, WAL and temporary files in it.
    Data(PathBuf),
    /// A tablespace: what the role's `default_tablespace` names. WAL stays elsewhere.
    Tablespace(PathBuf),
    /// This role may not know, or it is not on this machine.
    Unknown,
}

/// Reads the settings.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn settings(session: &Session) -> anyhow::Result<SpaceSettings> {
    let row = session
        .query_one(
            "select current_setting('wal_level') = 'minimal',
                    current_setting('wal_compression') <> 'off',
                    pg_size_bytes(current_setting('max_wal_size')),
                    exists (select from pg_replication_slots where not active)",
            &[],
        )
        .await
        .map_err(db("read the server's settings"))?;
    Ok(SpaceSettings {
        wal_is_minimal: row.get(0),
        wal_is_compressed: row.get(1),
        max_wal_size: row.get::<_, i64>(2).cast_unsigned(),
        wal_is_kept: row.get(3),
    })
}

/// Where tables that this session's role makes go, as far as this machine sees it.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn place(session: &Session, is_here: bool) -> anyhow::Result<DataLocation> {
    let row = session
        .query_one(
            "select (select nullif(pg_tablespace_location(oid), '') from pg_tablespace
                     where spcname = current_setting('default_tablespace')),
                    case when pg_has_role(current_user, 'pg_read_all_settings', 'usage')
                         then current_setting('data_directory') end",
            &[],
        )
        .await
        .map_err(db("ask where the server's files are"))?;
    let path = |at: usize| row.get::<_, Option<String>>(at).map(PathBuf::from);
    Ok(match (path(0), path(1)) {
        (Some(folder), _) if is_here && folder.exists() => DataLocation::Tablespace(folder),
        (None, Some(folder)) if is_here && folder.exists() => DataLocation::Data(folder),
        _ => DataLocation::Unknown,
    })
}
