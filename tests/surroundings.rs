//! What is set on a server, a role or a database ends no night and changes none; what lies between
//! kiln and its servers (poolers, proxies) is gone round, or refused with the reason.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{World, wait_until};

/// Settings that a role may have, each of which would end a night or change what it reads, writes or
/// says. What a version of Postgres does not know is left out there.
const HOSTILE: [(&str, &str); 30] = [
    ("statement_timeout", "200ms"),
    ("lock_timeout", "1ms"),
    ("idle_in_transaction_session_timeout", "50ms"),
    ("idle_session_timeout", "300ms"),
    ("transaction_timeout", "200ms"),
    ("exit_on_error", "on"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_read_only", "on"),
    ("default_transaction_deferrable", "on"),
    ("search_path", "nowhere"),
    ("row_security", "off"),
    ("restrict_nonsystem_relation_kind", "view, foreign-table"),
    ("check_function_bodies", "off"),
    ("default_text_search_config", "pg_catalog.german"),
    ("gin_fuzzy_search_limit", "1"),
    ("standard_conforming_strings", "off"),
    ("backslash_quote", "off"),
    ("array_nulls", "off"),
    ("transform_null_equals", "on"),
    ("\"plpgsql.extra_errors\"", "all"),
    ("DateStyle", "SQL, DMY"),
    ("IntervalStyle", "sql_standard"),
    ("TimeZone", "Pacific/Kiritimati"),
    ("extra_float_digits", "-15"),
    ("bytea_output", "escape"),
    ("quote_all_identifiers", "on"),
    ("client_min_messages", "debug5"),
    ("synchronous_commit", "off"),
    ("debug_parallel_query", "on"),
    ("force_parallel_mode", "on"),
];

/// Those of them that this server knows, as statements for a role.
fn hostile(world: &World) -> Vec<String> {
    let known = |name: &str| {
        let name = name.trim_matches('"');
        let sql = format!("select count(*)::text from pg_settings where name = '{name}'");
        name.contains('.') || world.postgres.value("postgres", &sql) == "1"
    };
    let known = HOSTILE.iter().filter(|(name, _)| known(name));
    known.map(|(name, value)| format!("alter role loader set {name} = '{value}'")).collect()
}

#[test]
fn a_night_is_the_same_whatever_is_set_on_its_role() {
    let world = World::ready();
    world.night();
    let (first, contents) = world.live().unwrap();
    let hostile = hostile(&world);
    assert!(hostile.len() >= 27, "{hostile:?}");
    world.postgres.execute("postgres", &hostile.join("; "));
    world.night();
    let (second, again) = world.live().unwrap();
    assert_ne!(first, second);
    assert_eq!(again, contents);
    world.kiln(&["rollback", "druginfo", "--why", "a test"]).succeeds();
    world.kiln(&["status", "druginfo"]).succeeds();
}

#[test]
fn a_session_that_is_idle_outlives_the_time_that_a_role_has_for_it() {
    let world = World::ready();
    world.postgres.execute("postgres", "alter role loader set idle_session_timeout = '200ms'");
    let (running, file) = world.paused(&["run", "druginfo"], "copy");
    std::thread::sleep(Duration::from_secs(1));
    std::fs::remove_file(file).unwrap();
    let outcome = running.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
}

#[test]
fn a_setting_that_checks_nothing_and_that_kiln_may_not_change_is_named() {
    let world = World::ready();
    world.night();
    let before = (world.live(), world.states());
    let set = "alter role loader set session_replication_role = replica";
    world.postgres.execute("postgres", set);
    world.kiln(&["run", "druginfo"]).exits(12).says(&[
        "permission denied to set parameter \"session_replication_role\"",
        "hint: as a superuser, where it is set: alter role loader reset session_replication_role",
    ]);
    assert_eq!((world.live(), world.states()), before);
}

#[test]
fn a_url_that_asks_for_a_server_that_writes_gets_its_nights() {
    for word in ["read-write", "primary"] {
        let world = World::ready();
        let url = world.postgres.url("postgres");
        let url = format!("{url}&target_session_attrs={word}");
        let before = world.live();
        for _ in 0..2 {
            world.kiln(&["run", "druginfo"]).env("KILN_POSTGRES_URL", &url).succeeds();
        }
        assert_ne!(world.live(), before);
    }
}

/// A running pgbouncer; it ends with the test.
struct Pooler {
    child: Child,
    port: u16,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debian's pgbouncer before a server; `None`, with a line that says so, where it is not installed.
fn pooler(world: &World, server: u16, mode: &str) -> Option<Pooler> {
    let program = Path::new("/usr/sbin/pgbouncer");
    if !program.exists() {
        assert!(std::env::var_os("CI").is_none(), "CI installs pgbouncer");
        eprintln!("SKIPPED: there is no {}, so no pooler is tested", program.display());
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = world.postgres.data().join(format!("pooler-{mode}"));
    std::fs::create_dir(&folder).unwrap();
    let place = folder.display();
    let settings = format!(
        "[databases]\n* = host=127.0.0.1 port={server} user=loader\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\npool_mode = {mode}\nlogfile = {place}/log\npidfile = {place}/pid\n"
    );
    std::fs::write(folder.join("settings"), settings).unwrap();
    let mut command = Command::new(program);
    command.arg(folder.join("settings")).stdout(Stdio::null()).stderr(Stdio::null());
    if nix::unistd::Uid::effective().is_root() {
        let owner = std::fs::metadata(world.postgres.data()).unwrap();
        let (uid, gid) = {
            use std::os::unix::fs::MetadataExt as _;
            (owner.uid(), owner.gid())
        };
        chown(&folder, Some(uid), Some(gid)).unwrap();
        let readable = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(folder.join("settings"), readable).unwrap();
        command.uid(uid).gid(gid);
    }
    let child = command.spawn().unwrap();
    wait_until("pgbouncer listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    Some(Pooler { child, port })
}

#[test]
fn a_pooler_of_transactions_is_refused_and_one_of_sessions_is_none() {
    let mut world = World::ready();
    world.night();
    let server = world.postgres.listen(&[]);
    let before = (world.live(), world.states());
    for (mode, code) in [("transaction", 2), ("statement", 2), ("session", 0)] {
        let Some(pooler) = pooler(&world, server, mode) else { return };
        let url = format!("postgresql://loader@127.0.0.1:{}/postgres?sslmode=disable", pooler.port);
        let run = || {
            let mut kiln = world.kiln(&["run", "druginfo"]);
            kiln.env("KILN_POSTGRES_URL", &url).start()
        };
        // A pool that others use too has more than one backend.
        let (one, two) = (run(), run());
        let (one, two) = (one.wait(), two.wait());
        if code == 0 {
            assert_eq!((one.code + two.code, one.code * two.code), (75, 0), "{one}\n{two}");
            assert_ne!(world.live(), before.0, "{mode}");
            continue;
        }
        for outcome in [&one, &two] {
            assert_eq!(outcome.code, code, "{mode}: {outcome}");
            let said = "KILN_POSTGRES_URL leads to a connection pooler that pools transactions";
            outcome.says(&[said, "hint: let KILN_POSTGRES_URL lead to the server's own port"]);
        }
        assert_eq!((world.live(), world.states()), before, "{mode}");
    }
}

#[test]
fn the_environments_proxy_is_not_asked_for_what_is_on_this_machine() {
    let world = World::ready();
    let behind_a_proxy = |arguments: &[&str]| {
        let mut kiln = world.kiln(arguments);
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            kiln.env(name, "http://127.0.0.1:9");
        }
        kiln.succeeds();
    };
    behind_a_proxy(&["run", "druginfo"]);
    let file = std::fs::read(world.landed_file()).unwrap();
    let name = world.landed_file().file_name().unwrap().to_string_lossy().into_owned();
    behind_a_proxy(&["land", "druginfo", &format!("{}/{name}", serves(file))]);
}

/// A web server that has one file.
fn serves(file: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 8192]);
            let rest = "content-type: application/zip\r\nconnection: close";
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{rest}\r\n\r\n", file.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&file));
        }
    });
    url
}

