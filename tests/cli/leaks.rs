//! No secret and no data value leaves the process: not on the terminal, not in logs, not in
//! process lists, not in kiln's own tables (`kiln.reject.bytes` aside, which is there for it).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kiln::testing::dev::synth::{Release, Tamper};

use crate::support::{Kiln, Outcome, World};

const PASSWORD: &str = "canary-of-the-password";
const SECRET: &str = "canary/of/the/secret+key";
const VALUE: &str = "987-65-4320";

/// Command lines of all processes, watched until dropped.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Watch {
    fn start() -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let seen_stop = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut leaked = Vec::new();
            while !seen_stop.load(Ordering::SeqCst) {
                for entry in std::fs::read_dir("/proc").unwrap().flatten() {
                    let Ok(bytes) = std::fs::read(entry.path().join("cmdline")) else { continue };
                    let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
                    // What a person types after `land` (in a test beside this one) is theirs to hide.
                    let is_typed = line.contains(" land druginfo ") && line.contains("://");
                    let leaks =
                        [PASSWORD, SECRET, VALUE].iter().any(|canary| line.contains(canary));
                    if leaks && !is_typed {
                        leaked.push(line);
                    }
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            leaked
        });
        Watch { stop, thread: Some(thread) }
    }

    fn end(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let leaked = self.thread.take().unwrap().join().unwrap();
        assert_eq!(leaked, Vec::<String>::new(), "in arguments of a process");
    }
}

fn clean(what: &str, text: &str) {
    for canary in [PASSWORD, SECRET, VALUE] {
        assert!(!text.contains(canary), "{canary} is in {what}:\n{text}");
    }
}

fn quiet(outcome: &Outcome) {
    clean("standard output", &outcome.stdout);
    clean("standard error", &outcome.stderr);
}

/// Every row of every table of kiln's own, in every database of the server.
fn tables(world: &World) -> String {
    let mut text = String::new();
    let databases =
        "select datname::text from pg_database where datname = 'kiln' or datname like 'druginfo%'";
    for database in world.postgres.rows("postgres", databases) {
        let listed = "select relname::text from pg_class where relkind = 'r'
            and relnamespace = 'kiln'::regnamespace";
        for table in world.postgres.rows(&database, listed) {
            let row = if table == "reject" { "(to_jsonb(t) - 'bytes')" } else { "t" };
            let sql = format!("select {row}::text from kiln.{table} t");
            text.push_str(&world.postgres.rows(&database, &sql).join("\n"));
        }
        let comment = format!(
            "select coalesce(shobj_description(oid, 'pg_database'), '') from pg_database where datname = '{database}'"
        );
        text.push_str(&world.postgres.value("postgres", &comment));
    }
    text
}

/// A world whose server asks for a password, which the environment's URL holds.
fn guarded() -> (World, String) {
    let world = World::new();
    world.postgres.ask_for_password("loader", PASSWORD);
    let url = format!("{}&password={PASSWORD}", world.postgres.url("postgres"));
    (world, url)
}

fn kiln(world: &World, url: &str, arguments: &[&str]) -> Kiln {
    let mut kiln = world.kiln(arguments);
    kiln.env("KILN_POSTGRES_URL", url).env("KILN_LOG", "debug");
    kiln
}

