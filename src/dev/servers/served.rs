//! The S3 endpoint as a process of its own, which `kiln up` leaves running.
//!
//! It holds `s3.lock` as long as it lives and tells its address in `s3.json`. The file alone
//! proves nothing: after a crash its process id may be another program's.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::credentials::Credentials;
use super::endpoint::Endpoint;
use super::{BUCKET, canonical, lock};
use crate::error::{Doing as _, Error, Kind, Result};

const LOCK: &str = "s3.lock";
const ADDRESS: &str = "s3.json";
const START_LIMIT: Duration = Duration::from_secs(10);
/// More than the endpoint gives its last requests.
const STOP_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// An endpoint in a process of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// As in `AWS_ENDPOINT_URL`.
    pub url: String,
    /// Its process id.
    pub pid: i32,
    /// Its first bucket.
    pub bucket: String,
}

/// Serves the S3 endpoint of `home` until SIGTERM or SIGINT: what [`spawn`] starts.
///
/// # Errors
/// [`Kind::Served`] when another process serves it already.
pub async fn serve_s3(home: &Path) -> Result<()> {
    let home = canonical(home)?;
    let mut terminate = signal(SignalKind::terminate()).doing("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).doing("listen for SIGINT")?;
    // A closed terminal does not end it.
    let _hangup = signal(SignalKind::hangup()).doing("listen for SIGHUP")?;
    let _alive = sole(&home).await?;
    let endpoint = Endpoint::start(&home.join("s3"), BUCKET, Credentials::of(&home)?).await?;
    let pid = i32::try_from(std::process::id()).doing("read the own process id")?;
    let served = Served { url: endpoint.url().to_owned(), pid, bucket: BUCKET.to_owned() };
    let file = tempfile::NamedTempFile::new_in(&home).doing("make s3.json")?;
    serde_json::to_writer(&file, &served).doing("write s3.json")?;
    let address = home.join(ADDRESS);
    file.persist(&address).doing("write s3.json")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = vanished(&address) => {}
    }
    // A stale file is harmless.
    let _ = fs::remove_file(address);
    endpoint.stop().await;
    Ok(())
}

/// Waits until the file is gone: with its home removed, nobody could find or stop this process.
async fn vanished(address: &Path) {
    while address.exists() {
        sleep(Duration::from_secs(2)).await;
    }
}

/// Becomes the one process that serves `home`. Somebody who only looks holds the lock for an
/// instant, so one refusal is none.
async fn sole(home: &Path) -> Result<File> {
    let limit = Instant::now() + Duration::from_secs(1);
    loop {
        if let Some(alive) = lock::try_exclusive(&home.join(LOCK))? {
            // What a dead predecessor left would be taken for ours now that the lock is held.
            let _ = fs::remove_file(home.join(ADDRESS));
            return Ok(alive);
        }
        if Instant::now() > limit {
            let message = format!("another process serves the private S3 in {}", home.display());
            return Err(Error::new(Kind::Served, message));
        }
        sleep(POLL).await;
    }
}

/// The endpoint that serves `home` (canonical) from its own process, if one does and answers.
///
/// # Errors
/// When the lock file cannot be made.
pub(crate) async fn find(home: &Path) -> Result<Option<Served>> {
    let Some(served) = alive(home)? else { return Ok(None) };
    let answers = timeout(Duration::from_secs(2), answers(&served.url)).await;
    Ok(answers.unwrap_or(false).then_some(served))
}

/// The process that holds the lock, whether or not it answers.
fn alive(home: &Path) -> Result<Option<Served>> {
    if !lock::is_held(&home.join(LOCK))? {
        return Ok(None);
    }
    let Ok(text) = fs::read(home.join(ADDRESS)) else { return Ok(None) };
    Ok(serde_json::from_slice(&text).ok())
}

/// Any HTTP answer will do: unsigned requests are refused.
async fn answers(url: &str) -> bool {
    let ask = async {
        let address = url.strip_prefix("http://").unwrap_or(url);
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: kiln\r\nconnection: close\r\n\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(&answer == b"HTTP/")
    };
    ask.await.unwrap_or(false)
}

/// Starts `program serve-s3 --home HOME` in a process group of its own and waits until it answers.
///
/// # Errors
/// When it does not answer within 10 s, with the end of its log.
pub(crate) async fn spawn(home: &Path, program: &Path) -> Result<Served> {
    let path = home.join("s3.log");
    let log = File::create(&path).doing_with(|| format!("write {}", path.display()))?;
    let mut child = Command::new(program)
        // It stays up, and needs none of the secrets that its starter was given.
        .env_clear()
        .args(["serve-s3", "--home"])
        .arg(home)
        .stdin(Stdio::null())
        .stdout(log.try_clone().doing("share the log")?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .doing_with(|| format!("run {}", program.display()))?;
    let mut limit = Instant::now() + START_LIMIT;
    let mut ended = None;
    loop {
        if let Some(served) = find(home).await? {
            // Otherwise it would end as a zombie while this process lives.
            std::thread::spawn(move || child.wait());
            return Ok(served);
        }
        if ended.is_none()
            && let Some(status) = child.try_wait().doing("watch the S3 endpoint")?
        {
            ended = Some(status);
            // Another `kiln up` may have been quicker; its endpoint then appears in a moment.
            limit = Instant::now() + Duration::from_secs(1);
        }
        if Instant::now() > limit {
            if ended.is_none() {
                // One that does not answer would be in the way of the next attempt.
                let _ = child.kill();
                let _ = child.wait();
            }
            return Err(not_up(&path, ended.is_some()));
        }
        sleep(POLL).await;
    }
}

fn not_up(log: &Path, ended: bool) -> Error {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    let what = if ended { "ended at once" } else { "does not answer within 10 s" };
    Error::new(Kind::S3(log.to_owned()), format!("the private S3 endpoint {what}: {last}"))
}

/// Stops the endpoint's process. Answers whether one was running.
///
/// # Errors
/// When it does not end within 10 s, naming its process.
pub(crate) async fn stop(home: &Path) -> Result<bool> {
    let Some(served) = alive(home)? else { return Ok(false) };
    // It may be gone already, which the lock tells.
    let _ = kill(Pid::from_raw(served.pid), Signal::SIGTERM);
    let limit = Instant::now() + STOP_LIMIT;
    while lock::is_held(&home.join(LOCK))? {
        if Instant::now() > limit {
            let message =
                format!("the private S3 endpoint, process {}, does not stop in 10 s", served.pid);
            return Err(Error::new(Kind::S3Stays(served.pid), message));
        }
        sleep(POLL).await;
    }
    Ok(true)
}
