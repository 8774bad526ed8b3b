//! Rows from one build into another, as they are stored: COPY in binary out of the one and into
//! the other, cut into rows on the way, so that they are counted and digested as the loader does
//! it: a build's digests can be read again out of its tables (not those of tables with jsonb, which
//! Postgres keeps in a form of its own). Memory is that of one chunk, one row,
//! and of a dictionary's digests.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_128;

use crate::encode;
use crate::error::{Exit, failure};
use crate::failpoint;
use crate::pg::{Session, data_error, db, stopped};
use crate::progress::Meter;

/// A chunk is handed on when it has grown to this.
const CHUNK: usize = 256 << 10;

/// Rows that went from one build to another, or that a build holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// How many.
    pub rows: u64,
    /// Bytes in binary form.
    pub bytes: u64,
    /// Wrapping sum of the rows' xxh3-128: the same in whatever order they come.
    pub digest: u128,
}

impl Stored {
    /// The digest as manifests write it.
    pub fn digest_hex(&self) -> String {
        format!("{:032x}", self.digest)
    }
}

/// The digests of a dictionary's sets, by their numbers.
pub type SetDigests = HashMap<i32, u128>;

/// Copies the rows of a query into a table's columns, inside the caller's transaction.
///
/// # Errors
/// The servers', or [`Exit::ChecksFailed`] when the two COPYs tell different counts.
pub async fn rows(
    from: &Session,
    query: &str,
    into: &Session,
    table_and_columns: &str,
    meter: &Meter,
    stop: &CancellationToken,
) -> anyhow::Result<Stored> {
    let sql = format!("copy {table_and_columns} from stdin (format binary)");
    let sink = into.copy_in::<_, Bytes>(&sql).await.map_err(db("begin COPY"))?;
    let mut sink = pin!(sink);
    let mut first = true;
    let stored = each_chunk(from, query, Rows::default(), meter, stop, async |chunk: Bytes| {
        sink.send(chunk).await.map_err(|error| data_error("COPY", &error))?;
        if std::mem::take(&mut first) {
            failpoint::hit(failpoint::COPY)?;
        }
        Ok(())
    })
    .await?;
    failpoint::hit(failpoint::COPY_FINISH)?;
    let copied = sink.finish().await.map_err(|error| data_error("COPY", &error))?;
    if copied != stored.rows {
        let message = format!("read {} rows, COPY stored {copied}", stored.rows);
        return Err(failure(Exit::ChecksFailed, message));
    }
    Ok(stored)
}

/// Reads the rows of a query and gives their count and digest: what a table really holds.
///
/// # Errors
/// The server's.
pub async fn read(from: &Session, query: &str, stop: &CancellationToken) -> anyhow::Result<Stored> {
    each_chunk(from, query, Rows::default(), &Meter::default(), stop, async |_| Ok(())).await
}

/// The same for a table whose first columns are numbers of sets: the digest is over what the sets
/// say, for their numbers are those of one night (see `validate::dictionary`).
///
/// # Errors
/// The server's, and [`Exit::ChecksFailed`] when a row has a number that its dictionary lacks.
pub async fn read_by_sets(
    from: &Session,
    query: &str,
    sets: Vec<SetDigests>,
    stop: &CancellationToken,
) -> anyhow::Result<Stored> {
    let rows = Rows { sets, ..Rows::default() };
    each_chunk(from, query, rows, &Meter::default(), stop, async |_| Ok(())).await
}

/// Reads the digests of a dictionary's sets; the query gives the number first, then the fields.
///
/// # Errors
/// The server's.
pub async fn set_digests(
    from: &Session,
    query: &str,
    stop: &CancellationToken,
) -> anyhow::Result<SetDigests> {
    let rows = Rows { collected: Some(SetDigests::new()), ..Rows::default() };
    let cut = cut_all(from, query, rows, &Meter::default(), stop, async |_| Ok(())).await?;
    Ok(cut.collected.unwrap_or_default())
}

/// Reads a query in binary form and hands its bytes on in chunks. The server's end of data is
/// the proof that the rows are complete; without the closing mark they are not.
async fn each_chunk(
    from: &Session,
    query: &str,
    rows: Rows,
    meter: &Meter,
    stop: &CancellationToken,
    hand_on: impl AsyncFnMut(Bytes) -> anyhow::Result<()>,
) -> anyhow::Result<Stored> {
    cut_all(from, query, rows, meter, stop, hand_on).await.map(|rows| rows.stored)
}