#[test]
fn no_secret_is_said_or_kept_whether_a_night_goes_well_or_not() {
    let (mut world, url) = guarded();
    world.environment.push(("KILN_POSTGRES_URL".into(), url.clone()));
    let watch = Watch::start();
    world.land(&Release::small(1));
    world.accept("1");
    quiet(&kiln(&world, &url, &["run", "druginfo"]).succeeds());
    for arguments in [&["status"][..], &["status", "--json"], &["contract", "list"], &["prune"]] {
        quiet(&kiln(&world, &url, arguments).succeeds());
    }
    // a wrong password; a wrong secret key; both servers gone; URLs that are none
    let wrong = url.replace("password=canary", "password=no-canary");
    let outcome = kiln(&world, &wrong, &["run", "druginfo"]).exits(12);
    assert!(outcome.says(&["SQLSTATE 28P01", "KILN_POSTGRES_URL"]).code == 12);
    quiet(&outcome);
    let mut denied = kiln(&world, &url, &["run", "druginfo"]);
    quiet(&denied.env("AWS_SECRET_ACCESS_KEY", SECRET).exits(10));
    let mut gone = kiln(&world, &url, &["run", "druginfo"]);
    quiet(&gone.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").exits(10));
    for bad in [
        format!("postgresql://loader:{PASSWORD}@127.0.0.1:1/postgres"),
        format!("postgresql://loader:{PASSWORD}@127.0.0.1:port/postgres"),
        format!("postgresql://loader:{PASSWORD}/postgres"),
        format!("postgresql://loader:x?{PASSWORD}@127.0.0.1/postgres"),
        format!("postgresql://loader@127.0.0.1/postgres?passwort={PASSWORD}"),
        format!("host=127.0.0.1 port=1 user=loader password={PASSWORD}"),
        format!("host=127.0.0.1 pasword={PASSWORD}"),
        PASSWORD.to_owned(),
    ] {
        for arguments in [&["run", "druginfo"][..], &["status"], &["url", "druginfo"]] {
            let outcome = kiln(&world, &bad, arguments).run();
            assert!([2, 12].contains(&outcome.code), "{outcome}");
            quiet(&outcome);
        }
    }
    watch.end();
    clean("the log", &world.log());
    clean("kiln's tables", &tables(&world));
}

#[test]
fn no_secret_of_a_landed_url_is_said_or_kept() {
    use crate::fetch::landing::{Answer, head, serve, whole};
    let (mut world, url) = guarded();
    world.environment.push(("KILN_POSTGRES_URL".into(), url.clone()));
    let file = "SPUF_2026_20260701.zip";
    let path = world.folder.path().join(file);
    Release::small(1).write(std::fs::File::create(&path).unwrap()).unwrap();
    let signed = format!("X-Amz-Credential={PASSWORD}&X-Amz-Signature={SECRET}&session={VALUE}");
    let moved = |to: &str| Answer {
        bytes: head("302 Found", 0, &format!("location: {to}?{signed}\r\n")),
        hangs: false,
    };
    // The test's server answers a whole target.
    let target = |place: &str| -> &'static str { format!("/{place}/{file}?{signed}").leak() };
    let answers = vec![
        (target("good"), whole(&std::fs::read(&path).unwrap())),
        (target("page"), whole(b"<html>")),
        (target("file"), moved("file:///etc/passwd")),
        (target("moved"), moved(&format!("/nowhere/{file}"))),
        (target("short"), Answer { bytes: head("200 OK", 1000, ""), hangs: false }),
    ];
    let address = serve(&world, answers).replace("http://", &format!("http://user:{PASSWORD}@"));
    let watch = |arguments: &[&str]| {
        quiet(&kiln(&world, &url, arguments).env("KILN_LOG", "trace").run());
    };
    for place in ["good", "page", "file", "moved", "short", "none"] {
        watch(&["land", "druginfo", &format!("{address}{}", target(place))]);
    }
    watch(&["land", "druginfo", &format!("http://user:{PASSWORD}@127.0.0.1:1/{file}?{signed}")]);
    watch(&["land", "druginfo", &format!("https://user:{PASSWORD}@[::1/{file}?{signed}")]);
    watch(&["land", "druginfo", &format!("ftp://user:{PASSWORD}@h/{file}?{signed}")]);
    watch(&["land", "druginfo", &format!("{address}/a/nobody.zip?{signed}#{SECRET}")]);
    watch(&["status"]);
    clean("the log", &world.log());
    clean("kiln's tables", &tables(&world));
}

#[test]
fn no_value_of_a_file_is_said_or_kept_but_in_the_rejects() {
    let world = World::ready();
    // The same value where a number, a code of a check, and a whole line should be.
    for (source, line) in [("pricing", 3_u64), ("plan_information", 2), ("geographic_locator", 2)] {
        let spoil = Tamper::default().lines(move |at, text| {
            if at.source == source && at.line == line {
                let fields: Vec<&[u8]> = text.split(|byte| *byte == b'|').collect();
                let spoilt: Vec<Vec<u8>> = fields.iter().map(|_| VALUE.into()).collect();
                let mut joined = spoilt.join(&b'|');
                if source == "geographic_locator" {
                    joined.extend_from_slice(b"|\xff\x81");
                }
                *text = joined;
            }
        });
        world.land_with(&Release::small(1), spoil);
        let watch = Watch::start();
        let outcome = world.kiln(&["run", "druginfo"]).env("KILN_LOG", "debug").run();
        watch.end();
        assert!([11, 14].contains(&outcome.code), "{outcome}");
        quiet(&outcome);
        for arguments in [&["status"][..], &["load", "druginfo", source], &["build", "druginfo"]] {
            quiet(&world.kiln(arguments).env("KILN_LOG", "debug").run());
        }
        clean("the log", &world.log());
        clean("kiln's tables", &tables(&world));
        let build = world.newest_build();
        let kept = format!(
            "select count(*)::text from kiln.reject where position('{VALUE}'::bytea in bytes) > 0"
        );
        assert_ne!(world.postgres.value(&build, &kept), "0", "{source}: rejects keep the bytes");
    }
    // A duplicate key is found by the server, whose DETAIL quotes the key.
    let double = Tamper::default().lines(|at, text| {
        if at.source == "geographic_locator" && at.line == 2 {
            // The key is told, and nothing else of the row; a value is no code of a county.
            let code = text.split(|byte| *byte == b'|').next().unwrap_or_default();
            let rest = format!("|{VALUE}|{VALUE}|01|{VALUE}|01|{VALUE}");
            let row = [code, rest.as_bytes()].concat();
            *text = [row.clone(), b"\r\n".to_vec(), row].concat();
        }
    });
    world.land_with(&Release::small(1), double);
    let outcome = world.kiln(&["run", "druginfo"]).env("KILN_LOG", "debug").exits(14);
    outcome.says(&["0001_geographic_locator.sql", "geographic_locator_pkey"]);
    quiet(&outcome);
    clean("the log", &world.log());
    clean("kiln's tables", &tables(&world));
}
