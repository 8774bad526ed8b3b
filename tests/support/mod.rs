//! What the tests stand on. A [`World`] is a private Postgres cluster, an S3 endpoint over
//! HTTP, a KILN_HOME of its own, and the real binary run with a clean environment.

pub mod command;
pub mod http;
pub mod postgres;
pub mod proxy;
pub mod s3;

use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;

use kiln::testing::dev::servers::{Credentials, Endpoint};
use kiln::testing::dev::synth::{Release, Tamper};
use tokio::runtime::Runtime;

pub use command::{Kiln, Outcome, Running};
pub use postgres::Postgres;

/// The project's root.
pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Where the programs of the Postgres are that tests run on, where it is not the machine's own:
/// `KILN_TEST_PG_BIN`, for the other versions that kiln works with.
pub fn pg_bin() -> Option<PathBuf> {
    std::env::var_os("KILN_TEST_PG_BIN").map(PathBuf::from)
}

/// A project whose druginfo is the nine sources of the Part D release and their tables, and
/// nothing else: one object lands, and what the pipeline does with it does not change when a
/// database gains a source. All databases as they are: `tests/cases`.
pub fn part_d() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("part-d-{}", process::id()));
        let (sql, sources) = (root.join("sql/druginfo"), root.join("sources/druginfo"));
        std::fs::create_dir_all(&sql).unwrap();
        std::fs::create_dir_all(&sources).unwrap();
        for (table, number) in PART_D.iter().zip(1..) {
            for (folder, file) in
                [("sql", format!("{number:04}_{table}.sql")), ("sources", format!("{table}.toml"))]
            {
                let file = Path::new(folder).join("druginfo").join(file);
                std::fs::copy(project().join(&file), root.join(file)).unwrap();
            }
        }
        let mut lock = Kiln::new(&["schema", "lock", "druginfo"]);
        let home = tempfile::tempdir().unwrap();
        lock.env("KILN_HOME", &home.path().to_string_lossy()).current_dir(&root).succeeds();
        root
    })
}

/// The tables of a Part D release, in the order of their files.
const PART_D: [&str; 9] = [
    "geographic_locator",
    "plan_information",
    "basic_drugs_formulary",
    "beneficiary_cost",
    "insulin_beneficiary_cost",
    "excluded_drugs_formulary",
    "indication_based_coverage",
    "pharmacy_networks",
    "pricing",
];

/// CMS's real files, where they lie beside the project; says so when they do not.
pub fn cms(file: &str) -> Option<PathBuf> {
    shared(&format!("cms/{file}"))
}

/// Any file that lies beside the project; says so when it does not.
pub fn shared(file: &str) -> Option<PathBuf> {
    let path = project().join("../shared").join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there, so it is not tested", path.display());
    None
}

/// Files that made trouble, where they lie beside the project; says so when they do not.
pub fn bug(file: &str) -> Option<PathBuf> {
    let path = project().join("../shared/bugs").join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there, so it is not tested", path.display());
    None
}

/// One test's world; everything in it ends with it.
pub struct World {
    /// Postgres, spoken to as the role `loader`, which is no superuser.
    pub postgres: Postgres,
    /// The folder that the S3 endpoint serves; also scratch space.
    pub folder: tempfile::TempDir,
    /// `sql/` and `sources/`: those of [`part_d`] unless [`World::own_root`] was called.
    pub root: PathBuf,
    /// Where the binary finds S3; a test may put a proxy before it.
    pub s3_url: String,
    /// Whether nights load every file again, changed or not: what most tests are about. Without,
    /// `kiln run` and `kiln build` do as they do every day.
    pub anew: bool,
    /// More environment for the binary.
    pub environment: Vec<(String, String)>,
    endpoint: Option<Endpoint>,
    credentials: Credentials,
    /// For whatever a test does asynchronously itself.
    pub runtime: Runtime,
}

impl World {
    /// A world with nothing landed and no contract.
    pub fn new() -> World {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let credentials = Credentials {
            access_key: "AKIATESTTESTTESTTEST".into(),
            secret_key: "test/secret/of/the/tests".into(),
        };
        let dir = folder.path().join("s3");
        let endpoint =
            runtime.block_on(Endpoint::start(&dir, "kiln", credentials.clone())).unwrap();
        let postgres = Postgres::start();
        World {
            s3_url: endpoint.url().to_owned(),
            endpoint: Some(endpoint),
            postgres,
            folder,
            root: part_d().to_path_buf(),
            anew: true,
            environment: Vec::new(),
            credentials,
            runtime,
        }
    }

    /// A world in which a small release has landed and an app accepts version 1.
    pub fn ready() -> World {
        let world = World::new();
        world.land(&Release::small(1));
        world.accept("1");
        world
    }

    /// A copy of `sql/` and `sources/`, for a test that changes them.
    pub fn own_root(&mut self) -> &Path {
        let root = self.folder.path().join("root");
        for folder in ["sql", "sources"] {
            copy_tree(&self.root.join(folder), &root.join(folder));
        }
        self.root = root;
        &self.root
    }

