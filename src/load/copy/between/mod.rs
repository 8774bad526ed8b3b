//! Rows from one build into another, as they are stored: COPY in binary out of the one and into
//! the other, cut into rows on the way, so that they are counted and digested as the loader does
//! it: a build's digests can be read again out of its tables, those of jsonb too, which the loader
//! sends in the form that Postgres gives back. Memory is that of one chunk, one row, and of a
//! dictionary's digests.

mod cut;
mod sets;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::config::failpoint;
use crate::error::{Exit, failure, stopped};
use crate::load::bind::Binding;
use crate::load::meter::Meter;
use crate::postgres::{Session, data_error, db};
use crate::spec::source::Pack;
use cut::RowCutter;
pub(crate) use sets::SetDigests;

/// A chunk is handed on when it has grown to this.
const CHUNK: usize = 256 << 10;
/// Messages that are taken at once where there are as many: the server sends one a row.
const AT_ONCE: usize = 1024;

/// Rows that went from one build to another, or that a build holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// How many.
    pub rows: u64,
    /// Bytes in binary form.
    pub bytes: u64,
    /// Wrapping sum of the rows' xxh3-128: the same in whatever order they come.
    pub digest: u128,
}

impl Stored {
    /// This and what another part of the same table holds.
    #[must_use]
    pub(crate) fn and(self, other: Stored) -> Stored {
        Stored {
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
            digest: self.digest.wrapping_add(other.digest),
        }
    }

    /// The digest as manifests write it.
    pub(crate) fn digest_hex(&self) -> String {
        format!("{:032x}", self.digest)
    }
}

/// What the numbers of rows in dictionary form stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbered {
    /// What stands for them in a digest, a dictionary each.
    sets: Arc<[SetDigests]>,
    /// How a row holds many.
    pack: Option<Places>,
}

/// Which sets the numbers of a packed row are of.
#[derive(Debug, Clone, Copy)]
struct Places {
    by: usize,
    at: usize,
    of: usize,
}

impl Places {
    fn of(pack: &Pack) -> Places {
        Places { by: pack.by, at: pack.at, of: pack.of }
    }
}

impl Numbered {
    /// Of a source whose dictionaries have these sets.
    pub(crate) fn of(binding: &Binding, sets: Vec<SetDigests>) -> Numbered {
        let pack = binding.source.pack.as_ref().map(Places::of);
        Numbered { sets: sets.into(), pack }
    }

    /// Of a table that has numbers of these sets; packed, where it says which of them is a row's, a
    /// place's and what is at a place.
    ///
    /// # Errors
    /// [`Exit::ChecksFailed`] where it says one that there is not.
    pub(crate) fn packed(
        sets: Vec<SetDigests>,
        pack: Option<[usize; 3]>,
    ) -> anyhow::Result<Numbered> {
        if pack.is_some_and(|places| places.iter().any(|place| *place >= sets.len().min(3))) {
            return Err(failure(Exit::ChecksFailed, "packed rows have a dictionary that is none"));
        }
        let pack = pack.map(|[by, at, of]| Places { by, at, of });
        Ok(Numbered { sets: sets.into(), pack })
    }
}

/// Copies the rows of a query into a table's columns, inside the caller's transaction.
///
/// # Errors
/// When a server reports an error; [`Exit::ChecksFailed`] when the two COPYs report different counts.
pub(crate) async fn rows(
    from: &Session,
    query: &str,
    into: &Session,
    table_and_columns: &str,
    meter: &Meter,
    stop: &CancellationToken,
) -> anyhow::Result<Stored> {
    let sql = format!("copy {table_and_columns} from stdin (format binary)");
    let copy = TableCopy { from, query, into, sql: &sql, meter, stop };
    copy.all().await
}

/// One COPY out of a build and into another.
pub(crate) struct TableCopy<'a> {
    /// The session that reads.
    pub from: &'a Session,
    /// What it reads.
    pub query: &'a str,
    /// The session that writes, inside the caller's transaction.
    pub into: &'a Session,
    /// The COPY statement that it writes with, in binary.
    pub sql: &'a str,
    /// What progress shows.
    pub meter: &'a Meter,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