async fn cut_all(
    from: &Session,
    query: &str,
    mut rows: Rows,
    meter: &Meter,
    stop: &CancellationToken,
    mut hand_on: impl AsyncFnMut(Bytes) -> anyhow::Result<()>,
) -> anyhow::Result<Rows> {
    let sql = format!("copy ({query}) to stdout (format binary)");
    let stream = from.copy_out(&sql).await.map_err(db("begin COPY TO"))?;
    let mut stream = pin!(stream);
    let mut chunk = BytesMut::with_capacity(CHUNK + CHUNK / 4);
    loop {
        let message = tokio::select! {
            message = stream.next() => message,
            () = stop.cancelled() => {
                from.canceller().cancel().await;
                return Err(stopped());
            }
        };
        let Some(message) = message else { break };
        let bytes = message.map_err(|error| data_error("COPY TO", &error))?;
        let before = rows.stored.rows;
        rows.take(&bytes)?;
        chunk.extend_from_slice(&bytes);
        meter.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        meter.rows.fetch_add(rows.stored.rows - before, Ordering::Relaxed);
        if chunk.len() >= CHUNK {
            hand_on(chunk.split().freeze()).await?;
            chunk.reserve(CHUNK + CHUNK / 4);
        }
    }
    hand_on(chunk.freeze()).await?;
    rows.end()
}

/// Where the reader of a binary COPY stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Header,
    Row,
    End,
}

/// Cuts a binary COPY into its rows, however its bytes come.
#[derive(Default)]
struct Rows {
    state: State,
    /// The beginning of a row whose end has not come yet.
    held: BytesMut,
    stored: Stored,
    /// Digests that stand in a row's digest for its first fields.
    sets: Vec<SetDigests>,
    /// Where the rows are sets themselves: their digests.
    collected: Option<SetDigests>,
}

impl Rows {
    fn take(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        if self.held.is_empty() {
            let used = self.cut(bytes)?;
            self.held.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        let used = self.cut(&held)?;
        self.held.extend_from_slice(&held[used..]);
        Ok(())
    }

    /// Takes the whole rows at the beginning; how many bytes that were.
    fn cut(&mut self, bytes: &[u8]) -> anyhow::Result<usize> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let length = match self.state {
                State::Header => match header(rest)? {
                    Some(length) => {
                        self.state = State::Row;
                        length
                    }
                    None => return Ok(at),
                },
                State::Row if rest.starts_with(&encode::TRAILER) => {
                    self.state = State::End;
                    encode::TRAILER.len()
                }
                State::Row => match row(rest)? {
                    Some(length) => {
                        self.stored.rows += 1;
                        let digest = self.digest(&rest[..length])?;
                        self.stored.digest = self.stored.digest.wrapping_add(digest);
                        length
                    }
                    None => return Ok(at),
                },
                State::End if rest.is_empty() => return Ok(at),
                State::End => return Err(broken()),
            };
            self.stored.bytes += length as u64;
            at += length;
        }
    }

    /// A row's digest. `row` is whole.
    fn digest(&mut self, row: &[u8]) -> anyhow::Result<u128> {
        if let Some(collected) = &mut self.collected {
            let (number, fields) = number(&row[2..]).ok_or_else(broken)?;
            collected.insert(number, xxh3_128(fields));
        }
        if self.sets.is_empty() {
            return Ok(xxh3_128(row));
        }
        let mut rest = &row[2..];
        let mut digested = Vec::with_capacity(self.sets.len() * 16 + rest.len());
        for sets in &self.sets {
            let (key, behind) = number(rest).ok_or_else(broken)?;
            let known = sets.get(&key).ok_or_else(|| {
                failure(Exit::ChecksFailed, format!("a row has set {key}, its dictionary has not"))
            })?;
            digested.extend_from_slice(&known.to_le_bytes());
            rest = behind;
        }
        digested.extend_from_slice(rest);
        Ok(xxh3_128(&digested))
    }

    fn end(self) -> anyhow::Result<Rows> {
        match self.state {
            State::End => Ok(self),
            _ => Err(broken()),
        }
    }
}

