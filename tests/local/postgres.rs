//! The private cluster: made, shared, killed, and out of root's hands.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{Kiln, project};
use kiln::testing::dev::failures::of_servers;
use kiln::testing::dev::servers;
use kiln::testing::error::{Exit, exit_of};
use kiln::testing::report::error::text;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

async fn ask(url: &str, sql: &str) -> String {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let answer: String = client.query_one(sql, &[]).await.unwrap().get(0);
    drop(client);
    let _ = connection.await;
    answer
}

/// A home that the dropped user can reach, as a clone in an ordinary place is.
fn reachable_home() -> tempfile::TempDir {
    let home = tempfile::Builder::new().prefix("kiln-test-").tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

fn psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql").args(["-XAtc", sql, url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn the_last_of_two_leases_stops_the_server_that_runs_without_root() {
    let home = reachable_home();
    let first = servers::open_postgres(home.path(), None).await.unwrap();
    let second = servers::open_postgres(home.path(), None).await.unwrap();
    assert_eq!(first.pid(), second.pid());
    if Uid::effective().is_root() {
        let owner = Path::new(&format!("/proc/{}", first.pid())).metadata().unwrap().uid();
        assert_ne!(owner, 0);
        let data = home.path().join("postgres").metadata().unwrap();
        assert_eq!((data.uid(), data.mode() & 0o777), (owner, 0o700));
    }
    let facts = "select format('%s %s %s %s %s', current_user, current_setting('fsync'), \
                 current_setting('full_page_writes'), current_setting('listen_addresses'), \
                 (select datcollate from pg_database where datname = 'postgres'))";
    assert_eq!(ask(&first.url(), facts).await, "kiln on on  C");
    assert_eq!(psql(&first.url(), facts), "kiln on on  C");
    let mut elsewhere = url::Url::parse(&first.url()).unwrap();
    elsewhere.set_path("template1");
    assert_eq!(ask(elsewhere.as_str(), "select current_database()::text").await, "template1");
    assert_eq!(psql(elsewhere.as_str(), "select current_database()"), "template1");

    servers::close_postgres(first).await.unwrap();
    assert_eq!(ask(&second.url(), "select 'still here'").await, "still here");
    servers::close_postgres(second).await.unwrap();
    assert!(servers::status(home.path()).await.unwrap().postgres.is_none());

    let third = servers::open_postgres(home.path(), None).await.unwrap();
    psql(&third.url(), "create table kept as select 42 as n");
    drop(third);
    let fourth = servers::open_postgres(home.path(), None).await.unwrap();
    assert_eq!(psql(&fourth.url(), "select n from kept"), "42", "a dropped lease stops cleanly");
    servers::close_postgres(fourth).await.unwrap();
}

