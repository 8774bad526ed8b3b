//! The parts of the hot loop, a core at a time: bytes and rows a second of split, of split with
//! validate and encode, of inflate, and of the digest that a member's proof asks for.
//!
//! `cargo bench --bench micro`, with `-- encode` behind it for one of them.

mod cases;

use std::io::{Cursor, Write as _};

use cases::{Case, NAMES};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use kiln::testing::fetch::verified::{ExpectedStream, VerifiedReader};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

fn main() {
    divan::main();
}

fn case(name: &str) -> Case {
    Case::new(name, if matches!(name, "wide" | "columns") { 2_000 } else { 40_000 })
}

/// Bytes to records.
#[divan::bench(args = NAMES)]
fn split(bencher: Bencher<'_, '_>, name: &str) {
    let case = case(name);
    bencher
        .counter(BytesCount::of_slice(&case.text))
        .counter(ItemsCount::new(case.rows))
        .bench_local(|| case.split());
}

/// Bytes to COPY's rows: split, validate, digest and encode.
#[divan::bench(args = NAMES)]
fn encode(bencher: Bencher<'_, '_>, name: &str) {
    let case = case(name);
    bencher
        .counter(BytesCount::of_slice(&case.text))
        .counter(ItemsCount::new(case.rows))
        .bench_local(|| case.encode());
}

/// A zip's member to its bytes; bytes a second of what comes out.
#[divan::bench(args = ["network", "wide"])]
fn inflate(bencher: Bencher<'_, '_>, name: &str) {
    let case = case(name);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("member.txt", SimpleFileOptions::default()).unwrap();
    writer.write_all(&case.text).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    bencher.counter(BytesCount::of_slice(&case.text)).bench_local(|| {
        let mut archive = ZipArchive::new(Cursor::new(archive.as_slice())).unwrap();
        drain(archive.by_index(0).unwrap())
    });
}

/// What the proof of completeness costs: the count and the sha256 of a member's bytes.
#[divan::bench]
fn digest(bencher: Bencher<'_, '_>) {
    let case = case("network");
    let size = case.text.len() as u64;
    let expected =
        ExpectedStream { size, compressed: size, bytes_max: size, crc: None, sha256: None };
    bencher.counter(BytesCount::of_slice(&case.text)).bench_local(|| {
        let mut verified = VerifiedReader::new(case.text.as_slice(), expected.clone(), |_| {});
        drain(&mut verified);
        verified.finish().unwrap()
    });
}

fn drain(mut input: impl std::io::Read) -> usize {
    let (mut piece, mut all) = (vec![0; 256 << 10], 0);
    loop {
        match input.read(&mut piece).unwrap() {
            0 => return all,
            read => all += read,
        }
    }
}
