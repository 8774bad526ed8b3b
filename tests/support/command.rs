//! Runs the real binary; a mismatch prints command, exit code and both outputs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that a test waits for one command.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run of kiln to be started, with a clean environment as cron gives it.
pub struct Kiln {
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    folder: PathBuf,
    stdout: Option<PathBuf>,
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The exit code; -signal when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
    what: String,
}

impl Kiln {
    /// The binary with these arguments.
    pub fn new(arguments: &[&str]) -> Kiln {
        let mut kiln = Kiln {
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: BTreeMap::new(),
            folder: PathBuf::from("/"),
            stdout: None,
        };
        kiln.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("AWS_EC2_METADATA_DISABLED", "true");
        kiln
    }

    /// Sets a variable.
    pub fn env(&mut self, name: &str, value: &str) -> &mut Kiln {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a variable away.
    pub fn without_env(&mut self, name: &str) -> &mut Kiln {
        self.environment.remove(name);
        self
    }

    /// The working folder.
    pub fn current_dir(&mut self, folder: impl Into<PathBuf>) -> &mut Kiln {
        self.folder = folder.into();
        self
    }

    /// Where standard output goes instead of to the test.
    pub fn stdout_to(&mut self, file: impl Into<PathBuf>) -> &mut Kiln {
        self.stdout = Some(file.into());
        self
    }

    /// Starts it and does not wait.
    pub fn start(&self) -> Running {
        let stdout = self.stdout.as_ref().map_or_else(Stdio::piped, |file| {
            std::fs::File::options().write(true).open(file).unwrap().into()
        });
        let child = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child, began: Instant::now(), what: format!("kiln {}", self.arguments.join(" ")) }
    }

    /// Runs it to its end.
    pub fn run(&self) -> Outcome {
        self.start().wait()
    }

    /// Runs it; it must exit 0.
    pub fn succeeds(&self) -> Outcome {
        self.exits(0)
    }

    /// Runs it; it must exit with this code.
    pub fn exits(&self, code: i32) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.code, code, "{outcome}");
        outcome
    }
}

/// A run under way.
pub struct Running {
    /// The process.
    pub child: Child,
    began: Instant,
    what: String,
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Waits for the end, and says how many bytes of memory the process had at most, as often as
    /// one can look (its own high-water mark, every few milliseconds).
    pub fn wait_and_weigh(self) -> (Outcome, u64) {
        let status = format!("/proc/{}/status", self.child.id());
        let weigh = std::thread::spawn(move || {
            let mut most = 0;
            while let Ok(text) = std::fs::read_to_string(&status) {
                let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                // A process that has ended has no memory, and waits to be asked for its code.
                let Some(line) = line else { break };
                let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
                most = most.max(kib * 1024);
                std::thread::sleep(Duration::from_millis(2));
            }
            most
        });
        let outcome = self.wait();
        (outcome, weigh.join().unwrap())
    }

    /// Waits for the end.
    pub fn wait(self) -> Outcome {
        use std::os::unix::process::ExitStatusExt as _;
        let Running { child, began, what } = self;
        let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        let watchdog = std::thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(done);
        watchdog.join().unwrap();
        let status = output.status;
        Outcome {
            code: status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
            what,
        }
    }
}

impl Outcome {
    /// Standard error must contain every one of these.
    pub fn says(&self, expected: &[&str]) -> &Outcome {
        for text in expected {
            assert!(self.stderr.contains(text), "expected {text:?} on standard error of\n{self}");
        }
        self
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome { what, code, took, stdout, stderr } = self;
        writeln!(
            f,
            "{what}\nexit code {code} after {took:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}
