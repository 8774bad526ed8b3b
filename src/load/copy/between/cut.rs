//! A binary COPY cut into its rows, for their count and digest.

use bytes::BytesMut;
use xxhash_rust::xxh3::xxh3_128;

use super::{Numbered, Places, SetDigests, Stored};
use crate::error::{Exit, failure};
use crate::load::encode::{self, slots};
use crate::spec::source::Pack;

/// Where the reader of a binary COPY stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum CutState {
    #[default]
    Header,
    Row,
    End,
}

/// Cuts a binary COPY into its rows, however its bytes come.
#[derive(Default)]
pub(super) struct RowCutter {
    state: CutState,
    /// The beginning of a row whose end has not come yet.
    held: BytesMut,
    pub(super) stored: Stored,
    /// Rows of the COPY; packed, they are more.
    pub(super) cut: u64,
    /// What the rows' numbers stand for.
    numbered: Numbered,
    /// Where the rows are sets themselves: their digests.
    pub(super) collected: Option<SetDigests>,
    /// What the row's digest is over, where sets stand in it.
    digested: Vec<u8>,
}

impl RowCutter {
    /// Rows that are numbers of these sets.
    pub(super) fn by(numbered: Numbered) -> RowCutter {
        RowCutter { numbered, ..RowCutter::default() }
    }

    /// Rows that are sets themselves.
    pub(super) fn collecting() -> RowCutter {
        RowCutter { collected: Some(SetDigests::default()), ..RowCutter::default() }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
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
                CutState::Header => match header(rest)? {
                    Some(length) => {
                        self.state = CutState::Row;
                        length
                    }
                    None => return Ok(at),
                },
                CutState::Row if rest.starts_with(&encode::TRAILER) => {
                    self.state = CutState::End;
                    encode::TRAILER.len()
                }
                CutState::Row => match row(rest)? {
                    Some(length) => {
                        self.cut += 1;
                        self.count(&rest[..length])?;
                        length
                    }
                    None => return Ok(at),
                },
                CutState::End if rest.is_empty() => return Ok(at),
                CutState::End => return Err(broken()),
            };
            self.stored.bytes += length as u64;
            at += length;
        }
    }

    /// Counts and digests what a row says. `row` is whole.
    fn count(&mut self, row: &[u8]) -> anyhow::Result<()> {
        if let Some(collected) = &mut self.collected {
            let (number, fields) = number(&row[2..]).ok_or_else(broken)?;
            collected.insert(number, xxh3_128(fields));
        }
        let digest = match (self.numbered.pack, self.numbered.sets.is_empty()) {
            (Some(pack), false) => {
                let (rows, digest) = packed(row, pack, &self.numbered.sets)?;
                self.stored.rows += rows;
                self.stored.digest = self.stored.digest.wrapping_add(digest);
                return Ok(());
            }
            (_, true) => xxh3_128(row),
            (None, false) => self.digest(row)?,
        };
        self.stored.rows += 1;
        self.stored.digest = self.stored.digest.wrapping_add(digest);
        Ok(())
    }

    /// The digest of a row whose first fields are numbers of sets.
    fn digest(&mut self, row: &[u8]) -> anyhow::Result<u128> {
        let mut rest = &row[2..];
        self.digested.clear();
        for sets in self.numbered.sets.iter() {
            let (key, behind) = number(rest).ok_or_else(broken)?;
            self.digested.extend_from_slice(&set_digest(sets, key)?.to_le_bytes());
            rest = behind;
        }
        self.digested.extend_from_slice(rest);
        Ok(xxh3_128(&self.digested))
    }

    pub(super) fn end(self) -> anyhow::Result<RowCutter> {
        match self.state {
            CutState::End => Ok(self),
            _ => Err(broken()),
        }
    }
}

/// What stands in a digest for a set's number.
fn set_digest(sets: &SetDigests, number: i32) -> anyhow::Result<u128> {
    sets.get(number).ok_or_else(|| {
        failure(Exit::ChecksFailed, format!("a row has set {number}, its dictionary has not"))
    })
}

