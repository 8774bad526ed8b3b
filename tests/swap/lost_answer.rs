//! A lost answer is not a lost truth (P7): COMMIT is done, and the connection dies before kiln
//! hears of it. It asks the server and goes on from what is true.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::ready_to_swap;
use crate::support::{Kiln, World, wait_until};

/// Before Postgres' socket: passes everything on, until it is told to swallow one answer, hang
/// up on who waits for it, and pass on again.
struct AnswerEater {
    hungry: Arc<AtomicBool>,
    url: String,
}

impl AnswerEater {
    fn start(world: &World) -> AnswerEater {
        let real = url::Url::parse(&world.postgres.url("postgres")).unwrap();
        let part =
            |name: &str| real.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let socket = format!("/.s.PGSQL.{}", part("port"));
        let upstream = part("host") + &socket;
        let folder = world.folder.path().join("pg");
        std::fs::create_dir_all(&folder).unwrap();
        let path = format!("{}{socket}", folder.display());
        let hungry = Arc::new(AtomicBool::new(false));
        let eats = hungry.clone();
        let listener = world.runtime.block_on(async { UnixListener::bind(path).unwrap() });
        world.runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, upstream.clone(), eats.clone()));
            }
        });
        let url = format!(
            "postgresql:///postgres?host={}&port={}&user=loader",
            folder.display(),
            part("port")
        );
        AnswerEater { hungry, url }
    }

    /// kiln, behind the proxy.
    fn kiln(&self, world: &World, arguments: &[&str]) -> Kiln {
        let mut kiln = world.kiln(arguments);
        kiln.env("KILN_POSTGRES_URL", &self.url);
        kiln
    }
}

async fn carry(client: UnixStream, upstream: String, hungry: Arc<AtomicBool>) {
    let Ok(server) = UnixStream::connect(upstream).await else { return };
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let up = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut client_read, &mut server_write).await;
        let _ = server_write.shutdown().await;
    });
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count) = server_read.read(&mut buffer).await {
        let eaten = count > 0 && hungry.swap(false, Ordering::SeqCst);
        if count == 0 || eaten || client_write.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    up.abort();
}

/// Runs kiln behind the proxy, and swallows the answer to what it sends after this point.
fn without_answer(world: &World, arguments: &[&str], point: &str) -> crate::support::Outcome {
    let eater = AnswerEater::start(world);
    let file = world.pause_file();
    let action = format!("{point}=pause:{}", file.display());
    let running = eater.kiln(world, arguments).env("KILN_FAILPOINT", &action).start();
    wait_until(&format!("{point} is reached"), || file.exists());
    // A statement that is no longer needed is closed in the background: that answer is not the one.
    std::thread::sleep(Duration::from_millis(500));
    eater.hungry.store(true, Ordering::SeqCst);
    std::fs::remove_file(file).unwrap();
    let outcome = running.wait();
    assert!(!eater.hungry.load(Ordering::SeqCst), "no answer was swallowed: {outcome}");
    outcome
}

#[test]
fn a_swap_whose_commit_is_not_answered_is_done_and_said_to_be_done() {
    let world = ready_to_swap();
    let (before, build) = (world.live(), world.newest_build());
    let outcome = without_answer(&world, &["swap", "druginfo", "--json"], "renamed");
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_eq!(outcome.json()["promotion"]["to"], build);
    assert!(world.log().contains("the answer to the swap's COMMIT was lost; the swap is done"));
    let after = world.live();
    assert_ne!(after, before);
    let ended = "select command || ' ' || exit_code from kiln.run order by started_at desc limit 1";
    assert_eq!(world.postgres.value("kiln", ended), "swap 0");
    world.kiln(&["swap", "druginfo"]).exits(15).says(&["no sealed build newer than the live one"]);
    assert_eq!(world.live(), after);
}

#[test]
fn a_night_goes_on_after_the_answer_to_its_swap_was_lost() {
    let world = World::ready();
    world.night();
    world.night();
    let before = world.live();
    let outcome = without_answer(&world, &["run", "druginfo"], "renamed");
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_ne!(world.live(), before);
    assert_eq!(world.databases().len(), 2, "pruned as well: {:?}", world.states());
}

#[test]
fn a_seal_whose_commit_is_not_answered_is_a_seal() {
    let world = World::ready();
    world.night();
    let before = world.live();
    let outcome = without_answer(&world, &["run", "druginfo"], "seal");
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_ne!(world.live(), before);
    assert_eq!(world.databases().len(), 2, "{:?}", world.states());
}
