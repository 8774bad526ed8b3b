//! One pinned object as a seekable reader that resumes.
//!
//! The SDK retries a request until headers came, never a body (measured). A body that breaks,
//! stalls or ends early is therefore asked for again here, from the byte where it broke, on the
//! same version and entity tag, a bounded number of times: the result is the pinned bytes or an
//! error, never a mix and never fewer.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use bytes::{Buf as _, Bytes};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::same::refuse_another;
use crate::error::{Exit, Failure, decisive, into_io, stopped};
use crate::fetch::plainfile;
use crate::fetch::store::{Pin, Store, refused};

/// Breaks in a row, without [`PROGRESS`] in between, after which the object is given up.
const BREAKS_MAX: u32 = 5;
/// Fewer bytes than these between two breaks are no progress, or a store that gives a byte an
/// attempt would be asked for ever.
const PROGRESS: u64 = 64 << 10;
/// Breaks in all of one reader.
const BREAKS_TOTAL_MAX: u32 = 50;
/// Bytes a second of waiting; less counts as no data. The SDK's own floor is 1, and a gigabyte
/// at that rate takes thirty years.
const RATE_MIN: u64 = 1 << 10;
/// The end of an object is fetched once and kept: a zip's directory lies there, and reading it
/// jumps to and fro.
const TAIL: u64 = 256 << 10;

/// A pinned object that can be read many times.
#[derive(Debug)]
pub struct Object {
    /// Which object at which version.
    pub pin: Pin,
    origin: ByteSource,
    tail: OnceLock<Bytes>,
    /// Why it was given up: nine sources read one release, and need not each find that out.
    given_up: OnceLock<(String, Option<String>)>,
}

/// Where its bytes come from.
#[derive(Debug)]
enum ByteSource {
    /// A store, asked from blocking threads of a runtime, until a stop.
    Store(Box<StoreAccess>),
    /// A file of this machine: what is tried by hand need not land first.
    File(File),
}

#[derive(Debug)]
struct StoreAccess {
    store: Store,
    runtime: Handle,
    stop: CancellationToken,
}

impl Object {
    /// A file of this machine, in the place of an object of its name.
    ///
    /// # Errors
    /// [`Exit::InputUnavailable`] when it cannot be read.
    pub fn local(path: &Path) -> anyhow::Result<Arc<Object>> {
        let unreadable = |error: std::io::Error| {
            let message = format!("cannot read {}", path.display());
            Failure::new(Exit::InputUnavailable, message).because(error)
        };
        let file = plainfile::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        Ok(Arc::new(Object {
            pin: Pin {
                bucket: String::new(),
                key: path.to_string_lossy().into_owned(),
                version_id: None,
                etag: String::new(),
                size,
                modified: String::new(),
                sha256: None,
                sha256_by_store: false,
            },
            origin: ByteSource::File(file),
            tail: OnceLock::new(),
            given_up: OnceLock::new(),
        }))
    }

    /// An object to be read from blocking threads of this runtime.
    pub fn new(store: &Store, pin: Pin, stop: &CancellationToken) -> Arc<Object> {
        Arc::new(Object {
            pin,
            origin: ByteSource::Store(Box::new(StoreAccess {
                store: store.clone(),
                runtime: Handle::current(),
                stop: stop.clone(),
            })),
            tail: OnceLock::new(),
            given_up: OnceLock::new(),
        })
    }

    /// A reader of the bytes from `start` to `end`.
    pub fn region(self: &Arc<Object>, start: u64, end: u64) -> Region {
        Region {
            object: Arc::clone(self),
            start,
            end: end.min(self.pin.size),
            at: start,
            body: None,
            piece: Bytes::new(),
            breaks: 0,
            breaks_total: 0,
            broke_at: 0,
            waited: Duration::ZERO,
            waited_from: start,
        }
    }

    /// A reader of the whole object.
    pub fn whole(self: &Arc<Object>) -> Region {
        self.region(0, self.pin.size)
    }

