//! The environment variables that settings are read from, as help and README list them.

/// Every `KILN_*` variable, with what it means (for `--help` and for suggestions).
pub const VARIABLES: [(&str, &str); 14] = [
    ("KILN_POSTGRES_URL", "where builds are made; absent: a private cluster in KILN_HOME"),
    ("KILN_POSTGRES_CA", "PEM file that Postgres's certificate is checked against"),
    ("KILN_S3_URL", "s3://bucket/prefix of the landed files; absent: a private endpoint"),
    ("KILN_S3_STALL", "seconds without data after which a transfer counts as broken [10]"),
    ("KILN_HOME", "the private servers' home, logs and scratch files [.kiln]"),
    ("KILN_PG_BIN", "directory of initdb and postgres for the private cluster"),
    ("KILN_CONNECTIONS", "COPY connections side by side [2 or the number of cores]"),
    ("KILN_KEEP_PREVIOUS", "previous builds that stay for rollback [1]"),
    ("KILN_SWAP_DEADLINE", "seconds after which a swap gives up [30]"),
    ("KILN_RUN_DEADLINE", "06:00 or 4h: a run that will end later says so early, and goes on"),
    ("KILN_DISK_FREE", "what a build may take of the server's disk, \"200 GiB\" [what is seen]"),
    ("KILN_HASH_KEY_FILE", "key that hashes personal identifiers, 32 bytes or more"),
    ("KILN_LOG", "what goes to the JSON log, as in RUST_LOG [info]"),
    ("KILN_FAILPOINT", "name=error|panic|term|kill|pause:FILE (debug builds only)"),
];