#[tokio::test]
async fn a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops() {
    let home = reachable_home();
    // Another process that opens the cluster and dies without a word.
    let mut user = Kiln::new(&["run", "druginfo"]);
    user.env("KILN_HOME", &home.path().to_string_lossy())
        .env("KILN_FAILPOINT", "locked=kill")
        .current_dir(project())
        .exits(-9);
    let left = servers::status(home.path()).await.unwrap().postgres;
    let left = left.expect("the server came up");
    let next = servers::open_postgres(home.path(), None).await.unwrap();
    assert_eq!(next.pid(), left.pid, "the server outlived its user");
    servers::close_postgres(next).await.unwrap();
    assert!(servers::status(home.path()).await.unwrap().postgres.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn users_that_come_and_go_at_once_never_meet_a_stopped_server() {
    let home = reachable_home();
    let mut users = tokio::task::JoinSet::new();
    for n in 0..6_u64 {
        let home = home.path().to_owned();
        users.spawn(async move {
            for round in 0..3 {
                let lease = servers::open_postgres(&home, None).await.unwrap();
                assert_eq!(ask(&lease.url(), "select 'served'").await, "served");
                tokio::time::sleep(Duration::from_millis(17 * n * round)).await;
                assert_eq!(ask(&lease.url(), "select 'served'").await, "served");
                servers::close_postgres(lease).await.unwrap();
            }
        });
    }
    while let Some(user) = users.join_next().await {
        user.unwrap();
    }
    assert!(servers::status(home.path()).await.unwrap().postgres.is_none());
}

#[tokio::test]
async fn a_killed_server_and_an_interrupted_initdb_recover() {
    let home = reachable_home();
    // What an initdb leaves that was killed half way.
    std::fs::create_dir(home.path().join("postgres.init")).unwrap();
    std::fs::write(home.path().join("postgres.init/PG_VERSION"), "15\n").unwrap();
    let lease = servers::open_postgres(home.path(), None).await.unwrap();
    psql(&lease.url(), "create table kept as select generate_series(1, 1000) as n");
    kill(Pid::from_raw(lease.pid()), Signal::SIGKILL).unwrap();
    while servers::status(home.path()).await.unwrap().postgres.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let again = servers::open_postgres(home.path(), None).await.unwrap();
    assert_ne!(again.pid(), lease.pid());
    assert_eq!(psql(&again.url(), "select sum(n) from kept"), "500500");
    servers::close_postgres(lease).await.unwrap();
    servers::close_postgres(again).await.unwrap();
    assert!(servers::status(home.path()).await.unwrap().postgres.is_none());
}

#[tokio::test]
async fn a_home_that_the_dropped_user_cannot_reach_has_its_cluster_elsewhere() {
    if !Uid::effective().is_root() {
        return;
    }
    // Of mode 0700, as many home directories are.
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let home = closed.path().join("clone/.kiln");
    let lease = servers::open_postgres(&home, None).await.unwrap();
    let target = home.join("postgres").read_link().unwrap();
    assert!(target.starts_with("/var/tmp"), "{}", target.display());
    assert_eq!(ask(&lease.url(), "select 'reached'").await, "reached");
    servers::close_postgres(lease).await.unwrap();
    // A copied home brings the link along, and must not share the cluster behind it.
    let copy = closed.path().join("copy/.kiln");
    std::fs::create_dir_all(&copy).unwrap();
    std::os::unix::fs::symlink(&target, copy.join("postgres")).unwrap();
    let lease = servers::open_postgres(&copy, None).await.unwrap();
    let other = copy.join("postgres").read_link().unwrap();
    assert_ne!(other, target);
    servers::close_postgres(lease).await.unwrap();
    for cluster in [target, other] {
        std::fs::remove_dir_all(cluster.parent().unwrap()).unwrap();
    }
}

#[test]
fn what_stays_up_has_no_secret_of_its_starters_and_none_of_its_settings() {
    let home = reachable_home();
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("kiln.toml"), "").unwrap();
    let kiln = |word: &str| {
        let mut kiln = Kiln::new(&[word]);
        kiln.env("KILN_HOME", &home.path().to_string_lossy()).current_dir(root.path());
        for name in ["PGOPTIONS", "PGSSLKEY", "LD_BIND_NOW", "AWS_SECRET_ACCESS_KEY", "SOME_TOKEN"]
        {
            kiln.env(name, "-c work_mem=77MB");
        }
        kiln.succeeds()
    };
    kiln("up");
    let pid = |file: &str, line: usize| {
        let text = std::fs::read_to_string(home.path().join(file)).unwrap();
        text.lines().nth(line).unwrap().trim().to_owned()
    };
    let s3: serde_json::Value =
        serde_json::from_slice(&std::fs::read(home.path().join("s3.json")).unwrap()).unwrap();
    let pids = [pid("postgres/postmaster.pid", 0), s3["pid"].to_string()];
    let environments = pids.map(|pid| {
        let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        String::from_utf8_lossy(&bytes).replace('\0', "\n")
    });
    kiln("down");
    for text in environments {
        assert!(!text.contains("77MB"), "{text}");
        let names = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        let known = ["PATH", "LC_ALL", "PGDATA", "PG_GRANDPARENT_PID", "PWD"];
        let more: Vec<&str> = names.filter(|name| !known.contains(name)).collect();
        assert!(more.iter().all(|name| !name.contains("KEY")), "{more:?}");
    }
}

#[tokio::test]
async fn missing_programs_are_named_with_what_installs_them() {
    let home = reachable_home();
    let error = servers::open_postgres(home.path(), Some(Path::new("/nowhere"))).await;
    let error = of_servers(error.unwrap_err());
    assert_eq!(exit_of(&error), Exit::Database);
    let text = text(&error);
    assert!(text.contains("/nowhere") && text.contains("apt-get install postgresql"), "{text}");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let home = reachable_home();
    let lease = servers::open_postgres(home.path(), None).await.unwrap();
    servers::close_postgres(lease).await.unwrap();
    let settings = home.path().join("postgres/postgresql.conf");
    std::fs::write(&settings, "nonsense = 1\n").unwrap();
    let error = servers::open_postgres(home.path(), None).await.unwrap_err();
    let text = text(&of_servers(error));
    assert!(text.contains("nonsense") && text.contains("server.log"), "{text}");
}
