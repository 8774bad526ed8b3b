//! Looks for the canary wherever somebody could read it: outputs, logs, every table of every
//! database, the server's own files and log, and what it runs at this moment.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_postgres::NoTls;

use super::CANARY;
use crate::support::{Outcome, World};

/// Makes the server say in its log all that it can, for kiln's role and the owner of builds: every
/// statement with its parameters, and errors with their DETAIL.
pub fn nosy(world: &World) {
    for role in ["loader", "kiln_owner"] {
        for setting in [
            "log_statement = 'all'",
            "log_min_duration_statement = 0",
            "log_min_messages = 'debug2'",
            "log_min_error_statement = 'debug2'",
            "log_error_verbosity = 'verbose'",
            "log_parameter_max_length = -1",
            "log_parameter_max_length_on_error = -1",
        ] {
            world.postgres.execute("postgres", &format!("alter role {role} set {setting}"));
        }
    }
}

/// The places where it was found.
pub struct Search {
    found: BTreeSet<String>,
    /// What was seen while kiln ran.
    seen: Arc<Mutex<BTreeSet<String>>>,
    stop: Arc<AtomicBool>,
    watcher: Option<JoinHandle<u64>>,
    /// Spellings: as it is, and as the hex of a bytea.
    needles: [Vec<u8>; 2],
}

impl Search {
    /// Begins to watch what the server runs.
    pub fn start(world: &World) -> Search {
        let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let url = world.postgres.url_as("kiln", "postgres");
        let watcher = {
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            std::thread::spawn(move || watch(&url, &seen, &stop))
        };
        Search {
            found: BTreeSet::new(),
            seen,
            stop,
            watcher: Some(watcher),
            needles: [CANARY.as_bytes().to_vec(), hex.into_bytes()],
        }
    }

    /// Both outputs of a command.
    pub fn read(&mut self, outcome: &Outcome) {
        let what = outcome.to_string();
        let what = what.lines().next().unwrap().replace(CANARY, "…");
        let what = what.replace(env!("CARGO_BIN_EXE_kiln"), "kiln");
        self.look(&format!("standard output of {what}"), outcome.stdout.as_bytes());
        self.look(&format!("standard error of {what}"), outcome.stderr.as_bytes());
    }

    /// All that lies about by now: kiln's home, every table, the server's files.
    pub fn everywhere(&mut self, world: &World, when: &str) {
        let home = world.folder.path().join("home");
        assert!(home.join("log").is_dir(), "the log is looked at");
        self.files(&home, &home, when);
        // What the server has in memory only goes to its files.
        world.postgres.execute("postgres", "checkpoint");
        let data = world.postgres.data();
        assert!(data.join("server.log").is_file(), "the server's log is looked at");
        self.files(&data, &data, when);
        let databases = "select datname::text from pg_database where datallowconn";
        for database in world.postgres.rows("postgres", databases) {
            self.tables(world, &database, when);
        }
    }

    fn tables(&mut self, world: &World, database: &str, when: &str) {
        let listed = "select format('%I.%I', nspname, relname) from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where relkind in ('r', 'p', 'm')
              and (nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
                   or relname in ('pg_description', 'pg_shdescription', 'pg_statistic',
                                  'pg_db_role_setting'))";
        for table in world.postgres.rows(database, listed) {
            let rows = world.postgres.rows(database, &format!("select t::text from {table} t"));
            let what = format!("{when}: table {table} in {database}");
            self.look(&what, rows.join("\n").as_bytes());
        }
    }

    /// Every file below a folder.
    pub fn files(&mut self, root: &Path, folder: &Path, when: &str) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let shown = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() {
                self.files(root, &path, when);
            } else if let Ok(bytes) = std::fs::read(&path) {
                self.look(&format!("{when}: file {shown}"), &bytes);
            }
        }
    }

    fn look(&mut self, place: &str, bytes: &[u8]) {
        for needle in &self.needles {
            if let Some(at) = memchr::memmem::find(bytes, needle) {
                let near = &bytes[at.saturating_sub(120)..(at + 60).min(bytes.len())];
                let near = String::from_utf8_lossy(near).escape_debug().to_string();
                self.found.insert(format!("{place}: …{near}…"));
            }
        }
    }

    /// Stops watching; every place in which it was found.
    pub fn end(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        let looks = self.watcher.take().unwrap().join().unwrap();
        assert!(looks > 20, "looked {looks} times at what the server runs");
        let mut found = self.found;
        found.append(&mut self.seen.lock().unwrap());
        found.into_iter().collect()
    }
}

/// Looks until told to stop; how many times it looked.
fn watch(url: &str, seen: &Mutex<BTreeSet<String>>, stop: &AtomicBool) -> u64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "select format('%s %s', application_name, query) from pg_stat_activity
                   where pid <> pg_backend_pid()";
        let mut looks = 0;
        while !stop.load(Ordering::SeqCst) {
            for row in client.query(sql, &[]).await.unwrap() {
                let running: String = row.get(0);
                if running.contains(CANARY) {
                    seen.lock().unwrap().insert(format!("pg_stat_activity: {running}"));
                }
            }
            looks += 1;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        looks
    })
}
