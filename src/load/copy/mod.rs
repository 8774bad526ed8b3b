//! Rows into Postgres: one COPY a source, finished only on a proof of completeness of each of its
//! files.
//!
//! [`part`] makes rows of one file in a thread of its own; [`send`] (here) puts the rows of a
//! source's files into one COPY; [`settle`] is a source
//! from its first file to its verdict; [`rejects`] keeps what was refused; [`dictionary`] writes the
//! sets that the rows have numbers of.

pub(crate) mod between;
mod dictionary;
pub(crate) mod part;
pub(crate) mod rejects;
pub(crate) mod settle;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio_postgres::CopyInSink;
use tokio_util::sync::CancellationToken;

use crate::catalog::ledger::FileEntry;
use crate::config::failpoint;
use crate::error::{Exit, failure, stopped};
use crate::fetch::member::Member;
use crate::load::bind::Binding;
use crate::load::encode;
use crate::load::meter::Meter;
use crate::load::validate::dictionary::Shared;
use crate::postgres::{Session, data_error, db};
use crate::spec::source::Source;
use part::{CopyChunk, CopyColumns, ReadPart, ReaderMessage, Siblings, Tally};
use rejects::RejectWriter;
pub(crate) use settle::{note_without, write_entry};

/// Chunks of rows on their way between the threads; with their size this bounds the memory.
const CHUNKS_IN_FLIGHT: usize = 4;

/// One file to be loaded.
#[derive(Clone)]
pub(crate) struct FileToLoad {
    /// The spec, bound to its table.
    pub binding: Arc<Binding>,
    /// The file.
    pub member: Member,
    /// The source's count of rejects, over all its parts.
    pub tally: Arc<Tally>,
    /// The source's dictionaries, over all its parts.
    pub dictionaries: Arc<[Shared]>,
    /// What the source's files leave to one another.
    pub siblings: Arc<Siblings>,
    /// What progress shows.
    pub meter: Arc<Meter>,
    /// Which attempt at the source this is.
    pub attempt: i64,
}

/// The rows of a source on their way into its table, which are not finished: in one COPY, or of lines in
/// one for each list of columns that they have. Dropping it makes Postgres forget the rows of the last
/// one, and the end of the caller's transaction those of all.
struct OpenCopy<'a> {
    session: &'a Session,
    binding: &'a Binding,
    /// Begun with the first rows.
    open: Option<OneCopy>,
    /// Rows that Postgres stored of the COPYs before.
    copied: u64,
}

/// One COPY.
struct OneCopy {
    sink: std::pin::Pin<Box<CopyInSink<Bytes>>>,
    /// Those of lines.
    columns: Option<CopyColumns>,
}

impl OneCopy {
    async fn begin(
        sql: &str,
        columns: Option<CopyColumns>,
        session: &Session,
    ) -> anyhow::Result<OneCopy> {
        let sink = session.copy_in(&frozen(sql)).await.map_err(db("begin COPY"))?;
        let mut open = OneCopy { sink: Box::pin(sink), columns };
        if open.columns.is_none() {
            open.send(Bytes::from_static(encode::HEADER)).await?;
        }
        Ok(open)
    }

    async fn send(&mut self, bytes: Bytes) -> anyhow::Result<()> {
        self.sink.send(bytes).await.map_err(|error| data_error("COPY", &error))
    }

    async fn end(mut self) -> anyhow::Result<u64> {
        if self.columns.is_none() {
            self.send(Bytes::from_static(&encode::TRAILER)).await?;
        }
        self.sink.as_mut().finish().await.map_err(|error| data_error("COPY", &error))
    }
}