/// How many of the file's rows a packed one holds, and the sum of their digests.
fn packed(row: &[u8], pack: Places, sets: &[SetDigests]) -> anyhow::Result<(u64, u128)> {
    const DIGEST: usize = size_of::<u128>();
    let (block, rest) = number(&row[2..]).ok_or_else(broken)?;
    let (_piece, rest) = number(rest).ok_or_else(broken)?;
    let (by, rest) = number(rest).ok_or_else(broken)?;
    let (values, _) = slots::read(rest).ok_or_else(broken)?;
    let mut digested = [0; 3 * DIGEST];
    let mut put = |dictionary: usize, number: i32| {
        let digest = set_digest(&sets[dictionary], number)?.to_le_bytes();
        digested[dictionary * DIGEST..][..DIGEST].copy_from_slice(&digest);
        anyhow::Ok(xxh3_128(&digested))
    };
    put(pack.by, by)?;
    let (mut rows, mut digest) = (0, 0_u128);
    for (place, value) in values {
        // Views look for a row by its block: one in another would not be found.
        if place / Pack::BLOCK != block {
            let message = format!("a row of block {block} has place {place}, which is not in it");
            return Err(failure(Exit::ChecksFailed, message));
        }
        put(pack.at, place)?;
        digest = digest.wrapping_add(put(pack.of, value)?);
        rows += 1;
    }
    Ok((rows, digest))
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
    use std::sync::Arc;

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
            let mut rows = RowCutter::default();
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
        let read = |number: i32, rows: &mut RowCutter| {
            let mut bytes = encode::HEADER.to_vec();
            encode::begin_row(&mut bytes, 2);
            encode::number(&mut bytes, number, encode::ColumnType::Int2);
            encode::text(&mut bytes, "x", None).expect("short");
            bytes.extend_from_slice(&encode::TRAILER);
            rows.take(&bytes).expect("well formed");
        };
        let digest = |number: i32| {
            let mut rows = RowCutter::by(Numbered {
                sets: [SetDigests::from_iter([(number, 77)])].into(),
                pack: None,
            });
            read(number, &mut rows);
            rows.end().expect("complete").stored.digest
        };
        assert_eq!(digest(1), digest(300));
        let mut sets = RowCutter { collected: Some(SetDigests::default()), ..RowCutter::default() };
        read(5, &mut sets);
        let mut field = Vec::new();
        encode::text(&mut field, "x", None).expect("short");
        let collected = sets.end().expect("complete").collected.expect("sets");
        assert_eq!(collected, SetDigests::from_iter([(5, xxh3_128(&field))]));
    }

    #[test]
    fn a_packed_row_is_as_many_as_it_holds_and_digested_as_each_would_be() {
        let pack = Places { by: 1, at: 0, of: 2 };
        let sets: Arc<[SetDigests]> = [10, 20, 30]
            .map(|base| SetDigests::from_iter((1..4).map(|id| (id, base + id as u128))))
            .into();
        let numbered = |pack| Numbered { sets: Arc::clone(&sets), pack };
        let mut bytes = encode::HEADER.to_vec();
        encode::begin_row(&mut bytes, 4);
        encode::number(&mut bytes, 0, encode::ColumnType::Int4);
        encode::number(&mut bytes, 7, encode::ColumnType::Int4);
        encode::number(&mut bytes, 2, encode::ColumnType::Int2);
        slots::write(&mut bytes, 1, &[3, 0, 1]);
        bytes.extend_from_slice(&encode::TRAILER);
        let mut packed = RowCutter::by(numbered(Some(pack)));
        packed.take(&bytes).expect("well formed");
        assert_eq!((packed.cut, packed.stored.rows), (1, 2));
        // The same rows, one by one: pharmacy, plan, terms.
        let mut bytes = encode::HEADER.to_vec();
        for row in [[1, 2, 3], [3, 2, 1]] {
            encode::begin_row(&mut bytes, 3);
            row.iter().for_each(|no| encode::number(&mut bytes, *no, encode::ColumnType::Int4));
        }
        bytes.extend_from_slice(&encode::TRAILER);
        let mut single = RowCutter::by(numbered(None));
        single.take(&bytes).expect("well formed");
        assert_eq!((single.cut, single.stored.rows), (2, 2));
        assert_eq!(packed.stored.digest, single.stored.digest);
        // A number that no set has.
        let mut bytes = encode::HEADER.to_vec();
        encode::begin_row(&mut bytes, 4);
        [0, 0, 2].iter().for_each(|no| encode::number(&mut bytes, *no, encode::ColumnType::Int4));
        slots::write(&mut bytes, 1, &[9]);
        assert!(RowCutter::by(numbered(Some(pack))).take(&bytes).is_err());
    }

    #[test]
    fn what_is_cut_short_or_goes_on_behind_its_end_is_refused() {
        let (bytes, _) = two_rows();
        for length in 0..bytes.len() {
            let mut rows = RowCutter::default();
            rows.take(&bytes[..length]).expect("a beginning");
            assert!(rows.end().is_err(), "{length} bytes");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(RowCutter::default().take(&longer).is_err());
        assert!(RowCutter::default().take(b"COPY").is_err());
    }
}