    /// Changes a file below an own root: every `from` becomes `to`; it must occur.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        assert!(self.root.starts_with(self.folder.path()), "call own_root first");
        let path = self.root.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// How the S3 endpoint is found, as environment.
    pub fn s3_environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.s3_url.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.credentials.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.credentials.secret_key.clone()),
        ]
    }

    /// The binary with these arguments, in this world.
    pub fn kiln(&self, arguments: &[&str]) -> Kiln {
        let mut words = arguments.to_vec();
        if self.anew && matches!(words.first(), Some(&("run" | "build"))) {
            words.push("--full-refresh");
        }
        let mut kiln = Kiln::new(&words);
        kiln.env("KILN_POSTGRES_URL", &self.postgres.url("postgres"))
            .env("KILN_S3_URL", "s3://kiln")
            .env("KILN_HOME", &self.folder.path().join("home").to_string_lossy())
            .current_dir(&self.root);
        for (name, value) in self.s3_environment() {
            kiln.env(name, &value);
        }
        for (name, value) in &self.environment {
            kiln.env(name, value);
        }
        kiln
    }

    /// Generates a release and puts it where `kiln land` would.
    pub fn land(&self, release: &Release) -> PathBuf {
        self.land_with(release, Tamper::default())
    }

    /// The same, with a line or a member changed.
    pub fn land_with(&self, release: &Release, tamper: Tamper<'_>) -> PathBuf {
        let path = self.folder.path().join(release.file_name());
        let file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        release.write_with(file, tamper).unwrap();
        self.kiln(&["land", "druginfo", &path.to_string_lossy()]).succeeds();
        path
    }

    /// Writes a file and puts it into the bucket under today's folder, as it is: past `kiln
    /// land`, which would look at it first.
    pub fn put(&self, database: &str, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        self.put_file(database, &path)
    }

    /// The same for a file that is there already.
    pub fn put_file(&self, database: &str, path: &Path) -> String {
        let name = path.file_name().unwrap().to_string_lossy();
        let key = format!("{database}/2026-07-02/{name}");
        self.runtime.block_on(async {
            let body = aws_sdk_s3::primitives::ByteStream::from_path(path).await.unwrap();
            let store = self.store().await;
            store.client.put_object().bucket("kiln").key(&key).body(body).send().await.unwrap();
        });
        key
    }

    /// kiln's own S3 client, at the bucket that kiln reads.
    pub async fn store(&self) -> kiln::testing::fetch::store::Store {
        let location = kiln::testing::fetch::location::S3Location {
            bucket: "kiln".into(),
            prefix: String::new(),
        };
        let access = kiln::testing::fetch::store::Access {
            endpoint: self.s3_url.clone(),
            region: "us-east-1".into(),
            access_key: self.credentials.access_key.clone(),
            secret_key: self.credentials.secret_key.clone(),
        };
        let stall = std::time::Duration::from_secs(30);
        kiln::testing::fetch::store::Store::connect(&location, Some(&access), stall).await
    }

    /// Amazon's own client of the store, past any proxy.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let Credentials { access_key, secret_key } = &self.credentials;
        s3::client(self.endpoint.as_ref().unwrap().url(), access_key, secret_key)
    }

    /// The only landed object as a file; the endpoint serves what lies there.
    pub fn landed_file(&self) -> PathBuf {
        let days = self.folder.path().join("s3/kiln/druginfo");
        let mut files: Vec<PathBuf> = std::fs::read_dir(days)
            .unwrap()
            .flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    /// An app says which versions it accepts.
    pub fn accept(&self, range: &str) {
        self.kiln(&["contract", "set", "druginfo", "--app", "test", "--accepts", range]).succeeds();
    }

    /// The next night's rows and nulls are meant: a release of another size or seed.
    pub fn waive_data(&self, database: &str, why: &str) {
        for gate in ["rows", "nulls"] {
            self.kiln(&["waive", database, gate, "--why", why]).succeeds();
        }
    }

    /// A whole night that must go well.
    pub fn night(&self) -> Outcome {
        self.kiln(&["run", "druginfo"]).succeeds()
    }

    /// What identifies the live database and all that is in it: object id and a hash of every
    /// row of every table; `None` when nothing is live.
    pub fn live(&self) -> Option<(u32, String)> {
        self.postgres.contents("druginfo")
    }

    /// What every database is, as its comment says: `druginfo live`, `druginfo_00001 previous`.
    pub fn states(&self) -> Vec<String> {
        self.postgres.rows(
            "postgres",
            "select datname || ' ' || coalesce(
                 shobj_description(oid, 'pg_database')::json->>'state', 'without a tag')
             from pg_database where datname like 'druginfo%' order by 1",
        )
    }

    /// The newest build's own name.
    pub fn newest_build(&self) -> String {
        let sql = "select name from kiln.build order by created_at desc limit 1";
        self.postgres.value("kiln", sql)
    }

    /// Sessions of kiln's own on the server.
    pub fn sessions(&self) -> Vec<String> {
        self.postgres.rows(
            "postgres",
            "select application_name || ' in ' || coalesce(datname, '') || ' ' || coalesce(state, '')
             from pg_stat_activity where application_name like 'kiln %'",
        )
    }

    /// The JSON log of every command so far.
    pub fn log(&self) -> String {
        let folder = self.folder.path().join("home/log");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    /// A file that does not exist yet, for the failpoint action `pause:FILE`.
    pub fn pause_file(&self) -> PathBuf {
        let path = self.folder.path().join("pause");
        let _ = std::fs::remove_file(&path);
        path
    }

    /// Starts kiln and waits until it pauses at this point.
    pub fn paused(&self, arguments: &[&str], point: &str) -> (Running, PathBuf) {
        let file = self.pause_file();
        let action = format!("{point}=pause:{}", file.display());
        let mut running = self.kiln(arguments).env("KILN_FAILPOINT", &action).start();
        wait_until(&format!("{point} is reached"), || {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "kiln {arguments:?} ended before it met {point}: {ended:?}");
            file.exists()
        });
        (running, file)
    }

    /// kiln's databases on the server, sorted.
    pub fn databases(&self) -> Vec<String> {
        self.postgres.rows(
            "postgres",
            "select datname::text from pg_database where datname like 'druginfo%' order by 1",
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.runtime.block_on(endpoint.stop());
        }
    }
}

/// Waits for a condition, up to a minute.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed().as_secs() < 60, "waited a minute until {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Copies a folder with all that is in it.
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