impl<'a> OpenCopy<'a> {
    fn new(session: &'a Session, binding: &'a Binding) -> OpenCopy<'a> {
        OpenCopy { session, binding, open: None, copied: 0 }
    }

    /// Ends the COPY that is open where rows with these columns do not go into it. What the server says
    /// then is of rows before them.
    async fn leave(&mut self, columns: Option<&CopyColumns>) -> anyhow::Result<()> {
        if let Some(before) = self.open.take_if(|open| open.columns.as_ref() != columns) {
            self.copied += before.end().await?;
        }
        Ok(())
    }

    /// Sends rows, behind [`OpenCopy::leave`].
    async fn send(&mut self, bytes: Bytes, columns: Option<CopyColumns>) -> anyhow::Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let sql = match (self.binding.lines, &columns) {
                    (Some(null), Some(columns)) => self.binding.lines_sql(null, columns),
                    _ => self.binding.copy_sql(),
                };
                self.open.insert(OneCopy::begin(&sql, columns, self.session).await?)
            }
        };
        open.send(bytes).await
    }

    /// Ends it; it takes the proofs of all its files, so that there is no other way to end one.
    async fn finish(self, _proofs: &[ReadFile]) -> anyhow::Result<u64> {
        let last = match self.open {
            Some(open) => open.end().await?,
            None => 0,
        };
        Ok(self.copied + last)
    }
}

/// Rows that are frozen as they are written, for which the transaction must have emptied the table:
/// no later pass writes every page once more.
pub(crate) fn frozen(copy_sql: &str) -> String {
    copy_sql.replace(" from stdin (", " from stdin (freeze, ")
}

/// Empties the tables that a source fills.
pub(crate) fn truncate(source: &Source) -> String {
    let tables: Vec<String> = source.tables().map(ToString::to_string).collect();
    format!("truncate table {}", tables.join(", "))
}

/// A file that was read to its end, and where it stands in its source.
struct ReadFile {
    index: usize,
    read: ReadPart,
}

/// Loads the files of one source through the session, inside the caller's transaction. One COPY
/// takes the rows of all of them: only rows that come in the transaction which emptied the table
/// can be frozen as they are written, and a transaction has one session. Files are read side by
/// side as far as there are cores that no other source's reader has; one after another where rows
/// are to come in the order of the table's key.
///
/// # Errors
/// When the input cannot be read or is refused, or Postgres reports an error; [`Exit::ChecksFailed`] when the counts do not agree. The
/// caller's transaction must then be rolled back.
pub(crate) async fn send(
    session: &Session,
    parts: &[FileToLoad],
    cores: &Arc<Semaphore>,
    rejects: &mut RejectWriter,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<FileEntry>> {
    let Some(first) = parts.first() else { return Ok(Vec::new()) };
    let mut copy = OpenCopy::new(session, &first.binding);
    let mut readers = Readers::new(parts, cores);
    let mut table_rows = 0;
    let fed = feed(&mut copy, &mut readers, rejects, stop, &mut table_rows).await;
    // With the receiver gone the other threads stop at their next chunk.
    readers.end().await;
    let mut read = fed?;
    rejects.flush().await?;
    failpoint::hit(failpoint::COPY_FINISH)?;
    let copied = copy.finish(&read).await?;
    if copied != table_rows {
        let message = format!("sent {table_rows} rows, COPY stored {copied}");
        return Err(failure(Exit::ChecksFailed, message));
    }
    read.sort_by_key(|file| file.index);
    Ok(read.iter().map(|file| entry(&parts[file.index], file)).collect())
}

/// A file by its place, and what reading it came to.
type FileOutcome = (usize, anyhow::Result<ReadPart>);

/// The threads that read a source's files.
struct Readers<'a> {
    parts: &'a [FileToLoad],
    next: usize,
    cores: &'a Arc<Semaphore>,
    threads: JoinSet<FileOutcome>,
    sender: Option<mpsc::Sender<(usize, ReaderMessage)>>,
    pieces: mpsc::Receiver<(usize, ReaderMessage)>,
}

