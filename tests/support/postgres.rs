//! A Postgres cluster of a test's own, with roles as on RDS: kiln is `loader`, no superuser.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kiln::testing::dev::servers::{Lease, open_postgres};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use super::pg_bin;

/// What a DBA would run once, before kiln.
const ROLES: &str = "
    create role kiln_owner nologin;
    create role kiln_app nologin;
    create role loader login createdb;
    grant kiln_owner, pg_signal_backend to loader;
    create role app login in role kiln_app";

/// A running cluster.
pub struct Postgres {
    lease: Option<Lease>,
    home: tempfile::TempDir,
    runtime: Runtime,
}

impl Postgres {
    /// Makes and starts a cluster.
    pub fn start() -> Postgres {
        let home = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let lease = runtime.block_on(open_postgres(home.path(), pg_bin().as_deref())).unwrap();
        let postgres = Postgres { lease: Some(lease), home, runtime };
        postgres.execute("postgres", ROLES);
        postgres
    }

    fn superuser_url(&self) -> String {
        self.lease.as_ref().unwrap().url()
    }

    /// The URL of a database, as `loader`.
    pub fn url(&self, database: &str) -> String {
        self.url_as("loader", database)
    }

    /// The URL of a database, as another role.
    pub fn url_as(&self, role: &str, database: &str) -> String {
        let url = self.superuser_url().replace("user=kiln", &format!("user={role}"));
        url.replace("///postgres", &format!("///{database}"))
    }

    /// Crashes the server: SIGQUIT to the postmaster, all sessions cut, no checkpoint.
    pub fn crash(&self) {
        let pid = Pid::from_raw(self.lease.as_ref().unwrap().pid());
        kill(pid, Signal::SIGQUIT).unwrap();
        let began = Instant::now();
        while std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
        {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not die");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts it again after a crash; waits for recovery.
    pub fn restart(&mut self) {
        drop(self.lease.take());
        let lease =
            self.runtime.block_on(open_postgres(self.home.path(), pg_bin().as_deref())).unwrap();
        self.lease = Some(lease);
    }

    /// From now on a role must give this password; the others go on as they were.
    pub fn ask_for_password(&self, role: &str, password: &str) {
        let hba = self.value("postgres", "show hba_file");
        let text = std::fs::read_to_string(&hba).unwrap();
        let asked = format!("local all {role} scram-sha-256\n{text}");
        std::fs::write(&hba, asked).unwrap();
        let sql = format!("alter role {role} password '{password}'; select pg_reload_conf()");
        self.execute("postgres", &sql);
    }

    /// Runs something with a client of one database, as superuser.
    pub fn with<T>(&self, database: &str, work: impl AsyncFnOnce(&Client) -> T) -> T {
        let url = self.url_as("kiln", database);
        self.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            work(&client).await
        })
    }

    /// Runs statements, as superuser; sealed builds are read-only by default, even to it.
    pub fn execute(&self, database: &str, sql: &str) {
        self.with(database, async |client| {
            client.batch_execute("set default_transaction_read_only = off").await.unwrap();
            client.batch_execute(sql).await.unwrap();
        });
    }

    /// The first column of a query's rows, as text.
    pub fn rows(&self, database: &str, sql: &str) -> Vec<String> {
        self.with(database, async |client| {
            let rows = client.query(sql, &[]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        })
    }

    /// One value, as text.
    pub fn value(&self, database: &str, sql: &str) -> String {
        let rows = self.rows(database, sql);
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.into_iter().next().unwrap()
    }

    /// The SQLSTATE that a statement fails with, as a role that has asked for a writable
    /// session; `None` when it is allowed.
    pub fn refusal(&self, role: &str, database: &str, sql: &str) -> Option<String> {
        self.refused(role, database, "set default_transaction_read_only = off", sql)
    }

    /// The same, in a session as the database gives it.
    pub fn refusal_by_default(&self, role: &str, database: &str, sql: &str) -> Option<String> {
        self.refused(role, database, "", sql)
    }

    fn refused(&self, role: &str, database: &str, before: &str, sql: &str) -> Option<String> {
        let url = self.url_as(role, database);
        self.runtime.block_on(async {
            let (client, connection) = match tokio_postgres::connect(&url, NoTls).await {
                Ok(pair) => pair,
                Err(error) => return error.code().map(|code| code.code().to_owned()),
            };
            tokio::spawn(connection);
            client.batch_execute(before).await.unwrap();
            let refused = match sql.starts_with("copy ") {
                // The simple protocol cannot end a COPY that was let through.
                true => client.copy_in::<_, bytes::Bytes>(sql).await.err(),
                false => client.batch_execute(sql).await.err(),
            };
            refused.and_then(|error| match (error.code(), sql.ends_with("to stdout")) {
                (None, true) => None,
                (code, _) => Some(code.map_or(error.to_string(), |code| code.code().to_owned())),
            })
        })
    }

    /// A database's object id and a hash of every row of every public table. Tables in dictionary
    /// form are seen through their views: the same rows have other numbers in another build.
    pub fn contents(&self, database: &str) -> Option<(u32, String)> {
        let oid = self.with("postgres", async |client| {
            let sql = "select oid from pg_database where datname = $1";
            client.query_opt(sql, &[&database]).await.unwrap().map(|row| row.get::<_, u32>(0))
        })?;
        let tables = self.rows(
            database,
            "select relname::text from pg_class where relkind in ('r', 'v')
             and relnamespace = 'public'::regnamespace
             and relname !~ '^(pharmacy_networks|pricing|(network|pricing)_.*)$' order by 1",
        );
        let mut hash = String::new();
        for table in tables {
            let sql = format!(
                "select '{table} ' || count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0))::text, '')
                 from \"{table}\" t"
            );
            hash.push_str(&self.value(database, &sql));
            hash.push('\n');
        }
        Some((oid, hash))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            let _ = lease.close();
        }
    }
}

