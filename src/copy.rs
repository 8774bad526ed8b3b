//! Rows into Postgres: one COPY a file, finished only on a proof of completeness, and as many
//! side by side as there are connections.
//!
//! [`part`] makes rows of one file in a thread of its own; [`send`] (here) puts them into COPY;
//! [`queue`] runs all files of all sources, longest first; [`rejects`] keeps what was refused; [`dictionary`] writes the sets
//! that the rows have numbers of.

pub mod between;
mod dictionary;
pub mod part;
pub mod queue;
pub mod rejects;
pub mod replace;
mod settle;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::sync::mpsc;
use tokio_postgres::CopyInSink;
use tokio_util::sync::CancellationToken;

use crate::bind::Binding;
use crate::error::{Exit, failure};
use crate::failpoint;
use crate::fetch::member::Member;
use crate::fetch::verified::Complete;
use crate::ledger::FileEntry;
use crate::pg::{Session, data_error, db, stopped};
use crate::progress::Meter;
use crate::source::Source;
use crate::validate::Counts;
use crate::validate::dictionary::Shared;
use part::{Piece, Tally};
use rejects::RejectWriter;
pub use settle::{note_without, write_entry};

/// Chunks of rows on their way between the threads; with their size this bounds the memory.
const CHUNKS_IN_FLIGHT: usize = 4;

/// One file to be loaded.
#[derive(Clone)]
pub struct Part {
    /// The spec, bound to its table.
    pub binding: Arc<Binding>,
    /// The file.
    pub member: Member,
    /// The source's count of rejects, over all its parts.
    pub tally: Arc<Tally>,
    /// The source's dictionaries, over all its parts.
    pub dictionaries: Arc<[Shared]>,
    /// What progress shows.
    pub meter: Arc<Meter>,
    /// Which attempt at the source this is.
    pub attempt: i64,
}

/// A COPY that is not finished. Dropping it makes Postgres forget all its rows.
struct OpenCopy {
    sink: std::pin::Pin<Box<CopyInSink<Bytes>>>,
}

impl OpenCopy {
    async fn begin(session: &Session, binding: &Binding) -> anyhow::Result<OpenCopy> {
        let sink = session.copy_in(&binding.copy_sql()).await.map_err(db("begin COPY"))?;
        Ok(OpenCopy { sink: Box::pin(sink) })
    }

    /// Ends the COPY; it takes the proof, so that there is no other way to end one.
    async fn finish(mut self, _proof: &Complete) -> anyhow::Result<u64> {
        self.sink.as_mut().finish().await.map_err(|error| data_error("COPY", &error))
    }
}

/// Empties the tables that a source fills.
fn truncate(source: &Source) -> String {
    let tables: Vec<String> = source.tables().map(ToString::to_string).collect();
    format!("truncate table {}", tables.join(", "))
}

/// Loads one file through the session, inside the caller's transaction.
///
/// # Errors
/// The input's, the server's, or [`Exit::ChecksFailed`] when the counts do not agree. The
/// caller's transaction must then be rolled back.
pub async fn send(
    session: &Session,
    part: &Part,
    rejects: &mut RejectWriter,
    stop: &CancellationToken,
) -> anyhow::Result<FileEntry> {
    let since = Instant::now();
    let mut copy = OpenCopy::begin(session, &part.binding).await?;
    let (sender, mut pieces) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let work = part.clone();
    let span = tracing::Span::current();
    let read = move || span.in_scope(|| part::read(&work, &sender));
    let reader = tokio::task::spawn_blocking(read);
    let fed = feed(&mut copy, &mut pieces, part, rejects, stop).await;
    // With the receiver gone the thread stops at its next chunk.
    drop(pieces);
    let read = reader.await.map_err(|panic| anyhow::anyhow!("reading a file: {panic}"));
    // The reader's own error says more than "the channel closed".
    let (proof, counts) = match (fed, read) {
        (Err(error), _) => return Err(error),
        (Ok(()), read) => read??,
    };
    rejects.flush().await?;
    failpoint::hit(failpoint::COPY_FINISH)?;
    let copied = copy.finish(&proof).await?;
    if copied != counts.loaded {
        let message = format!("sent {} rows, COPY stored {copied}", counts.loaded);
        return Err(failure(Exit::ChecksFailed, message));
    }
    let milliseconds = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(FileEntry { milliseconds, ..entry(part, &proof, &counts, copied) })
}

async fn feed(
    copy: &mut OpenCopy,
    pieces: &mut mpsc::Receiver<Piece>,
    part: &Part,
    rejects: &mut RejectWriter,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut first = true;
    loop {
        let piece = tokio::select! {
            piece = pieces.recv() => piece,
            () = stop.cancelled() => return Err(stopped()),
        };
        match piece {
            None => return Ok(()),
            Some(Piece::Rows(bytes, rows)) => {
                tokio::select! {
                    sent = copy.sink.send(bytes) => {
                        sent.map_err(|error| data_error("COPY", &error))?;
                    }
                    () = stop.cancelled() => return Err(stopped()),
                }
                part.meter.rows.fetch_add(rows, Ordering::Relaxed);
                if first {
                    first = false;
                    failpoint::hit(failpoint::COPY)?;
                }
            }
            Some(Piece::Reject(reject)) => rejects.keep(part, *reject).await?,
        }
    }
}

fn entry(part: &Part, proof: &Complete, counts: &Counts, copied: u64) -> FileEntry {
    FileEntry {
        object: part.member.object.clone(),
        version: part.member.version.clone(),
        member: part.member.path.clone(),
        bytes: proof.bytes(),
        sha256: proof.sha256().to_owned(),
        evidence: proof.evidence().to_owned(),
        lines: counts.lines,
        header: counts.header,
        loaded: counts.loaded,
        rejected: counts.rejected,
        filtered: counts.filtered,
        copied,
        digest: format!("{:032x}", counts.digest),
        milliseconds: 0,
    }
}