impl<'a> Readers<'a> {
    fn new(parts: &'a [FileToLoad], cores: &'a Arc<Semaphore>) -> Readers<'a> {
        let (sender, pieces) = mpsc::channel(CHUNKS_IN_FLIGHT);
        Readers { parts, next: 0, cores, threads: JoinSet::new(), sender: Some(sender), pieces }
    }

    /// Begins to read files: one in any case, more where a core is free and rows need not come in
    /// order.
    fn begin(&mut self) {
        while let Some(part) = self.parts.get(self.next) {
            let core = Arc::clone(self.cores).try_acquire_owned().ok();
            let in_order = part.binding.source.is_in_order();
            if (in_order || core.is_none()) && !self.threads.is_empty() {
                return;
            }
            let Some(sender) = self.sender.clone() else { return };
            let (index, part, span) = (self.next, part.clone(), tracing::Span::current());
            self.next += 1;
            let last = self.next == self.parts.len();
            self.threads.spawn_blocking(move || {
                let _core = core;
                let hand_on = |piece| sender.blocking_send((index, piece)).map_err(|_| stopped());
                (index, span.in_scope(|| part::read(&part, last, &hand_on)))
            });
        }
        // The channel ends when the last thread does.
        self.sender = None;
    }

    async fn end(mut self) {
        self.pieces.close();
        drop(self.pieces);
        while self.threads.join_next().await.is_some() {}
    }
}

/// Sends the rows of all files, and gives the proofs that they were read.
async fn feed(
    copy: &mut OpenCopy<'_>,
    readers: &mut Readers<'_>,
    rejects: &mut RejectWriter,
    stop: &CancellationToken,
    table_rows: &mut u64,
) -> anyhow::Result<Vec<ReadFile>> {
    let parts = readers.parts;
    let mut read = Vec::new();
    let mut first = true;
    loop {
        readers.begin();
        tokio::select! {
            piece = readers.pieces.recv() => match piece {
                Some((index, piece)) => {
                    *table_rows += pass_on(copy, &parts[index], piece, rejects, stop, &mut first).await?;
                }
                None if readers.threads.is_empty() => return Ok(read),
                None => read.push(ended(readers.threads.join_next().await)?),
            },
            done = readers.threads.join_next(), if !readers.threads.is_empty() => {
                match ended(done) {
                    Ok(file) => read.push(file),
                    Err(error) => {
                        // What was refused before is worth keeping.
                        while let Ok((index, piece)) = readers.pieces.try_recv() {
                            if let ReaderMessage::Reject(reject) = piece {
                                rejects.keep(&parts[index], *reject).await?;
                            }
                        }
                        return Err(error);
                    }
                }
            },
            () = stop.cancelled() => return Err(stopped()),
        }
    }
}

/// What a thread came to.
fn ended(done: Option<Result<FileOutcome, JoinError>>) -> anyhow::Result<ReadFile> {
    let done = done.ok_or_else(|| anyhow::anyhow!("a file's thread is not there"))?;
    let (index, read) = done.map_err(|panic| anyhow::anyhow!("reading a file: {panic}"))?;
    Ok(ReadFile { index, read: read? })
}

/// Sends rows, and says how many of the table's they are.
async fn pass_on(
    copy: &mut OpenCopy<'_>,
    part: &FileToLoad,
    piece: ReaderMessage,
    rejects: &mut RejectWriter,
    stop: &CancellationToken,
    first: &mut bool,
) -> anyhow::Result<u64> {
    let CopyChunk { bytes, source_rows, table_rows, columns } = match piece {
        ReaderMessage::Reject(reject) => return rejects.keep(part, *reject).await.map(|()| 0),
        ReaderMessage::Rows(rows) => rows,
    };
    tokio::select! {
        left = copy.leave(columns.as_ref()) => left?,
        () = stop.cancelled() => return Err(stopped()),
    }
    tokio::select! {
        sent = copy.send(bytes, columns) => sent.map_err(|error| part.member.located(error))?,
        () = stop.cancelled() => return Err(stopped()),
    }
    part.meter.rows.fetch_add(source_rows, Ordering::Relaxed);
    if std::mem::take(first) {
        failpoint::hit(failpoint::COPY)?;
    }
    Ok(table_rows)
}

fn entry(part: &FileToLoad, ReadFile { read, .. }: &ReadFile) -> FileEntry {
    let ReadPart { proof, counts, nulls } = read;
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
        misfits: counts.misfits,
        copied: counts.loaded,
        digest: format!("{:032x}", counts.digest),
        nulls: Some(nulls.clone()),
    }
}
