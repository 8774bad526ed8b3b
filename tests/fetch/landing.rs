//! `kiln land`: from a web server that behaves and from one that does not, and stopped half way.

use std::time::{Duration, Instant};

use kiln::testing::dev::synth::Release;
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::http::{HttpProxy, Mishap};
use crate::support::{Outcome, World};

const FILE: &str = "SPUF_2026_20260701.zip";

/// What a web server answers: bytes as they are, and whether it then keeps the connection.
#[derive(Clone)]
pub struct Answer {
    /// Head and body.
    pub bytes: Vec<u8>,
    /// Whether the connection stays open behind them.
    pub hangs: bool,
}

/// Serves one answer a path, whatever is asked; answers its URL.
pub fn serve(world: &World, answers: Vec<(&'static str, Answer)>) -> String {
    let listener = world.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    world.runtime.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let answers = answers.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 16 << 10];
                let count = client.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..count]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default();
                let found = answers.iter().find(|(known, _)| *known == path);
                let (bytes, hangs) = match found {
                    Some((_, answer)) => (answer.bytes.clone(), answer.hangs),
                    None => (head("404 Not Found", 0, ""), false),
                };
                let _ = client.write_all(&bytes).await;
                if hangs {
                    tokio::time::sleep(Duration::from_secs(600)).await;
                }
            });
        }
    });
    url
}

/// The head of an answer.
pub fn head(status: &str, length: usize, more: &str) -> Vec<u8> {
    let close = "connection: close\r\n";
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{close}{more}\r\n").into_bytes()
}

/// An answer as it should be.
pub fn whole(body: &[u8]) -> Answer {
    Answer { bytes: [&head("200 OK", body.len(), ""), body].concat(), hangs: false }
}

fn half(body: &[u8], hangs: bool) -> Answer {
    let bytes = [&head("200 OK", body.len(), ""), &body[..body.len() / 2]].concat();
    Answer { bytes, hangs }
}

fn release() -> Vec<u8> {
    let mut zip = std::io::Cursor::new(Vec::new());
    Release::small(1).write(&mut zip).unwrap();
    zip.into_inner()
}

/// What is in the bucket.
pub fn keys(world: &World) -> Vec<String> {
    let list = world.s3().list_objects_v2().bucket("kiln").send();
    let listed = world.runtime.block_on(list).unwrap();
    listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

/// No object, no part of one, and no scratch file.
fn nothing_landed(world: &World, outcome: &Outcome) {
    assert!(keys(world).is_empty(), "{outcome}");
    // Where the endpoint keeps the parts of unfinished uploads.
    if let Ok(uploads) = std::fs::read_dir(world.folder.path().join("s3/.meta/kiln/uploads")) {
        assert_eq!(uploads.count(), 0, "{outcome}");
    }
    nothing_in_scratch(world, outcome);
}

/// No scratch file.
pub fn nothing_in_scratch(world: &World, outcome: &Outcome) {
    if let Ok(scratch) = std::fs::read_dir(world.folder.path().join("home/scratch")) {
        let left: Vec<_> = scratch.map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?} {outcome}");
    }
}

#[test]
fn a_url_lands_as_the_file_behind_it_also_after_a_redirect() {
    let world = World::new();
    let body = release();
    let moved = Answer {
        bytes: head("302 Found", 0, &format!("location: /real/{FILE}\r\n")),
        hangs: false,
    };
    let answers = vec![
        ("/real/SPUF_2026_20260701.zip", whole(&body)),
        ("/moved/SPUF_2026_20260701.zip?session=1", moved),
    ];
    let url = serve(&world, answers);
    for path in [format!("/real/{FILE}"), format!("/moved/{FILE}?session=1")] {
        let from = format!("{url}{path}");
        let dry = world.kiln(&["land", "druginfo", &from, "--dry-run"]).succeeds();
        nothing_landed(&world, &dry);
        let outcome = world.kiln(&["land", "druginfo", &from, "--json"]).succeeds();
        assert_eq!(outcome.json()[0]["size"], body.len(), "{outcome}");
        assert_eq!(std::fs::read(world.landed_file()).unwrap(), body);
        nothing_in_scratch(&world, &outcome);
        std::fs::remove_file(world.landed_file()).unwrap();
    }
}

