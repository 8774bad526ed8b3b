//! Uploads what is still being made: parts go off as they fill, and the object comes into being
//! only when its maker has said that it is whole.

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::base64;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::parts::Parts;
use super::{Pin, SHA256_METADATA, Store, refused};
use crate::error::{Exit, Failure, stopped};

/// Size of a part: with S3's 10,000 parts it allows 80 GB, and three of them are in memory.
pub(crate) const STREAM_PART_BYTES: usize = 8 << 20;

/// A piece of an object, in order.
#[derive(Debug)]
pub enum ObjectPiece {
    /// [`STREAM_PART_BYTES`] that more will follow.
    More(Vec<u8>),
    /// The rest, and the sha256 of the whole in base64. Without it there is no object.
    Last(Vec<u8>, String),
}

impl Store {
    /// Uploads pieces as they come: in one request where there is one piece, else in parts, each
    /// with its sha256. When the maker ends without a last piece, or on a stop, nothing is left
    /// in the store.
    ///
    /// # Errors
    /// [`Exit::InputUnavailable`] when the store refuses, or has another size afterwards.
    pub async fn upload_pieces(
        &self,
        key: &str,
        mut pieces: Receiver<ObjectPiece>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Pin> {
        let doing = format!("upload s3://{}/{key}", self.location.bucket);
        let size = match next(&mut pieces, stop).await? {
            ObjectPiece::Last(bytes, sha256) => {
                let size = bytes.len() as u64;
                self.client
                    .put_object()
                    .bucket(&self.location.bucket)
                    .key(key)
                    .metadata(SHA256_METADATA, &sha256)
                    .checksum_sha256(&sha256)
                    .body(ByteStream::from(bytes))
                    .send()
                    .await
                    .map_err(|error| refused(&doing, &error))?;
                size
            }
            ObjectPiece::More(first) => {
                let send = async |parts: &mut Parts<'_>| {
                    send_pieces(parts, first, &mut pieces, stop).await
                };
                self.in_parts(key, &doing, None, send).await?
            }
        };
        let pin = self.pin(key).await?;
        if pin.size != size {
            let message = format!("{doing}: the store has {} bytes of {size}", pin.size);
            return Err(Failure::new(Exit::InputUnavailable, message).into());
        }
        Ok(pin)
    }
}

/// Sends pieces until the last; gives the bytes of all.
async fn send_pieces(
    parts: &mut Parts<'_>,
    first: Vec<u8>,
    pieces: &mut Receiver<ObjectPiece>,
    stop: &CancellationToken,
) -> anyhow::Result<u64> {
    let mut size = 0;
    let mut piece = ObjectPiece::More(first);
    loop {
        let (bytes, last) = match piece {
            ObjectPiece::More(bytes) => (bytes, false),
            ObjectPiece::Last(bytes, _) => (bytes, true),
        };
        // A part without bytes is refused by some stores.
        if !bytes.is_empty() {
            size += bytes.len() as u64;
            let sha256 = base64::encode(Sha256::digest(&bytes));
            tokio::select! {
                sent = parts.send(ByteStream::from(bytes), sha256) => sent?,
                () = stop.cancelled() => return Err(stopped()),
            }
        }
        if last {
            return Ok(size);
        }
        piece = next(pieces, stop).await?;
    }
}

async fn next(
    pieces: &mut Receiver<ObjectPiece>,
    stop: &CancellationToken,
) -> anyhow::Result<ObjectPiece> {
    let piece = tokio::select! {
        piece = pieces.recv() => piece,
        () = stop.cancelled() => return Err(stopped()),
    };
    // The maker's own error says why; this one only ends the upload.
    piece.ok_or_else(|| anyhow::anyhow!("what was to be uploaded was not finished"))
}