    /// Notes that nobody need try again; a stop is no verdict on the object.
    fn give_up(&self, error: &anyhow::Error) {
        if let Some(failure) = decisive(error)
            && failure.exit == Exit::InputUnavailable
        {
            let _ = self.given_up.set((failure.message.clone(), failure.hint.clone()));
        }
    }

    /// Who is asked for its bytes; a local file's are read and never asked for.
    fn asking(&self) -> anyhow::Result<&StoreAccess> {
        match &self.origin {
            ByteSource::Store(asking) => Ok(asking),
            ByteSource::File(_) => Err(anyhow::anyhow!("a local file is in no store")),
        }
    }

    async fn get(&self, start: u64, end: u64) -> anyhow::Result<ByteStream> {
        let Pin { bucket, key, .. } = &self.pin;
        let store = &self.asking()?.store;
        let answer = store
            .client
            .get_object()
            .bucket(bucket)
            .key(key)
            .set_version_id(self.pin.version_id.clone())
            .if_match(&self.pin.etag)
            .range(format!("bytes={start}-{}", end - 1))
            .customize()
            .config_override(store.attempts())
            .send()
            .await
            .map_err(|error| refused(&format!("read {}", self.pin.url()), &error))?;
        refuse_another(&self.pin, &answer)?;
        // A server that ignores the range would give other bytes than were asked for.
        let expected = format!("bytes {start}-{}/{}", end - 1, self.pin.size);
        match answer.content_range() {
            Some(range) if range == expected => Ok(answer.body),
            None if start == 0 && answer.content_length() == Some(end as i64) => Ok(answer.body),
            other => {
                let found = other.unwrap_or("no Content-Range");
                let url = self.pin.url();
                let message = format!("read {url}: expected {expected}, found {found}");
                Err(Failure::new(Exit::InputUnavailable, message).into())
            }
        }
    }
}

/// A part of an object, or the whole, as `Read + Seek` for blocking threads.
pub struct Region {
    object: Arc<Object>,
    start: u64,
    end: u64,
    at: u64,
    body: Option<ByteStream>,
    piece: Bytes,
    breaks: u32,
    breaks_total: u32,
    broke_at: u64,
    /// Time spent waiting for the store since `waited_from` was the position.
    waited: Duration,
    waited_from: u64,
}

