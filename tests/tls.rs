//! TLS to Postgres: who the server is gets verified, and there is no way back to plain text.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::World;

/// What the certificates are made with; without it these tests say that they were skipped.
fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
}

/// A root that signs, as `NAME.pem` and `NAME.key`.
fn root(folder: &Path, name: &str) {
    let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
    let subject = format!("/CN={name}");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let rest = ["-keyout", &key, "-out", &pem, "-subj", &subject, "-days", "2"];
    openssl(folder, &[["req", "-x509"].as_slice(), &curve, &rest].concat());
    // A request that the server's certificates are made from, with the same kind of key.
    let request = ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server"];
    openssl(folder, &[["req"].as_slice(), &curve, &request].concat());
    std::fs::write(folder.join("db"), "").unwrap();
    std::fs::write(folder.join("serial"), "01").unwrap();
    std::fs::write(folder.join("names"), "subjectAltName=DNS:db.test,IP:127.0.0.2\n").unwrap();
    let settings = "[ca]\ndefault_ca=own\n[own]\ndatabase=db\nserial=serial\nnew_certs_dir=.\n\
                    policy=any\ndefault_md=sha256\nunique_subject=no\n[any]\ncommonName=supplied\n";
    std::fs::write(folder.join("ca.conf"), settings).unwrap();
}

/// A certificate of the server, valid between two days (`yymmdd`).
fn certificate(folder: &Path, name: &str, from: &str, until: &str) {
    let (from, until) = (format!("{from}000000Z"), format!("{until}000000Z"));
    let out = format!("{name}.pem");
    let signed = ["-cert", "ca.pem", "-keyfile", "ca.key", "-in", "server.csr", "-out", &out];
    let dates = ["-startdate", &from, "-enddate", &until, "-extfile", "names", "-notext"];
    let start = ["ca", "-batch", "-config", "ca.conf"];
    openssl(folder, &[start.as_slice(), &signed, &dates].concat());
}

/// A world whose server speaks TLS, and where it listens.
struct Guarded {
    world: World,
    port: u16,
    certificates: PathBuf,
}

impl Guarded {
    fn new() -> Option<Guarded> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: there is no openssl to make certificates with");
            return None;
        }
        let mut world = World::ready();
        let certificates = world.folder.path().join("tls");
        std::fs::create_dir(&certificates).unwrap();
        root(&certificates, "other");
        root(&certificates, "ca");
        let day = |days: i64| {
            let then = jiff::Zoned::now().checked_add(jiff::Span::new().days(days)).unwrap();
            then.strftime("%y%m%d").to_string()
        };
        certificate(&certificates, "good", &day(-2), &day(2));
        certificate(&certificates, "expired", &day(-9), &day(-2));
        let port = world.postgres.listen(&["log_connections=on"]);
        let data = world.postgres.data();
        for file in ["good.pem", "expired.pem", "server.key"] {
            std::fs::copy(certificates.join(file), data.join(file)).unwrap();
            world.postgres.give(&data.join(file));
        }
        world.night();
        Some(Guarded { world, port, certificates })
    }

    /// Has the server use this certificate from now on; `None`: no TLS.
    fn use_certificate(&self, name: Option<&str>) {
        let file = name.map_or_else(|| "none".to_owned(), |name| format!("{name}.pem"));
        let on = if name.is_some() { "on" } else { "off" };
        self.world.postgres.execute("postgres", &format!("alter system set ssl = {on}"));
        for setting in [format!("ssl_cert_file = '{file}'"), "ssl_key_file = 'server.key'".into()] {
            self.world.postgres.execute("postgres", &format!("alter system set {setting}"));
        }
        self.world.postgres.execute("postgres", "select pg_reload_conf()");
        let began = Instant::now();
        let now = "select current_setting('ssl_cert_file') || current_setting('ssl')";
        while self.world.postgres.value("postgres", now) != format!("{file}{on}") {
            assert!(began.elapsed() < Duration::from_secs(20), "the server does not take {file}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kiln(&self, host: &str, ca: &str) -> crate::support::Kiln {
        let port = self.port;
        let url = format!("postgresql://loader@{host}:{port}/postgres?hostaddr=127.0.0.1");
        let mut kiln = self.world.kiln(&["run", "druginfo"]);
        let ca = self.certificates.join(ca);
        kiln.env("KILN_POSTGRES_URL", &url).env("KILN_POSTGRES_CA", &ca.to_string_lossy());
        kiln
    }

    /// How many sessions of kiln's over the network had been let in without TLS.
    fn plain(&self) -> Vec<String> {
        let log = self.world.postgres.listening_log();
        let lines = log.lines().filter(|line| {
            line.contains("authorized: user=loader") && !line.contains("SSL enabled")
        });
        lines.map(str::to_owned).collect()
    }
}

#[test]
fn with_the_right_root_every_session_is_encrypted() {
    let Some(guarded) = Guarded::new() else { return };
    guarded.use_certificate(Some("good"));
    let plain = guarded.plain();
    let pause = guarded.world.folder.path().join("pause");
    let mut kiln = guarded.kiln("db.test", "ca.pem");
    kiln.env("KILN_FAILPOINT", &format!("manifest=pause:{}", pause.display()));
    let running = kiln.start();
    let began = Instant::now();
    while !pause.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", running.wait());
        std::thread::sleep(Duration::from_millis(10));
    }
    let sessions = "select count(*) || ' ' || count(*) filter (where ssl) from pg_stat_ssl
                    join pg_stat_activity using (pid) where application_name like 'kiln %'";
    let counted = guarded.world.postgres.value("postgres", sessions);
    std::fs::remove_file(&pause).unwrap();
    let (all, encrypted) = counted.split_once(' ').unwrap();
    assert_ne!(all, "0");
    assert_eq!(all, encrypted);
    let outcome = running.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_eq!(guarded.plain(), plain);
}

