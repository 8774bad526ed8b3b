//! Servers that are not there, or refuse: S3's credentials and buckets, Postgres's connections
//! and rights.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use super::{Before, Druginfo, Kept};
use crate::support::{Kiln, World};

/// A night in a changed environment is refused and changes nothing.
fn refuses(druginfo: &Druginfo, change: impl Fn(&mut Kiln), code: i32, said: &[&str]) {
    let before = Before::of(&druginfo.world, "druginfo");
    let mut kiln = druginfo.world.kiln(&["run", "druginfo"]);
    change(&mut kiln);
    let outcome = kiln.exits(code);
    outcome.says(&["kiln: "]).says(said);
    // The bound of a server that does not answer, with slack for a loaded machine.
    assert!(outcome.took < Duration::from_secs(45), "{outcome}");
    before.unchanged(&druginfo.world, Kept::No);
}

/// An S3 server that refuses every request in the same words; its URL.
fn refusing_s3(status: &'static str, code: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 8192];
            let _ = stream.read(&mut request);
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code>\
                 <Message>refused by a test</Message><RequestId>1</RequestId></Error>"
            );
            let length = body.len();
            let head = "Content-Type: application/xml\r\nConnection: close";
            let answer =
                format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

/// A port on which nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn credentials_that_s3_does_not_take_are_named_and_never_shown() {
    let druginfo = Druginfo::new();
    let secret = "canary/secret/canary/secret/canary";
    let change = |kiln: &mut Kiln| {
        kiln.env("AWS_SECRET_ACCESS_KEY", secret);
    };
    let said = [
        "list s3://kiln/druginfo/: the credentials are not accepted (SignatureDoesNotMatch)",
        "\nhint: check the AWS_* variables",
    ];
    refuses(&druginfo, change, 10, &said);
    let mut kiln = druginfo.world.kiln(&["run", "druginfo"]);
    let outcome = kiln.env("AWS_SECRET_ACCESS_KEY", secret).run();
    assert!(!format!("{outcome}").contains("canary"), "{outcome}");
    let change = |kiln: &mut Kiln| {
        kiln.env("AWS_ACCESS_KEY_ID", "AKIAANOTHERKEYOFATEST");
    };
    let said = ["the credentials are not accepted (InvalidAccessKeyId)", "check the AWS_* var"];
    refuses(&druginfo, change, 10, &said);
    let change = |kiln: &mut Kiln| {
        kiln.without_env("AWS_ACCESS_KEY_ID").without_env("AWS_SECRET_ACCESS_KEY");
    };
    let said = ["list s3://kiln/druginfo/: ", "credentials", "\nhint: check AWS_ENDPOINT_URL, "];
    refuses(&druginfo, change, 10, &said);
}

#[test]
fn what_s3_says_becomes_a_hint() {
    let druginfo = Druginfo::new();
    for (status, code, said, hint) in [
        (
            "400 Bad Request",
            "ExpiredToken",
            "the credentials have expired",
            "renew the AWS_* credentials, then run again",
        ),
        (
            "403 Forbidden",
            "InvalidAccessKeyId",
            "the credentials are not accepted (InvalidAccessKeyId)",
            "check the AWS_* variables",
        ),
        (
            "403 Forbidden",
            "RequestTimeTooSkewed",
            "this machine's clock differs from S3's",
            "check the clock: timedatectl",
        ),
        (
            "403 Forbidden",
            "AccessDenied",
            "access denied (403)",
            "kiln needs s3:GetObject, s3:GetObjectVersion and s3:ListBucket on the prefix",
        ),
        ("503 Slow Down", "SlowDown", "S3 answered 503 SlowDown: ", "run again later"),
    ] {
        let url = refusing_s3(status, code);
        let change = |kiln: &mut Kiln| {
            kiln.env("AWS_ENDPOINT_URL", &url).env("AWS_SESSION_TOKEN", "token");
        };
        let said = format!("list s3://kiln/druginfo/: {said}");
        refuses(&druginfo, change, 10, &[&said, &format!("\nhint: {hint}")]);
    }
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let druginfo = Druginfo::new();
    let change = |kiln: &mut Kiln| {
        kiln.env("KILN_S3_URL", "s3://other/landing");
    };
    let said =
        ["list s3://other/landing/druginfo/: there is no such bucket", "\nhint: check KILN_S3_URL"];
    refuses(&druginfo, change, 10, &said);
    let path = druginfo.world.folder.path().join("SPUF_2026_20260701.zip");
    let mut kiln = druginfo.world.kiln(&["land", "druginfo", &path.to_string_lossy()]);
    kiln.env("KILN_S3_URL", "s3://other").exits(10).says(&[
        "list s3://other/druginfo/",
        "there is no such bucket",
        "check KILN_S3_URL",
    ]);
}

