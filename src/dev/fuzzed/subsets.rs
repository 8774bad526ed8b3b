//! Subset files: text that anybody may have changed. Bytes are a whole file or an error, packed or not and
//! in whatever pieces; rows are counted as they are handed on; and no name of it reaches SQL as anything
//! but a name.

use std::cell::RefCell;
use std::io::{Cursor, Write as _};
use std::path::Path;

use super::stands;
use crate::config::strict::Problems;
use crate::export::file::{FileEvent, FileHeader, read_from, refuse_names};
use crate::postgres::Ident;
use crate::spec::schema::SchemaLock;

/// Bytes that a packed file may become before a fuzzer has seen enough of it.
const INFLATED_MAX: usize = 64 << 20;

/// Any bytes as a file that `kiln subset --to` wrote.
pub fn subsets(data: &[u8]) {
    let whole = read(Cursor::new(data.to_vec()));
    let step = 2 + data.last().map_or(0, |last| usize::from(*last % 64));
    let slow = read(Slow { data: data.to_vec(), at: 0, step });
    // Of a damaged packed file, what could be read before the damage hangs on the pieces.
    if whole.error.is_none() || !data.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(whole, slow, "in pieces it is read otherwise");
    }
    assert_eq!(whole.error.is_none(), slow.error.is_none());
    if !data.starts_with(&[0x1f, 0x8b]) {
        let packed = packed(data);
        assert!(packed.is_ok(), "{packed:?}");
        let read = read(Cursor::new(packed.unwrap_or_default()));
        assert_eq!(whole, read, "packed it is read otherwise");
    }
    if let Some(header) = &whole.header {
        is_complete(header, &whole.pieces);
        stands(is_lock(header));
        is_named(header);
    }
}

/// What was read of a file.
#[derive(Debug, Default, PartialEq)]
struct Read {
    header: Option<FileHeader>,
    error: Option<String>,
    /// Rows that were handed on one after another are one piece here.
    pieces: Vec<FileEvent>,
}

fn read(input: impl std::io::Read + 'static) -> Read {
    let pieces = RefCell::new((Vec::<FileEvent>::new(), 0));
    let outcome = read_from(input, &|piece| {
        let (pieces, bytes) = &mut *pieces.borrow_mut();
        *bytes += match &piece {
            FileEvent::Rows(rows) => rows.len(),
            FileEvent::Sql(_, _, sql) => sql.len(),
            FileEvent::Table(_) | FileEvent::TableEnd(_) => 1,
        };
        anyhow::ensure!(*bytes < INFLATED_MAX, "enough of it");
        match (pieces.last_mut(), piece) {
            (Some(FileEvent::Rows(before)), FileEvent::Rows(rows)) => {
                *before = [before.as_ref(), rows.as_ref()].concat().into();
            }
            (_, piece) => pieces.push(piece),
        }
        Ok(())
    });
    let (pieces, _) = pieces.into_inner();
    match outcome {
        Ok(header) => Read { header: Some(header), error: None, pieces },
        Err(error) => Read { header: None, error: Some(error.to_string()), pieces },
    }
}

/// A reader that gives a fixed number of bytes at a time.
struct Slow {
    data: Vec<u8>,
    at: usize,
    step: usize,
}

impl std::io::Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.data[self.at..];
        let count = rest.len().min(self.step).min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

fn packed(data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(data)?;
    packer.finish()
}

/// A file without an error has all of the header's tables, and as many rows as it says it gave.
fn is_complete(header: &FileHeader, pieces: &[FileEvent]) {
    let mut tables = header.tables.iter();
    let mut rest = pieces.iter();
    while let Some(piece) = rest.next() {
        let FileEvent::Table(name) = piece else {
            assert!(matches!(piece, FileEvent::Sql(..)), "{piece:?}");
            continue;
        };
        assert_eq!(Some(name), tables.next().map(|entry| &entry.table));
        let (rows, end) = (rest.next(), rest.next());
        let whole = matches!((rows, end), (Some(FileEvent::Rows(_)), Some(FileEvent::TableEnd(_))));
        assert!(whole, "{rows:?}, {end:?} in the place of rows and their end");
        let (Some(FileEvent::Rows(rows)), Some(FileEvent::TableEnd(count))) = (rows, end) else {
            return;
        };
        assert_eq!(memchr::memchr_iter(b'\n', rows).count() as u64, *count);
        assert!(rows.is_empty() || rows.last() == Some(&b'\n'));
        assert!(rows.split(|byte| *byte == b'\n').all(|row| row != b"\\."), "the end is a row");
    }
    assert_eq!(tables.next(), None);
}

fn is_lock(header: &FileHeader) -> anyhow::Result<()> {
    let (lock, problems) = (header.lock(), Problems::default());
    assert!(lock.serves_from <= lock.version);
    let again = SchemaLock::parse(Path::new("schema.lock"), &lock.render(), &problems);
    // A version 0 serves nobody, and a fingerprint is hexadecimal where kiln wrote it.
    if problems.count() == 0 {
        assert_eq!(again, Some(lock));
    }
    let text = serde_json::to_string(header)?;
    assert_eq!(serde_json::from_str::<FileHeader>(&text)?, *header);
    Ok(())
}

/// What `kiln restore` lets pass is names alone.
fn is_named(header: &FileHeader) {
    if refuse_names(header).is_err() {
        return;
    }
    assert!(Ident::parse(&header.database).is_some());
    for table in &header.tables {
        let quoted = |name: &String| format!("\"{name}\"");
        let columns: Vec<String> = table.columns.iter().map(quoted).collect();
        let expected = format!("copy \"{}\" ({}) from stdin", table.table, columns.join(", "));
        assert_eq!(table.copy_sql(), expected);
        for name in table.columns.iter().chain([&table.table]) {
            assert!(Ident::parse(name).is_some(), "{name:?} reaches SQL");
        }
    }
}