impl Postgres {
    /// From now on this role must give its password.
    pub fn demand_password(&self, role: &str) {
        let path = PathBuf::from(self.superuser_value("show hba_file"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("local all {role} scram-sha-256\n{text}")).unwrap();
        self.superuser_value("select pg_reload_conf()::text");
        let rule = format!(
            "select count(*)::text from pg_hba_file_rules where '{role}' = any (user_name)"
        );
        assert_eq!(self.superuser_value(&rule), "1");
    }

    /// A small file system, mounted, on which the tables of whatever kiln builds lie from now on
    /// (a tablespace; WAL stays where it is, for a full WAL volume takes the whole server down).
    /// `None`, with a line that says so, where this process may not mount.
    pub fn small_disk(&self, mebibytes: u32) -> Option<SmallDisk> {
        if !nix::unistd::Uid::effective().is_root() {
            assert!(std::env::var_os("CI").is_none(), "CI runs as root, so that disks can be full");
            eprintln!("SKIPPED: only root can mount a small disk, so a full one is not tested");
            return None;
        }
        let data = PathBuf::from(self.superuser_value("show data_directory"));
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(data).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_string_lossy().into_owned();
        let options = format!("size={mebibytes}m,uid={owner},mode=0700");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "kiln-test", &path])
            .status();
        assert!(mounted.unwrap().success());
        self.execute("postgres", &format!("create tablespace small location '{path}'"));
        self.execute("postgres", "grant create on tablespace small to kiln_owner, loader");
        self.execute("postgres", "alter role loader set default_tablespace = small");
        Some(SmallDisk { folder })
    }

    fn superuser_value(&self, sql: &str) -> String {
        self.value("postgres", sql)
    }
}

/// A small file system; it is unmounted at the end, which the server need not have noticed.
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Bytes that are in use.
    pub fn used(&self) -> u64 {
        let told = std::process::Command::new("df")
            .args(["--block-size=1", "--output=used"])
            .arg(self.folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        told.lines().nth(1).unwrap().trim().parse().unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

/// Where a server of a test listens on the network, and how.
impl Postgres {
    /// Restarts the server with more settings (`name=value`), listening on 127.0.0.1, 127.0.0.2
    /// and a free port, which is answered. kiln's private cluster never does so.
    pub fn listen(&mut self, settings: &[&str]) -> u16 {
        use std::os::unix::fs::MetadataExt as _;
        use std::os::unix::process::CommandExt as _;
        let process = format!("/proc/{}", self.lease.as_ref().unwrap().pid());
        let arguments = std::fs::read_to_string(format!("{process}/cmdline")).unwrap();
        let arguments: Vec<&str> = arguments.split_terminator('\0').collect();
        let program = std::fs::read_link(format!("{process}/exe")).unwrap();
        let data = std::fs::read_link(format!("{process}/cwd")).unwrap();
        let (uid, gid) = {
            let owner = std::fs::metadata(&data).unwrap();
            (owner.uid(), owner.gid())
        };
        let place = arguments[arguments.iter().position(|a| *a == "-k").unwrap() + 1].to_owned();
        self.lease.take().unwrap().close().unwrap();
        let rules = std::fs::read_to_string(data.join("pg_hba.conf")).unwrap();
        let rules = format!("{rules}\nhost all all 127.0.0.0/8 trust\n");
        std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
        // Stopping took the socket's folder away.
        std::fs::create_dir_all(&place).unwrap();
        std::os::unix::fs::chown(&place, Some(uid), Some(gid)).unwrap();
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let mut command = std::process::Command::new(program);
        command.args(&arguments[1..]).current_dir("/").process_group(0).env("LC_ALL", "C");
        command.args(["-c", "listen_addresses=127.0.0.1,127.0.0.2", "-p", &port.to_string()]);
        command.args(settings.iter().flat_map(|setting| ["-c", *setting]));
        if nix::unistd::Uid::effective().is_root() {
            command.uid(uid).gid(gid);
        }
        let log = std::fs::File::create(self.home.path().join("listening.log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log).stdin(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::spawn(move || child.wait());
        let began = Instant::now();
        let ready = || {
            let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            text.lines().nth(7).is_some_and(|state| state.trim() == "ready")
        };
        while !ready() {
            let log = || std::fs::read_to_string(self.home.path().join("listening.log"));
            assert!(began.elapsed() < Duration::from_secs(30), "no start: {:?}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        // A running server is taken as it is.
        let lease =
            self.runtime.block_on(open_postgres(self.home.path(), pg_bin().as_deref())).unwrap();
        self.lease = Some(lease);
        port
    }

    /// What the listening server has said.
    pub fn listening_log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("listening.log")).unwrap()
    }

    /// A file that the server may read and nobody else, as it wants its key.
    pub fn give(&self, path: &std::path::Path) {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let data = self.home.path().join("postgres").canonicalize().unwrap();
        let owner = std::fs::metadata(data).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// The server's data directory: a place that it can reach.
    pub fn data(&self) -> std::path::PathBuf {
        self.home.path().join("postgres").canonicalize().unwrap()
    }
}