/// The smallint or integer field that bytes begin with, and what is behind it.
fn number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    match integer(bytes, 0)? {
        2 => {
            let two = bytes.get(4..6)?;
            Some((i32::from(i16::from_be_bytes([two[0], two[1]])), &bytes[6..]))
        }
        4 => Some((integer(bytes, 4)?, &bytes[8..])),
        _ => None,
    }
}

fn broken() -> anyhow::Error {
    failure(Exit::Database, "the server's binary COPY is not of the form that it is to have")
}

fn integer(bytes: &[u8], at: usize) -> Option<i32> {
    let four = bytes.get(at..at + 4)?;
    Some(i32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// The length of the header with its extension, once it is all there.
fn header(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    const SIGNATURE: usize = 11;
    let signature = bytes.len().min(SIGNATURE);
    if bytes[..signature] != encode::HEADER[..signature] {
        return Err(broken());
    }
    let Some(extension) = integer(bytes, SIGNATURE + 4) else { return Ok(None) };
    let extension = usize::try_from(extension).map_err(|_| broken())?;
    let length = encode::HEADER.len() + extension;
    Ok((bytes.len() >= length).then_some(length))
}

/// The length of the row that begins here, once it is all there.
fn row(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(count) = bytes.get(..2) else { return Ok(None) };
    let fields = i16::from_be_bytes([count[0], count[1]]);
    let mut at = 2;
    for _ in 0..u16::try_from(fields).map_err(|_| broken())? {
        let Some(length) = integer(bytes, at) else { return Ok(None) };
        at += 4;
        match length {
            -1 => {}
            _ => at += usize::try_from(length).map_err(|_| broken())?,
        }
    }
    Ok((bytes.len() >= at).then_some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows() -> (Vec<u8>, u128) {
        let mut bytes = encode::HEADER.to_vec();
        let mut digest = 0_u128;
        for text in ["a", "a longer one"] {
            let start = bytes.len();
            encode::begin_row(&mut bytes, 2);
            encode::null(&mut bytes);
            encode::text(&mut bytes, text, None).expect("short");
            digest = digest.wrapping_add(xxh3_128(&bytes[start..]));
        }
        bytes.extend_from_slice(&encode::TRAILER);
        (bytes, digest)
    }

    #[test]
    fn rows_are_cut_alike_in_whatever_pieces_they_come() {
        let (bytes, digest) = two_rows();
        for size in 1..=bytes.len() {
            let mut rows = Rows::default();
            for piece in bytes.chunks(size) {
                rows.take(piece).expect("well formed");
            }
            let stored = rows.end().expect("complete").stored;
            let expected = Stored { rows: 2, bytes: bytes.len() as u64, digest };
            assert_eq!(stored, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_rows_digest_is_over_what_its_sets_say_and_not_over_their_numbers() {
        let read = |number: i32, rows: &mut Rows| {
            let mut bytes = encode::HEADER.to_vec();
            encode::begin_row(&mut bytes, 2);
            encode::number(&mut bytes, number, encode::ColumnType::Int2);
            encode::text(&mut bytes, "x", None).expect("short");
            bytes.extend_from_slice(&encode::TRAILER);
            rows.take(&bytes).expect("well formed");
        };
        let digest = |number: i32| {
            let sets = vec![SetDigests::from([(number, 77)])];
            let mut rows = Rows { sets, ..Rows::default() };
            read(number, &mut rows);
            rows.end().expect("complete").stored.digest
        };
        assert_eq!(digest(1), digest(300));
        let mut sets = Rows { collected: Some(SetDigests::new()), ..Rows::default() };
        read(5, &mut sets);
        let mut field = Vec::new();
        encode::text(&mut field, "x", None).expect("short");
        let collected = sets.end().expect("complete").collected.expect("sets");
        assert_eq!(collected, SetDigests::from([(5, xxh3_128(&field))]));
    }

    #[test]
    fn what_is_cut_short_or_goes_on_behind_its_end_is_refused() {
        let (bytes, _) = two_rows();
        for length in 0..bytes.len() {
            let mut rows = Rows::default();
            rows.take(&bytes[..length]).expect("a beginning");
            assert!(rows.end().is_err(), "{length} bytes");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(Rows::default().take(&longer).is_err());
        assert!(Rows::default().take(b"COPY").is_err());
    }
}