#[test]
fn a_url_that_gives_no_whole_release_lands_nothing() {
    let mut world = World::new();
    world.environment.push(("KILN_S3_STALL".into(), "1".into()));
    let body = release();
    let mut flipped = body.clone();
    flipped[body.len() / 2] ^= 1;
    let endless = head("302 Found", 0, "location: /around/SPUF_2026_20260701.zip\r\n");
    let answers = vec![
        ("/short/SPUF_2026_20260701.zip", half(&body, false)),
        ("/stalls/SPUF_2026_20260701.zip", half(&body, true)),
        ("/silent/SPUF_2026_20260701.zip", Answer { bytes: Vec::new(), hangs: true }),
        ("/page/SPUF_2026_20260701.zip", whole(b"<html>Please log in</html>")),
        ("/flipped/SPUF_2026_20260701.zip", whole(&flipped)),
        ("/around/SPUF_2026_20260701.zip", Answer { bytes: endless, hangs: false }),
        ("/cut/SPUF_2026_20260701.zip", whole(&body[..body.len() - 100])),
    ];
    let url = serve(&world, answers);
    for (folder, code, said) in [
        ("none", 10, "404 Not Found"),
        ("short", 10, "end of file before message length reached"),
        ("stalls", 10, "timed out"),
        ("silent", 10, "timed out"),
        ("around", 10, "too many redirects"),
        ("page", 11, "is not landed: it is a page of the web (HTML or XML), not a zip archive"),
        ("cut", 11, "is not landed: is not a whole zip archive"),
        ("flipped", 11, "is not landed: "),
    ] {
        let from = format!("{url}/{folder}/{FILE}");
        let outcome = world.kiln(&["land", "druginfo", &from]).exits(code);
        outcome.says(&[said, "hint: "]);
        assert!(outcome.took < Duration::from_secs(20), "{outcome}");
        nothing_landed(&world, &outcome);
    }
    let outcome = world.kiln(&["land", "druginfo", &format!("{url}/real/readme.txt")]).exits(2);
    outcome.says(&["no source of druginfo reads a file named readme.txt", "hint: name it as CMS"]);
    let outcome = world.kiln(&["land", "druginfo", "http://127.0.0.1:1/SPUF_2026_20260701.zip"]);
    nothing_landed(&world, outcome.exits(10).says(&["download http://127.0.0.1:1/", "refused"]));
}

#[test]
fn files_land_under_the_names_that_cms_gives_them() {
    let mut world = World::new();
    world.root = crate::support::project();
    let cpsc = &["cpsc_contract_info", "enrollment_cpsc"][..];
    for (name, readers) in [
        ("cy2025-landscape-202506.1.zip", &["landscape"][..]),
        ("cy2026-landscape-202603.zip", &["landscape"]),
        ("cpsc-enrollment-2016-02.zip", cpsc),
        ("monthly-enrollment-cpsc-may-2026.zip", cpsc),
    ] {
        let path = world.folder.path().join(name);
        std::fs::write(&path, release()).unwrap();
        let place = path.to_string_lossy().into_owned();
        let outcome = world.kiln(&["land", "planinfo", "--dry-run", &place, "--json"]).succeeds();
        assert_eq!(outcome.json()[0]["readers"], serde_json::json!(readers), "{outcome}");
    }
}

/// Waits until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_download_that_is_stopped_leaves_nothing() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGKILL] {
        let world = World::new();
        let url = serve(&world, vec![("/SPUF_2026_20260701.zip", half(&release(), true))]);
        let running = world.kiln(&["land", "druginfo", &format!("{url}/{FILE}")]).start();
        let scratch = world.folder.path().join("home/scratch");
        until("the download has begun", || scratch.exists());
        running.signal(signal);
        let outcome = running.wait();
        let expected = match signal {
            Signal::SIGTERM => 143,
            Signal::SIGINT => 130,
            _ => -9,
        };
        assert_eq!(outcome.code, expected, "{outcome}");
        nothing_landed(&world, &outcome);
    }
}

/// A release that goes up in two parts: with a member that no source reads.
fn large_release(world: &World) -> String {
    let path = world.folder.path().join(FILE);
    std::fs::write(&path, release()).unwrap();
    let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    let mut zip = zip::ZipWriter::new_append(file).unwrap();
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("filler.bin", stored).unwrap();
    let piece = [7; 1 << 20];
    for _ in 0..66 {
        std::io::Write::write_all(&mut zip, &piece).unwrap();
    }
    zip.finish().unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn an_upload_that_is_stopped_leaves_no_object_and_no_parts() {
    for (silent, large) in [("partNumber=2", true), ("x-id=PutObject", false)] {
        let mut world = World::new();
        let path = large_release(&world);
        if !large {
            std::fs::write(&path, release()).unwrap();
        }
        let proxy = HttpProxy::start(&world.runtime, &world.s3_url);
        world.s3_url.clone_from(&proxy.url);
        proxy.rule(move |request| match request.target.contains(silent) {
            true => Mishap::Silent,
            false => Mishap::Pass,
        });
        let running = world.kiln(&["land", "druginfo", &path]).start();
        until("the upload hangs", || !proxy.hit().is_empty());
        running.signal(Signal::SIGTERM);
        let outcome = running.wait();
        assert_eq!(outcome.code, 143, "{outcome}");
        nothing_landed(&world, &outcome);
    }
}