impl Region {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.end == self.start
    }

    /// The bytes from here on that the kept tail has.
    fn kept_tail(&self) -> anyhow::Result<Option<Bytes>> {
        let size = self.object.pin.size;
        let tail_start = size.saturating_sub(TAIL);
        // Reading straight through to the end needs no second copy of it.
        if self.at < tail_start || self.body.is_some() {
            return Ok(None);
        }
        if self.object.tail.get().is_none() {
            let mut whole = Vec::with_capacity((size - tail_start) as usize);
            let mut reader = self.object.region(tail_start, size);
            while reader.at < reader.end {
                reader.next_piece()?;
                whole.extend_from_slice(&reader.piece);
                reader.at += reader.piece.len() as u64;
                reader.piece.clear();
            }
            let _ = self.object.tail.set(whole.into());
        }
        let Some(tail) = self.object.tail.get() else { return Ok(None) };
        let from = (self.at - tail_start) as usize;
        let to = (self.end - tail_start) as usize;
        Ok(Some(tail.slice(from..to)))
    }

    /// Gets the next piece of the body, asking again from here when it breaks.
    fn next_piece(&mut self) -> anyhow::Result<()> {
        loop {
            let object = Arc::clone(&self.object);
            if let Some((message, hint)) = object.given_up.get() {
                let mut failure = Failure::new(Exit::InputUnavailable, message);
                failure.hint.clone_from(hint);
                return Err(failure.into());
            }
            let asking = object.asking()?;
            let (at, end, body) = (self.at, self.end, self.body.take());
            // Behind the SDK's own guard, which ends a stalled body first.
            let patience = asking.store.stall * 3;
            let began = Instant::now();
            let outcome = asking.runtime.block_on(async {
                let work = async {
                    let mut body = match body {
                        Some(body) => body,
                        None => object.get(at, end).await?,
                    };
                    let piece = tokio::time::timeout(patience, body.next()).await;
                    anyhow::Ok((body, piece))
                };
                tokio::select! {
                    outcome = work => outcome,
                    () = asking.stop.cancelled() => Err(stopped()),
                }
            });
            let (body, piece) = outcome.inspect_err(|error| object.give_up(error))?;
            self.waited += began.elapsed();
            let why = match piece {
                Ok(Some(Ok(_))) if self.drips(patience) => {
                    format!("less than {RATE_MIN} bytes a second for {} s", patience.as_secs())
                }
                Ok(Some(Ok(piece))) if piece.is_empty() => {
                    self.body = Some(body);
                    continue;
                }
                Ok(Some(Ok(mut piece))) => {
                    piece.truncate((self.end - self.at) as usize);
                    self.piece = piece;
                    self.body = Some(body);
                    return Ok(());
                }
                Ok(Some(Err(error))) => crate::error::source_chain(&error),
                Ok(None) => "the body ended early".to_owned(),
                Err(_) => format!("no data for {} s", patience.as_secs()),
            };
            self.note_break(&why)?;
        }
    }

    /// Whether the store gave less than the least rate while it was waited for this long; a
    /// consumer that takes its time is not the store's fault.
    fn drips(&mut self, patience: Duration) -> bool {
        if self.waited < patience {
            return false;
        }
        let bytes = self.at.saturating_sub(self.waited_from);
        let least = RATE_MIN.saturating_mul(self.waited.as_secs());
        (self.waited, self.waited_from) = (Duration::ZERO, self.at);
        bytes < least
    }

    fn note_break(&mut self, why: &str) -> anyhow::Result<()> {
        if self.at.saturating_sub(self.broke_at) >= PROGRESS {
            self.breaks = 0;
        }
        self.broke_at = self.at;
        self.breaks += 1;
        self.breaks_total += 1;
        let url = self.object.pin.url();
        let (at, size) = (self.at, self.object.pin.size);
        tracing::warn!(
            object = url,
            at,
            size,
            attempt = self.breaks,
            error = why,
            "download broke"
        );
        if self.breaks >= BREAKS_MAX || self.breaks_total >= BREAKS_TOTAL_MAX {
            let message = format!(
                "read {url}: broke {} times, the last time at byte {at} of {size}: {why}",
                self.breaks_total
            );
            let error = Failure::new(Exit::InputUnavailable, message)
                .hint("`kiln status` shows what was kept")
                .into();
            self.object.give_up(&error);
            return Err(error);
        }
        let pause = Duration::from_millis(100) * 2_u32.pow(self.breaks.min(6));
        let asking = self.object.asking()?;
        let stop = asking.stop.clone();
        asking.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(pause) => Ok(()),
                () = stop.cancelled() => Err(stopped()),
            }
        })
    }
}

impl Read for Region {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.end || buffer.is_empty() {
            return Ok(0);
        }
        if let ByteSource::File(file) = &self.object.origin {
            let most = buffer.len().min((self.end - self.at) as usize);
            let count = file.read_at(&mut buffer[..most], self.at)?;
            self.at += count as u64;
            return Ok(count);
        }
        if self.piece.is_empty() {
            match self.kept_tail().map_err(into_io)? {
                Some(bytes) => self.piece = bytes,
                None => self.next_piece().map_err(into_io)?,
            }
        }
        let count = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Region {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => self.start.checked_add(offset),
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        let target = target.filter(|target| *target >= self.start).ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::InvalidInput, "seek before the start")
        })?;
        if target != self.at {
            let ahead = target.checked_sub(self.at);
            match ahead.filter(|ahead| *ahead <= self.piece.len() as u64) {
                Some(ahead) => self.piece.advance(ahead as usize),
                None => {
                    self.piece.clear();
                    self.body = None;
                    (self.waited, self.waited_from) = (Duration::ZERO, target);
                }
            }
            self.at = target;
        }
        Ok(self.at - self.start)
    }
}
