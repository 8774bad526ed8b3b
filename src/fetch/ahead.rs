//! Reading ahead: what inflates and hashes a file is a thread of its own, while what was read before
//! becomes rows. So one file keeps two cores busy, and files may be read in order without loss.

use std::io::{ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::verified::VerifiedReader;

/// Bytes that are handed over at a time.
const PIECE: usize = 256 << 10;
/// Pieces that wait.
const WAITING: usize = 2;

/// The text of a file whose bytes another thread reads.
pub(crate) struct Ahead {
    full: Receiver<std::io::Result<Vec<u8>>>,
    /// Pieces that are read take their memory back.
    empty: SyncSender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

/// Reads `input` in another thread while `use_it` reads what came of it; then the input is given back,
/// for its verdict.
///
/// # Errors
/// When `use_it` fails; the input's errors reach it as it reads.
pub(crate) fn ahead<R: Read + Send, T>(
    mut input: VerifiedReader<R>,
    use_it: impl FnOnce(Ahead) -> anyhow::Result<T>,
) -> anyhow::Result<(T, VerifiedReader<R>)> {
    let (send_full, full) = sync_channel(WAITING);
    let (empty, take_empty) = sync_channel(WAITING + 1);
    let span = tracing::Span::current();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("read ahead".to_owned());
        let thread = thread.spawn_scoped(scope, move || {
            span.in_scope(|| fill(&mut input, &send_full, &take_empty));
            input
        })?;
        // Without a reader the thread ends at its next piece.
        let outcome = use_it(Ahead { full, empty, piece: Vec::new(), at: 0 });
        let input = thread.join().map_err(|_| anyhow::anyhow!("reading ahead: panic"))?;
        Ok((outcome?, input))
    })
}

fn fill(
    input: &mut impl Read,
    full: &SyncSender<std::io::Result<Vec<u8>>>,
    empty: &Receiver<Vec<u8>>,
) {
    loop {
        let mut piece = empty.try_recv().unwrap_or_default();
        piece.resize(PIECE, 0);
        let mut end = 0;
        let more = loop {
            match input.read(&mut piece[end..]) {
                Ok(0) => break Ok(false),
                Ok(count) => end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            if end == PIECE {
                break Ok(true);
            }
        };
        piece.truncate(end);
        if end > 0 && full.send(Ok(piece)).is_err() {
            return;
        }
        match more {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // Nobody to tell: the reader has an error of its own.
                let _ = full.send(Err(error));
                return;
            }
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.piece.len() {
            let Ok(next) = self.full.recv() else { return Ok(0) };
            let used = std::mem::replace(&mut self.piece, next?);
            self.at = 0;
            // One more than may wait is not needed again.
            let _ = self.empty.try_send(used);
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::verified::ExpectedStream;

    fn verified<R: Read>(input: R, size: u64) -> VerifiedReader<R> {
        let expected =
            ExpectedStream { size, compressed: size, bytes_max: 1 << 30, crc: None, sha256: None };
        VerifiedReader::new(input, expected, |_| ())
    }

    #[test]
    fn the_same_bytes_and_the_verdict_behind_them() {
        let text: Vec<u8> = (0..3 * PIECE as u64 + 17).map(|at| (at * 31 % 251) as u8).collect();
        let read_all = |mut ahead: Ahead| {
            let mut all = Vec::new();
            ahead.read_to_end(&mut all)?;
            Ok(all)
        };
        let (all, input) = ahead(verified(text.as_slice(), text.len() as u64), read_all).unwrap();
        assert_eq!(all, text);
        assert_eq!(input.finish().unwrap().bytes(), text.len() as u64);
    }

    #[test]
    fn an_error_comes_behind_what_was_read_before_it() {
        let broken = std::io::Read::chain(&[7_u8; PIECE + 5][..], Broken);
        let mut seen = 0;
        let outcome = ahead(verified(broken, 1 << 20), |mut ahead| {
            let mut buffer = [0; 1000];
            loop {
                seen += ahead.read(&mut buffer)?;
            }
            #[allow(unreachable_code, reason = "the loop ends by its error")]
            Ok(())
        });
        assert!(outcome.is_err_and(|error| error.to_string().contains("the line is cut")));
        assert_eq!(seen, PIECE + 5);
    }

    #[test]
    fn a_reader_that_stops_early_stops_the_thread() {
        let outcome: anyhow::Result<((), _)> =
            ahead(verified(std::io::repeat(1), 1 << 40), |mut ahead| {
                ahead.read_exact(&mut [0; 10])?;
                anyhow::bail!("enough")
            });
        assert!(outcome.is_err_and(|error| error.to_string() == "enough"));
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line is cut"))
        }
    }
}
