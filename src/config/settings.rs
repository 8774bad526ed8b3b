//! Every setting, once: its variable, its key in `kiln.toml`, what may stand there, its default and what
//! it means. `kiln --help` and `docs/src/configuration.md` are written from this list, and tests hold the
//! reader of the file and of the environment against it.

// Between which bounds numbers make sense: a duration is added to moments and multiplied, and one of 2^64
// seconds would be a panic.

/// COPY connections; more than these no server of kiln's size has cores for.
pub(super) const CONNECTIONS_MAX: u64 = 64;
/// An hour without data is no stall any more. What is waited for is a multiple of it.
pub(super) const STALL_MAX: u64 = 3_600;
/// A day.
pub(super) const SWAP_MAX: u64 = 86_400;
/// Previous builds that may be kept.
pub(super) const PREVIOUS_MAX: u64 = 1_000;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its environment variable, which overrides the key. `DATABASE` stands for each database's name in
    /// capitals.
    pub variable: Option<&'static str>,
    /// Its key in `kiln.toml`, with its table: `postgres.url`. `DATABASE` stands for each database's name.
    pub key: Option<&'static str>,
    /// What may be written.
    pub form: SettingForm,
    /// What holds where neither is set.
    pub default: Fallback,
    /// What it is, on one line of `kiln --help`.
    pub help: &'static str,
    /// What else a person should know who sets it; may be empty.
    pub more: &'static str,
}