#[test]
fn an_s3_endpoint_that_is_down_is_given_up_within_a_bound() {
    let druginfo = Druginfo::new();
    let url = format!("http://127.0.0.1:{}", closed_port());
    let change = |kiln: &mut Kiln| {
        kiln.env("AWS_ENDPOINT_URL", &url);
    };
    let said = [
        "list s3://kiln/druginfo/: dispatch failure: ",
        "\nhint: check AWS_ENDPOINT_URL, AWS_REGION and the AWS_* credentials",
    ];
    refuses(&druginfo, change, 10, &said);
}

#[test]
fn a_postgres_that_is_down_is_named_without_the_password() {
    let druginfo = Druginfo::new();
    let url = format!("postgresql://loader:canary@127.0.0.1:{}/postgres", closed_port());
    let change = |kiln: &mut Kiln| {
        kiln.env("KILN_POSTGRES_URL", &url);
    };
    let said = [
        "connect to Postgres, database postgres: ",
        "onnection refused",
        "\nhint: is the server up, and KILN_POSTGRES_URL right? try: psql \"$KILN_POSTGRES_URL\"",
    ];
    refuses(&druginfo, change, 12, &said);
    let mut kiln = druginfo.world.kiln(&["run", "druginfo"]);
    change(&mut kiln);
    let outcome = kiln.run();
    assert!(!format!("{outcome}").contains("canary"), "{outcome}");
}

#[test]
fn a_role_or_password_that_postgres_does_not_take_is_refused() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let stranger = world.postgres.url_as("stranger", "postgres");
    let change = |kiln: &mut Kiln| {
        kiln.env("KILN_POSTGRES_URL", &stranger);
    };
    let said = [
        "connect to Postgres, database postgres: the user of KILN_POSTGRES_URL does not exist",
        "\nhint: check user and password in KILN_POSTGRES_URL",
    ];
    refuses(&druginfo, change, 12, &said);

    world.postgres.execute("postgres", "create role guarded login createdb password 'right'");
    world.postgres.demand_password("guarded");
    let wrong = format!("{}&password=canary", world.postgres.url_as("guarded", "postgres"));
    let change = |kiln: &mut Kiln| {
        kiln.env("KILN_POSTGRES_URL", &wrong);
    };
    let said = [
        "password authentication failed for the user of KILN_POSTGRES_URL (SQLSTATE 28P01)",
        "\nhint: check user and password in KILN_POSTGRES_URL",
    ];
    refuses(&druginfo, change, 12, &said);
    let none = world.postgres.url_as("guarded", "postgres");
    let change = |kiln: &mut Kiln| {
        kiln.env("KILN_POSTGRES_URL", &none);
    };
    refuses(&druginfo, change, 12, &["connect to Postgres, database postgres: ", "password"]);
}

#[test]
fn a_url_that_is_none_is_refused_without_showing_it() {
    let druginfo = Druginfo::new();
    let change = |kiln: &mut Kiln| {
        kiln.env("KILN_POSTGRES_URL", "postgresql://loader:canary@host:port/postgres");
    };
    let said = ["KILN_POSTGRES_URL is not a Postgres URL", "postgresql://USER@HOST:5432/postgres"];
    refuses(&druginfo, change, 2, &said);
}

#[test]
fn a_role_that_may_not_create_databases_is_told_what_a_superuser_types() {
    let fresh = World::new();
    fresh.postgres.execute("postgres", "alter role loader nocreatedb");
    let before = Before::of(&fresh, "druginfo");
    fresh.kiln(&["run", "druginfo"]).exits(12).says(&[
        "create database kiln: role loader may not create databases (SQLSTATE 42501)",
        "\nhint: as a superuser: alter role loader createdb",
    ]);
    before.unchanged(&fresh, Kept::No);

    let druginfo = Druginfo::new();
    druginfo.world.postgres.execute("postgres", "alter role loader nocreatedb");
    let said = [
        "create database druginfo_",
        ": role loader may not create databases (SQLSTATE 42501)",
        "\nhint: as a superuser: alter role loader createdb",
    ];
    refuses(&druginfo, |_| (), 12, &said);
    druginfo.world.postgres.execute("postgres", "alter role loader createdb");
    druginfo.world.night();
}

#[test]
fn a_role_that_is_no_member_of_the_owner_is_told_what_a_superuser_types() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    world.postgres.execute("postgres", "revoke kiln_owner from loader");
    let said = [
        // Since Postgres 16: permission denied to grant role
        "set up role \"kiln_owner\": ",
        "(SQLSTATE 42501)",
        "\nhint: as a superuser: grant kiln_owner, pg_signal_backend to loader",
    ];
    refuses(&druginfo, |_| (), 12, &said);
    world.postgres.execute("postgres", "grant kiln_owner to loader");
    world.night();
}