impl TableCopy<'_> {
    /// Copies rows that are numbers of these sets; count and digest are those of
    /// [`read_by_sets`].
    ///
    /// # Errors
    /// As [`rows`] and [`read_by_sets`].
    pub(crate) async fn rows(&self, numbered: Numbered) -> anyhow::Result<Stored> {
        self.go(RowCutter::by(numbered)).await.map(|rows| rows.stored)
    }

    /// Copies rows as they are.
    ///
    /// # Errors
    /// As [`rows`].
    pub(crate) async fn all(&self) -> anyhow::Result<Stored> {
        self.go(RowCutter::default()).await.map(|rows| rows.stored)
    }

    /// Copies a dictionary and gives the digests of its sets.
    ///
    /// # Errors
    /// As [`rows`].
    pub(crate) async fn sets(&self) -> anyhow::Result<(Stored, SetDigests)> {
        let rows = RowCutter::collecting();
        let rows = self.go(rows).await?;
        Ok((rows.stored, rows.collected.unwrap_or_default()))
    }

    async fn go(&self, rows: RowCutter) -> anyhow::Result<RowCutter> {
        let sink = self.into.copy_in::<_, Bytes>(self.sql).await.map_err(db("begin COPY"))?;
        let mut sink = pin!(sink);
        let mut first = true;
        let TableCopy { from, query, meter, stop, .. } = self;
        let rows = cut_all(from, query, rows, meter, stop, async |chunk: Bytes| {
            sink.send(chunk).await.map_err(|error| data_error("COPY", &error))?;
            if std::mem::take(&mut first) {
                failpoint::hit(failpoint::COPY)?;
            }
            Ok(())
        })
        .await?;
        failpoint::hit(failpoint::COPY_FINISH)?;
        let copied = sink.finish().await.map_err(|error| data_error("COPY", &error))?;
        if copied != rows.cut {
            let message = format!("read {} rows, COPY stored {copied}", rows.cut);
            return Err(failure(Exit::ChecksFailed, message));
        }
        Ok(rows)
    }
}

/// Reads the rows of a query and gives their count and digest: what a table really holds.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn read(
    from: &Session,
    query: &str,
    stop: &CancellationToken,
) -> anyhow::Result<Stored> {
    each_chunk(from, query, RowCutter::default(), &Meter::default(), stop, async |_| Ok(())).await
}

/// The same for a table whose rows are numbers of sets: the digest is over what the sets say, for their
/// numbers are those of one night (see `validate::dictionary`), and of packed rows all that they
/// hold are counted.
///
/// # Errors
/// When Postgres reports an error; [`Exit::ChecksFailed`] when a row has a number that its dictionary lacks.
pub(crate) async fn read_by_sets(
    from: &Session,
    query: &str,
    numbered: Numbered,
    meter: &Meter,
    stop: &CancellationToken,
) -> anyhow::Result<Stored> {
    let rows = RowCutter::by(numbered);
    each_chunk(from, query, rows, meter, stop, async |_| Ok(())).await
}

/// Reads the digests of a dictionary's sets; the query gives the number first, then the fields.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn set_digests(
    from: &Session,
    query: &str,
    stop: &CancellationToken,
) -> anyhow::Result<SetDigests> {
    let rows = RowCutter::collecting();
    let cut = cut_all(from, query, rows, &Meter::default(), stop, async |_| Ok(())).await?;
    Ok(cut.collected.unwrap_or_default())
}

/// Reads a query in binary form and hands its bytes on in chunks. The server's end of data is
/// the proof that the rows are complete; without the closing mark they are not.
async fn each_chunk(
    from: &Session,
    query: &str,
    rows: RowCutter,
    meter: &Meter,
    stop: &CancellationToken,
    hand_on: impl AsyncFnMut(Bytes) -> anyhow::Result<()>,
) -> anyhow::Result<Stored> {
    cut_all(from, query, rows, meter, stop, hand_on).await.map(|rows| rows.stored)
}

async fn cut_all(
    from: &Session,
    query: &str,
    mut rows: RowCutter,
    meter: &Meter,
    stop: &CancellationToken,
    mut hand_on: impl AsyncFnMut(Bytes) -> anyhow::Result<()>,
) -> anyhow::Result<RowCutter> {
    let sql = format!("copy ({query}) to stdout (format binary)");
    let stream = from.copy_out(&sql).await.map_err(db("begin COPY TO"))?;
    let mut stream = pin!(stream.ready_chunks(AT_ONCE));
    let mut chunk = BytesMut::with_capacity(CHUNK + CHUNK / 4);
    loop {
        let messages = tokio::select! {
            messages = stream.next() => messages,
            () = stop.cancelled() => {
                from.canceller().cancel().await;
                return Err(stopped());
            }
        };
        let Some(messages) = messages else { break };
        let before = rows.stored.rows;
        for message in messages {
            let bytes = message.map_err(|error| data_error("COPY TO", &error))?;
            rows.take(&bytes)?;
            chunk.extend_from_slice(&bytes);
            meter.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        meter.rows.fetch_add(rows.stored.rows - before, Ordering::Relaxed);
        if chunk.len() >= CHUNK {
            hand_on(chunk.split().freeze()).await?;
            chunk.reserve(CHUNK + CHUNK / 4);
        }
    }
    hand_on(chunk.freeze()).await?;
    rows.end()
}
