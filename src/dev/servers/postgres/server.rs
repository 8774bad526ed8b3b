//! The server process: what its lock file says, starting it detached, stopping it.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::cluster::Cluster;
use super::programs::Programs;
use crate::error::{Doing as _, Error, Kind, Result};

/// Names the socket file; nothing listens on the network.
const PORT: u16 = 5432;
/// A start after a crash replays up to `max_wal_size` of WAL.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// The log, in the data directory.
const LOG: &str = "server.log";
/// The log is set aside at a start when it is larger, in bytes.
const LOG_LIMIT: u64 = 16 << 20;

/// For building fast, with durability kept: fsync and full_page_writes stay on.
const SETTINGS: [&str; 11] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "wal_compression=on",
    // Data values stay out of the log as far as Postgres lets them.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_line_prefix=%m [%p] %e %q%a@%d ",
];

/// The SQLSTATE of a `postmaster.pid` that is there, and of shared memory that is still in use.
const LOCK_FILE_EXISTS: &str = "F0001";

/// A running server, as its `postmaster.pid` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The postmaster's process id.
    pub pid: i32,
    /// The directory of its socket.
    pub socket_dir: String,
    /// The number in the socket's name.
    pub port: u16,
    data: std::path::PathBuf,
    ready: bool,
    stopping: bool,
}

impl Running {
    /// The superuser's URL of the database `postgres`, understood by psql, tokio-postgres and
    /// URL parsers (which refuse the spelling `kiln@/postgres`).
    pub fn url(&self) -> String {
        let Running { socket_dir, port, .. } = self;
        let host: String = url::form_urlencoded::byte_serialize(socket_dir.as_bytes()).collect();
        let host = host.replace("%2F", "/").replace('+', "%20");
        format!("postgresql:///postgres?host={host}&port={port}&user={}", super::cluster::SUPERUSER)
    }

    /// Fast shutdown: sessions are ended, and the data is written out. Blocks up to 30 s.
    ///
    /// # Errors
    /// [`Kind::PostgresStays`] when the server does not stop, naming its process.
    pub fn stop(&self) -> Result<()> {
        self.interrupt();
        let limit = Instant::now() + STOP_LIMIT;
        while probe(&self.data).is_some_and(|now| now.pid == self.pid) {
            if Instant::now() > limit {
                let message = format!(
                    "the private Postgres, process {}, does not stop within 30 s",
                    self.pid
                );
                return Err(Error::new(Kind::PostgresStays(self.pid), message));
            }
            std::thread::sleep(POLL);
        }
        // Another start makes it again; what else lies there stays.
        let _ = fs::remove_dir(&self.socket_dir);
        Ok(())
    }

