//! What `kiln land` is given and does not land: answers that are no file, files that are something
//! else than their names say, places that are no files at all.

use std::time::Duration;

use super::tiny::{CSV, Tiny, ZIPPED};
use crate::fetch::landing::{Answer, head, keys, nothing_in_scratch, serve, whole};
use crate::support::{Kiln, Outcome};

const FILE: &str = "item_20260701.csv";
const TEXT: &[u8] = b"code,name,amount,count\na,A,1.00,1\n";
/// What stands in the bucket before anything lands.
const OTHER: &str = "tiny/2026-07-02/other.csv";

/// The landing is refused, soon, and nothing landed.
fn refused(tiny: &Tiny, mut kiln: Kiln, code: i32, said: &[&str]) -> Outcome {
    let before = keys(&tiny.world);
    let outcome = kiln.env("KILN_S3_STALL", "1").exits(code);
    outcome.says(said).says(&["\nhint: "]);
    assert!(outcome.took < Duration::from_secs(20), "{outcome}");
    assert_eq!(keys(&tiny.world), before, "{outcome}");
    nothing_in_scratch(&tiny.world, &outcome);
    outcome
}

fn land(tiny: &Tiny, place: &str) -> Kiln {
    tiny.world.kiln(&["land", "tiny", place])
}

/// An answer without a length, that ends with the connection.
fn unframed(body: &[u8]) -> Answer {
    let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    Answer { bytes: [&head[..], body].concat(), hangs: false }
}

fn redirect(to: &str) -> Answer {
    let more = format!("location: {to}\r\n");
    Answer { bytes: head("302 Found", 0, &more), hangs: false }
}

#[test]
fn an_answer_that_is_no_file_lands_nothing() {
    let tiny = Tiny::new(CSV);
    let page = b"<!DOCTYPE html><html>Please log in</html>";
    let html = [&head("200 OK", TEXT.len(), "content-type: text/html; charset=utf-8\r\n"), TEXT];
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let cut = format!("{chunked}10\r\ncode,name,amount\r\n");
    let part = [&head("206 Partial Content", TEXT.len(), ""), TEXT].concat();
    let answers = vec![
        ("/file/item_20260701.csv", redirect("file:///etc/passwd")),
        ("/ftp/item_20260701.csv", redirect("ftp://127.0.0.1/item_20260701.csv")),
        ("/data/item_20260701.csv", redirect("data:text/csv,code%0Aa")),
        ("/nowhere/item_20260701.csv", Answer { bytes: head("302 Found", 0, ""), hangs: false }),
        ("/page/item_20260701.csv", whole(page)),
        ("/html/item_20260701.csv", Answer { bytes: html.concat(), hangs: false }),
        ("/empty/item_20260701.csv", whole(b"")),
        ("/none/item_20260701.csv", Answer { bytes: head("204 No Content", 0, ""), hangs: false }),
        ("/part/item_20260701.csv", Answer { bytes: part, hangs: false }),
        ("/unframed/item_20260701.csv", unframed(&TEXT[..20])),
        ("/cut/item_20260701.csv", Answer { bytes: cut.into_bytes(), hangs: false }),
        ("/real/item_20260701.csv", whole(TEXT)),
    ];
    let url = serve(&tiny.world, answers);
    for (folder, code, said) in [
        ("file", 10, "/file/item_20260701.csv: "),
        ("ftp", 10, "/ftp/item_20260701.csv: "),
        ("data", 10, "/data/item_20260701.csv: "),
        ("nowhere", 10, "the server answered 302 Found and no file"),
        ("page", 11, "is not landed: it is a page of the web (HTML or XML), not the file"),
        ("html", 11, "the server sent a page of the web (HTML), not the file"),
        ("empty", 10, "the server sent nothing"),
        ("none", 10, "the server answered 204 No Content and no file"),
        ("part", 10, "the server answered 206 Partial Content and no file"),
        ("unframed", 10, "does not say how long the file is"),
        ("cut", 10, "/cut/item_20260701.csv: "),
    ] {
        refused(&tiny, land(&tiny, &format!("{url}/{folder}/{FILE}")), code, &[said]);
    }
    assert_eq!(keys(&tiny.world), [OTHER]);
    land(&tiny, &format!("{url}/real/{FILE}")).succeeds();
    assert_eq!(keys(&tiny.world).len(), 2);
}

#[test]
fn a_zip_without_a_length_lands_for_its_end_tells_that_it_is_whole() {
    let tiny = Tiny::new(ZIPPED);
    let zip = super::zips::zip(&[("item.txt", b"code|name|amount|count\r\na|A|1.00|1\r\n")]);
    let answers = vec![
        ("/item_20260701.zip", unframed(&zip)),
        ("/cut/item_20260701.zip", unframed(&zip[..zip.len() / 2])),
    ];
    let url = serve(&tiny.world, answers);
    let cut = land(&tiny, &format!("{url}/cut/item_20260701.zip"));
    refused(&tiny, cut, 11, &["item_20260701.zip is not landed: is not a whole zip archive"]);
    land(&tiny, &format!("{url}/item_20260701.zip")).succeeds();
}