/// What a setting's value looks like.
#[derive(Debug, Clone, Copy)]
pub enum SettingForm {
    /// A text like this one.
    Like(&'static str),
    /// A list of texts like this one.
    ListLike(&'static str),
    /// A whole number from 1.
    Count {
        /// What is counted.
        unit: &'static str,
        /// The largest number that is accepted.
        most: u64,
    },
}

/// What holds where a setting is not set.
#[derive(Debug, Clone, Copy)]
pub enum Fallback {
    /// This value.
    Value(&'static str),
    /// What these words say.
    Words(&'static str),
    /// Nothing: the setting is off.
    Off,
}

impl Setting {
    /// The line of `kiln --help`: what it is, and in brackets the default.
    pub fn help_line(&self) -> String {
        match self.default {
            Fallback::Value(text) | Fallback::Words(text) => format!("{} [{text}]", self.help),
            Fallback::Off => self.help.to_owned(),
        }
    }
}

/// What the variable of a database's own server begins with.
pub(super) const URL_OF: &str = "KILN_POSTGRES_URL_";

/// What stands in for a server that is not configured: nothing, in a build without private ones.
const fn private(words: &'static str) -> Fallback {
    match cfg!(feature = "dev") {
        true => Fallback::Words(words),
        false => Fallback::Off,
    }
}

/// The environment variables that are known.
pub fn variables() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter_map(|setting| setting.variable)
}

/// Variables of earlier kilns that have no effect: no reason to end a night that nobody watches.
pub const GONE: [&str; 1] = ["KILN_BASE_ROWS"];

/// All of them, in the order of `kiln --help`.
pub const SETTINGS: [Setting; 18] = [
    Setting {
        variable: Some("KILN_POSTGRES_URL"),
        key: Some("postgres.url"),
        form: SettingForm::Like("postgresql://kiln@db.internal:5432/postgres"),
        default: private("a private cluster in KILN_HOME"),
        help: "the Postgres server on which builds are made",
        more: "It may hold a password: prefer the variable to the file. Several hosts and \
               `target_session_attrs=read-write` are accepted",
    },
    Setting {
        variable: Some("KILN_POSTGRES_URL_DATABASE"),
        key: Some("postgres.DATABASE.url"),
        form: SettingForm::Like("postgresql://kiln@druginfo.internal:5432/postgres"),
        default: Fallback::Words("KILN_POSTGRES_URL"),
        help: "the server of one database, which has it for itself",
        more: "`KILN_POSTGRES_URL_DRUGINFO`, or `[postgres.druginfo] url`. Contracts, history and audit of a \
               database are on its server",
    },
    Setting {
        variable: Some("KILN_POSTGRES_CA"),
        key: Some("postgres.ca"),
        form: SettingForm::Like("rds-global-bundle.pem"),
        default: Fallback::Words("the system's roots alone"),
        help: "PEM file with the roots that Postgres's certificate is checked against",
        more: "They are added to the system's roots. A server that is not on this machine is always \
               reached by TLS, and its certificate is always verified",
    },
    Setting {
        variable: None,
        key: Some("postgres.owner_role"),
        form: SettingForm::Like("kiln_owner"),
        default: Fallback::Value("kiln_owner"),
        help: "role without login that owns what kiln builds",
        more: "See [Roles](#roles)",
    },
    Setting {
        variable: None,
        key: Some("postgres.app_role"),
        form: SettingForm::Like("kiln_app"),
        default: Fallback::Value("kiln_app"),
        help: "role that apps read through",
        more: "See [Roles](#roles)",
    },
    Setting {
        variable: Some("KILN_S3_URL"),
        key: Some("s3.url"),
        form: SettingForm::Like("s3://bucket/prefix"),
        default: private("a private endpoint"),
        help: "bucket and prefix of the landed files",
        more: "Credentials, region and endpoint come from the `AWS_*` variables, as the AWS SDK reads them",
    },
    Setting {
        variable: Some("KILN_S3_STALL"),
        key: Some("s3.stall_seconds"),
        form: SettingForm::Count { unit: "seconds", most: STALL_MAX },
        default: Fallback::Value("10"),
        help: "seconds without data after which a transfer is broken off and resumed",
        more: "An answer may take three times as long to begin",
    },
    Setting {
        variable: Some("KILN_HOME"),
        key: Some("home"),
        form: SettingForm::Like(".kiln"),
        default: Fallback::Value(".kiln"),
        help: "folder of the private servers, of logs and of scratch files",
        more: "In the file it is relative to the file's folder, in the variable to the current folder. \
               Logs are JSON, one object a line",
    },
    Setting {
        variable: Some("KILN_PG_BIN"),
        key: Some("postgres.bin"),
        form: SettingForm::Like("/usr/lib/postgresql/18/bin"),
        default: Fallback::Words("found in PATH, else the newest in /usr/lib/postgresql"),
        help: "folder of initdb and postgres for the private cluster",
        more: "",
    },
    Setting {
        variable: Some("KILN_CONNECTIONS"),
        key: Some("postgres.connections"),
        form: SettingForm::Count { unit: "connections", most: CONNECTIONS_MAX },
        default: Fallback::Words("the number of cores, at least 2"),
        help: "COPY connections and index builds side by side",
        more: "",
    },
    Setting {
        variable: Some("KILN_KEEP_PREVIOUS"),
        key: Some("swap.keep_previous"),
        form: SettingForm::Count { unit: "builds", most: PREVIOUS_MAX },
        default: Fallback::Value("1"),
        help: "former builds that stay for rollback",
        more: "Builds on hold (`kiln hold`) are not counted",
    },
    Setting {
        variable: Some("KILN_SWAP_DEADLINE"),
        key: Some("swap.deadline_seconds"),
        form: SettingForm::Count { unit: "seconds", most: SWAP_MAX },
        default: Fallback::Value("30"),
        help: "seconds after which a swap gives up, with nothing changed",
        more: "The sessions that were in the way are named",
    },
    Setting {
        variable: Some("KILN_RUN_DEADLINE"),
        key: Some("run_deadline"),
        form: SettingForm::Like("06:00"),
        default: Fallback::Off,
        help: "when a run is to be over: one that will be later says so early, and is not stopped",
        more: "A time of day, or a duration from the start of the run (`4h`). `kiln run --deadline` overrides it",
    },
    Setting {
        variable: Some("KILN_DISK_FREE"),
        key: Some("postgres.disk_free"),
        form: SettingForm::Like("200 GiB"),
        default: Fallback::Words("what kiln can see"),
        help: "what a build may take of the server's disk",
        more: "Set it on RDS, where no SQL shows what is free. Units are B, KiB, MiB, GiB and TiB",
    },
    Setting {
        variable: Some("KILN_HASH_KEY_FILE"),
        key: Some("hash_key_file"),
        form: SettingForm::Like("hash.key"),
        default: Fallback::Words("a private server makes its own; else none"),
        help: "file of the key that hashes personal identifiers, 32 bytes or more",
        more: "`openssl rand -hex 32` makes one. Keep it: with another key every person gets another hash",
    },
    Setting {
        variable: Some("KILN_LOG"),
        key: Some("log"),
        form: SettingForm::Like("info"),
        default: Fallback::Value("info"),
        help: "what goes to the JSON log, as in RUST_LOG",
        more: "",
    },
    Setting {
        variable: None,
        key: Some("DATABASE.without"),
        form: SettingForm::ListLike("landscape"),
        default: Fallback::Off,
        help: "sources that no build of this database has",
        more: "For a file that will never land; `--without` leaves a source out of one run",
    },
    Setting {
        variable: Some("KILN_FAILPOINT"),
        key: None,
        form: SettingForm::Like("sealed=kill"),
        default: Fallback::Off,
        help: "NAME=error|panic|term|kill|pause:FILE, for tests",
        more: "Debug builds, and release builds with the feature `failpoints`, only",
    },
];