    /// Asks for a fast shutdown and waits only until the server has taken notice, at most 2 s:
    /// before that, the next user would take it for one that goes on.
    pub fn interrupt(&self) {
        // A server that is gone already is what was wanted.
        let _ = kill(Pid::from_raw(self.pid), Signal::SIGINT);
        let limit = Instant::now() + Duration::from_secs(2);
        while described(&self.data).is_some_and(|now| now.pid == self.pid && !now.stopping)
            && lives(self.pid)
            && Instant::now() < limit
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The server of a data directory, or `None` if none runs. What a crash left in `postmaster.pid`
/// does not count: its process must live, and something must accept on its socket.
pub(super) fn probe(data: &Path) -> Option<Running> {
    let running = described(data)?;
    let socket = Path::new(&running.socket_dir).join(format!(".s.PGSQL.{}", running.port));
    // While it stops, the socket goes before the lock file does.
    let accepts = running.stopping || UnixStream::connect(socket).is_ok();
    (accepts && lives(running.pid)).then_some(running)
}

/// Like [`probe`], once the server is either ready or gone: another process may have been killed
/// while it started or stopped the server.
pub(super) fn settled(data: &Path) -> Result<Option<Running>> {
    let limit = Instant::now() + START_LIMIT;
    loop {
        match probe(data) {
            Some(running) if !running.ready || running.stopping => {
                if Instant::now() > limit {
                    let message = format!(
                        "the private Postgres, process {}, is neither ready nor gone after 60 s",
                        running.pid
                    );
                    return Err(Error::new(Kind::Postgres(Some(data.join(LOG))), message));
                }
                std::thread::sleep(POLL);
            }
            other => return Ok(other),
        }
    }
}

/// Starts the server in a process group of its own, so that it outlives this process, and waits until it
/// is ready. Call with `postgres.lock` held.
///
/// # Errors
/// [`Kind::Postgres`] with the end of the server's log.
pub(super) fn start(cluster: &Cluster, programs: &Programs) -> Result<Running> {
    cluster.make_socket_dir()?;
    clear_after_zombie(&cluster.data);
    let limit = Instant::now() + START_LIMIT;
    loop {
        let before = log_length(&cluster.data);
        let ended = reaped(spawn(cluster, programs)?);
        let outcome = wait_ready(&cluster.data, &ended, limit)?;
        let said = log_tail(&cluster.data, before);
        match outcome {
            Outcome::Ready(running) => return Ok(running),
            // The last processes of a killed server are still letting go of its memory, or a
            // server that somebody began to start takes a moment to appear.
            Outcome::Ended(_) if in_the_way(&said) && Instant::now() < limit => {
                std::thread::sleep(Duration::from_millis(300));
                if let Some(running) = settled(&cluster.data)? {
                    return Ok(running);
                }
            }
            Outcome::Ended(status) => {
                let _ = fs::remove_dir(&cluster.socket_dir);
                let message = format!("the private Postgres did not start ({status}): {said}");
                return Err(Error::new(Kind::Postgres(Some(cluster.data.join(LOG))), message));
            }
        }
    }
}

enum Outcome {
    Ready(Running),
    Ended(ExitStatus),
}

fn wait_ready(data: &Path, ended: &Receiver<ExitStatus>, limit: Instant) -> Result<Outcome> {
    loop {
        if let Some(running) = probe(data)
            && running.ready
        {
            return Ok(Outcome::Ready(running));
        }
        if let Ok(status) = ended.recv_timeout(POLL) {
            return Ok(Outcome::Ended(status));
        }
        if Instant::now() > limit {
            let tail = log_tail(data, 0);
            let message = format!("the private Postgres is not ready after 60 s: {tail}");
            return Err(Error::new(Kind::Postgres(None), message));
        }
    }
}

fn spawn(cluster: &Cluster, programs: &Programs) -> Result<Child> {
    let log = open_log(cluster)?;
    let mut command = cluster.command(&programs.postgres);
    command.arg("-D").arg(&cluster.data).arg("-k").arg(&cluster.socket_dir);
    command.arg("-p").arg(PORT.to_string());
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.stdin(Stdio::null()).stdout(log.try_clone().doing("share the log")?).stderr(log);
    command.process_group(0).spawn().map_err(|error| {
        let message = format!("cannot run {}", programs.postgres.display());
        Error::new(Kind::Postgres(None), message).because(error)
    })
}

/// Waits for the child in a thread: otherwise it would end as a zombie that looks alive.
fn reaped(mut child: Child) -> Receiver<ExitStatus> {
    let (tell, ended) = channel();
    std::thread::spawn(move || {
        if let Ok(status) = child.wait() {
            // Nobody asks any more once the server is ready.
            let _ = tell.send(status);
        }
    });
    ended
}

fn open_log(cluster: &Cluster) -> Result<File> {
    let path = cluster.data.join(LOG);
    if path.metadata().is_ok_and(|found| found.len() > LOG_LIMIT) {
        fs::rename(&path, path.with_extension("log.old"))
            .doing_with(|| format!("set {} aside", path.display()))?;
    }
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let log = log.doing_with(|| format!("open {}", path.display()))?;
    cluster.give(&path)?;
    Ok(log)
}

fn log_length(data: &Path) -> u64 {
    data.join(LOG).metadata().map_or(0, |found| found.len())
}

/// The last lines of the log after this offset.
fn log_tail(data: &Path, from: u64) -> String {
    let text = fs::read(data.join(LOG)).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(0);
    // A log that was set aside at this start is shorter than before.
    let text = String::from_utf8_lossy(text.get(from..).unwrap_or(&text));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join("; ")
}

/// Whether another server's lock file kept it from starting: the log has the SQLSTATE of each line.
fn in_the_way(said: &str) -> bool {
    said.split_whitespace().any(|word| word == LOCK_FILE_EXISTS)
}

/// Reads `postmaster.pid`: pid, data directory, start time, port, socket directory, address,
/// shared memory, state; one a line.
fn described(data: &Path) -> Option<Running> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    Some(Running {
        pid: lines.first()?.parse().ok()?,
        port: lines.get(3)?.parse().ok()?,
        socket_dir: (*lines.get(4)?).to_owned(),
        data: data.to_owned(),
        ready: lines.get(7) == Some(&"ready"),
        stopping: lines.get(7) == Some(&"stopping"),
    })
}

fn lives(pid: i32) -> bool {
    let exists = kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH);
    exists && !is_zombie(pid)
}

/// Linux only; elsewhere a zombie counts as alive.
fn is_zombie(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which stands in parentheses and may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// A killed server that its parent never reaps (a container without an init) keeps its process
/// id, and Postgres would take its lock files for a live server's. They go once no process works
/// in the data directory any more.
fn clear_after_zombie(data: &Path) {
    let Some(dead) = described(data).filter(|dead| is_zombie(dead.pid)) else { return };
    let limit = Instant::now() + Duration::from_secs(10);
    while works_in(data) {
        if Instant::now() > limit {
            return;
        }
        std::thread::sleep(POLL);
    }
    let socket_lock = Path::new(&dead.socket_dir).join(format!(".s.PGSQL.{}.lock", dead.port));
    // What cannot be removed is reported by Postgres itself.
    let _ = fs::remove_file(data.join("postmaster.pid"));
    let _ = fs::remove_file(socket_lock);
}

fn works_in(data: &Path) -> bool {
    let Ok(data) = data.canonicalize() else { return false };
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    processes.flatten().any(|process| {
        fs::read_link(process.path().join("cwd")).is_ok_and(|directory| directory == data)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_lock_file_is_not_a_running_server() {
        let data = tempfile::tempdir().unwrap();
        let own = std::process::id();
        let text =
            format!("{own}\n/x\n1700000000\n5432\n{}\n\n1 2\nready   \n", data.path().display());
        fs::write(data.path().join("postmaster.pid"), text).unwrap();
        assert!(described(data.path()).is_some_and(|found| found.ready));
        assert_eq!(probe(data.path()), None, "this test's process is no Postgres");
    }

    #[test]
    fn a_half_written_lock_file_is_not_a_running_server() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("postmaster.pid"), "12\n/x\n").unwrap();
        assert_eq!(described(data.path()), None);
    }
}
