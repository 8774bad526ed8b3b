//! Twenty readers that reconnect while the swap happens (P4, P18).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;

use super::ready_to_swap;
use crate::support::{World, wait_until};

const READERS: usize = 20;
/// Queries on one connection.
const QUERIES: usize = 5;
/// One second is promised; the rest is for a machine that does other things as well.
const BOUND: Duration = Duration::from_secs(3);

/// What one reader saw.
#[derive(Debug, Default)]
struct Seen {
    /// Builds in the order in which they were first read.
    builds: Vec<String>,
    /// Attempts that failed, with their SQLSTATEs.
    errors: Vec<String>,
    /// Longest time from one answer to the next.
    longest: Duration,
    answers: usize,
}

impl Seen {
    fn note(&mut self, build: String) {
        self.answers += 1;
        if self.builds.last() != Some(&build) {
            assert!(!self.builds.contains(&build), "{build} again after {:?}", self.builds);
            self.builds.push(build);
        }
    }
}

struct Crowd {
    stop: Arc<AtomicBool>,
    reading: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<Seen>>,
}

impl Crowd {
    /// Starts the readers and waits until every one has had an answer.
    fn start(world: &World) -> Crowd {
        let url = world.postgres.url_as("app", "druginfo");
        let (stop, reading) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..READERS)
            .map(|_| world.runtime.spawn(read(url.clone(), stop.clone(), reading.clone())))
            .collect();
        wait_until("all readers read", || reading.load(Ordering::SeqCst) == READERS);
        Crowd { stop, reading, tasks }
    }

    /// Waits until every reader has read twice more, then collects what they saw.
    fn collect(self, world: &World) -> Vec<Seen> {
        self.reading.store(0, Ordering::SeqCst);
        self.stop.store(true, Ordering::SeqCst);
        let all = futures_util::future::join_all(self.tasks);
        world.runtime.block_on(all).into_iter().map(Result::unwrap).collect()
    }
}

/// Connect, ask some times, hang up, again. After the stop it goes on until one whole connection
/// went well: every reader succeeds on retry.
async fn read(url: String, stop: Arc<AtomicBool>, reading: Arc<AtomicUsize>) -> Seen {
    let mut seen = Seen::default();
    let mut last = Instant::now();
    loop {
        let stopping = stop.load(Ordering::SeqCst);
        let done = connection(&url, &mut seen, &mut last, &reading).await;
        match done {
            Ok(()) if stopping => return seen,
            Ok(()) => {}
            Err(error) => {
                let code = error.code().map_or("closed".to_owned(), |code| code.code().to_owned());
                seen.errors.push(code);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        assert!(last.elapsed() < Duration::from_secs(60), "no answer for a minute: {seen:?}");
    }
}

async fn connection(
    url: &str,
    seen: &mut Seen,
    last: &mut Instant,
    reading: &AtomicUsize,
) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let mut first: Option<String> = None;
    for _ in 0..QUERIES {
        let build: String = client.query_one("select build from kiln.stamp", &[]).await?.get(0);
        if seen.answers == 0 {
            reading.fetch_add(1, Ordering::SeqCst);
        } else {
            seen.longest = seen.longest.max(last.elapsed());
        }
        *last = Instant::now();
        assert_eq!(
            *first.get_or_insert_with(|| build.clone()),
            build,
            "two builds, one connection"
        );
        seen.note(build);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(client);
    let _ = connection.await;
    Ok(())
}

#[test]
fn twenty_readers_meet_the_old_build_then_the_new_and_are_never_away_for_long() {
    let world = ready_to_swap();
    // Forward, back, forward: three swaps, each under its own crowd.
    for (command, why) in [("swap", "forward"), ("rollback", "back"), ("swap", "forward again")] {
        if why == "forward again" {
            world.kiln(&["waive", "druginfo", "rejected", "--why", "a test"]).succeeds();
        }
        let crowd = Crowd::start(&world);
        let json = world.kiln(&[command, "druginfo", "--json"]).succeeds().json();
        let seen = crowd.collect(&world);
        let longest = seen.iter().map(|reader| reader.longest).max().unwrap();
        let errors: Vec<&String> = seen.iter().flat_map(|reader| &reader.errors).collect();
        let mut kinds = errors.clone();
        kinds.sort();
        kinds.dedup();
        eprintln!(
            "{why}: {READERS} readers, {} answers, longest interruption {longest:?}, \
             {} attempts failed {kinds:?}; kiln says {json}",
            seen.iter().map(|reader| reader.answers).sum::<usize>(),
            errors.len(),
        );
        for reader in &seen {
            assert_eq!(reader.builds.len(), 2, "old, then new: {reader:?}");
            assert_eq!(reader.builds, seen[0].builds, "all saw the same two");
            let known = ["57P01", "3D000", "closed"];
            let expected = reader.errors.iter().all(|code| known.contains(&code.as_str()));
            assert!(expected, "an app must retry on {known:?} only: {reader:?}");
        }
        assert!(longest < BOUND, "a reader was away for {longest:?}");
    }
    assert_eq!(world.databases().len(), 2);
}