#[test]
fn a_server_that_drips_is_given_up() {
    use std::io::{Read as _, Write as _};
    let tiny = Tiny::new(CSV);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{FILE}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 4096]);
        let _ = client.write_all(&head("200 OK", 1_000_000, ""));
        while client.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    refused(&tiny, land(&tiny, &url), 10, &["less than 1024 bytes a second for 3 s"]);
}

#[test]
fn names_in_urls_are_decoded_and_a_name_that_is_none_is_refused() {
    let tiny = Tiny::new(&CSV.replace("item_(", "item one_("));
    let url = serve(&tiny.world, vec![("/a/item%20one_20260701.csv", whole(TEXT))]);
    land(&tiny, &format!("{url}/a/item%20one_20260701.csv")).succeeds();
    let landed = keys(&tiny.world).into_iter().find(|key| key != OTHER).unwrap();
    assert!(landed.ends_with("/item one_20260701.csv"), "{landed}");
    for name in ["item%0Aone_20260701.csv", "..%2Fitem%20one_20260701.csv", "%ff.csv", ""] {
        let place = format!("{url}/a/{name}");
        refused(&tiny, land(&tiny, &place), 2, &["its name cannot be a file's"]);
    }
    for place in ["file:///etc/passwd", "s3://kiln/x.csv", "ftp://127.0.0.1/x.csv"] {
        refused(&tiny, land(&tiny, place), 2, &["is not a place that kiln lands files from"]);
    }
}

#[test]
fn a_local_file_of_another_kind_says_what_it_is() {
    let tiny = Tiny::new(ZIPPED);
    let at = |name: &str| tiny.world.folder.path().join(name);
    let zip = super::zips::zip(&[("item.txt", b"code|name|amount|count\r\na|A|1.00|1\r\n")]);
    for (bytes, said, hint) in [
        (&b"code|name|amount|count\r\n"[..], "it is a text, not a zip archive", "as it was posted"),
        (b"", "it is empty, not a zip archive", "download it again"),
        (b"\x1f\x8b\x08\0", "it is a gzip file, not a zip archive", "as it was posted"),
        (b"<html>", "it is a page of the web (HTML or XML), not a zip archive", "in a browser"),
        (
            &zip[..zip.len() - 9],
            "is not a whole zip archive: ",
            "get the file again from where it was posted",
        ),
    ] {
        std::fs::write(at("item_20260701.zip"), bytes).unwrap();
        let place = at("item_20260701.zip");
        refused(&tiny, land(&tiny, &place.to_string_lossy()), 11, &[said, hint]);
        // The same of what landed past `kiln land`, in the night and in a trial.
        tiny.refuses("item_20260701.zip", bytes, 11, &[said.trim_start_matches("it ")]);
        let check = ["source", "check", "tiny", "item", &place.to_string_lossy()];
        tiny.world.kiln(&check).exits(11).says(&[said.trim_start_matches("it "), hint]);
    }
    let csv = Tiny::new(CSV);
    for (bytes, said) in [
        (&zip[..], "it is a zip archive, and not called so"),
        (b"\x1f\x8b\x08\0", "it is a gzip file, and not called so"),
        (b"%PDF-1.7", "it is a PDF document, and not called so"),
        (b"<!doctype html>", "it is a page of the web (HTML or XML), not the file"),
        (b"", "it is empty"),
    ] {
        let place = csv.world.folder.path().join(FILE);
        std::fs::write(&place, bytes).unwrap();
        refused(&csv, land(&csv, &place.to_string_lossy()), 11, &[FILE, " is not landed: ", said]);
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let tiny = Tiny::new(CSV);
    let place = tiny.world.folder.path().join(FILE);
    let shown = place.to_string_lossy().into_owned();
    let said = |kiln: &Kiln, code: i32, what: &str| {
        let outcome = kiln.exits(code);
        outcome.says(&[what]);
        assert!(outcome.took < Duration::from_secs(10), "{outcome}");
    };
    let pipe = |path: &std::path::Path| {
        nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    };
    pipe(&place);
    said(&land(&tiny, &shown), 10, "it is a named pipe, not a file");
    std::fs::remove_file(&place).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &place).unwrap();
    said(&land(&tiny, &shown), 10, "it is a device, not a file");
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    said(&land(&tiny, &shown), 10, "it is a directory, not a file");
    assert_eq!(keys(&tiny.world), [OTHER]);
}
