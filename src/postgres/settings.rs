//! What a build's sessions ask of the server beyond its own settings, chosen from what it says of
//! itself; and in words, for the ledger.
//!
//! Only what a role without superuser may set, and only for these sessions: the server's own
//! settings are its owner's. Commits always wait for the disk: a build speaks through many sessions,
//! and would go on after a crash of the server that had forgotten one of its commits.

use super::{Session, db};

/// Memory that one index build sorts in, in bytes; Postgres's own default. More makes it slower: a
/// sort that outgrows the processor's caches waits for memory at each comparison, and runs are merged
/// cheaply. Measured on the key of 30 million network rows: 4.0 s with 64 MB, 4.4 with 256 MB and 5.9
/// with 1 GB on two cores; in another order of its columns 6.6, 7.3 and 8.5 s.
pub(crate) const INDEX_MEMORY: u64 = 64 << 20;

/// Said where index builds wait for a compression that another setting would spare them.
const SLOW_WAL: &str = "wal_compression is pglz, which takes more CPU than building the index does, and \
     this role may not change it: lz4 is set by the server's owner (on RDS in the parameter group), or \
     `grant set on parameter wal_compression` to this role";

/// Settings for a build's sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SessionSettings {
    /// The statements that set them.
    pub sql: String,
    /// What was chosen and why, a line each.
    pub notes: Vec<String>,
}

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ServerSettings {
    /// Bytes.
    index_memory: i64,
    wal_level: String,
    wal_compression: String,
    /// Whether this role may set `wal_compression`, and to `lz4`.
    may_lz4: bool,
    /// Workers beside an index build's leader, and beside a query's.
    index_workers: i64,
    query_workers: i64,
    /// Whether it would compile; not whether it can, for to be asked that it loads the compiler.
    jit: bool,
}

/// Reads what the server says, and chooses, for as many sessions side by side as it has `cores`.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn choose(session: &Session, cores: usize) -> anyhow::Result<SessionSettings> {
    // has_parameter_privilege is of Postgres 15, the oldest that kiln works with.
    let row = session
        .query_one(
            "select pg_size_bytes(current_setting('maintenance_work_mem')),
                    current_setting('wal_level'), current_setting('wal_compression'),
                    has_parameter_privilege('wal_compression', 'SET')
                        and (select 'lz4' = any (enumvals) from pg_settings
                             where name = 'wal_compression'),
                    current_setting('max_parallel_maintenance_workers')::int8,
                    current_setting('max_parallel_workers_per_gather')::int8,
                    current_setting('jit')::bool",
            &[],
        )
        .await
        .map_err(db("read the server's settings"))?;
    Ok(ServerSettings {
        index_memory: row.get(0),
        wal_level: row.get(1),
        wal_compression: row.get(2),
        may_lz4: row.get(3),
        index_workers: row.get(4),
        query_workers: row.get(5),
        jit: row.get(6),
    }
    .choose(cores))
}

impl ServerSettings {
    fn choose(&self, cores: usize) -> SessionSettings {
        let mut chosen = SessionSettings::default();
        let mut slow_wal = None;
        let mut set = |name: &str, value: &str, why: String| {
            chosen.sql.push_str(&format!("set {name} = {value}; "));
            chosen.notes.push(format!("{name} = {value}: {why}"));
        };
        if self.index_memory.cast_unsigned() != INDEX_MEMORY {
            let why = "an index build sorts quickest where its memory fits the processor's caches";
            let memory = format!("'{}kB'", INDEX_MEMORY >> 10);
            set("maintenance_work_mem", &memory, why.to_owned());
        }
        if matches!(self.wal_compression.as_str(), "on" | "pglz") && self.may_lz4 {
            let why = "less CPU than pglz for the pages of indexes in the WAL";
            set("wal_compression", "lz4", why.to_owned());
        } else if matches!(self.wal_compression.as_str(), "on" | "pglz") {
            slow_wal = Some(SLOW_WAL.to_owned());
        }
        // A leader works as its workers do: one process more than cores is one that waits for another.
        let workers = i64::try_from(cores).unwrap_or(i64::MAX).saturating_sub(1).max(0);
        for (name, has) in [
            ("max_parallel_maintenance_workers", self.index_workers),
            ("max_parallel_workers_per_gather", self.query_workers),
        ] {
            if has > workers {
                let why = format!("with its leader as many as connections; the server has {has}");
                set(name, &workers.to_string(), why);
            }
        }
        if self.jit {
            // Measured: the heaviest query (pharmacies of 25 million network rows) takes 6.0 s of CPU
            // without and 6.1 with; and each session that compiles one pays for that, a new one 0.2 s.
            let why = "no query of a build runs long enough to earn its compiling back";
            set("jit", "off", why.to_owned());
        }
        let wal = match self.wal_level.as_str() {
            "minimal" => "rows and indexes are written without WAL",
            _ => "rows and indexes are written to the WAL as well",
        };
        chosen.notes.push(format!("wal_level is {}: {wal}", self.wal_level));
        chosen.notes.extend(slow_wal);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_slow_the_build_is_set_where_the_role_may_and_told_where_it_may_not() {
        let found = ServerSettings {
            index_memory: 1 << 30,
            wal_level: "replica".into(),
            wal_compression: "pglz".into(),
            may_lz4: true,
            index_workers: 2,
            query_workers: 2,
            jit: false,
        };
        let sql = found.choose(3).sql;
        assert_eq!(sql, "set maintenance_work_mem = '65536kB'; set wal_compression = lz4; ");
        let mine = ServerSettings { index_memory: 64 << 20, may_lz4: false, ..found };
        let chosen = mine.choose(3);
        assert_eq!(chosen.sql, "");
        assert_eq!(chosen.notes.len(), 2);
        assert!(chosen.notes[1].contains("grant set on parameter"), "{:?}", chosen.notes);
    }

    #[test]
    fn leader_and_workers_are_no_more_than_the_cores() {
        let found = ServerSettings {
            index_memory: 64 << 20,
            wal_level: "minimal".into(),
            wal_compression: "off".into(),
            may_lz4: true,
            index_workers: 2,
            query_workers: 4,
            jit: true,
        };
        for (cores, expected) in [
            (
                1,
                "set max_parallel_maintenance_workers = 0; set max_parallel_workers_per_gather = 0; ",
            ),
            (
                2,
                "set max_parallel_maintenance_workers = 1; set max_parallel_workers_per_gather = 1; ",
            ),
            (4, "set max_parallel_workers_per_gather = 3; "),
            (64, ""),
        ] {
            assert_eq!(found.choose(cores).sql, format!("{expected}set jit = off; "));
        }
    }
}
