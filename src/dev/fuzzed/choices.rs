//! An input's first bytes choose how the rest is read; and in what pieces it arrives.

use std::io::Read;
use std::sync::LazyLock;

use regex::Regex;

use crate::spec::source::{Encoding, Format, Header, Quoting};

/// The bytes that choose.
pub(super) const CHOICES: usize = 3;

/// What an input's first bytes choose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choices([u8; CHOICES]);

impl Choices {
    /// Takes them off an input.
    pub(super) fn of(data: &[u8]) -> Option<(Choices, &[u8])> {
        let (choices, rest) = data.split_first_chunk()?;
        Some((Choices(*choices), rest))
    }

    /// Whether this bit of the first two bytes is set.
    pub(super) fn bit(self, bit: u32) -> bool {
        u16::from_le_bytes([self.0[0], self.0[1]]) >> bit & 1 == 1
    }

    /// One of these by two bits.
    pub(super) fn of_four<T: Copy>(self, bit: u32, all: [T; 4]) -> T {
        all[usize::from(self.bit(bit)) + 2 * usize::from(self.bit(bit + 1))]
    }

    /// How text is cut: every word of a spec's `[format]`.
    pub(super) fn format(self) -> Format {
        static BEGINS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^(ID|A|PLAN)$").ok());
        let quoted = self.bit(2);
        let header = match (self.of_four(8, [1, 0, 2, 9]), &*BEGINS) {
            (9, Some(begins)) => Header::Begins(begins.clone()),
            (rows, _) => Header::Rows(rows),
        };
        let encodings =
            [Encoding::Utf8, Encoding::Windows1252, Encoding::Utf8OrWindows1252, Encoding::Ascii];
        Format {
            delimiter: self.of_four(0, [b',', b'|', b'\t', b';']),
            quoting: if quoted { Quoting::Double } else { Quoting::None },
            multiline: quoted && self.bit(3),
            trailing: self.bit(4),
            encoding: self.of_four(6, encodings),
            header,
            nulls: if self.bit(10) { vec![" ".to_owned()] } else { vec![String::new()] },
            final_newline_required: self.bit(11),
            header_only_allowed: true,
            any_order: self.bit(12),
        }
    }

    /// A number below this one.
    pub(super) fn below(self, count: usize) -> usize {
        usize::from(self.0[2]) % count
    }

    /// The bytes in pieces.
    pub(super) fn pieces(self, bytes: &[u8]) -> PieceReader<'_> {
        PieceReader { rest: bytes, state: u32::from(self.0[2]) }
    }
}

/// A reader that gives its bytes in pieces of a few.
pub(super) struct PieceReader<'a> {
    rest: &'a [u8],
    state: u32,
}

impl Read for PieceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // A generator of Knuth's: any order of small and larger pieces, the same for the same input.
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = 1 + (self.state >> 24) as usize % 37;
        let count = size.min(self.rest.len()).min(buffer.len());
        let (piece, rest) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(piece);
        self.rest = rest;
        Ok(count)
    }
}