/// A store that answers every listing with this head, and then with spaces for ever: as fast as they
/// are taken, or one a while.
fn endless(head: &'static str, every: Option<Duration>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            std::thread::spawn(move || {
                let mut request = [0; 8192];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(head.as_bytes());
                let spaces = vec![b' '; if every.is_some() { 1 } else { 1 << 20 }];
                while stream.write_all(&spaces).is_ok() {
                    every.inspect(|pause| std::thread::sleep(*pause));
                }
            });
        }
    });
    url
}

#[test]
fn an_answer_without_end_takes_neither_memory_nor_time() {
    let world = World::ready();
    world.night();
    let before = (world.live(), world.states());
    let heads = [
        "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 400 Bad\r\ncontent-type: application/xml\r\nconnection: close\r\n\r\n",
    ];
    for (head, every) in
        [(heads[0], None), (heads[1], None), (heads[0], Some(Duration::from_millis(300)))]
    {
        let url = endless(head, every);
        let mut kiln = world.kiln(&["run", "druginfo"]);
        kiln.env("AWS_ENDPOINT_URL", &url).env("KILN_S3_STALL", "1");
        let (outcome, bytes) = kiln.start().wait_and_weigh();
        assert_eq!(outcome.code, 10, "{outcome}");
        outcome.says(&["druginfo is as it was", "list s3://kiln/druginfo/: "]);
        assert!(bytes < 400 << 20, "{bytes} bytes of memory");
        assert!(outcome.took < Duration::from_secs(60), "{outcome}");
        assert_eq!((world.live(), world.states()), before);
    }
}
