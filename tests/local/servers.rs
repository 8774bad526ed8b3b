//! Both servers: opened by a command, kept by `up`, given back by `down`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use kiln::testing::dev::failures::of_servers;
use kiln::testing::dev::servers;
use kiln::testing::error::{Exit, exit_of, hint_of};

use crate::local::endpoint::client;

fn home() -> tempfile::TempDir {
    let home = tempfile::Builder::new().prefix("kiln-test-").tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

#[tokio::test]
async fn a_command_alone_starts_both_and_leaves_nothing_running() {
    let home = home();
    let servers = servers::open(home.path(), None).await.unwrap();
    let s3 = client(&servers.s3.endpoint, &servers.s3.credentials);
    s3.head_bucket().bucket(&servers.s3.bucket).send().await.unwrap();
    let endpoint = servers.s3.endpoint.clone();
    servers.close().await.unwrap();
    let address = endpoint.strip_prefix("http://").unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert!(servers::status(home.path()).await.unwrap().postgres.is_none());
}

#[tokio::test]
async fn up_keeps_both_and_down_refuses_while_they_are_used() {
    let home = home();
    // What a crash left: an address without its process.
    let own = std::process::id();
    let stale = format!("{{\"url\":\"http://127.0.0.1:1\",\"pid\":{own},\"bucket\":\"kiln\"}}");
    std::fs::write(home.path().join("s3.json"), stale).unwrap();

    let program = PathBuf::from(env!("CARGO_BIN_EXE_kiln"));
    let up = servers::up_by(home.path(), None, &program).await.unwrap();
    let again = servers::up_by(home.path(), None, &program).await.unwrap();
    assert_eq!((up.postgres_pid, up.s3_pid), (again.postgres_pid, again.s3_pid));
    assert_ne!(up.s3_pid, i32::try_from(own).unwrap());

    let used = servers::open(home.path(), None).await.unwrap();
    assert_eq!(used.s3.endpoint, up.s3.endpoint, "the kept endpoint is used");
    client(&used.s3.endpoint, &used.s3.credentials)
        .put_object()
        .bucket("kiln")
        .key("a")
        .send()
        .await
        .unwrap();
    let refused = servers::down(home.path()).await.unwrap_err();
    let refused = of_servers(refused);
    assert_eq!(exit_of(&refused), Exit::Locked);
    assert_eq!(hint_of(&refused), Some("wait until it is done, then: kiln down"));
    used.close().await.unwrap();

    let status = servers::status(home.path()).await.unwrap();
    assert!(status.kept_up, "a refused down changes nothing");
    assert_eq!(status.postgres.unwrap().pid, up.postgres_pid);
    assert_eq!(status.s3.unwrap().pid, up.s3_pid);

    let down = servers::down(home.path()).await.unwrap();
    assert_eq!(down, servers::Down { postgres: true, s3: true });
    let status = servers::status(home.path()).await.unwrap();
    assert!(!status.kept_up && status.postgres.is_none() && status.s3.is_none());
    let nothing = servers::Down { postgres: false, s3: false };
    assert_eq!(servers::down(home.path()).await.unwrap(), nothing);

    let mistaken = servers::up_by(home.path(), None, "/bin/false".as_ref()).await.unwrap_err();
    assert!(format!("{mistaken:#}").contains("ended at once"), "{mistaken:#}");
    let status = servers::status(home.path()).await.unwrap();
    assert!(!status.kept_up && status.postgres.is_none(), "a failed up leaves nothing");
}