#[test]
fn a_server_that_is_not_proved_is_refused_without_a_word_in_plain_text() {
    let Some(guarded) = Guarded::new() else { return };
    let before = (guarded.world.live(), guarded.world.databases());
    let plain = guarded.plain();
    for (certificate, host, ca, said) in [
        (Some("good"), "db.test", "other.pem", "invalid peer certificate: UnknownIssuer"),
        (Some("good"), "wrong.test", "ca.pem", "not valid for name \"wrong.test\""),
        (Some("expired"), "db.test", "ca.pem", "invalid peer certificate: certificate expired"),
        (None, "db.test", "ca.pem", "server does not support TLS"),
    ] {
        guarded.use_certificate(certificate);
        for mode in ["", "&sslmode=prefer", "&sslmode=require"] {
            let mut kiln = guarded.kiln(host, ca);
            let port = guarded.port;
            let url =
                format!("postgresql://loader@{host}:{port}/postgres?hostaddr=127.0.0.1{mode}");
            let outcome = kiln.env("KILN_POSTGRES_URL", &url).exits(12);
            outcome.says(&["connect to Postgres, database postgres", said, "hint: "]);
            assert_eq!(guarded.plain(), plain, "{outcome}");
        }
    }
    let by_address = format!("postgresql://loader@127.0.0.2:{}/postgres", guarded.port);
    let mut kiln = guarded.kiln("db.test", "ca.pem");
    let outcome = kiln.env("KILN_POSTGRES_URL", &by_address).exits(12);
    outcome.says(&["server does not support TLS"]);
    assert_eq!((guarded.world.live(), guarded.world.databases()), before);

    // The same server with its proper certificate, by address.
    guarded.use_certificate(Some("good"));
    kiln.env("KILN_POSTGRES_URL", &by_address).succeeds();
    assert_eq!(guarded.plain(), plain);
}

#[test]
fn a_root_file_that_holds_none_is_named() {
    let world = World::new();
    for (file, text) in [("absent.pem", None), ("empty.pem", Some("")), ("rubbish.pem", Some("x"))]
    {
        let path = world.folder.path().join(file);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let mut kiln = world.kiln(&["status"]);
        let outcome = kiln.env("KILN_POSTGRES_CA", &path.to_string_lossy()).exits(2);
        outcome.says(&["certificates", file]);
    }
}
